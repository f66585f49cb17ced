"""The convolutional U-Net and its preconditioning.

One architecture serves every model of the project; a :class:`UNetConfig` says how large. The
picture enters as patches (space-to-depth), so most of the work happens on a small grid, which is
what makes one step affordable on a plain CPU.

References
----------
.. [1] Karras et al., *Elucidating the Design Space of Diffusion-Based Generative Models* (EDM),
   arXiv 2206.00364. Equation numbers below refer to this paper.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class UNetConfig:
    """Shape of a :class:`UNet`.

    Attributes
    ----------
    channels : int
        Colour channels of the picture: 3 for RGB, 1 for grey.
    patch : int
        Side of the square patches folded into channels at the input.
    widths : tuple of int
        Channels of each level, finest first; the grid halves from one level to the next. Multiples of 8
        with `norm`; the last, with `attention`, of its number of heads, one for each 32 channels.
    blocks : int
        Residual blocks per level on the way down, and as many on the way up.
    attention : bool
        Self-attention on the coarsest level.
    labels : int
        Number of classes; 0 for a network without labels.
    norm : bool
        Group normalisation inside the blocks. Off for `photos`: statistics taken over a whole
        picture would make a pixel's result depend on the picture's size.
    dropout : float
        Probability of dropping an activation inside a block, in training only.
    """

    channels: int = 3
    patch: int = 2
    widths: tuple[int, ...] = (40, 96, 160)
    blocks: int = 2
    attention: bool = True
    labels: int = 0
    norm: bool = True
    dropout: float = 0.0

    @property
    def any_size(self) -> bool:
        """Whether what it says of a pixel does not depend on how large the picture is."""
        return not (self.attention or self.norm)

    @property
    def multiple(self) -> int:
        """Heights and widths are padded to a multiple of this many pixels."""
        return self.patch * 2 ** (len(self.widths) - 1)


def _norm(width: int, config: UNetConfig) -> nn.Module:
    return nn.GroupNorm(width // 8, width, eps=1e-5) if config.norm else nn.Identity()


def _zeroed(layer: nn.Module) -> nn.Module:
    """Start a residual branch at zero, so the network begins as (almost) the identity."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


class NoiseEmbedding(nn.Module):
    """Turn c_noise (and a label) into the vector that modulates every block."""

    frequencies: Tensor

    def __init__(self, size: int, labels: int) -> None:
        super().__init__()
        frequencies = torch.exp(torch.linspace(0, math.log(64), size // 4))
        self.register_buffer("frequencies", frequencies, persistent=False)
        self.hidden = nn.Linear(size // 2, size)
        self.out = nn.Linear(size, size)
        # The last row stands for "no label given".
        self.labels = nn.Embedding(labels + 1, size) if labels else None

    def forward(self, c_noise: Tensor, label: Tensor | None) -> Tensor:
        """Embed c_noise (B,) and label (B,) as (B, size); a missing label counts as "none given"."""
        angle = c_noise[:, None] * self.frequencies
        emb = F.silu(self.hidden(torch.cat([angle.cos(), angle.sin()], dim=1)))
        if self.labels is not None:
            if label is None:
                label = torch.full_like(c_noise, self.labels.num_embeddings - 1, dtype=torch.long)
            emb = emb + self.labels(label)
        return F.silu(self.out(emb))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions, the second modulated by the noise level, around a skip."""

    def __init__(self, width_in: int, width: int, embedding: int, config: UNetConfig) -> None:
        super().__init__()
        self.norm1 = _norm(width_in, config)
        self.conv1 = nn.Conv2d(width_in, width, 3, padding=1)
        self.modulate = nn.Linear(embedding, 2 * width)
        self.norm2 = _norm(width, config)
        self.dropout = nn.Dropout(config.dropout)
        self.conv2 = _zeroed(nn.Conv2d(width, width, 3, padding=1))
        self.skip = nn.Identity() if width_in == width else nn.Conv2d(width_in, width, 1)

    def forward(self, h: Tensor, emb: Tensor) -> Tensor:
        """Map h (B, width_in, H, W) to (B, width, H, W), modulated by emb (B, embedding)."""
        scale, shift = self.modulate(emb)[:, :, None, None].chunk(2, dim=1)
        branch = self.conv1(F.silu(self.norm1(h)))
        branch = torch.addcmul(shift, self.norm2(branch), 1 + scale)
        return self.skip(h) + self.conv2(self.dropout(F.silu(branch)))


class Attention(nn.Module):
    """Self-attention between all positions of a (small) grid."""

    def __init__(self, width: int, config: UNetConfig, head: int = 32) -> None:
        super().__init__()
        self.heads = max(1, width // head)
        self.norm = _norm(width, config)
        self.qkv = nn.Conv2d(width, 3 * width, 1)
        self.out = _zeroed(nn.Conv2d(width, width, 1))

    def forward(self, h: Tensor) -> Tensor:
        """Mix all positions of h (B, width, H, W) and add the result to it."""
        b, c, height, width = h.shape
        qkv = self.qkv(self.norm(h)).reshape(b, 3, self.heads, c // self.heads, height * width)
        q, k, v = qkv.transpose(-1, -2).unbind(dim=1)
        mixed = F.scaled_dot_product_attention(q, k, v)
        return h + self.out(mixed.transpose(-1, -2).reshape(b, c, height, width))


class UNet(nn.Module):
    """F_theta of EDM (7): from a scaled noisy picture and c_noise to a picture-shaped output."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        patch_channels = config.channels * config.patch**2
        widths, deepest = config.widths, config.widths[-1]
        size = 4 * widths[0]
        self.embed = NoiseEmbedding(size, config.labels)
        self.stem = nn.Conv2d(patch_channels, widths[0], 3, padding=1)

        down, up, width = [], [], widths[0]
        for level_width in widths:
            blocks = []
            for _ in range(config.blocks):
                blocks.append(ResidualBlock(width, level_width, size, config))
                width = level_width
            down.append(nn.ModuleList(blocks))
        for level_width in reversed(widths):
            blocks = []
            for _ in range(config.blocks):
                blocks.append(ResidualBlock(width + level_width, level_width, size, config))
                width = level_width
            up.append(nn.ModuleList(blocks))
        self.down, self.up = nn.ModuleList(down), nn.ModuleList(up)
        self.middle = ResidualBlock(deepest, deepest, size, config)
        self.attention = Attention(deepest, config) if config.attention else nn.Identity()

        self.norm = _norm(widths[0], config)
        self.head = _zeroed(nn.Conv2d(widths[0], patch_channels, 3, padding=1))
        # A linear path from input to output, its strength set by the noise level: fine grain
        # need not squeeze through the trunk.
        self.through = nn.Conv2d(patch_channels, patch_channels, 1)
        self.gate = _zeroed(nn.Linear(size, patch_channels))

    def forward(self, x: Tensor, c_noise: Tensor, label: Tensor | None = None) -> Tensor:
        """Apply the network.

        Parameters
        ----------
        x : Tensor, shape (B, C, H, W)
            Input scaled to about unit variance. Any H and W: sides are padded by repeating the
            edge to a multiple of ``config.multiple`` and cropped back.
        c_noise : Tensor, shape (B,)
            Noise level, ln(sigma)/4 for EDM.
        label : Tensor, shape (B,), int64, optional
            Class of each picture; ``config.labels`` means "none given".

        Returns
        -------
        Tensor, shape (B, C, H, W)
        """
        height, width = x.shape[-2:]
        pad_h, pad_w = -height % self.config.multiple, -width % self.config.multiple
        if pad_h or pad_w:
            x = F.pad(x, (0, pad_w, 0, pad_h), mode="replicate")
        patches = F.pixel_unshuffle(x, self.config.patch)
        emb = self.embed(c_noise, label)

        h = self.stem(patches)
        skips = []
        for level, blocks in enumerate(self.down):
            if level:
                h = F.avg_pool2d(h, 2)
            for block in cast(nn.ModuleList, blocks):
                h = block(h, emb)
                skips.append(h)
        h = self.attention(self.middle(h, emb))
        for level, blocks in enumerate(self.up):
            if level:
                h = F.interpolate(h, scale_factor=2, mode="nearest")
            for block in cast(nn.ModuleList, blocks):
                h = block(torch.cat([h, skips.pop()], dim=1), emb)

        gate = self.gate(emb)[:, :, None, None]
        out = self.head(F.silu(self.norm(h))) + gate * self.through(patches)
        return F.pixel_shuffle(out, self.config.patch)[..., :height, :width]


class Preconditioned(nn.Module):
    """D_theta(x, sigma) of EDM (7): the network asked at every noise level for the clean picture.

    Parameters
    ----------
    config : UNetConfig
        Shape of the network inside.
    sigma_data : float
        Standard deviation of the training pictures, in [-1, 1] units.
    """

    def __init__(self, config: UNetConfig, sigma_data: float) -> None:
        super().__init__()
        self.net = UNet(config)
        self.sigma_data = sigma_data

    @property
    def parameters_learnt(self) -> int:
        """How many numbers it has learnt."""
        return sum(p.numel() for p in self.parameters())

    @classmethod
    def learnt(
        cls, config: UNetConfig, sigma_data: float, weights: dict[str, Tensor], device: str | torch.device
    ) -> Preconditioned:
        """A network with these weights, to be asked and not trained.

        Raises
        ------
        RuntimeError
            If the weights are not those of such a network.
        """
        model = cls(config, sigma_data)
        model.load_state_dict(weights)
        return model.placed(device).eval().requires_grad_(False)

    def placed(self, device: str | torch.device) -> Preconditioned:
        """Move to a device, laid out channels-last: the fastest layout for convolutions on a CPU."""
        return self.to(device=device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def coefficients(self, sigma: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """c_skip, c_out, c_in and c_noise of EDM's Table 1, each shaped like `sigma`."""
        s = self.sigma_data
        total = sigma**2 + s**2
        c_skip, c_out = s**2 / total, sigma * s / total.sqrt()
        return c_skip, c_out, 1 / total.sqrt(), sigma.log() / 4

    def forward(self, x: Tensor, sigma: Tensor, label: Tensor | None = None) -> Tensor:
        """Estimate E[x0 | x0 + sigma*eps = x].

        Parameters
        ----------
        x : Tensor, shape (B, C, H, W)
            Noisy pictures x0 + sigma*eps.
        sigma : Tensor, shape (B,)
            Noise level of each, above 0.
        label : Tensor, shape (B,), int64, optional
            Class of each picture.

        Returns
        -------
        Tensor, shape (B, C, H, W)
            x0_hat.
        """
        c_skip, c_out, c_in, c_noise = self.coefficients(sigma)
        column = (-1, 1, 1, 1)
        out = self.net(c_in.view(column) * x, c_noise, label)
        return c_skip.view(column) * x + c_out.view(column) * out

    def loss(self, x0: Tensor, sigma: Tensor, eps: Tensor, label: Tensor | None) -> Tensor:
        """Weighted squared error of EDM (2) with the weight of Table 1, per picture.

        The weight 1/c_out^2 makes it the plain squared error of the inner network against the
        target (x0 - c_skip*x)/c_out, which is how it is computed here: EDM (8).

        Returns
        -------
        Tensor, shape (B,)
        """
        c_skip, c_out, c_in, c_noise = (c.view(-1, 1, 1, 1) for c in self.coefficients(sigma))
        x = x0 + sigma.view(-1, 1, 1, 1) * eps
        out = self.net(c_in * x, c_noise.flatten(), label)
        return (out - (x0 - c_skip * x) / c_out).square().mean(dim=(1, 2, 3))


def blocks_of(names: Iterable[str]) -> int:
    """Residual blocks per level and way of the :class:`Preconditioned` whose weights have these names."""
    return len({name.split(".")[3] for name in names if name.startswith("net.down.0.")})


def grown(model: Preconditioned) -> Preconditioned:
    """The same network with one more residual block per level and way: it answers as before.

    What is new begins as a passage (Chen et al. 2016, *Net2Net*, arXiv 1511.05641): a block on the way down
    stands second, so that it hands on what the first one says; one on the way up stands last, and of what
    it is given leaves out the skip.
    """
    config = model.net.config
    larger = Preconditioned(replace(config, blocks=config.blocks + 1), model.sigma_data)
    for blocks in larger.net.up:
        last = cast(ResidualBlock, cast(nn.ModuleList, blocks)[-1])
        skip = cast(nn.Conv2d, last.skip)
        nn.init.dirac_(skip.weight)
        nn.init.zeros_(cast(Tensor, skip.bias))
    weights = {name_when_grown(name): value for name, value in model.state_dict().items()}
    larger.load_state_dict(larger.state_dict() | weights)
    return larger


def name_when_grown(name: str) -> str:
    """What a weight of a network is called in the :func:`grown` one."""
    parts = name.split(".")
    if parts[:2] == ["net", "down"] and parts[3] != "0":
        parts[3] = str(int(parts[3]) + 1)
    return ".".join(parts)
