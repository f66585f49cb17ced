"""What takes longer than a moment: a computation that waits in the common line, with its progress and a "
"stop.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import streamlit as st

from diffusion.errors import Sentence
from ui import words
from ui.language import N_, _, tell
from ui.queue import BusyError, Queue, Ticket
from ui.runs import UNSEEN

V = TypeVar("V")
#: Seconds between looks at a task under way.
TICK = 0.25
#: A task this quick is waited for, so that it appears at once and whole.
PATIENCE = 0.3
_log = logging.getLogger(__name__)


class Task(Generic[V]):
    """A computation in small steps that fills `value` in.

    Parameters
    ----------
    value : object
        What grows.
    steps : iterator
        Takes one step a turn.
    total : int
        How many there are.
    queue : Queue
        Where it lines up.
    """

    def __init__(self, value: V, steps: Iterator[object], total: int, queue: Queue) -> None:
        self.value, self.total = value, total
        self.taken = 0
        self.finished = False
        self.notice: Sentence | None = None
        self._steps, self._queue = steps, queue
        self._stop = threading.Event()
        self._ticket: Ticket | None = None
        self._seen = time.monotonic()

    @property
    def computing(self) -> bool:
        """Whether steps are being taken, or wait for their turn."""
        return self._ticket is not None and not self._ticket.done.is_set()

    @property
    def place(self) -> tuple[int, int] | None:
        """Position in the line and its length, while it waits there."""
        return self._ticket.place if self._ticket is not None else None

    def go(self) -> None:
        """Begin, or go on after a stop; a full line is noted in `notice`."""
        if self.computing or self.finished:
            return
        self.notice = None
        self._stop.clear()
        self.seen()
        try:
            self._ticket = self._queue.submit(self._step)
        except BusyError:
            self.notice = Sentence(words.BUSY)

    def stop(self) -> None:
        """Stop after the step being computed; what is there stays."""
        self._stop.set()
        if self._ticket is not None:
            self._ticket.cancel()

    def seen(self) -> None:
        """Note that its person is still there; a task nobody looks at stops by itself."""
        self._seen = time.monotonic()

    def wait(self, seconds: float) -> None:
        """Give a quick task the chance to end before the page is drawn."""
        if self._ticket is not None:
            self._ticket.done.wait(seconds)

    def _step(self) -> bool:
        if self._stop.is_set() or time.monotonic() - self._seen > UNSEEN:
            return False
        try:
            next(self._steps)
            self.taken += 1
        except StopIteration:
            self.finished = True
        except Exception as error:
            _log.exception("a lesson's computation failed")
            text = N_("The computation stopped with an error ({kind}: {message}).")
            self.notice = Sentence(text, {"kind": type(error).__name__, "message": str(error)})
            self.finished = True
        self.finished = self.finished or self.taken == self.total
        return not self.finished


def watch(task: Task[V], name: str, draw: Callable[[V], None], doing: str) -> None:
    """Draw a task's value, again and again while it grows, with its progress and a stop.

    Parameters
    ----------
    task : Task
    name : str
        Of this place on the page.
    draw : callable
        Draws the value as far as it has come.
    doing : str
        What is being done, already translated.
    """
    ticking = task.computing

    def look() -> None:
        task.seen()
        if task.computing != ticking:  # the clock of this fragment is set by a whole rerun alone
            st.rerun()
        with st.container(key=f"work-{name}", horizontal=True, vertical_alignment="center"):
            if ticking:
                st.progress(min(task.taken / task.total, 1.0), _progress(task, doing))
                st.button(_("Stop"), key=f"stop-{name}", icon=":material/stop:", on_click=task.stop)
            elif task.notice:
                st.warning(tell(task.notice))
            if not ticking and not task.finished:
                st.caption(_("Stopped after {k} of {n} steps.").format(k=task.taken, n=task.total))
                st.button(_("Go on"), key=f"go-{name}", icon=":material/play_arrow:", on_click=task.go)
        draw(task.value)

    st.fragment(look, run_every=TICK if ticking else None)()


def _progress(task: Task[V], doing: str) -> str:
    if (place := task.place) is not None and task.taken == 0:
        return _(words.WAITING).format(place=place[0], total=place[1])
    return _("{doing}: step {k} of {n}").format(doing=doing, k=task.taken, n=task.total)
