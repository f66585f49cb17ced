// A square on a picture. Everything happens here; the server hears of it when the hand lets go.
//
// x, y are the square's centre as shares of the picture's width and height, side its side as a share
// of the shorter side: the semantics of diffusion.Crop.

const MOST_HEIGHT = 360; // CSS pixels
const PAUSE = 250; // ms after the last key or wheel turn until the server hears of it

const mounted = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  let box = mounted.get(parentElement);
  if (!box) {
    box = new CropBox(parentElement.querySelector(".crop"));
    mounted.set(parentElement, box);
  }
  const run = box.update(data, setStateValue);
  return () => {
    if (box.run !== run) return; // a later call has taken over
    box.close();
    mounted.delete(parentElement);
  };
}

class CropBox {
  constructor(root) {
    this.root = root;
    this.run = 0;
    this.id = null;
    this.pointers = new Map(); // pointerId -> {x, y} in CSS pixels inside the frame
    this.grip = null; // what the pointers hold
    this.wheeling = false;
    this.frame = root.querySelector(".frame");
    this.image = root.querySelector("img");
    this.square = root.querySelector(".square");
    this.where = root.querySelector(".where");
    this.reset = root.querySelector(".reset");
    this.listeners = new AbortController();
    const { signal } = this.listeners;
    const on = (target, name, act, options = {}) =>
      target.addEventListener(name, act.bind(this), { signal, ...options });
    on(this.frame, "pointerdown", this.down);
    on(this.frame, "pointermove", this.move);
    on(this.frame, "pointerup", this.up);
    on(this.frame, "pointercancel", this.up);
    on(this.frame, "lostpointercapture", this.up);
    on(this.frame, "pointerleave", () => { this.wheeling = false; });
    on(this.frame, "wheel", this.wheel, { passive: false });
    on(this.square, "keydown", this.keydown);
    on(this.reset, "click", () => {
      this.square.focus({ preventScroll: true }); // the button goes out
      this.place({ x: 0.5, y: 0.5, side: 1 });
      this.send();
    });
  }

  update(data, setStateValue) {
    this.setStateValue = setStateValue;
    this.words(data.labels);
    this.image.alt = data.alt;
    if (data.id !== this.id) {
      this.pointers.clear();
      this.grip = null;
      clearTimeout(this.timer);
      this.root.classList.remove("moving");
      Object.assign(this, { id: data.id, width: data.width, height: data.height, smallest: data.smallest });
      this.short = Math.min(data.width, data.height);
      const ratio = data.width / data.height;
      this.frame.style.aspectRatio = `${data.width} / ${data.height}`;
      this.frame.style.width = `min(100%, ${MOST_HEIGHT * ratio}px)`;
      this.image.src = data.url;
      this.place(data.crop);
      this.sent = this.text();
    }
    this.tell();
    return ++this.run;
  }

  words(labels) {
    this.labels = labels;
    this.square.setAttribute("aria-label", labels.square);
    this.square.setAttribute("aria-roledescription", labels.role);
    this.reset.textContent = labels.reset;
    this.root.querySelector(".how").textContent = labels.how;
  }

  // Take these values, as near as they fit into the picture.
  place({ x, y, side }) {
    side = Math.min(Math.max(side, this.smallest), 1);
    const halfX = (side * this.short) / 2 / this.width;
    const halfY = (side * this.short) / 2 / this.height;
    x = Math.min(Math.max(x, halfX), 1 - halfX);
    y = Math.min(Math.max(y, halfY), 1 - halfY);
    Object.assign(this, { x, y, side });
    const style = this.square.style;
    style.left = `${100 * (x - halfX)}%`;
    style.top = `${100 * (y - halfY)}%`;
    style.width = `${200 * halfX}%`;
    style.height = `${200 * halfY}%`;
    this.frame.classList.toggle("whole", side * this.short >= Math.max(this.width, this.height));
    this.reset.disabled = side === 1 && Math.abs(x - 0.5) < 1e-6 && Math.abs(y - 0.5) < 1e-6;
  }

  text() {
    return [this.x, this.y, this.side].map((n) => n.toFixed(5)).join();
  }

  tell() {
    const share = (n) => `${Math.round(100 * n)}`;
    const text = this.labels.where
      .replace("{across}", share(this.x)).replace("{down}", share(this.y)).replace("{side}", share(this.side));
    if (text !== this.where.textContent) this.where.textContent = text; // said aloud only when it is new
  }

  send() {
    clearTimeout(this.timer);
    if (this.text() === this.sent) return;
    this.sent = this.text();
    this.tell();
    const [x, y, side] = this.sent.split(",").map(Number);
    this.setStateValue("crop", { id: this.id, x, y, side });
  }

  sendSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), PAUSE);
  }

  // Pointers ---------------------------------------------------------------------------------

  at(event) {
    const box = this.frame.getBoundingClientRect();
    this.scale = this.width / box.width; // picture pixels a CSS pixel
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  // The square in CSS pixels inside the frame.
  pixels() {
    const side = (this.side * this.short) / this.scale;
    const x = (this.x * this.width) / this.scale;
    const y = (this.y * this.height) / this.scale;
    return { x, y, side, left: x - side / 2, top: y - side / 2 };
  }

  placePixels(x, y, side) {
    const { scale } = this;
    this.place({ x: (x * scale) / this.width, y: (y * scale) / this.height, side: (side * scale) / this.short });
  }

  // Which corner is at a point: [-1 or 1, -1 or 1], or null.
  corner(point, touch) {
    const square = this.pixels();
    const out = touch ? 22 : 12;
    const within = Math.min(touch ? 22 : 16, square.side / 3);
    for (const [h, v] of [[1, 1], [-1, -1], [1, -1], [-1, 1]]) {
      const dx = h * (point.x - square.x) - square.side / 2; // positive: outside
      const dy = v * (point.y - square.y) - square.side / 2;
      if (dx <= out && dx >= -within && dy <= out && dy >= -within) return [h, v];
    }
    return null;
  }

  down(event) {
    if (event.button !== 0 || this.pointers.size === 2 || !this.id) return;
    event.preventDefault();
    this.square.focus({ preventScroll: true });
    this.root.classList.remove("keyed");
    this.frame.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.at(event));
    this.take(event.pointerType === "touch", true);
  }

  // Begin to hold the square as the pointers that are down do.
  take(touch, fresh = false) {
    const points = [...this.pointers.values()];
    const square = this.pixels();
    if (points.length === 2) {
      const [a, b] = points;
      this.grip = {
        kind: "pinch", square, gap: Math.max(Math.hypot(a.x - b.x, a.y - b.y), 10),
        x: (a.x + b.x) / 2, y: (a.y + b.y) / 2,
      };
    } else {
      const [point] = points;
      const corner = fresh ? this.corner(point, touch) : null;
      const inside = Math.max(Math.abs(point.x - square.x), Math.abs(point.y - square.y)) <= square.side / 2;
      this.grip = { kind: corner ? "corner" : "drag", corner, square, ...point, tap: fresh && !corner && !inside };
    }
    if (!this.grip.tap) this.root.classList.add("moving");
  }

  move(event) {
    const point = this.at(event);
    if (event.movementX || event.movementY) this.wheeling = true;
    if (!this.pointers.has(event.pointerId)) {
      if (event.pointerType !== "touch" && !this.grip) this.hint(point);
      return;
    }
    this.pointers.set(event.pointerId, point);
    const { grip } = this;
    const { square } = grip;
    if (grip.kind === "pinch") {
      const [a, b] = this.pointers.values();
      const side = (square.side * Math.hypot(a.x - b.x, a.y - b.y)) / grip.gap;
      const moved = { x: (a.x + b.x) / 2 - grip.x, y: (a.y + b.y) / 2 - grip.y };
      this.placePixels(square.x + moved.x, square.y + moved.y, side);
    } else if (grip.kind === "corner") {
      this.pull(grip, point);
    } else {
      const dx = point.x - grip.x;
      const dy = point.y - grip.y;
      if (grip.tap && Math.hypot(dx, dy) < 4) return;
      grip.tap = false;
      this.root.classList.add("moving");
      this.placePixels(square.x + dx, square.y + dy, square.side);
    }
  }

  // Resize by a corner; the opposite one stays where it is.
  pull({ corner: [h, v], square, x, y }, point) {
    const fixed = { x: square.x - (h * square.side) / 2, y: square.y - (v * square.side) / 2 };
    const width = this.width / this.scale;
    const height = this.height / this.scale;
    const room = Math.min(h > 0 ? width - fixed.x : fixed.x, v > 0 ? height - fixed.y : fixed.y);
    const grown = Math.max(h * (point.x - x), v * (point.y - y));
    const shrunk = Math.min(h * (point.x - x), v * (point.y - y));
    const least = (this.smallest * this.short) / this.scale;
    const side = Math.max(Math.min(square.side + (grown > 0 ? grown : shrunk), room), least);
    this.placePixels(fixed.x + (h * side) / 2, fixed.y + (v * side) / 2, side);
  }

  up(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    const { grip } = this;
    if (this.pointers.size) {
      this.take(event.pointerType === "touch"); // one finger of a pinch is left: it drags on
      return;
    }
    this.grip = null;
    this.root.classList.remove("moving");
    if (grip.tap && event.type === "pointerup") this.placePixels(grip.x, grip.y, grip.square.side);
    // The page was scrolled after all, or the system cut in: as if it had not been touched.
    if (event.type === "pointercancel") this.placePixels(grip.square.x, grip.square.y, grip.square.side);
    this.send();
  }

  hint(point) {
    const corner = this.corner(point, false);
    const square = this.pixels();
    const inside = Math.max(Math.abs(point.x - square.x), Math.abs(point.y - square.y)) <= square.side / 2;
    this.frame.style.cursor = corner
      ? corner[0] === corner[1] ? "nwse-resize" : "nesw-resize"
      : inside ? "move" : "pointer";
  }

  // Wheel and keys ---------------------------------------------------------------------------

  wheel(event) {
    // A page that scrolls by under a resting pointer is left alone.
    if (!this.wheeling && !event.ctrlKey) return;
    event.preventDefault();
    if (this.grip) return;
    const lines = event.deltaMode === 1 ? 16 : 1;
    const turn = Math.max(-60, Math.min(60, event.deltaY * lines * (event.ctrlKey ? 4 : 1)));
    this.place({ x: this.x, y: this.y, side: this.side * Math.exp(-turn / 600) });
    this.sendSoon();
  }

  keydown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const by = (event.shiftKey ? 0.1 : 0.02) * this.short;
    const { x, y, side } = this;
    const next = {
      ArrowLeft: { x: x - by / this.width, y, side },
      ArrowRight: { x: x + by / this.width, y, side },
      ArrowUp: { x, y: y - by / this.height, side },
      ArrowDown: { x, y: y + by / this.height, side },
      "+": { x, y, side: side * 1.06 },
      "=": { x, y, side: side * 1.06 },
      "-": { x, y, side: side / 1.06 },
      _: { x, y, side: side / 1.06 },
    }[event.key];
    if (!next) return;
    event.preventDefault();
    this.root.classList.add("keyed");
    this.place(next);
    this.sendSoon();
  }

  close() {
    clearTimeout(this.timer);
    this.listeners.abort();
  }
}
