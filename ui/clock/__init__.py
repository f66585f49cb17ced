"""A clock that lives in the browser: while it is drawn, it has its part of the page drawn anew.

Streamlit's own (``run_every``) can be set and stopped by a run of the whole page alone, so whatever began
or ended would cost everyone a page.
"""

from __future__ import annotations

import itertools
from pathlib import Path

from streamlit.components.v2 import component

#: Seconds between two looks at what is being computed.
TICK = 0.25

_component = component("clock", js=(Path(__file__).parent / "clock.js").read_text("utf-8"))
_drawn = itertools.count()


def clock(key: str, every: float = TICK) -> None:
    """Have the fragment in which this stands drawn anew in `every` seconds.

    Draw it last: what follows an element that comes and goes moves in the page.

    Parameters
    ----------
    key : str
        Of this place on the page.
    every : float
        Seconds.
    """
    data = {"every": every, "drawn": next(_drawn)}  # another number each time, so that it is wound up again
    _component(key=key, data=data, default={"asked": None}, on_asked_change=lambda: None, height=1)
