"""Pages are drawn one after another: threads that all draw at once only get in each other's way.

Python lets one thread run at a time and, asked for it by many, passes the turn on every few milliseconds:
thirty pages drawn at once take far longer than thirty drawn in a row, and the first waits for the last.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from ui.language import current, speaking


class Turns:
    """A lock that a thread may take again while it has it, handed on in the order of asking."""

    def __init__(self) -> None:
        self._free = threading.Semaphore(1)
        self._mine = threading.local()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for the turn, and keep it for the block."""
        if getattr(self._mine, "held", False):
            yield
            return
        with self._free:
            self._mine.held = True
            try:
                yield
            finally:
                self._mine.held = False

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let others have their turn while this thread only waits."""
        if not getattr(self._mine, "held", False):
            yield
            return
        self._mine.held = False
        self._free.release()
        try:
            yield
        finally:
            self._free.acquire()
            self._mine.held = True


turns = Turns()


def fragment(draw: Callable[..., None], *arguments: Any, every: float | None = None) -> None:  # noqa: ANN401
    """Draw a part of the page that can be drawn alone, again and again `every` so many seconds."""

    def in_turn() -> None:
        with turns.turn(), speaking(current()):
            draw(*arguments)

    st.fragment(in_turn, run_every=every)()
