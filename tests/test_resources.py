"""What all sessions share: when memory is looked through."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from ui.resources import tidy


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


@pytest.mark.usefixtures("quiet")
def test_who_was_there_when_all_was_spared_is_let_go_once_it_is_quiet():
    knot = Knot()
    gone = weakref.ref(knot)
    gc.freeze()
    del knot
    gc.collect()
    assert gone() is not None, "spared"
    assert tidy(rested=False)
    assert gone() is None


@pytest.mark.usefixtures("quiet")
def test_that_is_done_once():
    knot = Knot()
    gone = weakref.ref(knot)
    gc.freeze()
    del knot
    assert tidy(rested=True)
    assert gone() is not None


@pytest.mark.usefixtures("busy")
def test_what_has_happened_since_is_looked_through():
    knot = Knot()
    gone = weakref.ref(knot)
    del knot
    assert not tidy(rested=True)
    assert gone() is None
