"""The figures beside the stage: journey data in, plotly figure out. No Streamlit.

Each figure has a ``summary_*`` beside it, one or two sentences from the same data for those who
do not see it. The way there is teal, the way back amber, theory grey; dashes and markers tell
them apart as well. Text colours are left to the page's theme.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from torch import Tensor

from diffusion import Process
from ui.endings import Row
from ui.journey import Stop, WayBack, WayThere
from ui.language import N_, _, joined, number
from ui.plain import Figure

HEIGHT = 230
THERE = "#0B8A8F"
BACK = "#C77D0A"
THEORY = "#8A8F98"
GRID = "rgba(128, 128, 128, 0.18)"

#: Name of the trace that marks the frame under the thumb; always the figure's last, maybe empty.
THUMB = N_("under the thumb")

MOST_BINS = 60
#: One 8-bit grey level in [-1, 1] units.
LEVEL = 2 / 255
#: An axis turns logarithmic when its values span more than this factor.
WIDE = 100.0
#: An rms distance below this is rounding.
NO_DISTANCE = 1e-6
#: Samples of a curve known in closed form.
SAMPLES = 129


@dataclass(frozen=True)
class Thumb:
    """The frame under the thumb.

    Attributes
    ----------
    stop : Stop
        Its numbers.
    back : bool
        Whether it stands on the way back.
    """

    stop: Stop
    back: bool = False


def table(figure: Figure) -> dict[str, list[str]]:
    """What a figure draws, as columns: which curve, then its values along both axes."""
    layout: Any = figure.layout
    traces: Any = figure.data
    points = [(trace.name, x, y) for trace in traces for x, y in zip(trace.x, trace.y, strict=True)]
    x_title, y_title = ((axis.title.text or "").partition("<br>")[0] for axis in (layout.xaxis, layout.yaxis))
    return {
        _("what is drawn"): [name for name, _x, _y in points],
        x_title: [f"{x:.5g}" for _name, x, _y in points],
        y_title: [f"{y:.5g}" for _name, _x, y in points],
    }


def variance(
    there: WayThere, back: WayBack | None = None, at: Thumb | None = None, *, height: int = HEIGHT
) -> Figure:
    """sigma_t^2 in theory over t, with the measured variance of the frames shown.

    On the way back the dots are the variance of x_s - alpha*x0_hat, what the network takes for
    noise; the state it starts from is no step's result and has none.
    """
    process = there.process
    figure = blank("", "t", _("variance of the noise"), height=height)
    figure.update_axis("xaxis", range=[-0.02, 1.02])
    t = np.linspace(0, 1, SAMPLES)
    sigma2 = [process.sigma(u) ** 2 for u in t]
    figure.add_scatter(**as_line(t, sigma2, _("σ_t², theory"), THEORY, "t %{x:.3f}<br>σ_t² %{y:.4g}"))
    hover = "t %{x:.4g}<br>" + _("variance of x_t − α_t·x_0: %{y:.4g}")
    stops = there.stops
    figure.add_scatter(
        **as_dots([s.t for s in stops], [s.measured for s in stops], _("there, measured"), THERE, hover)
    )
    if back is not None and back.steps:
        stops = [back.state(k)[1] for k in back.ready() if k]
        hover = "t %{x:.4g}<br>" + _("variance of x_t − α_t·x̂_0: %{y:.4g}")
        name = _("back, by the network")
        figure.add_scatter(**_open_dots([s.t for s in stops], [s.measured for s in stops], name, BACK, hover))
    return _add_thumb(figure, at, at.stop.measured if at else math.inf, _("measured"))


def summary_variance(at: Thumb) -> str:
    """Measured variance against theory at the thumb, in words."""
    stop = at.stop
    if math.isnan(stop.measured):
        text = _("The way back starts here, at t = {t}; the network has not been asked yet.")
    elif at.back:
        text = _("At t = {t} what the network takes for noise has variance {measured}; theory says {theory}.")
    else:
        text = _("At t = {t} the measured variance is {measured}; theory says {theory}.")
    return text.format(t=number(stop.t), measured=_number(stop.measured), theory=_number(stop.sigma**2))


@dataclass(frozen=True)
class _Added:
    """Variance each step adds: in theory, measured and by sampler; steps from small t to large."""

    t: np.ndarray  # the noisier end of each step there
    theory: np.ndarray
    measured: np.ndarray
    t_back: np.ndarray
    algorithm1: np.ndarray
    posterior: np.ndarray
    t_taken: np.ndarray  # of the steps back taken so far, in their own order
    taken: np.ndarray
    uneven: bool


def _added(there: WayThere, back: WayBack | None) -> _Added:
    process = there.process
    steps = list(pairwise(there.times))
    back_steps = steps if back is None else list(pairwise(back.times[::-1]))
    v_step = [process.step(s, t)[1] for s, t in back_steps]
    shrink = [(process.sigma(s) / process.sigma(t)) ** 2 for s, t in back_steps]
    taken = [] if back is None else list(back.steps)
    return _Added(
        np.array(there.times[1:]),
        np.array([_added_in_theory(process, s, t) for s, t in steps]),
        np.array(there.added),
        np.array([t for _, t in back_steps]),
        np.array(v_step),
        np.array(v_step) * np.array(shrink),
        np.array([kept.t for kept in taken]),
        np.array([kept.added for kept in taken]),
        any(_spans(np.array([t - s for s, t in some])) for some in (steps, back_steps)),
    )


def _added_in_theory(process: Process, s: float, t: float) -> float:
    """Variance of x_t - a*x_s on a path: v_step, or (sigma_t - a*sigma_s)^2 where one eps serves it all."""
    a, v = process.step(s, t)
    return v if process.is_chain else (process.sigma(t) - a * process.sigma(s)) ** 2


def added(there: WayThere, back: WayBack | None = None, *, height: int = HEIGHT) -> Figure:
    """Variance added by each step, drawn at the step's noisier end t.

    The way there in theory and as measured on the path; what `algorithm1` and `posterior` add on
    the way back's grid (the way there's, turned round, before there is one); and what the steps
    back really added. An axis is logarithmic only where its values span more than two decades; a
    log axis has no place for 0, so what is 0 is named under it instead.
    """
    data = _added(there, back)
    figure = blank("", "t", _("variance added"), height=height)
    where = "t %{x:.4g}<br>"
    series = [
        (as_line, data.t, data.theory, N_("there, theory"), THEORY, N_("adds %{y:.4g} in theory"), "solid"),
        (as_dots, data.t, data.measured, N_("there, measured"), THERE, N_("added %{y:.4g}, measured"), ""),
        (
            as_line, data.t_back, data.algorithm1, N_("Algorithm 1"), BACK,
            N_("Algorithm 1 adds %{y:.4g}"), "dash",
        ),
        (
            as_line, data.t_back, data.posterior, N_("posterior"), BACK,
            N_("the posterior adds %{y:.4g}"), "dot",
        ),
    ]  # fmt: skip
    if len(data.taken):
        series.append(
            (_open_dots, data.t_taken, data.taken, N_("back, η measured"), BACK, N_("η added %{y:.4g}"), "")
        )
    values = np.concatenate([one[2] for one in series])
    log = _spans(values)
    absent: dict[str, list[str]] = {}
    for draw, t, y, name, colour, hover, dash in series:
        keep = y > 0 if log else np.full(len(y), True)
        if not keep.all():
            short = N_("η measured") if draw is _open_dots else name
            absent.setdefault(_when(t, keep), []).append(_(short))
        more = {"dash": dash, "few": True} if dash else {}
        figure.add_scatter(**draw(t[keep], y[keep], _(name), colour, where + _(hover), **more))
    if log:
        make_log(figure, "yaxis", values)
    if data.uneven:
        make_log(figure, "xaxis", np.concatenate([data.t, data.t_back]))
    if absent:
        _note(figure, _absent(absent))
    if not there.process.is_chain:
        _note(figure, _("one ε serves the whole path: no chain of steps"))
    return figure


def _when(t: np.ndarray, keep: np.ndarray) -> str:
    """Which of the steps back at times `t` are not kept, in words."""
    if not keep.any():
        return _("in every step")
    return _("in the last step") if keep[t > t.min()].all() else _("in some steps")


def summary_added(there: WayThere, back: WayBack | None = None) -> str:
    """What the first and last steps add, in words."""
    data = _added(there, back)
    there_adds = _(
        "The way there adds {first} in its first of {count} steps and {last} in its last; measured, "
        "{measured_first} and {measured_last}."
    ).format(
        count=len(data.theory),
        first=_number(data.theory[0]),
        last=_number(data.theory[-1]),
        measured_first=_number(data.measured[0]),
        measured_last=_number(data.measured[-1]),
    )
    in_the_last = _(
        "In the last step back, Algorithm 1 adds {algorithm1}, the posterior {posterior}."
    ).format(
        algorithm1=_number(data.algorithm1[0]),
        posterior=_number(data.posterior[0]) if data.posterior[0] else _("nothing"),
    )
    taken = ""
    if len(data.taken) and data.taken.max():
        taken = _("The steps back taken so far added {least} to {most}.").format(
            least=_number(data.taken.min()), most=_number(data.taken.max())
        )
    elif len(data.taken):
        taken = _("The steps back taken so far added no fresh noise.")
    return joined(there_adds, in_the_last, taken)


def snr(there: WayThere, at: Thumb | None = None, *, height: int = HEIGHT) -> Figure:
    """Signal-to-noise ratio over t on a log axis, from the first step on (infinite at t = 0)."""
    process, stops = there.process, there.stops[1:]
    figure = blank("", "t", _("signal-to-noise ratio"), height=height)
    figure.update_axis("xaxis", range=[-0.02, 1.02])
    first = there.times[1]
    t = np.unique([*np.linspace(first, 1, SAMPLES), *(s.t for s in stops)])
    ratio = np.array([process.snr(u) for u in t])
    hover = "t %{x:.4g}<br>" + _("SNR %{y:.3g}")
    make_log(figure, "yaxis", ratio)
    keep = ratio > 0
    figure.add_scatter(**as_line(t[keep], ratio[keep], "α_t²/σ_t²", THEORY, hover))
    seen = [s for s in stops if s.snr > 0]
    figure.add_scatter(**as_dots([s.t for s in seen], [s.snr for s in seen], _("frames shown"), THERE, hover))
    if not keep.all():
        _note(figure, _absent({_("at t = 1"): [_("the ratio")]}))
    return _add_thumb(figure, at, at.stop.snr if at and at.stop.snr > 0 else math.inf, _("SNR"))


def summary_snr(at: Thumb) -> str:
    """The signal-to-noise ratio at the thumb, in words."""
    if math.isinf(at.stop.snr):
        text = _("At t = {t} there is no noise: the signal-to-noise ratio is infinite.")
    else:
        text = _("At t = {t} the signal-to-noise ratio is {snr}.")
    return text.format(t=number(at.stop.t), snr=_number(at.stop.snr))


def histogram(x_t: Tensor, process: Process, t: float, *, height: int = HEIGHT) -> Figure:
    """Pixel values of one frame as a density, with the Gaussian N(0, sigma_t^2) they approach.

    At t = 0 there is no Gaussian. Where it is far taller than the bars it is cut off above.
    """
    centres, density, width = _density(x_t)
    figure = blank("", _("pixel value (black −1, white 1)"), _("density"), height=height)
    name = _("pixels")
    bars = f"{_('values %{x:.3g} ± ')}{width / 2:.2g}<br>{_('density %{y:.3g}')}<extra>{name}</extra>"
    figure.add_bar(
        x=centres, y=density, width=width, name=name, marker={"color": THERE, "line": {"width": 0}},
        opacity=0.75, hovertemplate=bars,
    )  # fmt: skip
    top = float(density.max())
    sigma = process.sigma(t)
    if sigma:
        x = np.linspace(-4 * sigma, 4 * sigma, SAMPLES)
        gauss = np.exp(-0.5 * (x / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))
        name = f"N(0, σ_t²), σ_t = {_number(sigma)}"
        hover = f"{_('value %{x:.3g}')}<br>{_('density %{y:.3g}')}"
        figure.add_scatter(**as_line(x, gauss, name, THEORY, hover, dash="dash"))
        top = max(top, min(float(gauss.max()), 2 * top))
    figure.update_axis("yaxis", range=[0, 1.08 * top])
    return figure


def summary_histogram(x_t: Tensor, process: Process, t: float) -> str:
    """Mean and spread of the pixel values, in words."""
    x = x_t.double()
    mean, spread = float(x.mean()), float(x.std(correction=0))
    if t:
        text = _(
            "At t = {t} the pixel values have mean {mean} and spread {spread}; the Gaussian they "
            "approach has mean 0 and spread {sigma}."
        )
    else:
        text = _("At t = 0 the pixel values have mean {mean} and spread {spread}; there is no noise yet.")
    values = {"mean": mean, "spread": spread, "sigma": process.sigma(t)}
    return text.format(t=number(t), **{name: _number(value) for name, value in values.items()})


def _density(x_t: Tensor) -> tuple[np.ndarray, np.ndarray, float]:
    """Centres, density and width of at most 60 bins, each a whole number of grey levels wide."""
    x = x_t.detach().cpu().double().numpy().ravel()
    low, levels = x.min() - LEVEL / 2, (x.max() - x.min()) / LEVEL + 1
    per_bin = max(1, math.ceil(levels / MOST_BINS))
    bins, width = math.ceil(levels / per_bin), LEVEL * per_bin
    # Half a level below the lowest value: 8-bit pictures then fall in the middle of their level.
    density, edges = np.histogram(x, bins, (low, low + bins * width), density=True)
    return (edges[1:] + edges[:-1]) / 2, density, width


@dataclass(frozen=True)
class _Distance:
    """Rms distances to the upload by the number of steps taken."""

    step: np.ndarray
    state: np.ndarray  # of x_t/alpha; the start first, where it is known; may be infinite
    estimate: np.ndarray  # of x0_hat; one fewer


def _distance(back: WayBack) -> _Distance:
    steps = list(back.steps)
    start = math.inf
    if back.start is not None and back.first is not None and back.first.alpha:
        start = float((back.start / back.first.alpha - back.x0).square().mean().sqrt())
    return _Distance(
        np.arange(len(steps) + 1),
        np.array([start, *(kept.to_upload for kept in steps)]),
        np.array([kept.estimate_to_upload for kept in steps]),
    )


def distance(back: WayBack, *, height: int = HEIGHT) -> Figure:
    """How far x0_hat and x_t/alpha_t are from the upload after each step back (rms)."""
    data = _distance(back)
    figure = blank("", _("steps back taken"), _("distance to your picture (rms)"), height=height)
    figure.update_axis("xaxis", range=[-0.02 * back.total, 1.02 * back.total])
    series = [
        ("x_t/α_t", data.step, data.state, "solid", _("after step %{x}<br>x_t/α_t is %{y:.3g} away")),
        ("x̂_0", data.step[1:], data.estimate, "dash", _("step %{x}<br>x̂_0 is %{y:.3g} away")),
    ]
    values = np.concatenate([data.state, data.estimate])
    log = _spans(values[values > NO_DISTANCE])
    absent = []
    for name, step, y, dash, hover in series:
        keep = y > NO_DISTANCE if log else np.full(len(y), True)
        if not keep.all():
            absent.append(name)
        figure.add_scatter(**as_line(step[keep], y[keep], name, BACK, hover, dash=dash, few=True))
    if log:
        make_log(figure, "yaxis", values[values > NO_DISTANCE])
    if absent:
        _note(figure, _absent({_("in some steps"): absent}))
    return figure


def summary_distance(back: WayBack) -> str:
    """How far the walk has come, in words."""
    data = _distance(back)
    if not len(data.estimate):
        return _("No step back has been taken yet.")
    now = _(
        "After {taken} of {total} steps back the picture is {state} away from yours (root mean square), "
        "the network's estimate {estimate}."
    ).format(
        taken=len(data.estimate),
        total=back.total,
        state=_number(data.state[-1]),
        estimate=_number(data.estimate[-1]),
    )
    began = _("It began {start} away.").format(start=_number(data.state[0]))
    return joined(now, began if math.isfinite(data.state[0]) else "")


def narrowing(rows: Sequence[Row], t: float, *, height: int = HEIGHT) -> Figure:
    """How far apart endings are, and how far from the upload, by the time they start from.

    Parameters
    ----------
    rows : sequence of Row
    t : float
        The start on show; ringed where it has been measured.
    height : int
    """
    figure = blank("", _("start t"), _("distance (rms)"), height=height)
    start = "t %{x:.3g}<br>"
    figure.update_axis("xaxis", range=[-0.02, 1.02])
    figure.update_axis("yaxis", rangemode="tozero")
    apart, on_average, away = _("{y} apart on average"), _("{y} away on average"), _("{y} away")
    series = [
        (_("between two endings"), [row.apart for row in rows], BACK, "solid", apart),
        (_("an ending to your picture"), [row.to_upload for row in rows], THERE, "dot", on_average),
        (_("their mean to your picture"), [row.mean_to_upload for row in rows], THERE, "solid", away),
    ]
    starts = [row.t for row in rows]
    for name, values, colour, dash, hover in series:
        said = start + hover.format(y="%{y:.3f}")
        figure.add_scatter(**as_line(starts, values, name, colour, said, dash=dash, few=True))
    at = [row for row in rows if row.t == t]
    marker = {"color": BACK, "size": 14, "symbol": "circle-open", "line": {"width": 3}}
    ring = _trace([row.t for row in at], [row.apart for row in at], _(THUMB), start + "%{y:.3f}")
    figure.add_scatter(**ring, mode="markers", marker=marker, showlegend=False, cliponaxis=False)
    return figure


def summary_narrowing(rows: Sequence[Row]) -> str:
    """How far apart the endings of the first and the last start are, in words."""
    if not rows:
        return _("No endings have been measured yet.")
    first, last = rows[0], rows[-1]
    text = _("Started at t = {t}, two endings are {apart} apart.").format(
        t=number(last.t), apart=_number(last.apart)
    )
    if first is last:
        return text
    then = _("Started at t = {t}, it is {apart}.").format(t=number(first.t), apart=_number(first.apart))
    return joined(text, then)


def loss_by_noise(card: Mapping[str, Any], *, height: int = HEIGHT) -> Figure:
    """Loss of a network at fixed noise levels, on training and held-out pictures.

    Parameters
    ----------
    card : Mapping
        A model card, see :func:`diffusion.read_card`.
    height : int
    """
    figure = blank("", _("noise level σ"), _("loss"), height=height)
    looks = (
        ("train", _("training pictures"), THEORY, "dash"),
        ("val", _("held-out pictures"), THERE, "solid"),
    )
    for split, name, colour, dash in looks:
        rows = card["training"]["loss_by_noise"].get(split, [])
        rmse = [math.sqrt(row["mse"]) for row in rows]
        hover = "σ %{x:.3g}<br>" + _("loss %{y:.4f}<br>x̂_0 off by %{customdata:.3g} (rms)")
        sigma, loss = [row["sigma"] for row in rows], [row["loss"] for row in rows]
        line = as_line(sigma, loss, name, colour, hover, dash=dash, few=True)
        figure.add_scatter(**line, customdata=rmse)
    figure.update_axis("xaxis", type="log", tickformat="~g", dtick=1)
    figure.update_axis("yaxis", rangemode="tozero")
    return figure


def summary_loss_by_noise(card: Mapping[str, Any]) -> str:
    """Where a network does worst on held-out pictures, in words."""
    rows = card["training"]["loss_by_noise"].get("val", [])
    if not rows:
        return _("No loss on held-out pictures is recorded.")
    worst = max(rows, key=lambda row: row["loss"])
    least = min(rows, key=lambda row: row["loss"])
    return _(
        "On held-out pictures the network helps least at noise level {sigma_highest} (loss "
        "{highest}) and most at {sigma_lowest} (loss {lowest})."
    ).format(
        highest=_number(worst["loss"]),
        sigma_highest=_number(worst["sigma"]),
        lowest=_number(least["loss"]),
        sigma_lowest=_number(least["sigma"]),
    )


def loss_curve(card: Mapping[str, Any], *, height: int = HEIGHT) -> Figure:
    """Training loss against pictures seen."""
    figure = blank("", _("pictures seen"), _("training loss"), height=height)
    history = card["training"]["history"]
    pictures, loss = [row["pictures"] for row in history], [row["loss"] for row in history]
    hover = _("%{x:,} pictures<br>loss %{y:.4f}")
    figure.add_scatter(**as_line(pictures, loss, _("training loss"), THERE, hover, few=len(history) < 3))
    figure.hide_legend()
    if _spans(np.array(loss)):
        make_log(figure, "yaxis", np.array(loss))
    return figure


def summary_loss_curve(card: Mapping[str, Any]) -> str:
    """Where training began and stands, in words."""
    history = card["training"]["history"]
    if not history:
        return _("No training history is recorded.")
    first, last = history[0], history[-1]
    return _("The training loss went from {first} to {last} over {pictures:,} pictures.").format(
        first=_number(first["loss"]), last=_number(last["loss"]), pictures=last["pictures"]
    )


def standings(held_out: Sequence[float], standing: float, *, height: int = 170) -> Figure:
    """How much the nearest training picture stands out: of one picture, and of those held out.

    Parameters
    ----------
    held_out : sequence of float
    standing : float
        See :class:`diffusion.memory.Near`.
    height : int
    """
    across = _("distance to the nearest / mean of the 50 nearest")
    figure = blank("", across, _("held-out pictures"), height=height)
    counts, edges = np.histogram(held_out, 50, (0, 1))
    figure.add_bar(
        x=(edges[1:] + edges[:-1]) / 2, y=counts, width=edges[1] - edges[0], name=_("held-out pictures"),
        marker={"color": THEORY, "line": {"width": 0}},
        hovertemplate=_("%{x:.2f}: %{y} held-out pictures") + "<extra></extra>",
    )  # fmt: skip
    top = float(counts.max()) * 1.1
    line = as_line([standing, standing], [0, top], _("this picture"), BACK, _("this picture: %{x:.3f}"))
    figure.add_scatter(**line | {"mode": "lines", "line": {"color": BACK, "width": 4}})
    figure.update_axis("xaxis", range=[0, 1.02])
    figure.update_axis("yaxis", range=[0, top])
    return figure


def blank(title: str, x_title: str, y_title: str, *, height: int = HEIGHT) -> Figure:
    """An empty figure in the common style; text colours come from the page's theme."""
    axis = {
        "gridcolor": GRID, "gridwidth": 1, "zeroline": False, "automargin": True,
        "ticks": "", "nticks": 6, "tickfont": {"size": 11},
    }  # fmt: skip
    return Figure(
        {
            "title": {"text": title, "font": {"size": 14}} if title else {},
            "height": height,
            "margin": {"l": 4, "r": 8, "t": 30 if title else 4, "b": 4},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"size": 12},
            "hovermode": "closest",
            "dragmode": "zoom",
            "uirevision": "there-and-back",  # a new journey leaves the zoom as it was
            "showlegend": True,
            "legend": {
                "orientation": "h",
                "x": 0,
                "xanchor": "left",
                "y": 1.02,
                "yanchor": "bottom",
                "font": {"size": 11},
                "bgcolor": "rgba(0,0,0,0)",
                "title": {"text": ""},
            },
            "xaxis": axis | {"title": {"text": x_title, "font": {"size": 12}, "standoff": 10}},
            "yaxis": axis | {"title": {"text": y_title, "font": {"size": 12}, "standoff": 14}},
        }
    )


def _trace(x: Iterable[float], y: Iterable[float], name: str, hover: str) -> dict[str, Any]:
    """What all traces share; points that are not finite are left out."""
    x, y = np.asarray([*x], dtype=float), np.asarray([*y], dtype=float)
    keep = np.isfinite(x) & np.isfinite(y)
    hover = f"{hover}<extra>{name}</extra>"
    return {"x": x[keep], "y": y[keep], "name": name, "uid": name, "hovertemplate": hover}


def as_line(
    x: Iterable[float],
    y: Iterable[float],
    name: str,
    colour: str,
    hover: str,
    *,
    dash: str = "solid",
    few: bool = False,
) -> dict[str, Any]:
    """A line; with `few`, its points are marked as long as there are no more than 40 of them."""
    trace = _trace(x, y, name, hover)
    marked = len(trace["x"]) == 1 or (few and len(trace["x"]) <= 40)
    look = {"color": colour, "width": 2, "dash": dash}
    marker = {"color": colour, "size": 4}
    return trace | {"mode": "lines+markers" if marked else "lines", "line": look, "marker": marker}


def as_dots(x: Iterable[float], y: Iterable[float], name: str, colour: str, hover: str) -> dict[str, Any]:
    """Points, a little smaller where there are many."""
    trace = _trace(x, y, name, hover)
    size = 5 if len(trace["x"]) <= 40 else 4
    return trace | {"mode": "markers", "marker": {"color": colour, "size": size}}


def _open_dots(x: Iterable[float], y: Iterable[float], name: str, colour: str, hover: str) -> dict[str, Any]:
    marker = {"color": colour, "size": 8, "symbol": "diamond-open", "line": {"width": 1.5}}
    return _trace(x, y, name, hover) | {"mode": "markers", "marker": marker}


def _add_thumb(figure: Figure, at: Thumb | None, value: float, what: str) -> Figure:
    """Ring the frame under the thumb; an infinite `value` has no place on the figure."""
    colour = BACK if at and at.back else THERE
    points = ([at.stop.t], [value]) if at else ([], [])
    trace = _trace(*points, _(THUMB), f"t %{{x:.4g}}<br>{what} %{{y:.4g}}")
    marker = {"color": colour, "size": 14, "symbol": "circle-open", "line": {"width": 3}}
    figure.add_scatter(**trace, mode="markers", marker=marker, showlegend=False, cliponaxis=False)
    return figure


def _spans(values: np.ndarray, factor: float = WIDE) -> bool:
    """Whether the values above 0 span more than `factor`, two decades as a rule."""
    positive = values[np.isfinite(values) & (values > 0)]
    return len(positive) > 0 and bool(positive.max() > factor * positive.min())


def make_log(figure: Figure, axis: str, values: np.ndarray) -> None:
    """Turn an axis logarithmic; a zoom made on the linear one is not carried over."""
    figure.update_axis(axis, type="log", uirevision="log")
    if _spans(values, 1e5):
        figure.update_axis(
            axis, exponentformat="power", tickfont={"size": 9}
        )  # powers are drawn 1.25 times as large
    else:
        figure.update_axis(axis, tickformat="~g", dtick=1 if _spans(values) else "D2")
    if axis == "xaxis":
        figure.say_below(_(" (log scale)"))


def _note(figure: Figure, text: str) -> None:
    """Small print under the horizontal axis."""
    figure.say_below(f'<br><span style="font-size:10px">{text}</span>')


def _absent(groups: Mapping[str, Sequence[str]]) -> str:
    """Say what is missing from a log axis, by when."""
    rows = (_("{who} {when}").format(who=_(" and ").join(who), when=when) for when, who in groups.items())
    return _("0 has no place here: {what}").format(what=_("; ").join(rows))


def _number(value: float) -> str:
    """Three significant digits, as a person writes them."""
    value = float(value)
    if abs(value) < 1e-12 or not math.isfinite(value):  # rounding alone
        return "0" if math.isfinite(value) else f"{value:g}"
    plain = f"{value:#.3g}".rstrip(".")
    return plain if "e" not in plain else number(value)
