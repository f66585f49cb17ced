"""Denoisers in closed form, for data that is known completely.

They need no weights and anchor the tests; in the app they appear only under the name oracle.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .denoiser import Denoiser


class GaussianMixture(Denoiser):
    """Exact D for independent pixels, each drawn from the same mixture of Gaussians.

    Parameters
    ----------
    means, spreads, weights : Tensor, shape (K,)
        Mean, standard deviation (0 allowed) and weight of each mode.
    """

    def __init__(self, means: Tensor, spreads: Tensor, weights: Tensor) -> None:
        self.means, self.spreads, self.weights = means, spreads, weights / weights.sum()

    def _denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        x_, sigma_ = x[..., None], sigma.view(-1, *[1] * x.ndim)
        means, spreads, weights = (p.to(x) for p in (self.means, self.spreads, self.weights))
        total = spreads**2 + sigma_**2
        log_share = weights.log() - total.log() / 2 - (x_ - means) ** 2 / (2 * total)
        share = torch.softmax(log_share, dim=-1)
        within = means + spreads**2 / total * (x_ - means)
        return (share * within).sum(-1)


class FiniteData(Denoiser):
    """Exact D for a finite set of pictures: a softmax-weighted mean of its members.

    With one picture it is the oracle that knows the answer at every noise level.

    Parameters
    ----------
    pictures : Tensor, shape (N, C, H, W)
    """

    def __init__(self, pictures: Tensor) -> None:
        self.pictures = pictures

    def _denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        # Float64: the distances nearly cancel, and a softmax feels what is left.
        flat, members = x.flatten(1).double(), self.pictures.flatten(1).to(x.device).double()
        # |x - x_i|^2 without |x|^2, which all weights share.
        gap = members.square().sum(1) - 2 * flat @ members.T
        share = torch.softmax(-gap / (2 * sigma.double()[:, None] ** 2), dim=1)
        return (share @ members).view_as(x).to(x.dtype)
