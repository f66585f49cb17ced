"""Muon: steps whose directions all weigh the same, for the matrices inside a network.

A gradient of a convolution, laid out as a matrix, is mostly a few directions, and plain descent goes where
they point. Muon replaces its running mean by the nearest matrix whose singular values are all 1.

References
----------
.. [1] Jordan et al., *Muon: an optimizer for hidden layers in neural networks*, 2024.
.. [2] Liu et al., *Muon is scalable for LLM training*, arXiv 2502.16982, eq. (4): the size of a step.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from .network import UNet

#: Of the quintic aX + b(XX')X + c(XX')^2 X that drives singular values towards 1 [1]_.
QUINTIC = (3.4445, -4.7750, 2.0315)


class Muon(torch.optim.Optimizer):
    """Momentum, made orthogonal. (torch's own knows matrices alone, and computes in bfloat16.)

    Parameters
    ----------
    parameters : iterable of nn.Parameter
        Weights of two or more dimensions; those after the first count as one.
    lr : float
        As for Adam: a step changes a weight by about 0.2*lr, root mean square.
    momentum : float
        Of the running mean of gradients, Nesterov's form.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, momentum: float = 0.95) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Move every weight that has a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum_buffer"] = torch.zeros_like(weight)
                mean = state["momentum_buffer"]
                mean.lerp_(weight.grad, 1 - group["momentum"])
                ahead = weight.grad.lerp(mean, group["momentum"]).flatten(1)
                size = group["lr"] * 0.2 * max(ahead.shape) ** 0.5
                weight.add_(orthogonal(ahead).view_as(weight), alpha=-size)


def orthogonal(matrix: Tensor, rounds: int = 5) -> Tensor:
    """The matrix with its singular values brought near 1 (0.7 to 1.2), by Newton and Schulz.

    Parameters
    ----------
    matrix : Tensor, shape (M, N)
    rounds : int
        A singular value s of the matrix, over its Frobenius norm, comes to about 1 if s > 0.003 with five.
    """
    a, b, c = QUINTIC
    if len(matrix) > matrix.shape[1]:
        return orthogonal(matrix.mT, rounds).mT
    x = matrix / (matrix.norm() + 1e-7)
    for _ in range(rounds):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


def hidden(net: UNet) -> list[nn.Parameter]:
    """The 3x3 convolutions of all blocks, which gain from it; the first and the last convolution do not."""
    blocks = nn.ModuleList([net.down, net.up, net.middle])
    return [p for p in blocks.parameters() if p.ndim == 4 and p.shape[-1] == 3]
