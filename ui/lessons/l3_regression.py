"""Lesson 3: what the network is asked, why its answer is blurry, and a tiny one that learns it here."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

import streamlit as st
import torch
from torch import Tensor

from diffusion.denoiser import Denoiser, NetworkDenoiser
from diffusion.oracles import FiniteData
from ui.language import N_, _
from ui.lessons import charts, numbers
from ui.lessons.numbers import JUDGED_AT, LOOK, UPDATES, Tiny
from ui.lessons.rhythm import (
    NETWORKS,
    Learner,
    Paper,
    Question,
    Shown,
    Told,
    chart,
    deeper,
    explain,
    network_for,
    once,
    pictures,
    predict,
    stage,
    task,
    walked_there,
    way_there,
)
from ui.lessons.work import watch
from ui.settings import There

TITLE = N_("What the network is asked")
LEAD = N_(
    "A network is shown x_t and asked a single question: what was the clean picture? Like a line fitted "
    "through points (regression), it is trained to be wrong by as little as possible on average."
)
SIGMA_Q, STEPS, START = 3.0, 20, 4
#: As far as every network here knows.
SIGMAS = (0.1, 0.3, 1.0, 2.5, 5.0)
#: Turns of the tiny network's training.
TURNS = math.ceil(UPDATES / LOOK)
#: Noise levels of the arrows, and how many of them along each side.
ARROW_SIGMAS, SIDE = (0.15, 0.3, 0.6, 1.2), 11

BLURRY = Question(
    "3-blurry",
    N_("Noise of spread {sigma:.2g} lies on your picture. The network's answer will look …"),
    {
        "sharp": N_("sharp, with details it makes up"),
        "exact": N_("exactly like your picture: that is what it was trained for"),
        "blurry": N_("blurry: sure of the large shapes, vague about the small"),
        "less": N_("like x_t with a little less noise on it"),
    },
    right="blurry",
)
LEARN = Question(
    "3-learn",
    N_(
        "Now a network you train yourself: {count:,} numbers, most of them random at first. It sees "
        "two-pixel pictures cut out of yours, with noise on them, and learns by squared error. Its error "
        "will …"
    ),
    {
        "zero": N_("fall to zero, if it trains long enough"),
        "floor": N_("fall to a floor that can be computed beforehand, and stay there"),
        "half": N_("fall and rise again"),
    },
    right="floor",
)


@dataclass
class Errors:
    """How far several answers are from the picture, by noise level, as far as they are known."""

    rows: list[tuple[float, float]] = field(default_factory=list)  # the network's and the best blur's


def walk_errors(into: Errors, net: Denoiser, x0: Tensor, noise: Tensor) -> Iterator[None]:
    """One noise level a turn."""
    for sigma in SIGMAS:
        x_t = x0 + sigma * noise
        found = numbers.guess(net, x_t, sigma, x0).error, numbers.best_blur(x_t, x0)[1].error
        into.rows.append(found)  # at once: it may be drawn at any moment
        yield


def settings_for(learner: Learner) -> There:
    """Of the way there."""
    return There(sigma_q=SIGMA_Q, steps=STEPS, seed=learner.seed)


def paper(learner: Learner) -> Paper:
    """The lesson for a sheet of paper."""
    settings = settings_for(learner)
    sigma = settings.build().sigma(START / STEPS)
    asked = ((BLURRY, {"sigma": sigma}), (LEARN, {"count": numbers.TinyNet.parameters()}))
    return Paper(settings, asked, NETWORKS, turns=2 + TURNS)


def answers(learner: Learner, model: str | None, net: NetworkDenoiser | None) -> Iterator[Told | None]:
    """Why, in numbers of this picture."""
    if net is not None:
        x0 = learner.x0(model)
        there = walked_there(x0, settings_for(learner))
        x_t, sigma = there.frames[START : START + 1], there.stops[START].sigma
        guess, (_width, blur) = numbers.guess(net, x_t, sigma, x0), numbers.best_blur(x_t, x0)
        yield BLURRY.name, lambda: why_blurry(sigma, guess.error, blur.error)
    tiny = numbers.start_tiny(numbers.cloud(learner.x0(), learner.seed), learner.seed)
    yield from numbers.train_tiny(tiny, learner.seed)
    yield LEARN.name, lambda: why_floor(tiny, learner)


def show(learner: Learner) -> bool:
    """Draw the lesson; returns whether it has been gone through."""
    model, net = network_for("3")
    x0 = learner.x0(model)
    shown = way_there("3", x0, settings_for(learner), (learner.key, model), start=START)
    if not predict(BLURRY, sigma=shown.there.stops[START].sigma):
        return False
    left, right = st.columns(2, gap="medium")
    with left:
        at = stage("3", shown)
    x_t, sigma = shown.there.frames[at : at + 1], shown.there.stops[at].sigma
    with right:
        if net is None:
            st.caption(_("Without a network its answer and its errors are missing here; the rest stands."))
        _answers(net, x_t, sigma, x0, (learner.key, model, at))
        if net is not None:
            noise = (shown.there.frames[-1:] - x0) / SIGMA_Q

            def begin(net: Denoiser = net) -> tuple[Errors, Iterator[object], int]:
                errors = Errors()
                return errors, walk_errors(errors, net, x0, noise), len(SIGMAS)

            watch(task("3-errors", (learner.key, model), begin), "3-errors", _errors, _("Asking"))
    if net is not None:
        _why_blurry(learner, net, model, shown)
    if not predict(LEARN, count=numbers.TinyNet.parameters()):
        return False
    _learn(learner)
    return True


def _answers(net: Denoiser | None, x_t: Tensor, sigma: float, x0: Tensor, key: Hashable) -> None:
    """Three answers at the thumb, each with its distance to the picture; `key` tells thumb and picture."""
    if not sigma:
        st.caption(_("No noise yet, nothing to guess. Move the thumb to the right."))
        return
    off = _("off by <b>{error:.3f}</b>")
    rows = []
    if net is not None:
        found = once("3-net", key, lambda: numbers.guess(net, x_t, sigma, x0))
        rows.append((found.picture, _("the network, x̂_0") + "<br>" + off.format(error=found.error)))
    width, found = once("3-blur", key, lambda: numbers.best_blur(x_t, x0))
    caption = _("a plain blur, {width:.1f} pixels").format(width=width)
    rows.append((found.picture, caption + "<br>" + off.format(error=found.error)))
    found = numbers.guess(FiniteData(x0), x_t, sigma, x0)
    rows.append(
        (
            found.picture,
            _("an <b>oracle</b> that was told your picture") + "<br>" + off.format(error=found.error),
        )
    )
    pictures("3", [(picture, caption, _("an answer")) for picture, caption in rows])
    st.caption(
        _(
            "The blur is the best of all Gaussian filters: its width was chosen with your picture in "
            "hand. The oracle is no model at all: it knows the answer. Many demonstrations show an oracle "
            "and call it a network."
        )
    )


def _errors(found: Errors) -> None:
    rows = list(found.rows)
    known, net, blur = SIGMAS[: len(rows)], [row[0] for row in rows], [row[1] for row in rows]
    figure = charts.errors(
        SIGMAS,
        {
            _("network"): (net, "net"),
            _("best blur"): (blur, "blur"),
            _("oracle: told the answer"): ([0.0] * len(known), "oracle"),
        },
    )
    summary = ""
    if known:
        summary = _(
            "From σ = {low:g} to {high:g} the network's error goes from {first:.3f} to {last:.3f}; the best "
            "blur's from {first_blur:.3f} to {last_blur:.3f}."
        ).format(
            low=known[0], high=known[-1], first=net[0], last=net[-1],
            first_blur=blur[0], last_blur=blur[-1],
        )  # fmt: skip
    table = {"σ": list(known), _("network"): net, _("best blur"): blur}
    chart("3-errors", figure, summary, table)


def why_blurry(sigma: float, net: float, blur: float) -> str:
    """What is explained of the blur; both errors at noise spread `sigma`."""
    return _(
        "At σ = {sigma:.3f} the network is off by **{net:.4f}**, the best blur by {blur:.4f}. Many "
        "pictures could have led to this very x_t, and a wrong detail costs twice: where it is drawn and "
        "where it is missing. Least wrong **on average** is the mean of them all, each counted as often "
        "as it is likely: E[x_0 | x_t]. And a mean of many pictures is blurry where they differ. So x̂_0 "
        "is not how the network likes to draw: it is a mean."
    ).format(sigma=sigma, net=net, blur=blur)


def why_floor(tiny: Tiny, learner: Learner) -> str:
    """What is explained of the tiny network's end."""
    return _(
        "The network ended at **{end:.4f}**; the floor is **{floor:.4f}**. Nobody goes below it: a noisy "
        "point really could have come from several clean ones, and the closed form, a mean of your "
        "{count} two-pixel pictures weighted by how well each fits, is already the best answer there is. "
        "What your picture's {values:,} values ask of the large networks is the same question, with a "
        "cloud nobody can write down."
    ).format(
        end=tiny.losses[-1][1], floor=tiny.floor, count=numbers.CLOUD_POINTS, values=learner.x0().numel()
    )


def _why_blurry(learner: Learner, net: Denoiser, model: str | None, shown: Shown) -> None:
    x0, sigma = shown.there.x0, shown.there.stops[START].sigma

    def errors() -> tuple[float, float]:
        x_t = shown.there.frames[START : START + 1]
        return numbers.guess(net, x_t, sigma, x0).error, numbers.best_blur(x_t, x0)[1].error

    explain("3-blurry", why_blurry(sigma, *once("3-why", (learner.key, model), errors)))
    python = learner.in_python() | {"model": repr(model), "sigma": f"{sigma!r}"}
    if x0.shape[1] == 3:
        deeper(
            "regression",
            r"\hat x_0 = \arg\min_D\ \mathbb E\,\lVert D(x_t, \sigma_t) - x_0 \rVert^2 = \mathbb E[x_0 \mid "
            r"x_t]",
            _("The squared error is least at the conditional mean, whatever the data is."),
            python,
        )


def _grid(points: Tensor) -> Tensor:
    """SIDE x SIDE places around the cloud, three of its spreads to each side, (SIDE^2, 2)."""
    reach = min(max(3 * float(points.std(0).max()), 0.5), 1.5)
    axes = [torch.linspace(m - reach, m + reach, SIDE) for m in points.mean(0).tolist()]
    return torch.cartesian_prod(*axes)


def _learn(learner: Learner) -> None:
    """The cloud, the arrows, and the network that learns them."""
    x0 = learner.x0()

    def begin() -> tuple[Tiny, Iterator[object], int]:
        tiny = numbers.start_tiny(numbers.cloud(x0, learner.seed), learner.seed)
        return tiny, numbers.train_tiny(tiny, learner.seed), TURNS

    sigma = st.select_slider(
        _("Noise level of the arrows, σ"), ARROW_SIGMAS, JUDGED_AT, key="3-arrows", format_func="{:g}".format
    )

    def draw(tiny: Tiny) -> None:
        left, right = st.columns([1.15, 1], gap="medium")
        grid = _grid(tiny.points)
        exact, net = numbers.exact(tiny.points), tiny.net
        tips = {"exact": numbers.ask(exact, grid, sigma), "network": numbers.ask(net, grid, sigma)}
        apart = numbers.rms(tips["exact"] - tips["network"])
        with left:
            summary = _(
                "Each arrow points from a noisy point to its x̂_0 (not quite half of the way is drawn). "
                "The grey ones are the closed form, the amber ones the network's, {apart:.3f} apart at σ "
                "= {sigma:g}."
            ).format(apart=apart, sigma=sigma)
            table = {
                "x": [f"({a:.2f}, {b:.2f})" for a, b in grid[:: SIDE + 1].tolist()],
                _("closed form"): [f"({a:.2f}, {b:.2f})" for a, b in tips["exact"][:: SIDE + 1].tolist()],
                _("network"): [f"({a:.2f}, {b:.2f})" for a, b in tips["network"][:: SIDE + 1].tolist()],
            }
            drawn = {name: ends.numpy() for name, ends in tips.items()}
            chart("3-arrows", charts.arrows(tiny.points.numpy(), grid.numpy(), drawn), summary, table)
        losses = list(tiny.losses)
        with right:
            summary = ""
            if losses:
                summary = _(
                    "After {k} updates the error is {now:.4f}; it began at {first:.4f}, and {floor:.4f} "
                    "is the least."
                ).format(k=losses[-1][0], now=losses[-1][1], first=losses[0][1], floor=tiny.floor)
            figure = charts.falling([k for k, _loss in losses], [e for _k, e in losses], tiny.floor, UPDATES)
            table = {_("updates"): [k for k, _loss in losses], _("squared error"): [e for _k, e in losses]}
            chart("3-falling", figure, summary, table)

    training = task("3-tiny", learner.key, begin)
    watch(training, "3-tiny", draw, _("Training"))
    if not training.finished:
        return
    explain("3-learn", why_floor(training.value, learner))
    deeper(
        "cloud",
        r"\mathbb E[x_0 \mid x_t = x] = \frac{\sum_i x_i\,e^{-\lVert x - x_i\rVert^2 / 2\sigma^2}}"
        r"{\sum_i e^{-\lVert x - x_i\rVert^2 / 2\sigma^2}},\qquad"
        r"\nabla \log p_\sigma(x) = \frac{\mathbb E[x_0 \mid x_t = x] - x}{\sigma^2}",
        _(
            "x_i are the points of the cloud. The first equation is what the network learns. The second says "
            "that it then knows the score too: the direction in which noisy points lie more densely."
        ),
        learner.in_python(),
    )
