"""The contract every denoiser keeps: D(x, sigma), the expected clean picture.

One denoiser serves every process, because x_t = alpha*x0 + sigma*eps divided by alpha is a
picture with noise sigma/alpha:

    E[x0 | x_t] = D(x_t/alpha, sigma/alpha)

What happens at the ends of the range a network was trained for is settled here, once.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from .errors import SettingError
from .guidance import NO_GUIDANCE, Guidance
from .network import Preconditioned
from .recorded import Recorded


class Denoiser(ABC):
    """D(x, sigma) = E[x0 | x0 + sigma*eps = x].

    Attributes
    ----------
    sigma_min, sigma_max : float
        Noise levels it answers for, in [-1, 1] units. Outside, :meth:`estimate` brings the
        question into this range.
    """

    sigma_min: float = 1e-6
    sigma_max: float = 1e6

    def evaluations_at(self, sigma: float) -> int:
        """Network evaluations that one call costs at this noise level."""
        return 1

    @abstractmethod
    def _denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        """x0_hat for `sigma` of shape (B,), every entry within [sigma_min, sigma_max]."""

    def __call__(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        """Estimate the clean picture.

        Parameters
        ----------
        x : Tensor, shape (B, C, H, W)
            x0 + sigma*eps.
        sigma : float or Tensor of shape (B,)
            Noise level, at least 0; at 0 the picture comes back as it is.

        Returns
        -------
        Tensor, shape (B, C, H, W)
            x0_hat.

        Raises
        ------
        ValueError
            If a sigma is negative or not finite, or does not fit the batch.
        """
        return self.estimate(x, 1.0, sigma)

    def estimate(self, x_t: Tensor, alpha: float, sigma: float | Tensor) -> Tensor:
        """x0_hat = E[x0 | x_t] for x_t = alpha*x0 + sigma*eps.

        Above the trained range, sigma/alpha > sigma_max, the answer is
        D(sigma_max*x_t/sigma, sigma_max): the noise direction is kept, its size is one the
        network knows. Below it, D(x_t/alpha, sigma_min). Without noise, x_t/alpha.

        Parameters
        ----------
        x_t : Tensor, shape (B, C, H, W)
        alpha : float
            At least 0 (0 at the end of the straight-line process).
        sigma : float or Tensor of shape (B,)

        Returns
        -------
        Tensor, shape (B, C, H, W)

        Raises
        ------
        ValueError
            If `sigma` is negative or not finite, or neither one number nor one a picture.
        """
        level = torch.as_tensor(sigma, dtype=x_t.dtype, device=x_t.device)
        if level.ndim > 1 or level.numel() not in (1, len(x_t)):
            raise ValueError(
                f"sigma has shape {tuple(level.shape)}; give one number or {len(x_t)}, one a picture"
            )
        if not bool((torch.isfinite(level) & (level >= 0)).all()):
            raise ValueError(f"sigma must be finite and at least 0, got {sigma}")
        level = level.reshape(-1).expand(len(x_t))

        beyond = level > self.sigma_max * alpha
        scale = torch.where(beyond, self.sigma_max / level, 1 / alpha if alpha else 0.0)
        known = torch.where(beyond, self.sigma_max, level / alpha if alpha else level)
        known = known.clamp(min=self.sigma_min)
        scaled = x_t * scale.view(-1, 1, 1, 1)
        clean = (level == 0).view(-1, 1, 1, 1)
        if bool(clean.all()):
            return scaled
        return torch.where(clean, scaled, self._denoise(scaled, known))


class NetworkDenoiser(Denoiser):
    """A trained network behind the :class:`Denoiser` contract.

    Parameters
    ----------
    model : Preconditioned
        The network with its weights.
    name : str
        What it is called, ``"dogs"`` say.
    size : int
        Side of the pictures it was trained on.
    sigma_min, sigma_max : float
        Noise levels it was trained for.
    classes : tuple of str
        Names of its labels; empty when it has none.
    advised : Guidance
        What its card advises where a class is asked for.
    labels : tuple of int
        Classes asked for, one for all pictures or one for each; none asks for no class in particular.
    guidance : Guidance
        Of no effect unless a class is asked for.
    guide : Preconditioned, optional
        The network as it was early in its training: what guidance pushes away from.
    """

    def __init__(
        self,
        model: Preconditioned,
        name: str,
        size: int,
        sigma_min: float,
        sigma_max: float,
        classes: tuple[str, ...] = (),
        advised: Guidance = NO_GUIDANCE,
        labels: tuple[int, ...] = (),
        guidance: Guidance = NO_GUIDANCE,
        guide: Preconditioned | None = None,
    ) -> None:
        self.model, self.guide = model, guide
        self._look: Callable[..., Tensor] = model
        self._glance: Callable[..., Tensor] | None = guide
        self.name = name
        self.size = size
        self.sigma_min, self.sigma_max = sigma_min, sigma_max
        self.classes = classes
        self.advised = advised
        self.labels = labels
        self.guidance = guidance

    @property
    def channels(self) -> int:
        """Colour channels: 1 for grey, 3 for RGB."""
        return self.model.net.config.channels

    @property
    def any_size(self) -> bool:
        """Whether it takes pictures of other sizes than it was trained on."""
        return self.model.net.config.any_size

    @property
    def device(self) -> torch.device:
        """Where it computes, and where its input must lie."""
        return next(self.model.parameters()).device

    @property
    def parameters(self) -> int:
        """How many numbers the network has learnt, its guide's included."""
        return sum(model.parameters_learnt for model in (self.model, self.guide) if model)

    def evaluations_at(self, sigma: float) -> int:
        """Network evaluations that one call costs at this noise level: two where guidance pushes."""
        known = min(max(sigma, self.sigma_min), self.sigma_max)
        return 2 if self.labels and self.guidance.pushes_at(known) else 1

    def asked_for(self, *names: str, guidance: float | Guidance | None = None) -> NetworkDenoiser:
        """Return the same network, asked for a class.

        Parameters
        ----------
        *names : str
            One class for all pictures of a batch, or one for each.
        guidance : float or Guidance, optional
            As the card advises when not given; a number is another weight within the same range.

        Raises
        ------
        SettingError
            If the network does not know a class; the message lists those it knows.
        """
        for name in names:
            if name not in self.classes:
                known = ", ".join(self.classes) or "it has no labels"
                raise SettingError(
                    "{network} does not know {name!r}; it knows: {known}",
                    network=self.name, name=name, known=known,
                )  # fmt: skip
        labels = tuple(self.classes.index(name) for name in names)
        if guidance is None:
            guidance = self.advised
        elif not isinstance(guidance, Guidance):
            guidance = replace(self.advised, weight=guidance)
        return self.with_labels(labels, guidance)

    def with_labels(self, labels: tuple[int, ...], guidance: Guidance) -> NetworkDenoiser:
        """Return the same network, asked for classes by number: none, one for all, or one a picture."""
        asked = copy.copy(self)
        asked.labels, asked.guidance = labels, guidance
        return asked

    def without_guide(self) -> NetworkDenoiser:
        """Return the same network without its guide: guidance pushes away from no class then."""
        alone = copy.copy(self)
        alone.guide = alone._glance = None
        return alone

    def recorded(self) -> NetworkDenoiser:
        """Return the same network, which leaves the interpreter to others while it computes.

        The same answers bit for bit, see :mod:`diffusion.recorded`; recording takes half a second.
        """
        played = copy.copy(self)
        played._look = Recorded(self.model, self.size)
        played._glance = Recorded(self.guide, self.size) if self.guide else None
        return played

    @torch.no_grad()
    def _denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        x = x.to(memory_format=torch.channels_last)
        if not self.labels:
            return self._look(x, sigma).contiguous()
        label = torch.tensor(self.labels, device=x.device).expand(len(x))
        pushed = self.guidance.pushes_at(sigma)
        if not bool(pushed.any()):
            return self._look(x, sigma, label).contiguous()
        nothing = torch.full_like(label, self.model.net.config.labels)
        if self._glance:
            answer, without = self._look(x, sigma, label), self._glance(x, sigma, nothing)
        else:  # both looks in one batch: a third less time for small pictures
            both = self._look(torch.cat([x, x]), sigma.repeat(2), torch.cat([label, nothing]))
            answer, without = both.chunk(2)
        answer, without = answer.contiguous(), without.contiguous()
        guided = without + self.guidance.weight * (answer - without)
        return torch.where(pushed.view(-1, 1, 1, 1), guided, answer)
