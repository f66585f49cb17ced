"""A network asked over HTTP against the same one here: ``python -m bench.remote http://127.0.0.1:8000``.

The other side must run already (``make cluster``). Walkers ask at once, one look after another.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor

import torch

import diffusion
from bench.machine import description
from diffusion.denoiser import NetworkDenoiser
from diffusion.noise import picture_rng, standard_normal
from diffusion.remote import RemoteDenoiser

NETWORK = "dogs"


def walks(net: NetworkDenoiser, walkers: int, looks: int) -> tuple[float, torch.Tensor]:
    """Looks a second of so many walkers at once, and where they ended."""
    process = diffusion.Brownian(3.0)

    def walk(number: int) -> torch.Tensor:
        torch.set_num_threads(1)
        x = 3 * standard_normal(torch.empty(1, net.channels, net.size, net.size), picture_rng(number))
        *_, last = diffusion.reverse(net, x, process, steps=looks, sampler="ddim", grid="rho7")
        return last.x_s

    with ThreadPoolExecutor(walkers) as pool:
        began = time.perf_counter()
        ends = list(pool.map(walk, range(walkers)))
        return walkers * looks / (time.perf_counter() - began), torch.cat(ends)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.remote", description=__doc__)
    parser.add_argument("address", help="of the other side")
    parser.add_argument("--looks", type=int, default=10)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{description()}\n")
    own = diffusion.load_denoiser(NETWORK)
    there = RemoteDenoiser(own, diffusion.read_card(NETWORK)["sha256"], options.address)
    for net in (own, there):  # the first look is slow
        net(torch.zeros(1, 3, 64, 64), 1.0)
    print("| walkers at once | here, looks/s | there, looks/s | ends differ by at most |")
    print("|---|---|---|---|")
    for walkers in (1, 2, 4, 8, 16):
        here, mine = walks(own, walkers, options.looks)
        away, theirs = walks(there, walkers, options.looks)
        if there.away:
            raise SystemExit(f"{options.address} does not answer")
        print(f"| {walkers} | {here:.0f} | {away:.0f} | {float((mine - theirs).abs().max()):.1g} |")


if __name__ == "__main__":
    main()
