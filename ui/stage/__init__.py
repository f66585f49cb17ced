"""The stage: the picture under the thumb, drawn in the browser with no server round trip.

Two components. A *depot* receives a run of frames once, as raw bytes, and keeps them in the
browser; the *stage* gets only numbers and draws from the depots. A depot's message never changes,
so Streamlit's own message cache keeps it from being sent again at the next rerun.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from streamlit.components.v2 import component

#: Key of the one stage on the page.
STAGE = "stage"
_HERE = Path(__file__).parent


def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


_depot = component("there_and_back_depot", js=_text("depot.js"))
_stage = component(
    "there_and_back_stage", html=_text("stage.html"), css=_text("stage.css"), js=_text("stage.js")
)


def pack(chunk: str, frames: np.ndarray) -> bytes:
    """One depot's message: a JSON header behind its length, then the frames.

    Parameters
    ----------
    chunk : str
        Name under which the stage asks for it.
    frames : numpy.ndarray, shape (S, H, W, 3), uint8

    Returns
    -------
    bytes
        Little-endian uint32 length, header, frames.
    """
    count, height, width, _ = frames.shape
    header = json.dumps({"chunk": chunk, "count": count, "height": height, "width": width}).encode()
    return len(header).to_bytes(4, "little") + header + frames.tobytes()


def depot(chunk: str, message: bytes) -> None:
    """Hand a packed run of frames to the browser."""
    _depot(key=f"depot-{chunk}", data=message, height=1)


@dataclass(frozen=True)
class Told:
    """What the stage told when the thumb was let go.

    Attributes
    ----------
    stop : int
        Where it stands; stops of the way back count on from the last one of the way there.
    turn : int
        The last move by the server that the stage knew of.
    """

    stop: int
    turn: int


def stage(data: dict[str, Any], key: str) -> None:
    """Mount the stage; what it tells is read by :func:`told`.

    Parameters
    ----------
    data : dict
        See ``stage.js``: both ways' numbers, the chunks that hold their frames, words.
    key : str
    """
    _stage(key=key, data=data, default={"told": None}, on_told_change=lambda: None)


def told(key: str) -> Told | None:
    """What the stage last told, callbacks included; None before the thumb was ever let go."""
    state = st.session_state.get(key)
    answer = state.get("told") if isinstance(state, Mapping) else None
    if not isinstance(answer, Mapping):
        return None
    stop, turn = answer.get("stop"), answer.get("turn")
    if not isinstance(stop, (int, float)) or not isinstance(turn, (int, float)):
        return None
    return Told(int(stop), int(turn))
