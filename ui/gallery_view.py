"""The main part of the gallery page: what is wished for, the grid, and the picture that was chosen."""

from __future__ import annotations

import base64
import html
import io
from dataclasses import dataclass, field

import numpy as np
import streamlit as st
import torch
from PIL import Image

import diffusion
from diffusion.data import to_unit
from diffusion.errors import Sentence
from diffusion.generate import EVALUATIONS, looks_from_noise
from diffusion.memory import SUSPICIOUS, Index, Near
from ui import controls, figures, links, locks, resources, words
from ui.card_view import expectation
from ui.chunks import Chunk
from ui.clock import clock
from ui.fragment import fragment
from ui.gallery import COUNT, Gallery, Wish
from ui.grid import Words, chosen, grid
from ui.language import _, tell
from ui.panels import as_table
from ui.queue import BusyError
from ui.settings import SEED_RANGE
from ui.stage import depot
from ui.state import session

GRID, CLOSER = "gallery-grid", "gallery-closer"
#: Seconds between looks at pictures being made.
TICK = 0.5
#: Pictures from the shelf are waited for so long, so that they appear at once.
PATIENCE = 0.2
JOURNEY = "ui/pages/journey.py"


@dataclass
class Place:
    """What one session remembers of this page."""

    gallery: Gallery | None = None
    chunks: list[Chunk] = field(default_factory=list)  # its batches, packed once for all redraws
    notice: Sentence | None = None


def wish() -> Wish | None:
    """The row of widgets above the grid: which network, which class, which seed."""
    offered = {name: card for name, card in resources.cards().items() if resources.makes_pictures(name)}
    if not offered:
        st.info(_(words.GALLERY_NO_MODELS))
        return None
    st.caption(_(words.GALLERY_ABOUT))
    if st.session_state.get("gallery_model") not in offered:
        st.session_state["gallery_model"] = next(iter(offered))
    st.session_state.setdefault("gallery_seed", 0)
    with st.container(key="wish", horizontal=True):
        st.segmented_control(
            _("Network"), list(offered), key="gallery_model", required=True,
            format_func=lambda name: _(name.capitalize()),
        )  # fmt: skip
        model: str = st.session_state["gallery_model"]
        label = None
        if classes := offered[model]["classes"]:
            label = st.selectbox(
                _("Ask for"), classes, index=None, placeholder=_("the seed picks"),
                key=f"gallery_label-{model}", format_func=class_name, width=210,
            )  # fmt: skip
        low, high = SEED_RANGE
        seed = st.number_input(_("Seed"), low, high, key="gallery_seed", width=150)
    return Wish(model, offered[model]["sha256"], int(seed), label)


def class_name(name: str) -> str:
    """A class as a person reads it."""
    return _(name.replace("_", " "))


def show(wish: Wish) -> None:
    """Draw grid and panel; while pictures are being made, draw them again and again."""
    place = st.session_state.setdefault("gallery", Place())
    if place.gallery is None or place.gallery.wish != wish:
        _begin(place, wish)
    fragment(_draw, place)


def _begin(place: Place, wish: Wish) -> None:
    """Take up a new wish; what was being made for the last one stops."""
    if place.gallery is not None:
        place.gallery.stop()
    place.gallery, place.chunks, place.notice = None, [], None
    try:
        net = resources.network(wish.model)
    except diffusion.ModelError as error:
        place.notice = error.sentence
        return
    place.gallery = Gallery(wish, net, resources.queue(), resources.shelf())
    _go(place)


def _go(place: Place) -> None:
    """Make what is missing."""
    place.notice = None
    if place.gallery is not None:
        place.gallery.take_heart()
        try:
            place.gallery.go()
        except BusyError:
            place.notice = Sentence(words.BUSY)
            return
        place.gallery.wait(PATIENCE)


def _draw(place: Place) -> None:
    gallery = place.gallery
    if gallery is None:
        if place.notice is not None:
            st.error(tell(place.notice))
        return
    gallery.seen()
    computing = gallery.computing  # asked once: all that is drawn now tells of one moment
    left, right = st.columns([1.6, 1], gap="medium")
    with left:
        _progress(place, gallery, computing)
        index = _grid(gallery, place.chunks)
    with right, st.container(key=CLOSER):
        if index is None:
            st.caption(_(words.GALLERY_EMPTY))
        else:
            _closer(gallery, index)
        if sentence := expectation(resources.cards()[gallery.wish.model]):
            st.markdown(sentence)
    links.remember()
    if computing:
        clock("clock", TICK)


def _grid(gallery: Gallery, chunks: list[Chunk]) -> int | None:
    """The pictures made so far, their packed batches added to `chunks`; returns which is chosen."""
    for k, batch in list(enumerate(gallery.batches))[len(chunks) :]:
        chunks.append(Chunk(f"gallery-{gallery.number}-{k}", len(batch), lambda batch=batch: batch))
    with st.container(key="depots"):
        for chunk in chunks:
            depot(chunk.name, chunk.message)
    count = sum(chunk.count for chunk in chunks)
    if (told := chosen(GRID, gallery.number, count)) is not None:
        gallery.chosen = told  # the grid forgets it while another page is shown
    names = [name_of(gallery, k) for k in range(COUNT)]
    texts = Words(_("Pictures from noise"), names, _("not made yet"))
    grid(chunks, gallery.number, gallery.chosen, texts, key=GRID, details=CLOSER)
    return gallery.chosen


def name_of(gallery: Gallery, index: int) -> str:
    """A picture's name, by its number and the class it was asked for."""
    asked = gallery.classes[index]
    name = _("Picture {number}").format(number=index)
    return _("{name}, {what}").format(name=name, what=class_name(asked)) if asked else name


def _progress(place: Place, gallery: Gallery, computing: bool) -> None:
    """How far it is, and the button that stops it or goes on."""
    made = len(gallery)
    with st.container(key="gallery-status", horizontal=True, vertical_alignment="center"):
        if computing:
            text = _(words.GALLERY_MAKING).format(made=made, count=COUNT)
            if (waiting := gallery.place) is not None:
                text += " · " + _(words.WAITING).format(place=waiting[0], total=waiting[1])
            st.progress(made / COUNT, text)
            st.button(_("Stop"), key="gallery-stop", icon=":material/stop:", on_click=gallery.stop)
        elif gallery.finished:
            steps = gallery.wish.steps(gallery.net)
            looks = looks_from_noise(gallery.wish.ask(gallery.net, [0]), steps)
            st.caption(_(words.GALLERY_MADE).format(count=COUNT, steps=steps, looks=looks))
        else:
            if (said := gallery.error or place.notice) is not None:
                st.error(tell(said))
            else:
                st.caption(_(words.GALLERY_STOPPED).format(made=made, count=COUNT))
            st.button(_("Go on"), key="gallery-go", icon=":material/play_arrow:", on_click=_go, args=(place,))


def _closer(gallery: Gallery, index: int) -> None:
    """The chosen picture: large, on the way to the stage, and held against the training pictures."""
    pixels, wish, name = gallery[index], gallery.wish, name_of(gallery, index)
    st.subheader(name, anchor=False)
    file = as_png(pixels)
    st.html(picture(pixels, name, "width: min(100%, 288px); border-radius: 10px;"))
    if held := controls.from_nothing_locked():
        locks.explain("gallery-unlock")
    with st.container(horizontal=True):
        if st.button(
            _("Open on the stage"), key="gallery-open", type="primary", icon=":material/swap_horiz:",
            help=_("The journey page then walks back from just this noise to this picture."),
            disabled=held,
        ):  # fmt: skip
            open_on_stage(gallery, index)
        st.download_button(
            _("Save"), file, f"{wish.model}-{wish.seed}-{index}.png", "image/png",
            key="gallery-save", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
    with st.expander(_("The same from the command line")):
        st.markdown(_(words.GALLERY_COMMAND).format(file=f"{index:04d}.png"))
        st.code(command(wish, index), language="bash", wrap_lines=True)
    st.markdown(f"**{_(words.MEMORY)}**")
    try:
        known = resources.index(wish.model)
    except diffusion.ModelError as error:
        st.warning(tell(error.sentence))
        return
    if known is None:
        st.caption(_(words.MEMORY_NO_INDEX))
        return
    if index not in gallery.near:
        x = torch.from_numpy(np.array(pixels)).permute(2, 0, 1)[None, : gallery.net.channels]
        gallery.near[index] = known.look_up(to_unit(x))
    _memory(wish.model, known, gallery.near[index])


def _memory(model: str, known: Index, near: Near) -> None:
    """Is it new? In words, as a figure, and beside the nearest training pictures where there are any."""
    st.markdown(verdict(near))
    figure = figures.standings(known.held_out.tolist(), near.standing)
    st.plotly_chart(figure, key="plot-memory", config={"displayModeBar": False}, width="stretch")
    st.caption(
        _(words.MEMORY_HOW).format(
            pictures=len(known.codes), standing=near.standing, numbers=known.codes.shape[1]
        )
    )
    as_table("memory", figure)
    shown = resources.training_pictures(model, near.places)
    if not shown:
        st.caption(_(words.MEMORY_NOT_SHOWN))
        return
    st.caption(_(words.MEMORY_NEAREST))
    style = "width: 64px; border-radius: 6px"
    names = [_("Training picture {number}").format(number=place) for place in near.places]
    row = "".join(picture(x, name, style) for x, name in zip(shown, names, strict=True))
    st.html(f'<div style="display: flex; flex-wrap: wrap; gap: 6px">{row}</div>')


def verdict(near: Near) -> str:
    """What the standing of a picture says, in words."""
    text = words.MEMORY_NEW
    if near.share < SUSPICIOUS:
        text = words.MEMORY_NEAR if near.share else words.MEMORY_COPY
    return _(text).format(share=near.share, held_out=near.held_out)


def open_on_stage(gallery: Gallery, index: int) -> None:
    """Make the journey page walk back from this picture's noise, and go there."""
    gallery.stop()
    wish = gallery.wish
    controls.set_from_nothing(wish.model, wish.seed, index, wish.label, wish.steps(gallery.net))
    session().opening = True
    st.switch_page(JOURNEY)


def command(wish: Wish, index: int) -> str:
    """The command that makes the same picture."""
    label = f" --label {wish.label}" if wish.label else ""
    return (
        f"python -m diffusion generate --model {wish.model} --seed {wish.seed} --steps {EVALUATIONS} "
        f"--count {index + 1}{label} --out pictures"
    )


def picture(pixels: np.ndarray, name: str, style: str) -> str:
    """A small picture as HTML, each of its pixels a square."""
    url = "data:image/png;base64," + base64.b64encode(as_png(pixels)).decode("ascii")
    return f'<img src="{url}" alt="{html.escape(name)}" style="image-rendering: pixelated; {style}">'


def as_png(pixels: np.ndarray) -> bytes:
    """(H, W, 3) uint8 as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
