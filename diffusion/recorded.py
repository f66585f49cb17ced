"""A network recorded once and played back without the interpreter.

Written in Python, a look at a network is some three hundred operations, and before each of them the thread
asks for the interpreter anew. On a server other threads have it: one busy thread beside it makes a look of
`dogs` take 210 ms instead of 30. A recording (``torch.jit.trace``) is one call that lets go of the
interpreter from beginning to end: 30 ms, busy or not, and the same answer bit for bit.

TorchScript is deprecated; what is to replace it wants a compiler at hand or still runs from Python. Where
torch no longer has it, the network is asked as it is written.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor

from .network import Preconditioned

#: Calls until a recording has settled: torch watches the first ones and then rewrites it.
SETTLING = 3


class Recorded:
    """A :class:`Preconditioned` network, computed from a recording where it fits.

    What depends on the picture's size is recorded as it was, padding above all: pictures whose sides are no
    multiple of ``config.multiple`` are asked of the network itself.

    Parameters
    ----------
    model : Preconditioned
        On a processor, in evaluation mode.
    size : int
        Side of the pictures that are recorded; others do as well.
    """

    def __init__(self, model: Preconditioned, size: int) -> None:
        self._model, self._played = model, _record(model, size)

    def __call__(self, x: Tensor, sigma: Tensor, label: Tensor | None = None) -> Tensor:
        """Estimate E[x0 | x0 + sigma*eps = x], see :meth:`Preconditioned.forward`."""
        config = self._model.net.config
        if self._played is None or any(side % config.multiple for side in x.shape[-2:]):
            return self._model(x, sigma, label)
        if not config.labels:
            return self._played(x, sigma)
        if label is None:
            label = torch.full((len(x),), config.labels, device=x.device)
        return self._played(x, sigma, label)


@torch.no_grad()
def _record(model: Preconditioned, size: int) -> Callable[..., Tensor] | None:
    config = model.net.config
    x = torch.zeros(1, config.channels, size, size).contiguous(memory_format=torch.channels_last)
    question = (x, torch.ones(1), *([torch.zeros(1, dtype=torch.long)] if config.labels else []))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is deprecated, and that sides are taken as they are
        try:
            played = cast(Callable[..., Tensor], torch.jit.trace(model, question, check_trace=False))
        except (AttributeError, RuntimeError):
            return None
    for _ in range(SETTLING):
        played(*question)
    return played
