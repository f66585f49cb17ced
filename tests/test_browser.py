"""The app in a real Chromium, against a real server; nothing else can be reached, nor may be asked.

What is drawn is compared byte for byte with what the numeric core says. Loading a page is the slow
part, so most tests share one: each leaves the controls as it found them, and a page on which a test
failed is thrown away.
"""

import io
import json
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from browser import ROOT, App, new_page, number, server
from PIL import Image
from playwright.sync_api import Browser
from streamlit.proto.BackMsg_pb2 import BackMsg

from diffusion import Crop, load_denoiser, picture_rng, read_card, reverse, times_back
from diffusion.generate import from_noise, steps_for
from diffusion.pictures import open_picture, to_bytes
from ui import figures, words
from ui.controls import DEFAULT_SAMPLE
from ui.journey import FRESH, PAYLOAD, VIEWS, Stop, WayThere, plan_back, shown_bytes, walk_back, walk_there
from ui.settings import Back, There
from ui.state import Picture

MODEL = "digits"
T = There().steps
#: The last stop of a whole default way back: T + 1 stops there, the start and each step back.
END = T + 1 + Back().steps


class Shelf:
    """Pages that are open already, by kind."""

    def __init__(self) -> None:
        self.pages: dict[str, App] = {}

    def take(self, kind: str, make: Callable[[], App]) -> App:
        if kind not in self.pages:
            self.pages[kind] = make()
        return self.pages[kind]

    def drop(self, kind: str) -> None:
        self.pages.pop(kind).page.context.close()


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return Shelf()


def lent(kind: str, app: App, shelf: Shelf, request: pytest.FixtureRequest) -> Iterator[App]:
    """Lend a page to a test, see that it behaved, and keep it only if all went well."""
    failed = request.session.testsfailed
    yield app
    complaints, strangers = list(app.traffic.complaints), app.traffic.strangers(app.address)
    if request.session.testsfailed > failed or complaints or strangers:
        shelf.drop(kind)
    assert not complaints, "the page complains"
    assert not strangers, "the page asks strangers"


@pytest.fixture
def desk(browser: Browser, address: str, shelf: Shelf, request: pytest.FixtureRequest) -> Iterator[App]:
    """A laptop's page in light colours: the cat, the quick network, the thumb at the left, no way back."""

    def make() -> App:
        return new_page(browser.new_context(color_scheme="light"), address).open(MODEL)

    app = shelf.take("desk", make)
    if app.button("clear").is_enabled():
        app.button("clear").click()
        app.settle()
    app.timeline.press("Home")
    app.settle()
    yield from lent("desk", app, shelf, request)


@pytest.fixture
def phone(browser: Browser, address: str, shelf: Shelf, request: pytest.FixtureRequest) -> Iterator[App]:
    """A phone's page in dark colours."""

    def make() -> App:
        context = browser.new_context(color_scheme="dark", has_touch=True, is_mobile=True)
        return new_page(context, address, (390, 844)).open(MODEL)

    yield from lent("phone", shelf.take("phone", make), shelf, request)


# --- what must be seen --------------------------------------------------------------------------


def sample() -> Picture:
    rows = json.loads((ROOT / "ui/samples/samples.json").read_text("utf-8"))
    row = next(row for row in rows if row["name"] == DEFAULT_SAMPLE)
    with Image.open(ROOT / "ui/samples" / row["file"]) as opened:
        return Picture(row["name"], row["title"], row["source"], opened.convert("RGB"))


def journey(picture: Picture | None = None, there: There | None = None, crop: Crop | None = None) -> WayThere:
    """The way there as the core computes it."""
    card = read_card(MODEL)
    size, channels = card["size"], card["architecture"]["channels"]
    x0 = (picture or sample()).tensor(size, channels, crop or Crop())
    *_, way = walk_there(x0, there or There())
    assert isinstance(way, WayThere)
    return way


def alike(seen: np.ndarray, expected: np.ndarray) -> bool:
    """Whether a network's pictures agree: another process may sum in another order, a level either way."""
    return seen.shape == expected.shape and np.abs(seen.astype(int) - expected).max() <= 1


def agrees(shown: dict[str, float], stop: Stop) -> bool:
    """The page's numbers against exact ones: three decimals of t, three digits of the others."""
    exact = {"sigma": stop.sigma, "snr": stop.snr, "measured": stop.measured}
    return abs(shown["t"] - stop.t) < 6e-4 and all(
        shown[name] == pytest.approx(value, rel=6e-3, abs=1e-12) for name, value in exact.items()
    )


def follows(app: App, way: WayThere, stop: int) -> None:
    """Wait until the plots and their captions stand at a stop of the way there."""
    x_t, at = way.frames[stop : stop + 1], way.stops[stop]
    expected = figures.histogram(x_t, way.process, at.t).data[0]
    bars = np.asarray(expected.y)  # pyright: ignore[reportAttributeAccessIssue]

    def stands() -> bool:
        seen = app.figure("histogram")[0]["y"]
        return len(seen) == len(bars) and np.allclose(seen, bars)

    app.until(stands, f"the histogram does not follow to stop {stop}")
    text = figures.summary_variance(figures.Thumb(at))
    app.until(lambda: app.page.get_by_text(text).count(), f"no caption says {text!r}")


# --- the way there ------------------------------------------------------------------------------


def test_opens_on_a_sample(desk: App) -> None:
    way = journey()
    seen = desk.drawn()
    assert seen.stop == desk.stop == 0
    np.testing.assert_array_equal(seen.pixels, shown_bytes(way.x0, VIEWS[0])[0])
    assert seen.pixels.std() > 10
    assert desk.last == T
    assert agrees(desk.numbers(), way.stops[0])
    # The icon in the browser's tab is fetched by no page, so no request tells of it.
    icons = desk.page.eval_on_selector_all("link[rel~=icon]", "links => links.map(link => link.href)")
    assert icons
    assert all(icon.startswith(desk.address) for icon in icons)


def test_drag_draws_every_stop_without_the_server(desk: App) -> None:
    way = journey()
    frames = shown_bytes(way.frames, VIEWS[0])
    mouse = desk.page.mouse
    positions = [*range(1, T + 1, 2), *range(T, 0, -7), 37]

    desk.timeline.scroll_into_view_if_needed()
    desk.settle()
    before = desk.traffic.count()
    mouse.move(*desk.at(0))
    mouse.down()
    drawn: dict[int, bytes] = {}
    for stop in positions:
        mouse.move(*desk.at(stop))
        seen = desk.drawn()
        assert seen.stop == stop
        np.testing.assert_array_equal(seen.pixels, frames[stop], f"stop {stop}")
        assert agrees(desk.numbers(), way.stops[stop])
        drawn[stop] = seen.pixels.tobytes()
    desk.page.wait_for_timeout(300)
    assert desk.traffic.count() == before, "something was sent or received under the thumb"
    assert len(set(drawn.values())) == len(set(positions)) > 50

    mouse.up()
    desk.until(lambda: desk.traffic.count()[0] > before[0], "the server does not learn of the release")
    follows(desk, way, positions[-1])
    assert desk.drawn().stop == positions[-1]


def test_back_leads_to_the_page_before_however_often_the_thumb_moved(desk: App) -> None:
    page = desk.page
    desk.put(20)
    before = page.evaluate("history.length")
    for stop in (30, 40, 50):
        desk.put(stop)
        desk.until(lambda stop=stop: f"at={stop}" in page.url, "the address does not follow")
    assert page.evaluate("history.length") == before


def test_frames_are_sent_once(desk: App) -> None:
    mark = re.compile(rb'"chunk": "((?:there|back)-\d+-\w+)-\d+", "count": \d+, "height"')

    def carriers() -> list[tuple[bytes, int]]:
        return [(m[1], len(data)) for data in desk.traffic.received for m in mark.finditer(data)]

    before = carriers()
    assert before
    journeys = {name for name, _ in before if name.startswith(b"there")}
    for name in journeys:
        assert 0 < sum(size for other, size in before if other == name) <= PAYLOAD

    received = sum(map(len, desk.traffic.received))
    desk.put(44)
    desk.type("back_steps", Back().steps + 1)  # the whole script runs again
    desk.type("back_steps", Back().steps)
    assert carriers() == before, "frames came again"
    frames = max(size for name, size in before if name in journeys)
    received = sum(map(len, desk.traffic.received)) - received
    assert received < 3 * frames, (received, frames)


def test_keyboard(desk: App) -> None:
    way = journey()
    line = desk.timeline
    for key, stop in (
        *(("ArrowRight", k) for k in (1, 2, 3)),
        ("ArrowLeft", 2), ("ArrowUp", 3), ("ArrowDown", 2),
        ("End", T), ("ArrowRight", T), ("ArrowLeft", T - 1),
    ):  # fmt: skip
        line.press(key)
        assert desk.drawn().stop == desk.stop == stop, key
    follows(desk, way, T - 1)
    line.press("PageDown")
    assert desk.stop < T - 2
    line.press("Home")
    assert desk.stop == 0

    line.press(" ")
    seen = [desk.until(lambda: desk.drawn().stop, "it does not play")]
    seen.append(desk.until(lambda: desk.drawn().stop > seen[0] and desk.drawn().stop, "it does not play on"))
    line.press(" ")
    rests = desk.stop
    assert rests >= seen[-1]
    follows(desk, way, rests)
    assert desk.stop == rests


def test_two_ways_of_showing(desk: App) -> None:
    way = journey()
    clipped, spread = (desk.page.locator(".st-key-view button", has_text=words.VIEWS[view]) for view in VIEWS)
    desk.put(80)
    np.testing.assert_array_equal(desk.pixels(), shown_bytes(way.frames[80:81], VIEWS[0])[0])
    numbers = desk.numbers()
    spread.click()
    other = shown_bytes(way.frames[80:81], VIEWS[1])[0]
    desk.until(lambda: np.array_equal(desk.pixels(), other), "the other view is not drawn")
    desk.settle()
    assert desk.stop == 80
    assert desk.numbers() == numbers
    clipped.click()
    desk.until(lambda: not np.array_equal(desk.pixels(), other), "the first view does not come back")
    desk.settle()


def test_seed_decides_the_noise(desk: App) -> None:
    desk.put(50)
    first = desk.pixels()
    desk.type("seed", 7)
    expected = shown_bytes(journey(there=There(seed=7)).frames[50:51], VIEWS[0])[0]
    desk.until(lambda: np.array_equal(desk.pixels(), expected), "the new seed's noise is not drawn")
    desk.type("seed", 0)
    desk.until(lambda: np.array_equal(desk.pixels(), first), "the old seed's noise does not come back")


# --- languages ----------------------------------------------------------------------------------


def test_the_language_is_changed_in_place(desk: App) -> None:
    desk.page.locator(".st-key-sampler").scroll_into_view_if_needed()
    desk.settle()  # a list of choices closes when the sidebar is still moving
    desk.choose("sampler", words.SAMPLERS["ddim"])
    desk.type("seed", 7)
    desk.put(60)
    numbers, pixels = desk.numbers(), desk.pixels()
    for name, tag, sampler in (
        ("简体中文", "zh-Hans", "DDIM（不加新噪声）"),
        ("English", "en", words.SAMPLERS["ddim"]),
    ):
        desk.page.locator(".st-key-language button", has_text=name).click()
        desk.until(lambda tag=tag: desk.page.locator(f"html[lang={tag}]").count(), f"no page in {name}")
        desk.settle()
        chosen = desk.page.locator(".st-key-sampler")
        assert sampler in chosen.inner_text() + chosen.locator("input").input_value()
        assert desk.page.locator(".st-key-seed input").input_value() == "7"
        assert desk.stop == 60
        assert desk.numbers() == numbers
        np.testing.assert_array_equal(desk.pixels(), pixels)
    desk.choose("sampler", words.SAMPLERS[Back().sampler])
    desk.type("seed", 0)


def test_a_chinese_browser_is_answered_in_chinese(browser: Browser, address: str) -> None:
    context = browser.new_context(locale="zh-CN")
    app = new_page(context, address).open("数字")
    assert app.page.locator("html[lang=zh-Hans]").count()
    assert app.page.locator(".stage .where").inner_text() == f"去程 · 第 0/{T} 步"
    assert not app.traffic.complaints
    context.close()


# --- pictures -----------------------------------------------------------------------------------


def test_upload_and_junk(desk: App) -> None:
    bar = desk.page.locator("[data-testid=stSidebar]")
    tall, wide = np.mgrid[:90, :140]
    own = np.stack([tall * 2, wide, 255 - wide], axis=-1).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(own).save(file, "PNG")

    desk.upload("own.png", "image/png", file.getvalue())
    expected = shown_bytes(journey(Picture("", "", "", open_picture(file.getvalue()))).x0, VIEWS[0])[0]
    desk.until(lambda: np.array_equal(desk.pixels(), expected), "the upload is not shown")
    desk.settle()
    assert not bar.get_by_role("alert").count()

    desk.upload("junk.png", "image/png", b"this is no picture" * 50)
    desk.until(lambda: bar.get_by_role("alert").count(), "nothing tells that the file is no picture")
    desk.settle()
    said = bar.get_by_role("alert").inner_text()
    assert re.fullmatch(r"\S[^\n]{20,}\.", said.split("\n")[-1])
    np.testing.assert_array_equal(desk.pixels(), expected)

    bar.locator(".st-key-sample button", has_text=sample().title).click()
    cat = shown_bytes(journey().x0, VIEWS[0])[0]
    desk.until(lambda: np.array_equal(desk.pixels(), cat), "the sample does not come back")
    desk.settle()
    assert not bar.get_by_role("alert").count()


def test_crop_is_dragged(desk: App) -> None:
    before = desk.pixels()
    square = desk.page.locator(f".st-key-crop-{DEFAULT_SAMPLE} .square")
    square.scroll_into_view_if_needed()
    box = square.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse = desk.page.mouse
    # Pull a corner in, so that the square can move any way; then move it.
    for start, end in (
        ((box["x"] + 2, box["y"] + 2), (box["x"] + 0.4 * box["width"], box["y"] + 0.4 * box["height"])),
        ((x + 0.2 * box["width"], y + 0.2 * box["height"]), (x, y + 0.1 * box["height"])),
    ):
        mouse.move(*start)
        mouse.down()
        mouse.move(*end, steps=5)
        mouse.up()
        desk.settle()
    share = square.evaluate(
        "s => ['left', 'top', 'width', 'height'].map(side => parseFloat(s.style[side]) / 100)"
    )
    picture = sample()
    width, height = picture.image.size
    left, top, wide, tall = share
    crop = Crop(left + wide / 2, top + tall / 2, wide * width / min(width, height))
    assert 0.3 < crop.side < 0.9
    expected = shown_bytes(journey(picture, crop=crop).x0, VIEWS[0])[0].astype(int)
    # The crop travels with five decimals: a few pixels may round to the next grey level.
    desk.until(lambda: np.abs(desk.pixels() - expected).max() <= 1, "the crop does not arrive on the stage")

    desk.page.locator(f".st-key-crop-{DEFAULT_SAMPLE} button.reset").click()
    desk.until(lambda: np.array_equal(desk.pixels(), before), "the whole picture does not come back")
    desk.settle()


# --- the way back -------------------------------------------------------------------------------


def test_way_back_and_the_same_again(desk: App) -> None:
    way = journey()
    desk.put(60)
    desk.walk()
    assert desk.stop == desk.last == END
    assert desk.numbers()["t"] == 0
    first = desk.drawn()
    assert first.stop == END

    back = plan_back(way, 60, Back(), MODEL)
    for _ in walk_back(back, load_denoiser(MODEL), There().seed):
        pass
    for stop in range(END, T, -1):  # every frame of it has come, and is the one that its place tells
        seen = desk.drawn()
        assert seen.stop == stop
        x_t, at = back.state(back.ready()[stop - T - 1])
        assert alike(seen.pixels, shown_bytes(x_t, VIEWS[0])[0])
        assert desk.numbers()["t"] == pytest.approx(at.t, abs=6e-4)
        desk.timeline.press("ArrowLeft")
    assert desk.stop == T
    desk.until(lambda: f"at={T}" in desk.page.url, "the server does not learn where the thumb rests")
    desk.settle()

    desk.button("clear").click()
    desk.settle()
    assert desk.last == T
    desk.put(60)
    desk.walk()
    np.testing.assert_array_equal(desk.pixels(), first.pixels)


def test_the_right_half_of_the_line_mirrors_the_left(desk: App) -> None:
    """From t on the left half back to 0 at the right end, as many steps as there are in equal parts."""
    desk.put(60)
    desk.walk()
    thumb, begins = desk.page.locator(".thumb"), 1 - 0.5 * 60 / T
    places = np.linspace(begins, 1, Back().steps + 1)

    def stands(step: int) -> None:
        assert desk.stop == T + 1 + step
        left = thumb.evaluate("thumb => thumb.style.left")
        assert float(left.removesuffix("%")) == pytest.approx(100 * places[step], abs=1e-6)

    stands(Back().steps)
    for _ in range(Back().steps):
        desk.timeline.press("ArrowLeft")
    stands(0)
    box = desk.timeline.bounding_box()
    assert box is not None
    desk.page.mouse.move(*desk.at(60))
    desk.page.mouse.down()
    for step in (7, 4):
        desk.page.mouse.move(box["x"] + box["width"] * places[step], box["y"] + 0.6 * box["height"])
        stands(step)
    desk.page.mouse.up()
    desk.settle()
    stands(4)


def test_a_step_is_taken_apart_into_its_own_numbers(desk: App) -> None:
    step, column, row = 4, 9, 13
    desk.put(60)
    desk.walk()
    for _ in range(Back().steps - step):
        desk.timeline.press("ArrowLeft")
    desk.settle()
    back = plan_back(journey(), 60, Back(), MODEL)
    for _ in walk_back(back, load_denoiser(MODEL), There().seed):
        pass
    kept = back.kept(step)
    terms = {"x_t": kept.x_t, "removed": kept.removed, "noise": kept.eta(), "x_s": kept.x_s}
    terms["x0_hat"] = kept.x0_hat
    part = desk.page.locator(".dissect")

    def told() -> dict[str, float]:
        """The numbers of the pixel, with all their digits."""
        return {
            name: float(part.locator(f".n-{name}").get_attribute("data-value") or "nan") for name in terms
        }

    def shows(column: int) -> bool:
        expected = {name: float(x[0, 0, row, column]) for name, x in terms.items()}
        return told() == pytest.approx(expected, abs=1e-3)  # of another process, see `alike`

    frame = part.locator(".removed .frame")
    box = frame.bounding_box()
    assert box is not None
    place = {"x": (column + 0.5) * box["width"] / 28, "y": (row + 0.5) * box["height"] / 28}
    frame.click(position=place)  # pyright: ignore[reportArgumentType]
    desk.until(lambda: shows(column), "these are not the numbers of the pixel that was chosen")
    assert f"column {column}, row {row}" in part.locator(".pixel").inner_text()
    exact = {name: np.float32(value) for name, value in told().items()}
    assert exact["x_s"] == exact["x_t"] - exact["removed"] + exact["noise"]  # to the last bit
    for name, value in told().items():
        written = part.locator(f".n-{name}").inner_text().replace("−", "-").strip().strip("()")
        assert float(written) == pytest.approx(value, abs=5.1e-7), name
    part.locator(".terms").press("ArrowRight")
    desk.until(lambda: shows(column + 1), "an arrow does not lead to the next pixel")


#: A way back is not waited for, and rests before its eleventh step until it is stopped: nobody need be quick.
HELD = """
import ui.actions, ui.runs
ui.actions.PATIENCE = 0.0
take = ui.runs.Run._take
def held(run):
    if len(run.way.steps) == 10:
        run._stop.wait()
    return take(run)
ui.runs.Run._take = held
"""


def test_stop_and_go_on(browser: Browser, tmp_path: Path) -> None:
    steps = 40
    with server(tmp_path / "log", HELD) as address:
        app = new_page(browser.new_context(), address).open(MODEL)
        app.type("back_steps", steps)
        app.timeline.press("End")
        app.until(lambda: f"at={T}" in app.page.url, "the server does not learn where the thumb rests")
        app.settle()
        sent, _ = app.traffic.count()

        def asked() -> list[bool]:
            """Of each time the page was asked for: whether a part of it was."""
            told = [BackMsg.FromString(message) for message in app.traffic.sent[sent:]]
            return [
                bool(one.rerun_script.fragment_id) for one in told if one.WhichOneof("type") == "rerun_script"
            ]

        app.button("walk").click()
        app.until(lambda: app.last > T + 3, "no frame comes while it is computed")
        app.until(lambda: len(asked()) > 2, "nobody looks while it is computed")
        app.button("stop").click()
        app.walked()
        seen, stopped = app.drawn(), T + 1 + 11
        assert seen.stop == app.stop == app.last == stopped
        assert seen.pixels.std() > 0

        app.walk()
        assert app.stop == app.last == T + 1 + steps
        assert app.numbers()["t"] == 0
        assert all(asked()), "the whole page was drawn anew for a way back"
        for _ in range(app.last - stopped):
            app.timeline.press("ArrowLeft")
        np.testing.assert_array_equal(app.drawn().pixels, seen.pixels)  # what was there has stayed
        app.settle()
        assert not app.traffic.complaints
        app.page.context.close()


DRAWN_OFTEN = """async code => {
    const { default: draw } = await import('data:text/javascript,' + encodeURIComponent(code));
    const parentElement = document.querySelector('div');
    window.asked = 0;
    const setStateValue = () => window.asked++;
    for (let k = 0; k < 30; k++) {
        window.stop = draw({ data: { every: 1, drawn: k }, parentElement, setStateValue });
    }
}"""


def test_a_clock_that_is_drawn_often_asks_once(browser: Browser) -> None:
    page = browser.new_page()
    page.clock.install()
    page.set_content("<div></div>")
    page.evaluate(DRAWN_OFTEN, (ROOT / "ui/clock/clock.js").read_text("utf-8"))
    asked = []
    for seconds in (1, 5, 5):  # once when it is time, then only when the answer is late
        page.clock.run_for(1000 * seconds)
        asked.append(page.evaluate("window.asked"))
    page.evaluate("window.stop()")
    page.clock.run_for(60_000)
    assert [*asked, page.evaluate("window.asked")] == [1, 2, 3, 3]
    page.close()


# --- two journeys, many endings -----------------------------------------------------------------


def test_one_thumb_moves_two_pictures_without_the_server(browser: Browser, address: str) -> None:
    app = new_page(browser.new_context(color_scheme="light"), address).open(MODEL).visit("Compare")
    app.page.locator(".st-key-differ button", has_text="seed").click()
    app.settle()
    ways = journey(), journey(there=There(seed=1))
    frames = [shown_bytes(way.frames, VIEWS[0]) for way in ways]
    canvases = [app.picture.nth(k) for k in range(2)]
    app.until(lambda: app.picture.count() == 2 and app.last == T, "there are not two pictures")

    app.timeline.scroll_into_view_if_needed()
    app.settle()
    before = app.traffic.count()
    app.page.mouse.move(*app.at(0))
    app.page.mouse.down()
    for stop in (*range(1, T + 1, 9), 37):
        app.page.mouse.move(*app.at(stop))
        for canvas, expected in zip(canvases, frames, strict=True):
            seen = app.drawn(canvas)
            assert seen.stop == stop
            np.testing.assert_array_equal(seen.pixels, expected[stop])
    app.page.wait_for_timeout(300)
    assert app.traffic.count() == before, "something was sent or received under the thumb"
    app.page.mouse.up()
    app.settle()

    app.button("both").click()
    app.until(
        lambda: not app.button("both-stop").count() and app.button("both-clear").is_enabled(),
        "the ways back do not end",
    )
    app.settle()
    assert app.stop == app.last > T
    for seed, (canvas, way, sampler) in enumerate(zip(canvases, ways, ("posterior", "ddim"), strict=True)):
        back = plan_back(way, 37, Back(sampler=sampler), MODEL)
        for _ in walk_back(back, load_denoiser(MODEL), seed):
            pass
        assert alike(app.drawn(canvas).pixels, shown_bytes(back.state(back.total)[0], VIEWS[0])[0])
    checked = app.page.locator(".st-key-view button[aria-checked=true]")
    assert checked.count() == 1, "a choice has lost its value"
    assert not app.traffic.complaints
    app.page.context.close()


def test_endings_open_large_by_keyboard(browser: Browser, address: str) -> None:
    app = new_page(browser.new_context(color_scheme="dark"), address).open(MODEL).visit("Endings")
    app.button("fan").click()
    app.until(lambda: app.button("fan-tries").count() and app.button("fan").is_disabled(), "no end")
    app.settle()
    tiles = app.page.locator(".endings button")
    assert tiles.count() == 9
    names = [tile.get_attribute("aria-label") or "" for tile in tiles.all()]
    assert all(name.startswith(f"Ending {k + 1} of 9: ") for k, name in enumerate(names))

    way = journey()
    ends = []
    for index in range(2):
        rng = picture_rng(0, FRESH + index)
        times = times_back(way.process, Back().steps, Back().grid, way.stops[50].t)
        *_, last = reverse(load_denoiser(MODEL), way.frames[50:51], way.process, rng=rng, times=times)
        ends.append(app.drawn(tiles.nth(index).locator("canvas")).pixels)
        assert alike(ends[index], shown_bytes(last.x_s, VIEWS[0])[0])

    tiles.first.focus()
    app.page.keyboard.press("ArrowRight")
    app.page.keyboard.press("Enter")
    large = app.page.locator("dialog canvas")
    np.testing.assert_array_equal(app.drawn(large.nth(0)).pixels, shown_bytes(way.x0, VIEWS[0])[0])
    np.testing.assert_array_equal(app.drawn(large.nth(1)).pixels, ends[1])
    app.page.keyboard.press("ArrowLeft")
    np.testing.assert_array_equal(app.drawn(large.nth(1)).pixels, ends[0])
    app.page.keyboard.press("Escape")
    assert not app.page.locator("dialog[open]").count()
    assert tiles.first.evaluate("tile => tile.getRootNode().activeElement === tile")
    assert not app.traffic.complaints
    app.page.context.close()


def test_a_picture_of_the_gallery_opens_on_the_stage(browser: Browser, address: str) -> None:
    app = new_page(browser.new_context(), address)
    app.page.goto(f"{address}/?gallery_model=digits&gallery_seed=3&gallery_label=5")
    app.until(app.usable, "the page is not usable")
    app.visit("Gallery")
    tiles = app.page.locator("ul.grid button")
    app.until(lambda: tiles.count() == 64, "no grid")
    app.until(lambda: not any(tile.is_disabled() for tile in tiles.all()), "not all pictures came")
    net = load_denoiser("digits").asked_for("5")
    steps = steps_for(10, net)
    *_, last = from_noise(net, 3, 9, steps=steps)
    expected = to_bytes(last.x_s[0])
    assert alike(app.drawn(tiles.nth(9).locator("canvas")).pixels, expected)

    tiles.nth(9).click()
    app.button("gallery-open").first.click()
    app.until(lambda: app.usable() and app.last > 100, "no way back on the stage")
    app.settle()
    app.until(lambda: app.stop == app.last, "the thumb is not at the end")
    assert alike(app.pixels(), expected)
    for said in ("gallery_model=digits", "gallery_seed=3", "gallery_label=5", "seed=3", "start=noise"):
        assert said in app.page.url
    assert not app.traffic.complaints
    app.page.context.close()


def test_on_a_phone_the_chosen_picture_comes_into_view(browser: Browser, address: str) -> None:
    context = browser.new_context(reduced_motion="reduce")
    app = new_page(context, address, (390, 844))
    app.page.goto(f"{address}/gallery?gallery_model=digits")
    tile = app.page.locator("ul.grid button").first
    app.until(lambda: tile.is_visible() and not tile.is_disabled(), "no picture came")
    heading = app.page.locator(".st-key-gallery-closer h3")
    assert heading.count() == 0
    tile.click()
    app.until(lambda: heading.count() == 1, "nothing tells of it")
    app.until(lambda: 0 < (heading.bounding_box() or {"y": 0})["y"] < 300, "it stays below the grid")
    context.close()


# --- how it looks -------------------------------------------------------------------------------


def background(app: App) -> list[int]:
    colour = app.page.locator("[data-testid=stApp]").evaluate("app => getComputedStyle(app).backgroundColor")
    return [int(part) for part in re.findall(r"\d+", colour)[:3]]


def test_light_and_dark(desk: App, phone: App) -> None:
    assert min(background(desk)) > 200
    assert max(background(phone)) < 60
    for app, dark in ((desk, False), (phone, True)):
        text = app.page.locator("[data-n=t]").evaluate("n => getComputedStyle(n).color")
        bright = sum(int(part) for part in re.findall(r"\d+", text)[:3]) > 384
        assert bright == dark, "the stage's text keeps to its theme"


def sideways(app: App) -> float:
    """How far anything can be scrolled to the right."""
    return app.page.evaluate(
        "Math.max(...[document.scrollingElement, document.querySelector('[data-testid=stMain]')]"
        ".map(e => e.scrollWidth - e.clientWidth))"
    )


def test_laptop_layout(desk: App) -> None:
    box = desk.picture.bounding_box()
    assert box is not None
    assert box["width"] >= 384
    assert box["y"] + box["height"] <= 900, "the whole picture is seen without scrolling"
    assert sideways(desk) <= 0


def test_links_fold_away_before_the_switch_of_the_language(browser: Browser, address: str) -> None:
    app = new_page(browser.new_context(), address, (1440, 500))
    app.page.goto(address)
    switch, links = app.page.locator(".st-key-language-bar"), app.page.get_by_test_id("stTopNavLink")
    links.first.wait_for()
    switch.wait_for()

    def apart() -> bool:
        ends = [box["x"] + box["width"] for link in links.all() if (box := link.bounding_box())]
        corner = switch.bounding_box()
        return bool(ends) and corner is not None and max(ends) <= corner["x"]

    for width in (1440, 1100, 1024, 940, 860):
        app.page.set_viewport_size({"width": width, "height": 500})
        app.until(apart, f"links lie under the switch of a page {width} wide")  # they fold after a moment
    app.page.context.close()


def test_phone_layout(phone: App) -> None:
    box = phone.picture.bounding_box()
    assert box is not None
    assert box["width"] >= 300
    assert box["width"] == pytest.approx(box["height"], abs=1)
    assert sideways(phone) <= 0
    order = [box["y"] + box["height"]]
    for name in (".timeline", ".st-key-walk", ".st-key-plot-variance"):
        found = phone.page.locator(name).bounding_box()
        assert found is not None, name
        order.append(found["y"])
    assert all(above < below for above, below in pairwise(order)), "the stage comes first"
    assert box["y"] < 844 / 2
    assert order[1] < 844, "the timeline is in reach without scrolling"


def test_touch_drag(phone: App) -> None:
    way = journey()
    frames = shown_bytes(way.frames, VIEWS[0])
    phone.timeline.scroll_into_view_if_needed()
    phone.settle()
    session = phone.page.context.new_cdp_session(phone.page)

    def touch(kind: str, *stops: int) -> None:
        points = [{"x": x, "y": y} for x, y in map(phone.at, stops)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    before = phone.traffic.count()
    positions = [*range(10, T + 1, 6), 55]
    touch("touchStart", 5)
    for stop in positions:
        touch("touchMove", stop)
        phone.until(lambda stop=stop: phone.drawn().stop == stop, f"a finger at stop {stop} draws another")
        np.testing.assert_array_equal(phone.pixels(), frames[stop])
    phone.page.wait_for_timeout(300)
    assert phone.traffic.count() == before, "something was sent or received under the finger"
    touch("touchEnd")
    follows(phone, way, positions[-1])
    shown = number(phone.page.locator("[data-n=t]").inner_text())
    assert shown == pytest.approx(way.stops[positions[-1]].t, abs=6e-4)
