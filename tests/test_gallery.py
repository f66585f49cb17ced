"""The gallery: exact pictures, in order, in the line with others; and its page."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
import torch
from page import PATIENCE, opened
from streamlit.testing.v1 import AppTest

from diffusion import checkpoint, data, load_denoiser, memory
from diffusion.__main__ import main
from diffusion.data import DataSet
from diffusion.generate import asked, from_noise, picked_class, steps_for
from diffusion.memory import Near
from diffusion.pictures import to_bytes
from diffusion.sampler import Step
from ui import gallery as galleries
from ui import gallery_view, resources, words
from ui.gallery import BATCH, COUNT, Gallery, Wish
from ui.grid import chosen
from ui.queue import Queue
from ui.settings import PRESETS

pytestmark = pytest.mark.usefixtures("fresh_caches")


def wished(model: str, seed: int = 0, label: str | None = None) -> Wish:
    return Wish(model, "sha", seed, label)


def finished(gallery: Gallery) -> Gallery:
    gallery.go()
    gallery.wait(PATIENCE)
    assert gallery.finished
    assert not gallery.computing
    return gallery


# --- the core -----------------------------------------------------------------------------------


def test_after_an_error_the_rest_is_made_and_what_was_there_stays(small_models, monkeypatch):
    net = load_denoiser("digits", small_models)
    gallery = Gallery(wished("digits"), net, Queue(1), galleries.shelf())
    with monkeypatch.context() as patch:
        make = galleries.from_noise

        def broken(one, seed, indices, **options):
            if 8 in indices:
                raise RuntimeError("out of luck")
            return make(one, seed, indices, **options)

        patch.setattr(galleries, "from_noise", broken)
        gallery.go()
        gallery.wait(PATIENCE)
    assert gallery.error is not None
    before = list(gallery.batches)
    assert len(gallery) == 8
    gallery.take_heart()
    assert all(one is other for one, other in zip(before, finished(gallery).batches, strict=False))
    again = finished(Gallery(wished("digits"), net, Queue(1), galleries.shelf()))
    assert all(np.array_equal(gallery[k], again[k]) for k in range(COUNT))


@pytest.mark.parametrize(
    ("model", "label"), [("dogs", None), ("dogs", "pug"), ("digits", None), ("photos", None)]
)
def test_each_picture_is_what_the_command_line_makes(small_models, model, label):
    """To the next grey level: side by side, sums are rounded in another order."""
    net = load_denoiser(model, small_models)
    gallery = finished(Gallery(wished(model, 3, label), net, Queue(1), galleries.shelf()))
    for index in (0, 1, 7, COUNT - 1):
        one = net.asked_for(label) if label else asked(net, 3, index)
        *_, last = from_noise(one, 3, index, steps=steps_for(10, one))
        expected = to_bytes(last.x_s[0]).astype(int)
        assert np.abs(gallery[index].astype(int) - expected).max() <= 1
        if net.classes:
            assert gallery.classes[index] == (label or picked_class(net.classes, 3, index))
    assert gallery[0].dtype == np.uint8


def test_the_named_command_really_makes_it(shipped, tmp_path, monkeypatch):
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    gallery = finished(Gallery(wished("dogs", 5), load_denoiser("dogs"), Queue(1), galleries.shelf()))
    said = gallery_view.command(gallery.wish, 2).removeprefix("python -m diffusion ").split()
    assert main(said) == 0
    made = np.asarray(Image.open(tmp_path / "pictures" / "0002.png"))
    assert np.abs(made.astype(int) - gallery[2].astype(int)).max() <= 1


def test_side_by_side_differs_from_alone_by_rounding_alone(small_models):
    """What is stated of batches in diffusion.generate, on floats: far less than a grey level, 2/255."""
    net = load_denoiser("dogs", small_models)
    *_, together = from_noise(asked(net, 0, 4, 5, 6), 0, (4, 5, 6), steps=5)
    for place, index in enumerate((4, 5, 6)):
        *_, alone = from_noise(asked(net, 0, index), 0, index, steps=5)
        assert (together.x_s[place] - alone.x_s[0]).abs().max() < 1e-3


def test_pictures_of_the_same_wish_come_from_the_shelf(small_models, monkeypatch):
    shelf = galleries.shelf()
    net = load_denoiser("digits", small_models)
    first = finished(Gallery(wished("digits"), net, Queue(1), shelf))

    def never(*_: object, **__: object) -> None:
        raise RuntimeError("asked again")

    monkeypatch.setattr("ui.gallery.from_noise", never)
    again = finished(Gallery(wished("digits"), net, Queue(1), shelf))
    assert all(a is b for a, b in zip(first.batches, again.batches, strict=True))
    with pytest.raises(ValueError, match="read-only"):
        again.batches[0][0] = 0
    other = Gallery(wished("digits", seed=1), net, Queue(1), shelf)
    other.go()
    other.wait(PATIENCE)
    assert len(other) == 0
    assert "asked again" in str(other.error)


def test_the_shelf_is_bounded_and_forgets_the_longest_unused():
    one = np.zeros(100, np.uint8)
    shelf = galleries.shelf(most=300)
    for key in "abc":
        shelf.put(key, one.copy())
    assert shelf.get("a") is not None
    shelf.put("d", one.copy())
    assert shelf.get("b") is None
    assert all(shelf.get(key) is not None for key in "acd")


def test_stop_keeps_what_is_there_and_goes_on(small_models, monkeypatch):
    net = load_denoiser("digits", small_models)
    begun, gate = threading.Event(), threading.Event()

    def gated(*about: Any, **more: Any) -> Iterator[Step]:
        for step in from_noise(*about, **more):
            begun.set()
            assert gate.wait(PATIENCE)
            yield step

    monkeypatch.setattr("ui.gallery.from_noise", gated)
    gallery = Gallery(wished("digits"), net, Queue(1), galleries.shelf())
    gallery.go()
    assert begun.wait(PATIENCE)
    assert gallery.computing
    gallery.stop()
    gate.set()
    gallery.wait(PATIENCE)
    assert not gallery.computing
    assert len(gallery) == 0
    finished(gallery)
    expected = finished(Gallery(wished("digits"), net, Queue(1), galleries.shelf()))
    assert all(np.array_equal(a, b) for a, b in zip(gallery.batches, expected.batches, strict=True))


def test_whoever_walks_in_between_is_not_kept_waiting(small_models):
    """With turns of no length every other job has its step after each step of the gallery."""
    queue, order = Queue(1, turn=0.0), []
    net = load_denoiser("digits", small_models)
    gallery = Gallery(wished("digits"), net, queue, galleries.shelf())
    gallery.go()
    other = queue.submit(lambda: order.append(len(gallery)) is not None)
    assert other.done.wait(PATIENCE)
    assert order[0] < COUNT
    gallery.stop()
    gallery.wait(PATIENCE)


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, words.MEMORY_COPY), (0.04, words.MEMORY_NEAR), (0.5, words.MEMORY_NEW)]
)
def test_the_verdict_follows_the_share(share, text):
    assert gallery_view.verdict(Near(0.5, share, 149, (0,))) == text.format(share=share, held_out=149)


def test_the_grid_tells_only_what_can_be(monkeypatch):
    state = {}
    monkeypatch.setattr(st, "session_state", state)
    assert chosen("grid", 3, 64) is None
    for told, expected in (
        ({"number": 3, "index": 5}, 5), ({"number": 2, "index": 5}, None), ({"number": 3, "index": 64}, None),
        ({"number": 3, "index": -1}, None), ({"number": 3, "index": "5"}, None), ("x", None), (None, None),
    ):  # fmt: skip
        state["grid"] = {"chosen": told}
        assert chosen("grid", 3, 64) == expected


# --- the page -----------------------------------------------------------------------------------


@pytest.fixture
def page(shipped: Path) -> AppTest:
    app = opened()
    app.session_state["gallery_model"] = "dogs"
    return settled(app.switch_page("ui/pages/gallery.py").run())


def settled(app: AppTest) -> AppTest:
    assert not app.exception
    gallery = app.session_state["gallery"].gallery
    while gallery.computing:
        gallery.wait(PATIENCE)
        app.run()
    assert not app.exception
    return app


def pick(app: AppTest, index: int, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Choose a picture: AppTest runs no JavaScript, so what the grid would tell is put in its place."""
    monkeypatch.setattr(gallery_view, "chosen", lambda *_: index)
    return settled(app.run())


def test_the_page_makes_them_all_and_names_them(page):
    gallery = page.session_state["gallery"].gallery
    assert gallery.finished
    assert gallery.wish.model == "dogs"
    names = [gallery_view.name_of(gallery, k) for k in range(COUNT)]
    assert len(set(names)) == COUNT
    assert names[3] == f"Picture 3, {picked_class(gallery.net.classes, 0, 3)}"


def test_another_seed_class_or_network_is_another_gallery(page):
    def stands() -> Wish:
        return page.session_state["gallery"].gallery.wish

    settled(page.number_input(key="gallery_seed").set_value(9).run())
    assert (stands().seed, stands().label) == (9, None)
    settled(page.selectbox(key="gallery_label-dogs").set_value("pug").run())
    assert stands().label == "pug"
    settled(page.button_group(key="gallery_model").set_value("digits").run())
    assert (stands().model, stands().label, stands().seed) == ("digits", None, 9)
    assert len(page.session_state["gallery"].gallery.batches) == COUNT // BATCH


@pytest.mark.parametrize("label", [None, "pug"])
def test_a_picture_opens_on_the_stage_and_is_exactly_itself(page, monkeypatch, label):
    """The journey walks from just this noise in just these steps; and ends bit for bit so."""
    monkeypatch.setattr(st, "switch_page", lambda *_: None)
    settled(page.number_input(key="gallery_seed").set_value(4).run())
    if label:
        settled(page.selectbox(key="gallery_label-dogs").set_value(label).run())
    pick(page, 11, monkeypatch)
    page.button(key="gallery-open").click().run()
    gallery, here = page.session_state["gallery"].gallery, page.session_state["journey"]
    assert here.opening
    page.switch_page("ui/pages/journey.py").run()
    assert not page.exception
    run = here.run
    assert run is not None
    run.wait(PATIENCE)
    page.run()
    assert not here.opening
    assert run.finished
    way = run.way
    net = load_denoiser("dogs")
    one = net.asked_for(label) if label else asked(net, 4, 11)
    walk = list(from_noise(one, 4, 11, steps=gallery.wish.steps(net)))
    assert torch.equal(way.start, walk[0].x_t)
    assert [step.t for step in way.steps] == [step.t for step in walk]
    for k, step in enumerate(walk, 1):
        assert torch.equal(way.state(k)[0], step.x_s)
    assert np.abs(to_bytes(walk[-1].x_s[0]).astype(int) - gallery[11].astype(int)).max() <= 1
    assert here.stop == here.last() == len(here.there.stops) + len(way.ready()) - 1
    assert page.session_state["model"] == "dogs"
    assert page.number_input(key="seed").value == 4
    assert page.number_input(key="sigma_q").value == PRESETS["from_nothing"].there.sigma_q
    assert page.number_input(key="index").value == 11
    monkeypatch.setattr(gallery_view, "chosen", lambda *_: None)  # as after a visit to another page
    settled(page.switch_page("ui/pages/gallery.py").run())
    assert page.session_state["gallery"].gallery.chosen == 11


def test_without_an_index_it_says_so(page, monkeypatch):
    pick(page, 0, monkeypatch)
    assert words.MEMORY_NO_INDEX in [caption.value for caption in page.caption]


@pytest.fixture
def pictures(shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataSet:
    """A data set of random dogs with its index, on disk as a server would have it."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for part, count in (("train", 80), ("val", 10)):
        for k in range(count):
            file = tmp_path / "sets" / "pets-heads-64" / part / "dog" / f"pug_{k}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8)).save(file)
    dataset = data.load(tmp_path / "sets" / "pets-heads-64", channels=3, size=64, whole=False, only="dog")
    folder = tmp_path / "pretrained"
    net = load_denoiser("dogs", shipped)
    card = checkpoint.read_card("dogs", shipped)
    card["training"] |= {"pictures_in_set": 80, "pictures_held_out": 10, "guide_pictures": 0}
    checkpoint.save_model(net.model, net.model.state_dict(), card, "dogs", folder)
    made = memory.make(dataset, flip=True, rng=torch.Generator().manual_seed(0))
    facts = {"checked": [{"pictures": "x"}], "agreement": {}}
    monkeypatch.setattr(memory.cards, "write", lambda card, _: _write(card, folder))
    memory.save(made, "dogs", folder, facts)
    monkeypatch.setattr(checkpoint, "PRETRAINED", folder)
    return dataset


def _write(card: dict, folder: Path) -> None:
    import json

    (folder / f"{card['name']}.json").write_text(json.dumps(card), encoding="utf-8")


def test_training_pictures_are_shown_only_where_the_server_has_them(pictures, tmp_path, monkeypatch):
    monkeypatch.delenv(resources.DATA, raising=False)
    assert resources.training_pictures("dogs", (3, 4)) == []
    st.cache_data.clear()
    monkeypatch.setenv(resources.DATA, str(tmp_path / "sets"))
    shown = resources.training_pictures("dogs", (3, 70))
    assert [np.array_equal(x, pictures.train.pictures[k].permute(1, 2, 0).numpy()) for x, k in
            zip(shown, (3, 70), strict=True)] == [True, True]  # fmt: skip
    assert resources.training_pictures("dogs", (3, 4000)) == []
    first = tmp_path / "sets" / "pets-heads-64" / "train" / "dog" / "pug_0.png"
    first.unlink()  # all others move up by one: not the set that was indexed
    st.cache_data.clear()
    assert resources.training_pictures("dogs", (3, 70)) == []


@pytest.mark.parametrize(
    ("lock", "held"), [("seed", True), ("sampler", True), ("view", False), (None, False)]
)
def test_what_a_teacher_holds_is_not_set_from_here(page, lock, held, monkeypatch):
    if lock:
        page.session_state["lock"] = (lock,)
    pick(page, 1, monkeypatch)
    assert page.button(key="gallery-open").proto.disabled == held
    assert any("teacher" in note.value for note in page.info) == held


def test_pictures_are_packed_once(page, monkeypatch):
    packed = page.session_state["gallery"].chunks
    assert sum(chunk.count for chunk in packed) == COUNT
    before = list(packed)
    pick(page, 1, monkeypatch)
    assert page.session_state["gallery"].chunks == before  # the same ones: a Chunk equals itself alone
    monkeypatch.setattr(gallery_view, "chosen", lambda *_: None)  # of the next gallery, nothing yet
    settled(page.number_input(key="gallery_seed").set_value(9).run())
    assert not set(page.session_state["gallery"].chunks) & set(before)


def test_the_page_says_whether_a_picture_is_new(pictures: DataSet, monkeypatch):
    app = opened()
    settled(app.switch_page("ui/pages/gallery.py").run())
    gallery = app.session_state["gallery"].gallery
    gallery.batches[0] = torch.stack(pictures.train.pictures[:BATCH]).permute(0, 2, 3, 1).numpy()
    pick(app, 2, monkeypatch)
    assert gallery.near[2].places[0] == 2
    assert any(said.value.startswith("**This may be a copy.**") for said in app.markdown)
    assert words.MEMORY_NOT_SHOWN in [caption.value for caption in app.caption]
