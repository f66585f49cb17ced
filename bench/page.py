"""How the page feels, in a real browser: ``python -m bench.page``.

Frames a second while the thumb is dragged, the time from the start command to a page that can be
used, from letting go to plots that have followed, and what a journey sends. The pointer moves
inside the page at every animation frame, so that neither the server nor the program that steers
the browser is part of what is timed.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from bench.machine import description, share
from diffusion import available
from tests.browser import App, chromium, new_page, server

#: A run of frames on its way to the browser names itself in its header.
FRAMES = re.compile(rb'"chunk": "there-\d+-\w+-\d+", "count": (\d+), "height"')

# Sweeps there and back over the way there, one pointer position an animation frame.
SWEEP = """(line, { frames, rounds }) => new Promise(done => {
    const box = line.getBoundingClientRect();
    const canvas = line.getRootNode().querySelector('canvas.picture');
    const stops = [], times = [], busy = [];
    let count = 0;
    const step = now => {
        times.push(now);
        if (count > frames) return done({ stops, times, busy });
        const phase = (count++ / frames) * rounds % 1;
        const place = 0.5 * (phase < 0.5 ? 2 * phase : 2 - 2 * phase);
        const began = performance.now();
        line.dispatchEvent(new PointerEvent('pointermove', {
            pointerId: 1, pointerType: 'mouse', isPrimary: true, bubbles: true, composed: true, buttons: 1,
            clientX: box.left + place * box.width, clientY: box.top + box.height / 2,
        }));
        busy.push(performance.now() - began);
        stops.push(Number(canvas.dataset.stop));
        requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
})"""

# Milliseconds from the next pointerup to the frame in which both plots show something else.
WATCH = """() => {
    const seen = () => JSON.stringify(['variance', 'histogram'].map(name => {
        const plot = document.querySelector(`.st-key-plot-${name} .js-plotly-plot`);
        const trace = plot?._fullData?.at(name === 'variance' ? -1 : 0);
        return trace ? [...(name === 'variance' ? trace.x : trace.y)] : null;
    }));
    const before = JSON.parse(seen());
    window.followed = new Promise(done => {
        window.addEventListener('pointerup', () => {
            const released = performance.now();
            const look = () => {
                const now = JSON.parse(seen());
                const fresh = now.every((v, k) => v && JSON.stringify(v) !== JSON.stringify(before[k]));
                fresh ? done(performance.now() - released) : requestAnimationFrame(look);
            };
            look();
        }, { capture: true, once: true });
    });
}"""


@dataclass(frozen=True)
class Dragged:
    """One drag: milliseconds between frames, milliseconds of drawing, stops drawn, messages meanwhile."""

    between: tuple[float, ...]
    drawing: tuple[float, ...]
    distinct: int
    messages: int

    @property
    def rate(self) -> float:
        """Frames a second."""
        return 1000 * len(self.between) / sum(self.between)


@dataclass(frozen=True)
class Journey:
    """What one network's journey costs."""

    model: str
    side: int
    stops: int
    payload: int
    drag: Dragged
    releases: tuple[float, ...]


def start(browser: Browser, log: Path) -> float:
    """Seconds from the command to a picture that can be dragged, in a browser that is open already."""
    began = time.perf_counter()
    with server(log) as address:
        app = new_page(browser.new_context(), address)
        app.page.goto(address)
        app.until(app.usable, "the page is not usable", 300)
        seconds = time.perf_counter() - began
        app.page.context.close()
    return seconds


def drag(app: App, frames: int = 240, rounds: int = 1) -> Dragged:
    """Sweep the thumb over the way there, a new position every animation frame."""
    app.timeline.scroll_into_view_if_needed()
    app.settle()
    app.page.mouse.move(*app.at(0, app.last))
    app.page.mouse.down()
    before = app.traffic.count()
    seen: dict[str, Any] = app.timeline.evaluate(SWEEP, {"frames": frames, "rounds": rounds})
    app.page.wait_for_timeout(200)
    messages = sum(app.traffic.count()) - sum(before)
    app.page.mouse.up()
    app.settle()
    times = seen["times"]
    between = tuple(after - at for at, after in pairwise(times))
    return Dragged(between, tuple(seen["busy"]), len(set(seen["stops"])), messages)


def release(app: App, stop: int) -> float:
    """Milliseconds from letting go at a stop to plots that have followed."""
    app.page.mouse.move(*app.at(stop, app.last))
    app.page.mouse.down()
    app.page.evaluate(WATCH)
    app.page.mouse.up()
    taken: float = app.page.evaluate("window.followed")
    app.settle()
    return taken


def journey(browser: Browser, address: str, model: str, releases: int) -> Journey:
    """Open one network's journey and drag it."""
    app = new_page(browser.new_context(), address).open(model)
    frames = [(int(m[1]), len(data)) for data in app.traffic.received for m in FRAMES.finditer(data)]
    stops, payload = frames[-1]  # of the network chosen last
    side = app.pixels().shape[0]
    dragged = drag(app)
    last = app.last
    release(app, last // 2)  # the first one also warms up
    # Far from each other, and never twice the same.
    taken = tuple(release(app, 1 + (k * (last // 2 + 3)) % (last - 1)) for k in range(1, releases + 1))
    app.page.context.close()
    return Journey(model, side, stops, payload, dragged, taken)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.page", description=__doc__)
    parser.add_argument("--starts", type=int, default=3, help="how often the app is started")
    parser.add_argument("--releases", type=int, default=15, help="how often the thumb is let go")
    parser.add_argument("--models", nargs="*", default=available(), help="whose journeys to drag")
    options = parser.parse_args()
    print(f"the page in Chromium, headless, drawn by the processor | {description()}\n", flush=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        log = Path(folder) / "log"
        starts = [start(browser, log) for _ in range(options.starts)]
        with server(log) as address:
            rows = [journey(browser, address, model, options.releases) for model in options.models]

    print("| from the command to a usable page | |")
    print("|---|---|")
    print(f"| first start | {starts[0]:.1f} s |")
    print(f"| median of {len(starts)} | {statistics.median(starts):.1f} s |\n")
    print(
        "| journey | stops | frames sent, once | frames/s under the thumb | between frames, median (p95) "
        "| drawing, median (p95) | stops drawn | messages | release to plots, median (p95) |"
    )
    print("|" + "---|" * 9)
    for row in rows:
        drawn = row.drag
        print(
            f"| {row.model}, {row.side}×{row.side} | {row.stops} | {row.payload / 1e6:.2f} MB "
            f"| {drawn.rate:.0f} "
            f"| {statistics.median(drawn.between):.1f} ({share(drawn.between, 0.95):.1f}) ms "
            f"| {statistics.median(drawn.drawing):.2f} ({share(drawn.drawing, 0.95):.2f}) ms "
            f"| {drawn.distinct} | {drawn.messages} "
            f"| {statistics.median(row.releases):.0f} ({share(row.releases, 0.95):.0f}) ms |"
        )


if __name__ == "__main__":
    main()
