// Keeps frames in the browser under their chunk's name until the server takes the depot away.
const depots = (window.thereAndBackDepots ??= new Map());

export default function ({ data }) {
  if (!(data instanceof Uint8Array)) return;
  const length = new DataView(data.buffer, data.byteOffset, 4).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + length)));
  const size = header.height * header.width * 3;
  const bytes = data.subarray(4 + length);
  const kept = {
    width: header.width,
    height: header.height,
    frame: (k) => (k < header.count ? bytes.subarray(k * size, (k + 1) * size) : null),
  };
  depots.set(header.chunk, kept);
  window.dispatchEvent(new Event("there-and-back-frames"));
  return () => depots.get(header.chunk) === kept && depots.delete(header.chunk);
}
