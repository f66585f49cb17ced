"""Lesson 7: a picture out of nothing; what the network learnt, and what it cannot know."""

from __future__ import annotations

import math
from collections.abc import Iterator

import streamlit as st

from diffusion.denoiser import NetworkDenoiser
from diffusion.generate import BEST_GRID, BEST_SAMPLER, picked_class
from ui import figures, locks, words
from ui.card_view import expectation
from ui.journey import WayThere, plan_back, walk_back
from ui.language import N_, _, joined
from ui.lessons import numbers
from ui.lessons.rhythm import (
    Learner,
    Paper,
    Question,
    Shown,
    Told,
    Walk,
    chart,
    deeper,
    explain,
    network_for,
    predict,
    stage,
    task,
    walked_there,
    way_there,
)
from ui.lessons.work import Task, watch
from ui.resources import cards
from ui.settings import SEED_RANGE, Back, There

TITLE = N_("A dog from nothing")
LEAD = N_(
    "Start from noise that never saw your picture. Whatever comes out, the network has put together from "
    "what it learnt; is it new, or remembered?"
)
SIGMA_Q, T_THERE, STEPS = 80.0, 20, 10
#: From the one that shows most.
MAKERS = ("dogs", "digits")

WHAT = Question(
    "7-what",
    N_(
        "Your picture is drowned in noise of spread {sigma:g}; then x_T is thrown away and **fresh "
        "noise** put in its place. The network walks back. What will it show?"
    ),
    {
        "yours": N_("your picture: it was asked to undo the noise"),
        "copy": N_("one of the pictures it was trained on, copied"),
        "new": N_("something new in the manner of what it learnt, as well as it learnt it"),
        "noise": N_("noise: there is nothing in it to find"),
    },
    right="new",
)
REMEMBER = Question(
    "7-remember",
    N_(
        "How would you tell whether a network **remembers** its training pictures instead of having "
        "learnt what they have in common?"
    ),
    {
        "pretty": N_("its pictures look too good"),
        "gap": N_("it guesses pictures it trained on better than pictures it never saw"),
        "seed": N_("the same seed makes the same picture"),
    },
    right="gap",
)


def plan(there: WayThere, net: NetworkDenoiser, model: str) -> tuple[Walk, Iterator[None], int]:
    """A way back from fresh noise, for the class the seed picks where the network knows classes."""
    seed = there.settings.seed
    way = plan_back(there, 0, Back("noise", BEST_SAMPLER, STEPS, BEST_GRID), model)
    if net.classes:
        way.asked = picked_class(net.classes, seed, 1)
        net = net.asked_for(way.asked)
    return Walk(way), walk_back(way, net, seed), STEPS


def settings_for(learner: Learner) -> There:
    """Of the way there."""
    return There(sigma_q=SIGMA_Q, steps=T_THERE, grid="rho7", seed=learner.seed)


def paper(learner: Learner) -> Paper:
    """The lesson for a sheet of paper."""
    asked = ((WHAT, {"sigma": SIGMA_Q}), (REMEMBER, {}))
    return Paper(settings_for(learner), asked, MAKERS, turns=STEPS + 2)


def answers(learner: Learner, model: str | None, net: NetworkDenoiser | None) -> Iterator[Told | None]:
    """Why, in numbers of this picture."""
    if net is None or model is None:
        return
    there = walked_there(learner.x0(model), settings_for(learner))
    walk, steps, _total = plan(there, net, model)
    yield from steps
    yield WHAT.name, lambda: why_new(there, walk, model)
    if not math.isnan(_gap(model)[1]):
        yield REMEMBER.name, lambda: why_remembered(model)


def why_new(there: WayThere, walk: Walk, model: str) -> str:
    """What is explained of a picture out of nothing."""
    way = walk.way
    end, _stop = way.state(way.total)
    text = _(
        "The result is **{off:.4f}** from your picture and correlated **{corr:.3f}** with it. Your "
        "picture had no say in it: change it, keep the seed, and the same one comes. The seed decides "
        "everything."
    ).format(off=way.steps[-1].to_upload, corr=numbers.correlation(end, there.x0))
    asked = ""
    if way.asked:
        asked = _("The seed asked it for “{name}”.").format(name=_(way.asked.replace("_", " ")))
    return joined(text, asked, expectation(cards()[model]))


def _gap(model: str) -> tuple[float, float]:
    return numbers.worst_gap(cards()[model]["training"].get("loss_by_noise", {}))


def why_remembered(model: str) -> str:
    """What is explained of training pictures and others, from the network's card."""
    card, (sigma, ratio) = cards()[model], _gap(model)
    copied = next(
        (
            r["value"]
            for r in card.get("evaluation", {}).get("figures", [])
            if "nearer to training" in r["what"]
        ),
        None,
    )
    text = _(
        "*{name}* was trained on {count:,} pictures. At noise levels that still show the picture (σ up to "
        "{most:g}), its error on pictures it never saw is at most **{ratio:.3f}** times that on those it "
        "trained on (at σ = {sigma:g}): near 1 means learnt, far above means remembered."
    ).format(
        name=_(model.capitalize()),
        count=card["training"]["pictures_in_set"],
        sigma=sigma,
        ratio=ratio,
        most=numbers.STILL_SHOWN,
    )
    near = ""
    if copied is not None:
        near = _(
            "Of the pictures it makes, {copied:.0%} lie nearer to a training picture than 95% of new ones "
            "do; by chance alone it would be 5%."
        ).format(copied=copied)
    limits = _(
        "It cannot know what it was never shown: it has no idea what a dog is, only which pixels go together."
    )
    return joined(text, near, limits)


def show(learner: Learner) -> bool:
    """Draw the lesson; returns whether it has been gone through."""
    model, net = network_for("7", MAKERS)
    if net is None or model is None:
        st.caption(
            _("This lesson walks back with a network that makes pictures from noise, and none here does.")
        )
        return True
    if not predict(WHAT, sigma=SIGMA_Q):
        return False
    shown = way_there("7", learner.x0(model), settings_for(learner), (learner.key, model), start=T_THERE)
    walked = task("7", (learner.key, model), lambda: plan(shown.there, net, model))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_("Drag along both ways: nothing of your picture is on the way back."))
        st.button(
            _("Another seed"), key="7-another", icon=":material/casino:", on_click=_another,
            disabled=locks.locked("seed"),
        )  # fmt: skip
    watch(walked, "7", lambda walk: _seen(walked, walk, shown), _("Out of noise"))
    if walked.finished:
        _why_new(learner, shown.there, walked.value, model)
    if not predict(REMEMBER):
        return False
    _remembered(model)
    return True


def _another() -> None:
    low, high = SEED_RANGE
    st.session_state["seed"] = low + (st.session_state["seed"] + 1 - low) % (high - low + 1)


def _seen(walked: Task[Walk], walk: Walk, shown: Shown) -> None:
    stage("7", shown, walk, following=walked.computing)


def _why_new(learner: Learner, there: WayThere, walk: Walk, model: str) -> None:
    explain("7-what", why_new(there, walk, model))
    deeper(
        "from_nothing",
        r"x_T \sim \mathcal N(0, \sigma_q^2 I)\quad\longrightarrow\quad x_0 \sim p_\theta(x_0)",
        _("No x_0 anywhere: only the network's {count:,} numbers and the seed.").format(
            count=int(cards()[model]["parameters"])
        ),
        learner.in_python() | {"model": repr(model)},
    )


def _remembered(model: str) -> None:
    """Training pictures against pictures never seen, from the network's card."""
    card = cards()[model]
    rows = card["training"].get("loss_by_noise", {})
    if math.isnan(_gap(model)[1]):
        st.caption(_("The card of this network has no figures on held-out pictures."))
        return
    table = {
        "σ": [row["sigma"] for row in rows["val"]],
        _("training, loss"): [row["loss"] for row in rows["train"]],
        _("held out, loss"): [row["loss"] for row in rows["val"]],
        _("training, rms"): [math.sqrt(row["mse"]) for row in rows["train"]],
        _("held out, rms"): [math.sqrt(row["mse"]) for row in rows["val"]],
    }
    st.caption(_(words.LOSS_BY_NOISE))
    chart("7-gap", figures.loss_by_noise(card, height=300), figures.summary_loss_by_noise(card), table)
    explain("7-remember", why_remembered(model))
