"""The main part of the page of two journeys: what differs, one stage for both, one thumb."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from diffusion import GRIDS, PROCESSES, SAMPLERS
from ui import links, locks, words
from ui.actions import arrived, begin, most_looks_of, progress
from ui.clock import clock
from ui.compare import DIFFER, OTHER, Choice, Times, differences, timeline
from ui.controls import preset_left
from ui.fragment import fragment
from ui.journey import VIEWS
from ui.language import _, named, number, tell
from ui.resources import any_size, cards
from ui.runs import Run
from ui.settings import (
    BACK_STEPS_RANGE,
    MOST_WORK,
    PHOTO_SIZES,
    SEED_RANGE,
    SIGMA_Q_RANGE,
    STARTS,
    STEPS_RANGE,
)
from ui.stage import depot, told
from ui.stage_view import mount, numbers_back, side
from ui.state import Session, beside, session

STAGE = "compare-stage"
#: Where both ways back start while the thumb stands at t = 0.
MIDDLE = 0.5
_SHOWN = {
    "process": words.PROCESSES, "grid": words.GRIDS, "sampler": words.SAMPLERS, "back_grid": words.GRIDS,
}  # fmt: skip
_OPTIONS = {"process": tuple(PROCESSES), "grid": GRIDS, "sampler": tuple(SAMPLERS), "back_grid": GRIDS}
_BOUNDS = {"sigma_q": SIGMA_Q_RANGE, "steps": STEPS_RANGE, "seed": SEED_RANGE, "back_steps": BACK_STEPS_RANGE}


def other(one: Choice) -> Choice:
    """Draw what differs; returns the second journey's settings."""
    for name, value in OTHER.items():
        st.session_state.setdefault(f"b_{name}", value)
    st.session_state.setdefault("differ", list(DIFFER))
    differ = st.pills(
        _("B is the same as A, but with another …"), list(OTHER), selection_mode="multi",
        format_func=named(words.COMPARED), key="differ", help=_(words.COMPARE_HELP),
    )  # fmt: skip
    with st.container(key="other", horizontal=True):
        changes = {name: _field(name, one) for name in OTHER if name in differ}
    sizes = {name: int(card["size"]) for name, card in cards().items()}
    chosen = st.session_state.get("size") or PHOTO_SIZES[1]
    sizes |= {name: chosen for name, card in cards().items() if any_size(card)}
    return one.but(changes, sizes)


def _field(name: str, one: Choice) -> Any:  # noqa: ANN401 - a setting's value
    """The widget of one setting of the second journey; returns what is chosen."""
    key, label = f"b_{name}", f"B · {_(words.COMPARED[name])}"
    if name == "model":
        networks = list(cards())
        if st.session_state.get(key) not in networks:
            others = [network for network in networks if network != one.model]
            st.session_state[key] = (others or [None])[0]
        return st.selectbox(label, networks, format_func=lambda n: _(n.capitalize()), key=key, width=230)
    if name in _OPTIONS:
        return st.selectbox(label, _OPTIONS[name], format_func=named(_SHOWN[name]), key=key, width=230)
    low, high = _BOUNDS[name]
    return st.number_input(label, low, high, key=key, width=170)


def show(one: Choice, other: Choice) -> None:
    """Draw both; while a way back is computed, draw them again and again."""
    fragment(_draw, one, other)


def _draw(one: Choice, other: Choice) -> None:
    a, b, thumb = session(), beside(), session().thumb
    if a.there is None or b.there is None:
        return
    if preset_left():  # the sidebar is drawn with a whole rerun
        st.rerun()
    start = st.session_state["start"]
    one, other = (replace(choice, back=replace(choice.back, start=start)) for choice in (one, other))
    for here, choice in ((a, one), (b, other)):
        if run := _run(here, choice):
            run.seen()
        elif here.run is not None:
            here.run.stop()  # it would be computed, and not be shown
    computing = a.computing or b.computing  # asked once: all that is drawn now tells of one moment
    _heed(a, b)
    view = st.session_state["view"] = st.session_state.get("view") or VIEWS[0]
    sides = [_Side(a, one, view), _Side(b, other, view)]
    thumb.follow(timeline(sides[0].times, sides[1].times), a.stop)
    resting = not (computing or a.following or b.following)
    if resting and not any(side.times[1] for side in sides):  # where the next ways back begin
        thumb.stand(a.origin)
    _put(a, b)
    if (a.following or b.following) and not computing:  # both have come to rest, perhaps between two looks
        a.following = b.following = False
        thumb.move_to_end()
        _put(a, b)
    if computing:
        thumb.place = thumb.line[-1][0]
        _put(a, b)
    found = differences(one, other)
    titles = [_("A · as on the journey"), _title(found)]
    with st.container(key="depots-beside"):
        for chunk in (*sides[1].chunks["there"], *sides[1].chunks["back"]):
            depot(chunk.name, chunk.message)
    more = {"beside": side(b.there, sides[1].chunks, sides[1].back), "line": thumb.line, "titles": titles}
    mount(
        STAGE, a.there, sides[0].chunks, thumb.at(), _turn(a, b),
        back=sides[0].back, following=computing, more=more,
    )  # fmt: skip
    _differences(found)
    _actions(a, b, one, other, computing)
    st.segmented_control(
        locks.named("view"), VIEWS, format_func=named(words.VIEWS),
        key="view", help=_(words.VIEW_HELP), required=True, disabled=locks.locked("view"),
    )  # fmt: skip
    links.remember()  # the thumb is in it
    if computing:
        clock("clock")


def _run(here: Session, choice: Choice) -> Run | None:
    """Its way back, if it was walked with just these settings: what is said of a side must be true of it."""
    run = here.run
    return run if run and (run.way.settings, run.way.model) == (choice.back, choice.model) else None


class _Side:
    """What goes to the browser of one journey: frames, times and numbers."""

    def __init__(self, here: Session, choice: Choice, view: str) -> None:
        there, run = here.there, _run(here, choice)
        assert there is not None
        back = here.chunks.back(run.way, run.number, view) if run else []
        self.chunks = {"there": here.chunks.there(there, here.number, view), "back": back}
        sent = sum(chunk.count for chunk in back)
        shown = [run.way.state(k)[1].t for k in run.way.ready()[:sent]] if run else []
        self.times: Times = ([stop.t for stop in there.stops], shown)
        self.back = numbers_back(there, run.way, sent) if run and sent else None


def _turn(a: Session, b: Session) -> int:
    """Grows when the server moves the thumb, whoever of them it was."""
    return a.thumb.turn + a.turn + b.turn


def _heed(a: Session, b: Session) -> None:
    """Note where the thumb was let go, unless the server has moved it since."""
    answer = told(STAGE)
    if answer is not None and answer.turn == _turn(a, b):
        a.thumb.let_go(answer.stop)
        _put(a, b)
        if a.thumb.on_the_way_there:  # elsewhere a side without a way back shows where it would begin
            a.stand(a.stop)
            b.stand(b.stop)


def _put(a: Session, b: Session) -> None:
    """Let both journeys show what is under the thumb."""
    _place, a.stop, b.stop = a.thumb.line[a.thumb.at()]


def _starts(a: Session, b: Session) -> tuple[int, ...]:
    """The stops both ways back start from: nearest in time to where A's thumb was put, or to the middle."""
    assert a.there is not None
    assert b.there is not None
    first = min(a.origin, len(a.there.stops) - 1)
    t = a.there.stops[first].t or MIDDLE
    return tuple(max(1, there.nearest(t)) for there in (a.there, b.there))


def _actions(a: Session, b: Session, one: Choice, other: Choice, computing: bool) -> None:
    """Draw the buttons of both ways back, and how far they are."""
    assert a.there is not None
    first, *_others = _starts(a, b)
    off = computing or one.model is None or _too_much(one) or _too_much(other)
    st.segmented_control(
        locks.named("start"), STARTS, format_func=named(words.STARTS), key="start", required=True,
        disabled=locks.locked("start"),
    )  # fmt: skip
    label = _("Walk both back")
    if one.back.start == "here":
        label = _("Walk both back from t = {t}").format(t=number(a.there.stops[first].t))
    with st.container(horizontal=True):
        st.button(
            label, key="both", type="primary", icon=":material/undo:",
            disabled=off, on_click=_go, args=(a, b, one, other),
        )  # fmt: skip
        if computing:
            st.button(_("Stop"), key="both-stop", icon=":material/stop:", on_click=_stop, args=(a, b))
        else:
            none = a.run is None and b.run is None
            st.button(
                _("Clear"), key="both-clear", icon=":material/close:",
                disabled=none, on_click=_clear, args=(a, b),
            )  # fmt: skip
    with st.container(key="status"):
        for column, name, here, choice in zip(st.columns(2), "AB", (a, b), (one, other), strict=True):
            with column:
                _status(name, here, choice)


def _too_much(choice: Choice) -> bool:
    return most_looks_of(choice.back, choice.model) * choice.size**2 > MOST_WORK


def _status(name: str, here: Session, choice: Choice) -> None:
    """How far one way back is, and where it ended."""
    run = _run(here, choice)
    if here.notice:
        st.info(f"{name} · {tell(here.notice)}")
    elif run is not None and run.error:
        st.error(f"{name} · {tell(run.error)}")
    elif run is not None and run.computing:
        st.progress(run.done, f"{name} · {progress(run)}")
    elif run is not None and run.finished:
        st.markdown(f"**{name}** · {arrived(run.way)}")
    elif _too_much(choice):
        st.warning(f"{name} · {_(words.COMPARE_TOO_MUCH)}")
    else:
        st.caption(f"{name} · {_('No way back yet.')}")


def _go(a: Session, b: Session, one: Choice, other: Choice) -> None:
    """Walk both back; what stands already is not walked again. Callback of the button."""
    _heed(a, b)  # the thumb may have been let go just before the button was pressed
    starts = _starts(a, b)
    for here, choice, stop in zip((a, b), (one, other), starts, strict=True):
        there, start = here.there, choice.back.start
        if there is None or choice.model is None:
            continue
        t = there.stops[stop].t if start == "here" else 1.0
        run = _run(here, choice)
        if run is not None and run.way.start_t != t:
            here.drop_run()  # it would go on from where it began
        elif run is not None and run.finished:
            continue
        here.stand(stop)
        begin(here, there, choice.back, choice.model)


def _stop(a: Session, b: Session) -> None:
    for here in (a, b):
        if here.run is not None:
            here.run.stop()


def _clear(a: Session, b: Session) -> None:
    for here in (a, b):
        here.clear()


def _differences(found: list[tuple[str, Any, Any]]) -> None:
    """What differs, in a sentence."""
    if not found:
        st.markdown(_(words.COMPARE_SAME))
        return
    parts = []
    for name, ours, theirs in found:
        text = _("**{name}**: {theirs} instead of {ours}")
        if ours is None or theirs is None:  # sigma_q, of the Brownian process alone
            text = _("**{name}**: {theirs} on one side, none on the other")
            theirs = ours if theirs is None else theirs
        values = {"ours": _value(name, ours), "theirs": _value(name, theirs)}
        parts.append(text.format(name=_(words.COMPARED[name]), **values))
    st.markdown(_("B differs from A in this: {what}.").format(what=_("; ").join(parts)))


def _value(name: str, value: Any) -> str:  # noqa: ANN401 - a setting's value
    """A setting's value as a person reads it."""
    if name in _SHOWN:
        return _(_SHOWN[name][value])
    return (
        _(value.capitalize()) if name == "model" else f"{value:g}" if isinstance(value, float) else str(value)
    )


def _title(found: list[tuple[str, Any, Any]]) -> str:
    """What the second journey is called: all that it has to itself."""
    own = [
        _value(name, value) if isinstance(value, str) else f"{_(words.COMPARED[name])} {_value(name, value)}"
        for name, _ours, value in found
        if value is not None
    ]
    return "B · " + (_(", ").join(own) or _("the same"))
