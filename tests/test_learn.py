"""Every lesson on its page, without a browser: predict, lock in, and only then see."""

import re
import threading
from pathlib import Path

import pytest
from page import PATIENCE, opened
from streamlit.testing.v1 import AppTest

from diffusion import checkpoint
from ui.lessons import LESSONS, rhythm
from ui.lessons.rhythm import Learning
from ui.turns import PAGE, PART, turns

pytestmark = pytest.mark.usefixtures("fresh_caches")

#: The questions of each lesson, in their order.
QUESTIONS = {
    1: ("1-fixed", "1-scaled"),
    2: ("2-pixels", "2-squint"),
    3: ("3-blurry", "3-learn"),
    4: ("4-far", "4-noise"),
    5: ("5-grain", "5-finer"),
    6: ("6-sixteen", "6-narrow", "6-return"),
    7: ("7-what", "7-remember"),
}
#: The explanation each question leads to.
EXPLAINED = {
    1: ("1",), 2: ("2",), 3: ("3-blurry", "3-learn"), 4: ("4-far", "4-noise"), 5: ("5",),
    6: ("6-sixteen", "6-narrow", "6-return"), 7: ("7-what",),
}  # fmt: skip


def test_what_a_lesson_asks_the_network_keeps_nobody_from_drawing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rhythm, "learning", Learning)
    drawn = threading.Event()

    def draw() -> None:
        with turns.turn(PART):
            drawn.set()

    other = threading.Thread(target=draw)
    with turns.turn(PAGE):
        other.start()
        assert rhythm.once("what", 1, lambda: drawn.wait(60))
    other.join(60)


def learn_page() -> AppTest:
    app = opened()
    app.switch_page("ui/pages/learn.py").run()
    assert not app.exception
    return app


@pytest.fixture
def app(shipped: Path) -> AppTest:
    return learn_page()


def here(app: AppTest) -> Learning:
    return app.session_state["learning"]


def settled(app: AppTest) -> AppTest:
    """Let every task come to its end."""
    while running := [task for _key, task in here(app).tasks.values() if task.computing]:
        for task in running:
            task.wait(PATIENCE)
        app.run()
    assert not app.exception
    assert not [task.notice for _key, task in here(app).tasks.values() if task.notice]
    return app


def keys(app: AppTest) -> set[str | None]:
    return {button.key for button in app.button}


def explanations(app: AppTest) -> list[str]:
    """The texts under every "Why"."""
    texts = [m.value for m in app.markdown]
    return [texts[k + 1] for k, text in enumerate(texts) if "**Why**" in text]


def lock(app: AppTest, question: str) -> AppTest:
    """Answer with whatever comes first."""
    if question == "2-pixels":
        app.slider(key="pick-2-pixels").set_value(0.2)
    else:
        radio = app.radio(key=f"pick-{question}")
        radio.set_value(next(iter(_codes(question))))
    app.run()
    app.button(key=f"lock-{question}").click().run()
    assert not app.exception
    return settled(app)


def test_what_is_picked_last_is_locked_in(app: AppTest) -> None:
    question = QUESTIONS[1][0]
    first, second, *_ = _codes(question)
    app.radio(key=f"pick-{question}").set_value(first).run()
    app.radio(key=f"pick-{question}").set_value(second)
    app.button(key=f"lock-{question}").click().run()  # before the page has come back
    assert here(app).picked[question] == second


def test_a_lesson_s_thumb_keeps_its_time(app: AppTest) -> None:
    for question in QUESTIONS[1]:
        lock(app, question)
    app.slider(key="1-steps").set_value(100).run()
    shown = here(app).stages["1"]
    assert shown.there.stops[shown.stop].t == 1.0


def _codes(question: str) -> list[str]:
    from ui import lessons

    for module in lessons._MODULES:
        for value in vars(module).values():
            if getattr(value, "name", None) == question:
                return list(value.choices)
    raise KeyError(question)


def numbers_in(texts: list[str]) -> list[str]:
    return re.findall(r"\*\*(-?\d\.\d{2,})\*\*", " ".join(texts))


@pytest.mark.parametrize("number", range(1, 8))
def test_a_lesson_from_its_question_to_its_end(app: AppTest, number: int) -> None:
    if number > 1:
        app.button_group(key="lesson").set_value(number).run()
    assert here(app).lesson == number
    for question in QUESTIONS[number]:
        before = explanations(app)
        assert f"lock-{question}" in keys(app)
        assert app.button(key=f"lock-{question}").disabled == (question != "2-pixels"), (
            "nothing is picked yet"
        )
        assert number not in here(app).done
        lock(app, question)
        assert f"lock-{question}" not in keys(app)
        assert len(explanations(app)) >= len(before)
    assert len(explanations(app)) == len(EXPLAINED[number])
    assert numbers_in(explanations(app)), "it quotes numbers"
    assert number in here(app).done
    # The next seed makes other numbers under the same, locked answers.
    before = numbers_in(explanations(app))
    app.number_input(key="seed").set_value(11).run()
    settled(app)
    assert here(app).picked.keys() == set(QUESTIONS[number])
    assert numbers_in(explanations(app)) != before


def test_the_ways_from_another_thumb_are_walked_once(app: AppTest) -> None:
    """Those of the two questions stay; of the others only where the thumb stands."""
    app.button_group(key="lesson").set_value(6).run()
    for question in QUESTIONS[6][:2]:
        lock(app, question)
    asked = set(here(app).tasks)
    for stop in (3, 4):
        here(app).stages["6"].put(stop)
        app.run()
        _key, walked = here(app).tasks[f"6-{stop}"]
        settled(app)
        app.run()
        assert here(app).tasks[f"6-{stop}"][1] is walked
        assert walked.finished
        assert set(here(app).tasks) == asked | {f"6-{stop}"}


def test_nothing_is_revealed_before_the_answer_is_locked(app: AppTest) -> None:
    """No stage, no figure, no number, whatever lesson is opened; a pick alone reveals nothing."""
    for number in range(1, 8):
        app.button_group(key="lesson").set_value(number).run()
        assert not explanations(app)
        assert not app.get("plotly_chart")
        assert not here(app).tasks
        question = QUESTIONS[number][0]
        if number != 2:
            app.radio(key=f"pick-{question}").set_value(_codes(question)[0]).run()
            assert not explanations(app)
            assert not here(app).tasks


def test_the_way_through_all_lessons(app: AppTest) -> None:
    for question in QUESTIONS[1]:
        lock(app, question)
    app.button(key="next-lesson").click().run()
    assert here(app).lesson == 2
    assert app.session_state["lesson"] == 2
    assert not here(app).tasks
    label = next(group for group in app.button_group if group.key == "lesson").options[1]
    assert "✓" in label, "a done lesson is marked by more than a colour"


def test_progress_picture_and_seed_are_the_session_s(app: AppTest) -> None:
    """Another page and back: answers stay, and the journey has the same seed and picture."""
    for question in QUESTIONS[1]:
        lock(app, question)
    app.number_input(key="seed").set_value(5).run()
    app.switch_page("ui/pages/journey.py").run()
    assert app.number_input(key="seed").value == 5
    app.button_group(key="sample").set_value("boat").run()
    app.switch_page("ui/pages/learn.py").run()
    assert not app.exception
    assert here(app).done == {1}
    assert app.number_input(key="seed").value == 5
    assert app.session_state["journey"].picture.id == "boat"
    assert len(explanations(app)) == 1


def test_the_switch_of_rules_keeps_or_changes_the_total(app: AppTest) -> None:
    for question in QUESTIONS[1]:
        lock(app, question)
    ends = {}
    for rule in ("fixed", "scaled"):
        for steps in (10, 100):
            app.button_group(key="1-rule").set_value(rule)
            app.slider(key="1-steps").set_value(steps).run()
            ends[rule, steps] = here(app).stages["1"].there.stops[-1]
    assert ends["scaled", 10].sigma == ends["scaled", 100].sigma == 3
    assert ends["fixed", 100].sigma == pytest.approx(10**0.5 * ends["fixed", 10].sigma)
    assert all(end.measured == pytest.approx(end.sigma**2, rel=0.2) for end in ends.values())


def test_without_networks_every_lesson_says_so_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "PRETRAINED", tmp_path)
    app = learn_page()
    for number in range(1, len(LESSONS) + 1):
        app.button_group(key="lesson").set_value(number).run()
        for question in QUESTIONS[number]:
            if f"lock-{question}" in keys(app):
                lock(app, question)
        assert not app.exception
        assert number in here(app).done
        assert bool(app.info) == (number > 2)


def test_an_altered_network_is_one_sentence(
    shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in shipped.iterdir():
        data = file.read_bytes()
        (tmp_path / file.name).write_bytes(data[:-1] if file.suffix == ".safetensors" else data)
    monkeypatch.setattr(checkpoint, "PRETRAINED", tmp_path)
    app = learn_page()
    app.button_group(key="lesson").set_value(3).run()
    assert not app.exception
    assert app.warning
    lock(app, "3-blurry")
    assert not app.exception
