// The stage. data = {
//   there, back: {t: [], sigma: [], snr: [], measured: [], step: [], total, from}  (back may be null)
//   chunks: {there: [{chunk, count}], back: [...]}   names of the depots that hold the frames, in order
//   at: {stop, turn}      where the thumb is put when `turn` is new
//   following: bool       keep to the newest frame of the way back
//   oneWay: bool          no way back is to come: the way there takes the whole line
//   beside: {there, back, chunks}       a second journey under the same thumb; may be absent
//   line: [[place, stop, stop beside]]  where on the line each position of that thumb lies, and what is seen there
//   titles: []            what the two are called
//   words
// }
// Stops 0 .. there-1 of a journey lie on its way there, the rest on its way back.

const depots = (window.thereAndBackDepots ??= new Map());
const stages = new WeakMap();
const HEADER = 60; // CSS pixels that the page's header covers; see scroll-margin in stage.css
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

export default function ({ data, parentElement, setStateValue }) {
  let stage = stages.get(parentElement);
  if (!stage) {
    stage = new Stage(parentElement);
    stages.set(parentElement, stage);
  }
  stage.report = (stop) => setStateValue("told", { stop, turn: stage.turn });
  stage.update(data);
  // Streamlit may clean up after an earlier run when a later one has begun: only the last may close.
  const run = (stage.run = {});
  return () => {
    if (stage.run !== run) return;
    stage.close();
    stages.delete(parentElement);
  };
}

class Stage {
  constructor(parent) {
    this.root = parent.querySelector(".stage");
    this.find = (selector) => this.root.querySelector(selector);
    this.timeline = this.find(".timeline");
    this.sides = [new Side(this.find(".top"))];
    this.stop = 0;
    this.turn = null;
    this.playing = 0;
    this.reported = null;
    this.redraw = () => this.draw();
    window.addEventListener("there-and-back-frames", this.redraw);
    this.listen();
    this.told = (event) => this.actions[event.detail](); // by a key, from anywhere on the page
    window.addEventListener("there-and-back-do", this.told);
    // Whoever reaches for anything else has let go of the thumb: the server must know first.
    this.leave = (event) => {
      if (!this.root.contains(event.composedPath()[0])) this.rest();
    };
    window.addEventListener("pointerdown", this.leave, true);
    window.addEventListener("focusin", this.leave, true);
  }

  close() {
    window.removeEventListener("there-and-back-frames", this.redraw);
    window.removeEventListener("there-and-back-do", this.told);
    window.removeEventListener("pointerdown", this.leave, true);
    window.removeEventListener("focusin", this.leave, true);
    this.pause();
    clearTimeout(this.later);
  }

  update(data) {
    const moved = this.turn !== null && data.at.turn !== this.turn;
    const { line, there, at } = data;
    const onBack = line ? line[at.stop][0] > 0.5 : at.stop >= there.t.length;
    const begins = moved && !this.data.following && onBack;
    this.data = data;
    if (data.beside && this.sides.length === 1) {
      const top = this.sides[0].top.cloneNode(true);
      this.sides[0].top.after(top);
      this.sides.push(new Side(top));
    }
    this.sides.forEach((side, k) => side.update(k ? data.beside : data, data.titles?.[k], data.words));
    this.count = data.line?.length ?? this.sides[0].count;
    if (data.at.turn !== this.turn) {
      if (this.turn === null || !data.following) this.pause();
      this.turn = data.at.turn;
      this.stop = this.reported = data.at.stop;
      this.dragging = false;
    }
    if (data.following && !this.dragging) this.stop = this.count - 1;
    this.stop = Math.min(Math.max(this.stop, 0), this.count - 1);
    this.root.classList.toggle("projector", Boolean(data.projector));
    this.words();
    this.curves();
    this.draw();
    if (begins) this.intoView();
  }

  /** A way back begins: whoever pressed its button far below is to see the picture return. */
  intoView() {
    const { top, bottom, height } = this.find(".frame").getBoundingClientRect();
    const seen = Math.min(bottom, window.innerHeight) - Math.max(top, HEADER);
    if (seen < 0.8 * height) this.root.scrollIntoView({ block: "start", behavior: calm.matches ? "auto" : "smooth" });
  }

  // --- from the hand -------------------------------------------------------------------------

  listen() {
    const line = this.timeline;
    line.addEventListener("pointerdown", (event) => {
      if (event.button || this.dragging) return;
      this.pause();
      this.dragging = true;
      this.pointer = event.pointerId; // another finger is not heeded
      this.from = this.stop;
      line.setPointerCapture(event.pointerId);
      this.moveTo(this.nearest(event));
    });
    line.addEventListener("pointermove", (event) => {
      if (this.dragging && event.pointerId === this.pointer) this.moveTo(this.nearest(event));
    });
    const release = (event) => {
      if (!this.dragging || event.pointerId !== this.pointer) return;
      this.dragging = false;
      // A finger that went on to scroll the page had not meant the thumb.
      if (event.type === "pointercancel") this.moveTo(Math.min(this.from, this.count - 1));
      this.commit();
    };
    line.addEventListener("pointerup", release);
    line.addEventListener("pointercancel", release);

    const page = () => Math.max(2, Math.round(this.count / 10));
    const keys = {
      ArrowRight: () => 1, ArrowUp: () => 1, ArrowLeft: () => -1, ArrowDown: () => -1,
      PageUp: page, PageDown: () => -page(), Home: () => -Infinity, End: () => Infinity,
    };
    line.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === " " || event.key === "Enter") event.repeat || this.toggle();
      else if (keys[event.key]) this.by(keys[event.key]());
      else return;
      event.preventDefault();
      event.stopPropagation();
    });

    this.actions = {
      home: () => this.by(-Infinity), back: () => this.by(-1), play: () => this.toggle(),
      on: () => this.by(1), end: () => this.by(Infinity), rest: () => this.rest(),
    };
    for (const button of this.root.querySelectorAll("button")) {
      button.addEventListener("click", () => this.actions[button.dataset.do]());
    }
    this.find(".smooth input").addEventListener("change", (event) => {
      this.root.classList.toggle("soft", event.target.checked);
    });
  }

  /** Whoever does something else has let go of the thumb. */
  rest() {
    if (this.playing) this.pause();
    this.commit();
  }

  by(steps) {
    this.pause();
    this.moveTo(Math.min(Math.max(this.stop + steps, 0), this.count - 1));
    this.commitSoon();
  }

  moveTo(stop) {
    this.stop = stop;
    this.draw();
  }

  /** Tell the server where the thumb was let go. */
  commit() {
    clearTimeout(this.later);
    if (!this.data || this.stop === this.reported) return;
    this.reported = this.stop;
    this.report(this.stop);
  }

  commitSoon() {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.commit(), 300);
  }

  toggle() {
    if (this.playing) {
      this.pause();
      this.commit();
    } else {
      if (this.stop >= this.count - 1) this.moveTo(0);
      this.play();
    }
  }

  play() {
    clearTimeout(this.later);
    this.root.classList.add("playing");
    this.name("play", this.data.words.pause);
    let last = performance.now();
    let due = 0;
    let drawn = 0;
    const tick = (now) => {
      // One way takes about six seconds at 1x. At most 24 frames a second are drawn, however many stops
      // that passes over; where motion is unwelcome, 4 stops a second are all. Time in another tab does not count.
      const stops = this.data.line ? this.count / 2 : this.data.there.t.length;
      const rate = (stops / 6) * Number(this.find("select").value);
      due += (Math.min(now - last, 250) / 1000) * (calm.matches ? Math.min(4, rate) : rate);
      last = now;
      if (due >= 1 && now - drawn >= 1000 / 24) {
        drawn = now;
        this.moveTo(Math.min(this.stop + Math.floor(due), this.count - 1));
        due %= 1;
      }
      if (this.stop >= this.count - 1) {
        this.pause();
        this.commit();
      } else {
        this.playing = requestAnimationFrame(tick);
      }
    };
    this.playing = requestAnimationFrame(tick);
  }

  pause() {
    cancelAnimationFrame(this.playing);
    this.playing = 0;
    this.root.classList.remove("playing");
    if (this.data) this.name("play", this.data.words.play);
  }

  // --- where things lie ----------------------------------------------------------------------

  /** Position of a stop on the line, 0 to 1: the way there on the left half, back on the right. */
  place(stop) {
    if (this.data.line) return this.data.line[stop][0];
    const there = this.data.there.t.length;
    if (stop < there) return ((this.data.oneWay ? 1 : 0.5) * this.data.there.step[stop]) / this.data.there.total;
    const { from, total } = this.data.back;
    return 0.5 + 0.5 * (from + ((1 - from) * this.data.back.step[stop - there]) / total);
  }

  nearest(event) {
    const box = this.timeline.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width;
    let best = 0;
    for (let stop = 1; stop < this.count; stop++) {
      if (Math.abs(this.place(stop) - x) < Math.abs(this.place(best) - x)) best = stop;
    }
    return best;
  }

  // --- what is seen --------------------------------------------------------------------------

  draw() {
    if (!this.data) return;
    const { words, line } = this.data;
    const said = this.sides.map((side, k) => side.draw(line ? line[this.stop][k + 1] : this.stop));
    this.root.classList.toggle("on-back", this.sides.some((side) => side.onBack));
    const left = `${100 * this.place(this.stop)}%`;
    this.find(".thumb").style.left = left;
    this.find(".needle").style.left = left;
    this.timeline.setAttribute("aria-valuemin", 0);
    this.timeline.setAttribute("aria-valuemax", this.count - 1);
    this.timeline.setAttribute("aria-valuenow", this.stop);
    this.timeline.setAttribute("aria-valuetext", said.join("; "));
  }

  /** The sigma_t^2 curves over both ways, in the same places as the stops below them. */
  curves() {
    const { there, back, beside, line } = this.data;
    const top = Math.max(...there.sigma, ...(beside?.there.sigma ?? [])) ** 2 || 1;
    const height = (sigma) => (100 - 96 * (sigma ** 2 / top)).toFixed(2);
    // Two journeys share a line of times; one has its own line of steps.
    const place = (way, k, before) => {
      if (!line) return this.place(before + k);
      return before ? 1 - way.t[k] / 2 : way.t[k] / 2;
    };
    const points = (way, before) => way.sigma.map((sigma, k) => `${(1000 * place(way, k, before)).toFixed(2)} ${height(sigma)}`);
    const path = (points) => (points.length ? `M${points.join("L")}` : "");
    const draw = (name, points) => {
      const xs = points.map((p) => p.split(" ")[0]);
      this.find(`.line.${name}`).setAttribute("d", path(points));
      this.find(`.area.${name}`)?.setAttribute("d", path(points) && `${path(points)}L${xs.at(-1)} 100L${xs[0]} 100Z`);
    };
    draw("there", points(there, 0));
    draw("back", back ? points(back, there.t.length) : []);
    const mirrored = there.sigma.map((sigma, k) => `${(1000 * (1 - place(there, k, 0))).toFixed(2)} ${height(sigma)}`);
    draw("ahead", back || this.data.oneWay ? [] : mirrored.reverse());
    const other = beside ? path(points(beside.there, 0)) + path(beside.back ? points(beside.back, 1) : []) : "";
    this.find(".line.beside").setAttribute("d", other);
    this.root.classList.toggle("no-back", !back && !beside?.back);
    this.root.classList.toggle("one-way", Boolean(this.data.oneWay));
    this.root.classList.toggle("pair", Boolean(beside));
  }

  words() {
    const { words } = this.data;
    this.timeline.setAttribute("aria-label", this.data.oneWay ? words.timeline_there : words.timeline);
    for (const [what, label] of Object.entries({
      home: words.home, back: words.step_back, on: words.step_on, end: words.end,
    })) this.name(what, label);
    if (!this.playing) this.name("play", words.play);
    this.find(".speed span").textContent = words.speed;
    this.find(".smooth span").textContent = words.smooth;
    const ends = this.root.querySelectorAll(".ends span");
    const named = this.data.oneWay ? [words.end_left, "", words.end_middle] : [words.end_left, words.end_middle, words.end_right];
    named.forEach((text, k) => (ends[k].innerHTML = lowered(text)));
    const [r, g, b] = (getComputedStyle(this.root).color.match(/\d+/g) ?? [0, 0, 0]).map(Number);
    this.root.classList.toggle("dark", r + g + b > 382);
  }

  name(what, label) {
    const button = this.find(`[data-do=${what}]`);
    button.setAttribute("aria-label", label);
    button.title = label;
  }
}

/** One picture with its numbers: a stage has one, or two under one thumb. */
class Side {
  constructor(top) {
    this.top = top;
    this.find = (selector) => top.querySelector(selector);
  }

  update(journey, title, words) {
    this.journey = journey;
    this.words = words;
    this.count = journey.there.t.length + (journey.back?.t.length ?? 0);
    for (const name of ["t", "sigma", "snr"]) this.find(`.n-${name}`).innerHTML = lowered(words[name]);
    this.find(".title").textContent = this.title = title ?? "";
    this.find(".upload figcaption").innerHTML = lowered(words.upload);
    this.find(".thumb-x0").setAttribute("aria-label", words.upload);
  }

  frame(stop) {
    const there = this.journey.there.t.length;
    const back = stop >= there;
    let k = back ? stop - there : stop;
    for (const { chunk, count } of this.journey.chunks[back ? "back" : "there"]) {
      if (k < count) {
        const depot = depots.get(chunk);
        return depot && { width: depot.width, height: depot.height, bytes: depot.frame(k) };
      }
      k -= count;
    }
    return null;
  }

  /** Show a stop; returns what is said of it. */
  draw(stop) {
    const { words, journey } = this;
    const there = journey.there.t.length;
    this.onBack = stop >= there;
    const way = this.onBack ? journey.back : journey.there;
    const k = this.onBack ? stop - there : stop;
    const picture = this.find(".picture");
    paint(picture, this.frame(stop));
    paint(this.find(".thumb-x0"), this.frame(0));
    picture.dataset.stop = stop;

    // null stands for an infinite snr, and for a `measured` that is not there.
    const numbers = {
      t: way.t[k] && way.t[k] < 0.1 ? short(way.t[k]) : way.t[k].toFixed(3),
      sigma: short(way.sigma[k]),
      snr: short(way.snr[k]),
      measured: way.measured[k] === null ? "–" : short(way.measured[k]),
    };
    const where = (this.onBack ? words.where_back : words.where_there)
      .replace("{step}", way.step[k])
      .replace("{total}", way.total);
    this.find(".where").textContent = where;
    for (const [name, text] of Object.entries(numbers)) this.find(`[data-n=${name}]`).textContent = text;
    this.find(".n-measured").innerHTML = lowered(this.onBack ? words.measured_back : words.measured_there);
    const named = this.title ? `${this.title}: ${where}` : where;
    picture.setAttribute("aria-label", `${words.picture}: ${named}`);
    return `${named}, t ${numbers.t}, ${words.sigma} ${numbers.sigma}`;
  }
}

function paint(canvas, frame) {
  if (!frame || !frame.bytes) return;
  if (canvas.width !== frame.width || canvas.height !== frame.height) {
    canvas.width = frame.width;
    canvas.height = frame.height;
  }
  const context = canvas.getContext("2d");
  const image = context.createImageData(frame.width, frame.height);
  for (let i = 0, j = 0; i < frame.bytes.length; i += 3, j += 4) {
    image.data[j] = frame.bytes[i];
    image.data[j + 1] = frame.bytes[i + 1];
    image.data[j + 2] = frame.bytes[i + 2];
    image.data[j + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/** x_t with a lowered t; the words are the app's own, never a person's. */
function lowered(text) {
  return text.replace(/_(\w)/g, "<sub>$1</sub>");
}

function short(value) {
  if (value === null) return "∞";
  const size = Math.abs(value);
  if (size < 1e-12) return "0"; // rounding alone
  const rounded = Number(value.toPrecision(3));
  if (size >= 1e6 || size < 1e-4) {
    const [mantissa, power] = rounded.toExponential().replace("+", "").split("e");
    return `${mantissa}·10${[...power].map((sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]).join("")}`;
  }
  return Math.abs(rounded) >= 1000 ? Math.round(value).toLocaleString("en") : String(rounded);
}
