"""Computing beside the page: a way back runs on a worker thread and can be stopped at any step."""

from __future__ import annotations

import itertools
import logging
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import torch

from diffusion.denoiser import NetworkDenoiser
from ui.journey import WayBack, walk_back

#: A run stops when its page has not asked after it for this many seconds.
UNSEEN = 20.0
_numbers = itertools.count(1)
_log = logging.getLogger(__name__)


def make_workers() -> ThreadPoolExecutor:
    """One worker a core; each computes on one thread, so they do not get in each other's way."""
    return ThreadPoolExecutor(
        max_workers=max(1, os.cpu_count() or 1),
        thread_name_prefix="walk",
        initializer=torch.set_num_threads,
        initargs=(1,),
    )


class Run:
    """One person's way back under way.

    Parameters
    ----------
    way : WayBack
        Filled in as steps are taken.
    net : NetworkDenoiser
    seed : int
    workers : ThreadPoolExecutor
    """

    def __init__(self, way: WayBack, net: NetworkDenoiser, seed: int, workers: ThreadPoolExecutor) -> None:
        self.way, self.net = way, net
        self.number = next(_numbers)
        self.error: str | None = None
        self._walk: Iterator[None] = walk_back(way, net, seed)
        self._workers = workers
        self._stop = threading.Event()
        self._task: Future[None] | None = None
        self._seen = time.monotonic()

    @property
    def computing(self) -> bool:
        """Whether steps are being taken, or wait for a free worker."""
        return self._task is not None and not self._task.done()

    @property
    def waiting(self) -> bool:
        """Whether it waits for a free worker."""
        return self.computing and self._task is not None and not self._task.running()

    @property
    def finished(self) -> bool:
        """Whether the last step has been taken."""
        return len(self.way.steps) == self.way.total

    @property
    def evaluations(self) -> int:
        """Network evaluations so far, an inversion's climb included."""
        return self.way.climb_evaluations + sum(kept.evaluations for kept in self.way.steps)

    @property
    def done(self) -> float:
        """Share of the work done, 0 to 1."""
        return (self.way.climbed + len(self.way.steps)) / (self.way.climb + self.way.total)

    def go(self, steps: int | None = None) -> None:
        """Take `steps` steps, all that are left when not given. Does nothing while computing."""
        if not self.computing and not self.finished and self.error is None:
            self._stop.clear()
            self.seen()
            self._task = self._workers.submit(self._take, steps)

    def stop(self) -> None:
        """Stop after the step being computed; what is there stays, and :meth:`go` goes on."""
        self._stop.set()
        if self._task is not None:
            self._task.cancel()

    def seen(self) -> None:
        """Note that its person is still there; a run nobody looks at stops by itself."""
        self._seen = time.monotonic()

    def wait(self, seconds: float) -> None:
        """Give a quick run the chance to finish before the page is drawn."""
        if self._task is not None and not self._task.cancelled():
            try:
                self._task.result(timeout=seconds)
            except TimeoutError:
                return

    def _take(self, steps: int | None) -> None:
        target = None if steps is None else len(self.way.steps) + steps
        try:
            while not self._stop.is_set() and not self.finished:
                if time.monotonic() - self._seen > UNSEEN:
                    return
                if target is not None and len(self.way.steps) >= target:
                    return
                next(self._walk)
        except Exception as error:
            _log.exception("a way back failed")
            self.error = f"The network stopped with an error ({type(error).__name__}: {error})."
