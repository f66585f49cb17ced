"""The one line in which all computing waits: few workers, short turns, a bound, and a place to be told.

Nobody computes for longer than a turn while others wait: whoever is not done goes to the end of the line.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable

import torch

#: Seconds one job computes before the next in line has its turn; a step begun is finished.
TURN = 0.5
#: Jobs that may wait; one more is refused.
MOST_WAITING = 60
#: How much later than the pages, on a busy processor, the workers get theirs (Unix niceness).
NICENESS = 5
_log = logging.getLogger(__name__)


class BusyError(RuntimeError):
    """The line is full; try again later."""


class Ticket:
    """One job in the line.

    Attributes
    ----------
    done : threading.Event
        Set when the job has ended, was cancelled, or failed.
    """

    def __init__(self, step: Callable[[], bool], queue: Queue) -> None:
        self.done = threading.Event()
        self._step, self._queue = step, queue

    @property
    def place(self) -> tuple[int, int] | None:
        """Position in the line and how many stand in it; None once it computes or has ended."""
        return self._queue.place(self)

    def cancel(self) -> None:
        """Leave the line; a step being computed is finished first."""
        self._queue.cancel(self)


class Queue:
    """Workers and their line.

    Parameters
    ----------
    workers : int, optional
        Threads that compute, each on one processor core; one a core when not given.
    most : int
        Jobs that may wait.
    turn : float
        Seconds.
    """

    def __init__(self, workers: int | None = None, most: int = MOST_WAITING, turn: float = TURN) -> None:
        self.workers = workers or max(1, os.cpu_count() or 1)
        self.most, self.turn = most, turn
        self._line: deque[Ticket] = deque()
        self._computing: set[Ticket] = set()
        self._cancelled: set[Ticket] = set()
        self._lock = threading.Lock()
        self._awake = 0  # workers; they come when there is work and go when there is none

    @property
    def load(self) -> int:
        """Jobs that wait or compute."""
        with self._lock:
            return len(self._line) + len(self._computing)

    def submit(self, step: Callable[[], bool]) -> Ticket:
        """Line up; `step` is called again and again until it returns False.

        Raises
        ------
        BusyError
            If the line is full, or no worker can be started.
        """
        with self._lock:
            if len(self._line) >= self.most:
                raise BusyError(f"{len(self._line)} others are waiting already")
            ticket = Ticket(step, self)
            self._line.append(ticket)
            if self._awake < self.workers:
                try:
                    threading.Thread(target=self._work, name="worker", daemon=False).start()
                except RuntimeError as error:  # the system gives no more of them
                    self._line.remove(ticket)
                    raise BusyError(str(error)) from error
                self._awake += 1
        return ticket

    def place(self, ticket: Ticket) -> tuple[int, int] | None:
        """See :attr:`Ticket.place`."""
        with self._lock:
            return (self._line.index(ticket) + 1, len(self._line)) if ticket in self._line else None

    def cancel(self, ticket: Ticket) -> None:
        """See :meth:`Ticket.cancel`."""
        with self._lock:
            if ticket in self._line:
                self._line.remove(ticket)
                ticket.done.set()
            elif ticket in self._computing:
                self._cancelled.add(ticket)

    def _work(self) -> None:
        torch.set_num_threads(1)
        with contextlib.suppress(OSError, AttributeError):  # pages come first where threads can be ranked
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        while True:
            with self._lock:
                if not self._line or not threading.main_thread().is_alive():
                    self._awake -= 1
                    return
                ticket = self._line.popleft()
                self._computing.add(ticket)
            more = self._take_turn(ticket)
            with self._lock:
                self._computing.remove(ticket)
                if more and ticket not in self._cancelled:
                    self._line.append(ticket)
                else:
                    self._cancelled.discard(ticket)
                    ticket.done.set()

    def _take_turn(self, ticket: Ticket) -> bool:
        """Compute until the turn is over; returns whether there is more to do."""
        until = time.monotonic() + self.turn
        try:
            while ticket._step():
                if ticket in self._cancelled or not threading.main_thread().is_alive():
                    return False  # left, or the whole program is ending: no thread may die inside torch
                if time.monotonic() >= until:
                    return True
        except Exception:
            _log.exception("a job failed")
        return False
