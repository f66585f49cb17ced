"""The main part of the page of many endings, drawn inside one fragment."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import replace

import streamlit as st
import torch
from torch import Tensor

from diffusion.errors import Said, Sentence
from diffusion.sampler import DETERMINISTIC
from ui import figures, links, words
from ui.actions import WORTH_SAYING, most_looks_of, patience
from ui.chunks import Chunk
from ui.clock import clock
from ui.endings import COUNTS, Endings, FanRun, Measured, measure, plan_fan
from ui.fan import Tile, fan
from ui.fragment import fragment
from ui.journey import NOTHING_TO_TAKE, WayThere, pushed, rms
from ui.language import _, each, joined, number, tell
from ui.panels import as_table
from ui.queue import BusyError
from ui.resources import network, pace, queue
from ui.settings import MOST_WORK, Back
from ui.stage import depot, told
from ui.stage_view import mount
from ui.state import Session, session

STAGE = "endings-stage"
#: Starts that show how the endings draw together, tried one after another.
TRIED = (0.9, 0.6, 0.35, 0.15, 0.05)
#: Spreads below this are rounding.
NO_SPREAD = 1e-6


STYLE = "<style>.st-key-fan-status { min-height: 3.4rem; }</style>"


def show(back: Back, model: str | None) -> None:
    """Draw everything; while endings are computed, draw it again and again."""
    st.html(STYLE)
    back = replace(back, start="here", index=0)  # neither counts here, so neither shall tell endings apart
    fragment(_draw, back, model)


def _draw(back: Back, model: str | None) -> None:
    here = session()
    there, state = here.there, here.endings
    if there is None:
        return
    stop = _stop(here, there, state)
    settings = (here.there_key, model, back)
    state.show(settings, there.stops[stop].t)
    count = st.session_state.setdefault("endings", COUNTS[1])
    run = state.run
    state.asked = state.asked or settings
    if state.asked != settings or (run is not None and run.error):
        state.ahead.clear()  # they were asked for with other settings, or cannot be walked
    computing = state.computing  # asked once: all that is drawn now tells of one moment
    found = None
    if run is not None:
        run.seen()
        run.fan.count = count
        found = measure(run.fan, count)
        if found is not None and len(found.to_upload) == count:
            state.note(settings, run.fan, found)
    if state.ahead and (run is None or not run.computing):
        _next(here, there, settings, back, model, count)
        st.rerun()

    left, right = st.columns([1, 1.7], gap="medium")
    with left:
        chunks = {"there": here.chunks.there(there, here.number, "clipped"), "back": []}
        mount(STAGE, there, chunks, stop, state.turn, one_way=True)
    with right:
        _actions(here, there, stop, back, model, count, computing)
        _tiles(here, there, stop, run, found, count)
    left, right = st.columns([1, 1], gap="large")
    with left:
        _narrowing(state, settings, there.stops[stop].t)
    with right:
        _words(run, found)
    links.remember()  # the start is in it
    if computing:
        clock("clock")


def _stop(here: Session, there: WayThere, state: Endings) -> int:
    """The stop under the thumb: where it was let go, else the one nearest to the time remembered."""
    answer = told(STAGE)
    if answer is not None and answer.turn == state.turn and here.number == state.number:
        stop = min(max(answer.stop, 0), len(there.stops) - 1)
        if there.stops[stop].t != state.t:
            state.t = there.stops[stop].t
            state.ahead.clear()
            state.notice = None
        return stop
    if here.number != state.number:
        state.number = here.number
        state.turn += 1
    return there.nearest(state.t)


def _work(there: WayThere, back: Back, model: str | None, count: int) -> tuple[int, int]:
    """Looks at the network for so many endings, and those times pixels."""
    looks = count * most_looks_of(back, model)
    return looks, looks * there.x0[0, 0].numel()


def _tried(there: WayThere) -> list[float]:
    """The starts to try, from much noise to little: those stops, each once, where there is any noise."""
    found = dict.fromkeys(there.stops[there.nearest(t)].t for t in TRIED)
    return [t for t in found if t > 0]


def _actions(
    here: Session, there: WayThere, stop: int, back: Back, model: str | None, count: int, computing: bool
) -> None:
    """Draw the buttons, and how far it is."""
    state, t = here.endings, there.stops[stop].t
    run = state.run
    looks, work = _work(there, back, model, count)
    off = computing or model is None
    begun = run is not None and run.fan.ends and not run.finished and run.error is None
    label = _("Go on") if begun else _("Walk back {count} times from t = {t}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            _("Endings"),
            COUNTS,
            key="endings",
            required=True,
            label_visibility="collapsed",
            width="content",
            disabled=computing,
        )
        st.button(
            label.format(count=count, t=number(t)), key="fan", type="primary", icon=":material/call_split:",
            disabled=off or t <= 0 or work > MOST_WORK or (run is not None and run.finished),
            on_click=_go, args=(here,),
        )  # fmt: skip
        if computing:
            st.button(_("Stop"), key="fan-stop", icon=":material/stop:", on_click=state.stop)
        else:
            tried = _tried(there)
            st.button(
                _("Try {count} starts").format(count=len(tried)), key="fan-tries", icon=":material/sort:",
                disabled=off or len(tried) * work > MOST_WORK, on_click=_go, args=(here, tried),
                help=_("From much noise to little, one after another, to see how the endings draw together."),
            )  # fmt: skip
    with st.container(key="fan-status"):
        if state.notice:
            st.info(tell(state.notice))
        elif run is not None and run.error:
            st.error(tell(run.error))
        elif computing:
            st.progress(run.done if run is not None else 0.0, _progress(run) if run is not None else "")
        elif t <= 0:
            st.caption(_(NOTHING_TO_TAKE))
        elif work > MOST_WORK:
            most = back.steps * MOST_WORK // work
            side = there.x0.shape[-1]
            st.warning(_(words.ENDINGS_TOO_MUCH).format(count=count, steps=back.steps, side=side, most=most))
        else:
            notes = [_(words.ENDINGS_SAME if back.sampler in DETERMINISTIC else words.ENDINGS_START)]
            pixels = there.x0[0, 0].numel()
            seconds = pace().seconds(model or "", pixels)
            if seconds and looks * seconds > WORTH_SAYING and not (run is not None and run.finished):
                notes.append(_(words.ESTIMATE).format(looks=looks, seconds=looks * seconds))
            st.caption(joined(*notes))


def _progress(run: FanRun) -> str:
    if (place := run.place) is not None:
        return _(words.WAITING).format(place=place[0], total=place[1])
    return _("Ending {k} of {count}, step {step} of {total}").format(
        k=min(len(run.fan.ends) + 1, run.fan.count), count=run.fan.count,
        step=run.fan.taken, total=run.fan.settings.steps,
    )  # fmt: skip


def _go(here: Session, times: Sequence[float] | None = None) -> None:
    """Walk back from these times, one after another, or from the thumb's; callback of the buttons."""
    state = here.endings
    if here.there is not None:
        _stop(here, here.there, state)  # the thumb may have been let go just before the button was pressed
    state.ask([state.t] if times is None else times)


def _next(
    here: Session, there: WayThere, settings: Hashable, back: Back, model: str | None, count: int
) -> None:
    """Begin the endings from the next of the times ahead, or go on with them; done, it is ahead no more."""
    state = here.endings
    stop = there.nearest(state.ahead[0])
    if there.stops[stop].t != state.t:
        state.t = there.stops[stop].t
        state.turn += 1
    state.show(settings, state.t)
    try:
        if state.run is None and model is not None:
            net = network(model)
            if back.label:
                net = net.asked_for(back.label)
            planned = plan_fan(there, stop, back, model, count)
            state.take(settings, FanRun(planned, net, queue(), pace()))
        if state.run is not None:
            state.run.fan.count = count
            state.run.go()
            state.run.wait(patience(_work(there, back, model, count)[0], model, there.x0[0, 0].numel()))
            if state.run.finished:
                state.ahead.pop(0)
    except Said as error:
        state.notice = error.sentence
    except BusyError:
        state.notice = Sentence(words.BUSY)
    except Exception:
        state.ahead.clear()  # not again at every look
        raise
    if state.notice:
        state.ahead.clear()


def _tiles(
    here: Session, there: WayThere, stop: int, run: FanRun | None, found: Measured | None, count: int
) -> None:
    """The endings, and what they have together."""
    (frames,) = here.chunks.there(there, here.number, "clipped")
    start = (frames.name, stop)
    coming = _(words.ENDING_COMING).format(t=number(there.stops[stop].t))
    depots: list[Chunk] = []
    endings: list[Tile] = []
    together = [Tile((frames.name, 0), _("your picture"), "", _("Your picture, x_0."))]
    if run is not None and found is not None:
        depots += here.chunks.fan(run.fan, run.number)
        places = [(chunk.name, k) for chunk in depots for k in range(chunk.count)]
        for k, distance in enumerate(found.to_upload):
            spoken = _(words.ENDING_SPOKEN).format(k=k + 1, count=count, distance=distance)
            endings.append(Tile(places[k], str(k + 1), f"{distance:.3f}", spoken))
        for name, picture, size in _together(run, found):
            chunk = here.chunks.one(f"fan-{run.number}-{name}-{len(endings)}", picture)
            depots.append(chunk)
            spoken = _(words.TOGETHER_SPOKEN[name]).format(
                count=len(endings), number=size, top=float(found.deviation.max())
            )
            text = _(words.TOGETHER[name]).format(count=len(endings))
            together.append(Tile((chunk.name, 0), text, f"{size:.3f}", spoken))
    else:
        names = (_(text).format(count=count) for text in words.TOGETHER.values())
        together += [Tile(start, name, "", coming, True) for name in names]
    endings += [Tile(start, "x_t", "", coming, True)] * (count - len(endings))
    with st.container(key="depots-fan"):
        for chunk in depots:
            depot(chunk.name, chunk.message)
    fan(endings, together, each(words.FAN), key="fan-tiles")
    st.caption(_(words.ENDINGS_LEGEND))


def _together(run: FanRun, found: Measured) -> list[tuple[str, Tensor, float]]:
    """Name, picture and number of what the endings have together."""
    top = float(found.deviation.max())
    dark = torch.full_like(found.deviation, -1.0)
    return [
        ("guess", found.guess, rms(found.guess - run.fan.x0)),
        ("mean", found.mean, found.mean_to_upload),
        ("spread", found.deviation / top * 2 - 1 if top > NO_SPREAD else dark, found.spread),
    ]


def _narrowing(state: Endings, settings: Hashable, t: float) -> None:
    """How far apart the endings are, by where they start."""
    rows = state.rows(settings)
    heading, explained = map(_, words.NARROWING)
    st.markdown(f"**{heading}**", help=explained)
    if rows:
        figure = figures.narrowing(rows, t)
        st.plotly_chart(figure, key="plot-narrowing", config={"displayModeBar": False}, width="stretch")
        st.caption(figures.summary_narrowing(rows))
        as_table("narrowing", figure)
    else:
        st.caption(_(words.NARROWING_EMPTY))


def _words(run: FanRun | None, found: Measured | None) -> None:
    """What these endings show, in numbers of theirs."""
    st.markdown(f"**{_('One start, many endings')}**")
    st.markdown(_(words.ENDINGS))
    if run is None or found is None or len(found.to_upload) < 2:
        return
    count = len(found.to_upload)
    if found.spread < NO_SPREAD:
        st.markdown(_(words.ENDINGS_ONE).format(count=count))
        return
    text = words.MEAN_NEARER if 2 * found.nearer > count else words.MEAN_FARTHER
    values = {"count": count, "apart": found.apart, "mean": found.mean_to_upload, "nearer": found.nearer}
    st.markdown(_(text).format(**values))
    of_all = math.hypot(found.mean_to_upload, found.spread)
    st.markdown(_(words.PYTHAGORAS).format(all=of_all, mean=found.mean_to_upload, spread=found.spread))
    if pushed(run.net, run.fan.process, run.fan.times):
        st.markdown(_(words.PUSHED))
        return
    chance = found.spread / math.sqrt(count - 1)
    gap = found.guess_to_mean
    rest = math.sqrt(max(gap**2 - chance**2, 0.0))
    st.markdown(_(words.MEAN_AND_GUESS).format(gap=gap, chance=chance, rest=rest, count=count))
