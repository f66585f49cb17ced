"""What can be computed again: how much is kept, for whom, and until when."""

import gc

from ui.recent import Recent


class Owner:
    """Whoever has a tensor."""


def kilobytes(count: int) -> bytes:
    return bytes(1000 * count)


def test_the_longest_unused_goes_first():
    recent, owners = Recent[bytes](3000, len), [Owner() for _ in range(4)]
    for owner in owners[:3]:
        recent.put(owner, kilobytes(1))
    assert recent.get(owners[0]) is not None
    recent.put(owners[3], kilobytes(1))
    assert [recent.get(owner) is None for owner in owners] == [False, True, False, False]


def test_the_last_one_stays_whatever_its_size():
    recent, small, large = Recent[bytes](3000, len), Owner(), Owner()
    recent.put(small, kilobytes(1))
    recent.put(large, kilobytes(9))
    assert recent.get(small) is None
    assert recent.get(large) is not None


def test_one_put_again_counts_once():
    recent, one, other = Recent[bytes](3000, len), Owner(), Owner()
    recent.put(other, kilobytes(1))
    for _ in range(5):
        recent.put(one, kilobytes(2))
    assert recent.get(other) is not None


def test_it_goes_with_its_owner():
    recent, stays = Recent[bytes](2000, len), Owner()
    recent.put(stays, kilobytes(1))
    for _ in range(5):
        owner = Owner()
        recent.follow(owner)
        recent.put(owner, kilobytes(1))
        del owner
        gc.collect()
    assert recent.get(stays) is not None
