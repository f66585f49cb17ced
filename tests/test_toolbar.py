"""The row under the stage, without a browser: projector and download."""

from pathlib import Path

import pytest
from page import opened
from streamlit.testing.v1 import AppTest

from ui import words


@pytest.fixture
def app(shipped: Path) -> AppTest:
    return opened(model="digits")


def headings(app: AppTest) -> set[str]:
    return {heading.value for heading in app.subheader}


def test_the_projector_leaves_nothing_but_the_stage_and_gives_all_back(app: AppTest):
    before, plots = headings(app), len(app.get("plotly_chart"))
    stage = app.session_state["journey"].there
    assert plots
    app.button(key="to-projector").click().run()
    assert not app.exception
    assert app.query_params["projector"] == "1"
    assert not app.get("plotly_chart")
    assert app.button(key="walk")
    app.button(key="to-projector").click().run()
    assert "projector" not in app.query_params
    assert headings(app) == before
    assert len(app.get("plotly_chart")) == plots
    assert app.session_state["journey"].there is stage


def test_the_download_is_offered_with_what_it_holds(app: AppTest):
    (download,) = app.get("download_button")
    assert not download.proto.disabled
    assert words.DOWNLOAD in [caption.value for caption in app.caption]
