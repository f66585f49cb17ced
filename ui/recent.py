"""What can be computed again is kept for those who used it last. No Streamlit."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict

from torch import Tensor


class Recent:
    """Tensors that can be made anew, each with its owner, up to so many bytes; the longest unused go first.

    The one used last stays, whatever its size. A tensor goes with an owner that was to be followed.

    Parameters
    ----------
    most : int
        Bytes in all.
    """

    def __init__(self, most: int) -> None:
        self._most, self._held = most, 0
        self._kept: OrderedDict[int, Tensor] = OrderedDict()  # by the owner's id, which lives as long
        self._lock = threading.RLock()  # an owner may go in the middle of anything

    def get(self, owner: object) -> Tensor | None:
        """What was put for this owner, if it is still there."""
        with self._lock:
            if id(owner) in self._kept:
                self._kept.move_to_end(id(owner))
            return self._kept.get(id(owner))

    def put(self, owner: object, tensor: Tensor) -> None:
        """Keep a tensor for its owner."""
        with self._lock:
            self.forget(id(owner))
            self._kept[id(owner)] = tensor
            self._held += tensor.nbytes
            while self._held > self._most and len(self._kept) > 1:
                self._held -= self._kept.popitem(last=False)[1].nbytes

    def forget(self, key: int) -> None:
        """Let go of what was kept under an owner's id."""
        with self._lock:
            if (gone := self._kept.pop(key, None)) is not None:
                self._held -= gone.nbytes

    def follow(self, owner: object) -> None:
        """From now on, an owner's tensor goes with it."""
        weakref.finalize(owner, self.forget, id(owner)).atexit = False
