"""Lesson 6: many ways back from one noisy picture, and the one way that returns it."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st
import torch

from diffusion.denoiser import Denoiser, NetworkDenoiser
from ui.journey import WayThere
from ui.language import N_, _
from ui.lessons import charts, numbers
from ui.lessons.numbers import CLIMB, STEPS_EACH, Endings, Returned
from ui.lessons.rhythm import (
    Learner,
    Paper,
    Question,
    Shown,
    Told,
    chart,
    deeper,
    explain,
    learning,
    network_for,
    pictures,
    predict,
    stage,
    task,
    walked_there,
    way_there,
)
from ui.lessons.work import Task, watch
from ui.settings import There

TITLE = N_("Many endings")
LEAD = N_(
    "Undoing noise is no rewinding of a film. From one noisy picture many ways lead back; see how far "
    "apart they end, and which way returns your picture."
)
SIGMA_Q, T = 3.0, 20
EARLY, LATE = 6, 1
#: An inversion that ends further from its picture than this has missed it.
NEAR = 0.02
#: The digits network's path does not lead back from a photo.
LEADING_BACK = ("photos", "dogs")

SIXTEEN = Question(
    "6-sixteen",
    N_(
        "At t = {t:.2g} the noise has spread {sigma:.2g}. From this **one** noisy picture, walk back "
        "sixteen times with the same network, each time with other fresh noise. You get …"
    ),
    {
        "same": N_("your picture, sixteen times"),
        "family": N_("sixteen relatives: large shapes in common, details each its own"),
        "strangers": N_("sixteen pictures that have nothing to do with each other"),
    },
    right="family",
)
NARROW = Question(
    "6-narrow",
    N_("Now start at t = {t:.2g}, where the noise has spread only {sigma:.2g}. The sixteen endings lie …"),
    {
        "wider": N_("further apart: fewer steps to agree in"),
        "same": N_("as far apart as before"),
        "closer": N_("closer together"),
    },
    right="closer",
)
RETURN = Question(
    "6-return",
    N_(
        "Last: no fresh noise at all. Climb **up** without it from your picture to its x_T, then walk the "
        "same path **down**. You get …"
    ),
    {
        "new": N_("a new picture: x_T is noise, and noise forgets"),
        "blurry": N_("a blurry mean of all the endings"),
        "back": N_("your picture, too near for the eye to tell"),
    },
    right="back",
)


def settings_for(learner: Learner) -> There:
    """Of the way there."""
    return There(sigma_q=SIGMA_Q, steps=T, seed=learner.seed)


def paper(learner: Learner) -> Paper:
    """The lesson for a sheet of paper."""
    settings = settings_for(learner)
    process = settings.build()
    at = {stop: {"t": stop / T, "sigma": process.sigma(stop / T)} for stop in (EARLY, LATE)}
    asked = ((SIXTEEN, at[EARLY]), (NARROW, at[LATE]), (RETURN, {}))
    return Paper(settings, asked, LEADING_BACK, turns=2 * STEPS_EACH + 2 * CLIMB + 3)


def answers(learner: Learner, model: str | None, net: NetworkDenoiser | None) -> Iterator[Told | None]:
    """Why, in numbers of this picture."""
    if net is None:
        return
    there = walked_there(learner.x0(model), settings_for(learner))
    early, late = start(there, EARLY), start(there, LATE)
    yield from numbers.walk_many(early, net, there.process, learner.seed)
    yield SIXTEEN.name, lambda: why_many(early)
    yield from numbers.walk_many(late, net, there.process, learner.seed)
    yield NARROW.name, lambda: why_narrow(early, late)
    around = Returned(there.x0)
    yield from numbers.walk_around(around, net, there.process)
    yield RETURN.name, lambda: why_return(around)


def start(there: WayThere, stop: int) -> Endings:
    """Sixteen ways back that have yet to take a step."""
    at = there.stops[stop]
    return Endings(there.x0, there.frames[stop : stop + 1].clone(), at.t, at.sigma)


def why_many(ends: Endings) -> str:
    """What is explained of sixteen endings."""
    return _(
        "From t = {t:.2g} the sixteen endings lie **{fan:.4f}** around their mean (their spread) and "
        "**{off:.4f}** from your picture: what the noise left standing they share, what it hid each makes "
        "up anew out of what the network learnt. Their mean is {mean:.4f} from x̂_0, the blurry first "
        "guess; chance alone would leave about {chance:.4f} with sixteen. x̂_0 is meant to be the mean of "
        "*all* endings: hence its blur."
    ).format(t=ends.t, fan=ends.fan, off=ends.to_upload, mean=ends.mean_to_guess, chance=ends.chance)


def why_narrow(early: Endings, late: Endings) -> str:
    """What is explained of a start with less noise."""
    return _(
        "From t = {t1:.2g} the endings' spread was {fan1:.4f}, from t = {t2:.2g} only **{fan2:.4f}**, and "
        "{off2:.4f} from your picture instead of {off1:.4f}. Little noise leaves little to make up: a "
        "walk from a small t nearly *returns* your picture; the larger the t it starts from, the more it "
        "*forgets*."
    ).format(t1=early.t, fan1=early.fan, t2=late.t, fan2=late.fan, off1=early.to_upload, off2=late.to_upload)


def why_return(found: Returned) -> str:
    """What is explained of the path up and down again."""
    text = (
        _(
            "It comes back to within **{error:.3g}**. Without fresh noise a walk is a function that can "
            "be run both ways. Its x_T may look like noise, but nothing was drawn: it was computed from "
            "your picture and lies {apart:.3f} from it, where drawn noise would lie about {sigma:g}. It "
            "is your picture in disguise, and only this path leads back; it even works for pictures the "
            "network never learnt, for nothing has to be made up."
        )
        if found.error < NEAR
        else _(
            "It should return your picture, but this time it misses: it ends **{error:.3g}** from it. In "
            "steps small enough the path leads back; for this picture this network bends it more sharply "
            "than {n} steps can follow. Its x_T lies {apart:.3f} from your picture, where noise would lie "
            "{sigma:g}."
        )
    )
    values = {"error": found.error, "apart": found.apart, "sigma": SIGMA_Q, "n": CLIMB}
    return text.format(**values)


def show(learner: Learner) -> bool:
    """Draw the lesson; returns whether it has been gone through."""
    model, net = network_for("6", LEADING_BACK)
    x0 = learner.x0(model)
    shown = way_there("6", x0, settings_for(learner), (learner.key, model), start=EARLY)
    stops = shown.there.stops
    if net is None or model is None:
        st.caption(
            _("This lesson walks back with a network, and none here leads back to photos. Go on to the next.")
        )
        return True
    if not predict(SIXTEEN, t=stops[EARLY].t, sigma=stops[EARLY].sigma):
        return False
    early = _endings(learner, shown, net, model, EARLY)
    left, right = st.columns([1.1, 1], gap="medium")
    with left:
        done = early.finished  # until then these are watched: who is not looked at loses his place in line
        free = done and NARROW.name in learning().picked
        text = N_("Sixteen ways begin at the thumb. Move it, and sixteen others begin.")
        st.caption(_(text) if free else _("Sixteen ways begin at t = {t:.2g}.").format(t=stops[EARLY].t))
        at = max(stage("6", shown), 1)
    kept = at if free else EARLY
    learning().forget(*(f"6-{k}" for k in range(len(stops)) if k not in (EARLY, LATE, kept)))
    now = _endings(learner, shown, net, model, kept)
    with right:
        watch(now, "6", lambda ends: _sheet(now, ends), _("Sixteen ways back"))
    if early.finished and not done:
        st.rerun()
    _fan(shown, now)
    if early.finished:
        _why_many(learner, early.value, model)
    if not predict(NARROW, t=stops[LATE].t, sigma=stops[LATE].sigma):
        return False
    late = _endings(learner, shown, net, model, LATE)
    watch(late, "6-late", lambda ends: None, _("Sixteen ways back"))
    if late.finished and early.finished:
        explain("6-narrow", why_narrow(early.value, late.value))
    if not predict(RETURN):
        return False
    _return(learner, shown, net, model)
    return True


def _endings(learner: Learner, shown: Shown, net: Denoiser, model: str, stop: int) -> Task[Endings]:
    """The sixteen ways from one stop; begun where they are asked for first."""
    there = shown.there

    def begin() -> tuple[Endings, Iterator[None], int]:
        ends = start(there, stop)
        return ends, numbers.walk_many(ends, net, there.process, learner.seed), STEPS_EACH

    return task(f"6-{stop}", (learner.key, model), begin)


def _sheet(now: Task[Endings], ends: Endings) -> None:
    if ends.ends is None:
        return
    rows = [(x[None], "", _("ending {k}").format(k=k)) for k, x in enumerate(ends.ends, 1)]
    pictures("6-sheet", rows, columns=4)
    if now.finished:
        text = _(
            "From t = {t:.2g}: the endings lie <b>{fan:.4f}</b> around their mean and {off:.4f} from "
            "your picture (rms)."
        )
        st.html(f'<p class="said">{text.format(t=ends.t, fan=ends.fan, off=ends.to_upload)}</p>')


def _fan(shown: Shown, now: Task[Endings]) -> None:
    """One pixel on all the ways."""
    if not now.finished:
        return
    ends, there = now.value, shown.there
    paths = torch.stack(ends.paths).numpy()
    before = [k for k, stop in enumerate(there.stops) if stop.t <= ends.t]
    walked = numbers.middle_pixel(there.frames)[before].tolist()
    x0 = walked[0]
    summary = _(
        "The middle pixel {colour} was {x0:.3f} in your picture and {start:.3f} in x_t. Its sixteen ways "
        "back end between {low:.3f} and {high:.3f}."
    ).format(
        colour=_("(its green)") if ends.x0.shape[1] == 3 else "",
        x0=x0,
        start=walked[-1],
        low=float(paths[-1].min()),
        high=float(paths[-1].max()),
    )
    table = {
        "t": [float(t) for t in ends.times],
        _("lowest"): [float(v) for v in paths.min(1)],
        _("mean"): [float(v) for v in paths.mean(1)],
        _("highest"): [float(v) for v in paths.max(1)],
    }
    sigmas = [there.process.sigma(t) for t in ends.times]
    figure = charts.fan(sigmas, paths, x0, ([there.stops[k].sigma for k in before], walked))
    chart("6-fan", figure, summary, table)


def _why_many(learner: Learner, ends: Endings, model: str) -> None:
    explain("6-sixteen", why_many(ends))
    if ends.x0.shape[1] == 3:
        deeper(
            "many_endings",
            r"x_{t} \to x_0^{(1)}, \dots, x_0^{(16)} \sim p_\theta(x_0 \mid x_t),\qquad"
            r"\frac1{16}\sum_k x_0^{(k)} \approx \hat x_0(x_t)",
            _(
                "One x_t, sixteen rolls of the dice: p_θ tells how likely each picture is; it is not one "
                "picture."
            ),
            learner.in_python() | {"model": repr(model)},
        )


def _return(learner: Learner, shown: Shown, net: Denoiser, model: str) -> None:
    """The deterministic path up and down again."""
    there = shown.there

    def begin() -> tuple[Returned, Iterator[None], int]:
        into = Returned(there.x0)
        return into, numbers.walk_around(into, net, there.process), 2 * CLIMB

    def draw(found: Returned) -> None:
        rows = [(found.x0, _("your picture"), _("x_0"))]
        if found.up is not None:
            rows.append((found.up, _("its own x_T, at the top"), _("x_T")))
        if found.down is not None:
            rows.append(
                (
                    found.down,
                    _("back down: off by <b>{error:.2g}</b>").format(error=found.error),
                    _("the end"),
                )
            )
        pictures("6-return", rows, columns=4)

    around = task("6-return", (learner.key, model), begin)
    watch(around, "6-return", draw, _("Up and down"))
    if not around.finished:
        return
    explain("6-return", why_return(around.value))
    if there.x0.shape[1] == 3:
        deeper(
            "inversion",
            r"\frac{\mathrm d x}{\mathrm d\sigma} = \frac{x - \hat x_0(x, \sigma)}{\sigma}\qquad"
            r"\text{up from } \sigma = 0.02,\ \text{down the same grid}",
            _(
                "Heun's method, {n} steps each way. It is approximate; with fewer steps the error grows."
            ).format(n=CLIMB),
            learner.in_python() | {"model": repr(model)},
        )
