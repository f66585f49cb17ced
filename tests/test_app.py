"""The app's logic without a browser: what the widgets do to the journey.

Small networks of no meaning stand in for the shipped ones where only the logic matters.
"""

import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from page import PATIENCE, opened
from PIL import Image
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.testing.v1 import AppTest

from diffusion import GRIDS, PROCESSES, SAMPLERS, checkpoint
from diffusion.generate import picked_class
from diffusion.guidance import Guidance
from diffusion.pictures import open_picture
from ui import actions, endings_view, words
from ui.endings import FanRun
from ui.journey import WayThere, plan_back, walk_there
from ui.queue import BusyError, Queue
from ui.resources import cards, samples
from ui.settings import (
    BACK_STEPS_RANGE,
    INDEX_RANGE,
    MOST_WORK,
    PHOTO_SIZES,
    PRESETS,
    SEED_RANGE,
    SIGMA_Q_RANGE,
    STARTS,
    STEPS_RANGE,
    There,
)
from ui.stage import Told
from ui.state import Session

pytestmark = pytest.mark.usefixtures("fresh_caches")


@pytest.fixture
def app(shipped: Path) -> AppTest:
    """The journey page with small networks, on the quickest of them."""
    return opened(model="digits")


def here(app: AppTest) -> Session:
    return app.session_state["journey"]


def there(app: AppTest) -> WayThere:
    way = here(app).there
    assert way is not None
    return way


def expected(app: AppTest, settings: There, size: int = 12, channels: int = 1) -> WayThere:
    """What the core makes of the session's picture."""
    picture = here(app).picture
    assert picture is not None
    *_, way = walk_there(picture.tensor(size, channels, here(app).crop), settings)
    assert isinstance(way, WayThere)
    return way


def same(one: WayThere, other: WayThere) -> bool:
    return (
        one.settings == other.settings and one.stops == other.stops and torch.equal(one.frames, other.frames)
    )


def put(app: AppTest, stop: int) -> AppTest:
    """Let the thumb stand somewhere on the way there."""
    here(app).stand(stop)
    here(app).move_to(stop)
    return app.run()


def press(app: AppTest, key: str) -> AppTest:
    """Press a button, and let what it started come to its end."""
    app.button(key=key).click().run()
    return settled(app)


def settled(app: AppTest) -> AppTest:
    run = here(app).run
    while run is not None and run.computing:
        run.wait(PATIENCE)
        app.run()
    assert not app.exception
    return app


def keys(app: AppTest) -> set[str | None]:
    return {button.key for button in app.button}


# --- opening ------------------------------------------------------------------------------------


def test_opens_on_the_shipped_networks() -> None:
    app = opened()
    assert not app.error
    assert not app.warning
    name = str(app.radio(key="model").value)
    card = checkpoint.read_card(name)
    channels = card["architecture"]["channels"]
    assert there(app).x0.shape[1] == channels
    assert same(there(app), expected(app, There(), there(app).x0.shape[-1], channels))
    assert here(app).run is None
    assert app.button(key="clear").disabled
    assert not app.button(key="walk").disabled


def test_second_page_opens() -> None:
    app = opened().switch_page("ui/pages/networks.py").run()
    assert not app.exception
    assert [heading.value for heading in app.subheader] != []
    assert app.metric


def test_without_networks_the_way_there_still_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "PRETRAINED", tmp_path / "missing")
    app = opened()
    assert words.NO_MODELS in [warning.value for warning in app.warning]
    assert same(there(app), expected(app, There(), 64, 3))
    assert app.button(key="walk").disabled
    assert app.button(key="one").disabled
    app.number_input(key="seed").set_value(3).run()
    assert not app.exception
    assert there(app).settings.seed == 3
    app.switch_page("ui/pages/networks.py").run()
    assert not app.exception
    assert words.NO_MODELS in [info.value for info in app.info]


def test_a_broken_card_is_left_out(shipped: Path) -> None:
    card = shipped / "dogs.json"
    whole = card.read_bytes()
    card.write_text("{ no card")
    try:
        app = opened()
        assert "Dogs" not in app.radio(key="model").options
        assert not app.error
    finally:
        card.write_bytes(whole)


def test_altered_weights_are_one_sentence(shipped: Path) -> None:
    weights = shipped / "digits.safetensors"
    whole = weights.read_bytes()
    app = opened()
    app.radio(key="model").set_value("digits").run()
    weights.write_bytes(whole[:-4])
    try:
        press(app, "walk")
        assert here(app).run is None
        assert any("digits" in info.value for info in app.info)
    finally:
        weights.write_bytes(whole)
    press(app, "walk")
    assert not app.info
    assert here(app).run is not None


# --- the way there ------------------------------------------------------------------------------


def test_each_setting_computes_the_way_anew(app: AppTest) -> None:
    before = there(app)
    assert same(before, expected(app, There()))
    changes: list[tuple[str, Any]] = [
        ("steps", 7), ("steps", 1), ("sigma_q", 20.0), ("seed", 12),
        ("process", "straight_line"), ("grid", "rho7"),
    ]  # fmt: skip
    for key, value in changes:
        fields: Any = app.selectbox if isinstance(value, str) else app.number_input
        fields(key=key).set_value(value).run()
        assert not app.exception
        assert same(there(app), expected(app, replace(There(), **{key: value}))), key
        assert not torch.equal(there(app).frames[-1], before.frames[-1])
        fields(key=key).set_value(getattr(There(), key)).run()
        assert same(there(app), before), key


def test_a_rerun_computes_nothing(app: AppTest) -> None:
    before = there(app)
    app.run()
    app.selectbox(key="sampler").set_value("ddim").run()
    assert there(app) is before


def test_every_process_and_grid_can_be_shown(app: AppTest) -> None:
    app.number_input(key="steps").set_value(5).run()
    for process in PROCESSES:
        for grid in GRIDS:
            app.selectbox(key="process").set_value(process)
            app.selectbox(key="grid").set_value(grid)
            app.run()
            assert not app.exception, (process, grid)
            assert same(there(app), expected(app, There(process, 3.0, 5, grid)))
        assert app.number_input(key="sigma_q").disabled == (process != "brownian")


@pytest.mark.parametrize("name", list(PRESETS))
def test_presets_set_the_widgets(app: AppTest, name: str) -> None:
    app.number_input(key="seed").set_value(5).run()
    app.pills(key="preset").set_value(name).run()
    assert not app.exception
    preset = PRESETS[name]
    for key, value in {
        "sigma_q": preset.there.sigma_q,
        "steps": preset.there.steps,
        "back_steps": preset.back.steps,
        "seed": 5,  # a person's own choice stays
    }.items():
        assert app.number_input(key=key).value == value, key
    for key, value in {
        "process": preset.there.process,
        "grid": preset.there.grid,
        "sampler": preset.back.sampler,
        "back_grid": preset.back.grid,
    }.items():
        assert app.selectbox(key=key).value == value, key
    assert app.segmented_control(key="start").value == preset.back.start
    assert there(app).settings.sigma_q == preset.there.sigma_q


def test_number_fields_are_bounded_and_say_so(app: AppTest) -> None:
    bounds = {
        "steps": STEPS_RANGE, "sigma_q": SIGMA_Q_RANGE, "seed": SEED_RANGE, "back_steps": BACK_STEPS_RANGE,
        "index": INDEX_RANGE,
    }  # fmt: skip
    assert {field.key for field in app.number_input} == set(bounds)
    for key, (low, high) in bounds.items():
        field = app.number_input(key=key)
        assert (field.min, field.max) == (low, high)
        assert f"{low:g}" in field.help
        assert f"{high}" in field.help or f"{high:g}" in field.help


def test_the_network_decides_size_and_channels(app: AppTest) -> None:
    assert there(app).x0.shape == (1, 1, 12, 12)
    app.radio(key="model").set_value("dogs").run()
    assert there(app).x0.shape == (1, 3, 16, 16)
    app.radio(key="model").set_value("photos").run()
    assert there(app).x0.shape[-1] in PHOTO_SIZES
    for size in PHOTO_SIZES:
        app.segmented_control(key="size").set_value(size).run()
        assert not app.exception
        assert there(app).x0.shape == (1, 3, size, size)
        assert same(there(app), expected(app, There(), size, 3))


def test_the_thumb_keeps_its_time_when_there_are_other_steps(app: AppTest) -> None:
    put(app, 60)
    for steps in (10, 11, 12, 13, 1, 14, 1000, 100):
        app.number_input(key="steps").set_value(steps).run()
        assert here(app).origin == here(app).stop
        assert abs(there(app).stops[here(app).stop].t - 0.6) <= 0.5 / min(steps, 100) + 1e-9
    assert here(app).stop == 60


@pytest.mark.parametrize(
    ("sigma_q", "verdict", "other"),
    [(0.5, words.STILL_THERE, words.NOT_SEEN), (80.0, words.NOT_SEEN, words.STILL_THERE)],
)
def test_whether_the_picture_is_still_there_is_told(
    app: AppTest, sigma_q: float, verdict: str, other: str
) -> None:
    app.number_input(key="sigma_q").set_value(sigma_q).run()
    (text,) = (text.value for text in app.markdown if "Is $x_T$ pure noise?" in text.value)
    assert verdict in text
    assert other not in text
    said = re.search(r"correlation .*? \*\*(.*?)\*\*.* about (.*?) either", text)
    assert said is not None
    correlation, chance = map(float, said.groups())
    ends = torch.stack([there(app).x0.flatten(), there(app).frames[-1].flatten()]).numpy()
    assert correlation == pytest.approx(np.corrcoef(ends)[0, 1], abs=5.1e-4)
    assert chance == pytest.approx(2 / 12, abs=5.1e-4)  # two standard errors of 12*12 pixels


# --- the way back -------------------------------------------------------------------------------


def test_walks_back_from_the_thumb(app: AppTest) -> None:
    put(app, 60)
    start = there(app).frames[60:61]
    press(app, "walk")
    session = here(app)
    assert session.run is not None
    way = session.run.way
    assert session.run.finished
    assert way.start_t == there(app).stops[60].t
    assert way.start is not None
    assert torch.equal(way.start, start)
    assert session.stop == session.last() == len(there(app).stops) + len(way.ready()) - 1
    assert not app.button(key="clear").disabled
    assert "stop" not in keys(app)

    first = way.steps[-1].x_s
    press(app, "walk")  # from the same place once more
    assert session.run.way is not way
    assert session.run.way.start_t == way.start_t
    assert torch.equal(session.run.way.steps[-1].x_s, first)


def test_at_t_0_it_says_where_it_starts(app: AppTest) -> None:
    """At the first stop whose noise is at least half as strong as the picture: 3*sqrt(t) >= 1/2."""
    put(app, 0)
    assert app.button(key="walk").label == "Walk back from t = 0.03"
    press(app, "walk")
    run = here(app).run
    assert run is not None
    assert run.way.start_t == there(app).stops[3].t == 0.03
    assert run.finished


def test_every_start_finishes(app: AppTest) -> None:
    put(app, 40)
    app.number_input(key="back_steps").set_value(4)
    for start in STARTS:
        app.segmented_control(key="start").set_value(start).run()
        press(app, "walk")
        run = here(app).run
        assert run is not None
        assert run.finished
        assert run.error is None
        assert run.way.settings.start == start
        assert run.way.total == len(run.way.steps) == 4
        assert run.way.steps[-1].s < 1e-3
        assert run.way.start_t == (there(app).stops[40].t if start == "here" else 1)


def test_every_sampler_finishes(app: AppTest) -> None:
    app.number_input(key="back_steps").set_value(3)
    app.segmented_control(key="start").set_value("noise")
    for sampler in SAMPLERS:
        app.selectbox(key="sampler").set_value(sampler).run()
        press(app, "walk")
        run = here(app).run
        assert run is not None
        assert run.finished
        assert run.way.sampler == sampler
        for step in run.way.steps:
            assert torch.allclose(step.x_t - step.removed + step.eta(), step.x_s, atol=1e-5)


def told(app: AppTest) -> str:
    return "\n".join(text.value for text in (*app.markdown, *app.caption))


@pytest.mark.parametrize("model", ["dogs", "digits"])
def test_pure_noise_too_weak_to_start_from_is_told(app: AppTest, model: str) -> None:
    """Before and after; the card's figures are not for such a way."""
    app.radio(key="model").set_value(model).run()
    app.number_input(key="back_steps").set_value(2)
    app.segmented_control(key="start").set_value("noise").run()
    assert "spread 3 beside the picture (σ/α) is too weak a start" in told(app)
    press(app, "walk")
    assert "spread 3 beside the picture (σ/α) is too weak a start" in told(app)
    app.number_input(key="sigma_q").set_value(40.0).run()
    assert "too weak" not in told(app)


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(("looks", "least"), [(8, 8), (10, 10), (0, 10)])
def test_what_to_expect_is_told_of_ways_like_those_measured(
    looks: int, least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With as many looks as the card says, ten where it does not say; and not with far more."""
    best, offered, x0 = PRESETS["from_nothing"], cards(), torch.zeros(1, 3, 8, 8)
    card = offered["dogs"]
    evaluation = {
        "figures": [{"what": "dog rate, 10 evaluations", "value": 0.5, "target": 0.8}],
        "tables": [{"title": "", "rows": [{"pictures": "held out", "dog rate": 0.9}]}],
        "count": 64,
        "sha256": card["sha256"],
        "way": {"sampler": "ddim", "grid": "rho7", "guidance": card["guidance"], "looks": looks},
    }
    monkeypatch.setattr(actions, "cards", lambda: offered | {"dogs": card | {"evaluation": evaluation}})

    def said(looks: int, there: There = best.there, model: str = "dogs", **changes: str) -> str:
        back = replace(best.back, **{"sampler": "ddim", "grid": "rho7"} | changes)
        (way,) = [done for done in walk_there(x0, replace(there, steps=1)) if isinstance(done, WayThere)]
        return actions.expected(plan_back(way, 1, back, model), looks)

    figures, otherwise = "of 64 pictures from noise", "was made otherwise"
    assert [figures in said(n) for n in (least - 1, least, 20, 21)] == [False, True, True, False]
    assert otherwise in said(least - 1)
    assert otherwise in said(21)
    assert otherwise in said(least, sampler="posterior")
    assert otherwise in said(least, grid="uniform_t")
    assert "too weak" in said(least, replace(best.there, sigma_q=3.0))
    for process in set(PROCESSES) - {"brownian"}:
        assert figures in said(least, replace(best.there, process=process))
    assert said(least, model="photos") == ""


def test_too_long_a_way_is_refused_beforehand(app: AppTest) -> None:
    app.radio(key="model").set_value("photos").run()
    app.segmented_control(key="size").set_value(256)
    app.number_input(key="back_steps").set_value(250).run()
    assert app.button(key="walk").disabled
    assert app.button(key="one").disabled
    most = MOST_WORK // 256**2
    (warning,) = app.warning
    assert f"at most {most} steps" in warning.value
    app.number_input(key="back_steps").set_value(most).run()
    assert not app.button(key="walk").disabled
    assert not app.warning


def test_a_full_line_is_said_and_loses_nothing(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    put(app, 50)

    def full(*_: object) -> None:
        raise BusyError

    with monkeypatch.context() as patch:
        patch.setattr(Queue, "submit", full)
        press(app, "walk")
        assert [info.value for info in app.info] == [words.BUSY]
        assert here(app).stop == 50
    press(app, "walk")
    run = here(app).run
    assert run is not None
    assert run.finished
    assert not app.info


def test_one_step_then_go_on(app: AppTest) -> None:
    put(app, 100)
    press(app, "one")
    run = here(app).run
    assert run is not None
    assert len(run.way.steps) == 1
    press(app, "one")
    assert here(app).run is run
    assert len(run.way.steps) == 2
    press(app, "walk")
    assert here(app).run is run
    assert run.finished
    alone = run.way.steps[-1].x_s
    press(app, "clear")
    put(app, 100)
    press(app, "walk")  # at one go: the same
    again = here(app).run
    assert again is not None
    assert torch.equal(again.way.steps[-1].x_s, alone)


def test_clear_takes_the_way_back_away(app: AppTest) -> None:
    put(app, 30)
    press(app, "walk")
    press(app, "clear")
    assert here(app).run is None
    assert here(app).stop < len(there(app).stops)
    assert app.button(key="clear").disabled


@pytest.mark.parametrize(("key", "value"), [("seed", 9), ("model", "dogs")])
def test_a_new_way_there_drops_the_way_back(app: AppTest, key: str, value: Any) -> None:
    put(app, 30)
    press(app, "walk")
    (app.radio if key == "model" else app.number_input)(key=key).set_value(value).run()
    assert not app.exception
    assert here(app).run is None
    assert here(app).stop < len(there(app).stops)


def test_an_inversion_stopped_on_its_climb_leaves_the_thumb_at_its_start(app: AppTest) -> None:
    put(app, 40)
    app.segmented_control(key="start").set_value("inversion").run()
    app.button(key="walk").click().run()
    run = here(app).run
    assert run is not None
    run.stop()
    run.way.start, run.way.first, run.way.steps[:] = None, None, []  # as if it were still climbing
    while here(app).computing:
        app.run()
    here(app).following = True
    app.run()
    assert (here(app).stop, here(app).origin) == (40, 40)


def test_other_settings_begin_another_way_back(app: AppTest) -> None:
    put(app, 50)
    press(app, "one")
    first = here(app).run
    app.selectbox(key="sampler").set_value("ddim").run()
    assert here(app).run is first, "a change alone throws nothing away"
    press(app, "walk")
    run = here(app).run
    assert run is not None
    assert run is not first
    assert run.way.sampler == "ddim"
    assert run.finished


def test_a_class_can_be_asked_for(app: AppTest) -> None:
    app.segmented_control(key="start").set_value("noise").run()
    ends: dict[str, torch.Tensor] = {}
    labels: list[Any] = ["0", "1", "2", None]
    for label in labels:
        app.selectbox(key="label-digits").set_value(label).run()
        press(app, "walk")
        run = here(app).run
        assert run is not None
        assert run.way.settings.label == label
        end = run.way.steps[-1].x_s
        asked = label or picked_class(("0", "1", "2"), 0, 1)
        assert run.way.asked == asked
        assert torch.equal(ends.setdefault(asked, end), end)
    assert len({end.numpy().tobytes() for end in ends.values()}) == 3
    assert any(f"picked a class: **{run.way.asked}**" in text.value for text in app.markdown)


def test_a_class_is_asked_for_as_the_card_advises(app: AppTest) -> None:
    app.selectbox(key="label-digits").set_value("1").run()
    press(app, "one")
    run = here(app).run
    assert run is not None
    assert [run.net.classes[k] for k in run.net.labels] == ["1"]
    assert run.net.guidance == Guidance.read(cards()["digits"]["guidance"]) == Guidance(2.0)


def test_nothing_is_picked_for_a_picture_of_ones_own(app: AppTest) -> None:
    press(app, "walk")
    run = here(app).run
    assert run is not None
    assert run.way.asked is None


# --- pictures -----------------------------------------------------------------------------------


def png(width: int, height: int) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def let_go(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What was in the files that the server no longer holds, in order."""
    gone: list[bytes] = []
    remove = MemoryUploadedFileManager.remove_file

    def removed(files: MemoryUploadedFileManager, session_id: str, file_id: str) -> None:
        gone.extend(file.data for file in files.get_files(session_id, [file_id]))
        remove(files, session_id, file_id)

    monkeypatch.setattr(MemoryUploadedFileManager, "remove_file", removed)
    return gone


def test_an_upload_is_taken(app: AppTest, let_go: list[bytes]) -> None:
    data = png(30, 20)
    app.file_uploader[0].upload("mine.png", data, "image/png").run()
    assert not app.exception
    picture = here(app).picture
    assert picture is not None
    assert picture.image.tobytes() == open_picture(data).tobytes()
    assert same(there(app), expected(app, There()))
    assert app.pills(key="sample").value is None
    assert not app.error
    assert let_go == [data]
    assert app.file_uploader[0].value is None, "there is no room for the next file"


@pytest.mark.parametrize(
    "data",
    [b"", b"no picture at all", png(40, 40)[:150], b"%PDF-1.7 and so on", b"\0" * 5000],
    ids=["empty", "text", "cut", "pdf", "zeros"],
)
def test_a_bad_upload_is_one_sentence(app: AppTest, data: bytes, let_go: list[bytes]) -> None:
    picture, way = here(app).picture, there(app)
    app.file_uploader[0].upload("bad.png", data, "image/png").run()
    assert not app.exception
    assert len(app.error) == 1
    said = app.error[0].value
    assert said.endswith(".")
    assert "\n" not in said
    assert len(said) < 400
    assert here(app).picture is picture
    assert there(app) is way
    assert let_go == [data]

    app.file_uploader[0].upload("good.png", png(20, 20), "image/png").run()
    assert not app.error
    assert here(app).picture is not picture


def test_every_sample_opens(app: AppTest) -> None:
    names = list(app.pills(key="sample").options)
    assert names
    ids = set()
    for sample in samples():
        app.pills(key="sample").set_value(sample.name).run()
        assert not app.exception
        picture = here(app).picture
        assert picture is not None
        assert picture.title == sample.title
        assert picture.source
        ids.add(picture.id)
    assert len(ids) == len(names)


def test_what_was_set_outlives_a_look_at_the_other_page(app: AppTest) -> None:
    app.number_input(key="seed").set_value(5)
    app.selectbox(key="sampler").set_value("ddim").run()
    put(app, 70)
    press(app, "walk")
    way, run = there(app), here(app).run
    app.switch_page("ui/pages/networks.py").run()
    app.switch_page("ui/pages/journey.py").run()
    assert not app.exception
    assert app.radio(key="model").value == "digits"
    assert app.number_input(key="seed").value == 5
    assert app.selectbox(key="sampler").value == "ddim"
    assert there(app) is way
    assert here(app).run is run


def test_sessions_are_strangers(app: AppTest) -> None:
    other = opened()
    other.number_input(key="seed").set_value(99).run()
    app.run()
    assert here(app) is not here(other)
    assert there(app).settings.seed == 0
    assert there(other).settings.seed == 99


# --- many endings -------------------------------------------------------------------------------


def endings_of(app: AppTest) -> AppTest:
    """Go to the page of many endings."""
    app.switch_page("ui/pages/endings.py").run()
    assert not app.exception
    return app


def fanned(app: AppTest) -> AppTest:
    """Let all endings that are to come, come."""
    state = here(app).endings
    while state.computing:
        if state.run is not None:
            state.run.wait(PATIENCE)
        app.run()
    assert not app.exception
    return app


def test_as_many_steps_as_are_offered_can_be_walked(app: AppTest) -> None:
    """By inversion too, where the climb costs the same however few steps come down."""
    app.radio(key="model").set_value("photos").run()
    app.segmented_control(key="size").set_value(256).run()
    app.segmented_control(key="start").set_value("inversion")
    app.number_input(key="back_steps").set_value(100).run()
    (warning,) = app.warning
    most = int(re.search(r"at most (\d+)", warning.value)[1])  # type: ignore[index]
    app.number_input(key="back_steps").set_value(most + 1).run()
    assert app.warning
    assert app.button(key="walk").disabled
    app.number_input(key="back_steps").set_value(most).run()
    assert not app.warning
    assert not app.button(key="walk").disabled


def test_too_many_steps_are_said_beside_what_has_arrived(app: AppTest) -> None:
    app.radio(key="model").set_value("photos").run()
    app.segmented_control(key="size").set_value(256).run()
    app.number_input(key="back_steps").set_value(1).run()
    press(app, "walk")
    app.number_input(key="back_steps").set_value(250).run()
    assert app.button(key="walk").disabled
    assert app.warning
    assert any("Arrived" in text.value for text in app.markdown)


def test_many_endings_from_one_start(app: AppTest) -> None:
    app.selectbox(key="sampler").set_value("ddim").run()
    endings_of(app)
    assert app.selectbox(key="endings_sampler").value == "posterior", "with DDIM all would be one"
    app.button(key="fan").click().run()
    run = fanned(app).session_state["journey"].endings.run
    assert len(run.fan.ends) == 9
    assert run.fan.t == 0.5
    assert torch.equal(run.fan.start, there(app).frames[50:51])
    assert app.button(key="fan").disabled
    before = list(run.fan.ends)

    app.segmented_control(key="endings").set_value(16).run()
    app.button(key="fan").click().run()
    fanned(app)
    assert here(app).endings.run is run
    assert all(one is other for one, other in zip(before, run.fan.ends, strict=False))
    assert len(run.fan.ends) == 16


def test_a_press_just_after_the_thumb_counts_from_there(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = here(endings_of(app)).endings.turn
    monkeypatch.setattr(endings_view, "told", lambda _key: Told(30, turn))
    app.button(key="fan").click().run()
    assert fanned(app).session_state["journey"].endings.run.fan.t == pytest.approx(0.3)


def test_endings_that_stand_are_not_walked_again(app: AppTest) -> None:
    endings_of(app).button(key="fan").click().run()
    run = here(fanned(app)).endings.run
    app.selectbox(key="endings_sampler").set_value("ddim").run()
    assert here(app).endings.run is None
    app.button(key="fan").click().run()
    fanned(app)
    assert any("All 9 endings are the same picture" in text.value for text in app.markdown)
    app.selectbox(key="endings_sampler").set_value("posterior").run()
    assert here(app).endings.run is run
    app.switch_page("ui/pages/networks.py").run()
    endings_of(app)
    assert here(app).endings.run is run


def test_several_starts_one_after_another(app: AppTest) -> None:
    endings_of(app)
    app.segmented_control(key="endings").set_value(4)
    app.number_input(key="back_steps").set_value(2).run()
    app.button(key="fan-tries").click().run()
    state = here(fanned(app)).endings
    (table,) = state._tables.values()
    assert len(table) == 5
    assert state.t == min(table)
    assert all(row.count == 4 for row in table.values())


def test_starts_to_try_are_each_once_and_noisy(app: AppTest) -> None:
    app.pills(key="preset").set_value("tutorial").run()  # ten steps: no stop near t = 0.05 but 0
    endings_of(app)
    app.segmented_control(key="endings").set_value(4)
    app.number_input(key="back_steps").set_value(2).run()
    app.button(key="fan-tries").click().run()
    (table,) = here(fanned(app)).endings._tables.values()
    assert sorted(table) == pytest.approx([0.1, 0.3, 0.6, 0.9])


def test_starts_to_try_go_with_their_settings(app: AppTest) -> None:
    endings_of(app).button(key="fan").click().run()
    state = here(fanned(app)).endings
    state.ahead = [0.9, 0.6]
    app.number_input(key="back_steps").set_value(250).run()
    assert not state.ahead, "nobody has asked for those"
    assert not state.computing


def test_a_start_that_was_stopped_unseen_is_gone_on_with(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    endings_of(app)
    app.segmented_control(key="endings").set_value(4)
    app.number_input(key="back_steps").set_value(2).run()
    calls, take = [], FanRun._take

    def stopped_once(run: FanRun) -> bool:
        calls.append(run.number)
        return take(run) and len(calls) != 3

    monkeypatch.setattr(FanRun, "_take", stopped_once)
    app.button(key="fan-tries").click().run()
    (table,) = here(fanned(app)).endings._tables.values()
    assert len(table) == 5
    assert len(calls) == 5 * 4 * 2


def test_endings_that_failed_can_be_walked_again(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("out of luck")

    endings_of(app)
    with monkeypatch.context() as patch:
        patch.setattr(FanRun, "_take", broken)
        app.button(key="fan").click().run()
        fanned(app)
        assert "out of luck" in app.error[0].value
    app.button(key="fan").click().run()
    run = here(fanned(app)).endings.run
    assert run is not None
    assert run.finished
    assert not app.error


def test_a_full_line_is_said_on_the_page_of_endings(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise BusyError

    endings_of(app)
    with monkeypatch.context() as patch:
        patch.setattr(Queue, "submit", full)
        app.button(key="fan").click().run()
        fanned(app)
        assert [info.value for info in app.info] == [words.BUSY]
    app.button(key="fan").click().run()
    run = here(fanned(app)).endings.run
    assert run is not None
    assert run.finished
    assert not app.info


# --- two journeys -------------------------------------------------------------------------------


def compared(app: AppTest) -> tuple[Session, Session]:
    """Both journeys, once nothing is computed any more."""
    while here(app).computing or app.session_state["beside"].computing:
        for side in (here(app), app.session_state["beside"]):
            if side.run is not None:
                side.run.wait(PATIENCE)
        app.run()
    assert not app.exception
    return here(app), app.session_state["beside"]


def test_two_journeys_differ_in_what_is_chosen(app: AppTest) -> None:
    app.switch_page("ui/pages/compare.py").run()
    app.pills(key="differ").set_value(["seed", "sampler"]).run()
    one, other = compared(app)
    assert one.there is not None
    assert other.there is not None
    assert (one.there.settings.seed, other.there.settings.seed) == (0, 1)
    assert same(other.there, expected(app, There(seed=1)))
    app.button(key="both").click().run()
    one, other = compared(app)
    assert one.run is not None
    assert other.run is not None
    assert (one.run.way.sampler, other.run.way.sampler) == ("posterior", "ddim")
    assert one.run.way.start_t == other.run.way.start_t == 0.5
    assert one.stop == other.stop == one.last()
    assert app.query_params["differ"] == "seed,sampler"

    runs = one.run, other.run
    app.button(key="both").click().run()  # both stand
    one, other = compared(app)
    assert (one.run, other.run) == runs
    app.selectbox(key="b_sampler").set_value("heun").run()
    app.button(key="both").click().run()
    one, other = compared(app)
    assert one.run is runs[0], "what stands is not walked again"
    assert other.run is not None
    assert other.run.way.sampler == "heun"


def test_both_start_where_the_thumb_stands_even_if_one_is_on_its_way(app: AppTest) -> None:
    put(app, 50)
    press(app, "one")
    begun = here(app).run
    put(app, 20).switch_page("ui/pages/compare.py").run()
    app.button(key="both").click().run()
    one, other = compared(app)
    assert one.run is not None
    assert one.run is not begun
    assert other.run is not None
    assert one.run.way.start_t == other.run.way.start_t == 0.2


def test_without_a_difference_both_are_the_same_to_the_last_bit(app: AppTest) -> None:
    app.switch_page("ui/pages/compare.py").run()
    app.pills(key="differ").set_value([]).run()
    app.button(key="both").click().run()
    one, other = compared(app)
    assert one.run is not None
    assert other.run is not None
    assert torch.equal(one.run.way.state(10)[0], other.run.way.state(10)[0])
    assert words.COMPARE_SAME in [text.value for text in app.markdown]
    assert app.query_params["differ"] == "none"


def test_a_side_never_shows_what_was_walked_otherwise(app: AppTest) -> None:
    put(app, 40)
    press(app, "walk")
    walked = here(app).run
    app.selectbox(key="sampler").set_value("heun").run()  # now the journey's way back is of another sampler
    app.switch_page("ui/pages/compare.py").run()
    assert not app.exception
    assert here(app).run is walked, "nothing of the journey is lost"
    assert [caption.value for caption in app.caption].count("A · No way back yet.") == 1
    assert (here(app).origin, here(app).t) == (40, 0.4), "the thumb was moved by nobody"


def test_another_setting_beside_leaves_the_start_alone(app: AppTest) -> None:
    app.switch_page("ui/pages/compare.py").run()
    put(app, 50)
    app.button(key="both").click().run()
    compared(app)
    app.number_input(key="back_steps").set_value(5).run()  # now neither side has a way back to show
    assert (here(app).stop, here(app).origin, here(app).t) == (50, 50, 0.5)
    app.button(key="both").click().run()
    one, other = compared(app)
    assert one.run is not None
    assert other.run is not None
    assert one.run.way.start_t == other.run.way.start_t == 0.5


def test_another_network_beside(app: AppTest) -> None:
    app.switch_page("ui/pages/compare.py").run()
    app.pills(key="differ").set_value(["model", "process"]).run()
    app.selectbox(key="b_model").set_value("dogs").run()
    app.button(key="both").click().run()
    _one, other = compared(app)
    assert other.there is not None
    assert other.there.x0.shape == (1, 3, 16, 16)
    assert other.there.settings.process == "ddpm_linear"
    assert other.run is not None
    assert other.run.finished
    app.switch_page("ui/pages/journey.py").run()
    app.switch_page("ui/pages/compare.py").run()
    assert not app.exception
    assert app.pills(key="differ").value == ["model", "process"]
    assert app.selectbox(key="b_model").value == "dogs"
    assert app.session_state["beside"].run is other.run
