"""What all sessions share: when memory is looked through."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from ui.resources import Tidy


class Knot:
    """Refers to itself: only a collection lets it go."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "get_count", lambda: (10, 0, 0))


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "get_count", lambda: (10, 1, 0))


def spared() -> weakref.ref[Knot]:
    """Something that has come to nothing since it was spared."""
    knot = Knot()
    gc.freeze()
    return weakref.ref(knot)


@pytest.mark.usefixtures("quiet")
def test_who_was_there_when_all_was_spared_is_let_go_once_it_is_quiet():
    gone = spared()
    gc.collect()
    assert gone() is not None
    Tidy().look()
    assert gone() is None


@pytest.mark.usefixtures("quiet")
def test_that_is_done_once():
    tidy = Tidy()
    tidy.look()
    gone = spared()
    tidy.look()
    assert gone() is not None


@pytest.mark.usefixtures("busy")
def test_what_has_happened_since_is_looked_through_and_now_and_then_everything():
    tidy, old = Tidy(), spared()
    new = weakref.ref(Knot())
    for _ in range(Tidy.THOROUGH - 1):
        tidy.look()
    assert new() is None
    assert old() is not None
    tidy.look()
    assert old() is None
