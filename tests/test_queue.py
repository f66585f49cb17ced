"""The line: everyone has a turn, in order; it is bounded, can be left, and survives a failing job."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ui.queue import BusyError, Queue, Ticket

ROOT = Path(__file__).resolve().parents[1]


class Job:
    """So many steps, each only when allowed; notes its name in a common diary at every step."""

    def __init__(self, name: str, steps: int, diary: list[str]) -> None:
        self.name, self.left, self.diary = name, steps, diary
        self.allowed, self.begun = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self) -> bool:
        self.begun.release()
        assert self.allowed.acquire(timeout=60)
        self.diary.append(self.name)
        self.left -= 1
        return self.left > 0


def ended(*tickets: Ticket) -> bool:
    return all(ticket.done.wait(60) for ticket in tickets)


def line(turn: float, *lengths: int) -> tuple[Queue, list[Job], list[Ticket], list[str]]:
    """One worker, held at the first job's first step; the others wait behind it."""
    queue, diary = Queue(workers=1, turn=turn), []
    jobs = [Job(name, steps, diary) for name, steps in zip("abcdef", lengths, strict=False)]
    tickets = [queue.submit(jobs[0])]
    assert jobs[0].begun.acquire(timeout=60)
    tickets += [queue.submit(job) for job in jobs[1:]]
    return queue, jobs, tickets, diary


def allow(jobs: list[Job]) -> None:
    for job in jobs:
        job.allowed.release(job.left)


def test_a_thread_that_cannot_start_is_no_place_taken(monkeypatch: pytest.MonkeyPatch):
    def refused(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    queue, diary = Queue(workers=1), []
    job = Job("a", 1, diary)
    allow([job])
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refused)
        with pytest.raises(BusyError, match="can't start"):
            queue.submit(job)
    assert ended(queue.submit(job))
    assert diary == ["a"]


def test_turns_go_round():
    _, jobs, tickets, diary = line(0.0, 3, 2, 1)
    allow(jobs)
    assert ended(*tickets)
    assert "".join(diary) == "abcaba"


def test_a_short_job_is_done_in_its_turn():
    _, jobs, tickets, diary = line(60.0, 3, 2, 1)
    allow(jobs)
    assert ended(*tickets)
    assert "".join(diary) == "aaabbc"


def test_everyone_is_told_where_they_stand():
    queue, jobs, tickets, _ = line(0.0, 1, 1, 1)
    assert [ticket.place for ticket in tickets] == [None, (1, 2), (2, 2)]
    assert queue.load == 3
    allow(jobs)
    assert ended(*tickets)
    assert [ticket.place for ticket in tickets] == [None] * 3
    assert queue.load == 0


def test_the_line_is_bounded():
    queue = Queue(workers=1, most=2)
    jobs = [Job(name, 1, []) for name in "abc"]
    tickets = [queue.submit(jobs[0])]
    assert jobs[0].begun.acquire(timeout=60)
    tickets += [queue.submit(job) for job in jobs[1:]]
    with pytest.raises(BusyError, match="2 others are waiting"):
        queue.submit(lambda: False)
    allow(jobs)
    assert ended(*tickets)
    assert ended(queue.submit(lambda: False))  # and then there is room again


def test_who_leaves_the_line_is_never_computed():
    _, jobs, tickets, diary = line(0.0, 2, 2, 1)
    tickets[1].cancel()
    assert tickets[1].done.is_set()
    assert tickets[2].place == (1, 1)
    allow(jobs)
    assert ended(*tickets)
    assert "b" not in diary


@pytest.mark.parametrize("turn", [0.0, 60.0])
def test_who_leaves_while_computing_ends_with_that_step(turn: float):
    _, jobs, tickets, diary = line(turn, 5, 1)
    tickets[0].cancel()
    allow(jobs)
    assert ended(*tickets)
    assert "".join(diary) == "ab"


def test_a_failing_job_harms_nobody(caplog: pytest.LogCaptureFixture):
    def fails() -> bool:
        raise ValueError("out of luck")

    queue = Queue(workers=1)
    failing: Callable[[], bool] = fails
    assert ended(queue.submit(failing), queue.submit(lambda: False))
    assert "out of luck" in caplog.text


def test_all_workers_work():
    queue = Queue(workers=3)
    together = threading.Barrier(3)

    def meet() -> bool:
        together.wait(timeout=60)
        return False

    assert ended(*(queue.submit(meet) for _ in range(3)))
    assert not together.broken


def test_a_program_that_ends_does_not_wait_for_the_line():
    code = """
from ui.queue import Queue
queue, begun = Queue(workers=1), __import__("threading").Event()
def step():
    begun.set()
    __import__("torch").randn(500, 500).square().sum()
    return True
threading = __import__("threading")  # a page's script runs in a daemon thread
threading.Thread(target=lambda: [queue.submit(step) for _ in range(3)], daemon=True).start()
begun.wait()
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=120, check=False
    )
    assert ended.returncode == 0
    assert not ended.stderr
