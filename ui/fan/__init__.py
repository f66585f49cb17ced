"""Endings side by side, each a button that opens it large; frames come through the stage's depots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from streamlit.components.v2 import component

_HERE = Path(__file__).parent
_fan = component(
    "there_and_back_fan",
    html=(_HERE / "fan.html").read_text("utf-8"),
    css=(_HERE / "fan.css").read_text("utf-8"),
    js=(_HERE / "fan.js").read_text("utf-8"),
)


@dataclass(frozen=True)
class Tile:
    """One picture of the fan.

    Attributes
    ----------
    at : tuple of str and int
        The depot that holds it, see :func:`ui.stage.depot`, and its place there.
    name, note : str
        What stands below it, left and right.
    spoken : str
        The same in a sentence: for readers aloud, and under the large picture.
    waiting : bool
        Whether it only holds the place of a picture still to come.
    """

    at: tuple[str, int]
    name: str
    note: str
    spoken: str
    waiting: bool = False


def fan(endings: Sequence[Tile], together: Sequence[Tile], texts: Mapping[str, str], *, key: str) -> None:
    """Show endings, and beside them what they have together.

    Parameters
    ----------
    endings : sequence of Tile
    together : sequence of Tile
        The upload first: every large picture stands beside it.
    texts : mapping of str to str
        See ``fan.js``.
    key : str
    """
    tiles = [asdict(tile) for tile in (*endings, *together)]
    _fan(key=key, data={"tiles": tiles, "endings": len(endings), "words": dict(texts)})
