"""The app in a real browser: a server, Chromium, and a hand on the stage. Also used by the bench."""

import base64
import contextlib
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    WebSocket,
    sync_playwright,
)
from playwright.sync_api import Error as PlaywrightError
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.visitor import served

ROOT = Path(__file__).resolve().parents[1]
#: The same names as in tools/find_browser.sh.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: Nothing but this machine can be reached, whoever asks.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
#: Seconds to wait for anything: a busy machine is slow, and a test that passes does not wait.
PATIENCE = 60.0


def _runs(program: str) -> bool:
    """Whether it is a browser; some are there only to say that they are not."""
    return subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser that is installed, else Playwright's own."""
    found = next(filter(_runs, filter(None, map(shutil.which, NAMES))), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        except PlaywrightError as error:
            raise RuntimeError(
                "No Chromium can be started; `make test` installs one (tools/find_browser.sh does it)."
            ) from error
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def server(log: Path, prelude: str = "") -> Iterator[str]:
    """The app on a free port of its own; yields its address once it answers. See :func:`served`."""
    options = ("--server.address", "127.0.0.1", "--server.headless", "true")
    with served(log, *options, prelude=prelude, env={"OMP_NUM_THREADS": "1"}) as (address, _process):
        yield address


@dataclass
class Traffic:
    """What a page sent, received, asked for and complained about."""

    sent: list[bytes] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    owed: bool = False  #: whether the server has yet to end a script that was asked for

    def watch(self, page: Page) -> None:
        page.on("websocket", self._socket)
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        page.on("console", self._said)

    def _said(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.complaints.append(f"console: {said.text}")

    def _socket(self, socket: WebSocket) -> None:
        self.asked.append(socket.url)
        socket.on("framesent", self._sent)
        socket.on("framereceived", self._received)

    def _sent(self, data: str | bytes) -> None:
        self.sent.append(_bytes(data))
        if BackMsg.FromString(self.sent[-1]).WhichOneof("type") == "rerun_script":
            self.owed = True

    def _received(self, data: str | bytes) -> None:
        self.received.append(_bytes(data))
        if len(self.received[-1]) < 1000:  # else it is no such message
            message = ForwardMsg.FromString(self.received[-1])
            if message.WhichOneof("type") == "script_finished":
                self.owed = message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN

    def count(self) -> tuple[int, int]:
        return len(self.sent), len(self.received)

    def strangers(self, address: str) -> list[str]:
        """Everything asked for elsewhere than at `address`; data and blob URLs leave no machine."""
        home = urlsplit(address).netloc
        parts = [(url, urlsplit(url)) for url in self.asked]
        return [url for url, part in parts if part.scheme not in ("data", "blob") and part.netloc != home]


def _bytes(data: str | bytes) -> bytes:
    return data.encode() if isinstance(data, str) else data


PIXELS = """canvas => {
    const { width, height } = canvas;
    if (!width || !height) return null;
    const data = canvas.getContext('2d').getImageData(0, 0, width, height).data;
    let text = '';
    for (let i = 0; i < data.length; i += 4) text += String.fromCharCode(data[i], data[i + 1], data[i + 2]);
    return { width, height, stop: Number(canvas.dataset.stop), text: btoa(text) };
}"""


@dataclass(frozen=True)
class Drawn:
    """What the stage shows: the stop it names, and its pixels, (H, W, 3)."""

    stop: int
    pixels: np.ndarray


class App:
    """One page of the app and what a person can do with it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.traffic = Traffic()
        self.traffic.watch(page)
        page.set_default_timeout(1000 * PATIENCE)
        self.picture = page.locator("canvas.picture")
        self.timeline = page.locator(".timeline")

    def open(self, model: str = "digits") -> "App":
        """Go there, and wait until the journey with this network stands."""
        self.page.goto(self.address)
        self.until(self.usable, "the page is not usable")
        self.settle()
        names = self.page.locator(".st-key-model label", has_text=re.compile(model, re.IGNORECASE))
        if names.count() and not names.first.locator("input").is_checked():
            closed = self.page.locator("[data-testid=stSidebar][data-collapsed=true]").count() > 0
            self.beside()
            names.first.click()
            self.settle()
            self.beside(not closed)
        return self

    def usable(self) -> bool:
        """A picture is drawn, and the way there can be dragged."""
        return bool(self.picture.count() and self.pixels().std() > 0 and self.last > 0)

    def until(self, holds: Callable[[], Any], otherwise: str, seconds: float = PATIENCE) -> Any:
        """Look again and again until something is so; what it returned then."""
        end = time.monotonic() + seconds
        while True:
            try:
                if got := holds():
                    return got
            except PlaywrightError as error:  # taken away while it was looked at
                if time.monotonic() > end:
                    raise AssertionError(otherwise) from error
            if time.monotonic() > end:
                raise AssertionError(otherwise)
            self.page.wait_for_timeout(40)

    def settle(self) -> None:
        """Wait until the server has done what it was asked for, and nobody has said anything since."""
        state = self.page.locator("[data-testid=stApp]")
        quiet: list[tuple[int, int]] = []

        def still() -> bool:
            if self.traffic.owed or state.get_attribute("data-test-script-state") != "notRunning":
                quiet.clear()
                return False
            quiet.append(self.traffic.count())
            return len(quiet) > 6 and len(set(quiet[-6:])) == 1

        try:
            self.until(still, "")
        except AssertionError as error:
            told = f"owed {self.traffic.owed}, script {state.get_attribute('data-test-script-state')}"
            raise AssertionError(f"the page does not come to rest: {told}, {self.traffic.count()}") from error

    def beside(self, open_: bool = True) -> None:
        """Open the sidebar where a narrow window has it closed, or close it."""
        bar = self.page.locator("[data-testid=stSidebar]")

        def stands() -> bool:
            return (bar.get_attribute("data-collapsed") != "true") == open_

        if not stands():
            name = "stExpandSidebarButton" if open_ else "stSidebarCollapseButton"
            self.page.locator(f"button[data-testid={name}], [data-testid={name}] button").click()
            self.until(stands, "the sidebar does not move")

    # --- what is seen ---------------------------------------------------------------------------

    def drawn(self, picture: Locator | None = None) -> Drawn:
        """What a canvas of the stage shows, its only one if not given."""
        seen = (picture or self.picture).evaluate(PIXELS)
        pixels = np.frombuffer(base64.b64decode(seen["text"]), np.uint8)
        return Drawn(seen["stop"], pixels.reshape(seen["height"], seen["width"], 3))

    def pixels(self) -> np.ndarray:
        return self.drawn().pixels

    @property
    def stop(self) -> int:
        """Where the thumb stands, as the page tells a screen reader."""
        return int(self.timeline.get_attribute("aria-valuenow") or -1)

    @property
    def last(self) -> int:
        return int(self.timeline.get_attribute("aria-valuemax") or -1)

    def numbers(self) -> dict[str, float]:
        """What stands beside the picture, read as numbers."""
        names = ("t", "sigma", "snr", "measured")
        return {name: number(self.page.locator(f"[data-n={name}]").inner_text()) for name in names}

    def figure(self, name: str) -> list[dict[str, Any]]:
        """The x and y of every trace of a plot, as the page holds them."""
        plot = self.page.locator(f".st-key-plot-{name} .js-plotly-plot")
        return plot.evaluate("p => p._fullData.map(d => ({x: [...(d.x ?? [])], y: [...(d.y ?? [])]}))")

    # --- what is done ---------------------------------------------------------------------------

    def visit(self, title: str) -> "App":
        """Go to another page by its link."""
        self.page.get_by_role("link", name=title, exact=False).first.click()
        self.settle()
        return self

    def at(self, stop: int, last: int = 100) -> tuple[float, float]:
        """Where on the page a stop of the way there lies."""
        box = self.timeline.bounding_box()
        assert box is not None
        return box["x"] + box["width"] * 0.5 * stop / last, box["y"] + 0.6 * box["height"]

    def put(self, stop: int, last: int = 100) -> None:
        """Click on a stop of the way there, and let the server follow."""
        self.timeline.scroll_into_view_if_needed()
        self.page.mouse.click(*self.at(stop, last))
        assert self.stop == stop
        self.settle()

    def button(self, key: str) -> Locator:
        return self.page.locator(f".st-key-{key} button")

    def type(self, key: str, value: object) -> None:
        """Fill in a number field of the sidebar."""
        self.beside()
        entry = self.page.locator(f".st-key-{key} input")
        entry.fill(str(value))
        entry.press("Enter")
        self.settle()

    def choose(self, key: str, label: str) -> None:
        """Pick an option of a select box by its label."""
        self.beside()
        self.page.locator(f".st-key-{key} input").click()
        self.page.get_by_role("option", name=label, exact=True).click()
        self.settle()

    def walk(self) -> None:
        """Start a way back (or go on) and wait for its end."""
        self.button("walk").click()
        self.walked()

    def walked(self) -> None:
        """Wait until no way back is under way."""

        def ended() -> bool:
            self.settle()  # between two looks at the way back it is quiet as well: only its buttons tell
            return not self.button("stop").count() and self.button("clear").is_enabled()

        self.until(ended, "the way back does not end", 3 * PATIENCE)

    def upload(self, name: str, kind: str, data: bytes) -> None:
        self.beside()
        box = self.page.locator("[class*=st-key-upload-] input[type=file]")
        box.set_input_files([{"name": name, "mimeType": kind, "buffer": data}])


def number(text: str) -> float:
    """A number as the stage writes it: 1.2·10⁻⁴, 6,412, ∞, or a dash where there is none."""
    text = text.strip().replace("−", "-").replace(",", "")
    if text in ("–", "—"):
        return float("nan")
    if "∞" in text:
        return float("inf")
    mantissa, _, power = text.partition("·10")
    return float(mantissa) * 10.0 ** int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0)


def new_page(context: BrowserContext, address: str, size: Sequence[int] = (1440, 900)) -> App:
    page = context.new_page()
    page.set_viewport_size({"width": size[0], "height": size[1]})
    return App(page, address)
