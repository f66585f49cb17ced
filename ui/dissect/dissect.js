// One step of the way back, taken apart: x_{t-1} = x_t - f + eta, as pictures and as numbers.
//
// The floats are the step's own. x_{t-1} is computed here as the sampler computes it, in float32 and
// in the same order, so it is the same to the last bit.

const PICTURES = ["x_t", "x0_hat", "x_s"];
const SIGNED = ["removed", "noise"];
const PANELS = [...PICTURES, ...SIGNED];
const DIGITS = 6; // behind the point: the printed sum holds to 2e-6

// Purple to orange through near white, in equal steps: told apart by every kind of colour sight.
const SCALE = [
  [45, 15, 95], [98, 71, 163], [157, 145, 204], [211, 208, 231], [246, 245, 243],
  [252, 216, 168], [238, 160, 72], [193, 102, 14], [115, 52, 4],
];
const TABLE = Uint8Array.from({ length: 3 * 511 }, (_, i) => {
  const place = (Math.floor(i / 3) / 510) * (SCALE.length - 1);
  const below = Math.min(Math.floor(place), SCALE.length - 2);
  const [a, b] = [SCALE[below][i % 3], SCALE[below + 1][i % 3]];
  return Math.round(a + (b - a) * (place - below));
});

const CROSS =
  '<svg class="cross" viewBox="0 0 25 25" aria-hidden="true">' +
  ["under", "over"]
    .map((name) => `<path class="${name}" d="M12.5 0V7M12.5 18V25M0 12.5H7M18 12.5H25"/>`)
    .join("") +
  "</svg>";

const mounted = new WeakMap();

export default function ({ data, parentElement }) {
  let view = mounted.get(parentElement);
  if (!view) {
    view = new Dissect(parentElement.querySelector(".dissect"));
    mounted.set(parentElement, view);
  }
  const run = view.update(unpack(data));
  return () => {
    if (view.run !== run) return; // a later call has taken over
    view.close();
    mounted.delete(parentElement);
  };
}

function unpack(bytes) {
  const { buffer } = bytes.slice(); // a copy, so that the floats lie at multiples of 4
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const [channels, height, width] = header.shape;
  const count = channels * height * width;
  const floats = (k) => new Float32Array(buffer, 4 + length + 4 * count * k, count);
  const x_t = floats(0);
  const removed = floats(2);
  const noise = header.noise ? floats(3) : new Float32Array(count);
  const x_s = new Float32Array(count);
  for (let i = 0; i < count; i++) x_s[i] = Math.fround(Math.fround(x_t[i] - removed[i]) + noise[i]);
  return { ...header, channels, height, width, values: { x_t, x0_hat: floats(1), removed, noise, x_s } };
}

class Dissect {
  constructor(root) {
    this.root = root;
    this.run = 0;
    this.channel = 0;
    this.kept = null; // the chosen pixel, as shares of width and height; null: the middle
    this.find = (selector) => root.querySelector(selector);
    this.terms = this.find(".terms");
    this.frames = Object.fromEntries(PANELS.map((name) => [name, this.find(`.${name} .frame`)]));
    this.outputs = Object.fromEntries(PANELS.map((name) => [name, this.find(`.n-${name}`)]));
    this.listeners = new AbortController();
    const { signal } = this.listeners;
    const on = (target, name, act) => target.addEventListener(name, act.bind(this), { signal });
    for (const frame of Object.values(this.frames)) {
      frame.insertAdjacentHTML("beforeend", CROSS);
      on(frame, "pointerdown", (event) => this.point(event, true));
      on(frame, "pointermove", (event) => this.point(event, event.buttons > 0 || event.pointerType === "touch"));
      on(frame, "pointercancel", () => { this.kept = this.before; }); // the finger went on to scroll the page
      on(frame, "pointerleave", () => this.mark(this.kept));
    }
    on(this.terms, "keydown", this.keydown);
    on(this.find(".channels"), "change", (event) => {
      this.channel = Number(event.target.value);
      this.draw(SIGNED);
      this.describe();
      this.mark(this.pixel);
    });
    const colours = SCALE.map((c) => `rgb(${c})`).join(", ");
    for (const bar of root.querySelectorAll(".bar i")) bar.style.background = `linear-gradient(90deg, ${colours})`;
  }

  update(step) {
    const before = this.step;
    this.step = step;
    const { labels } = step;
    if (!before || before.width !== step.width || before.height !== step.height) this.kept = null;
    if (this.channel >= step.channels) this.channel = 0;
    for (const name of PANELS) {
      const caption = this.find(`.${name} figcaption > span`);
      caption.textContent = name === "noise" && !step.noise ? labels.no_noise : labels[name];
    }
    this.find(".estimate").textContent = labels.estimate;
    this.find(".hint").textContent = labels.hint;
    this.find(".cut").textContent = labels.cut;
    this.find(".cut").hidden = step.whole[0] === step.height && step.whole[1] === step.width;
    this.terms.setAttribute("aria-label", labels.pixel);
    this.terms.setAttribute("aria-roledescription", labels.chooser);
    for (const low of this.root.querySelectorAll(".low")) low.textContent = `−${step.limit}`;
    for (const high of this.root.querySelectorAll(".high")) high.textContent = `+${step.limit}`;
    let most = 1;
    for (const name of PANELS) for (const v of step.values[name]) if (Math.abs(v) > most) most = Math.abs(v);
    this.wide = Math.floor(Math.log10(most)) + 5 + DIGITS; // sign, digits, point, digits, brackets
    this.root.style.setProperty("--digits", `${this.wide}ch`);
    this.switches();
    this.draw(PANELS);
    this.describe();
    this.mark(this.kept);
    return ++this.run;
  }

  // The switch of colour channels; grey pictures need none.
  switches() {
    const { labels, channels } = this.step;
    const group = this.find(".channels");
    group.hidden = channels === 1;
    group.setAttribute("aria-label", labels.channel);
    if (group.childElementCount !== channels) {
      group.innerHTML = [..."RGB"].slice(0, channels)
        .map((letter, i) => `<label><input type="radio" name="channel" value="${i}">${letter}</label>`)
        .join("");
    }
    ["red", "green", "blue"].slice(0, channels).forEach((name, i) => {
      const input = group.children[i].firstChild;
      input.checked = i === this.channel;
      input.setAttribute("aria-label", labels[name]);
      group.children[i].title = labels[name];
    });
  }

  draw(names) {
    const { width, height, channels, values, shown, limit } = this.step;
    const size = width * height;
    for (const name of names) {
      const canvas = this.frames[name].firstElementChild;
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      const image = new ImageData(width, height);
      const out = image.data;
      const from = values[name];
      if (PICTURES.includes(name)) {
        const [shift, gain] = shown[name];
        for (let i = 0; i < size; i++) {
          for (let c = 0; c < 3; c++) {
            out[4 * i + c] = ((from[channels === 3 ? c * size + i : i] - shift) / gain + 1) * 127.5; // clamps, rounds
          }
          out[4 * i + 3] = 255;
        }
      } else {
        const first = this.channel * size;
        for (let i = 0; i < size; i++) {
          const share = limit ? Math.max(-1, Math.min(1, from[first + i] / limit)) : 0;
          const k = 3 * Math.round((share + 1) * 255);
          out[4 * i] = TABLE[k];
          out[4 * i + 1] = TABLE[k + 1];
          out[4 * i + 2] = TABLE[k + 2];
          out[4 * i + 3] = 255;
        }
      }
      canvas.getContext("2d").putImageData(image, 0, 0);
    }
  }

  describe() {
    const { labels, noise, limit, channels } = this.step;
    const colour = channels === 1 ? "" : `, ${labels[["red", "green", "blue"][this.channel]]}`;
    for (const name of PANELS) {
      const text = name === "noise" && !noise ? labels.no_noise : labels[name];
      const scale = SIGNED.includes(name) ? `${colour}, ±${limit}` : "";
      this.frames[name].firstElementChild.setAttribute("aria-label", text + scale);
    }
  }

  // Mark the same pixel in all pictures and print its numbers.
  mark(pixel) {
    const { width, height, corner, values, labels } = this.step;
    pixel ??= { column: Math.floor(width / 2), row: Math.floor(height / 2) };
    this.pixel = pixel;
    const { column, row } = pixel;
    for (const frame of Object.values(this.frames)) {
      const { style } = frame.lastElementChild;
      style.left = `${(100 * (column + 0.5)) / width}%`;
      style.top = `${(100 * (row + 0.5)) / height}%`;
    }
    const i = (this.channel * height + row) * width + column;
    const text = {};
    for (const name of PANELS) {
      text[name] = written(values[name][i]);
      // Brackets around what is taken away or added when it is negative; room for them everywhere.
      if (SIGNED.includes(name) && text[name].startsWith("−")) text[name] = `(${text[name]})`;
      this.outputs[name].textContent = text[name].endsWith(")") ? text[name] : `${text[name]} `;
      this.outputs[name].dataset.value = values[name][i]; // all its digits
    }
    const place = labels.place.replace("{column}", corner[1] + column).replace("{row}", corner[0] + row);
    this.find(".pixel").textContent = labels.pixel_at.replace("{place}", place);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const sum = `${text.x_t} − ${text.removed} + ${text.noise} = ${text.x_s}`;
      this.find(".live").textContent = labels.spoken
        .replace("{place}", place).replace("{sum}", sum).replace("{x0_hat}", text.x0_hat);
    }, 400); // once the pointer rests
  }

  point(event, keep) {
    if (event.type === "pointerdown" && event.button !== 0) return;
    if (event.type === "pointerdown") this.before = this.kept;
    const box = event.currentTarget.getBoundingClientRect();
    const { width, height } = this.step;
    const cell = (share, count) => Math.max(0, Math.min(count - 1, Math.floor(share * count)));
    const pixel = {
      column: cell((event.clientX - box.left) / box.width, width),
      row: cell((event.clientY - box.top) / box.height, height),
    };
    if (keep) this.kept = pixel;
    this.mark(pixel);
  }

  keydown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!move) return;
    event.preventDefault();
    const by = event.shiftKey ? 8 : 1;
    const { width, height } = this.step;
    this.kept = {
      column: Math.max(0, Math.min(width - 1, this.pixel.column + by * move[0])),
      row: Math.max(0, Math.min(height - 1, this.pixel.row + by * move[1])),
    };
    this.mark(this.kept);
  }

  close() {
    clearTimeout(this.timer);
    this.listeners.abort();
    for (const frame of Object.values(this.frames)) frame.lastElementChild.remove();
  }
}

function written(value) {
  const digits = Math.abs(value).toFixed(DIGITS);
  return value < 0 && Number(digits) !== 0 ? `−${digits}` : digits;
}
