"""Pictures from pure noise: the settings that work best, in one place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from .denoiser import Denoiser, NetworkDenoiser
from .grids import MANY, SIGMA_HIGH, times_back
from .noise import picture_rng, standard_normal
from .processes import Brownian
from .sampler import Step, evaluations, reverse

#: What `make evaluate` found best at ten evaluations; the app's ten-step preset reads it too.
BEST_SAMPLER = "dpmpp_2m"
BEST_GRID = "rho16_short"
#: The same at fifty, so for ways of `MANY` steps or more. A second-order step makes up for few steps; over
#: many it follows the network to the letter, its mistakes too, we think, where DDIM falls a little short.
BEST_SAMPLER_OF_MANY = "ddim"
#: Network evaluations a picture, unless more are asked for.
EVALUATIONS = 10
#: Looks at a photo, see :func:`denoise`: a fourth would give little more.
TURNS = 3


def best_sampler(steps: int) -> str:
    """The sampler for a picture from noise in so many steps."""
    return BEST_SAMPLER if steps < MANY else BEST_SAMPLER_OF_MANY


def looks_from_noise(net: Denoiser, steps: int, sampler: str | None = None, grid: str = BEST_GRID) -> int:
    """Network evaluations that :func:`from_noise` takes."""
    process = _from(net)
    return evaluations(net, process, times_back(process, steps, grid), sampler or best_sampler(steps))


def steps_for(most: int, net: Denoiser, sampler: str | None = None, grid: str = BEST_GRID) -> int:
    """How many steps of :func:`from_noise` fit into a number of network evaluations.

    Heun asks twice a step but for some; so does guidance, where it pushes.

    Raises
    ------
    ValueError
        If not even one step fits.
    """
    steps = most
    while steps > 0 and (over := looks_from_noise(net, steps, sampler, grid) - most) > 0:
        steps -= max(1, over // 5)  # a step costs four at most
    if steps > 0:
        return steps
    raise ValueError(f"{most} evaluations are too few for one step of {sampler or best_sampler(1)}")


def picked_class(classes: Sequence[str], seed: int, index: int = 0) -> str:
    """The class that the seed picks for picture number `index`, each as likely as any other.

    It does not touch the generator of that picture's noise.

    Raises
    ------
    ValueError
        If there are no classes to pick from.
    """
    if not classes:
        raise ValueError("there are no classes to pick from")
    drawn = np.random.SeedSequence((seed, index)).generate_state(1, np.uint64)[0]
    return classes[int(drawn) % len(classes)]


def asked(net: NetworkDenoiser, seed: int, *indices: int) -> NetworkDenoiser:
    """The network asked, picture by picture, for the classes the seed picks, guided as its card advises.

    A network without classes is returned as it is.
    """
    if not net.classes:
        return net
    return net.asked_for(*(picked_class(net.classes, seed, index) for index in indices))


def from_noise(
    net: NetworkDenoiser,
    seed: int,
    index: int | Sequence[int] = 0,
    *,
    steps: int = 10,
    sampler: str | None = None,
    grid: str = BEST_GRID,
) -> Iterator[Step]:
    """Walk from pure noise to picture number `index` of the run with this `seed`.

    Starts at the network's sigma_max, at most 80, on the Brownian process.

    Parameters
    ----------
    net : NetworkDenoiser
        See :func:`asked` for one that is asked for the class the seed picks.
    seed : int
    index : int or sequence of B ints
        With the seed, decides the noise: where it starts and what is added on the way. Several walk
        side by side, each as it would alone but for rounding.
    steps : int
    sampler, grid : str
        See :func:`diffusion.reverse`; without a sampler, the best for so many steps.

    Yields
    ------
    Step
        With pictures of shape (B, C, size, size), B = 1 for a single index.
    """
    process = _from(net)
    rng = [picture_rng(seed, i) for i in ([index] if isinstance(index, int) else index)]
    like = torch.empty(len(rng), net.channels, net.size, net.size, device=net.device)
    x_T = process.sigma(1.0) * standard_normal(like, rng)
    times = times_back(process, steps, grid)
    return reverse(net, x_T, process, sampler=sampler or best_sampler(steps), rng=rng, times=times)


def _from(net: Denoiser) -> Brownian:
    """The process whose end a picture from noise starts at."""
    return Brownian(min(net.sigma_max, SIGMA_HIGH))


def denoise(net: Denoiser, x: Tensor, sigma: float, turns: int = 1) -> Tensor:
    """Look at a noisy picture, once or from several sides: x0_hat = D(x, sigma), clipped to [-1, 1].

    A photo's noise knows no up or down, so the network may as well be asked about the picture turned, and
    its answers, turned back, be averaged: part of what it gets wrong is then gone [1]_. Not for a network
    that knows what is above, such as one for faces or digits.

    Parameters
    ----------
    net : Denoiser
    x : Tensor, shape (B, C, H, W)
        x0 + sigma*eps.
    sigma : float
        Noise level, at least 0.
    turns : int
        How many looks, 1 to 4: as it is, half a turn, a quarter, three quarters.

    Returns
    -------
    Tensor, shape (B, C, H, W)

    Raises
    ------
    ValueError
        If `turns` is not 1 to 4.

    References
    ----------
    .. [1] Timofte, Rothe, Van Gool, *Seven ways to improve example-based single image super resolution*,
       arXiv 1511.02228, where it is called enhanced prediction.
    """
    if turns not in range(1, 5):
        raise ValueError(f"turns must be 1 to 4, got {turns}")
    sides = (-2, -1)
    looks = [net(x.rot90(k, sides), sigma).rot90(-k, sides) for k in (0, 2, 1, 3)[:turns]]
    return torch.stack(looks).mean(dim=0).clamp(-1, 1)
