"""What can be computed again is kept for those who used it last. No Streamlit."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """What can be made anew, each with its owner, up to so many bytes; the longest unused goes first.

    The one used last stays, whatever its size. All goes with an owner that was to be followed.

    Parameters
    ----------
    most : int
        Bytes in all.
    size : callable
        How many bytes one has.
    """

    def __init__(self, most: int, size: Callable[[T], int]) -> None:
        self._most, self._size, self._held = most, size, 0
        self._kept: OrderedDict[int, T] = OrderedDict()  # by the owner's id, which lives as long
        self._lock = threading.RLock()  # an owner may go in the middle of anything

    def get(self, owner: object) -> T | None:
        """What was put for this owner, if it is still there."""
        with self._lock:
            if id(owner) in self._kept:
                self._kept.move_to_end(id(owner))
            return self._kept.get(id(owner))

    def put(self, owner: object, made: T) -> None:
        """Keep something for its owner."""
        with self._lock:
            self.forget(id(owner))
            self._kept[id(owner)] = made
            size = self._size(made)
            self._held += size
            while self._held > self._most and len(self._kept) > 1:
                size = self._size(self._kept.popitem(last=False)[1])
                self._held -= size

    def forget(self, key: int) -> None:
        """Let go of what was kept under an owner's id."""
        with self._lock:
            if (gone := self._kept.pop(key, None)) is not None:
                size = self._size(gone)  # first: another owner may go meanwhile
                self._held -= size

    def follow(self, owner: object) -> None:
        """From now on, what is kept for this owner goes with it."""
        weakref.finalize(owner, self.forget, id(owner)).atexit = False
