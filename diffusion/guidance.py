"""Guidance: how far, and under how much noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, overload

from torch import Tensor


@dataclass(frozen=True)
class Guidance:
    """How far an answer is pushed towards the class asked for, and under how much noise.

    Where low <= sigma <= high, x0_hat = D'(x) + weight*(D(x, class) - D'(x)), at the price of two
    network evaluations; elsewhere D(x, class), at the price of one. Under much noise pushing takes
    variety away and under little it does nothing, so a range in between gives more for less [2]_.

    D' is the same network asked for no class [1]_; or, where it has a guide, what it was itself early in
    its training: where the beginner and the learnt one differ, the way on is away from the beginner [3]_.

    Attributes
    ----------
    weight : float
        1 does not push.
    low, high : float
        Noise levels sigma, in [-1, 1] units.

    References
    ----------
    .. [1] Ho, Salimans, *Classifier-free diffusion guidance*, arXiv 2207.12598, eq. (6), where the
       weight is 1 + w.
    .. [2] Kynkäänniemi et al., *Applying guidance in a limited interval*, arXiv 2404.07724, eq. (4).
    .. [3] Karras et al., *Guiding a diffusion model with a bad version of itself*, arXiv 2406.02507,
       section 4; here the beginner is asked for no class besides.
    """

    weight: float = 1.0
    low: float = 0.0
    high: float = math.inf

    @classmethod
    def read(cls, said: Any) -> Guidance:  # noqa: ANN401 - what a file says may be anything
        """The guidance that a card says: a weight alone, or what :meth:`facts` gave.

        Raises
        ------
        ValueError
            If it says neither.
        """
        facts = said if isinstance(said, dict) else {"weight": said}
        try:
            found = cls(**{key: float(value) for key, value in facts.items()})
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"no guidance: {said!r:.80}") from error
        sound = math.isfinite(found.weight) and 0 <= found.low < found.high
        if "weight" not in facts or not sound:
            raise ValueError(f"no guidance: {said!r:.80}")
        return found

    def facts(self) -> dict[str, float]:
        """For a card: the weight, and the ends of the range where it has any."""
        low = {"low": self.low} if self.low else {}
        high = {"high": self.high} if math.isfinite(self.high) else {}
        return {"weight": self.weight, **low, **high}

    @overload
    def pushes_at(self, sigma: float) -> bool: ...
    @overload
    def pushes_at(self, sigma: Tensor) -> Tensor: ...
    def pushes_at(self, sigma: float | Tensor) -> bool | Tensor:
        """Whether it pushes at all; for sigma of shape (B,), where."""
        return (self.low <= sigma) & (sigma <= self.high) & (self.weight != 1)


NO_GUIDANCE = Guidance()
