"""The lessons in a real browser: one by keyboard alone, and one whose numbers follow the seed."""

import re
from collections.abc import Iterator

import pytest
from browser import App, new_page
from playwright.sync_api import Browser, Locator
from test_lessons import learner

from ui.lessons import numbers


@pytest.fixture(params=[(1440, 900), (390, 844)], ids=["laptop", "phone"])
def app(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[App]:
    """The page of the lessons, reached from the journey."""
    context = browser.new_context(reduced_motion="reduce")
    app = new_page(context, address, request.param)
    app.page.goto(address)
    app.until(app.usable, "the page is not usable")
    app.settle()
    app.beside()  # where the window is narrow, the pages are listed there
    app.page.get_by_role("link", name="Learn").first.click()
    app.until(lambda: app.page.locator(".st-key-ask-1-fixed").count(), "the lessons do not open")
    app.settle()
    yield app
    complaints, strangers = list(app.traffic.complaints), app.traffic.strangers(address)
    context.close()
    assert not complaints, "the page complains"
    assert not strangers, "the page asks strangers"


def focused(place: Locator) -> bool:
    """Whether the keyboard stands somewhere in there."""
    return bool(place.count()) and place.first.evaluate("e => e.matches(':focus, :focus-within')")


def tab_to(app: App, place: Locator, most: int = 60) -> None:
    """Press Tab until the keyboard stands there; it may take no more than a page's worth."""
    for _ in range(most):
        if focused(place):
            return
        app.page.keyboard.press("Tab")
    raise AssertionError(f"{place} cannot be reached by Tab")


def answer(app: App, question: str) -> None:
    """Pick the second choice and lock it in, by keyboard."""
    tab_to(app, app.page.locator(f".st-key-pick-{question} input"))
    app.page.keyboard.press("ArrowDown")
    lock = app.page.locator(f".st-key-lock-{question} button")
    app.settle()
    if lock.is_disabled():
        app.page.keyboard.press("Space")
        app.settle()
    assert lock.is_enabled()
    tab_to(app, lock)
    app.page.keyboard.press("Enter")
    app.until(lambda: not lock.count(), "the answer is not locked in")
    app.settle()


def test_a_whole_lesson_by_keyboard(app: App) -> None:
    page = app.page
    why = page.locator(".st-key-explain-1")
    assert not why.count()
    assert not page.locator(".timeline").count()
    answer(app, "1-fixed")
    assert not why.count()
    answer(app, "1-scaled")
    app.until(why.count, "nothing is explained")
    app.until(lambda: app.last == 10, "the stage has not its ten steps")
    tab_to(app, app.timeline)
    page.keyboard.press("Home")
    assert app.stop == 0
    app.settle()
    page.keyboard.press("ArrowRight")
    assert app.stop == 1
    assert app.drawn().stop == 1
    app.settle()
    assert app.pixels().std() > 0
    tab_to(app, page.locator(".st-key-formula-one_pixel summary"))
    page.keyboard.press("Enter")
    tab_to(app, page.locator(".st-key-python-one_pixel summary"))
    page.keyboard.press("Enter")
    app.until(page.get_by_text("diffusion.load_picture").first.is_visible, "the Python does not open")
    tab_to(app, page.locator(".st-key-next-lesson button"))
    page.keyboard.press("Enter")
    app.until(lambda: page.locator(".st-key-ask-2-pixels").count(), "the next lesson does not open")
    app.settle()
    assert "✓" in page.locator(".st-key-lesson button").nth(1).inner_text()
    across = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert across[0] <= across[1], "nothing sticks out sideways"


def quoted(app: App) -> list[float]:
    text = app.page.locator(".st-key-explain-1").inner_text()
    return [float(number) for number in re.findall(r"\d\.\d{4}", text)]


def expected(seed: int) -> list[float]:
    x0 = learner(seed).x0()
    return [
        round(numbers.measured_total(x0, rule, sigma, steps, seed), 4)
        for rule, sigma in (("fixed", 0.5), ("scaled", 3.0))
        for steps in (10, 100)
    ]


@pytest.mark.parametrize("app", [(1440, 900)], indirect=True, ids=["laptop"])
def test_the_numbers_follow_the_seed(app: App) -> None:
    for question in ("1-fixed", "1-scaled"):
        app.page.locator(f".st-key-pick-{question} [role=radiogroup] label").first.click()
        app.settle()
        app.page.locator(f".st-key-lock-{question} button").click()
        app.settle()
    before, drawn = quoted(app), app.pixels()
    assert before == expected(0)
    entry = app.page.locator(".st-key-seed input")
    entry.fill("41")
    entry.press("Enter")
    app.settle()
    app.until(lambda: quoted(app) != before, "the numbers stay")
    assert quoted(app) == expected(41)
    assert (app.pixels() != drawn).any()
