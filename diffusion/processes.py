"""Noising processes: x_t = alpha(t)*x0 + sigma(t)*eps, t from 0 (data) to 1 (end of noising).

A process is two curves and nothing else. How many steps T a path takes only picks points on them;
the total noise does not depend on it.

References
----------
.. [1] Nakkiran et al., *Step-by-Step Diffusion: An Elementary Tutorial*, arXiv 2406.08929.
.. [2] Ho, Jain, Abbeel, *Denoising Diffusion Probabilistic Models*, arXiv 2006.11239.
.. [3] Nichol, Dhariwal, *Improved DDPM*, arXiv 2102.09672.
.. [4] Liu, Gong, Liu, *Flow Straight and Fast* (rectified flow), arXiv 2209.03003.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass


class Process(ABC):
    """Base of all processes.

    Attributes
    ----------
    name : str
        The name it goes by in links and on the command line.
    is_chain : bool
        Whether a path is a chain of independent steps (false for the straight line, where one
        eps serves the whole path).
    """

    name: str
    is_chain: bool = True

    @abstractmethod
    def alpha(self, t: float) -> float:
        """Share of x0 left at time t in [0, 1]."""

    @abstractmethod
    def sigma(self, t: float) -> float:
        """Marginal spread of the noise at time t in [0, 1]; 0 at t = 0."""

    @abstractmethod
    def time_of(self, ratio: float) -> float:
        """The time t at which sigma/alpha equals `ratio` (at least 0); 1 if it never does."""

    def ratio(self, t: float) -> float:
        """sigma/alpha: the noise level a denoiser sees; infinite where alpha is 0."""
        alpha = self.alpha(t)
        return self.sigma(t) / alpha if alpha else math.inf

    def snr(self, t: float) -> float:
        """Signal-to-noise ratio alpha^2/sigma^2; infinite at t = 0."""
        sigma = self.sigma(t)
        return (self.alpha(t) / sigma) ** 2 if sigma else math.inf

    def step(self, s: float, t: float) -> tuple[float, float]:
        """The step s -> t, s < t: x_t = a*x_s + sqrt(v)*z.

        Returns
        -------
        a : float
            alpha(t)/alpha(s).
        v : float
            Variance added, sigma(t)^2 - a^2*sigma(s)^2, at least 0.
        """
        a = self.alpha(t) / self.alpha(s)
        return a, max(self.sigma(t) ** 2 - (a * self.sigma(s)) ** 2, 0.0)


@dataclass(frozen=True)
class Brownian(Process):
    """The tutorial's own: variance exploding, x_{t+dt} = x_t + eta, eta ~ N(0, sigma_q^2*dt).

    Nakkiran et al. (11), (12): x_t ~ N(x0, sigma_q^2*t).

    Attributes
    ----------
    sigma_q : float
        Spread of all the noise together, in [-1, 1] picture units; above 0.
    """

    sigma_q: float = 3.0
    name = "brownian"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.sigma_q) and self.sigma_q > 0):
            raise ValueError(f"sigma_q must be a finite number above 0, got {self.sigma_q}")

    def alpha(self, t: float) -> float:
        """1: x0 itself never fades."""
        return 1.0

    def sigma(self, t: float) -> float:
        """sigma_q*sqrt(t), (12)."""
        return self.sigma_q * math.sqrt(t)

    def step(self, s: float, t: float) -> tuple[float, float]:
        """A variance of sigma_q^2*(t - s) on top of x_s, (11)."""
        return 1.0, self.sigma_q**2 * (t - s)

    def time_of(self, ratio: float) -> float:
        """(ratio/sigma_q)^2, at most 1."""
        return min(ratio / self.sigma_q, 1.0) ** 2


class VariancePreserving(Process):
    """alpha = sqrt(alpha_bar), sigma = sqrt(1 - alpha_bar): the spread of unit data stays 1."""

    @abstractmethod
    def log_alpha_bar(self, t: float) -> float:
        """ln(alpha_bar), 0 at t = 0 and falling."""

    def alpha(self, t: float) -> float:
        """sqrt(alpha_bar)."""
        return math.exp(self.log_alpha_bar(t) / 2)

    def sigma(self, t: float) -> float:
        """sqrt(1 - alpha_bar), through expm1 so that small t keeps its digits."""
        return math.sqrt(-math.expm1(self.log_alpha_bar(t)))

    def step(self, s: float, t: float) -> tuple[float, float]:
        """sqrt(1 - beta) and beta, with 1 - beta = alpha_bar(t)/alpha_bar(s)."""
        change = self.log_alpha_bar(t) - self.log_alpha_bar(s)
        return math.exp(change / 2), -math.expm1(change)


@dataclass(frozen=True)
class DDPMLinear(VariancePreserving):
    """Ho et al.'s linear schedule, beta from 1e-4 to 0.02 over 1000 steps, in continuous time.

    The limit of many steps is that of Song et al., arXiv 2011.13456, appendix C.
    """

    name = "ddpm_linear"

    def log_alpha_bar(self, t: float) -> float:
        """-(0.1*t + 9.95*t^2): beta grows linearly from 0.1 to 20 a unit of time."""
        return -(0.1 * t + 9.95 * t * t)

    def time_of(self, ratio: float) -> float:
        """The stable root of 9.95*t^2 + 0.1*t = ln(1 + ratio^2), at most 1."""
        if ratio >= self.ratio(1.0):
            return 1.0
        fall = math.log1p(ratio**2)  # -ln(alpha_bar)
        return min(2 * fall / (0.1 + math.sqrt(0.01 + 4 * 9.95 * fall)), 1.0)


@dataclass(frozen=True)
class DDPMCosine(VariancePreserving):
    """Nichol & Dhariwal's cosine schedule, alpha_bar floored so that alpha stays above 0."""

    name = "ddpm_cosine"
    OFFSET = 0.008
    FLOOR = 2.4e-9

    def log_alpha_bar(self, t: float) -> float:
        """ln(f(t)/f(0)), f = cos^2 of an angle that ends at pi/2; floored at ln(FLOOR)."""
        # ln cos^2(u) - ln cos^2(u0), exactly 0 at t = 0.
        fall = 2 * (math.log(max(math.cos(self._angle(t)), 1e-300)) - math.log(math.cos(self._angle(0))))
        return max(fall, math.log(self.FLOOR))

    def _angle(self, t: float) -> float:
        return (t + self.OFFSET) / (1 + self.OFFSET) * math.pi / 2

    def time_of(self, ratio: float) -> float:
        """The angle whose cos^2 is f(0)/(1 + ratio^2), as a time; 1 from the floor on."""
        if ratio >= self.ratio(1.0):
            return 1.0
        cosine = math.cos(self._angle(0)) / math.sqrt(1 + ratio**2)
        t = math.acos(cosine) * 2 / math.pi * (1 + self.OFFSET) - self.OFFSET
        return min(max(t, 0.0), 1.0)


@dataclass(frozen=True)
class StraightLine(Process):
    """Rectified flow: x_t = (1-t)*x0 + t*eps with one eps for the whole path."""

    name = "straight_line"
    is_chain = False

    def alpha(self, t: float) -> float:
        """1 - t."""
        return 1.0 - t

    def sigma(self, t: float) -> float:
        """Equal to t."""
        return t

    def time_of(self, ratio: float) -> float:
        """ratio/(1 + ratio)."""
        return 1.0 if math.isinf(ratio) else ratio / (1 + ratio)


PROCESSES: dict[str, type[Process]] = {
    kind.name: kind for kind in (Brownian, DDPMLinear, DDPMCosine, StraightLine)
}
