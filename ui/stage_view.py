"""The main part of the journey page: computes what is needed, then draws it inside one fragment."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from ui import links, locks, words
from ui.actions import actions, begin
from ui.chunks import Chunk
from ui.clock import TICK, clock
from ui.controls import preset_left
from ui.fragment import fragment
from ui.journey import VIEWS, Stop, WayBack, WayThere, walk_there
from ui.language import _, each, named
from ui.panels import apart, explained, plots
from ui.resources import cards, queue
from ui.settings import Back, There
from ui.stage import STAGE, depot, stage, told
from ui.state import Session, session
from ui.toolbar import projector, toolbar
from ui.turns import turns

#: The few rules that Streamlit's theme cannot express.
STYLE = """<style>
[class*="st-key-depots"] { display: none; }
.st-key-status { min-height: 5.2rem; }
.st-key-tools { gap: 0.5rem; }
[data-testid="stBaseButton-primary"] { color: #ffffff; color: light-dark(#ffffff, #06282a); }
.stApp [data-testid="stCaptionContainer"] { opacity: 0.76; }
[class*="st-key-table-"] button:is(:hover, :focus, :active) { color: inherit; text-decoration: underline; }
[data-testid="stMainBlockContainer"] { padding: 4rem 2.2rem 3rem; max-width: 1500px; }
@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] { padding: 3.2rem 1rem 3rem; }
  h4 { font-size: 1.1rem !important; }
}
</style>"""

#: Nothing but the stage and its buttons, to be read from the back of a room.
PROJECTOR = """<style>
[data-testid="stSidebar"], [data-testid="stHeader"], .st-key-start, .st-key-view,
[data-testid="stMainBlockContainer"] > [data-testid="stVerticalBlock"] > :not(:has(.st-key-stage)),
[data-testid="stColumn"]:has(.st-key-stage) ~ [data-testid="stColumn"],
.st-key-toolbar > :not(:has(.st-key-tools)), .st-key-tools > :not(.st-key-to-projector) { display: none; }
[data-testid="stMainBlockContainer"] { padding: 1.5rem 2.5vw; max-width: none; }
[data-testid="stColumn"]:has(.st-key-stage) { min-width: 100%; }
.st-key-to-projector { position: fixed; top: 0.8rem; right: 1rem; z-index: 10; }
:is(.st-key-walk, .st-key-one, .st-key-stop, .st-key-clear) button { min-height: 3.5rem; }
:is(.st-key-walk, .st-key-one, .st-key-stop, .st-key-clear, .st-key-status) p { font-size: 1.5rem; }
</style>"""

#: Seconds between looks at a way back under way, at most, when many compute.
SLOWEST_TICK = 2.0


def prepare(settings: There, model: str | None, size: int, here: Session | None = None) -> None:
    """Compute the way there of the session (or another journey), unless it stands for just these settings."""
    here = here or session()
    if here.picture is None:
        return
    bar = st.empty()  # always there, so that what follows keeps its place from rerun to rerun
    channels = cards()[model]["architecture"]["channels"] if model else 3
    key = (here.picture.id, here.crop, size, channels, settings)
    if key != here.there_key:
        same = here.there is not None and here.there_key[:-1] == key[:-1]  # all but the settings
        x0 = here.there.x0 if here.there and same else here.picture.tensor(size, channels, here.crop)
        for done in walk_there(x0, settings):
            turns.breathe()
            if isinstance(done, WayThere):
                here.begin(done, key)
            elif settings.steps * size * size > 5e6:
                bar.progress(done, _("Noising in {steps} steps").format(steps=settings.steps))
        bar.empty()
    if here.run is not None and here.run.way.model != model:
        here.clear()


def show(back: Back, model: str | None) -> None:
    """Draw everything; while a way back is computed, draw it again and again."""
    here = session()
    if here.opening and here.there is not None and model is not None:
        here.opening = False
        begin(here, here.there, back, model)
    view = st.session_state.setdefault("view", VIEWS[0])
    if here.there is not None:  # outside of what a thumb or a way back draws anew
        _depots("there", here.chunks.there(here.there, here.number, view))
        turns.breathe()
    fragment(_draw, back, model, view)


def _draw(back: Back, model: str | None, view: str) -> None:
    here = session()
    if here.there is None:
        return
    if here.run is not None:
        here.run.seen()
    computing = here.computing  # asked once: all that is drawn now tells of one moment
    if here.following and not computing:  # it may have come to rest between two looks
        here.following = False
        here.to_end()
    elif not computing and here.stop < len(here.there.stops) and here.stop != here.origin:
        here.move_to(here.origin)  # where no way back was to be shown on another page
    if st.session_state["view"] != view or preset_left():  # what stands outside is drawn with a whole rerun
        st.rerun()
    left, right = st.columns([1.6, 1], gap="medium")
    with left:
        stop = _stage(here, here.there, view, computing)
        actions(here, here.there, back, model, computing)
        st.segmented_control(
            locks.named("view"), VIEWS, format_func=named(words.VIEWS),
            key="view", help=_(words.VIEW_HELP), required=True, disabled=locks.locked("view"),
        )  # fmt: skip
        turns.breathe()
        toolbar(here, here.there, view, computing)
    turns.breathe()
    st.html(PROJECTOR if projector() else "<style></style>")
    if not projector():  # nothing but the stage
        with right:
            plots(here.there, here.run, stop)
        turns.breathe()
        apart(here.run, stop - len(here.there.stops), view)
        explained(here.there, here.run)
    links.remember()  # the thumb is in it
    if computing:
        clock("clock", min(SLOWEST_TICK, TICK * max(1.0, queue().load / queue().workers)))


def _stage(here: Session, there: WayThere, view: str, computing: bool) -> int:
    """Mount depots and stage; returns the stop under the thumb."""
    run = here.run
    chunks = {
        "there": here.chunks.there(there, here.number, view),
        "back": here.chunks.back(run.way, run.number, view) if run else [],
    }
    sent_back = sum(chunk.count for chunk in chunks["back"])
    if computing:
        here.stop = len(there.stops) + sent_back - 1
    back = numbers_back(there, run.way, sent_back) if run and sent_back else None
    more = {"projector": projector()}
    mount(
        STAGE, there, chunks, here.stop, here.turn, back=back, following=computing, sent=["back"], more=more
    )
    if not computing:
        here.heed(told(STAGE))
    return here.stop


def mount(
    key: str,
    there: WayThere,
    chunks: Mapping[str, Sequence[Chunk]],
    stop: int,
    turn: int,
    *,
    back: Mapping[str, Any] | None = None,
    following: bool = False,
    one_way: bool = False,
    sent: Sequence[str] = ("there", "back"),
    more: Mapping[str, Any] | None = None,
) -> None:
    """Mount a stage and the depots of its frames; what it tells is read by :func:`told`.

    Parameters
    ----------
    key : str
    there : WayThere
    chunks : mapping of "there" and "back" to the chunks that hold their frames
    stop, turn : int
        Where the thumb is put when `turn` is new.
    back : mapping, optional
        See :func:`numbers_back`.
    following : bool
        Keep to the newest frame of the way back.
    one_way : bool
        There is to be no way back: the way there takes the whole line.
    sent : sequence of str
        The ways whose frames are sent along; those of the others are on the page already.
    more : mapping, optional
        What else ``stage.js`` reads: a second journey under the same thumb.
    """
    _depots(key, [chunk for way in sent for chunk in chunks[way]])
    data = side(there, chunks, back) | {
        "at": {"stop": stop, "turn": turn},
        "following": following,
        "oneWay": one_way,
        "words": each(words.STAGE),
    }
    stage(data | dict(more or {}), key=key)


def _depots(key: str, chunks: Iterable[Chunk]) -> None:
    with st.container(key=f"depots-{key}"):
        for chunk in chunks:
            depot(chunk.name, chunk.message)


def side(
    there: WayThere, chunks: Mapping[str, Sequence[Chunk]], back: Mapping[str, Any] | None
) -> dict[str, Any]:
    """One journey as ``stage.js`` reads it; see :func:`mount`."""
    return {
        "there": _numbers(there.stops) | {"total": there.settings.steps},
        "back": back,
        "chunks": {way: [{"chunk": c.name, "count": c.count} for c in cs] for way, cs in chunks.items()},
    }


def _numbers(stops: Sequence[Stop]) -> dict[str, Any]:
    """Stops as columns; infinity travels as None."""
    return {
        "step": [s.step for s in stops],
        "t": [s.t for s in stops],
        "sigma": [s.sigma for s in stops],
        "snr": [s.snr if math.isfinite(s.snr) else None for s in stops],
        "measured": [s.measured if math.isfinite(s.measured) else None for s in stops],
    }


def numbers_back(there: WayThere, way: WayBack, count: int) -> dict[str, Any]:
    """The sent part of the way back, and where on the line it begins."""
    stops = [replace(way.state(k)[1], step=k) for k in way.ready()[:count]]
    begins = 1 - there.stops[there.nearest(way.start_t)].step / there.settings.steps
    return _numbers(stops) | {"total": way.total, "from": begins}
