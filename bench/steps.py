"""One denoiser step against other projects' U-Nets: ``python -m bench.steps``.

Batch 1, 64x64 RGB, float32, one thread. All networks are timed in turn in one run; the memory of
each is taken in a process of its own, as the rise of its peak over what the imports cost. Weights
do not matter for either, so they are the untrained ones where none are shipped.
"""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import statistics
import sys
import types
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from bench.machine import Timing, description, memory, optional, timed
from diffusion import checkpoint
from diffusion.denoiser import NetworkDenoiser
from diffusion.network import Preconditioned
from diffusion.recipes import RECIPES

SIZE = 64
DIFFUSERS = "diffusers UNet2DModel (64, 96, 192), 2 layers a block, 16 groups, no attention"
SMALLDIFFUSION = "smalldiffusion Unet ch 64, ch_mult (1, 1, 3), 2 blocks, attention at 16 in the middle"
OURS = "ours, dogs"


@dataclass(frozen=True)
class Row:
    """What was measured of one network; `memory` in MiB above the imports."""

    name: str
    timing: Timing
    parameters: int
    memory: float


def dogs() -> tuple[nn.Module, Callable[[Tensor], Tensor]]:
    """Our denoiser, shipped or, failing that, untrained in the same shape."""
    if "dogs" in checkpoint.available():
        net = checkpoint.load_denoiser("dogs")
    else:
        recipe = RECIPES["dogs"]
        model = Preconditioned(replace(recipe.final, labels=25), recipe.sigma_data)
        model = model.placed("cpu").eval().requires_grad_(False)
        net = NetworkDenoiser(model, "dogs", recipe.size, recipe.sigma_min, recipe.sigma_max)
    return net.model, lambda x: net(x, 1.0)


def diffusers_unet() -> tuple[nn.Module, Callable[[Tensor], Tensor]] | None:
    """The U-Net most people would reach for."""
    package = optional("diffusers.models.unets.unet_2d", "diffusers")
    if package is None:
        return None
    model = package.UNet2DModel(
        sample_size=SIZE,
        in_channels=3,
        out_channels=3,
        layers_per_block=2,
        block_out_channels=(64, 96, 192),
        norm_num_groups=16,
        down_block_types=("DownBlock2D",) * 3,
        up_block_types=("UpBlock2D",) * 3,
        add_attention=False,
    ).eval()
    t = torch.tensor([500])
    return model, lambda x: model(x, t).sample


def smalldiffusion_unet() -> tuple[nn.Module, Callable[[Tensor], Tensor]] | None:
    """The U-Net of the project our samplers learnt their form from, at a like size."""
    if "smalldiffusion" not in sys.modules:
        spec = importlib.util.find_spec("smalldiffusion")
        if spec is None or spec.submodule_search_locations is None:
            print("skipped: smalldiffusion is missing; pip install --no-deps smalldiffusion", file=sys.stderr)
            return None
        # The package's own __init__ wants torchvision and accelerate; its network needs neither.
        bare = types.ModuleType("smalldiffusion")
        bare.__path__ = list(spec.submodule_search_locations)
        sys.modules["smalldiffusion"] = bare
    module = optional("smalldiffusion.model_unet", "einops")
    if module is None:
        return None
    model = module.Unet(
        SIZE, 3, 3, ch=64, ch_mult=(1, 1, 3), num_res_blocks=2, attn_resolutions=(), dropout=0.0
    ).eval()
    sigma = torch.tensor(1.0)
    return model, lambda x: model(x, sigma)


NETWORKS: dict[str, Callable[[], tuple[nn.Module, Callable[[Tensor], Tensor]] | None]] = {
    OURS: dogs,
    DIFFUSERS: diffusers_unet,
    SMALLDIFFUSION: smalldiffusion_unet,
}


def _picture() -> Tensor:
    return torch.randn(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))


def _memory(name: str) -> float:
    """In a fresh process: how far the peak rises when the network is built and asked five times."""
    torch.set_num_threads(1)
    NETWORKS[name]()  # once for the imports, whose memory is not the network's
    before = memory(peak=False)
    made = NETWORKS[name]()
    if made is not None:
        with torch.inference_mode():
            for _ in range(5):
                made[1](_picture())
    return memory() - before


def peak_memory(name: str) -> float:
    """MiB that a network adds to a process that has its package imported."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_memory, name).result()


def measure(repeats: int = 40, *, with_memory: bool = True, net: NetworkDenoiser | None = None) -> list[Row]:
    """Time every installed network in turn, in this process.

    Parameters
    ----------
    repeats : int
        Rounds that count, after five that do not.
    with_memory : bool
        Also take each one's memory (a few seconds each).
    net : NetworkDenoiser, optional
        Timed instead of the shipped `dogs`, whose memory is taken.
    """
    makers = NETWORKS if net is None else NETWORKS | {OURS: lambda: (net.model, lambda x: net(x, 1.0))}
    made = {name: both for name, make in makers.items() if (both := make()) is not None}
    x = _picture()
    with torch.inference_mode():
        timings = timed([lambda ask=ask: ask(x) for _, ask in made.values()], repeats, warm_up=5)
    return [
        Row(
            name,
            timing,
            sum(p.numel() for p in made[name][0].parameters()),
            peak_memory(name) if with_memory else float("nan"),
        )
        for name, timing in zip(made, timings, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.steps", description=__doc__)
    parser.add_argument("--repeats", type=int, default=40)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"one step, batch 1, {SIZE}x{SIZE}, float32 | {description()}\n")
    rows = measure(options.repeats)
    base = rows[0].timing
    print("| network | parameters | processor time, median | clock, least | median | over ours | memory |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        ratio = row.timing.median / base.median
        print(
            f"| {row.name} | {row.parameters / 1e6:.2f} M | {1e3 * row.timing.median:.1f} ms | "
            f"{1e3 * row.timing.best:.1f} ms | {1e3 * statistics.median(row.timing.wall):.1f} ms | "
            f"{ratio:.1f} x | {row.memory:.0f} MiB |"
        )


if __name__ == "__main__":
    main()
