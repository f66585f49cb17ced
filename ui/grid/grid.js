// A grid of pictures, each a button. One of them is in the tab order; the arrow keys go on from there.
//
// data:
//   chunks: [{chunk, count}]   names of the depots that hold the pictures, in order
//   number, chosen             which gallery this is, and which picture of it is chosen
//   details                    the key of the container that tells of the chosen picture
//   words: {grid, names, coming}

const depots = (window.thereAndBackDepots ??= new Map());
const grids = new WeakMap();
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

export default function ({ data, parentElement, setStateValue }) {
  let grid = grids.get(parentElement);
  if (!grid) {
    grid = new Grid(parentElement.querySelector(".grid"));
    grids.set(parentElement, grid);
  }
  grid.update(data, setStateValue);
  // Streamlit may clean up after an earlier run when a later one has begun: only the last may close.
  const run = (grid.run = {});
  return () => {
    if (grid.run !== run) return;
    grid.close();
    grids.delete(parentElement);
  };
}

class Grid {
  constructor(root) {
    this.root = root;
    this.number = null;
    this.buttons = [];
    this.redraw = () => this.draw();
    window.addEventListener("there-and-back-frames", this.redraw);
    root.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) this.choose(this.buttons.indexOf(button));
    });
    root.addEventListener("keydown", (event) => this.keydown(event));
  }

  close() {
    window.removeEventListener("there-and-back-frames", this.redraw);
  }

  update(data, setStateValue) {
    this.data = data;
    this.setStateValue = setStateValue;
    this.root.setAttribute("aria-label", data.words.grid);
    if (data.number !== this.number || data.words.names.length !== this.buttons.length) {
      this.number = data.number;
      this.chosen = data.chosen;
      this.asked = false;
      this.place();
    }
    this.draw();
    if (this.asked && data.chosen === this.chosen) {
      this.asked = false;
      this.showDetails();
    }
  }

  // On a phone they stand below the grid, where nobody would look for them.
  showDetails() {
    const details = document.querySelector(`.st-key-${this.data.details}`);
    if (!details || details.getBoundingClientRect().top < this.root.getBoundingClientRect().bottom) return;
    details.style.scrollMarginTop = "72px"; // the page's header
    const show = () => details.scrollIntoView({ block: "start", behavior: calm.matches ? "auto" : "smooth" });
    const growing = new ResizeObserver(show); // what they tell arrives a little later
    growing.observe(details);
    setTimeout(() => growing.disconnect(), 600);
  }

  // As many empty places as there are to be pictures.
  place() {
    this.root.replaceChildren();
    this.buttons = this.data.words.names.map(() => {
      const button = document.createElement("button");
      button.type = "button";
      button.disabled = true;
      button.append(document.createElement("canvas"));
      const place = document.createElement("li");
      place.append(button);
      this.root.append(place);
      return button;
    });
    this.at = this.chosen ?? 0;
  }

  // The chunk that holds picture k, and its place in it.
  find(k) {
    for (const { chunk, count } of this.data.chunks) {
      if (k < count) return [depots.get(chunk), k];
      k -= count;
    }
    return [undefined, 0];
  }

  draw() {
    const { names, coming } = this.data.words;
    let ready = 0;
    this.buttons.forEach((button, k) => {
      const [depot, inside] = this.find(k);
      const bytes = depot?.frame(inside);
      if (bytes && button.disabled) {
        paint(button.firstChild, depot, bytes);
        button.disabled = false;
      }
      if (!button.disabled) ready += 1;
      button.setAttribute("aria-label", button.disabled ? `${names[k]}, ${coming}` : names[k]);
      button.title = button.disabled ? "" : names[k];
      button.setAttribute("aria-pressed", String(k === this.chosen));
      button.tabIndex = k === this.at ? 0 : -1;
    });
    this.buttons.forEach((button, k) => button.parentNode.classList.toggle("next", k >= ready && k < ready + 4));
  }

  choose(k) {
    if (k < 0 || this.buttons[k].disabled) return;
    this.chosen = this.at = k;
    this.draw();
    if (!this.asked && k === this.data.chosen) return this.showDetails(); // they stand there already
    this.asked = true;
    this.setStateValue("chosen", { number: this.number, index: k });
  }

  keydown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const columns = getComputedStyle(this.root).gridTemplateColumns.split(" ").length;
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
    const ready = this.buttons.filter((button) => !button.disabled).length;
    let to = this.at + (moves[event.key] ?? 0);
    if (event.key === "Home") to = 0;
    else if (event.key === "End") to = ready - 1;
    else if (!(event.key in moves)) return;
    event.preventDefault();
    if (to < 0 || to >= ready) return;
    this.at = to;
    this.draw();
    this.buttons[to].focus();
  }
}

function paint(canvas, { width, height }, bytes) {
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height);
  for (let i = 0, j = 0; i < image.data.length; i += 4, j += 3) {
    image.data[i] = bytes[j];
    image.data[i + 1] = bytes[j + 1];
    image.data[i + 2] = bytes[j + 2];
    image.data[i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}
