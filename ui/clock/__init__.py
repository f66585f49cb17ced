"""A clock that lives in the browser: while it is drawn, it has its part of the page drawn anew.

Streamlit's own (``run_every``) can be set and stopped by a run of the whole page alone: two pages for
whatever begins and ends.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import streamlit as st
from streamlit.components.v2 import component

#: Seconds between two looks at what is being computed.
TICK = 0.25
#: Where a session notes that a clock has asked, until that is drawn.
_ASKED = "clock_asked"

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
    _component(key=key, data=data, default={"asked": None}, on_asked_change=_asked, height=1, width=1)


def by_a_clock() -> bool:
    """Whether what is drawn now was asked for by a clock, not by a person; true once for each time."""
    return bool(st.session_state.pop(_ASKED, False))


def _asked() -> None:
    st.session_state[_ASKED] = True
