"""A teacher's link: what it locks cannot be moved, and the rest can."""

import pytest
from page import opened
from streamlit.testing.v1 import AppTest

from ui import links
from ui.controls import KEPT
from ui.locks import LOCKABLE

#: What a preset sets.
PRESET = {"process", "sigma_q", "steps", "grid", "start", "sampler", "back_steps", "back_grid"}


def widgets(app: AppTest) -> dict[str, bool]:
    """Every control by its key, and whether it is disabled."""
    kinds = (app.selectbox, app.number_input, app.radio, app.button_group, app.toggle)
    return {w.key: w.proto.disabled for kind in kinds for w in kind if w.key}


def test_every_lock_is_a_setting_of_a_link():
    assert LOCKABLE.keys() <= {field.name for field in links.fields()} | {"label"}


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("name", LOCKABLE)
def test_each_lock_holds_its_control_and_no_other(name: str):
    model = "photos" if name == "size" else "digits"
    free = widgets(opened(model=model))
    app = opened(model=model, lock=name)
    held = widgets(app)
    key = f"label-{model}" if name == "label" else name
    expected = {key} | ({"camera_on"} if name == "sample" else set())
    if name in PRESET:
        expected.add("preset")  # it would set what is locked
    assert {other for other in free if held[other] != free[other]} == expected
    assert dict(app.query_params)["lock"] == name
    assert any("lock" in note.value for note in app.info)
    app.button(key="unlock").click().run()
    assert widgets(app) == free
    assert "lock" not in dict(app.query_params)


@pytest.mark.usefixtures("shipped")
def test_locked_settings_are_those_of_the_link():
    app = opened(model="digits", lock="process,sampler,seed", process="ddpm_cosine", sampler="heun", seed="9")
    assert app.selectbox(key="process").value == "ddpm_cosine"
    assert app.selectbox(key="sampler").value == "heun"
    assert app.number_input(key="seed").value == 9
    assert app.selectbox(key="process").label.startswith(":material/lock:")
    assert not app.selectbox(key="grid").label.startswith(":material/lock:")
    assert LOCKABLE.keys() - {"label"} <= KEPT


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(("page", "names"), [("compare", {"start", "view"}), ("learn", {"seed"})])
def test_other_pages_hold_what_they_share_with_the_journey(page: str, names: set[str]):
    app = opened(model="digits", lock=",".join(sorted(names)))
    app.switch_page(f"ui/pages/{page}.py").run()
    assert not app.exception
    held = widgets(app)
    assert names <= held.keys()
    assert all(held[name] for name in names)


@pytest.mark.usefixtures("shipped")
def test_without_locks_nothing_is_said_of_them():
    app = opened(model="digits")
    assert not app.info
    assert "lock" not in app.query_params
