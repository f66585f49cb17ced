"""Frames packed for the browser: each run of frames once, under a name of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ui.endings import Fan
from ui.journey import WayBack, WayThere, shown_bytes
from ui.stage import pack


@dataclass(frozen=True)
class Chunk:
    """A packed run of frames.

    Attributes
    ----------
    name : str
        Unlike any other in this session.
    count : int
        How many frames it holds.
    message : bytes
    """

    name: str
    count: int
    message: bytes


class Chunks:
    """What has been packed so far for one journey.

    A way back is packed as it grows: frames already packed are never packed again, so the
    messages that carry them stay the same and are not sent twice.
    """

    def __init__(self) -> None:
        self._packed: dict[str, list[Chunk]] = {}

    def there(self, way: WayThere, number: int, view: str) -> list[Chunk]:
        """The way there, whole. `number` tells one way there from another."""
        return self._upto(f"there-{number}-{view}", len(way.stops), lambda k: way.frames[k : k + 1], view)

    def back(self, way: WayBack, number: int, view: str) -> list[Chunk]:
        """As much of the way back as is ready. `number` tells one run from another."""
        ready = way.ready()
        return self._upto(f"back-{number}-{view}", len(ready), lambda k: way.state(ready[k])[0], view)

    def fan(self, fan: Fan, number: int) -> list[Chunk]:
        """The endings that are there; those of other runs are let go. `number` tells one run from another."""
        kept = ("there", "back", f"fan-{number}-")
        self._packed = {name: chunks for name, chunks in self._packed.items() if name.startswith(kept)}
        return self._upto(f"fan-{number}-ends", len(fan.ends), lambda k: fan.ends[k], "clipped")

    def one(self, name: str, picture: Tensor) -> Chunk:
        """A single picture under a name of its own."""
        (chunk,) = self._upto(name, 1, lambda _: picture, "clipped")
        return chunk

    def forget_back(self) -> None:
        """Let go of the frames of every way back."""
        self._packed = {name: chunks for name, chunks in self._packed.items() if not name.startswith("back")}

    def _upto(self, name: str, count: int, frame: Callable[[int], Tensor], view: str) -> list[Chunk]:
        chunks = self._packed.setdefault(name, [])
        done = sum(chunk.count for chunk in chunks)
        if count > done:
            frames = shown_bytes(torch.cat([frame(k) for k in range(done, count)]), view)
            chunk = f"{name}-{done}"
            chunks.append(Chunk(chunk, count - done, pack(chunk, frames)))
        return list(chunks)
