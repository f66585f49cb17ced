"""Frames packed for the browser: each run of frames once, under a name of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ui.endings import Fan
from ui.journey import WayBack, WayThere, shown_bytes
from ui.recent import Recent
from ui.stage import pack

#: Bytes of messages that are kept for all sessions together, some forty ways there of 64×64.
_messages = Recent[bytes](60_000_000, len)


@dataclass(frozen=True, eq=False)
class Chunk:
    """A run of frames to be packed.

    Attributes
    ----------
    name : str
        Unlike any other in this session.
    count : int
        How many frames it holds.
    frames : callable
        Gives them as bytes, (count, H, W, 3).
    """

    name: str
    count: int
    frames: Callable[[], np.ndarray]

    @property
    def message(self) -> bytes:
        """The frames packed: kept, or packed again to the same bytes."""
        message = _messages.get(id(self))
        if message is None:
            message = pack(self.name, self.frames())
            _messages.put(id(self), message)
        return message

    def __post_init__(self) -> None:
        _messages.follow(self)


class Chunks:
    """What has been packed so far for one journey.

    A way back is packed as it grows: frames already packed never go into another message, so those
    that carry them stay the same and are not sent twice.
    """

    def __init__(self) -> None:
        self._packed: dict[str, list[Chunk]] = {}

    def there(self, way: WayThere, number: int, view: str) -> list[Chunk]:
        """The way there, whole. `number` tells one way there from another."""
        return self._upto(f"there-{number}-{view}", len(way.stops), lambda new: way.frames[new], view)

    def back(self, way: WayBack, number: int, view: str) -> list[Chunk]:
        """As much of the way back as is ready. `number` tells one run from another."""
        ready = way.ready()

        def frames(new: slice) -> Tensor:
            return torch.cat([way.state(k)[0] for k in ready[new]])

        return self._upto(f"back-{number}-{view}", len(ready), frames, view)

    def fan(self, fan: Fan, number: int) -> list[Chunk]:
        """The endings that are there; those of other runs are let go. `number` tells one run from another."""
        kept = ("there", "back", f"fan-{number}-")
        self._packed = {name: chunks for name, chunks in self._packed.items() if name.startswith(kept)}
        ends = fan.ends
        return self._upto(f"fan-{number}-ends", len(ends), lambda new: torch.cat(ends[new]), "clipped")

    def one(self, name: str, picture: Tensor) -> Chunk:
        """A single picture under a name of its own."""
        (chunk,) = self._upto(name, 1, lambda _: picture, "clipped")
        return chunk

    def forget_back(self) -> None:
        """Let go of the frames of every way back."""
        self._packed = {name: chunks for name, chunks in self._packed.items() if not name.startswith("back")}

    def _upto(self, name: str, count: int, frames: Callable[[slice], Tensor], view: str) -> list[Chunk]:
        chunks = self._packed.setdefault(name, [])
        done = sum(chunk.count for chunk in chunks)
        if count > done:

            def new() -> np.ndarray:
                return shown_bytes(frames(slice(done, count)), view)

            chunks.append(Chunk(f"{name}-{done}", count - done, new))
        return list(chunks)
