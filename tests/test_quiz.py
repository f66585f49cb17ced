"""The six questions before and after: locked one by one, solved only when both halves are done."""

import csv
import io
import math

import pytest
from page import opened
from streamlit.testing.v1 import AppTest

from ui.language import _
from ui.lessons import LESSONS, numbers, quiz
from ui.lessons.quiz import IDEAS, PLACES

pytestmark = pytest.mark.usefixtures("fresh_caches")

RIGHT = {half: {i.asked[half][0].name: i.asked[half][0].right for i in IDEAS} for half in PLACES}


def wrong(name: str) -> str:
    question = next(q for i in IDEAS for q, _values in i.asked.values() if q.name == name)
    return next(code for code in question.choices if code != question.right)


def test_both_halves_ask_the_same_ideas_and_each_question_once() -> None:
    assert len(IDEAS) == 6
    names = [i.asked[half][0].name for half in PLACES for i in IDEAS]
    assert len(set(names)) == 12
    assert set(PLACES.values()) == {0, len(LESSONS) + 1}
    for idea in IDEAS:
        (pre, before), (post, after) = idea.asked["pre"], idea.asked["post"]
        assert (pre.text, before) != (post.text, after), "asked anew"
        for question, values in idea.asked.values():
            texts = [_(text).format(**values) for text in question.choices.values()]
            assert len(set(texts)) == len(texts) == 4
            assert question.right in question.choices
            assert "{" not in _(question.text).format(**values)
    places = [list(q.choices).index(q.right) for i in IDEAS for q, _v in i.asked.values()]
    assert len(set(places)) == 4, "no place gives the answer away"


@pytest.mark.parametrize("half", PLACES)
def test_the_answers_in_numbers_are_those_of_the_theory(half: str) -> None:
    by_name = {idea.name: idea.asked[half] for idea in IDEAS}
    question, values = by_name["variances"]
    assert question.choices[question.right].format(**values) == f"{values['step'] * values['count'] ** 0.5:g}"
    question, values = by_name["grain"]
    assert f"{values['sigma'] / math.sqrt(10):.2g}" in question.choices[question.right].format(**values)
    # ... and without a network: with the exact one for data of no spread, all that is left is grain.
    left = numbers.end_spread(0, values["sigma"], 10, "algorithm1")
    assert left == pytest.approx(values["root"])


def test_scores_and_gain() -> None:
    assert quiz.score({}, "pre") is None
    assert quiz.score(RIGHT["pre"], "pre") == 6
    assert quiz.score(RIGHT["pre"], "post") is None
    some = {name: right if k < 2 else wrong(name) for k, (name, right) in enumerate(RIGHT["pre"].items())}
    assert quiz.score(some, "pre") == 2
    assert quiz.gain(2, 5) == pytest.approx(0.75)
    assert quiz.gain(3, 3) == 0
    assert math.isnan(quiz.gain(6, 6))


def read(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_the_file_has_a_row_a_question() -> None:
    picked = dict(RIGHT["pre"]) | {"1-fixed": "root"}
    found = read(quiz.in_csv(quiz.rows(picked, 'Zoë "Z", 李', 7)))
    assert [row["question"] for row in found] == [idea.name for idea in IDEAS]
    assert {row["test"] for row in found} == {"pre"}, "a half that is open is left out"
    assert {row["name"] for row in found} == {'Zoë "Z", 李'}
    assert all(row["given"] == row["right"] and row["correct"] == "1" for row in found)
    assert {(row["seed"], row["version"]) for row in found} == {("7", str(quiz.VERSION))}
    picked |= {name: wrong(name) for name in RIGHT["post"]}
    found = read(quiz.in_csv(quiz.rows(picked, "", 7)))
    assert len(found) == 12
    assert [row["correct"] for row in found] == ["1"] * 6 + ["0"] * 6
    assert tuple(found[0]) == quiz.COLUMNS


@pytest.mark.parametrize("name", ["=1+1", "+A1", "-2", "@SUM(A1)", "\t=1+1", "  =1+1", "a\r\n=1+1"])
def test_no_name_is_a_formula_or_a_row(name: str) -> None:
    found = read(quiz.in_csv(quiz.rows(RIGHT["pre"], name, 0)))
    assert len(found) == 6
    assert found[0]["name"][0] not in "=+-@\t\r"


# --- on the page ----------------------------------------------------------------------------------


def answered(app: AppTest, half: str, *, right: bool) -> AppTest:
    app.button_group(key="lesson").set_value(PLACES[half]).run()
    for name, code in RIGHT[half].items():
        assert app.button(key=f"lock-{name}").disabled
        app.radio(key=f"pick-{name}").set_value(code if right else wrong(name)).run()
        app.button(key=f"lock-{name}").click().run()
        assert not app.exception
        assert f"lock-{name}" not in {button.key for button in app.button}
    return app


def said(app: AppTest) -> str:
    return "\n".join([m.value for m in app.markdown] + [h.proto.body for h in app.get("html")])


@pytest.mark.usefixtures("shipped")
def test_nothing_is_solved_before_both_are_done() -> None:
    app = opened()
    app.switch_page("ui/pages/learn.py").run()
    answered(app, "pre", right=False)
    assert "0 of 6 right" in said(app)
    assert "so it is" not in said(app)
    assert not app.table
    assert app.session_state["learning"].done == set(), "the test is no lesson"
    assert len(app.get("download_button")) == 1
    app.text_input(key="quiz-name").set_value("Ada").run()
    assert "Ada" not in str(app.query_params)
    assert "Ada" not in repr(app.session_state["learning"])

    answered(app, "post", right=True)
    assert "6 of 6 right" in said(app)
    assert "100%" in said(app)
    assert said(app).count("so it is") == 6
    assert app.table[0].value.iloc[:, 1:].to_numpy().tolist() == [["✗", "✓"]] * 6
    labels = next(group for group in app.button_group if group.key == "lesson").options
    assert "✓" in labels[0]
    assert "✓" in labels[-1]
    assert not app.exception


@pytest.mark.usefixtures("shipped")
def test_the_way_on_from_the_first_half_and_from_the_last_lesson() -> None:
    app = opened()
    app.switch_page("ui/pages/learn.py").run()
    answered(app, "pre", right=True).button(key="next-lesson").click().run()
    assert app.session_state["learning"].lesson == 1
    answered(app, "post", right=True)
    assert "Of what was missing" not in said(app), "nothing was"
    app.switch_page("ui/pages/journey.py").run()
    app.switch_page("ui/pages/learn.py").run()
    assert "Before: **6**" in said(app), "answers outlive a visit to another page"
