"""A grid of small pictures, each a button with a name; frames come through the stage's depots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.components.v2 import component

from ui.chunks import Chunk

_HERE = Path(__file__).parent
_grid = component(
    "there_and_back_grid",
    html=(_HERE / "grid.html").read_text("utf-8"),
    css=(_HERE / "grid.css").read_text("utf-8"),
    js=(_HERE / "grid.js").read_text("utf-8"),
)


@dataclass(frozen=True)
class Words:
    """Every text of the grid, as the session that asks reads it.

    Attributes
    ----------
    grid : str
        Name of the whole.
    names : sequence of str
        Name of each picture, made or not.
    coming : str
        Of a picture that is not there yet, behind its name.
    """

    grid: str
    names: Sequence[str]
    coming: str


def grid(
    chunks: Sequence[Chunk], number: int, chosen: int | None, texts: Words, *, key: str, details: str
) -> None:
    """Show the pictures of `chunks`, and empty places for those to come.

    Parameters
    ----------
    chunks : sequence of Chunk
        Handed to the browser before, see :func:`ui.stage.depot`.
    number : int
        Tells one gallery from another: what is chosen in one is not chosen in the next.
    chosen : int or None
    texts : Words
        One name a place.
    key : str
    details : str
        Key of the container that tells of the chosen picture: brought into view where it stands below.
    """
    data = {
        "chunks": [{"chunk": chunk.name, "count": chunk.count} for chunk in chunks],
        "number": number,
        "chosen": chosen,
        "details": details,
        "words": {"grid": texts.grid, "names": list(texts.names), "coming": texts.coming},
    }
    _grid(key=key, data=data, default={"chosen": None}, on_chosen_change=lambda: None)


def chosen(key: str, number: int, count: int) -> int | None:
    """Which of the first `count` pictures of gallery `number` was chosen; None for none."""
    state = st.session_state.get(key)
    answer = state.get("chosen") if isinstance(state, Mapping) else None
    if not isinstance(answer, Mapping) or answer.get("number") != number:
        return None
    index = answer.get("index")
    return index if isinstance(index, int) and 0 <= index < count else None
