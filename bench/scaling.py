"""How cost grows with steps, pictures in a batch and picture size: ``python -m bench.scaling``.

One process, one thread, float32, processor time; weights do not matter, so they are untrained.
"""

from __future__ import annotations

import argparse
import math

import torch

from bench.machine import description, memory, reset_peak, timed
from diffusion import Brownian, picture_rng, reverse, times_back
from diffusion.denoiser import NetworkDenoiser
from diffusion.network import Preconditioned
from diffusion.noise import standard_normal
from diffusion.recipes import RECIPES

STEPS = (10, 30, 100, 300, 1000)
BATCHES = (1, 2, 4, 8, 16, 32, 64)
SIZES = (32, 64, 128, 256, 512)


def untrained(name: str) -> NetworkDenoiser:
    """A recipe's network with its first weights."""
    recipe = RECIPES[name]
    model = Preconditioned(recipe.final, recipe.sigma_data).placed("cpu")
    return NetworkDenoiser(
        model.eval().requires_grad_(False), name, recipe.size, recipe.sigma_min, recipe.sigma_max
    )


def exponent(xs: list[float], ys: list[float]) -> float:
    """Slope of ln(y) over ln(x): 1 for cost in proportion."""
    lx, ly = [math.log(x) for x in xs], [math.log(y) for y in ys]
    mx, my = sum(lx) / len(lx), sum(ly) / len(ly)
    across = sum((x - mx) * (y - my) for x, y in zip(lx, ly, strict=True))
    return across / sum((x - mx) ** 2 for x in lx)


def _walk(net: NetworkDenoiser, steps: int) -> None:
    process = Brownian(80.0)
    x_T = 80 * standard_normal(torch.empty(1, net.channels, net.size, net.size), picture_rng(0))
    for _ in reverse(net, x_T, process, sampler="ddim", times=times_back(process, steps, "rho7")):
        pass


def _row(label: str, count: float, seconds: float, unit: str) -> None:
    print(f"| {label} | {1e3 * seconds:.0f} ms | {1e3 * seconds / count:.2f} {unit} | {memory():.0f} MiB |")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.scaling", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="up to 100 steps, 16 pictures, 256 px")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(description())
    dogs, photos = untrained("dogs"), untrained("photos")

    print("\n| steps back (dogs, 64x64, DDIM) | in all | a step | peak memory |\n|---|---|---|---|")
    xs, ys = [], []
    for steps in [s for s in STEPS if s <= (100 if options.quick else 1000)]:
        reset_peak()
        repeats = max(1, 60 // steps)
        seconds = timed([lambda steps=steps: _walk(dogs, steps)], repeats, warm_up=int(steps < 100))[0].median
        _row(str(steps), steps, seconds, "ms")
        xs, ys = [*xs, steps], [*ys, seconds]
    print(f"\ncost grows as steps^{exponent(xs, ys):.2f}")

    print("\n| pictures in a batch (dogs, one step) | in all | a picture | peak memory |\n|---|---|---|---|")
    xs, ys = [], []
    for batch in [b for b in BATCHES if b <= (16 if options.quick else 64)]:
        x = torch.randn(batch, 3, 64, 64, generator=picture_rng(0))
        reset_peak()
        seconds = timed([lambda x=x: dogs(x, 1.0)], max(3, 32 // batch), warm_up=1)[0].median
        _row(str(batch), batch, seconds, "ms")
        xs, ys = [*xs, batch], [*ys, seconds]
    print(f"\ncost grows as pictures^{exponent(xs, ys):.2f}")

    print("\n| side in px (photos, one step) | in all | 1000 pixels | peak memory |\n|---|---|---|---|")
    xs, ys = [], []
    for size in [s for s in SIZES if s <= (256 if options.quick else 512)]:
        x = torch.randn(1, 3, size, size, generator=picture_rng(0))
        reset_peak()
        seconds = timed([lambda x=x: photos(x, 0.2)], max(3, 20_000 // size**2), warm_up=1)[0].median
        _row(f"{size}x{size}", size**2 / 1000, seconds, "ms")
        xs, ys = [*xs, size**2], [*ys, seconds]
    print(f"\ncost grows as pixels^{exponent(xs, ys):.2f}")


if __name__ == "__main__":
    main()
