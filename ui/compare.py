"""Two journeys side by side: what differs, and the one line of times under both. No Streamlit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ui.settings import Back, There

#: Settings that can differ, each with the value that the second journey takes at first.
OTHER: dict[str, Any] = {
    "model": None,
    "process": "ddpm_linear",
    "sigma_q": 20.0,
    "steps": 10,
    "grid": "rho7",
    "seed": 1,
    "sampler": "ddim",
    "back_steps": 50,
    "back_grid": "uniform_t",
}
#: What differs at first.
DIFFER = ("sampler",)
_OF_THERE = {"process": "process", "sigma_q": "sigma_q", "steps": "steps", "grid": "grid", "seed": "seed"}
_OF_BACK = {"sampler": "sampler", "back_steps": "steps", "back_grid": "grid"}


@dataclass(frozen=True)
class Choice:
    """Everything one journey is made with, but the picture.

    Attributes
    ----------
    model : str or None
    size : int
        Side of the stage in pixels.
    there : There
    back : Back
    """

    model: str | None
    size: int
    there: There
    back: Back

    def but(self, changes: Mapping[str, Any], sizes: Mapping[str, int]) -> Choice:
        """The same with some settings changed.

        Parameters
        ----------
        changes : mapping
            Names as in :data:`OTHER`, and values.
        sizes : mapping of str to int
            Side of the pictures of each network.
        """
        model, size, back = self.model, self.size, self.back
        if changes.get("model") in sizes and changes["model"] != model:
            model = changes["model"]
            size, back = sizes[model], replace(back, label=None)  # it may not know that class
        there = replace(self.there, **{to: changes[of] for of, to in _OF_THERE.items() if of in changes})
        back = replace(back, **{to: changes[of] for of, to in _OF_BACK.items() if of in changes})
        return Choice(model, size, there, back)

    def settings(self) -> dict[str, Any]:
        """All by the names of :data:`OTHER`; None for what does not count."""
        found = {"model": self.model}
        found |= {of: getattr(self.there, to) for of, to in _OF_THERE.items()}
        found |= {of: getattr(self.back, to) for of, to in _OF_BACK.items()}
        if self.there.process != "brownian":
            found["sigma_q"] = None
        if self.back.start == "inversion":  # always Heun, on a grid of its own
            found |= {"sampler": None, "back_grid": None}
        return found


def differences(one: Choice, other: Choice) -> list[tuple[str, Any, Any]]:
    """Name and both values of each setting that differs; None where a setting does not count."""
    ours, theirs = one.settings(), other.settings()
    return [(name, ours[name], theirs[name]) for name in OTHER if ours[name] != theirs[name]]


#: The times of the stops of a way there, rising, and of a way back, falling.
Times = tuple[Sequence[float], Sequence[float]]


def timeline(one: Times, other: Times) -> list[tuple[float, int, int]]:
    """The one line of times under two journeys.

    Returns
    -------
    list of (float, int, int)
        Place on the line, t/2 on the way there and 1 - t/2 on the way back, and the stop of each journey
        to be seen there: the nearest in time on the same way, while it has no way back its last there.
        Stops of a way back count on from those of the way there.
    """
    line = []
    for way in (0, 1):
        times = sorted({round(t, 15) for t in (*one[way], *other[way])}, reverse=bool(way))
        for t in times:
            place = 1 - t / 2 if way else t / 2
            line.append((place, _seen(one, way, t), _seen(other, way, t)))
    return line


def nearest(times: Sequence[float], t: float) -> int:
    """Which of the times is nearest to t."""
    return min(range(len(times)), key=lambda k: abs(times[k] - t))


def _seen(times: Times, way: int, t: float) -> int:
    there = len(times[0])
    if not times[way]:
        return there - 1
    return way * there + nearest(times[way], t)


@dataclass
class Thumb:
    """The one thumb over two journeys.

    Attributes
    ----------
    place : float
        On the line, 0 to 1.
    stop : int
        Which stop of the first journey was seen there.
    turn : int
        Grows when the server moves it.
    line : list
        The line as the browser last had it.
    """

    place: float = 0.0
    stop: int = 0
    turn: int = 0
    line: list[tuple[float, int, int]] = field(default_factory=list)

    def at(self) -> int:
        """Its position in the line."""
        near = self.line[nearest([place for place, _, _ in self.line], self.place)][0]
        here = [k for k, (place, _, _) in enumerate(self.line) if place == near]
        return next((k for k in here if self.line[k][1] == self.stop), here[0])

    @property
    def on_the_way_there(self) -> bool:
        """Whether it stands on the left half of the line, both ends of that included."""
        return self.at() <= [place for place, _, _ in self.line].index(0.5)

    def let_go(self, position: int) -> None:
        """It was let go at this position of the line that the browser has."""
        if self.line:
            self.place, self.stop, _ = self.line[min(max(position, 0), len(self.line) - 1)]

    def follow(self, line: list[tuple[float, int, int]], stop: int) -> None:
        """Take up a line, and where the first journey's own thumb was moved meanwhile."""
        if line != self.line:
            self.line = line
            self.turn += 1
        self.stand(stop)
        _, self.stop, _ = self.line[self.at()]

    def stand(self, stop: int) -> None:
        """Put it where the first journey has this stop, from the server, unless it is seen there already."""
        found = next((place for place, ours, _ in self.line if ours == stop), None)
        if stop != self.stop and found is not None:
            self.place = found
            self.stop = stop
            self.turn += 1

    def move_to_end(self) -> None:
        """Put it at the end of the line, from the server."""
        self.place, self.stop, _ = self.line[-1]
        self.turn += 1
