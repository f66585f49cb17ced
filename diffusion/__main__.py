"""Command line: ``python -m diffusion generate | noise | denoise | train | index | models``."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import torch

from . import checkpoint, grids, pictures
from .forward import forward
from .generate import (
    BEST_GRID,
    BEST_SAMPLER,
    BEST_SAMPLER_OF_MANY,
    EVALUATIONS,
    TURNS,
    asked,
    denoise,
    from_noise,
    picked_class,
    steps_for,
)
from .noise import picture_rng
from .processes import PROCESSES, Brownian
from .recipes import DATA_SETS, RECIPES
from .sampler import SAMPLERS

ANY, NONE = "any", "none"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status (2 for anything the caller got wrong)."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (pictures.PictureError, checkpoint.ModelError, OSError, ValueError) as error:
        print(f"diffusion: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return 0


def generate(options: argparse.Namespace) -> None:
    """Make pictures from pure noise."""
    net = checkpoint.load_denoiser(options.model)
    options.out.mkdir(parents=True, exist_ok=True)
    for index in range(options.count):
        label = options.label
        if label == ANY:
            label = picked_class(net.classes, options.seed, index) if net.classes else NONE

        one = net if label == NONE else net.asked_for(label, guidance=options.guidance)
        steps = steps_for(options.steps, one, options.sampler, options.grid)
        *_, last = from_noise(
            one, options.seed, index, steps=steps, sampler=options.sampler, grid=options.grid
        )
        pictures.to_image(last.x_s[0]).save(options.out / f"{index:04d}.png")
        _progress(index + 1, options.count, "pictures")
    print(f"{options.count} pictures of {net.size}x{net.size} in {options.out}")


def noise(options: argparse.Namespace) -> None:
    """Noise a picture along one path, a frame a step."""
    x0 = pictures.load_picture(options.picture, size=options.size)
    kind = PROCESSES[options.process]
    process = Brownian(options.sigma_q) if kind is Brownian else kind()
    options.out.mkdir(parents=True, exist_ok=True)
    rng = picture_rng(options.seed)
    for k, x_t in enumerate(forward(x0, process, options.steps, rng=rng)):
        t = k / options.steps
        pictures.to_image(x_t[0]).save(options.out / f"{k:04d}.png")
        spread = float((x_t - process.alpha(t) * x0).std()) if k else 0.0
        print(f"{k:4d}  t {t:.3f}  sigma {process.sigma(t):8.4f}  measured {spread:8.4f}")


def denoise_picture(options: argparse.Namespace) -> None:
    """Take noise of a known strength out of a picture."""
    net = checkpoint.load_denoiser(options.model)
    size = None if net.any_size else net.size
    x = pictures.load_picture(options.picture, size=size, channels=net.channels)
    sigma = 2 * options.sigma / 255
    if options.add:
        x = x + sigma * torch.randn(x.shape, generator=picture_rng(options.seed))
    turns = options.turns or (TURNS if net.any_size else 1)
    x0_hat = denoise(net, x, sigma, turns)
    pictures.to_image(x0_hat[0]).save(options.out)
    print(f"{options.out}: {x.shape[-1]}x{x.shape[-2]}, noise of {options.sigma:g}/255 taken out")


def train(options: argparse.Namespace) -> None:
    """Train a network, or go on training it."""
    from . import data, training  # training alone needs them

    recipe = RECIPES.get(options.recipe or options.model)
    if recipe is None:
        known = ", ".join(sorted(RECIPES))
        raise ValueError(f"no recipe is called {options.model!r}; choose one with --recipe: {known}")
    if options.threads:
        torch.set_num_threads(options.threads)
    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("PyTorch finds no GPU here: leave --device away, or say cpu")
    dataset = data.load(
        options.data, channels=recipe.config.channels, size=recipe.size, whole=recipe.whole,
        only=recipe.only,
    )  # fmt: skip
    print(f"{len(dataset.train)} pictures to train on, {len(dataset.val)} held out, {device}")
    folder = options.runs / options.model
    trainer = training.Trainer(
        recipe, options.model, dataset, folder, device, options.seed, start=checkpoint.PRETRAINED
    )
    if trainer.state.updates:
        print(f"going on from update {trainer.state.updates}, {trainer.state.pictures} pictures seen")
    for number, report in enumerate(
        trainer.run(
            minutes=options.minutes, pictures=options.pictures, every=options.every, settle=options.settle
        )
    ):
        print(report, flush=True)
        if number % options.samples_every == 0:
            _sample_sheet(trainer.denoiser(), folder / f"samples-{report.pictures:09d}.png")
    _sample_sheet(trainer.denoiser(), folder / f"samples-{trainer.state.pictures:09d}.png")
    if options.export:
        facts = training.provenance(options.data_set, dataset.classes, device)
        trainer.export(options.export_to, facts)
        print(f"exported to {options.export_to / options.model}.safetensors")


def index(options: argparse.Namespace) -> None:
    """Make the index that tells new pictures from remembered ones."""
    from . import data, memory  # this alone needs them

    if options.model not in RECIPES:
        raise ValueError(f"no recipe is called {options.model!r}; there are: {', '.join(sorted(RECIPES))}")
    recipe = RECIPES[options.model]
    dataset = data.load(
        options.data, channels=recipe.config.channels, size=recipe.size, whole=False, only=recipe.only
    )
    rng = torch.Generator().manual_seed(options.seed)
    made = memory.make(dataset, flip=recipe.flip, rng=rng)
    facts = {"checked": memory.check(made, dataset, rng), "agreement": memory.agreement(made, dataset)}
    for row in facts["checked"]:
        print(
            "  ".join(f"{value:34s}" if key == "pictures" else f"{key} {value}" for key, value in row.items())
        )
    print(
        "against whole pictures: " + ", ".join(f"{key} {value}" for key, value in facts["agreement"].items())
    )
    memory.save(made, options.model, options.folder, facts)
    print(f"{len(made.codes)} training pictures in {memory.path(options.model, options.folder)}")


def models(options: argparse.Namespace) -> None:
    """List the shipped networks."""
    del options
    for name in checkpoint.available():
        card = checkpoint.read_card(name)
        hours = card["training"]["hours"]
        print(
            f"{name:8s} {card['title']:22s} {card['size']}x{card['size']}  "
            f"{card['parameters'] / 1e6:.2f} M parameters  {card['bytes'] / 1e6:.1f} MB  "
            f"sigma {card['sigma_min']:g} to {card['sigma_max']:g}  trained {hours:g} h"
        )


def _sample_sheet(net: checkpoint.NetworkDenoiser, path: Path) -> None:
    """Sixteen pictures from noise, or what a photo denoiser makes of nothing."""
    finished = []
    for index in range(16):
        *_, last = from_noise(asked(net, 0, index), 0, index)
        finished.append(last.x_s.cpu())
    pictures.contact_sheet(torch.cat(finished)).save(path)


def _progress(done: int, total: int, what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{done}/{total} {what}", end="\n" if done == total else "", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m diffusion", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, about: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=about, description=about)
        one.set_defaults(run=run)
        return one

    one = command("generate", generate, "make pictures from pure noise")
    one.add_argument("--model", default="dogs")
    one.add_argument(
        "--steps", type=_whole(1, 1000), default=EVALUATIONS, help="network evaluations a picture"
    )
    one.add_argument("--count", type=_whole(1, 100_000), default=64)
    one.add_argument("--seed", type=_whole(0, 2**32 - 1), default=0)
    one.add_argument(
        "--sampler", choices=sorted(SAMPLERS),
        help=f"{BEST_SAMPLER} when not given, {BEST_SAMPLER_OF_MANY} where {grids.MANY} steps or more fit",
    )  # fmt: skip
    one.add_argument("--grid", choices=grids.GRIDS, default=BEST_GRID)
    one.add_argument(
        "--label", default=ANY,
        help=f"class to ask for, such as 7 or pug; {ANY}: the seed picks one a picture; {NONE}: no class",
    )  # fmt: skip
    one.add_argument(
        "--guidance", type=_real(-1000, 1000),
        help="how hard to push towards the class, as its card advises when not given; other than 1 costs "
        "two evaluations where it pushes",
    )  # fmt: skip
    one.add_argument("--out", type=Path, required=True, help="folder for 0000.png, 0001.png, ...")

    one = command("noise", noise, "noise a picture step by step")
    one.add_argument("picture", type=Path)
    one.add_argument("--steps", type=_whole(1, 1000), default=10, help="T")
    one.add_argument("--process", choices=sorted(PROCESSES), default=Brownian.name)
    one.add_argument("--sigma-q", type=float, default=3.0, help="spread of all the noise (brownian)")
    one.add_argument("--size", type=_whole(8, 512), default=64)
    one.add_argument("--seed", type=_whole(0, 2**32 - 1), default=0)
    one.add_argument("--out", type=Path, required=True)

    one = command("denoise", denoise_picture, "take noise of a known strength out of a picture")
    one.add_argument("picture", type=Path)
    one.add_argument("--model", default="photos")
    one.add_argument("--sigma", type=_real(0, 1e6), required=True, help="noise in 8-bit grey levels, 25 say")
    one.add_argument("--add", action="store_true", help="add that noise first")
    one.add_argument(
        "--turns", type=_whole(1, 4),
        help=f"looks at the picture, turned each time, to be averaged ({TURNS} for photos, else 1)",
    )  # fmt: skip
    one.add_argument("--seed", type=_whole(0, 2**32 - 1), default=0)
    one.add_argument("--out", type=Path, required=True)

    one = command("train", train, "train a network, or go on training it")
    one.add_argument("--data", type=Path, required=True, help="folder of pictures or digits")
    one.add_argument("--model", required=True, help="what to call it; digits, dogs and photos are known")
    one.add_argument("--recipe", choices=sorted(RECIPES), help="shape and training; the model's own by name")
    one.add_argument("--minutes", type=_real(0, math.inf), default=60, help="0: export what there is")
    one.add_argument("--pictures", type=int, help="stop at this total of pictures seen")
    one.add_argument(
        "--settle", action="store_true", help="let the step size fall to nothing by the end of this run"
    )
    one.add_argument("--runs", type=Path, default=Path("runs"), help="where checkpoints are kept")
    one.add_argument("--device", choices=("cpu", "cuda"), help="found by itself when not given")
    one.add_argument("--threads", type=_whole(1, 256))
    one.add_argument("--seed", type=_whole(0, 2**32 - 1), default=0)
    one.add_argument("--every", type=_real(0, math.inf), default=60, help="seconds between reports")
    one.add_argument("--samples-every", type=_whole(1, 10**6), default=10, help="reports between sheets")
    one.add_argument("--export", action="store_true", help="write MODEL and its card at the end")
    one.add_argument("--export-to", type=Path, default=checkpoint.PRETRAINED, help="folder to write them to")
    one.add_argument(
        "--data-set", choices=sorted(DATA_SETS), help="known data set, named in the card with its licence"
    )

    one = command("index", index, "index the training pictures: what tells new pictures from remembered ones")
    one.add_argument("--data", type=Path, required=True, help="folder of pictures or digits, as for train")
    one.add_argument("--model", required=True, help="the network trained on them")
    one.add_argument("--folder", type=Path, default=checkpoint.PRETRAINED, help="folder of the network")
    one.add_argument("--seed", type=_whole(0, 2**32 - 1), default=0)

    command("models", models, "list the shipped networks")
    return parser


def _real(low: float, high: float):  # noqa: ANN202 - argparse wants a plain function
    def real(text: str) -> float:
        value = float(text)
        if not low <= value <= high:  # NaN is not
            raise argparse.ArgumentTypeError(f"{value:g} is not between {low:g} and {high:g}")
        return value

    return real


def _whole(low: int, high: int):  # noqa: ANN202 - argparse wants a plain function
    def whole(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value} is not between {low} and {high}")
        return value

    return whole


if __name__ == "__main__":
    sys.exit(main())
