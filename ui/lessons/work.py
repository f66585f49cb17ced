"""What takes longer than a moment: a computation in the common line, with its progress and a stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import streamlit as st

from diffusion.errors import Sentence
from ui import words
from ui.clock import clock
from ui.fragment import fragment
from ui.language import _, tell
from ui.queue import BusyError, Queue
from ui.runs import Job

V = TypeVar("V")
#: A task this quick is waited for, so that it appears at once and whole.
PATIENCE = 0.3


class Task(Job, Generic[V]):
    """A computation in small steps that fills `value` in.

    Parameters
    ----------
    begin : callable
        Returns what grows, an iterator that takes one step a turn, and how many there are at most.
    queue : Queue
        Where it lines up.

    Attributes
    ----------
    value : object
        What grows.
    total : int
        Steps at most.
    taken : int
        Steps so far.
    """

    def __init__(self, begin: Callable[[], tuple[V, Iterator[object], int]], queue: Queue) -> None:
        super().__init__(queue)
        self._begin = begin
        self._busy = False
        self._anew()

    def _anew(self) -> None:
        self.value, self._steps, self.total = self._begin()
        self.error = None
        self.taken = 0
        self._exhausted = False

    def again(self) -> None:
        """After an error: begin anew."""
        self._anew()
        self.go()

    @property
    def finished(self) -> bool:
        """Whether the last step has been taken; a task that failed never is."""
        return self._exhausted or self.taken == self.total

    @property
    def done(self) -> float:
        """Share of the work done, 0 to 1."""
        return min(self.taken / self.total, 1.0)

    @property
    def notice(self) -> Sentence | None:
        """Why it does not go on: it failed, or the line was full."""
        return self.error or (Sentence(words.BUSY) if self._busy else None)

    def go(self) -> None:
        """Begin, or go on after a stop; a full line is told by `notice`."""
        try:
            super().go()
            self._busy = False
        except BusyError:
            self._busy = True

    def _take(self) -> bool:
        try:
            next(self._steps)
            self.taken += 1
        except StopIteration:
            self._exhausted = True
        if self.finished:
            self._steps = iter(())  # it would hold the pictures of its last step
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
        if task.computing != ticking:  # the rest of the page tells of it too
            st.rerun()
        with st.container(key=f"work-{name}", horizontal=True, vertical_alignment="center"):
            if ticking:
                st.progress(task.done, _progress(task, doing))
                st.button(_("Stop"), key=f"stop-{name}", icon=":material/stop:", on_click=task.stop)
            elif task.notice:
                st.warning(tell(task.notice))
            if not ticking and task.error:
                st.button(_("Try again"), key=f"again-{name}", icon=":material/replay:", on_click=task.again)
            elif not ticking and not task.finished:
                st.caption(_("Stopped after {k} of {n} steps.").format(k=task.taken, n=task.total))
                st.button(_("Go on"), key=f"go-{name}", icon=":material/play_arrow:", on_click=task.go)
        draw(task.value)
        if ticking:
            clock(f"clock-{name}")

    fragment(look)


def _progress(task: Task[V], doing: str) -> str:
    if (place := task.place) is not None and task.taken == 0:
        return _(words.WAITING).format(place=place[0], total=place[1])
    return _("{doing}: step {k} of {n}").format(doing=doing, k=task.taken, n=task.total)
