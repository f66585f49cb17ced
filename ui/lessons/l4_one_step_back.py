"""Lesson 4: one step back taken apart, and why it adds noise while it removes noise."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from diffusion.denoiser import Denoiser, NetworkDenoiser
from ui import words
from ui.dissect import LABELS, dissect
from ui.journey import Kept, WayThere, plan_back, walk_back
from ui.language import N_, _, each, named
from ui.lessons import charts, numbers
from ui.lessons.rhythm import (
    NETWORKS,
    Learner,
    Paper,
    Question,
    Told,
    chart,
    deeper,
    explain,
    network_for,
    once,
    predict,
    stage,
    walked_there,
    way_there,
)
from ui.settings import Back, There

TITLE = N_("One step back")
LEAD = N_(
    "The tutorial writes a step back as x_{t−1} = x_t − f_θ(x_t, t) + η. There t counts steps; here it runs "
    "from 0 to 1, so one step goes from t to t − Δt. Take one apart: what is removed, what is added, and why "
    "anything is added at all."
)
SIGMA_Q, T, START = 1.0, 10, 5
SAMPLERS = ("algorithm1", "posterior", "ddim")
WALKS, FINE = 60, 100

HOW_FAR = Question(
    "4-far",
    N_(
        "You stand at t = 0.5 and take one of {T} equal steps with Algorithm 1, Δt = 0.1. The network has "
        "just shown its guess x̂_0 of the clean picture. How far towards it does the step go, fresh noise "
        "aside?"
    ),
    {
        "all": N_("all the way: the network knows, why wait?"),
        "half": N_("half of the way: t is one half"),
        "fifth": N_("a fifth of the way"),
        "tenth": N_("a tenth of the way: one step of ten"),
    },
    right="fifth",
)
WHY_NOISE = Question(
    "4-noise",
    N_(
        "Each step then adds **fresh noise** η. Leave it out, step for step, and walk many times. What "
        "comes out is …"
    ),
    {
        "same": N_("just as varied, only less grainy"),
        "alike": N_("too much alike: everything ends near the average"),
        "varied": N_("too varied: nothing holds the walks together"),
    },
    right="alike",
)


def one_step(there: WayThere, stop: int, sampler: str, net: Denoiser, model: str) -> Kept:
    """The step back from a stop to the one before it, with the journey's own walk."""
    way = plan_back(there, stop, Back("here", sampler, stop, "uniform_t"), model)
    next(walk_back(way, net, there.settings.seed))
    return way.kept(1)


def settings_for(learner: Learner) -> There:
    """Of the way there."""
    return There(sigma_q=SIGMA_Q, steps=T, seed=learner.seed)


def paper(learner: Learner) -> Paper:
    """The lesson for a sheet of paper."""
    return Paper(settings_for(learner), ((HOW_FAR, {"T": T}), (WHY_NOISE, {})), NETWORKS, turns=2)


def answers(learner: Learner, model: str | None, net: NetworkDenoiser | None) -> Iterator[Told | None]:
    """Why, in numbers of this picture."""
    if net is not None and model is not None:
        there = walked_there(learner.x0(model), settings_for(learner))
        asked = one_step(there, START, "algorithm1", net, model)
        yield HOW_FAR.name, lambda: why_far(asked)
    spread = numbers.spread(learner.x0())
    yield WHY_NOISE.name, lambda: why_noise(spread)


def why_far(asked: Kept) -> str:
    """What is explained of the question's own step, in its middle pixel."""
    row = column = asked.x_t.shape[-1] // 2
    x_t, guess, removed, noise, x_s = (
        float(x[0, 0, row, column]) for x in (asked.x_t, asked.x0_hat, asked.removed, asked.eta(), asked.x_s)
    )
    return _(
        "From t = 0.5 the step goes Δt/t = 0.1/0.5 = **a fifth** of the way. In the middle pixel {colour} "
        "x_t is {x_t}, the guess x̂_0 is {guess}, so f_θ = 0.2 · ({x_t} − {subtracted}) = "
        "**{removed}**; the fresh noise drawn is η = {noise}, and the pixel moves to "
        "**{x_s}**. The guess is only a mean over all that is possible; a short step leaves room to "
        "look again with a little less noise. At the very last step Δt/t = 1: it goes all the way, and "
        "what is added there, stays. The posterior goes as far; DDIM, which adds no noise, only "
        "1 − √(0.4/0.5) = {ddim:.3f} of the way."
    ).format(
        x_t=_signed(x_t),
        guess=_signed(guess),
        subtracted=f"({_signed(guess)})" if guess < 0 else _signed(guess),
        removed=_signed(removed),
        noise=_signed(noise),
        x_s=_signed(x_s),
        ddim=numbers.share_of_ddim(asked.t, asked.s),
        colour=_("(its red)") if asked.x_t.shape[1] == 3 else "",
    )


def _signed(value: float) -> str:
    """A number with a minus sign that stands out."""
    return f"{value:.4f}".replace("-", "−")


def why_noise(spread: float) -> str:
    """What is explained of walks without fresh noise, for values of this spread."""
    return _(
        "Take single pixels as varied as your picture's, of spread s = **{spread:.4f}**, an exact "
        "denoiser, and σ_q = {sigma:g}. Without fresh noise the walks must end with spread s²/√(s² + "
        "σ_q²) = **{theory:.4f}**, however small the steps: each one moves towards a mean, and means are "
        "less varied than what they are means of. The fresh noise puts back just the doubt that is left. "
        "At the end no doubt is left, so there it would only be grain."
    ).format(spread=spread, sigma=SIGMA_Q, theory=numbers.spread_without_noise(spread, SIGMA_Q))


def show(learner: Learner) -> bool:
    """Draw the lesson; returns whether it has been gone through."""
    model, net = network_for("4")
    x0 = learner.x0(model)
    shown = way_there("4", x0, settings_for(learner), (learner.key, model), start=START)
    if not predict(HOW_FAR, T=T):
        return False
    if net is None or model is None:
        st.caption(_("Without a network there is no step to take apart; the rest of the lesson stands."))
    else:
        left, right = st.columns([1.1, 1], gap="medium")
        with left:
            at = stage("4", shown)
        with right:
            sampler = st.radio(
                _("How fresh noise is added"), SAMPLERS, key="4-sampler",
                format_func=named(words.SAMPLERS),
                captions=[_(words.SAMPLER_NOTES[name]) for name in SAMPLERS],
            )  # fmt: skip
        _apart(learner, shown.there, max(at, 1), sampler or SAMPLERS[0], net, model)
    if not predict(WHY_NOISE):
        return False
    _shrinking(learner)
    return True


def _apart(learner: Learner, there: WayThere, at: int, sampler: str, net: Denoiser, model: str) -> None:
    """The step at the thumb as pictures, and the question's own step in numbers of one pixel."""

    def step(stop: int, sampler: str) -> Kept:
        key = (learner.key, model, stop, sampler)
        return once(f"4-step-{stop}-{sampler}", key, lambda: one_step(there, stop, sampler, net, model))

    kept = step(at, sampler)
    st.markdown(
        _("**Step {k} of {T}, from t = {t:.2g} to {s:.2g}.** Point at a pixel to follow it through.").format(
            k=T - at + 1, T=T, t=kept.t, s=kept.s
        )
    )
    dissect(kept, key="lesson-dissect", labels=each(LABELS))
    asked = step(START, "algorithm1")
    explain("4-far", why_far(asked))
    if asked.x_t.shape[1] == 3:  # the snippets load colour pictures
        deeper(
            "one_step_back",
            r"x_{t-\Delta t} = x_t - f_\theta(x_t, t) + \eta,\qquad f_\theta = \frac{\Delta t}{t}\,(x_t - "
            r"\hat x_0)",
            _(
                "With η of variance σ_q²·Δt this is Algorithm 1; with (t − Δt)/t of that, the posterior, "
                "which adds nothing at the last step."
            ),
            learner.in_python() | {"model": repr(model)},
        )


def _shrinking(learner: Learner) -> None:
    """Many walks of single pixels with and without fresh noise, by an oracle."""
    x0 = learner.x0()
    mean, spread = float(x0.mean()), numbers.spread(x0)
    noisy, bare = (
        once(
            f"4-walks-{noise}",
            learner.key,
            lambda noise=noise: numbers.exact_walks(
                mean, spread, SIGMA_Q, FINE, WALKS, learner.seed, noise=noise
            ),
        )
        for noise in (True, False)
    )
    times = [1 - k / FINE for k in range(FINE + 1)]
    with_noise, without = numbers.spread(noisy[-1]), numbers.spread(bare[-1])
    summary = _(
        "{count} walks of one pixel by an oracle, the exact answer for data as bright and as varied as "
        "your picture's pixels (grey band: mean {mean:.2f}, spread {spread:.3f}). Their ends have spread "
        "{noisy:.3f} with fresh noise, {bare:.3f} without."
    ).format(count=WALKS, mean=mean, spread=spread, noisy=with_noise, bare=without)
    table = {
        "t": times[::10],
        _("spread with noise"): [numbers.spread(x) for x in noisy[::10]],
        _("spread without"): [numbers.spread(x) for x in bare[::10]],
    }
    figure = charts.shrinking(times, noisy.numpy(), bare.numpy(), mean, spread)
    chart("4-shrinking", figure, summary, table)
    explain("4-noise", why_noise(spread))
    deeper(
        "why_noise",
        r"\frac{\text{spread after}}{\text{spread before}} = \frac{s^2 + \sigma_{t-\Delta t}^2}{s^2 + "
        r"\sigma_t^2}"
        r"\quad\Rightarrow\quad \sqrt{s^2 + \sigma_q^2}\cdot\frac{s^2}{s^2 + \sigma_q^2} = "
        r"\frac{s^2}{\sqrt{s^2 + \sigma_q^2}}",
        _("For data N(m, s²) the factors of all steps multiply out, whatever T is."),
        learner.in_python(),
    )
