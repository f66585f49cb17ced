"""Distances between sets of pictures, and between two pictures: pure functions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def frechet(a: Tensor, b: Tensor) -> float:
    """Fréchet distance between Gaussians fitted to two sets of features.

    |mu_a - mu_b|^2 + tr(C_a + C_b - 2*(C_a*C_b)^(1/2)). The last trace is the sum of the singular
    values of A*B^T, where C = A^T*A, so no root of a rank-deficient matrix is taken.

    Parameters
    ----------
    a, b : Tensor, shape (N, D) and (M, D)
        At least two rows each.

    References
    ----------
    .. [1] Heusel et al., *GANs Trained by a Two Time-Scale Update Rule*, arXiv 1706.08500, eq. (6).
    """
    a, b = a.double(), b.double()
    mean_a, mean_b = a.mean(0), b.mean(0)
    root_a = (a - mean_a) / (len(a) - 1) ** 0.5
    root_b = (b - mean_b) / (len(b) - 1) ** 0.5
    shared = torch.linalg.svdvals(root_a @ root_b.T).sum()
    spread = root_a.square().sum() + root_b.square().sum() - 2 * shared
    return float((mean_a - mean_b).square().sum() + spread)


def kid(a: Tensor, b: Tensor) -> float:
    """Kernel distance: the unbiased squared MMD with the kernel (x.y/D + 1)^3.

    Around 0, below it too, for two sets from one distribution.

    Parameters
    ----------
    a, b : Tensor, shape (N, D) and (M, D)
        At least two rows each.

    References
    ----------
    .. [1] Bińkowski et al., *Demystifying MMD GANs*, arXiv 1801.01401, eq. (4).
    """
    a, b = a.double(), b.double()

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return (x @ y.T / x.shape[1] + 1) ** 3

    def within(x: Tensor) -> Tensor:
        k = kernel(x, x)
        return (k.sum() - k.diagonal().sum()) / (len(x) * (len(x) - 1))

    return float(within(a) + within(b) - 2 * kernel(a, b).mean())


def nearest(queries: Tensor, pool: Tensor, chunk: int = 64) -> tuple[Tensor, Tensor]:
    """Euclidean distance to the nearest member of `pool`, and which one it is.

    Parameters
    ----------
    queries : Tensor, shape (N, ...)
    pool : Tensor, shape (M, ...)
    chunk : int
        Queries compared at once.

    Returns
    -------
    distance : Tensor, shape (N,)
    index : Tensor, shape (N,), int64
    """
    flat = pool.flatten(1)
    found = [torch.cdist(part, flat).min(dim=1) for part in queries.flatten(1).split(chunk)]
    return torch.cat([f.values for f in found]), torch.cat([f.indices for f in found])


def nearest_mirrored(queries: Tensor, pool: Tensor) -> tuple[Tensor, Tensor]:
    """As :func:`nearest` for pictures (N, C, H, W), a picture's mirror image counted as itself."""
    straight, mirrored = nearest(queries, pool), nearest(queries.flip(-1), pool)
    turn = mirrored[0] < straight[0]
    return torch.where(turn, mirrored[0], straight[0]), torch.where(turn, mirrored[1], straight[1])


def copies_share(samples: Tensor, held_out: Tensor, quantile: float = 0.05) -> float:
    """Share of samples nearer to a training picture than that quantile of held-out pictures.

    A network that remembers nothing scores about `quantile`, chance.

    Parameters
    ----------
    samples, held_out : Tensor, shape (N,) and (M,)
        Distances to the nearest training picture.
    quantile : float
    """
    return float((samples < torch.quantile(held_out.double(), quantile)).double().mean())


def psnr(x: Tensor, clean: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of two 8-bit pictures (any tensor of values 0 to 255)."""
    mse = (x.double() - clean.double()).square().mean()
    return float(10 * torch.log10(255**2 / mse))


def blurred(x: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of that many pixels, edges reflected; (B, C, H, W)."""
    reach, channels = round(3 * sigma), x.shape[1]
    weights = torch.exp(-(torch.arange(-reach, reach + 1.0) ** 2) / (2 * sigma**2))
    weights = (weights / weights.sum()).expand(channels, 1, 1, -1)
    padded = F.pad(x, (reach,) * 4, mode="reflect")
    across = F.conv2d(padded, weights, groups=channels)
    return F.conv2d(across, weights.transpose(-1, -2), groups=channels)


def eight_bit(x: Tensor) -> Tensor:
    """What a PNG would hold: [-1, 1] clipped and rounded to values 0 to 255, kept as float."""
    return x.clamp(-1, 1).add(1).mul(127.5).round()
