"""What one page must not lose while another is shown, and what an interrupted rerun must not mix up."""

from pathlib import Path

import pytest
from page import opened

ROOT = Path(__file__).parent.parent


@pytest.fixture
def page(shipped, monkeypatch):
    monkeypatch.chdir(ROOT)
    return opened()


def test_a_visit_to_another_page_loses_nothing(page):
    page.number_input(key="sigma_q").set_value(20.0).run()
    page.number_input(key="seed").set_value(7).run()
    page.selectbox(key="sampler").set_value("ddim").run()
    before = page.session_state["journey"].there
    page.switch_page("ui/pages/networks.py").run()
    assert not page.exception
    page.switch_page("ui/pages/journey.py").run()
    assert not page.exception
    assert page.number_input(key="sigma_q").value == 20.0
    assert page.number_input(key="seed").value == 7
    assert page.selectbox(key="sampler").value == "ddim"
    assert page.session_state["journey"].there is before


def test_a_preset_is_lit_only_while_it_is_true(page):
    page.button_group(key="preset").set_value("gentle").run()
    assert page.number_input(key="sigma_q").value == 0.5
    assert page.session_state["preset"] == "gentle"
    page.number_input(key="sigma_q").set_value(1.5).run()
    assert page.session_state["preset"] is None
    assert page.number_input(key="sigma_q").value == 1.5


def test_a_second_way_back_forgets_the_first(page):
    page.button_group(key="start").set_value("noise").run()
    page.button(key="walk").click().run()
    here = page.session_state["journey"]
    first = here.run
    assert first is not None
    first.wait(120)
    page.run()
    page.button(key="walk").click().run()
    second = here.run
    assert second is not first
    second.wait(120)
    page.run()
    names = [name for name in here.chunks._packed if name.startswith("back")]
    assert names
    assert all(name.startswith(f"back-{second.number}-") for name in names)
