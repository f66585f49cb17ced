"""Keep, share, projector, keys and accessibility in a real Chromium."""

import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import ROOT, App, new_page
from PIL import Image
from playwright.sync_api import Browser

from ui import words
from ui.keys import KEYS
from ui.keys import LABELS as KEY_LABELS
from ui.settings import Back, There
from ui.share import LABELS

#: What axe finds in Streamlit's own elements and no rule of ours can mend: rule, part of the address in
#: the page, why. Everything else of serious or critical impact is ours.
STREAMLITS_OWN: tuple[tuple[str, str, str], ...] = ()

T = There().steps


@pytest.fixture(scope="module")
def desk(browser: Browser, address: str) -> Iterator[App]:
    context = browser.new_context(color_scheme="light", accept_downloads=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    app = new_page(context, address).open()
    yield app
    assert not app.traffic.complaints
    assert not app.traffic.strangers(address)
    context.close()


@pytest.fixture(scope="module")
def night(browser: Browser, address: str) -> Iterator[App]:
    """The same at night, over a connection that browsers do not trust."""
    context = browser.new_context(color_scheme="dark")
    context.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")
    yield new_page(context, address).open()
    context.close()


# --- sharing ------------------------------------------------------------------------------------


def test_the_link_is_copied_as_it_stands_and_opens_the_same(desk: App):
    desk.timeline.press("Home")
    desk.timeline.press("ArrowRight")  # the server hears of it only when another thing is reached for
    desk.page.locator(".st-key-copy-link button").click()
    desk.until(lambda: desk.page.get_by_text(LABELS["copied"], exact=True).count(), "nothing is copied")
    link = desk.page.evaluate("navigator.clipboard.readText()")
    assert link == desk.page.url
    assert "at=1" in link
    assert "model=digits" in link


def test_where_the_clipboard_is_shut_the_link_is_marked_and_it_says_why(night: App):
    night.page.locator(".st-key-copy-link button").click()
    night.until(lambda: night.page.get_by_text(LABELS["insecure"]).is_visible(), "it does not say why")
    marked = night.page.locator(".st-key-copy-link input")
    assert marked.is_visible()
    assert marked.evaluate("i => i.value.slice(i.selectionStart, i.selectionEnd)") == night.page.url


def test_a_teachers_link_locks(desk: App, browser: Browser):
    desk.page.get_by_role("button", name="For teachers").click()
    for name in ("Process", "Seed"):
        desk.page.locator(".st-key-locking button", has_text=re.compile(f"^{name}$")).click()
        desk.settle()
    desk.page.locator(".st-key-copy-locked button").click()
    desk.until(lambda: "lock=" in desk.page.evaluate("navigator.clipboard.readText()"), "nothing is copied")
    link = desk.page.evaluate("navigator.clipboard.readText()")
    assert "lock=process,seed" in link
    desk.page.keyboard.press("Escape")

    context = browser.new_context()
    student = new_page(context, link).open()
    assert student.page.locator(".st-key-process input").is_disabled()
    assert student.page.locator(".st-key-seed input").is_disabled()
    assert student.page.locator(".st-key-sampler input").is_enabled()
    student.button("unlock").first.click()
    student.settle()
    assert student.page.locator(".st-key-process input").is_enabled()
    student.until(lambda: "lock" not in student.page.url, "the address locks it still")
    context.close()


def test_the_download_makes_the_same_frames_again(desk: App, tmp_path: Path):
    desk.put(60)
    desk.walk()
    with desk.page.expect_download() as download:
        desk.button("download").first.click()
    with zipfile.ZipFile(download.value.path()) as archive:
        archive.extractall(tmp_path)
        told = json.loads(archive.read("settings.json"))
        last = archive.read(told["frames"]["back"][-1]["file"])
    final = np.asarray(Image.open(io.BytesIO(last)))
    desk.until(lambda: np.array_equal(desk.pixels(), final), "the stage shows another last frame")
    done = subprocess.run(
        [sys.executable, tmp_path / "journey.py"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    count = T + 1 + 1 + Back().steps
    assert f"{count} frames: {count} look the same" in done.stdout, done.stderr
    desk.button("clear").click()
    desk.settle()


# --- keys and projector -------------------------------------------------------------------------


def test_keys_work_from_anywhere_but_not_while_typing(desk: App):
    page = desk.page
    page.locator("h4").click()
    for key, stop in (("End", T), ("ArrowLeft", T - 1), ("ArrowRight", T), ("Home", 0)):
        page.keyboard.press(key)
        assert desk.stop == stop, key
    page.keyboard.press(" ")
    desk.until(lambda: desk.stop > 2, "it does not play")
    page.keyboard.press(" ")
    desk.settle()

    page.keyboard.press("End")
    desk.settle()
    page.keyboard.press("n")
    desk.until(lambda: desk.last == T + 2, "one step is not taken")
    desk.settle()
    page.keyboard.press("b")
    desk.walked()
    assert desk.last == T + 1 + Back().steps

    seed = page.locator(".st-key-seed input")
    seed.click()
    before = desk.stop
    for key in ("Home", "p", "b", "?"):
        seed.press(key)
    seed.press("Escape")
    assert desk.stop == before
    assert not page.locator(".stage.projector").count()
    assert not page.locator(".st-key-keys dialog").is_visible()
    desk.button("clear").click()
    desk.settle()


def test_the_list_of_keys_opens_tells_all_and_turns_them_off(desk: App):
    page = desk.page
    page.locator("h4").click()
    page.keyboard.press("?")
    listed = page.locator(".st-key-keys dialog")
    assert listed.is_visible()
    assert listed.locator("td").all_inner_texts() == [text for _, _, text in KEYS.values()]
    page.keyboard.press("Escape")
    assert not listed.is_visible()

    switch = page.get_by_label(KEY_LABELS["on"])
    for works in (False, True):
        page.locator(".st-key-keys .open").click()
        switch.set_checked(works)
        page.keyboard.press("Escape")
        desk.timeline.press("Home")
        page.locator("h4").click()
        page.keyboard.press("End")
        assert (desk.stop == T) == works


def test_the_projector_shows_the_stage_alone_in_large_type(desk: App):
    page = desk.page
    page.locator("h4").click()
    size = "e => parseFloat(getComputedStyle(e).fontSize)"
    small = page.locator("[data-n=t]").evaluate(size)
    desk.settle()
    page.keyboard.press("p")
    desk.until(lambda: page.locator(".stage.projector").count(), "no projector")
    desk.settle()
    assert page.locator("[data-n=t]").evaluate(size) > 1.8 * small
    for gone in (
        "[data-testid=stSidebar]",
        "[data-testid=stHeader]",
        ".st-key-plot-variance",
        "h4",
        ".st-key-view",
    ):
        assert not page.locator(gone).first.is_visible(), gone
    box, walk = desk.picture.bounding_box(), desk.button("walk").bounding_box()
    assert box is not None
    assert walk is not None
    assert box["width"] > 430
    assert walk["y"] + walk["height"] <= 900, "all is seen without scrolling"
    assert "projector=1" in page.url
    page.keyboard.press("?")  # a list that nobody can see would hold the page fast
    assert not page.locator("dialog[open]").count()
    page.keyboard.press("Escape")
    desk.until(lambda: not page.locator(".stage.projector").count(), "Esc does not leave")
    desk.settle()
    assert page.locator(".st-key-plot-variance").is_visible()


# --- on a phone ---------------------------------------------------------------------------------


@pytest.mark.parametrize("calm", ["reduce", "no-preference"])
def test_whoever_walks_back_on_a_phone_sees_the_picture(browser: Browser, address: str, calm):
    context = browser.new_context(has_touch=True, is_mobile=True, reduced_motion=calm)
    phone = new_page(context, address, (390, 844)).open()
    phone.timeline.press("End")
    phone.settle()
    phone.page.locator("[data-testid=stMain]").evaluate("m => m.scrollBy(0, 520)")
    button = phone.button("walk")
    before, pressed = phone.picture.bounding_box(), button.bounding_box()
    assert before is not None
    assert pressed is not None
    assert before["y"] + before["height"] / 2 < 60 < pressed["y"], "else there is nothing to mend"
    button.click()

    def seen() -> bool:
        box = phone.picture.bounding_box()
        return box is not None and box["y"] >= 55 and box["y"] + box["height"] <= 844

    phone.until(seen, "the picture stays out of sight")
    phone.walked()
    assert seen()
    context.close()


# --- accessibility ------------------------------------------------------------------------------


def faults(app: App) -> list[str]:
    """What axe finds of serious or critical impact, Streamlit's own left out."""
    found = Axe().run(app.page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{fault['id']}: {node['target']} {node['failureSummary']}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
        if not any(fault["id"] == rule and part in str(node["target"]) for rule, part, _ in STREAMLITS_OWN)
    ]


@pytest.mark.parametrize("light", ["desk", "night"])
def test_no_page_has_serious_faults(light: str, request: pytest.FixtureRequest):
    app: App = request.getfixturevalue(light)
    page = app.page
    app.timeline.press("End")
    app.settle()
    app.walk()
    assert not faults(app)

    page.get_by_role("button", name="As a table").first.click()
    app.settle()
    page.get_by_role("dialog", name="As a table").locator("canvas").first.wait_for()
    page.mouse.move(5, 5)
    assert not faults(app)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="For teachers").click()
    app.settle()
    assert not faults(app)
    page.keyboard.press("Escape")
    page.locator(".st-key-keys .open").click()
    assert not faults(app)
    page.keyboard.press("Escape")
    app.button("to-projector").click()
    app.settle()
    assert not faults(app)
    app.button("to-projector").click()
    app.settle()
    app.button("clear").click()
    app.settle()

    links = page.locator("[data-testid=stTopNavLink]")
    for k in range(1, links.count()):
        links.nth(k).click()
        app.settle()
        assert not faults(app), links.nth(k).inner_text()
    links.first.click()
    app.until(app.usable, "the journey does not come back")
    app.settle()


def test_the_words_beside_the_download_say_what_is_in_it(desk: App):
    assert desk.page.get_by_text(words.DOWNLOAD).is_visible()
