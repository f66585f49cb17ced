// Endings side by side, each a button that opens it large beside the upload. data = {
//   tiles: [{at: [chunk, k], name, note, spoken, waiting}]   where each picture lies in the depots, its texts
//   endings: int      so many of them are endings; the rest is what they have together, the upload first
//   words: {endings, together, before, after, close}
// }
// One tile is in the tab order; the arrow keys go on from there.

const depots = (window.thereAndBackDepots ??= new Map());
const fans = new WeakMap();

export default function ({ data, parentElement }) {
  let fan = fans.get(parentElement);
  if (!fan) {
    fan = new Fan(parentElement.querySelector(".fan"));
    fans.set(parentElement, fan);
  }
  fan.update(data);
  // Streamlit may clean up after an earlier run when a later one has begun: only the last may close.
  const run = (fan.run = {});
  return () => {
    if (fan.run !== run) return;
    fan.close();
    fans.delete(parentElement);
  };
}

class Fan {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.dialog = this.find("dialog");
    this.buttons = [];
    this.at = 0;
    this.redraw = () => this.draw();
    window.addEventListener("there-and-back-frames", this.redraw);
    root.addEventListener("keydown", (event) => this.keydown(event));
    const actions = { before: () => this.show(this.at - 1), after: () => this.show(this.at + 1), close: () => this.dialog.close() };
    for (const [what, act] of Object.entries(actions)) this.find(`[data-do=${what}]`).addEventListener("click", act);
    this.dialog.addEventListener("click", (event) => {
      const { left, right, top, bottom } = this.dialog.getBoundingClientRect();
      const { clientX: x, clientY: y } = event;
      if (event.target === this.dialog && (x < left || x > right || y < top || y > bottom)) this.dialog.close();
    });
    this.dialog.addEventListener("close", () => this.buttons[this.shown]?.focus());
  }

  close() {
    window.removeEventListener("there-and-back-frames", this.redraw);
  }

  update(data) {
    this.data = data;
    const { words, tiles, endings } = data;
    const lists = { endings: this.find(".endings"), together: this.find(".together") };
    for (const [name, list] of Object.entries(lists)) list.setAttribute("aria-label", words[name]);
    this.dialog.setAttribute("aria-label", words.endings);
    lists.endings.style.setProperty("--columns", Math.ceil(Math.sqrt(endings)));
    if (lists.endings.childElementCount !== endings || this.buttons.length !== tiles.length) {
      for (const list of Object.values(lists)) list.replaceChildren();
      this.buttons = tiles.map((_, k) => this.tile(k < endings ? lists.endings : lists.together, k));
    }
    for (const what of ["before", "after", "close"]) {
      const button = this.find(`[data-do=${what}]`);
      button.title = words[what];
      button.setAttribute("aria-label", words[what]);
    }
    this.draw();
  }

  tile(list, k) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(document.createElement("canvas"));
    button.insertAdjacentHTML("beforeend", '<span class="caption" aria-hidden="true"><span></span><b></b></span>');
    button.addEventListener("click", () => this.show(k));
    button.addEventListener("focus", () => this.stand(k));
    const item = document.createElement("li");
    item.append(button);
    list.append(item);
    return button;
  }

  stand(k) {
    this.at = k;
    this.buttons.forEach((button, other) => (button.tabIndex = other === k ? 0 : -1));
  }

  draw() {
    if (!this.data) return;
    this.at = Math.min(this.at, this.buttons.length - 1);
    this.data.tiles.forEach(({ at, name, note, spoken, waiting }, k) => {
      const button = this.buttons[k];
      const came = button.className === "waiting" && !waiting;
      button.className = waiting ? "waiting" : came || button.className === "there" ? "there" : "stands";
      button.setAttribute("aria-label", spoken);
      const [title, number] = button.querySelectorAll(".caption > *");
      title.innerHTML = lowered(name);
      number.textContent = note;
      paint(button.firstChild, at);
    });
    this.stand(this.at);
    if (this.dialog.open) this.enlarge();
  }

  show(k) {
    this.at = this.shown = (k + this.buttons.length) % this.buttons.length;
    this.enlarge();
    if (!this.dialog.open) this.dialog.showModal();
  }

  enlarge() {
    const shown = [this.data.tiles[this.data.endings], this.data.tiles[this.at]];
    this.root.querySelectorAll("figure").forEach((figure, side) => {
      paint(figure.firstChild, shown[side].at);
      figure.firstChild.setAttribute("aria-label", shown[side].spoken);
      const text = lowered(shown[side].spoken);
      if (figure.lastChild.dataset.text === text) return; // said aloud only when it is new
      figure.lastChild.dataset.text = text;
      figure.lastChild.innerHTML = text;
    });
  }

  keydown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const columns = Math.ceil(Math.sqrt(this.data.endings));
    const moves = { ArrowRight: 1, ArrowLeft: -1 };
    if (!this.dialog.open) Object.assign(moves, { ArrowDown: columns, ArrowUp: -columns }); // else they scroll
    if (!(event.key in moves)) return;
    event.preventDefault();
    event.stopPropagation();
    const to = this.at + moves[event.key];
    if (this.dialog.open) this.show(to);
    else this.buttons[Math.min(Math.max(to, 0), this.buttons.length - 1)].focus();
  }
}

/** Draw frame k of a depot, unless it stands there already or has not come yet. */
function paint(canvas, [chunk, k]) {
  const depot = depots.get(chunk);
  const bytes = depot?.frame(k);
  const name = `${chunk} ${k}`;
  if (!bytes || canvas.dataset.frame === name) return;
  canvas.dataset.frame = name;
  canvas.width = depot.width;
  canvas.height = depot.height;
  const image = new ImageData(depot.width, depot.height);
  for (let i = 0, j = 0; i < image.data.length; i += 4, j += 3) {
    image.data.set(bytes.subarray(j, j + 3), i);
    image.data[i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** x_t with a lowered t; the words are the app's own, never a person's. */
function lowered(text) {
  return text.replace(/([xσ]̂?)_(\w)/g, "$1<sub>$2</sub>");
}
