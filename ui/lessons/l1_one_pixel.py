"""Lesson 1: noise is added one step at a time, and it is the variances that add."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import streamlit as st
from torch import Tensor

from diffusion.denoiser import NetworkDenoiser
from ui.language import N_, _
from ui.lessons import charts, numbers
from ui.lessons.rhythm import (
    Learner,
    Paper,
    Question,
    Shown,
    Told,
    chart,
    deeper,
    explain,
    once,
    predict,
    stage,
    way_there,
)
from ui.settings import There

TITLE = N_("One pixel's walk")
LEAD = N_(
    "Noise comes in small steps, and each step is drawn afresh. Follow a single pixel of your picture, and "
    "see what all the steps come to. How strong noise is, we call its spread (the standard deviation): about "
    "two values in three lie within one spread of their mean."
)
#: Spread of one step under the first rule, and of all of them under the second.
STEP, TOTAL = 0.5, 3.0
FEW, MANY = 10, 100
VALUES = {"step": STEP, "few": FEW, "many": MANY, "total": TOTAL}
#: The other pixels drawn beside the one that is followed.
OTHERS = 30

FIXED = Question(
    "1-fixed",
    N_(
        "The tutorial's first formula adds noise of the same spread at every step, say {step}. You take "
        "{many} steps instead of {few}. The spread of **all the noise together** is then …"
    ),
    {
        "same": N_("the same: the ups and downs cancel"),
        "root": N_("about three times as large"),
        "ten": N_("ten times as large: ten times as many steps"),
        "hundred": N_("a hundred times as large"),
    },
    right="root",
)
SCALED = Question(
    "1-scaled",
    N_(
        "Its last formula makes each step smaller when there are more of them: spread σ_q·√Δt, where T steps "
        "have Δt = 1/T, and σ_q = {total}. From {few} steps to {many}, the spread of all the noise together …"
    ),
    {
        "less": N_("shrinks: the steps are smaller"),
        "same": N_("stays as it is, near {total}"),
        "more": N_("grows: there are more of them"),
    },
    right="same",
)


def paper(learner: Learner) -> Paper:
    """The lesson for a sheet of paper."""
    return Paper(There(sigma_q=TOTAL, steps=FEW, seed=learner.seed), ((FIXED, VALUES), (SCALED, VALUES)))


def answers(learner: Learner, _model: str | None, _net: NetworkDenoiser | None) -> Iterator[Told | None]:
    """Why, in numbers of this picture."""
    found = measured(learner.x0(), (FEW, MANY), learner.seed)
    yield SCALED.name, lambda: why(found["fixed"], found["scaled"])


def measured(x0: Tensor, steps: Sequence[int], seed: int) -> dict[str, list[float]]:
    """The spread of all the noise by rule, after each of these numbers of steps."""
    rules = {"fixed": STEP, "scaled": TOTAL}
    return {
        rule: [numbers.measured_total(x0, rule, sigma, T, seed) for T in steps]
        for rule, sigma in rules.items()
    }


def why(fixed: Sequence[float], scaled: Sequence[float]) -> str:
    """What is explained; spreads after FEW steps and after MANY."""
    return _(
        "Over all pixels of your picture, {few} steps of spread {step} come to **{fixed_few:.4f}** and "
        "{many} steps to **{fixed_many:.4f}**: {ratio:.2f} times as much. Independent noise partly "
        "cancels, so spreads do not add; **variances** do, and {many} variances of {variance:.2f} make "
        "{sum:.2f} = {root:.2f}². That is why the step must shrink with √Δt: then {few} steps come to "
        "**{scaled_few:.4f}** and {many} steps to **{scaled_many:.4f}**. T says how finely the way is "
        "cut, σ_q how far it leads."
    ).format(
        few=FEW, many=MANY, step=STEP, fixed_few=fixed[0], fixed_many=fixed[1],
        ratio=fixed[1] / fixed[0], variance=STEP**2, sum=MANY * STEP**2, root=STEP * MANY**0.5,
        scaled_few=scaled[0], scaled_many=scaled[1],
    )  # fmt: skip


def show(learner: Learner) -> bool:
    """Draw the lesson; returns whether it has been gone through."""
    if not (predict(FIXED, **VALUES) and predict(SCALED, **VALUES)):
        return False
    x0 = learner.x0()
    left, right = st.columns(2)
    names = {"fixed": _("fixed spread {step}").format(step=STEP), "scaled": "σ_q·√Δt, σ_q = 3"}
    with left:
        rule = st.segmented_control(
            _("Every step adds noise of"), numbers.RULES, format_func=names.__getitem__,
            key="1-rule", default="fixed", required=True,
        )  # fmt: skip
    with right:
        steps = st.slider(_("Steps T"), 1, MANY, FEW, key="1-steps")
    sigma = STEP if rule == "fixed" else TOTAL
    total = numbers.total_in_theory(rule, sigma, steps)
    settings = There(sigma_q=total, steps=steps, seed=learner.seed)
    left, right = st.columns(2, gap="medium")
    with left:
        shown = way_there("1", x0, settings, learner.key, start=steps)
        at = stage("1", shown)
    with right:
        _walk(shown, at)
    _totals(learner, x0)
    return True


def _walk(shown: Shown, at: int) -> None:
    """The walk of the middle pixel's green."""
    there = shown.there
    frames, noise = there.frames.numpy(), (there.frames - there.x0).numpy()[:, 1]
    middle = frames.shape[-1] // 2
    pixel = frames[:, 1, middle, middle]
    others = noise.reshape(len(noise), -1)
    others = pixel[0] + others[:, np.linspace(0, others.shape[1] - 1, OTHERS).astype(int)]
    times = [stop.t for stop in there.stops]
    sigma = np.array([stop.sigma for stop in there.stops])
    summary = _(
        "The green of the middle pixel begins at {first:.3f}, stands at {now:.3f} under the thumb and ends "
        "at {last:.3f}. The dashed lines are x_0 ± σ_t; about two walks in three end between them."
    ).format(first=pixel[0], now=pixel[at], last=pixel[-1])
    table = {
        _("step"): [stop.step for stop in there.stops],
        "t": times,
        _("your pixel"): [float(v) for v in pixel],
        "σ_t": sigma.tolist(),
    }
    chart("1-walk", charts.walk(times, pixel, others, sigma, at), summary, table)


def _totals(learner: Learner, x0: Tensor) -> None:
    """How much noise both rules come to, measured."""
    steps = (1, 3, FEW, 30, MANY)
    sigmas = {"fixed": STEP, "scaled": TOTAL}
    found = once("1-totals", learner.key, lambda: measured(x0, steps, learner.seed))
    theory = {
        rule: [numbers.total_in_theory(rule, sigma, T) for T in steps] for rule, sigma in sigmas.items()
    }
    few, many = steps.index(FEW), steps.index(MANY)
    fixed, scaled = found["fixed"], found["scaled"]
    explain("1", why((fixed[few], fixed[many]), (scaled[few], scaled[many])))
    summary = _(
        "With a fixed spread the total grows like √T, from {one:.2f} after one step to {last:.2f} after "
        "{many}; with σ_q·√Δt it stays near {total:g}. Lines are theory, marks are measured on your "
        "picture."
    ).format(one=fixed[0], last=fixed[-1], many=MANY, total=TOTAL)
    table = {
        "T": list(steps),
        _("fixed, theory"): theory["fixed"],
        _("fixed, measured"): fixed,
        _("σ_q·√Δt, theory"): theory["scaled"],
        _("σ_q·√Δt, measured"): scaled,
    }
    chart("1-totals", charts.totals(steps, theory, found), summary, table)
    deeper(
        "one_pixel",
        r"x_{t+\Delta t} = x_t + \eta,\quad \eta \sim \mathcal N(0, \sigma_q^2\,\Delta t)"
        r"\qquad\Rightarrow\qquad x_T = x_0 + \sum_{k=1}^{T} \eta_k \sim \mathcal N(x_0, \sigma_q^2)",
        _(
            "η is the noise of one step, and 𝒩(m, v) the bell curve (Gaussian) of mean m and variance v. "
            "Variances of independent steps add: T·σ_q²·Δt = σ_q², whatever T is. The sum of Gaussians is "
            "exactly Gaussian, after ten steps as after a thousand. Mind the names: the tutorial writes "
            "σ_t for σ_q·√Δt, the spread of one step. Here σ_t is always all the noise up to time t, "
            "σ_q·√t."
        ),
        learner.in_python() | {"T": str(MANY)},
    )
