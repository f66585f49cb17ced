"""The buttons of the way back, and how far it is."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from typing import Any

import streamlit as st

from diffusion import GRIDS, SAMPLERS
from diffusion.card import rate_from_noise
from diffusion.errors import Said, Sentence
from diffusion.generate import EVALUATIONS, picked_class
from diffusion.grids import SIGMA_HIGH
from diffusion.guidance import Guidance
from diffusion.processes import Process
from ui import locks, words
from ui.card_view import expectation
from ui.journey import WayBack, WayThere, most_looks, plan_back
from ui.language import _, joined, named, number, tell
from ui.queue import BusyError
from ui.resources import cards, network, pace, queue
from ui.runs import Run
from ui.settings import MOST_WORK, STARTS, Back
from ui.stage import STAGE, told
from ui.state import Session

#: A run that takes no more seconds than this is waited for, so that it appears at once and whole.
PATIENCE = 1.0
#: Seconds of computing that are told beforehand.
WORTH_SAYING = 2.0
#: sigma/alpha from which on a way back has something to do.
NOISE_TO_SPEAK_OF = 0.5
#: A start in pure noise wants at least this share of the noise its network has learnt to start from.
ENOUGH = 0.25


def actions(here: Session, there: WayThere, back: Back, model: str | None, computing: bool) -> None:
    """Draw them for the way back that stands, or the one that could be begun."""
    back = replace(back, start=st.session_state["start"])
    run = here.run
    looks = most_looks_of(back, model)
    pixels = there.x0[0, 0].numel()
    too_much = looks * pixels > MOST_WORK
    st.segmented_control(
        locks.named("start"), STARTS, format_func=named(words.STARTS), key="start", required=True,
        disabled=locks.locked("start"),
    )  # fmt: skip
    off = computing or model is None or too_much
    with st.container(horizontal=True):
        st.button(
            _label(here, there, back, model), key="walk", type="primary", icon=":material/undo:",
            disabled=off, on_click=_go, args=(here, there, back, model, None),
        )  # fmt: skip
        st.button(
            _("One step"), key="one", icon=":material/step:",
            disabled=off, on_click=_go, args=(here, there, back, model, 1),
        )  # fmt: skip
        if run is not None and computing:
            st.button(_("Stop"), key="stop", icon=":material/stop:", on_click=run.stop)
        else:
            st.button(
                _("Clear"), key="clear", icon=":material/close:",
                disabled=run is None, on_click=here.clear,
            )  # fmt: skip
    with st.container(key="status"):
        said = True
        if here.notice:
            st.info(tell(here.notice))
        elif run is not None and run.error:
            st.error(tell(run.error))
        elif run is not None and computing:
            st.progress(run.done, progress(run))
        elif run is not None and run.finished:
            st.markdown(arrived(run.way))
        else:
            said = False
        if too_much and not computing:
            allowed = MOST_WORK // pixels
            most = bisect_right(
                range(1, back.steps), allowed, key=lambda n: most_looks_of(replace(back, steps=n), model)
            )
            st.warning(_(words.TOO_MUCH).format(steps=back.steps, side=there.x0.shape[-1], most=most))
        elif not said:
            notes = [_(words.START_NOTES[back.start])]
            if back.start == "noise":
                notes.append(too_weak(there.process, cards().get(model or "", {})))
            if back.start == "inversion" and back.sampler != "heun":
                notes.append(_(words.ALWAYS_HEUN))
            if (seconds := pace().seconds(model or "", pixels)) and looks * seconds > WORTH_SAYING:
                notes.append(_(words.ESTIMATE).format(looks=looks, seconds=looks * seconds))
            st.caption(joined(*notes))


def _label(here: Session, there: WayThere, back: Back, model: str | None) -> str:
    """What the main button does now."""
    if here.run is not None and here.run.way.steps and _continues(here.run, back, model):
        return _("Go on")
    if st.session_state["start"] != "here":
        return _("Walk back")
    t = there.stops[first_stop(here, there)].t
    return _("Walk back from t = {t}").format(t=number(t))


def most_looks_of(back: Back, model: str | None) -> int:
    """Looks at the network a way back costs at most: as if a class guided it under all noise."""
    card = cards().get(model or "", {})
    asked = back.label is not None or (back.start == "noise" and bool(card.get("classes")))
    return most_looks(back, 2 if asked and Guidance.read(card.get("guidance", 1)).weight != 1 else 1)


def progress(run: Run) -> str:
    """How far a way back is."""
    if (place := run.place) is not None:
        return _(words.WAITING).format(place=place[0], total=place[1])
    if run.way.start is None:
        return _("Climbing, step {step} of {total}").format(step=run.way.climbed, total=run.way.climb)
    return _("Step {step} of {total}").format(step=len(run.way.steps), total=run.way.total)


def arrived(way: WayBack) -> str:
    """Where a finished way back ended, in numbers of this run."""
    text = _(words.ARRIVED).format(distance=way.steps[-1].to_upload)
    if way.asked and way.settings.label is None:
        text = joined(text, _(words.PICKED).format(name=_(way.asked.replace("_", " "))))
    looks = sum(step.evaluations for step in way.steps)
    if way.settings.start == "noise" and (sentence := expected(way, looks)):
        text += "\n\n" + sentence
    if way.settings.start == "inversion":
        text = joined(text, _(words.ARRIVED_INVERSION).format(up=way.climb, down=way.total))
    return text


def expected(way: WayBack, looks: int) -> str:
    """What a start in pure noise can lead to: the card's figures hold only for ways like those measured."""
    card, process = cards()[way.model], way.process
    if weak := too_weak(process, card):
        return weak
    found, measured = expectation(card), rate_from_noise(card)
    if measured is None or measured.sampler not in SAMPLERS or measured.grid not in GRIDS:
        return found
    alike = (way.settings.sampler, way.settings.grid) == (measured.sampler, measured.grid)
    if alike and (measured.looks or EVALUATIONS) <= looks <= 2 * EVALUATIONS:
        return found
    sampler, grid = words.SAMPLERS[measured.sampler], words.GRIDS[measured.grid]
    return _(words.OTHER_WAY).format(sampler=_(sampler), grid=_(grid))


def too_weak(process: Process, card: dict[str, Any]) -> str:
    """Why pure noise of this process is no start for a network that makes pictures; empty where it is one."""
    ratio, most = process.ratio(1.0), min(card.get("sigma_max", 0.0), SIGMA_HIGH)
    if not card.get("classes") or ratio >= ENOUGH * most:
        return ""
    return _(words.WEAK_NOISE).format(ratio=ratio, most=most, preset=_(words.PRESETS["from_nothing"]))


def _continues(run: Run, back: Back, model: str | None) -> bool:
    """Whether pressing the button goes on with this run rather than begin another."""
    return not run.finished and run.error is None and run.way.settings == back and run.way.model == model


def first_stop(here: Session, there: WayThere) -> int:
    """The stop a way back starts from: the thumb's; from t = 0, the first with noise to speak of."""
    if here.origin:
        return min(here.origin, len(there.stops) - 1)
    noisy = (k for k, stop in enumerate(there.stops) if stop.sigma >= NOISE_TO_SPEAK_OF * stop.alpha)
    return next(noisy, len(there.stops) - 1)


def _go(here: Session, there: WayThere, back: Back, model: str, steps: int | None) -> None:
    """Callback of the buttons."""
    here.heed(told(STAGE))  # the thumb may have been let go just before the button was pressed
    begin(here, there, back, model, steps)


def begin(here: Session, there: WayThere, back: Back, model: str, steps: int | None = None) -> None:
    """Start a way back, or go on with the one that stands; all steps of it when not given how many."""
    here.notice = None
    run = here.run
    if run is None or not _continues(run, back, model):
        here.drop_run()
        try:
            net = network(model)
            way = plan_back(there, first_stop(here, there), back, model)
            if net.classes and back.start == "noise" and back.label is None:
                way.asked = picked_class(net.classes, there.settings.seed, back.index)
            if way.asked:
                net = net.asked_for(way.asked)
        except Said as error:
            here.notice = error.sentence
            return
        run = here.run = Run(way, net, there.settings.seed, queue(), pace())
    try:
        run.go(steps)
    except BusyError:
        here.notice = Sentence(words.BUSY)
        return
    here.following = True
    looks = most_looks_of(replace(back, steps=steps or back.steps), model)
    run.wait(patience(looks, model, there.x0[0, 0].numel()))
    here.to_end()


def patience(looks: int, model: str | None, pixels: int) -> float:
    """How many seconds to wait for so many looks before the page is drawn: none where that is not enough."""
    return PATIENCE if looks * (pace().seconds(model or "", pixels) or 0.0) <= PATIENCE else 0.0
