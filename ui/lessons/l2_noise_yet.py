"""Lesson 2: whether x_T is pure noise yet, and what noise hides last."""

from __future__ import annotations

import math
from collections.abc import Iterator

import streamlit as st
from torch import Tensor

from diffusion.denoiser import NetworkDenoiser
from ui.language import N_, _, joined
from ui.lessons import charts, numbers
from ui.lessons.rhythm import (
    Estimate,
    Learner,
    Paper,
    Question,
    Told,
    chart,
    deeper,
    estimate,
    explain,
    once,
    pictures,
    predict,
    stage,
    walked_there,
    way_there,
)
from ui.settings import There

TITLE = N_("Is it noise yet?")
LEAD = N_(
    "At the end of the way there the picture is said to be pure noise. Measure it: does any of your picture "
    "still stand in x_T?"
)
SIGMA_Q, STEPS = 3.0, 20
BLOCKS = (1, 2, 4, 8, 16)
SIGMAS = (0.5, 1.0, 3.0, 10.0, 30.0, 80.0)
#: How much the mean brightness of one picture differs from that of another: about its standard deviation over
#: the dogs' heads of the Oxford-IIIT Pet data.
BRIGHTNESS = 0.2

PIXELS = Estimate(
    "2-pixels",
    N_(
        "Noise of spread σ_q = {sigma:g} lies on your picture: all speckle. Compare it with your picture "
        "**pixel by pixel**. Correlation 1 means that the pixels rise and fall exactly together, 0 that "
        "single pixels tell nothing. Your guess?"
    ),
    0.0,
    1.0,
    0.01,
)
SQUINT = Question(
    "2-squint",
    N_(
        "Now squint: each block of 8×8 pixels becomes one, its mean. The correlation of these means with "
        "those of your picture …"
    ),
    {
        "same": N_("stays as it was: noise is noise"),
        "less": N_("falls: averaging blurs what was left"),
        "more": N_("rises, several times over"),
    },
    right="more",
)


def settings_for(learner: Learner, sigma_q: float = SIGMA_Q) -> There:
    """Of the way there."""
    return There(sigma_q=sigma_q, steps=STEPS, seed=learner.seed)


def paper(learner: Learner) -> Paper:
    """The lesson for a sheet of paper."""
    return Paper(settings_for(learner), ((PIXELS, {"sigma": SIGMA_Q}), (SQUINT, {})), turns=2)


def answers(learner: Learner, _model: str | None, _net: NetworkDenoiser | None) -> Iterator[Told | None]:
    """Why, in numbers of this picture."""
    x0 = learner.x0()
    x_T = walked_there(x0, settings_for(learner)).frames[-1:]
    found = numbers.correlation(x0, x_T)
    yield PIXELS.name, lambda: _("Measured on your picture: **{right:.3f}**.").format(right=found)
    yield SQUINT.name, lambda: why(x0, x_T, x_T, SIGMA_Q)


def show(learner: Learner) -> bool:
    """Draw the lesson; returns whether it has been gone through."""
    x0 = learner.x0()
    x_3 = once("2-end", learner.key, lambda: walked_there(x0, settings_for(learner)).frames[-1:])
    if not estimate(PIXELS, lambda: numbers.correlation(x0, x_3), sigma=SIGMA_Q):
        return False
    if not predict(SQUINT):
        return False
    left, right = st.columns(2)
    with left:
        sigma_q = st.select_slider("σ_q", SIGMAS, SIGMA_Q, key="2-sigma", format_func="{:g}".format)
    with right:
        block = st.segmented_control(
            _("Squint: pixels a block is wide"), BLOCKS, key="2-block", default=8, required=True
        )
    left, right = st.columns(2, gap="medium")
    with left:
        settings = settings_for(learner, sigma_q)
        shown = way_there("2", x0, settings, learner.key, start=STEPS)
        at = stage("2", shown)
    x_t, sigma = shown.there.frames[at : at + 1], shown.there.stops[at].sigma
    with right:
        _squinted(x0, x_t, block or 1)
        _left(x0, x_t, sigma)
    _explained(learner, x0, x_3, shown.there.frames[-1:], sigma_q)
    return True


def _squinted(x0: Tensor, x_t: Tensor, block: int) -> None:
    seen = [numbers.squinted(x, block) for x in (x_t, x0)]
    found = numbers.correlation(*seen)
    pictures(
        "2",
        [
            (
                seen[0],
                _("under the thumb, squinted: correlation <b>{r:.3f}</b>").format(r=found),
                _("x_t in blocks"),
            ),
            (seen[1], _("your picture, squinted the same"), _("x_0 in blocks")),
        ],
    )


def _left(x0: Tensor, x_t: Tensor, sigma: float) -> None:
    rows = numbers.left(x0, x_t, sigma, BLOCKS)
    columns = [[getattr(row, name) for row in rows] for name in ("measured", "theory", "chance")]
    summary = _(
        "At noise spread {sigma:.3g}, single pixels are correlated {one:.3f} with your picture, means of "
        "16×16 pixels {last:.3f}. In the grey band chance alone could do it."
    ).format(sigma=sigma, one=rows[0].measured, last=rows[-1].measured)
    table = {
        _("block"): [f"{b}×{b}" for b in BLOCKS],
        _("noise on its mean"): [row.noise for row in rows],
        _("measured"): columns[0],
        _("theory"): columns[1],
        _("chance"): columns[2],
    }
    chart("2", charts.hidden(BLOCKS, *columns), summary, table)


def why(x0: Tensor, x_3: Tensor, x_T: Tensor, sigma_q: float) -> str:
    """What is explained: the question's own noise `x_3`, and `x_T` at the chosen `sigma_q`."""
    one, eight = (row.measured for row in numbers.left(x0, x_3, SIGMA_Q, (1, 8)))
    noise, limit = numbers.noise_of_brightness(x0, sigma_q), BRIGHTNESS / numbers.noise_of_brightness(x0, 1.0)
    kept = _(
        "At σ_q = {sigma:g} single pixels keep **{one:.3f}** of correlation, 8×8 blocks **{eight:.3f}**. "
        "Averaging 64 pixels divides the noise by 8 and leaves the large shapes alone: **noise hides fine "
        "detail first, large shapes late, and the mean brightness last**."
    )
    if eight <= one:
        kept = _(
            "At σ_q = {sigma:g} single pixels keep **{one:.3f}** of correlation, 8×8 blocks "
            "**{eight:.3f}**. Averaging 64 pixels divides the noise by 8, but this picture has no large "
            "shapes to be left: its detail goes with the noise. Where there are any, **noise hides fine "
            "detail first, large shapes late, and the mean brightness last**."
        )
    mean = _(
        "Yours is {mean:.3f}; at σ_q = {now:g} the mean of x_T is still **{mean_T:.3f}**, since the noise "
        "on a mean over all {count:,} values is only {noise:.4f}."
    )
    if noise > BRIGHTNESS:
        mean = _(
            "Yours is {mean:.3f}; at σ_q = {now:g} that of x_T is **{mean_T:.3f}**: the noise on a mean "
            "over all {count:,} values, {noise:.4f}, is larger than the differences between pictures. Over "
            "many pictures, their brightness and that of their x_T are then correlated by {hidden:.2f} only."
        )
    text = joined(
        kept,
        mean,
        _(
            "So x_T is noise when σ_q is far above the picture's spread ({spread:.2f}), and for its "
            "brightness only when σ_q is far above {limit:.3g}, where the noise on the mean is as large "
            "as the differences in mean brightness between pictures (about {between:g} for heads of "
            "dogs)."
        ),
    )
    return text.format(
        sigma=SIGMA_Q, one=one, eight=eight, mean=float(x0.mean()), now=sigma_q, mean_T=float(x_T.mean()),
        count=x0.numel(), noise=noise, spread=numbers.spread(x0), limit=limit, between=BRIGHTNESS,
        hidden=BRIGHTNESS / math.hypot(BRIGHTNESS, noise),
    )  # fmt: skip


def _explained(learner: Learner, x0: Tensor, x_3: Tensor, x_T: Tensor, sigma_q: float) -> None:
    explain("2", why(x0, x_3, x_T, sigma_q))
    deeper(
        "noise_yet",
        r"\operatorname{corr}(x_0, x_0 + \sigma\varepsilon) = \frac{s}{\sqrt{s^2 + \sigma^2}},\qquad"
        r"\text{in blocks of } b \times b:\quad \sigma \to \frac{\sigma}{b}",
        _("s is the spread of your picture's values, or of its blocks' means."),
        learner.in_python() | {"block": "8"},
    )
