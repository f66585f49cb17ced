"""A part of a page that is drawn anew without the rest of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from ui.language import current, speaking
from ui.turns import PART, turns


def fragment(
    draw: Callable[..., None],
    *arguments: Any,  # noqa: ANN401
    patience: Callable[[], float] = lambda: PART,
) -> None:
    """Draw a part of the page that can be drawn anew by itself, and can wait so long for others."""

    def in_turn() -> None:
        with turns.turn(patience()), speaking(current()):
            draw(*arguments)

    st.fragment(in_turn)()
