"""Changing the language changes the words, and nothing else."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from page import opened
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.testing.v1 import AppTest

from ui import language, switch

SET = {
    "sigma_q": 20.0, "steps": 7, "seed": 5, "back_steps": 4, "process": "brownian", "grid": "rho7",
    "sampler": "ddim", "back_grid": "uniform_t", "start": "noise", "view": "spread", "model": "digits",
    "label-digits": "2", "sample": "coffee",
}  # fmt: skip


@pytest.fixture
def app(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """A page on which everything has been set, in English, with a way back."""
    app = opened()
    inside = language.current

    def everywhere() -> str:
        """AppTest looks for a choice by its text too, but outside the session."""
        return inside() if get_script_run_ctx(suppress_warning=True) else app.session_state["language"]

    monkeypatch.setattr(language, "current", everywhere)
    app.radio(key="model").set_value("digits").run()
    app.pills(key="sample").set_value("coffee").run()
    for key in ("sigma_q", "steps", "seed", "back_steps"):
        app.number_input(key=key).set_value(SET[key])
    for key in ("process", "grid", "sampler", "back_grid", "label-digits"):
        app.selectbox(key=key).set_value(SET[key])
    for key in ("start", "view"):
        app.segmented_control(key=key).set_value(SET[key])
    app.run()
    app.button(key="walk").click().run()
    app.session_state["journey"].run.wait(120)
    app.run()
    assert not app.exception
    return app


def speak(app: AppTest, code: str) -> None:
    app.segmented_control(key="language").set_value(code).run()
    assert not app.exception


def stands(app: AppTest) -> dict[str, object]:
    return {key: app.session_state[key] for key in SET}


def test_nothing_is_lost_on_the_way_to_chinese_and_back(app: AppTest):
    here = app.session_state["journey"]
    there, run, picture, stop = here.there, here.run, here.picture, here.stop
    assert stands(app) == SET
    assert app.button(key="one").label == "One step"
    for code, label in (("zh", "走一步"), ("en", "One step")):
        speak(app, code)
        assert app.button(key="one").label == label
        assert stands(app) == SET
        assert here.there is there
        assert here.run is run
        assert here.picture is picture
        assert here.stop == stop


def test_a_class_that_arrives_in_the_old_language_is_read_again(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
):
    """Whoever touches a widget just while the language changes sends every choice by its old text."""
    monkeypatch.setattr(switch, "st", SimpleNamespace(session_state=(sent := dict(stands(app)))))
    monkeypatch.setattr(switch, "session", lambda: app.session_state["journey"])
    sent["label-digits"] = "a text that is no digit"
    switch.mend()
    assert sent["label-digits"] == "2"


def test_an_error_is_told_in_the_language_of_now(app: AppTest):
    app.file_uploader[0].upload("bad.png", b"", "image/png").run()
    assert app.error[0].value.startswith("This file is empty")
    speak(app, "zh")
    assert app.error[0].value == "这个文件是空的（0 字节）；请选一张 PNG 或 JPEG。"


def test_a_click_in_the_old_language_costs_no_setting():
    """Streamlit's browser side sends choices by the text it shows: all of them, in the old language."""

    def script() -> None:
        import streamlit as st

        from ui import switch, words

        st.session_state.update({"sampler": "ddim", "start": "noise", "sample": None, "seed": 5})
        switch.mend()
        st.session_state.update(sampler=words.SAMPLERS["heun"], start="inversion", preset="照教程")
        switch.mend()

    app = AppTest.from_function(script, default_timeout=120).run()
    assert not app.exception
    assert app.session_state["sampler"] == "ddim"
    assert app.session_state["start"] == "inversion"
    assert app.session_state["seed"] == 5
    assert app.session_state["sample"] is None
    assert "preset" not in app.session_state


def test_the_document_says_its_language(app: AppTest):
    def script() -> str:
        (found,) = [html.proto.body for html in app.get("html") if "documentElement" in html.proto.body]
        return found

    assert "lang = 'en'" in script()
    speak(app, "zh")
    assert "lang = 'zh-Hans'" in script()
