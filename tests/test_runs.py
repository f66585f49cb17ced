"""Runs beside the page: they end, stop, go on, and report what failed. Nothing here is timed."""

import threading

import pytest
import torch

from diffusion.denoiser import Denoiser
from ui import runs
from ui.journey import WayThere, plan_back, walk_there
from ui.pace import Pace
from ui.queue import Queue
from ui.runs import Run
from ui.settings import Back, There
from ui.turns import PAGE, PART, turns


class Gated(Denoiser):
    """Answers zero, one call for each time the gate is opened."""

    name = "gated"

    def __init__(self):
        self.gate = threading.Semaphore(0)
        self.asked = threading.Semaphore(0)

    def _denoise(self, x, sigma):
        self.asked.release()
        assert self.gate.acquire(timeout=60)
        return torch.zeros_like(x)


class Broken(Denoiser):
    def _denoise(self, x, sigma):
        raise RuntimeError("weights fell out")


@pytest.fixture
def queue():
    return Queue(workers=2)


def way(steps):
    x0 = torch.zeros(1, 1, 8, 8)
    *_, there = walk_there(x0, There(steps=4))
    assert isinstance(there, WayThere)
    return plan_back(there, 4, Back(steps=steps), "test")


def back(steps: int, net: Denoiser, queue: Queue) -> Run:
    """A way back with a network of the test's own."""
    return Run(way(steps), net, 0, queue, Pace())  # type: ignore[arg-type]


def goes(run: Run, steps: int | None = None) -> None:
    """Let it go so far, or to the end, and wait until it rests."""
    run.go(steps)
    run.wait(60)


def test_runs_to_the_end(queue):
    net = Gated()
    run = back(5, net, queue)
    net.gate.release(5)
    goes(run)
    assert run.finished
    assert run.done == 1
    assert not run.computing
    assert run.evaluations == 5


def test_one_step_then_the_rest(queue):
    net = Gated()
    run = back(5, net, queue)
    net.gate.release(5)
    goes(run, 1)
    assert len(run.way.steps) == 1
    goes(run)
    assert run.finished


def test_stop_keeps_what_is_there_and_can_go_on(queue):
    net = Gated()
    run = back(5, net, queue)
    run.go()
    net.gate.release(2)
    for _ in range(3):  # the third question has been asked: two steps are done
        assert net.asked.acquire(timeout=60)
    run.stop()
    net.gate.release(1)
    run.wait(60)
    assert len(run.way.steps) == 3
    assert not run.finished
    net.gate.release(2)
    goes(run)
    assert run.finished


@pytest.mark.parametrize("seen", [False, True])
def test_a_run_that_nobody_looks_at_stops(queue, monkeypatch, seen):
    monkeypatch.setattr(runs, "UNSEEN", 3600.0)
    net = Gated()
    run = back(5, net, queue)
    run.go()
    assert net.asked.acquire(timeout=60)  # the first step is being taken
    run._seen -= runs.UNSEEN + 1
    if seen:
        run.seen()
    net.gate.release(5)
    run.wait(60)
    assert not run.computing
    assert len(run.way.steps) == (5 if seen else 1)


def test_who_waits_for_a_run_lets_others_have_their_turn(queue):
    """The gate is opened by somebody who needs the turn that the waiting page has."""
    net = Gated()
    run = back(1, net, queue)
    run.go()

    def drawn():
        with turns.turn(PART):
            net.gate.release()

    part = threading.Thread(target=drawn, daemon=True)
    with turns.turn(PAGE):
        part.start()
        run.wait(60)
        assert run.finished
    part.join(60)


def test_stopping_a_run_that_waits_in_the_line(queue):
    busy = [Gated() for _ in range(queue.workers)]
    for net in busy:
        back(1, net, queue).go()
    for net in busy:
        assert net.asked.acquire(timeout=60)
    late = back(1, Gated(), queue)
    late.go()
    assert late.place == (1, 1)
    late.stop()
    assert not late.computing
    assert late.way.steps == []
    for net in busy:
        net.gate.release()


def test_a_failure_is_a_sentence(queue):
    run = back(3, Broken(), queue)
    goes(run)
    assert run.error is not None
    assert "weights fell out" in str(run.error)
    assert not run.computing
