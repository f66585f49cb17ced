"""What the tests compare with: closed forms, exact recursions, quantiles. No sampling in here."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

import diffusion
from diffusion.denoiser import Denoiser
from diffusion.network import Preconditioned, UNetConfig
from diffusion.oracles import GaussianMixture
from diffusion.processes import Process
from diffusion.sampler import DETERMINISTIC, reverse

F64 = torch.float64


def normal_data(spread: float, mean: float = 0.0) -> GaussianMixture:
    """The exact denoiser of data N(mean, spread^2), in float64."""
    return mixture([mean], [spread], [1.0])


def mixture(means: Sequence[float], spreads: Sequence[float], weights: Sequence[float]) -> GaussianMixture:
    return GaussianMixture(*(torch.tensor(list(p), dtype=F64) for p in (means, spreads, weights)))


def pixels(values: Sequence[float] | Tensor) -> Tensor:
    """Numbers as a batch of one-pixel pictures in float64."""
    return torch.as_tensor(values, dtype=F64).reshape(-1, 1, 1, 1)


def end_spread(net: Denoiser, process: Process, sampler: str, times: Sequence[float]) -> float:
    """Exact spread at the end for data N(0, s^2), started from N(0, sigma(times[0])^2).

    With such data every step is x_s = c*x_t + spread*z, so variances follow v -> c^2*v + spread^2. One
    walk of one pixel shows both numbers of each step: c is what became of x_t, and the spread is the
    noise divided by the z that a generator of the same seed draws.
    """
    start = pixels([1.0])
    if sampler in DETERMINISTIC:
        *_, last = reverse(net, start, process, sampler=sampler, times=times)
        return abs(last.x_s.item()) * process.sigma(times[0])
    z = diffusion.picture_rng(1)
    variance = process.sigma(times[0]) ** 2
    walk = reverse(net, start, process, sampler=sampler, times=times, rng=diffusion.picture_rng(1))
    for step in walk:
        c = ((step.x_t - step.removed) / step.x_t).item()
        noise = step.noise.item()
        spread = noise / torch.randn(1, 1, 1, 1, generator=z, dtype=F64).item() if noise else 0.0
        variance = c * c * variance + spread * spread
    return math.sqrt(variance)


def quantiles(net: GaussianMixture, shares: Tensor, sigma: float) -> Tensor:
    """Quantiles of a mixture with noise of spread sigma on it, by bisection.

    In one dimension the deterministic way back keeps the order of the points, so its exact solution
    carries each quantile of the noisy distribution to the same quantile of the data.
    """
    spreads = (net.spreads**2 + sigma**2).sqrt()
    reach = net.means.abs().max() + 12 * spreads.max()
    low, high = torch.full_like(shares, -float(reach)), torch.full_like(shares, float(reach))
    for _ in range(80):
        middle = (low + high) / 2
        below = (net.weights * torch.special.ndtr((middle[:, None] - net.means) / spreads)).sum(1)
        low, high = torch.where(below < shares, middle, low), torch.where(below < shares, high, middle)
    return (low + high) / 2


def small_network(channels: int = 3, labels: int = 0, seed: int = 0, norm: bool = True) -> Preconditioned:
    """A tiny network whose every weight counts (a fresh one begins with zeros)."""
    config = UNetConfig(channels=channels, widths=(8, 16), blocks=1, labels=labels, norm=norm, attention=norm)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        model = Preconditioned(config, 0.5)
        for weight in model.parameters():
            weight += 0.05 * torch.randn(weight.shape)
    return model.eval().requires_grad_(False)
