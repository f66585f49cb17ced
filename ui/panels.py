"""What stands beside and below the stage: plots, the step taken apart, words."""

from __future__ import annotations

import math

import streamlit as st

from ui import figures, words
from ui.dissect import LABELS, dissect
from ui.journey import WayThere, pushed
from ui.language import _, each, joined, number
from ui.plain import Figure
from ui.runs import Run


def plots(there: WayThere, run: Run | None, stop: int) -> None:
    """The noise-variance plots, all at the frame under the thumb."""
    way = run.way if run and run.way.start is not None else None
    on_back = stop >= len(there.stops)
    if on_back and way:
        x_t, at_stop = way.state(way.ready()[stop - len(there.stops)])
    else:
        x_t, at_stop = there.frames[stop : stop + 1], there.stops[stop]
    at = figures.Thumb(at_stop, on_back)
    process = there.process

    _plot("variance", figures.variance(there, way, at, height=260), figures.summary_variance(at))
    _plot(
        "histogram",
        figures.histogram(x_t, process, at_stop.t),
        figures.summary_histogram(x_t, process, at_stop.t),
    )
    added, snr, distance = st.tabs(
        [_(words.FIGURES[name][0]) for name in ("added", "snr", "distance")],
        key="more-plots", on_change="rerun",
    )  # fmt: skip
    # Only the one that is open is drawn and sent.
    if added.open:
        with added:
            figure = figures.added(there, way, height=280)
            _plot("added", figure, figures.summary_added(there, way), title=False)
    elif snr.open:
        with snr:
            _plot("snr", figures.snr(there, at), figures.summary_snr(at), title=False)
    elif way and way.steps:
        with distance:
            _plot("distance", figures.distance(way), figures.summary_distance(way), title=False)
    else:
        distance.caption(_(words.DISTANCE_EMPTY))


def _plot(name: str, figure: Figure, summary: str, title: bool = True) -> None:
    """One figure with its title, its words and its numbers in a sentence."""
    heading, explained = map(_, words.FIGURES[name])
    if title:
        st.markdown(f"**{heading}**", help=explained)
    st.plotly_chart(figure, key=f"plot-{name}", config={"displayModeBar": False}, width="stretch")
    st.caption(summary if title else joined(summary, explained))
    as_table(name, figure)


def as_table(name: str, figure: Figure) -> None:
    """A figure's numbers, one click away."""
    table = st.popover(
        _("As a table"), type="tertiary", icon=":material/table:", key=f"table-{name}", on_change="rerun"
    )
    if table.open:  # only then are they sent
        table.dataframe(figures.table(figure), hide_index=True, key=f"numbers-{name}")


def apart(run: Run | None, shown: int, view: str) -> None:
    """The step under the thumb in the tutorial's formula.

    Parameters
    ----------
    run : Run or None
    shown : int
        Which shown state of the way back the thumb stands on; negative on the way there.
    view : str
    """
    st.subheader(_("One step, taken apart"), anchor=False)
    ready = run.way.ready() if run else ()
    if run is None or len(ready) < 2:
        st.caption(_(words.APART_EMPTY))
        return
    way = run.way
    kept = way.kept(ready[max(shown, 1)])  # the start is the result of no step
    process = way.process
    st.markdown(
        joined(
            _(words.APART_STEP).format(
                step=kept.stop.step, total=way.total, sampler=_(words.SAMPLERS[way.sampler]),
                t=number(kept.t, 4), sigma_t=number(process.sigma(kept.t), 4),
                s=number(kept.s, 4), sigma_s=number(process.sigma(kept.s), 4),
            ),
            _(words.APART).format(s=number(kept.s, 4)),
        )
    )  # fmt: skip
    dissect(kept, key="dissect", labels=each(LABELS), view=view)


def explained(there: WayThere, run: Run | None) -> None:
    """What happens here, in a few sentences with numbers of this journey."""
    of_there = [f"**{_('The way there')}**", _(words.THERE), _(words.PROCESS_NOTES[there.settings.process])]
    if (correlation := there.correlation) is not None:
        chance = 2 / math.sqrt(there.x0.numel())  # two standard errors
        of_there.append(
            _(words.IS_IT_NOISE).format(
                correlation=correlation,
                chance=chance,
                verdict=_(words.STILL_THERE if abs(correlation) > chance else words.NOT_SEEN),
                brightness=float(there.x0.mean()),
                brightness_T=float(there.frames[-1].mean()),
            )
        )
    of_back = [f"**{_('The way back')}**", _(words.BACK)]
    if run is not None:
        walked = _("*{network}* walked this one; it was asked {count} times so far.")
        if pushed(run.net, run.way.process, run.way.times):
            of_back.append(_(words.PUSHED))
        of_back += [
            _(words.SAMPLER_NOTES[run.way.sampler]),
            walked.format(network=_(run.net.name.capitalize()), count=run.evaluations),
        ]
    for column, paragraphs in zip(st.columns(2, gap="large"), (of_there, of_back), strict=True):
        column.markdown("\n\n".join(paragraphs))
