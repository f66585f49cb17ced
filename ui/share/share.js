// Copy link. data = {labels, lock: names to add to the link, or ""}

const SHOWN = 4000; // ms that "Copied" stands

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".share");
  const find = (name) => root.querySelector(name);
  const labels = (root.labels = data.labels);
  const rest = () => {
    root.classList.remove("copied");
    find("span").textContent = root.labels.copy;
  };
  if (!root.classList.contains("copied")) rest();
  find("button").title = labels.holds;
  find("input").setAttribute("aria-label", labels.link);

  find("button").onclick = async () => {
    const link = settled().then(() => address(data.lock));
    const by_hand = !window.isSecureContext ? labels.insecure : await refused(link);
    const written = await link;
    clearTimeout(root.later);
    rest();
    find("input").hidden = !by_hand;
    find(".said").textContent = by_hand || `${labels.copied}. ${labels.holds}`;
    if (by_hand) {
      find("input").value = written;
      find("input").select();
    } else {
      root.classList.add("copied");
      find("span").textContent = labels.copied;
      root.later = setTimeout(() => {
        rest();
        find(".said").textContent = "";
      }, SHOWN);
    }
  };

  async function refused(link) {
    try {
      // Safari heeds a click for a second, so it is told at once, and what to write when that is known.
      const text = link.then((found) => new Blob([found], { type: "text/plain" }));
      if (window.ClipboardItem) await navigator.clipboard.write([new ClipboardItem({ "text/plain": text })]);
      else await navigator.clipboard.writeText(await link);
      return "";
    } catch {
      return labels.refused;
    }
  }
}

function address(lock) {
  const link = new URL(window.location.href);
  if (lock) link.searchParams.set("lock", lock);
  return link.href.replaceAll("%2C", ",");
}

/** The thumb may have been let go by this very click: let the server write it into the address first. */
async function settled() {
  const app = document.querySelector("[data-testid=stApp]");
  for (let k = 0; k < 40 && (k < 2 || app?.dataset.testScriptState === "running"); k++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
