"""A part of a page that is drawn anew without the rest of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from ui.clock import by_a_clock
from ui.language import current, speaking
from ui.turns import PAGE, PART, turns


def fragment(draw: Callable[..., None], *arguments: Any) -> None:  # noqa: ANN401
    """Draw a part of the page that can be drawn anew by itself.

    What a person asks for is drawn before all pages; a look at what is being computed can wait.
    """

    def in_turn() -> None:
        with turns.turn(PAGE if by_a_clock() else PART), speaking(current()):
            draw(*arguments)

    # Streamlit tells fragments apart by name and place, and forgets the widgets of one that is not drawn.
    in_turn.__module__, in_turn.__qualname__ = draw.__module__, draw.__qualname__
    st.fragment(in_turn)()
