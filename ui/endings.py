"""Many endings from one start: the same x_t walked back again and again, each with fresh noise of its own.

No Streamlit. One ending is walked after another, so each is, to the last bit, the ending it would be alone,
and the first is the very one that the journey walks with the same settings.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from diffusion import Process, SettingError, picture_rng, reverse, times_back
from diffusion.denoiser import Denoiser, NetworkDenoiser
from diffusion.errors import Sentence
from ui.journey import FRESH, NOTHING_TO_TAKE, WayThere, rms
from ui.pace import Pace
from ui.queue import Queue
from ui.runs import Job
from ui.settings import Back

#: How many endings can be asked for: each a whole square of them.
COUNTS = (4, 9, 16)
#: Bytes of endings one session keeps, to show them again without walking.
MOST_KEPT = 16_000_000
#: Settings whose measured numbers one session keeps.
MOST_TABLES = 8


@dataclass
class Fan:
    """Ways back that begin in one and the same state, as they end one after another.

    Attributes
    ----------
    process : Process
    x0 : Tensor, shape (1, C, H, W)
        The upload.
    start : Tensor, shape (1, C, H, W)
        The x_t they all start from.
    t : float
        Its time.
    seed : int
    settings : Back
        Its start does not matter: it is `start`.
    model : str
    count : int
        How many endings are wanted; more may be there from before.
    ends : list of Tensor, shape (1, C, H, W)
        Endings so far.
    guess : Tensor or None
        What the network takes for the clean picture at the start, in one look.
    taken : int
        Steps of the ending under way.
    evaluations : int
        Looks at the network so far.
    """

    process: Process
    x0: Tensor
    start: Tensor
    t: float
    seed: int
    settings: Back
    model: str
    count: int
    ends: list[Tensor] = field(default_factory=list)
    guess: Tensor | None = None
    taken: int = 0
    evaluations: int = 0

    @property
    def times(self) -> tuple[float, ...]:
        """The decreasing times of every way."""
        return times_back(self.process, self.settings.steps, self.settings.grid, self.t)

    @property
    def nbytes(self) -> int:
        """What its pictures hold in memory."""
        return self.start.nbytes * (len(self.ends) + 3)


def plan_fan(there: WayThere, stop: int, settings: Back, model: str, count: int) -> Fan:
    """Lay out ways back from a stop of the way there; nothing is computed yet.

    Raises
    ------
    SettingError
        If they would start at t = 0, where there is nothing to take away.
    """
    t = there.stops[stop].t
    if t <= 0:
        raise SettingError(NOTHING_TO_TAKE)
    start = there.frames[stop : stop + 1].clone()  # a view would hold the whole way there in memory
    return Fan(there.process, there.x0, start, t, there.settings.seed, settings, model, count)


def walk_fan(fan: Fan, net: Denoiser) -> Iterator[None]:
    """Walk one way back after another, filling in `fan`; yields after every step, without an end."""
    settings, times = fan.settings, fan.times
    while True:
        rng = picture_rng(fan.seed, FRESH + len(fan.ends))
        for step in reverse(net, fan.start, fan.process, sampler=settings.sampler, rng=rng, times=times):
            fan.evaluations += step.evaluations
            fan.taken = step.index + 1
            if fan.guess is None:
                fan.guess = step.x0_hat
            if fan.taken == settings.steps:
                fan.ends.append(step.x_s)
                fan.taken = 0
            yield


class FanRun(Job):
    """One person's endings under way.

    Parameters
    ----------
    fan : Fan
        Filled in as endings are reached.
    net : NetworkDenoiser
    queue : Queue
    pace : Pace
        Told how long its looks took.
    """

    def __init__(self, fan: Fan, net: NetworkDenoiser, queue: Queue, pace: Pace) -> None:
        super().__init__(queue)
        self.fan, self.net, self._pace = fan, net, pace
        self._walk = walk_fan(fan, net)

    @property
    def finished(self) -> bool:
        """Whether as many endings are there as are wanted."""
        return len(self.fan.ends) >= self.fan.count

    @property
    def done(self) -> float:
        """Share of the work done, 0 to 1."""
        total = self.fan.count * self.fan.settings.steps
        return min(1.0, (len(self.fan.ends) * self.fan.settings.steps + self.fan.taken) / total)

    def _take(self) -> bool:
        before, began = self.fan.evaluations, time.monotonic()
        next(self._walk)
        seconds = (time.monotonic() - began) / (self.fan.evaluations - before)
        self._pace.note(self.net.name, self.fan.start[0, 0].numel(), seconds)
        if self.finished:  # a walk that stands still would hold the states of its last step
            self._walk = walk_fan(self.fan, self.net)
        return not self.finished


@dataclass(frozen=True)
class Measured:
    """What endings have in common and what not; all distances are root mean squares over the pixels.

    Always mean(d_k^2) = d(mean)^2 + spread^2, d being distances to the upload: the mean is at least as
    near to it as the endings are by root mean square.

    Attributes
    ----------
    to_upload : tuple of float
        Distance of each ending to the upload.
    guess : Tensor, shape (1, C, H, W)
        What the network took for the clean picture at the start, in one look.
    mean : Tensor, shape (1, C, H, W)
        The endings' mean.
    deviation : Tensor, shape (1, 1, H, W)
        Their standard deviation at each pixel, root mean square over the channels.
    mean_to_upload : float
    spread : float
        Root mean square distance of the endings to their mean.
    apart : float
        Mean distance between two endings; 0 when there is only one.
    guess_to_mean : float
        Distance of the guess to the mean.
    """

    to_upload: tuple[float, ...]
    guess: Tensor
    mean: Tensor
    deviation: Tensor
    mean_to_upload: float
    spread: float
    apart: float
    guess_to_mean: float

    @property
    def nearer(self) -> int:
        """Than how many endings their mean is nearer to the upload."""
        return sum(self.mean_to_upload < one for one in self.to_upload)


def measure(fan: Fan, count: int) -> Measured | None:
    """Measure the first `count` endings, or as many of them as there are; None before the first."""
    if not fan.ends or fan.guess is None:
        return None
    ends = torch.cat(fan.ends[:count])
    x0 = fan.x0
    mean = ends[:1] + (ends - ends[:1]).mean(0, keepdim=True)  # exact where all are the same
    deviation = (ends - mean).square().mean((0, 1), keepdim=True).sqrt()
    pairs = torch.pdist(ends.flatten(1)) / ends[0].numel() ** 0.5
    return Measured(
        tuple((ends - x0).square().mean((1, 2, 3)).sqrt().tolist()),
        fan.guess,
        mean,
        deviation,
        rms(mean - x0),
        rms(deviation),
        float(pairs.mean()) if len(pairs) else 0.0,
        rms(mean - fan.guess),
    )


@dataclass(frozen=True)
class Row:
    """What was measured on the endings from one start.

    Attributes
    ----------
    t : float
    count : int
    apart, to_upload, mean_to_upload : float
        Mean distance between two endings, of an ending to the upload, and that of their mean to it.
    """

    t: float
    count: int
    apart: float
    to_upload: float
    mean_to_upload: float


@dataclass
class Endings:
    """What one session remembers of its endings.

    Attributes
    ----------
    t : float
        The time they start from.
    number : int
        The way there that the thumb was last put on.
    turn : int
        Grows when the server moves the thumb.
    ahead : list of float
        Times still to be walked from, the one under way first.
    asked : Hashable
        The settings they were asked for with; None until the page is drawn with them.
    run : FanRun or None
        The endings on show.
    notice : Sentence or None
        Why they could not be begun.
    """

    t: float = 0.5
    number: int = 0
    turn: int = 0
    ahead: list[float] = field(default_factory=list)
    asked: Hashable = None
    run: FanRun | None = None
    notice: Sentence | None = None
    _kept: OrderedDict[Hashable, FanRun] = field(default_factory=OrderedDict)
    _tables: OrderedDict[Hashable, dict[float, Row]] = field(default_factory=OrderedDict)

    @property
    def computing(self) -> bool:
        """Whether endings are being computed, or are to be."""
        return bool(self.ahead) or (self.run is not None and self.run.computing)

    def ask(self, times: Sequence[float]) -> None:
        """Ask for endings from these times, one after another; what failed before is begun anew."""
        self.notice, self.asked, self.ahead = None, None, list(times)
        for key in [key for key, run in self._kept.items() if run.error]:
            del self._kept[key]

    def show(self, settings: Hashable, t: float) -> None:
        """Put the endings of just these settings and this start on show, if there are any."""
        found = self._kept.get((settings, t))
        if self.run is not found and self.run is not None:
            self.run.stop()
        self.run = found
        if found is not None:
            self._kept.move_to_end((settings, t))

    def take(self, settings: Hashable, run: FanRun) -> None:
        """Take up new endings, and let those go that were not looked at for the longest time."""
        self._kept[settings, run.fan.t] = self.run = run
        while len(self._kept) > 1 and sum(one.fan.nbytes for one in self._kept.values()) > MOST_KEPT:
            self._kept.popitem(last=False)[1].stop()

    def note(self, settings: Hashable, fan: Fan, found: Measured) -> None:
        """Keep what was measured on all the endings wanted."""
        table = self._tables.setdefault(settings, {})
        self._tables.move_to_end(settings)
        to_upload = sum(found.to_upload) / len(found.to_upload)
        table[fan.t] = Row(fan.t, len(found.to_upload), found.apart, to_upload, found.mean_to_upload)
        while len(self._tables) > MOST_TABLES:
            self._tables.popitem(last=False)

    def rows(self, settings: Hashable) -> list[Row]:
        """What was measured with these settings, by rising start time."""
        return sorted(self._tables.get(settings, {}).values(), key=lambda row: row.t)

    def stop(self) -> None:
        """Stop what is computed; what is there stays."""
        self.ahead.clear()
        if self.run is not None:
            self.run.stop()
