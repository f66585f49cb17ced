"""Lesson 5: ten steps or a thousand, and the grain that literal Algorithm 1 leaves behind."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import streamlit as st

from diffusion.denoiser import Denoiser, NetworkDenoiser
from ui import words
from ui.journey import Kept, WayBack, WayThere, plan_back, walk_back
from ui.language import N_, _, named
from ui.lessons import charts, numbers
from ui.lessons.numbers import COMPARED
from ui.lessons.rhythm import (
    NETWORKS,
    Learner,
    Paper,
    Question,
    Shown,
    Told,
    Walk,
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
from ui.resources import pace
from ui.settings import Back, There

TITLE = N_("Ten steps or a thousand")
LEAD = N_(
    "The same noise, the same network, three samplers: one adds much fresh noise on the way back, one less, "
    "one none. What do more steps buy?"
)
SIGMA_Q, STEPS = 1.0, (10, 100, 1000)
VALUES = {"T": STEPS[0], "sigma": SIGMA_Q, "few": STEPS[0], "many": STEPS[-1]}

GRAIN = Question(
    "5-grain",
    N_(
        "Algorithm 1 to the letter, {T} equal steps, σ_q = {sigma:g}: every step puts back as much noise "
        "as a step of the way there had added, and the last step does too. What grain is left on the "
        "result?"
    ),
    {
        "none": N_("none: the network has cleaned it all"),
        "hundredth": N_("spread 0.01: hardly to be seen"),
        "third": N_("spread about 0.3: as visible as strong film grain"),
        "one": N_("spread 1: all of the noise"),
    },
    right="third",
)
FINER = Question(
    "5-finer",
    N_("And with {many} steps instead of {few}? The grain …"),
    {
        "same": N_("stays: σ_q is the same"),
        "root": N_("shrinks to a tenth: like 1/√T"),
        "linear": N_("shrinks to a hundredth: like 1/T"),
    },
    right="root",
)


def plan(
    there: WayThere, net: Denoiser, model: str, steps: int
) -> tuple[dict[str, Walk], Iterator[None], int]:
    """The same x_T walked back by every sampler with the same draws, a step of each a turn."""
    last = len(there.stops) - 1
    walks = {
        sampler: Walk(plan_back(there, last, Back("here", sampler, steps, "uniform_t"), model))
        for sampler in COMPARED
    }
    seed = there.settings.seed
    return walks, numbers.in_step([_lean(walk.way, net, seed) for walk in walks.values()]), steps


def _lean(way: WayBack, net: Denoiser, seed: int) -> Iterator[None]:
    """Walk a way back of which nothing but the states is looked at: no step keeps what it was made of."""
    for _step in walk_back(way, net, seed):
        if isinstance(last := way.steps[-1], Kept):
            way.steps[-1] = replace(last, x_t=last.x_s, x0_hat=last.x_s, removed=last.x_s, noise=None)
        yield


def settings_for(learner: Learner) -> There:
    """Of the way there."""
    return There(sigma_q=SIGMA_Q, steps=STEPS[0], seed=learner.seed)


def paper(learner: Learner) -> Paper:
    """The lesson for a sheet of paper."""
    asked = ((GRAIN, VALUES), (FINER, VALUES))
    return Paper(settings_for(learner), asked, NETWORKS, turns=STEPS[0] + 1)


def answers(learner: Learner, model: str | None, net: NetworkDenoiser | None) -> Iterator[Told | None]:
    """Why, in numbers of this picture."""
    if net is not None and model is not None:
        walks, steps, _total = plan(
            walked_there(learner.x0(model), settings_for(learner)), net, model, STEPS[0]
        )
        yield from steps
        yield FINER.name, lambda: why(walks)


def why(walks: dict[str, Walk]) -> str:
    """What is explained of ten steps by every sampler."""
    grain = {name: math.sqrt(walk.way.steps[-1].added) for name, walk in walks.items()}
    off = {name: walk.way.steps[-1].to_upload for name, walk in walks.items()}
    return (
        _(
            "With T = 10 the last step of Algorithm 1 put noise of spread **{grain:.4f}** on the result, "
            "and nothing comes after it to take it off; theory says σ_q/√T = {theory:.4f}. It ends "
            "{off1:.4f} from your picture, the posterior {off2:.4f} and DDIM {off3:.4f}. So the grain is "
            "no fault of the network: it is the sampler's last step. A thousand steps make it {fine:.4f}; "
            "without the last noise there is no grain at any T."
        ).format(
            grain=grain["algorithm1"], theory=numbers.leftover(SIGMA_Q, STEPS[0]), off1=off["algorithm1"],
            off2=off["posterior"], off3=off["ddim"], fine=numbers.leftover(SIGMA_Q, STEPS[-1]),
        )
    )  # fmt: skip


def show(learner: Learner) -> bool:
    """Draw the lesson; returns whether it has been gone through."""
    if not (predict(GRAIN, **VALUES) and predict(FINER, **VALUES)):
        return False
    model, net = network_for("5")
    if net is not None and model is not None:
        _walked(learner, net, model)
    _by_theory(learner)
    return True


def _walked(learner: Learner, net: Denoiser, model: str) -> None:
    x0 = learner.x0(model)
    shown = way_there("5", x0, settings_for(learner), (learner.key, model), start=STEPS[0])
    left, right = st.columns(2)
    with left:
        steps = st.segmented_control(
            _("Steps back, T"), STEPS, key="5-steps", default=STEPS[0], required=True
        )
        steps = steps or STEPS[0]
    with right:
        sampler = st.segmented_control(
            _("On the stage"), COMPARED, key="5-sampler", default=COMPARED[0], required=True,
            format_func=named(words.SAMPLERS),
        )  # fmt: skip
    if steps == STEPS[-1]:
        looks = len(COMPARED) * steps
        text = _("The network is asked {looks:,} times, which takes a while; you can stop it.").format(
            looks=looks
        )
        if seconds := pace().seconds(model, x0[0, 0].numel()):
            text = _(
                "The network is asked {looks:,} times: about {seconds:.0f} s on this machine, more when "
                "it is busy. You can stop it."
            ).format(looks=looks, seconds=looks * seconds)
        st.caption(text)

    def walked(count: int) -> Task[dict[str, Walk]]:
        return task(f"5-{count}", (learner.key, model), lambda: plan(shown.there, net, model, count))

    ten = walked(STEPS[0])
    done = ten.finished  # until then it is watched: who is not looked at loses his place in line
    count = steps if done else STEPS[0]
    for other in set(STEPS) - {STEPS[0], count}:  # what is done is kept: to compare is what this is for
        if (kept := learning().tasks.get(f"5-{other}")) and not kept[1].finished:
            learning().forget(f"5-{other}")
    chosen = walked(count)
    watch(
        chosen,
        f"5-{count}",
        lambda walks: _seen(chosen, walks, shown, sampler or COMPARED[0]),
        _("Walking back"),
    )
    if ten.finished and not done:
        st.rerun()
    if ten.finished:
        _why(learner, ten.value, model, x0.shape[1] == 3)


def _seen(chosen: Task[dict[str, Walk]], walks: dict[str, Walk], shown: Shown, sampler: str) -> None:
    """The stage with one of the ways back, and all three ends beside it."""
    left, right = st.columns([1.1, 1], gap="medium")
    with left:
        stage("5", shown, walks[sampler], following=chosen.computing)
    with right:
        rows = []
        for name, walk in walks.items():
            ready = walk.way.ready()
            if not ready or not walk.way.steps:
                continue
            grain = math.sqrt(walk.way.steps[-1].added)
            caption = f"<b>{_(words.SAMPLERS[name])}</b><br>" + _(
                "last step added <b>{grain:.4f}</b>"
            ).format(grain=grain)
            rows.append((walk.way.state(ready[-1])[0], caption, _(words.SAMPLERS[name])))
        if rows:
            pictures("5", rows, columns=2)


def _why(learner: Learner, walks: dict[str, Walk], model: str, colour: bool) -> None:
    explain("5", why(walks))
    if colour:
        deeper(
            "ten_or_thousand",
            r"\eta_{\text{last}} \sim \mathcal N\!\left(0, \frac{\sigma_q^2}{T}\right)\ \text{(Algorithm "
            r"1)},\qquad"
            r"\sigma_q^2\,\Delta t\,\frac{t - \Delta t}{t} = 0\ \text{ at } t = \Delta t\ \text{(posterior)}",
            _("The last step goes from t = Δt to 0; what is added there, stays."),
            learner.in_python() | {"model": repr(model)},
        )


def _by_theory(learner: Learner) -> None:
    """What comes out in closed form, for data as varied as the picture's pixels."""
    spread = numbers.spread(learner.x0())
    known = {name: [numbers.end_spread(spread, SIGMA_Q, T, name) for T in STEPS] for name in COMPARED}
    figure = charts.end_spreads(
        STEPS, {_(words.SAMPLERS[name]): (name, values) for name, values in known.items()}, spread
    )
    summary = _(
        "Without any network: for data with your picture's spread {spread:.3f} and its exact denoiser, "
        "Algorithm 1 ends with spread {a10:.3f} after ten steps and {a1000:.3f} after a thousand, the "
        "posterior with {p10:.3f} and {p1000:.3f}, the deterministic way with {d10:.3f} and {d1000:.3f}. "
        "It begins at pure noise of spread σ_q, which is not quite where the way there ends; that gap no "
        "number of steps closes."
    ).format(
        spread=spread, a10=known["algorithm1"][0], a1000=known["algorithm1"][-1], p10=known["posterior"][0],
        p1000=known["posterior"][-1], d10=known["ddim"][0], d1000=known["ddim"][-1],
    )  # fmt: skip
    chart(
        "5-theory", figure, summary, {"T": list(STEPS)} | {_(words.SAMPLERS[n]): v for n, v in known.items()}
    )
