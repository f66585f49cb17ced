"""What can be computed again: how much is kept, and until when."""

import gc

import pytest

from ui.recent import Recent


class Owner:
    """Whoever has something."""


def kilobytes(count: int) -> bytes:
    return bytes(1000 * count)


@pytest.fixture
def recent() -> Recent[bytes]:
    return Recent(3000, len)


def test_the_longest_unused_goes_first(recent: Recent[bytes]) -> None:
    for key in "abc":
        recent.put(key, kilobytes(1))
    assert recent.get("a") is not None
    recent.put("d", kilobytes(1))
    assert [key for key in "abcd" if recent.get(key) is not None] == ["a", "c", "d"]


def test_the_last_one_stays_whatever_its_size(recent: Recent[bytes]) -> None:
    recent.put("small", kilobytes(1))
    recent.put("large", kilobytes(9))
    assert recent.get("small") is None
    assert recent.get("large") is not None


def test_one_put_again_counts_once(recent: Recent[bytes]) -> None:
    recent.put("other", kilobytes(1))
    for _ in range(5):
        recent.put("one", kilobytes(2))
    assert recent.get("other") is not None


def test_it_goes_with_its_owner_and_leaves_its_room(recent: Recent[bytes]) -> None:
    owner = Owner()
    key = id(owner)
    recent.follow(owner)
    recent.put(key, kilobytes(2))
    assert recent.get(key) is not None
    del owner
    gc.collect()
    assert recent.get(key) is None
    for other in "abc":
        recent.put(other, kilobytes(1))
    assert all(recent.get(other) is not None for other in "abc")
