"""A plotly figure as plain data. No Streamlit."""

from __future__ import annotations

import base64
import functools
from typing import Any

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio
from plotly.basedatatypes import BaseFigure


class Figure(BaseFigure):
    """What :class:`plotly.graph_objects.Figure` comes to in the end, without what it does on the way.

    plotly checks every property that is set, and copies everything once more when it is sent: five plots
    of the page took 55 ms of a processor that a whole class shares, and take 2 here. The checks are made
    where :attr:`data` or :attr:`layout` is read, and the tests read them.

    Parameters
    ----------
    layout : dict
        As plotly.js wants it: ``{"title": {"text": ...}}``, no ``title_text``.
    """

    def __init__(self, layout: dict[str, Any]) -> None:
        self._traces: list[dict[str, Any]] = []
        self._plain = {**layout, "template": _template(pio.templates.default)}

    def add_scatter(self, **trace: Any) -> None:  # noqa: ANN401 - a trace's properties
        """Add a line or points."""
        self._traces.append({"type": "scatter", **trace})

    def add_bar(self, **trace: Any) -> None:  # noqa: ANN401 - a trace's properties
        """Add bars."""
        self._traces.append({"type": "bar", **trace})

    def update_axis(self, axis: str, **properties: Any) -> None:  # noqa: ANN401 - an axis's properties
        """Set properties of ``"xaxis"`` or ``"yaxis"``."""
        self._plain[axis].update(properties)

    def hide_legend(self) -> None:
        """Do without a legend."""
        self._plain["showlegend"] = False

    def say_below(self, text: str) -> None:
        """Add to the title of the horizontal axis."""
        self._plain["xaxis"]["title"]["text"] += text

    def to_dict(self) -> dict[str, Any]:
        """What goes to the browser; arrays as they lie in memory."""
        traces = [{name: _packed(value) for name, value in trace.items()} for trace in self._traces]
        return {"data": traces, "layout": self._plain}

    @property
    def data(self) -> tuple[Any, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The traces, checked by plotly."""
        return tuple(go.Figure(self._traces)["data"])

    @property
    def layout(self) -> Any:  # noqa: ANN401 # pyright: ignore[reportIncompatibleMethodOverride]
        """The layout, checked by plotly."""
        return go.Figure(layout=self._plain).layout


def _packed(value: Any) -> Any:  # noqa: ANN401 - whatever a trace holds
    """An array in plotly's own typed form; anything else as it is."""
    if not isinstance(value, np.ndarray):
        return value
    return {"dtype": "f8", "bdata": base64.b64encode(value.astype("<f8").tobytes()).decode("ascii")}


@functools.cache
def _template(name: str | None) -> dict[str, Any]:
    return pio.templates[name].to_plotly_json() if name else {}
