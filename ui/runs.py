"""Computing beside the page: what takes long waits its turn in the line and can be stopped at any step."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator

from diffusion.denoiser import NetworkDenoiser
from diffusion.errors import N_, Sentence
from ui.journey import WayBack, walk_back
from ui.pace import Pace
from ui.queue import Queue, Ticket
from ui.turns import turns

#: A job stops when its page has not asked after it for this many seconds.
UNSEEN = 20.0
_numbers = itertools.count(1)
_log = logging.getLogger(__name__)


class Job(ABC):
    """Something one person waits for, computed step by step in the line.

    Parameters
    ----------
    queue : Queue
        Where it lines up.

    Attributes
    ----------
    number : int
        Tells one job from another.
    error : Sentence or None
        Why it cannot go on.
    """

    def __init__(self, queue: Queue) -> None:
        self.number = next(_numbers)
        self.error: Sentence | None = None
        self._queue = queue
        self._stop = threading.Event()
        self._ticket: Ticket | None = None
        self._seen = time.monotonic()

    @property
    @abstractmethod
    def finished(self) -> bool:
        """Whether the last step has been taken."""

    @property
    @abstractmethod
    def done(self) -> float:
        """Share of the work done, 0 to 1."""

    @abstractmethod
    def _take(self) -> bool:
        """Take one step; returns whether there are more to take now."""

    @property
    def computing(self) -> bool:
        """Whether steps are being taken, or wait for their turn."""
        return self._ticket is not None and not self._ticket.done.is_set()

    @property
    def place(self) -> tuple[int, int] | None:
        """Position in the line and its length, while it waits there."""
        return self._ticket.place if self._ticket is not None else None

    def go(self) -> None:
        """Take all steps that are left. Does nothing while computing.

        Raises
        ------
        BusyError
            If too many wait already.
        """
        if not self.computing and not self.finished and self.error is None:
            self._stop.clear()
            self.seen()
            self._ticket = self._queue.submit(self._step)

    def stop(self) -> None:
        """Stop after the step being computed; what is there stays, and :meth:`go` goes on."""
        self._stop.set()
        if self._ticket is not None:
            self._ticket.cancel()

    def seen(self) -> None:
        """Note that its person is still there; a job nobody looks at stops by itself."""
        self._seen = time.monotonic()

    def wait(self, seconds: float) -> None:
        """Give a quick job the chance to finish before the page is drawn."""
        if self._ticket is not None:
            with turns.aside():
                self._ticket.done.wait(seconds)

    def _step(self) -> bool:
        """One turn in the line: take a step if its person is still there; what fails becomes `error`."""
        if self._stop.is_set() or time.monotonic() - self._seen > UNSEEN:
            return False
        try:
            return self._take()
        except Exception as error:
            _log.exception("a computation failed")
            text = N_("The computation stopped with an error ({kind}: {message}).")
            self.error = Sentence(text, {"kind": type(error).__name__, "message": str(error)})
            return False


class Run(Job):
    """One person's way back under way.

    Parameters
    ----------
    way : WayBack
        Filled in as steps are taken.
    net : NetworkDenoiser
    seed : int
    queue : Queue
    pace : Pace
        Told how long its looks took.
    """

    def __init__(self, way: WayBack, net: NetworkDenoiser, seed: int, queue: Queue, pace: Pace) -> None:
        super().__init__(queue)
        self.way, self.net, self._pace = way, net, pace
        self._walk: Iterator[None] = walk_back(way, net, seed)
        self._target = 0

    @property
    def finished(self) -> bool:
        """Whether the last step has been taken."""
        return len(self.way.steps) == self.way.total

    @property
    def evaluations(self) -> int:
        """Network evaluations so far, an inversion's climb included."""
        return self.way.climb_evaluations + sum(taken.evaluations for taken in self.way.steps)

    @property
    def done(self) -> float:
        """Share of the work done, 0 to 1."""
        return (self.way.climbed + len(self.way.steps)) / (self.way.climb + self.way.total)

    def go(self, steps: int | None = None) -> None:
        """Take `steps` steps, all that are left when not given; see :meth:`Job.go`."""
        if not self.computing:
            self._target = self.way.total if steps is None else len(self.way.steps) + steps
            super().go()

    def _take(self) -> bool:
        before, began = self.evaluations, time.monotonic()
        next(self._walk)
        if looks := self.evaluations - before:
            seconds = (time.monotonic() - began) / looks
            self._pace.note(self.net.name, self.way.x0[0, 0].numel(), seconds)
        return len(self.way.steps) < min(self._target, self.way.total)
