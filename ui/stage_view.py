"""The main part of the journey page: computes what is needed, then draws it inside one fragment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import plotly.graph_objects as go
import streamlit as st
import torch

import diffusion
from ui import figures, words
from ui.chunks import Chunks
from ui.dissect import dissect
from ui.journey import VIEWS, Stop, WayBack, WayThere, plan_back, walk_there
from ui.resources import network, workers
from ui.runs import Run
from ui.settings import STARTS, Back, There
from ui.stage import depot, stage
from ui.state import Session, session

STYLE = """<style>
.st-key-depots { display: none; }
[data-testid="stMainBlockContainer"] { padding: 4rem 2.2rem 3rem; max-width: 1500px; }
@media (max-width: 640px) { [data-testid="stMainBlockContainer"] { padding: 3.6rem 1rem 3rem; } }
</style>"""

#: Seconds between looks at a way back under way.
TICK = 0.25


def prepare(settings: There, model: str | None, size: int) -> None:
    """Compute the way there, unless it stands already for just these settings."""
    here = session()
    if here.picture is None:
        return
    channels = diffusion.read_card(model)["architecture"]["channels"] if model else 3
    key = (here.picture.id, here.crop, size, channels, settings)
    if key != here.there_key:
        here.drop_run()
        here.chunks, here.number = Chunks(), here.number + 1
        x0 = here.picture.tensor(size, channels, here.crop)
        bar = st.empty()
        for done in walk_there(x0, settings):
            if isinstance(done, WayThere):
                here.there = done
            elif settings.steps * size * size > 5e6:
                bar.progress(done, f"Noising in {settings.steps} steps")
        bar.empty()
        here.there_key = key
        if here.there is None:
            raise RuntimeError("the way there ended without a result")
        here.move_to(min(here.stop, len(here.there.stops) - 1))
    if here.run is not None and here.run.way.model != model:
        here.drop_run()
        here.move_to(min(here.stop, len(here.there.stops) - 1) if here.there else 0)


def show(back: Back, model: str | None) -> None:
    """Draw everything; while a way back is computed, draw it again and again."""
    run = session().run
    tick = TICK if run is not None and run.computing else None
    st.fragment(_draw, run_every=tick)(back, model, tick is not None)


def _draw(back: Back, model: str | None, ticking: bool) -> None:
    here = session()
    there, run = here.there, here.run
    if there is None:
        return
    computing = run is not None and run.computing
    left, right = st.columns([1.4, 1], gap="medium")
    with left:
        view = st.session_state.get("view", VIEWS[0])
        stop = _stage(here, there, run, view, computing)
        _actions(here, there, run, back, model)
        st.segmented_control(
            "How a frame is shown", VIEWS, format_func=words.VIEWS.__getitem__, default=VIEWS[0],
            key="view", help=words.VIEW_HELP, required=True,
        )  # fmt: skip
    with right:
        _plots(there, run, stop)
    _apart(there, run, stop, view)
    _told(there, run)
    if ticking and not computing:
        here.move_to(_count(there, run) - 1)
        st.rerun()


def _count(there: WayThere, run: Run | None) -> int:
    return len(there.stops) + (len(run.way.ready()) if run else 0)


def _stage(here: Session, there: WayThere, run: Run | None, view: str, computing: bool) -> int:
    """Mount depots and stage; returns the stop under the thumb."""
    chunks = {
        "there": here.chunks.there(there, here.number, view),
        "back": here.chunks.back(run.way, run.number, view) if run else [],
    }
    sent_back = sum(chunk.count for chunk in chunks["back"])
    with st.container(key="depots"):
        for chunk in chunks["there"] + chunks["back"]:
            depot(chunk.name, chunk.message)
    last = len(there.stops) + sent_back - 1
    if computing:
        here.stop = last
    data = {
        "there": _numbers(there.stops) | {"total": there.settings.steps},
        "back": _numbers_back(there, run.way, sent_back) if run and sent_back else None,
        "chunks": {way: [{"chunk": c.name, "count": c.count} for c in cs] for way, cs in chunks.items()},
        "at": {"stop": here.stop, "turn": here.turn},
        "following": computing,
        "words": words.STAGE,
    }
    told = stage(data, key="stage")
    if told is not None and told.turn == here.turn and not computing:
        here.stop = told.stop
    here.stop = min(here.stop, last)
    return here.stop


def _numbers(stops: Sequence[Stop]) -> dict[str, Any]:
    """Stops as columns; infinity travels as None."""
    return {
        "step": [s.step for s in stops],
        "t": [s.t for s in stops],
        "sigma": [s.sigma for s in stops],
        "snr": [s.snr if math.isfinite(s.snr) else None for s in stops],
        "measured": [s.measured for s in stops],
    }


def _numbers_back(there: WayThere, way: WayBack, count: int) -> dict[str, Any]:
    """The sent part of the way back, and where on the line it begins."""
    stops = [replace(way.state(k)[1], step=k) for k in way.ready()[:count]]
    nearest = min(range(len(there.stops)), key=lambda k: abs(there.stops[k].t - way.start_t))
    begins = 1 - nearest / (len(there.stops) - 1)
    return _numbers(stops) | {"total": way.total, "from": begins}


def _actions(here: Session, there: WayThere, run: Run | None, back: Back, model: str | None) -> None:
    """The buttons of the way back, and how far it is."""
    st.segmented_control(
        "The way back starts", STARTS, format_func=words.STARTS.__getitem__, key="start", required=True
    )
    computing = run is not None and run.computing
    going_on = run is not None and not run.finished and run.error is None
    columns = st.columns([1.4, 1, 1])
    label = "Go on" if going_on and run and run.way.steps else "Walk back"
    off = computing or model is None
    walk = columns[0].button(
        label, type="primary", icon=":material/undo:", disabled=off, width="stretch", key="walk"
    )
    one = columns[1].button("One step", icon=":material/step:", disabled=off, width="stretch", key="one")
    if model is not None and (walk or one):
        _go(here, there, back, model, 1 if one else None)
    if computing:
        if columns[2].button("Stop", icon=":material/stop:", width="stretch", key="stop") and run:
            run.stop()
    elif columns[2].button(
        "Clear", icon=":material/close:", disabled=run is None, width="stretch", key="clear"
    ):
        here.drop_run()
        here.move_to(min(here.stop, len(there.stops) - 1))
        st.rerun()
    if run is not None and computing:
        what = "Waiting for a free worker" if run.waiting else f"Step {len(run.way.steps)} of {run.way.total}"
        if run.way.start is None:
            what = f"Climbing, step {run.way.climbed} of {run.way.climb}"
        st.progress(run.done, what)
    if run is not None and run.error:
        st.error(run.error)
    if message := st.session_state.pop("notice", None):
        st.info(message)
    st.caption(words.START_NOTES[st.session_state["start"]])


def _go(here: Session, there: WayThere, back: Back, model: str, steps: int | None) -> None:
    """Start a way back, or go on with the one that stands."""
    back = replace(back, start=st.session_state["start"])
    run = here.run
    if run is None or run.finished or run.error is not None or run.way.settings != back:
        here.drop_run()
        stop = min(here.stop, len(there.stops) - 1)
        try:
            way = plan_back(there, stop, back, model)
            net = network(model)
        except (ValueError, diffusion.ModelError) as error:
            st.session_state["notice"] = str(error)
            st.rerun()
        run = here.run = Run(way, net, there.settings.seed, workers())
    run.go(steps)
    run.wait(0.2)
    here.move_to(_count(there, run) - 1)
    st.rerun()


def _plots(there: WayThere, run: Run | None, stop: int) -> None:
    """The noise-variance plots, all at the frame under the thumb."""
    way = run.way if run and run.way.start is not None else None
    on_back = stop >= len(there.stops)
    if on_back and way:
        x_t, at_stop = way.state(way.ready()[stop - len(there.stops)])
    else:
        x_t, at_stop = there.frames[stop : stop + 1], there.stops[stop]
    at = figures.Thumb(at_stop, on_back)
    process = there.process

    _plot("variance", figures.variance(there, way, at), figures.summary_variance(at))
    _plot(
        "histogram",
        figures.histogram(x_t, process, at_stop.t),
        figures.summary_histogram(x_t, process, at_stop.t),
    )
    names = ["added", "snr"] + (["distance"] if way and way.steps else [])
    tabs = st.tabs([words.FIGURES[name][0] for name in names])
    with tabs[0]:
        _plot("added", figures.added(there, way), figures.summary_added(there, way), title=False)
    with tabs[1]:
        _plot("snr", figures.snr(there, at), figures.summary_snr(at), title=False)
    if way and way.steps:
        with tabs[2]:
            _plot("distance", figures.distance(way), figures.summary_distance(way), title=False)


def _plot(name: str, figure: go.Figure, summary: str, title: bool = True) -> None:
    """One figure with its title, its words and its numbers in a sentence."""
    heading, explained = words.FIGURES[name]
    if title:
        st.markdown(f"**{heading}**", help=explained)
    st.plotly_chart(figure, key=f"plot-{name}", config={"displayModeBar": False}, width="stretch")
    st.caption(summary if title else f"{summary} {explained}")


def _apart(there: WayThere, run: Run | None, stop: int, view: str) -> None:
    """The step under the thumb in the tutorial's formula."""
    st.subheader("One step, taken apart", anchor=False)
    if run is None or not run.way.steps:
        st.caption(words.APART_EMPTY)
        return
    way = run.way
    ready = way.ready()
    k = ready[max(0, stop - len(there.stops))] if stop >= len(there.stops) else 1
    kept = way.steps[min(max(k, 1), len(way.steps)) - 1]
    process = way.process
    st.markdown(
        f"Step {kept.stop.step} of {way.total}, {words.SAMPLERS[way.sampler]}: from t = {kept.t:.4g} "
        f"(σ_t = {process.sigma(kept.t):.4g}) to t = {kept.s:.4g} (σ_t = {process.sigma(kept.s):.4g}). "
        + words.APART
    )
    dissect(kept, key="dissect", labels=words.APART_LABELS, view=view)


def _told(there: WayThere, run: Run | None) -> None:
    """What happens here, in a few sentences with numbers of this journey."""
    left, right = st.columns(2, gap="large")
    x0, x_T = there.x0.flatten(), there.frames[-1].flatten()
    spread = float(x0.std())
    with left:
        st.markdown("**The way there**")
        st.markdown(words.THERE)
        st.markdown(words.PROCESS_NOTES[there.settings.process])
        if spread > 0:
            correlation = float(torch.corrcoef(torch.stack([x0, x_T]))[0, 1])
            st.markdown(words.NOT_YET_NOISE.format(correlation=correlation, spread=spread))
    with right:
        st.markdown("**The way back**")
        st.markdown(words.BACK)
        if run is not None:
            st.markdown(words.SAMPLER_NOTES[run.way.sampler])
            net = run.net.name
            st.markdown(
                f"*{net.capitalize()}* walked this one: {run.evaluations} looks at the network so far."
            )
