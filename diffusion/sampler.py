"""The way back: from noise to a picture, one frozen step at a time.

Every sampler here is a choice of two things: the mean of the next state given x_t and x0_hat, and
the spread of the fresh noise put on top. Everything else (progress bars, films, plots, tests)
consumes the steps that :func:`reverse` yields.

References
----------
.. [1] Nakkiran et al., *Step-by-Step Diffusion*, arXiv 2406.08929: Algorithms 1 and 2, eq. (24).
.. [2] Song, Meng, Ermon, *Denoising Diffusion Implicit Models*, arXiv 2010.02502, eq. (12).
.. [3] Karras et al., *Elucidating the Design Space* (EDM), arXiv 2206.00364, Algorithm 1 (Heun).
.. [4] Lu et al., *DPM-Solver++*, arXiv 2211.01095, Algorithm 2 (2M).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from .denoiser import Denoiser
from .grids import SIGMA_HIGH, times_back, times_of_inversion
from .noise import Rng, standard_normal
from .processes import Process


@dataclass(frozen=True)
class Step:
    """One step t -> s of the way back. Always x_s = (x_t - removed) + noise, to the last bit.

    Attributes
    ----------
    index : int
        0 for the first step.
    t, s : float
        Times before and after.
    x_t : Tensor, shape (B, C, H, W)
        State before.
    x0_hat : Tensor
        The network's estimate of the clean picture, E[x0 | x_t].
    eps_hat : Tensor
        The noise that estimate implies, (x_t - alpha*x0_hat)/sigma.
    removed : Tensor
        f_theta(x_t, t) = x_t - (x_s without its fresh noise).
    noise : Tensor
        eta, the fresh noise; all zeros for deterministic samplers.
    x_s : Tensor
        State after.
    evaluations : int
        Network evaluations this step cost.
    """

    index: int
    t: float
    s: float
    x_t: Tensor
    x0_hat: Tensor
    eps_hat: Tensor
    removed: Tensor
    noise: Tensor
    x_s: Tensor
    evaluations: int


@dataclass(frozen=True)
class _Moment:
    """What a sampler may look at when it decides on a step."""

    net: Denoiser
    process: Process
    t: float
    s: float
    x_t: Tensor
    x0_hat: Tensor
    eps_hat: Tensor
    last: _Moment | None

    @property
    def v_step(self) -> float:
        """Variance the forward step s -> t adds."""
        return self.process.step(self.s, self.t)[1]

    def mean(self, v: float) -> Tensor:
        """alpha_s*x0_hat + sqrt(sigma_s^2 - v)*eps_hat, DDIM (12): leaves room for noise of variance v."""
        alpha, sigma = self.process.alpha(self.s), self.process.sigma(self.s)
        return alpha * self.x0_hat + math.sqrt(max(sigma**2 - v, 0.0)) * self.eps_hat

    def v_posterior(self) -> float:
        """Variance of x_s given x_t and x0 = x0_hat: v_step*sigma_s^2/sigma_t^2 (DDPM's beta tilde)."""
        return self.v_step * (self.process.sigma(self.s) / self.process.sigma(self.t)) ** 2


_Decision = tuple[Tensor, float, int]  # mean of x_s, spread of the fresh noise, extra evaluations
_Sampler = Callable[[_Moment], _Decision]


def _ddim(at: _Moment) -> _Decision:
    """Deterministic (Algorithm 2): no fresh noise, and the mean makes up for it."""
    return at.mean(0.0), 0.0, 0


def _posterior(at: _Moment) -> _Decision:
    """Mean (24) and the variance of the posterior given x0_hat; none at the last step."""
    v = at.v_posterior()
    return at.mean(v), math.sqrt(v), 0


def _algorithm1(at: _Moment) -> _Decision:
    """Algorithm 1 to the letter: mean (24), forward-step noise at every step, the last included."""
    return at.mean(at.v_posterior()), math.sqrt(at.v_step), 0


def _algorithm1_clean_end(at: _Moment) -> _Decision:
    """Algorithm 1 with no noise at the last step."""
    mean, spread, extra = _algorithm1(at)
    return mean, spread if at.s > 0 else 0.0, extra


def _heun(at: _Moment) -> _Decision:
    """Second order: average the slope eps_hat at both ends of the step.

    Plain DDIM where the second look is impossible: towards sigma = 0, and where either end lies
    beyond the noise the network knows or the grids resolve (a slope's error counts times the step).
    """
    end = at.mean(0.0)
    r_t, r_s = at.process.ratio(at.t), at.process.ratio(at.s)
    if not _looks_twice(at.net, r_t, r_s):
        return end, 0.0, 0
    alpha, sigma = at.process.alpha(at.s), at.process.sigma(at.s)
    eps_end = (end - alpha * at.net.estimate(end, alpha, sigma)) / sigma
    return end + alpha * (r_s - r_t) / 2 * (eps_end - at.eps_hat), 0.0, at.net.evaluations_at(r_s)


def _looks_twice(net: Denoiser, r_t: float, r_s: float) -> bool:
    """Whether Heun's second look is possible on a step between these noise levels."""
    return r_s > 0 and max(r_t, r_s) <= min(net.sigma_max, SIGMA_HIGH) * (1 + 1e-6)


def _dpmpp_2m(at: _Moment) -> _Decision:
    """Second order in ln(alpha/sigma) from the last two estimates.

    Plain DDIM where there is only one, and where a logarithm would be infinite: sigma = 0 or alpha = 0.
    """
    r_s, r_t = at.process.ratio(at.s), at.process.ratio(at.t)
    r_last = at.process.ratio(at.last.t) if at.last else math.inf
    if at.last is None or r_s == 0 or math.isinf(r_s) or math.isinf(r_last):
        return at.mean(0.0), 0.0, 0
    h, h_last = math.log(r_t / r_s), math.log(r_last / r_t)
    ahead = at.x0_hat + h / (2 * h_last) * (at.x0_hat - at.last.x0_hat)
    shrink = at.process.sigma(at.s) / at.process.sigma(at.t)
    return shrink * at.x_t - at.process.alpha(at.s) * math.expm1(-h) * ahead, 0.0, 0


SAMPLERS: dict[str, _Sampler] = {
    "algorithm1": _algorithm1,
    "algorithm1_clean_end": _algorithm1_clean_end,
    "posterior": _posterior,
    "ddim": _ddim,
    "dpmpp_2m": _dpmpp_2m,
    "heun": _heun,
}
#: Samplers without fresh noise; they alone can be run upwards.
DETERMINISTIC = ("ddim", "dpmpp_2m", "heun")


def reverse(
    net: Denoiser,
    x_T: Tensor,
    process: Process,
    steps: int = 10,
    *,
    sampler: str = "posterior",
    rng: Rng | None = None,
    grid: str = "uniform_t",
    times: Sequence[float] | None = None,
) -> Iterator[Step]:
    """Walk back from x_T, step by step.

    Parameters
    ----------
    net : Denoiser
        What estimates the clean picture.
    x_T : Tensor, shape (B, C, H, W)
        Where to start: the state at the first time of the grid.
    process : Process
        The process to undo.
    steps : int
        Number of steps; not used when `times` is given.
    sampler : str
        A key of :data:`SAMPLERS`.
    rng : torch.Generator or sequence of B generators, optional
        Source of fresh noise; needed unless the sampler is deterministic.
    grid : str
        A name from :data:`diffusion.grids.GRIDS`; not used when `times` is given.
    times : sequence of float, optional
        Decreasing times in [0, 1]; may start and end anywhere.

    Yields
    ------
    Step
        One for each interval of the grid, computed when asked for.

    Raises
    ------
    ValueError
        For an unknown sampler, times that do not decrease or leave [0, 1], or a missing `rng`.
    """
    if sampler not in SAMPLERS:
        raise ValueError(f"unknown sampler {sampler!r}; there are: {', '.join(SAMPLERS)}")
    chosen = times_back(process, steps, grid) if times is None else tuple(times)
    if len(chosen) < 2 or chosen[0] > 1 or chosen[-1] < 0 or any(t <= s for t, s in pairwise(chosen)):
        raise ValueError(f"times must decrease within [0, 1], at least two of them, got {chosen[:4]}")
    if rng is None and sampler not in DETERMINISTIC:
        raise ValueError(f"{sampler} adds fresh noise; give rng, a torch.Generator")
    return _walk(net, x_T, process, chosen, SAMPLERS[sampler], rng)


def evaluations(net: Denoiser, process: Process, times: Sequence[float], sampler: str) -> int:
    """Network evaluations that :func:`reverse` takes over these times."""
    ratios = [process.ratio(t) for t in times]
    first = sum(net.evaluations_at(r_t) for r_t in ratios[:-1])
    if sampler != "heun":
        return first
    return first + sum(
        net.evaluations_at(r_s) for r_t, r_s in pairwise(ratios) if _looks_twice(net, r_t, r_s)
    )


def inversion(
    net: Denoiser, x0: Tensor, process: Process, steps: int = 50, *, sampler: str = "heun"
) -> Iterator[Step]:
    """Run the deterministic way back upwards: from the picture to the noise that leads to it.

    Approximate: it begins at sigma/alpha = 0.02, where x0 is taken for a state of the process.

    Parameters
    ----------
    net : Denoiser
    x0 : Tensor, shape (B, C, H, W)
    process : Process
    steps : int
        At least 1.
    sampler : {"heun", "ddim", "dpmpp_2m"}
        Deterministic samplers only.

    Yields
    ------
    Step
        Each with s > t; the last one's ``x_s`` is x_T. To return, walk back over the same times:
        ``reverse(net, x_T, process, times=times_of_inversion(process, steps)[::-1])``, whose last x_s, over
        alpha of its time, is the picture.

    Raises
    ------
    ValueError
        If the sampler is not deterministic or `steps` is below 1.
    """
    if sampler not in DETERMINISTIC:
        raise ValueError(f"{sampler!r} cannot be run upwards; use one of {', '.join(DETERMINISTIC)}")
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    times = times_of_inversion(process, steps)
    return _walk(net, process.alpha(times[0]) * x0, process, times, SAMPLERS[sampler], None)


def invert(net: Denoiser, x0: Tensor, process: Process, steps: int = 50, *, sampler: str = "heun") -> Tensor:
    """The x_T that :func:`inversion` ends at, shape (B, C, H, W)."""
    *_, last = inversion(net, x0, process, steps, sampler=sampler)
    return last.x_s


def _walk(
    net: Denoiser,
    x: Tensor,
    process: Process,
    times: Sequence[float],
    sampler: _Sampler,
    rng: Rng | None,
) -> Iterator[Step]:
    last = None
    for index, (t, s) in enumerate(pairwise(times)):
        alpha, sigma = process.alpha(t), process.sigma(t)
        x0_hat = net.estimate(x, alpha, sigma)
        looks = net.evaluations_at(process.ratio(t))
        eps_hat = (x - alpha * x0_hat) / sigma
        at = _Moment(net, process, t, s, x, x0_hat, eps_hat, last)
        mean, spread, extra = sampler(at)
        noise = spread * standard_normal(x, rng) if spread and rng is not None else torch.zeros_like(x)
        removed = x - mean
        x_s = (x - removed) + noise
        yield Step(index, t, s, x, x0_hat, eps_hat, removed, noise, x_s, looks + extra)
        # Only one step of history is kept: a chain of moments would hold every picture.
        last = _Moment(net, process, t, s, x, x0_hat, eps_hat, None)
        x = x_s
