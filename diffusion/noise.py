"""Where randomness comes from: always a generator that the caller hands in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

#: One generator for a whole batch, or one for each picture of it.
Rng = torch.Generator | Sequence[torch.Generator]


def picture_rng(seed: int, index: int = 0) -> torch.Generator:
    """A CPU generator of its own for picture number `index` of the run with this `seed`.

    The pair decides the noise: picture 5 of seed 0 is the same whether 6 or 600 are made. No two of
    the first 2^32 pictures of a run share theirs.

    Parameters
    ----------
    seed, index : int
        At least 0.

    Raises
    ------
    ValueError
        If either is negative.
    """
    if seed < 0 or index < 0:
        raise ValueError(f"seed and index must be at least 0, got {seed} and {index}")
    # torch's CPU generator heeds only 32 bits of a seed. Hashing the pair into so few would let two of
    # 100,000 pictures coincide; an odd stride cannot.
    first = int(np.random.SeedSequence(seed).generate_state(1)[0])
    return torch.Generator().manual_seed((first + 0x9E3779B1 * index) % 2**32)


def standard_normal(like: Tensor, rng: Rng) -> Tensor:
    """Draw N(0, I), shaped and placed like `like`; drawn on the CPU, so devices agree.

    Parameters
    ----------
    like : Tensor, shape (B, C, H, W)
    rng : torch.Generator or sequence of B generators
        With one a picture, a picture's noise does not depend on its neighbours.

    Raises
    ------
    ValueError
        If the number of generators is not B.
    """
    if isinstance(rng, torch.Generator):
        drawn = torch.randn(like.shape, generator=rng, dtype=like.dtype)
    else:
        if len(rng) != len(like):
            raise ValueError(f"{len(rng)} generators for {len(like)} pictures; give one for each")
        drawn = torch.stack([torch.randn(like.shape[1:], generator=g, dtype=like.dtype) for g in rng])
    return drawn.to(like.device)
