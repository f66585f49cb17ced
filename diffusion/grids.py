"""Grids of times: where a path, there or back, takes its steps.

Every grid has `steps` + 1 times. Which one is used matters as much as the sampler when there are
only ten steps.
"""

from __future__ import annotations

import math

from .processes import Process

GRIDS = ("uniform_t", "uniform_ln_sigma", "rho7", "rho16_short")
SIGMA_LOW = 0.002
#: Where the short grid's last look is taken: what is left there, 3 of 255 levels, is taken out whole.
SIGMA_SHORT = 0.02
#: The same from so many steps on: with the noise, 8 levels, goes what grain the many steps have left.
MANY, SIGMA_SHORT_OF_MANY = 20, 0.06
SIGMA_HIGH = 80.0
RHO, RHO_SHORT = 7.0, 16.0


def times_back(
    process: Process, steps: int, grid: str = "uniform_t", start: float = 1.0
) -> tuple[float, ...]:
    """Decreasing times from `start` to 0.

    Parameters
    ----------
    process : Process
        Tells the noise level sigma/alpha at each time.
    steps : int
        Number of steps, at least 1.
    grid : {"uniform_t", "uniform_ln_sigma", "rho7", "rho16_short"}
        Equal steps in t; or `steps` levels of sigma/alpha spread evenly in the logarithm or as
        in EDM (5) with rho = 7, from the start down to 0.002, and then 0. Levels above 80, the
        highest any network here knows, are left in the first step. The short one, with rho = 16, ends
        at 0.02 instead, for ten steps are too few to spend two where nothing is left to see; of 20 steps
        or more at 0.06: one look from there leaves less grain than several at less noise.
    start : float
        Where to begin, in (0, 1].

    Returns
    -------
    tuple of float
        `steps` + 1 times, strictly decreasing, the last one 0.

    Raises
    ------
    ValueError
        For an unknown grid, `steps` below 1 or `start` outside (0, 1].
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    if not 0 < start <= 1:
        raise ValueError(f"start must lie above 0 and at most at 1, got {start}")
    if grid not in GRIDS:
        raise ValueError(f"unknown grid {grid!r}; there are: {', '.join(GRIDS)}")
    if grid == "uniform_t":
        return (start, *(start * (steps - k) / steps for k in range(1, steps + 1)))
    high = min(process.ratio(start), SIGMA_HIGH)
    low, rho = SIGMA_LOW, RHO
    if grid == "rho16_short":
        low, rho = SIGMA_SHORT if steps < MANY else SIGMA_SHORT_OF_MANY, RHO_SHORT
    low = min(low, high / 10)
    shares = [k / (steps - 1) for k in range(1, steps)] if steps > 1 else []
    if grid == "uniform_ln_sigma":
        ratios = [math.exp(math.log(high) + share * math.log(low / high)) for share in shares]
    else:
        top, bottom = high ** (1 / rho), low ** (1 / rho)
        ratios = [(top + share * (bottom - top)) ** rho for share in shares]
    return (start, *(process.time_of(ratio) for ratio in ratios), 0.0)


def times_there(process: Process, steps: int, grid: str = "uniform_t") -> tuple[float, ...]:
    """Increasing times from 0 to 1: :func:`times_back` turned round."""
    return times_back(process, steps, grid)[::-1]


def times_of_inversion(process: Process, steps: int, low: float = 0.02) -> tuple[float, ...]:
    """Increasing times from sigma/alpha = `low` to t = 1, dense at small noise.

    Parameters
    ----------
    process : Process
    steps : int
        At least 1.
    low : float
        Noise level at which the clean picture is taken to stand; at most half of the end's.

    Returns
    -------
    tuple of float, steps + 1 of them

    Raises
    ------
    ValueError
        If `steps` is below 1.
    """
    if steps < 1:
        raise ValueError(f"an inversion takes at least 1 step, got {steps}")
    high = min(process.ratio(1.0), SIGMA_HIGH)
    top, bottom = high ** (1 / RHO), min(low, high / 2) ** (1 / RHO)
    ratios = [(bottom + k / steps * (top - bottom)) ** RHO for k in range(steps)]
    return (*(process.time_of(ratio) for ratio in ratios), 1.0)
