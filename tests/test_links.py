"""Links: what is written is read back, and whatever else stands in an address does no harm."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from page import opened

from diffusion import GRIDS, PROCESSES, SAMPLERS, Crop
from ui import links
from ui.compare import OTHER
from ui.endings import COUNTS
from ui.locks import LOCKABLE
from ui.settings import (
    BACK_STEPS_RANGE,
    INDEX_RANGE,
    PHOTO_SIZES,
    SEED_RANGE,
    SIGMA_Q_RANGE,
    STARTS,
    STEPS_RANGE,
)
from ui.state import Session

SHARE = st.floats(0, 1).map(lambda x: round(x, 5))
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "sample": st.sampled_from(["cat", "three"]),
        "model": st.sampled_from(["digits", "dogs", "photos"]),
        "size": st.sampled_from(PHOTO_SIZES),
        "process": st.sampled_from(list(PROCESSES)),
        "sigma_q": st.floats(*SIGMA_Q_RANGE),
        "steps": st.integers(*STEPS_RANGE),
        "grid": st.sampled_from(GRIDS),
        "seed": st.integers(*SEED_RANGE),
        "start": st.sampled_from(STARTS),
        "sampler": st.sampled_from(list(SAMPLERS)),
        "back_steps": st.integers(*BACK_STEPS_RANGE),
        "back_grid": st.sampled_from(GRIDS),
        "index": st.integers(*INDEX_RANGE),
        "view": st.sampled_from(["clipped", "spread"]),
        "at": st.integers(0, 100),
        "crop": st.builds(Crop, SHARE, SHARE, SHARE),
        "lock": st.lists(st.sampled_from(list(LOCKABLE)), unique=True),
        "projector": st.integers(0, 1),
        "learn": st.sets(st.integers(1, 7), min_size=1),
        "lesson": st.integers(0, 8),
        "lesson_network": st.sampled_from(["dogs", "digits"]),
        "language": st.sampled_from(["en", "zh"]),
        "gallery_model": st.sampled_from(["digits", "dogs"]),
        "gallery_seed": st.integers(*SEED_RANGE),
        "endings": st.sampled_from(COUNTS),
        "endings_sampler": st.sampled_from(list(SAMPLERS)),
        "endings_t": SHARE,
        "differ": st.lists(st.sampled_from(list(OTHER)), unique=True),
        "b_model": st.sampled_from(["digits", "dogs", "photos"]),
        "b_process": st.sampled_from(list(PROCESSES)),
        "b_sigma_q": st.floats(*SIGMA_Q_RANGE),
        "b_seed": st.integers(*SEED_RANGE),
        "b_back_grid": st.sampled_from(GRIDS),
    },
)


@given(values=VALUES)
def test_what_is_written_is_read_back(values: dict[str, Any]):
    defaults = {field.name: field.default for field in links.fields()}
    found, notes = links.read(links.written(values))
    assert notes == []
    assert defaults | found == defaults | values


def test_what_stands_at_its_default_is_left_out():
    assert links.written({field.name: field.default for field in links.fields()}) == {}


def test_a_gallery_travels_with_the_class_it_was_asked_for():
    values = {"gallery_model": "digits", "gallery_seed": 7, "gallery_label-digits": "3", "model": "photos"}
    address = links.written(values)
    assert address == {"gallery_model": "digits", "gallery_seed": "7", "gallery_label": "3"}
    values.pop("model")
    assert links.read(address) == (values, [])
    found, notes = links.read(address | {"gallery_label": "pug"})
    assert "gallery_label-digits" not in found
    assert len(notes) == 1
    found, notes = links.read({"gallery_label": "3", "gallery_model": "photos"})  # photos makes none
    assert not any("label" in name for name in found)


NAMES = st.sampled_from([field.name for field in links.fields()] + ["label", "nobody"])


@given(params=st.dictionaries(NAMES, st.text(max_size=40) | st.floats().map(str) | st.integers().map(str)))
def test_any_address_is_read(params: dict[str, str]):
    values, notes = links.read(params)
    for field in links.fields():
        if field.name in values:
            assert field.read(links._text(values[field.name])) == values[field.name]
    assert all(len(note) < 400 for note in notes)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("steps", "0"), ("steps", "1001"), ("steps", "1e2"), ("steps", "ten"), ("steps", "9" * 5000),
        ("steps", ""),
        ("sigma_q", "nan"), ("sigma_q", "inf"), ("sigma_q", "-3"), ("sigma_q", "1e999"),
        ("seed", "-1"), ("seed", "4294967296"), ("process", "magic"), ("model", "../../etc/passwd"),
        ("size", "1000000"), ("crop", "1,2"), ("crop", "nan,0,0"), ("crop", "a,b,c"), ("label", "pug"),
        ("lock", ""), ("lock", "process,"), ("lock", "process,everything"), ("projector", "2"),
        ("language", "tlh"), ("at", "-5"), ("view", "<script>"),
        ("endings", "5"), ("endings_t", "1.5"), ("differ", "sampler,sampler"), ("differ", "all"),
        ("b_seed", "-1"), ("b_sampler", "magic"), ("b_model", "none"),
        ("learn", ""), ("learn", "8"), ("learn", "11"), ("learn", "21"), ("learn", "1,2"), ("learn", "٣"),
        ("learn", "1" * 5000), ("lesson", "9"), ("lesson_network", "magic"),
    ],
)  # fmt: skip
def test_nonsense_falls_back_with_a_note(name: str, text: str):
    values, notes = links.read({name: text, "seed": "7"} if name != "seed" else {name: text})
    assert name not in values
    if text or name != "label":
        (note,) = notes
        assert f"{name} = {text[:24]}" in note
    assert values.get("seed") == (7 if name != "seed" else None)


def test_an_upload_is_never_in_a_link():
    values, notes = links.read({"sample": "upload", "crop": "0.4,0.4,0.5", "steps": "9"})
    assert values == {"steps": 9}
    (note,) = notes
    assert "upload it again" in note


def test_an_upload_cannot_be_locked():
    values, _ = links.read({"sample": "upload", "lock": "sample,seed"})
    assert values["lock"] == ["seed"]


@pytest.mark.usefixtures("shipped")
def test_a_link_restores_the_view_to_the_last_bit():
    first = opened(model="digits", sample="three")
    first.number_input(key="steps").set_value(40)
    first.number_input(key="seed").set_value(5)
    first.selectbox(key="process").set_value("ddpm_cosine")
    first.selectbox(key="label-digits").set_value("2").run()
    here: Session = first.session_state["journey"]
    here.origin = here.stop = 17
    first.run()
    address = dict(first.query_params)
    expected = {
        "model": "digits", "sample": "three", "steps": "40", "seed": "5", "process": "ddpm_cosine",
        "label": "2", "at": "17",
    }  # fmt: skip
    assert address == expected

    again: Session = opened(**address).session_state["journey"]
    assert again.there is not None
    assert here.there is not None
    assert again.stop == 17
    assert torch.equal(again.there.frames, here.there.frames)


@pytest.mark.usefixtures("shipped")
def test_a_broken_link_opens_with_notes():
    app = opened(steps="99999", sigma_q="nan", model="none", junk="1", sample="upload")
    assert len(app.toast) == 4
    assert app.number_input(key="steps").value == 100
    assert "sigma_q" not in app.query_params


@pytest.mark.usefixtures("shipped")
def test_a_link_brings_the_lessons_progress():
    app = opened(learn="13", lesson="2")
    app.switch_page("ui/pages/learn.py").run()
    assert not app.exception
    assert app.session_state["learning"].done == {1, 3}
    assert app.session_state["learning"].lesson == 2
    address = {name: "".join(value) for name, value in app.query_params.items()}  # a text, or a list of one
    assert address == {"learn": "13", "lesson": "2"}
    app.session_state["learning"].done.add(2)
    app.run()
    assert "".join(app.query_params["learn"]) == "123"
