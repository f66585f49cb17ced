// Keys for the whole page. data = {keys: [{key, sign, does, text}], projector, labels}
// `does` is "stage X": the stage does X; "button X": the button of that key is pressed; "leave X": the
// same, while the projector is on; "list": the list opens.

const OFF = "there-and-back-keys-off";
const TYPING = "input:not([type=checkbox]), textarea, select, [contenteditable=true], dialog, [role=dialog], [role=grid]";
const MOVING = "[role=tab], [role=radio], [role=radiogroup], [role=slider], [role=listbox], [role=application]"; // these take arrows
const PRESSED = "button, a, summary, label, input, [role=button], [role=tab], [role=radio]"; // and these the space bar

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".keys");
  const find = (name) => root.querySelector(name);
  const { labels } = data;
  root.data = data;
  find("h2").textContent = find(".open").title = labels.title;
  find(".open").setAttribute("aria-label", labels.title);
  find(".note").textContent = labels.note;
  find("label span").textContent = labels.on;
  find(".close").textContent = labels.close;
  find("tbody").replaceChildren(...data.keys.map(row));
  find(".open").onclick = () => list(root);
  find(".close").onclick = () => find("dialog").close();
  find("input").onchange = (event) => keep(OFF, event.target.checked ? "" : "1");

  if (!root.heed) {
    root.heed = (event) => heed(root, event);
    window.addEventListener("keydown", root.heed);
  }
  // Streamlit may clean up after an earlier run when a later one has begun: only the last may close.
  const run = (root.run = {});
  return () => {
    if (root.run !== run) return;
    window.removeEventListener("keydown", root.heed);
    root.heed = null;
  };
}

// A browser may keep its storage shut: then nothing is remembered.
function kept(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // as if it had not been said
  }
}

function row({ sign, text }) {
  const line = document.createElement("tr");
  const [head, cell] = ["th", "td"].map((name) => line.appendChild(document.createElement(name)));
  head.scope = "row";
  head.appendChild(document.createElement("kbd")).textContent = sign;
  cell.textContent = text;
  return line;
}

function list(root) {
  root.querySelector("input").checked = !kept(OFF);
  root.querySelector("dialog").showModal();
}

function stage(name) {
  window.dispatchEvent(new CustomEvent("there-and-back-do", { detail: name }));
}

function heed(root, event) {
  const found = root.data.keys.find(({ key }) => key === event.key);
  if (!found || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (kept(OFF) && event.key !== "Escape") return;
  const inside = (selector) => event.composedPath().some((part) => part.matches?.(selector));
  if (inside(TYPING)) return;
  if (/^(Arrow|Home|End)/.test(event.key) && inside(MOVING)) return;
  if (event.key === " " && inside(PRESSED)) return;

  const [what, name] = found.does.split(" ");
  if (what === "list") {
    if (!root.getClientRects().length) return; // a list nobody sees would hold the page fast
    list(root);
  } else if (what === "stage") {
    if (!event.repeat || name !== "play") stage(name);
  } else {
    const button = document.querySelector(`.st-key-${name} button:not([disabled])`);
    if (!button || event.repeat || (what === "leave" && !root.data.projector)) return;
    stage("rest"); // what the button does is to begin where the thumb stands
    button.click();
  }
  event.preventDefault();
}
