"""The way there: from a picture to noise, along one real path."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from torch import Tensor

from .grids import times_there
from .noise import Rng, standard_normal
from .processes import Process


def forward(
    x0: Tensor,
    process: Process,
    steps: int = 10,
    *,
    rng: Rng,
    times: Sequence[float] | None = None,
) -> Iterator[Tensor]:
    """Noise a picture step by step; each state is made from the last.

    Nakkiran et al. (11) for the Brownian process, x_t = a*x_s + sqrt(v)*z in general
    (:meth:`Process.step`). The straight line is no such chain: one eps, drawn once, serves
    every time.

    Parameters
    ----------
    x0 : Tensor, shape (B, C, H, W), float32 in [-1, 1]
        The clean picture.
    process : Process
    steps : int
        Number of equal steps T; not used when `times` is given.
    rng : torch.Generator or sequence of B generators
        Where the noise comes from.
    times : sequence of float, optional
        Increasing times from 0, at most 1.

    Yields
    ------
    Tensor, shape (B, C, H, W)
        x_t at every time of the grid, x0 itself first: `steps` + 1 states.

    Raises
    ------
    ValueError
        If the times do not start at 0, do not increase or leave [0, 1].
    """
    grid = times_there(process, steps) if times is None else tuple(times)
    if not grid or grid[0] != 0 or grid[-1] > 1 or any(s >= t for s, t in pairwise(grid)):
        raise ValueError(f"times must increase from 0 and end at 1 at most, got {_short(grid)}")
    return _walk(x0, process, grid, rng)


def _walk(x0: Tensor, process: Process, grid: tuple[float, ...], rng: Rng) -> Iterator[Tensor]:
    yield x0
    if not process.is_chain:
        eps = standard_normal(x0, rng)
        for t in grid[1:]:
            yield process.alpha(t) * x0 + process.sigma(t) * eps
        return
    x = x0
    for s, t in pairwise(grid):
        a, variance = process.step(s, t)
        x = a * x + math.sqrt(variance) * standard_normal(x0, rng)
        yield x


def _short(grid: Sequence[float]) -> str:
    shown = ", ".join(f"{t:.4g}" for t in grid[:4])
    return f"[{shown}{', ...' if len(grid) > 4 else ''}]"
