"""The README's pictures: starts the app, walks there and back in a real browser, writes docs/.

Run it as ``make pictures``. It names parts of the page, never places on it, so it keeps up with the
layout; the hand on the page is the browser tests' own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Locator

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser import App, chromium, new_page, server  # noqa: E402
from ui import words  # noqa: E402

SCHEMES = ("light", "dark")
DESK = (1440, 900)
PHONE = (390, 844)
#: A file may take up this much of the repository.
MOST_STILL = 250_000
MOST_MOVING = 1_500_000

#: Where on the line the thumb stands in a screenshot: noise is there, and the picture still to be seen.
GLIMPSE = 0.03
#: The film: places of the thumb on the line, milliseconds at each, and where it pauses.
PLACES = 64
TICK = 90
HOLD = 1300
FILM_WIDTH = 640


def main() -> None:
    """Write every picture of the README."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="folder to write to")
    parser.add_argument("--model", default="dogs", help="network that walks back")
    parser.add_argument("--only", choices=("stills", "film"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as logs,
        server(Path(logs) / "app.log") as address,
        chromium() as browser,
    ):
        if options.only != "film":
            for scheme in SCHEMES:
                stills(browser, address, scheme, options.model, options.out)
        if options.only != "stills":
            film(browser, address, options.model, options.out / "journey.webp")


@contextmanager
def opened(
    browser: Browser, address: str, scheme: str = "light", size: tuple[int, int] = DESK
) -> Iterator[App]:
    """The app in a window of its own, in one colour scheme and size."""
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light",
        device_scale_factor=2 if size == PHONE else 1,
        has_touch=size == PHONE,
        reduced_motion="reduce",
    )
    yield new_page(context, address, size)
    context.close()


def there_and_back(app: App, model: str, preset: str | None = None) -> None:
    """To the end of the way there, and all the way back."""
    app.open(model)
    if preset is not None:
        app.beside()
        app.page.locator(".st-key-preset button").filter(has_text=words.PRESETS[preset]).click()
        app.settle()
    app.put(app.last, app.last)
    app.walk()


# --- screenshots ---------------------------------------------------------------------------------


def stills(browser: Browser, address: str, scheme: str, model: str, out: Path) -> None:
    """The screenshots of one colour scheme."""
    with opened(browser, address, scheme) as app:
        there_and_back(app, model)
        _point(app, GLIMPSE)
        _to_top(app)
        write(app.page.screenshot(), out / f"journey-{scheme}.png")
        _point(app, 0.65)
        _hide_header(app)
        apart = app.page.locator(".dissect")
        apart.scroll_into_view_if_needed()
        app.settle()
        write(apart.screenshot(), out / f"apart-{scheme}.png")

    with opened(browser, address, scheme) as app:
        app.open(model)
        app.page.get_by_role("link", name="Networks").first.click()
        app.page.wait_for_selector(".js-plotly-plot .main-svg")
        app.settle()
        write(app.page.screenshot(), out / f"networks-{scheme}.png")

    with opened(browser, address, scheme, PHONE) as app:
        app.page.goto(address)
        app.until(app.usable, "the page is not usable")
        app.settle()
        _point(app, GLIMPSE)
        _to_top(app)
        write(app.page.screenshot(), out / f"phone-{scheme}.png")


def write(shot: bytes, path: Path) -> None:
    """Write a screenshot as a PNG of at most 256 colours, fewer if it would be too large.

    Raises
    ------
    RuntimeError
        If it cannot be made small enough.
    """
    image = _decoded(shot)
    for colours in (256, 128, 64):
        few = image.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        few.save(path, optimize=True)
        if path.stat().st_size <= MOST_STILL:
            print(f"{path.name}: {image.width}x{image.height}, {path.stat().st_size / 1000:.0f} kB")
            return
    raise RuntimeError(f"{path.name} is larger than {MOST_STILL} bytes even with 64 colours")


# --- the film ------------------------------------------------------------------------------------


def film(browser: Browser, address: str, model: str, path: Path) -> None:
    """The stage while the thumb is dragged from one end of the line to the other.

    Raises
    ------
    RuntimeError
        If the file is too large.
    """
    with opened(browser, address) as app:
        there_and_back(app, model, "gentle")
        _hide_header(app)
        # A narrow stage, as the README's column shows it.
        app.page.add_style_tag(content=f".st-key-stage {{ max-width: {FILM_WIDTH}px; }}")
        app.page.locator(".stage").scroll_into_view_if_needed()
        app.settle()
        frames, durations = _dragged(app)
    # Lossless if it fits: squares of one colour pack well, and noise does not take to being smoothed.
    for lossless, quality in ((True, 60), (False, 85), (False, 70), (False, 50)):
        frames[0].save(
            path, save_all=True, append_images=frames[1:], duration=durations, loop=0,
            lossless=lossless, quality=quality, method=3, minimize_size=lossless,
        )  # fmt: skip
        size = path.stat().st_size
        if size <= MOST_MOVING:
            break
    else:
        raise RuntimeError(f"{path.name} has {size} bytes, {MOST_MOVING} are allowed")
    print(f"{path.name}: {len(frames)} frames, {size / 1000:.0f} kB")


def _dragged(app: App) -> tuple[list[Image.Image], list[int]]:
    """Frames of one slow drag along the line, and how long each stands in milliseconds."""
    x, y, width, height = _box(app.timeline)
    left, top, whole, _ = _box(app.page.locator(".stage"))
    # Down to the end of the line; the buttons below stay out.
    clip = {
        "x": left - 8, "y": top - 8, "width": min(whole, FILM_WIDTH) + 16, "height": y + height - top + 16,
    }  # fmt: skip
    frames: list[Image.Image] = []
    durations: list[int] = []
    stop = None
    mouse = app.page.mouse
    mouse.move(x, y + 0.6 * height)
    mouse.down()
    for place in range(PLACES + 1):
        mouse.move(x + width * place / PLACES, y + 0.6 * height)
        app.page.wait_for_timeout(40)
        if app.stop == stop:
            durations[-1] += TICK
            continue
        stop = app.stop
        shot = app.page.screenshot(clip=clip)  # pyright: ignore[reportArgumentType]
        frames.append(_decoded(shot))
        durations.append(HOLD if place in (0, PLACES // 2) else TICK)
    mouse.up()
    durations[-1] += 2 * HOLD
    return frames, durations


# --- small things --------------------------------------------------------------------------------


def _point(app: App, share: float) -> None:
    """Put the thumb at a share of the line: there is 0 to a half, back a half to 1."""
    app.timeline.scroll_into_view_if_needed()
    x, y, width, height = _box(app.timeline)
    app.page.mouse.click(x + share * width, y + 0.6 * height)
    app.page.mouse.move(0, 0)
    app.settle()


def _box(part: Locator) -> tuple[float, float, float, float]:
    box = part.bounding_box()
    if box is None:
        raise RuntimeError(f"{part} cannot be seen")
    return box["x"], box["y"], box["width"], box["height"]


def _decoded(shot: bytes) -> Image.Image:
    return Image.open(BytesIO(shot)).convert("RGB")


def _to_top(app: App) -> None:
    app.page.locator("[data-testid=stMain]").evaluate("main => main.scrollTo(0, 0)")
    app.page.wait_for_timeout(400)


def _hide_header(app: App) -> None:
    """It stays in place while the page scrolls, and would lie over what is captured."""
    app.page.add_style_tag(content="[data-testid=stHeader] { display: none !important; }")


if __name__ == "__main__":
    main()
