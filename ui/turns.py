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
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Within how many seconds of asking one is due; whoever is due first goes first. A part is what moves under
#: somebody's thumb, and soon done; but where there is no end of parts, no page waits for ever.
PART, PAGE = 0.0, 3.0


#: When somebody is due, and their number in the order of asking, which tells equal times apart.
Due = tuple[float, int]


class Turns:
    """A turn that one thread has at a time: whoever is due first goes first.

    Parameters
    ----------
    now : callable
        Seconds since whenever.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._taken = False
        self._waiting: list[tuple[Due, threading.Event]] = []
        self._order = itertools.count()
        self._mine = threading.local()  # when this thread was due, while it has the turn

    @contextmanager
    def turn(self, patience: float) -> Iterator[None]:
        """Wait for the turn and keep it for the block; who has it already goes on.

        Parameters
        ----------
        patience : float
            Seconds from now until this is due.
        """
        if self._due is not None:
            yield
            return
        with self._held((self._now() + patience, next(self._order))):
            yield

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let others have their turn for the block, in which this thread draws nothing."""
        due = self._due
        if due is None:
            yield
            return
        self._pass_on()
        try:
            yield
        finally:
            self._take(due)

    def breathe(self) -> None:
        """Let those go first who are due before what this thread draws."""
        due = self._due
        if due is not None and self._waiting and self._waiting[0][0] < due:
            self._pass_on()
            self._take(due)

    @property
    def _due(self) -> Due | None:
        return getattr(self._mine, "due", None)

    @contextmanager
    def _held(self, due: Due) -> Iterator[None]:
        self._take(due)
        try:
            yield
        finally:
            self._pass_on()

    def _take(self, due: Due) -> None:
        mine = threading.Event()
        with self._lock:
            if self._taken:
                heapq.heappush(self._waiting, (due, mine))
            else:
                self._taken = True
                mine.set()
        mine.wait()
        self._mine.due = due

    def _pass_on(self) -> None:
        self._mine.due = None
        with self._lock:
            if self._waiting:
                heapq.heappop(self._waiting)[-1].set()
            else:
                self._taken = False


turns = Turns()
