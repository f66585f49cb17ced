"""What can be computed again is kept for those who used it last. No Streamlit."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """What can be made anew, each under its key, up to so many bytes; the longest unused goes first.

    The one used last stays, whatever its size.

    Parameters
    ----------
    most : int
        Bytes in all.
    size : callable
        How many bytes one has.
    """

    def __init__(self, most: int, size: Callable[[T], int]) -> None:
        self._most, self._size, self._held = most, size, 0
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = threading.RLock()  # an owner may go in the middle of anything

    def get(self, key: Hashable) -> T | None:
        """What was put under this key, if it is still there."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Hashable, made: T) -> None:
        """Keep something; nobody may change it from now on."""
        with self._lock:
            self.forget(key)
            self._kept[key] = made
            size = self._size(made)
            self._held += size
            while self._held > self._most and len(self._kept) > 1:
                size = self._size(self._kept.popitem(last=False)[1])
                self._held -= size

    def forget(self, key: Hashable) -> None:
        """Let go of what was kept under a key."""
        with self._lock:
            if (gone := self._kept.pop(key, None)) is not None:
                size = self._size(gone)  # first: another owner may go meanwhile
                self._held -= size

    def follow(self, owner: object) -> None:
        """From now on, what is kept under ``id(owner)`` goes with the owner."""
        weakref.finalize(owner, self.forget, id(owner)).atexit = False
