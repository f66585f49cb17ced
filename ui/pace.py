"""How long looks at a network take on this machine, learnt from the looks that were taken."""

from __future__ import annotations

import threading

#: Share of the newest measurement in what is remembered.
NEWEST = 0.2


class Pace:
    """Seconds a look, by network and picture size.

    A size not seen yet is estimated from one that was, by its number of pixels.
    """

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, int], float] = {}
        self._lock = threading.Lock()

    def note(self, name: str, pixels: int, seconds: float) -> None:
        """One look at pictures of so many pixels took so many seconds."""
        with self._lock:
            before = self._seconds.get((name, pixels), seconds)
            self._seconds[name, pixels] = before + NEWEST * (seconds - before)

    def seconds(self, name: str, pixels: int) -> float | None:
        """What a look is expected to take; None before the network's first."""
        with self._lock:
            sizes = {size: taken for (of, size), taken in self._seconds.items() if of == name}
        if not sizes:
            return None
        nearest = min(sizes, key=lambda size: abs(size - pixels))
        return sizes[nearest] * pixels / nearest
