"""A journey there and back as data: what the stage shows and the figures plot. No Streamlit.

The way there is computed whole; the way back grows step by step. Both keep the floats of what is shown,
and everything shown (frames, numbers, curves) is measured on exactly those floats.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from diffusion import Process, SettingError, Step, forward, inversion, picture_rng, reverse, times_back
from diffusion.denoiser import Denoiser
from diffusion.errors import N_
from diffusion.grids import times_of_inversion, times_there
from diffusion.noise import standard_normal
from diffusion.pictures import scaled_to_spread, to_bytes
from ui.recent import Recent
from ui.settings import Back, There
from ui.turns import turns

#: A journey sends at most this many bytes of frames to the browser, in one way of showing.
PAYLOAD = 3_000_000
MOST_STOPS = 101
#: Steps up of an inversion at least; the way down takes the steps that are asked for.
CLIMB = 50
#: The share of the payload kept for the way there.
SHARE_THERE = 0.5
#: Steps of a way there between two moments in which others may go first.
BREATH = 50
#: Number of the generator a way back from a picture draws its fresh noise from; 0 makes the way there. One
#: from pure noise goes on with the generator that made its start.
FRESH = 2
NOTHING_TO_TAKE = N_("At t = 0 there is no noise to take away. Move the thumb to the right first.")

#: How a frame is shown: clipped to [-1, 1], or shifted and scaled to its own spread.
VIEWS = ("clipped", "spread")


@dataclass(frozen=True)
class Stop:
    """The numbers of one frame.

    Attributes
    ----------
    step : int
        Steps taken so far on this way.
    t : float
    alpha, sigma : float
        The process at t.
    snr : float
        alpha^2/sigma^2, infinite at t = 0.
    measured : float
        Variance of x_t - alpha*x0, measured on the frame; on the way back x0_hat stands for x0,
        and where that starts there is none yet: NaN.
    """

    step: int
    t: float
    alpha: float
    sigma: float
    snr: float
    measured: float


def stop_at(process: Process, step: int, t: float, noise: Tensor) -> Stop:
    """The numbers at time t, given what is measured as noise there."""
    return Stop(step, t, process.alpha(t), process.sigma(t), process.snr(t), float(noise.square().mean()))


def stops_that_fit(size: int) -> int:
    """How many frames of one way fit into its half of the payload, at most 101."""
    return max(2, min(MOST_STOPS, int(PAYLOAD * SHARE_THERE) // (3 * size * size)))


def thinned(count: int, most: int) -> tuple[int, ...]:
    """Indices 0 to count - 1 in equal strides, at most `most`; the last one in any case."""
    kept = range(0, count, math.ceil((count - 1) / (most - 1)) if count > 1 else 1)
    return tuple(kept) if kept[-1] == count - 1 else (*kept, count - 1)


#: Bytes of frames that are kept for all ways there together, sixty of 64×64 in colour. Whoever comes back to
#: one that was let go waits for it to be walked again: 0.02 s for that, 2 s for 1000 steps of 256×256.
_frames = Recent[Tensor](300_000_000, lambda frames: frames.nbytes)


@dataclass(frozen=True, eq=False)
class WayThere:
    """The computed way there.

    Attributes
    ----------
    settings : There
    process : Process
    x0 : Tensor, shape (1, C, H, W)
        The upload as the network sees it.
    times : tuple of float
        All T + 1 times.
    stops : tuple of Stop
        The numbers of the frames that are shown, S of them.
    added : tuple of float
        Variance of what each of the T steps added, x_t - a*x_s, measured.
    correlation : float or None
        Of the pixels of x_T with those of x0; None for a picture of one colour.
    """

    settings: There
    process: Process
    x0: Tensor
    times: tuple[float, ...]
    stops: tuple[Stop, ...]
    added: tuple[float, ...]
    correlation: float | None

    def nearest(self, t: float) -> int:
        """The stop nearest in time."""
        return min(range(len(self.stops)), key=lambda k: abs(self.stops[k].t - t))

    @property
    def frames(self) -> Tensor:
        """x_t at the stops, all on one path, (S, C, H, W): kept, or walked again to the same bits."""
        frames = _frames.get(id(self))
        if frames is None:
            shown = {stop.step for stop in self.stops}
            path = forward(self.x0, self.process, rng=picture_rng(self.settings.seed), times=self.times)
            kept = []
            for k, x_t in enumerate(path):
                if k in shown:
                    kept.append(x_t)
                if k % BREATH == BREATH - 1:
                    turns.breathe()
            frames = torch.cat(kept)
            _frames.put(id(self), frames)
        return frames

    def __post_init__(self) -> None:
        _frames.follow(self)


def walk_there(x0: Tensor, settings: There) -> Iterator[float | WayThere]:
    """Compute the way there; yields the share done, then the result.

    Every one of the T steps is taken; those that do not fit on the stage are left out of the
    showing, never of the path.
    """
    process = settings.build()
    times = times_there(process, settings.steps, settings.grid)
    shown = set(thinned(len(times), stops_that_fit(x0.shape[-1])))
    frames, stops, added = [], [], []
    before: Tensor | None = None
    path = forward(x0, process, rng=picture_rng(settings.seed), times=times)
    for k, (t, x_t) in enumerate(zip(times, path, strict=True)):
        if before is not None:
            a, _ = process.step(times[k - 1], t)
            added.append(float((x_t - a * before).square().mean()))
        if k in shown:
            frames.append(x_t)
            stops.append(stop_at(process, k, t, x_t - process.alpha(t) * x0))
        before = x_t
        if k % BREATH == BREATH - 1:
            yield k / len(times)
    way = WayThere(settings, process, x0, times, tuple(stops), tuple(added), _correlation(x0, frames[-1]))
    _frames.put(id(way), torch.cat(frames))
    yield way


def _correlation(x0: Tensor, x_T: Tensor) -> float | None:
    if not float(x0.std()) > 0:
        return None
    return float(torch.corrcoef(torch.stack([x0.flatten(), x_T.flatten()]))[0, 1])


@dataclass(frozen=True)
class Taken:
    """The numbers of one step back.

    Attributes
    ----------
    t, s : float
    stop : Stop
        The numbers of x_s.
    to_upload, estimate_to_upload : float
        Root mean square distance of x_s/alpha and of x0_hat to x0.
    added : float
        Variance of eta, measured.
    evaluations : int
    """

    t: float
    s: float
    stop: Stop
    to_upload: float
    estimate_to_upload: float
    added: float
    evaluations: int


@dataclass(frozen=True)
class Kept(Taken):
    """A step back with its pictures; only steps that are shown keep them, so a long way stays small.

    Attributes
    ----------
    x_t, x0_hat, removed, x_s : Tensor, shape (1, C, H, W)
    noise : Tensor or None
        eta; None stands for all zeros.
    """

    x_t: Tensor
    x0_hat: Tensor
    removed: Tensor
    noise: Tensor | None
    x_s: Tensor

    def eta(self) -> Tensor:
        """The fresh noise, zeros where there was none."""
        return torch.zeros_like(self.x_t) if self.noise is None else self.noise


@dataclass
class WayBack:
    """The way back as it grows.

    Attributes
    ----------
    settings : Back
    process : Process
    start_t : float
        Time it starts from.
    model : str
        Name of the network that walks it.
    total : int
        Steps it will have, the climb of an inversion not counted.
    asked : str or None
        The class the network is asked for, by a person or picked by the seed.
    climb, climbed, climb_evaluations : int
        Steps of the inversion that come first, those taken, and what they cost; they are not
        shown, their progress is.
    start : Tensor or None
        The state it starts from; None until an inversion has found it.
    first : Stop or None
        Numbers of that state.
    steps : list of Taken
        So far; those that are shown are :class:`Kept`.
    """

    settings: Back
    process: Process
    x0: Tensor
    start_t: float
    model: str
    total: int
    asked: str | None = None
    climb: int = 0
    climbed: int = 0
    climb_evaluations: int = 0
    start: Tensor | None = None
    first: Stop | None = None
    steps: list[Taken] = field(default_factory=list)

    @property
    def sampler(self) -> str:
        """The sampler that walks: Heun from an inversion, since fresh noise would lose the way."""
        return "heun" if self.settings.start == "inversion" else self.settings.sampler

    @property
    def number(self) -> int:
        """Of the generator of its noise: of a start in pure noise, then of what steps add."""
        return self.settings.index if self.settings.start == "noise" else FRESH

    @property
    def times(self) -> tuple[float, ...]:
        """The decreasing times of all its states; an inversion comes down a grid like the one it climbed."""
        if self.settings.start == "inversion":
            return times_of_inversion(self.process, self.total)[::-1]
        return times_back(self.process, self.settings.steps, self.settings.grid, self.start_t)

    @property
    def shown(self) -> tuple[int, ...]:
        """Which states are shown once all are there: 0 is the start, k the result of step k."""
        return thinned(self.total + 1, stops_that_fit(self.x0.shape[-1]))

    def state(self, k: int) -> tuple[Tensor, Stop]:
        """State number k with its numbers.

        Raises
        ------
        IndexError
            If it has not been computed yet, or is not shown.
        """
        if k == 0:
            if self.start is None or self.first is None:
                raise IndexError("the start is not known yet")
            return self.start, self.first
        kept = self.kept(k)
        return kept.x_s, kept.stop

    def kept(self, k: int) -> Kept:
        """Step number k, which led to state k, with its pictures.

        Raises
        ------
        IndexError
            If it has not been computed yet, or is not shown.
        """
        step = self.steps[k - 1]
        if not isinstance(step, Kept):
            raise IndexError(f"step {k} is not shown, so its pictures were not kept")
        return step

    def ready(self) -> tuple[int, ...]:
        """Those of :attr:`shown` that exist already."""
        if self.start is None:
            return ()
        return tuple(k for k in self.shown if k <= len(self.steps))


def pushed(net: Denoiser, process: Process, times: Sequence[float]) -> bool:
    """Whether guidance pushes any of the network's answers on a way back over these times."""
    return any(net.evaluations_at(process.ratio(t)) > 1 for t in times[:-1])


def plan_back(there: WayThere, stop: int, settings: Back, model: str) -> WayBack:
    """Lay out a way back; nothing is computed yet.

    Parameters
    ----------
    there : WayThere
    stop : int
        The stop under the thumb, where ``start="here"`` begins.
    settings : Back
    model : str

    Raises
    ------
    SettingError
        If it would start at t = 0, where there is nothing to take away.
    """
    t = there.stops[stop].t if settings.start == "here" else 1.0
    if t <= 0:
        raise SettingError(NOTHING_TO_TAKE)
    climb = max(CLIMB, settings.steps) if settings.start == "inversion" else 0
    way = WayBack(settings, there.process, there.x0, t, model, settings.steps, settings.label, climb)
    if settings.start == "here":
        x = there.frames[stop : stop + 1].clone()  # a view would hold the whole way there in memory
        way.start, way.first = x, replace(there.stops[stop], step=0, measured=math.nan)
    elif settings.start == "noise":
        x = there.process.sigma(1.0) * standard_normal(there.x0, picture_rng(there.settings.seed, way.number))
        way.start = x
        way.first = replace(stop_at(there.process, 0, 1.0, x), measured=math.nan)
    return way


def most_looks(settings: Back, per_call: int = 1) -> int:
    """Network evaluations a way back takes at most.

    Parameters
    ----------
    settings : Back
    per_call : int
        What one question costs: two with guidance.
    """
    inverted = settings.start == "inversion"
    calls = settings.steps + (max(CLIMB, settings.steps) if inverted else 0)
    return per_call * calls * (2 if inverted or settings.sampler == "heun" else 1)


def walk_back(way: WayBack, net: Denoiser, seed: int) -> Iterator[None]:
    """Take the steps of a planned way back, one a turn, filling `way` in."""
    process, x0 = way.process, way.x0
    if way.settings.start == "inversion":
        for step in inversion(net, x0, process, way.climb, sampler=way.sampler):
            way.climbed += 1
            way.climb_evaluations += step.evaluations
            yield
            if way.climbed == way.climb:
                way.first = replace(stop_at(process, 0, 1.0, step.x_s), measured=math.nan)
                way.start = step.x_s
    if way.start is None:
        raise RuntimeError("the inversion ended without a start")
    rng, shown = picture_rng(seed, way.number), set(way.shown)
    if way.settings.start == "noise":
        standard_normal(x0, rng)  # the start has taken these already
    for step in reverse(net, way.start, process, sampler=way.sampler, rng=rng, times=way.times):
        way.steps.append(_taken(step, way, step.index + 1 in shown))
        yield


def _taken(step: Step, way: WayBack, shown: bool) -> Taken:
    process, x0 = way.process, way.x0
    alpha = process.alpha(step.s)
    numbers = Taken(
        step.t,
        step.s,
        stop_at(process, step.index + 1, step.s, step.x_s - alpha * step.x0_hat),
        rms(step.x_s / alpha - x0) if alpha else math.inf,
        rms(step.x0_hat - x0),
        float(step.noise.square().mean()),
        step.evaluations,
    )
    if not shown:
        return numbers
    noise = step.noise if bool(step.noise.any()) else None
    return Kept(
        **vars(numbers), x_t=step.x_t, x0_hat=step.x0_hat, removed=step.removed, noise=noise, x_s=step.x_s
    )


def rms(x: Tensor) -> float:
    """Root mean square."""
    return float(x.square().mean().sqrt())


def shown_bytes(frames: Tensor, view: str) -> np.ndarray:
    """Frames (S, C, H, W) as the stage shows them: uint8, (S, H, W, 3)."""
    if view == "spread":
        frames = torch.stack([scaled_to_spread(x) for x in frames])
    return to_bytes(frames)
