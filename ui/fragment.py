"""A part of a page that is drawn anew without the rest of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from ui.language import current, speaking
from ui.turns import PART, turns


def fragment(draw: Callable[..., None], *arguments: Any) -> None:  # noqa: ANN401
    """Draw a part of the page that can be drawn anew by itself."""

    def in_turn() -> None:
        with turns.turn(PART), speaking(current()):
            draw(*arguments)

    st.fragment(in_turn)()
