"""Pages are drawn one after another: threads that all draw at once only get in each other's way.

Python lets one thread run at a time. Thirty that draw at once each wait for all the others, hundreds of
times a page, and the system spends its time on passing the turn. Drawn in a row, the same thirty pages come
in half the time, and two at once take longer than one after another (``bench/load.py``). A page takes a
breath between its pieces: parts that have come to wait are drawn before it goes on. No Streamlit.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: Who waits goes first by what is drawn: a part is what moves under somebody's thumb, and soon done.
PART, PAGE = 0, 1


class Turns:
    """A turn that one thread has at a time: parts before pages, otherwise in the order of asking."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = False
        self._waiting: list[tuple[int, int, threading.Event]] = []
        self._order = itertools.count()
        self._mine = threading.local()  # what this thread has the turn for, and when it asked

    @contextmanager
    def turn(self, rank: int) -> Iterator[None]:
        """Wait for the turn and keep it for the block; who has it already goes on."""
        if getattr(self._mine, "rank", None) is not None:
            yield
            return
        with self._held(rank):
            yield

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let others have their turn for the block, in which this thread does nothing but wait."""
        rank = getattr(self._mine, "rank", None)
        if rank is None:
            yield
            return
        self._pass_on()
        try:
            yield
        finally:
            self._take(rank)

    def breathe(self) -> None:
        """Let those go first who rank before what this thread draws, then go on before all others."""
        rank = getattr(self._mine, "rank", None)
        if rank is None or not self._waiting or self._waiting[0][0] >= rank:
            return
        asked = self._mine.asked
        self._pass_on()
        self._take(rank, asked)

    @contextmanager
    def _held(self, rank: int) -> Iterator[None]:
        self._take(rank)
        try:
            yield
        finally:
            self._pass_on()

    def _take(self, rank: int, asked: int | None = None) -> None:
        mine, asked = threading.Event(), next(self._order) if asked is None else asked
        with self._lock:
            if self._taken:
                heapq.heappush(self._waiting, (rank, asked, mine))
            else:
                self._taken = True
                mine.set()
        mine.wait()
        self._mine.rank, self._mine.asked = rank, asked

    def _pass_on(self) -> None:
        self._mine.rank = None
        with self._lock:
            if self._waiting:
                heapq.heappop(self._waiting)[-1].set()
            else:
                self._taken = False


turns = Turns()
