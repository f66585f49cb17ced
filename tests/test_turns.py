"""One page is drawn at a time, and nobody is left waiting."""

from __future__ import annotations

import threading
import time

import pytest

from ui.turns import PAGE, PART, Turns


def waiting(turns: Turns, count: int) -> None:
    """Wait until so many stand in line."""
    until = time.monotonic() + 10
    while len(turns._waiting) < count:
        assert time.monotonic() < until, f"{len(turns._waiting)} of {count} wait"
        time.sleep(0.001)


def test_one_at_a_time_whoever_asks() -> None:
    turns, drawing, most = Turns(), 0, 0
    guard = threading.Lock()

    def draw(patience: float) -> None:
        nonlocal drawing, most
        for _ in range(50):
            with turns.turn(patience):
                with guard:
                    drawing += 1
                    most = max(most, drawing)
                time.sleep(0)
                with guard:
                    drawing -= 1

    threads = [threading.Thread(target=draw, args=((PART, PAGE)[k % 2],)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert most == 1


def test_parts_go_before_pages_and_otherwise_it_is_first_come_first_served() -> None:
    turns, drawn = Turns(now=lambda: 0.0), []

    def draw(name: str, patience: float) -> None:
        with turns.turn(patience):
            drawn.append(name)

    threads = []
    with turns.turn(PAGE):
        asked = [("page 1", PAGE), ("part 1", PART), ("page 2", PAGE), ("part 2", PART)]
        for count, (name, patience) in enumerate(asked, 1):
            threads.append(threading.Thread(target=draw, args=(name, patience)))
            threads[-1].start()
            waiting(turns, count)
    for thread in threads:
        thread.join(10)
    assert drawn == ["part 1", "part 2", "page 1", "page 2"]


def test_no_page_waits_for_ever_where_there_is_no_end_of_parts() -> None:
    seconds = 0.0
    turns, drawn = Turns(now=lambda: seconds), []

    def draw(name: str, patience: float) -> None:
        with turns.turn(patience):
            drawn.append(name)

    threads = []
    with turns.turn(PART):
        asked = [("page", PAGE, 0.0), ("part in time", PART, PAGE - 0.1), ("part too late", PART, PAGE + 0.1)]
        for count, (name, patience, seconds) in enumerate(asked, 1):  # noqa: B007 - read by the clock
            threads.append(threading.Thread(target=draw, args=(name, patience)))
            threads[-1].start()
            waiting(turns, count)
    for thread in threads:
        thread.join(10)
    assert drawn == ["part in time", "page", "part too late"]


def test_a_page_takes_a_breath_for_parts_alone_and_keeps_its_place() -> None:
    turns, drawn = Turns(now=lambda: 0.0), []

    def draw(name: str, patience: float) -> None:
        with turns.turn(patience):
            drawn.append(name)

    threads = []
    turns.breathe()  # nothing to interrupt
    with turns.turn(PAGE):
        for count, (name, patience) in enumerate([("page 2", PAGE), ("part 1", PART), ("part 2", PART)], 1):
            threads.append(threading.Thread(target=draw, args=(name, patience)))
            threads[-1].start()
            waiting(turns, count)
        turns.breathe()
        drawn.append("page 1")
        turns.breathe()  # a page alone waits now
        drawn.append("still page 1")
    for thread in threads:
        thread.join(10)
    assert drawn == ["part 1", "part 2", "page 1", "still page 1", "page 2"]


def test_a_turn_can_be_taken_again_inside_and_ends_with_the_outermost() -> None:
    turns = Turns()
    with turns.turn(PAGE):
        with turns.turn(PART):
            assert turns._taken
        assert turns._taken
    assert not turns._taken


def test_a_page_that_fails_passes_its_turn_on() -> None:
    turns = Turns()
    with pytest.raises(ZeroDivisionError), turns.turn(PAGE):
        _ = 1 / 0
    with turns.turn(PAGE):
        pass
    assert not turns._taken


def test_who_only_waits_lets_others_draw() -> None:
    turns, drawn = Turns(), threading.Event()

    def draw() -> None:
        with turns.turn(PAGE):
            drawn.set()

    with turns.turn(PAGE):
        thread = threading.Thread(target=draw)
        thread.start()
        waiting(turns, 1)
        with turns.aside():
            assert drawn.wait(10)
        assert turns._taken
    thread.join(10)
    with turns.aside():  # nothing to let go of
        assert not turns._taken
