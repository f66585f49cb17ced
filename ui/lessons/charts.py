"""The lessons' figures, in the style of :mod:`ui.figures`: plain data in, plotly figure out. No Streamlit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from ui.figures import BACK, THEORY, THERE, as_dots, as_line, blank, make_log
from ui.language import _
from ui.plain import Figure

HEIGHT = 340
FAINT = 0.28
#: The share of an arrow that is drawn: whole, they would all end in one knot.
ARROW = 0.45


def _bundle(x: Sequence[float], lines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Many lines over the same x as one trace, with gaps between them; `lines` is (points, count)."""
    gap = np.full((1, lines.shape[1]), np.nan)
    xs = np.tile([*x, np.nan], lines.shape[1])
    return xs, np.concatenate([lines, gap]).T.ravel()


def _add_bundle(
    figure: Figure, x: Sequence[float], lines: np.ndarray, name: str, colour: str, opacity: float = FAINT
) -> None:
    xs, ys = _bundle(x, lines)
    figure.add_scatter(
        x=xs, y=ys, name=name, uid=name, mode="lines", opacity=opacity, hoverinfo="skip",
        line={"color": colour, "width": 1.2}, connectgaps=False,
    )  # fmt: skip


def walk(times: Sequence[float], pixel: np.ndarray, others: np.ndarray, sigma: np.ndarray, at: int) -> Figure:
    """One pixel on its way, others from the same start, and the start plus and minus sigma_t.

    Parameters
    ----------
    times, pixel, sigma : (S,)
    others : (S, M)
    at : int
        The stop under the thumb.
    """
    figure = blank("", "t", _("value of the pixel"), height=HEIGHT)
    _add_bundle(figure, times, others, _("other pixels, from the same start"), THERE)
    for sign, name in ((1, "x_0 ± σ_t"), (-1, "x_0 − σ_t")):
        line = as_line(times, pixel[0] + sign * sigma, name, THEORY, "t %{x:.3g}<br>%{y:.3g}", dash="dash")
        figure.add_scatter(**line, showlegend=sign > 0)
    line = as_line(times, pixel, _("your pixel"), THERE, "t %{x:.3g}<br>%{y:.4g}", few=True)
    line["line"]["width"] = 3.5
    figure.add_scatter(**line)
    marker = {"color": THERE, "size": 14, "symbol": "circle-open", "line": {"width": 3}}
    figure.add_scatter(
        x=[times[at]], y=[pixel[at]], mode="markers", marker=marker, showlegend=False, hoverinfo="skip"
    )
    return figure


def totals(
    steps: Sequence[int], theory: Mapping[str, Sequence[float]], measured: Mapping[str, Sequence[float]]
) -> Figure:
    """Spread of all the noise against the number of steps, by rule; the steps on a logarithmic axis."""
    figure = blank("", _("steps T"), _("spread of all the noise"), height=HEIGHT)
    looks = {"fixed": (BACK, "dash", "diamond"), "scaled": (THERE, "solid", "circle")}
    names = {"fixed": _("fixed spread"), "scaled": "σ_q·√Δt"}
    for rule, (colour, dash, symbol) in looks.items():
        hover = "T %{x}<br>" + _("spread") + " %{y:.4g}"
        figure.add_scatter(**as_line(steps, theory[rule], names[rule], colour, hover, dash=dash))
        dots = as_dots(steps, measured[rule], names[rule] + _(", ") + _("measured"), colour, hover)
        dots["marker"] |= {"size": 9, "symbol": symbol}
        figure.add_scatter(**dots)
    make_log(figure, "xaxis", np.array(steps, dtype=float))
    return figure


def hidden(
    blocks: Sequence[int], measured: Sequence[float], theory: Sequence[float], chance: Sequence[float]
) -> Figure:
    """Correlation with the upload against the size of the blocks it is looked at in."""
    figure = blank("", _("pixels a block is wide"), _("correlation with your picture"), height=HEIGHT)
    hover = "%{x}×%{x}<br>%{y:.3f}"
    band = as_line(blocks, chance, _("chance alone"), THEORY, hover, dash="dot")
    figure.add_scatter(**band, fill="tozeroy", fillcolor="rgba(138, 143, 152, 0.18)")
    figure.add_scatter(**as_line(blocks, theory, _("theory"), THEORY, hover, dash="dash"))
    dots = as_dots(blocks, measured, _("measured"), THERE, hover)
    dots["marker"]["size"] = 10
    figure.add_scatter(**dots)
    figure.update_axis("xaxis", type="log", tickvals=list(blocks), ticktext=[str(b) for b in blocks])
    figure.update_axis("yaxis", range=[min(-0.02, *measured), 1.02])
    return figure


def errors(sigmas: Sequence[float], lines: Mapping[str, tuple[Sequence[float], str]]) -> Figure:
    """How far each answer is from the picture, against the noise; `lines` holds (errors, kind) by name."""
    figure = blank("", _("noise spread σ"), _("distance to your picture (rms)"), height=HEIGHT)
    looks = {"net": (BACK, "solid"), "blur": (THERE, "dash"), "oracle": (THEORY, "dot")}
    for name, (values, kind) in lines.items():
        colour, dash = looks[kind]
        figure.add_scatter(
            **as_line(
                sigmas[: len(values)], values, name, colour, "σ %{x:.3g}<br>%{y:.3f}", dash=dash, few=True
            )
        )
    figure.update_axis(
        "xaxis",
        type="log",
        tickvals=list(sigmas),
        ticktext=[f"{s:g}" for s in sigmas],
        range=[math.log10(sigmas[0]) - 0.05, math.log10(sigmas[-1]) + 0.05],
    )
    figure.update_axis("yaxis", rangemode="tozero")
    return figure


def arrows(points: np.ndarray, grid: np.ndarray, tips: Mapping[str, np.ndarray]) -> Figure:
    """The cloud of clean points, and arrows from a grid of noisy ones towards their x0_hat.

    Parameters
    ----------
    points : (N, 2)
    grid : (M, 2)
    tips : mapping of "exact" and "network" to (M, 2)
    """
    figure = blank("", _("brightness of a pixel"), _("brightness 6 pixels to the right"), height=440)
    dots = as_dots(points[:, 0], points[:, 1], _("two-pixel pictures, clean"), THERE, "%{x:.2f}, %{y:.2f}")
    dots["marker"] |= {"size": 5, "opacity": 0.55}
    figure.add_scatter(**dots)
    looks = {"exact": (THEORY, _("closed form"), 4.0, 9), "network": (BACK, _("tiny network"), 1.8, 6)}
    for kind, answers in tips.items():
        colour, name, width, size = looks[kind]
        ends = grid + ARROW * (answers - grid)
        xs, ys = (_shafts(grid[:, k], ends[:, k]) for k in (0, 1))
        line = {"color": colour, "width": width}
        figure.add_scatter(x=xs, y=ys, mode="lines", name=name, hoverinfo="skip", line=line, opacity=0.85)
        along = ends - grid
        turn = 90 - np.degrees(np.arctan2(along[:, 1], along[:, 0]))
        head = {"symbol": "triangle-up", "size": size, "angle": turn, "color": colour}
        figure.add_scatter(
            x=ends[:, 0], y=ends[:, 1], mode="markers", marker=head, showlegend=False, hoverinfo="skip"
        )
    edge = 0.08 * float(np.ptp(grid[:, 0]))
    figure.update_axis("xaxis", range=[grid[:, 0].min() - edge, grid[:, 0].max() + edge])
    figure.update_axis("yaxis", range=[grid[:, 1].min() - edge, grid[:, 1].max() + edge], scaleanchor="x")
    return figure


def _shafts(starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    return np.stack([starts, ends, np.full_like(starts, np.nan)], axis=1).ravel()


def falling(updates: Sequence[int], losses: Sequence[float], floor: float, most: int) -> Figure:
    """The tiny network's error as it learns, and the floor nobody goes below."""
    figure = blank("", _("updates"), _("squared error of x̂_0"), height=440)
    figure.add_scatter(
        **as_line(
            [0, most], [floor, floor], _("closed form: the least there is"), THEORY, "%{y:.4f}", dash="dash"
        )
    )
    figure.add_scatter(**as_line(updates, losses, _("tiny network"), BACK, "%{x}<br>%{y:.4f}", few=True))
    figure.update_axis("xaxis", range=[-0.02 * most, 1.02 * most])
    figure.update_axis("yaxis", rangemode="tozero")
    return figure


def shrinking(
    times: Sequence[float], noisy: np.ndarray, bare: np.ndarray, mean: float, spread: float
) -> Figure:
    """Walks back with fresh noise and without, and the band where the data lies."""
    figure = blank("", "t", _("value of a pixel"), height=HEIGHT)
    far, near = max(times), min(times)
    figure.add_scatter(
        x=[far, near, near, far], y=[mean + k * spread for k in (-1, -1, 1, 1)], name=_("the data"),
        mode="lines", line={"width": 0}, fill="toself", fillcolor="rgba(138, 143, 152, 0.25)",
        hoverinfo="skip",
    )  # fmt: skip
    _add_bundle(figure, times, noisy, _("with fresh noise"), BACK, 0.45)
    _add_bundle(figure, times, bare, _("without"), THERE, 0.75)
    figure.update_axis("xaxis", range=[max(times) + 0.02, -0.02])
    return figure


def end_spreads(
    steps: Sequence[int], rows: Mapping[str, tuple[str, Sequence[float]]], spread: float
) -> Figure:
    """Spread of what comes out against the number of steps, by sampler; `rows` has (kind, values) by name."""
    figure = blank("", _("steps T"), _("spread of what comes out"), height=HEIGHT)
    looks = {"algorithm1": (BACK, "solid"), "posterior": (THERE, "dash"), "ddim": (THERE, "dot")}
    figure.add_scatter(
        **as_line(steps, [spread] * len(steps), _("the data's own"), THEORY, "%{y:.3f}", dash="longdash")
    )
    for name, (kind, values) in rows.items():
        colour, dash = looks[kind]
        figure.add_scatter(**as_line(steps, values, name, colour, "T %{x}<br>%{y:.3f}", dash=dash, few=True))
    figure.update_axis("xaxis", type="log", tickvals=list(steps), ticktext=[str(k) for k in steps])
    figure.update_axis("yaxis", rangemode="tozero")
    return figure


def fan(
    sigmas: Sequence[float], paths: np.ndarray, x0: float, there: tuple[Sequence[float], Sequence[float]]
) -> Figure:
    """One pixel on all its ways back, after the one way there that led to their common start.

    Parameters
    ----------
    sigmas : (K,)
        Noise spread of the states.
    paths : (K, ways)
    x0 : float
        Where that pixel stood in the upload.
    there : noise spreads and values of the way there
    """
    figure = blank("", _("noise spread σ_t"), _("value of one pixel"), height=HEIGHT)
    line = as_line(*there, _("the way there"), THERE, "σ_t %{x:.3g}<br>%{y:.3f}")
    line["line"]["width"] = 3
    figure.add_scatter(**line)
    _add_bundle(figure, sigmas, paths, _("ways back"), BACK, 0.65)
    ends = as_dots([sigmas[-1]] * paths.shape[1], paths[-1], _("where they end"), BACK, "%{y:.3f}")
    ends["marker"] |= {"size": 7}
    figure.add_scatter(**ends)
    marker = {"color": THERE, "size": 13, "symbol": "diamond", "line": {"width": 2, "color": "white"}}
    figure.add_scatter(
        x=[0], y=[x0], mode="markers", name="x_0", marker=marker, hovertemplate="x_0 %{y:.3f}<extra></extra>"
    )
    return figure
