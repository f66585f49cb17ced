"""Pictures from pure noise as they are made, a few at a time, in the line with others. No Streamlit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from diffusion.denoiser import NetworkDenoiser
from diffusion.generate import EVALUATIONS, asked, from_noise, picked_class, steps_for
from diffusion.memory import Near
from diffusion.pictures import to_bytes
from ui.queue import Queue
from ui.recent import Recent
from ui.runs import Job

#: Pictures of one gallery.
COUNT = 64
#: Pictures walked side by side: larger is quicker in all, smaller shows the first ones sooner.
BATCH = 4
#: Bytes of finished pictures that are kept for whoever wishes for just the same.
SHELF = 16_000_000


@dataclass(frozen=True)
class Wish:
    """What a gallery shows; the same wish makes the same pictures.

    Attributes
    ----------
    model : str
    sha256 : str
        Of its weights.
    seed : int
    label : str or None
        The class asked for; None lets the seed pick one for each picture.
    """

    model: str
    sha256: str
    seed: int
    label: str | None = None

    def classes(self, net: NetworkDenoiser, indices: Sequence[int]) -> list[str | None]:
        """The class each picture is asked for; None where the network knows none."""
        if not net.classes:
            return [None] * len(indices)
        return [self.label or picked_class(net.classes, self.seed, i) for i in indices]

    def ask(self, net: NetworkDenoiser, indices: Sequence[int]) -> NetworkDenoiser:
        """The network asked for just these pictures."""
        return net.asked_for(self.label) if self.label else asked(net, self.seed, *indices)

    def steps(self, net: NetworkDenoiser) -> int:
        """Steps each picture takes: ten looks at the network, of which guidance needs two where it pushes."""
        return steps_for(EVALUATIONS, self.ask(net, [0]))


def shelf(most: int = SHELF) -> Recent[np.ndarray]:
    """Where finished pictures lie under their exact key, for all sessions."""
    return Recent(most, lambda pictures: pictures.nbytes)


class Gallery(Job):
    """One person's gallery, growing.

    Parameters
    ----------
    wish : Wish
    net : NetworkDenoiser
        The network of that name, asked for nothing yet.
    queue : Queue
        Where it lines up.
    shelf : Recent
        Where finished pictures lie, see :func:`shelf`.

    Attributes
    ----------
    batches : list of numpy.ndarray, shape (B, H, W, 3), uint8
        Finished pictures, in order.
    classes : list of str or None
        What each of all the pictures is asked for.
    near : dict of int to Near
        What the index of the training pictures found, for those that were looked up.
    chosen : int or None
        The picture that its person looks at.
    """

    def __init__(self, wish: Wish, net: NetworkDenoiser, queue: Queue, shelf: Recent[np.ndarray]) -> None:
        super().__init__(queue)
        self.wish, self.net = wish, net
        self.classes = wish.classes(net, range(COUNT))
        self.batches: list[np.ndarray] = []
        self.near: dict[int, Near] = {}
        self.chosen: int | None = None
        self._shelf = shelf
        self._walk = self._make()

    def __len__(self) -> int:
        return sum(len(batch) for batch in self.batches)

    def __getitem__(self, index: int) -> np.ndarray:
        return self.batches[index // BATCH][index % BATCH]

    @property
    def finished(self) -> bool:
        """Whether all pictures are there."""
        return len(self) == COUNT

    @property
    def done(self) -> float:
        """Share of the pictures that are there."""
        return len(self) / COUNT

    def take_heart(self) -> None:
        """After an error: what is made stays, and the rest may be tried again."""
        if self.error is not None:
            self.error, self._walk = None, self._make()

    def _take(self) -> bool:
        return next(self._walk, None) is not None

    def _make(self) -> Iterator[int]:
        """Make all that are missing; yields how many there are, after each step of a batch."""
        wish, net = self.wish, self.net
        for first in range(len(self), COUNT, BATCH):
            indices = range(first, first + BATCH)
            key = (wish, net.advised, indices)
            pictures = self._shelf.get(key)
            if pictures is None:
                steps = []
                for step in from_noise(wish.ask(net, indices), wish.seed, indices, steps=wish.steps(net)):
                    steps = [step]
                    yield len(self)
                pictures = to_bytes(steps[-1].x_s)
                pictures.flags.writeable = False  # others may be shown the same
                self._shelf.put(key, pictures)
            self.batches.append(pictures)
            yield len(self)
