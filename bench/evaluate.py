"""All quality figures, on held-out data, into the model cards: ``python -m bench.evaluate``.

For every network in ``pretrained/``: figures against targets are printed, written into the card
(the ``evaluation`` key of NAME.json, and NAME.md made from it), and contact sheets to look at go
to ``runs/evaluate/``. Pictures are those of ``python -m diffusion generate`` at the same seed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench import metrics, steps
from bench.judges import DigitReader, DogEye, Judge, Judgement
from bench.machine import description, one_thread, optional, timed, whole
from diffusion import SAMPLERS, card, checkpoint, data, load_picture, picture_rng
from diffusion.denoiser import NetworkDenoiser
from diffusion.generate import (
    BEST_GRID,
    BEST_SAMPLER,
    EVALUATIONS,
    TURNS,
    asked,
    best_sampler,
    denoise,
    from_noise,
    looks_from_noise,
    steps_for,
)
from diffusion.grids import GRIDS
from diffusion.guidance import Guidance
from diffusion.noise import standard_normal
from diffusion.pictures import contact_sheet
from diffusion.recipes import FOLDERS, RECIPES

LARGEST = {  # parameters, bytes
    "digits": (1_000_000, 2_000_000),
    "dogs": (12_000_000, 24_000_000),
    "photos": (3_000_000, 6_000_000),
}
#: What would reach the targets that are not met, and after how many pictures that was so: estimates, to be
#: weighed anew after each training.
OUTLOOK: dict[str, tuple[int, str]] = {}
REFERENCE = 512
#: Sets of samples, a seed each, whose KID is averaged: few samples do not bias it, but from seed to seed it
#: differs by a tenth.
KID_SEEDS = 4
#: Guidances to compare without a guide, and weights in the range that the card advises.
GUIDANCES = (Guidance(1.0), Guidance(1.5), Guidance(3.0), Guidance(3.0, 0.2, 8.0))
WEIGHTS = (1.5, 2.0, 3.0)
GREY = (15, 25, 50)
#: How often a photo is looked at, to compare.
LOOKS = (1, 2, 3, 4)
GAINS = {15: 0.3, 25: 0.4, 50: 0.5}
FALL = (1, 2, 3, 5, 7, 10, 15, 20, 25, 30, 40, 50, 60, 75, 90, 100, 125, 150, 175, 200)

Figure = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """What a run was asked for.

    Attributes
    ----------
    data : Path
        Folder of the data sets.
    models : Path
        Folder of weights and cards.
    out : Path
        For contact sheets and what is kept between runs.
    count : int
        Samples a figure.
    table : int
        Samples a row of the table of samplers and grids; 0 leaves it out.
    row : int
        Samples a row of the tables of guidances.
    seed : int
        Of all samples and noise.
    quick : bool
        Fewer of everything slow.
    full : bool
        The table on all samples, BM3D on all photos.
    """

    data: Path
    models: Path
    out: Path
    count: int
    table: int
    row: int
    seed: int
    quick: bool
    full: bool


def samples(
    net: NetworkDenoiser,
    indices: Sequence[int],
    seed: int = 0,
    *,
    evaluations: int = 10,
    sampler: str | None = None,
    grid: str = BEST_GRID,
    batch: int = 16,
    pick: bool = True,
) -> Tensor:
    """Pictures from pure noise as :func:`diffusion.generate.from_noise` makes them, but in batches.

    With `pick`, the seed picks a class for each (:func:`diffusion.generate.asked`); without, `net` is
    asked as it is.

    Returns
    -------
    Tensor, shape (len(indices), C, size, size)
        In [-1, 1], rounded to 8 bits as a PNG would be.
    """
    finished = []
    for start in range(0, len(indices), batch):
        chosen = indices[start : start + batch]
        one = asked(net, seed, *chosen) if pick else net
        steps = steps_for(evaluations, one, sampler, grid)
        *_, last = from_noise(one, seed, chosen, steps=steps, sampler=sampler, grid=grid)
        finished.append(data.to_unit(metrics.eight_bit(last.x_s)))
    return torch.cat(finished)


def asked_samples(
    net: NetworkDenoiser, count: int, seed: int, *, guidance: Guidance | None = None, evaluations: int = 10
) -> tuple[Tensor, Tensor]:
    """Samples of every class in equal numbers, at least `count` in all, and what was asked for."""
    each = math.ceil(count / len(net.classes))

    def of_class(k: int) -> Tensor:
        net_k = net.asked_for(net.classes[k], guidance=guidance)
        return samples(net_k, range(k * each, (k + 1) * each), seed, evaluations=evaluations, pick=False)

    made = [of_class(k) for k in range(len(net.classes))]
    return torch.cat(made), torch.arange(len(net.classes)).repeat_interleave(each)


class Yardstick:
    """Compares judged samples with training pictures; its unit is what those differ among themselves."""

    def __init__(self, judge: Judge, train: Tensor) -> None:
        self.judge = judge
        order = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))
        self.train = train[order]
        size = min(REFERENCE, len(train) // 2)
        self.reference = judge.remembered(self.train[:size]).features
        self._units: dict[int, float] = {}

    def others(self, count: int) -> Tensor:
        """Training pictures that are not in the reference."""
        return self.train[len(self.reference) :][:count]

    def unit(self, count: int) -> float:
        """Fréchet distance of that many other training pictures to the reference."""
        if count not in self._units:
            others = self.judge.remembered(self.others(REFERENCE)).features
            if count > len(others):
                others = self.judge.remembered(self.others(count)).features
            self._units[count] = metrics.frechet(others[:count], self.reference)
        return self._units[count]

    def row(self, judged: Judgement) -> dict[str, float]:
        """Rate, Fréchet distance over the unit, kernel distance; KID in the judge's own scale."""
        distance = metrics.frechet(judged.features, self.reference)
        return {
            self.judge.rate_name: self.judge.rate(judged),
            "Fréchet over unit": distance / self.unit(len(judged.features)),
            "KID": metrics.kid(judged.features, self.reference),
        }


def sampler_table(net: NetworkDenoiser, yardstick: Yardstick, options: Options) -> list[dict[str, Any]]:
    """Every sampler on every grid at ten evaluations; best first, by KID, which few samples do not bias."""
    rows = []
    for sampler in SAMPLERS:
        for grid in GRIDS:
            x = samples(net, range(options.table), options.seed, sampler=sampler, grid=grid)
            rows.append({"sampler": sampler, "grid": grid} | _rounded(yardstick.row(yardstick.judge(x))))
            _say(" ".join(str(v) for v in rows[-1].values()))
    return sorted(rows, key=lambda row: row["KID"])


def generator(net: NetworkDenoiser, judge: Judge, dataset: data.DataSet, options: Options) -> dict[str, Any]:
    """Figures of a network that makes pictures from noise."""
    count, seed = options.count, options.seed
    yardstick = Yardstick(judge, dataset.train.stacked())
    held_out = dataset.val.stacked()
    orientation = _orientation(yardstick, held_out[:512], count)

    x10 = samples(net, range(count), seed)
    judged10 = judge(x10)
    row10 = yardstick.row(judged10)
    _say(f"10 evaluations: {_rounded(row10)}")
    fewer = max(2, count // 2) if options.quick else count
    x50 = samples(net, range(fewer), seed, evaluations=50)
    row50 = yardstick.row(judge(x50))
    _say(f"50 evaluations: {_rounded(row50)}")
    contact_sheet(x10[:64]).save(options.out / f"{net.name}-10.png")
    contact_sheet(x50[:64]).save(options.out / f"{net.name}-50.png")

    one = asked(net, seed, 0)
    steps10, steps50 = steps_for(EVALUATIONS, one), steps_for(50, one)
    how = f"{best_sampler(steps10)}, {BEST_GRID}, {count} samples"
    if net.classes:
        how += f" of classes the seed picks, {_said(one)}, {steps10} steps"
    how50 = f"the same, but {best_sampler(steps50)}, {fewer} samples, {steps50} steps"
    rate, frechet, kid = row10.values()
    frechet50 = row50["Fréchet over unit"]
    if isinstance(judge, DigitReader):
        shares = torch.bincount(judged10.label, minlength=10) / count
        figures = [
            _figure("samples sure of some digit, 10 evaluations", rate, 0.95, note=how),
            _figure("rarest digit's share of samples", float(shares.min()), 0.05, note=how),
            _at_most("commonest digit's share", float(shares.max()), 0.20, note=how),
            *_asked_digits(net, judge, options),
            _figure("Fréchet distance over unit, 10 evaluations", frechet, note=how),
            _figure("Fréchet distance over unit, 50 evaluations", frechet50, note=how50),
        ]
    else:
        figures = [
            _figure("dog rate, 10 evaluations", rate, 0.80, note=how),
            _figure("dog rate, 50 evaluations", row50[judge.rate_name], note=how50),
            _distance("Fréchet distance over unit, 10 evaluations", frechet, 1.5, count, how),
            _distance("Fréchet distance over unit, 50 evaluations", frechet50, 1.3, fewer, how50),
            _kid(net, yardstick, options, kid, how),
        ]
    figures += _copies(net, judge, dataset, held_out, x10, judged10, options)

    tables = [_table("For orientation: the same figures of real and spoilt pictures", orientation)]
    if net.classes:
        tables += [
            _table(f"Guidance, {most} evaluations in all", _guided(net, yardstick, options, most))
            for most in (10, 50)
        ]
    if options.table:
        rows = sampler_table(net, yardstick, options)
        title = f"Samplers and grids at 10 evaluations, {options.table} samples a row, best first"
        tables.append(_table(title, rows))
        best = (rows[0]["sampler"], rows[0]["grid"])
        if best != (BEST_SAMPLER, BEST_GRID):
            _say(f"note: {best} beats the preset {(BEST_SAMPLER, BEST_GRID)} of diffusion/generate.py")
    way: dict[str, Any] = {"sampler": BEST_SAMPLER, "grid": BEST_GRID, "guidance": net.advised.facts()}
    way["looks"] = looks_from_noise(one, steps10)
    return {"judge": judge.about, "way": way, "figures": figures, "tables": tables}


def _kid(net: NetworkDenoiser, yardstick: Yardstick, options: Options, first: float, how: str) -> Figure:
    """KID at ten evaluations, the mean over some seeds, of which the first is known."""
    found = [first]
    for seed in range(options.seed + 1, options.seed + (1 if options.quick else KID_SEEDS)):
        x = samples(net, range(options.count), seed)
        found.append(yardstick.row(yardstick.judge(x))["KID"])
        _say(f"KID of seed {seed}: {found[-1]:.4f}")
    note = f"{how}; mean of {len(found)} seeds, {min(found):.4f} to {max(found):.4f}"
    return _at_most("kernel distance (KID), 10 evaluations", statistics.fmean(found), 0.05, note=note)


def _orientation(yardstick: Yardstick, held_out: Tensor, count: int) -> list[dict[str, Any]]:
    judge, others = yardstick.judge, yardstick.others(count)
    noise = torch.randn(others.shape, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)
    sets = {
        "held out": held_out,
        "training, another set": others,
        "the same blurred by 1 px": metrics.blurred(others, 1),
        "the same blurred by 2 px": metrics.blurred(others, 2),
        "128 training pictures repeated": others[torch.arange(count) % 128],
        "noise": noise,
    }
    rows = []
    for what, x in sets.items():
        if what.startswith("128") and count <= 128:
            continue
        judged = judge.remembered(data.to_unit(metrics.eight_bit(x)))
        rows.append({"pictures": what, "count": len(x)} | _rounded(yardstick.row(judged)))
        _say(" ".join(str(v) for v in rows[-1].values()))
    return rows


def _asked_digits(net: NetworkDenoiser, judge: Judge, options: Options) -> list[Figure]:
    if not net.classes:
        return []
    x, wanted = asked_samples(net, options.count, options.seed)
    right = float((judge(x).label == wanted).double().mean())
    note = f"{len(x)} samples, {_said(net.asked_for(net.classes[0]))}"
    return [_figure("asked for a digit, it is that digit", right, 0.97, note=note)]


def _guided(
    net: NetworkDenoiser, yardstick: Yardstick, options: Options, evaluations: int
) -> list[dict[str, Any]]:
    """Classes in equal numbers at several guidances; at ten evaluations also odd ones, and no class."""
    count = options.row
    rows = []
    advised = asked(net, options.seed, 0).guidance
    weights = sorted({*WEIGHTS, advised.weight})
    usual = [(net.guide is not None, replace(advised, weight=weight)) for weight in weights]
    unusual = [(False, guidance) for guidance in (None, *GUIDANCES, advised)]
    tried = usual if evaluations > EVALUATIONS else unusual + usual
    for by_guide, guidance in dict.fromkeys(tried):
        one = net if by_guide else net.without_guide()
        if guidance is None:
            x = samples(one, range(count), options.seed, evaluations=evaluations, pick=False)
        else:
            x, _ = asked_samples(one, count, options.seed, guidance=guidance, evaluations=evaluations)
            one = one.asked_for(one.classes[0], guidance=guidance)
            if (by_guide, guidance) == (net.guide is not None, advised):
                sheet = contact_sheet(x[:: max(1, len(x) // 64)][:64])
                sheet.save(options.out / f"{net.name}-asked-{evaluations}.png")
        pushed = guidance is not None and guidance.weight != 1
        row: dict[str, Any] = {"guidance": guidance.weight if guidance else "no class"}
        row["away from"] = ("the guide" if by_guide else "no class") if pushed else "–"
        row["where σ is"] = _range(guidance) if guidance and pushed else "–"
        row |= {"steps": steps_for(evaluations, one), "samples": len(x)}
        rows.append(row | _rounded(yardstick.row(yardstick.judge(x))))
        _say(f"guidance: {rows[-1]}")
    return rows


def _said(net: NetworkDenoiser) -> str:
    where = "" if net.guidance.weight == 1 else f" where σ is {_range(net.guidance)}"
    return f"guidance {net.guidance.weight:g}{' by its guide' if net.guide else ''}{where}"


def _range(guidance: Guidance) -> str:
    return "any" if guidance == Guidance(guidance.weight) else f"{guidance.low:g} to {guidance.high:g}"


def _copies(
    net: NetworkDenoiser,
    judge: Judge,
    dataset: data.DataSet,
    held_out: Tensor,
    x: Tensor,
    judged: Judgement,
    options: Options,
) -> list[Figure]:
    """Is the network remembering? Nearest training pictures, by pixels and by the judge's features."""
    train = dataset.train.stacked()
    mirrors = RECIPES[net.name].flip if net.name in RECIPES else True
    look = metrics.nearest_mirrored if mirrors else metrics.nearest
    near, index = look(x, train)
    share = metrics.copies_share(near, look(held_out[:1000], train)[0])
    closest = near.argsort()[:16]
    pairs = torch.stack([x[closest], train[index[closest]]], dim=1).flatten(0, 1)
    contact_sheet(pairs, columns=8).save(options.out / f"{net.name}-nearest.png")
    mirrored = ", mirrors counted" if mirrors else ""
    note = f"nearest training picture by pixels{mirrored}"
    figures = [_at_most("nearer to training than 95 % of held-out pictures", share, 0.10, note=note)]
    if options.quick:
        return figures
    known = judge.remembered(train).features
    others = held_out[:1000]

    def distance(pictures: Tensor, features: Tensor) -> Tensor:
        straight = metrics.nearest(features, known)[0]
        if not mirrors:
            return straight
        return torch.minimum(straight, metrics.nearest(judge(pictures.flip(-1)).features, known)[0])

    share = metrics.copies_share(
        distance(x, judged.features), distance(others, judge.remembered(others).features)
    )
    note = f"nearest training picture by the judge's features{mirrored}"
    return [*figures, _at_most("the same by features", share, 0.10, note=note)]


def photos(net: NetworkDenoiser, files: Sequence[Path], options: Options) -> dict[str, Any]:
    """Figures of the network that takes noise out of photos.

    Parameters
    ----------
    net : NetworkDenoiser
    files : sequence of Path
        Held-out photos.
    options : Options
    """
    chosen = files[::4] if options.quick else files
    clean = [load_picture(file, size=None) for file in chosen]
    noise = [standard_normal(x, picture_rng(options.seed, i)) for i, x in enumerate(clean)]
    few = range(0, len(clean), max(1, len(clean) // (4 if options.quick else 16)))
    everywhere = range(len(clean))

    def noisy(i: int, grey: float) -> Tensor:
        return clean[i] + 2 * grey / 255 * noise[i]

    def ours(i: int, grey: float, turns: int = TURNS) -> Tensor:
        return metrics.eight_bit(denoise(net, noisy(i, grey), 2 * grey / 255, turns))

    def value(i: int, cleaned: Tensor) -> float:
        return metrics.psnr(cleaned, metrics.eight_bit(clean[i]))

    figures: list[Figure] = []
    at: dict[int, list[float]] = {}
    for grey in GREY:
        at[grey] = [value(i, ours(i, grey)) for i in everywhere]
        mean = statistics.fmean(at[grey])
        note = f"{len(clean)} held-out photos, the mean of {TURNS} looks"
        figures.append(_figure(f"PSNR at σ = {grey}", mean, unit="dB", note=note))
        _say(f"PSNR at {grey}: {mean:.2f} dB over {len(clean)}")

    tables: list[dict[str, Any]] = []
    rows = []
    for turns in LOOKS:
        began = time.process_time()
        with one_thread():
            row = {
                f"σ = {grey}, dB": statistics.fmean(value(i, ours(i, grey, turns)) for i in few)
                for grey in GREY
            }
        taken = (time.process_time() - began) / len(few) / len(GREY)
        rows.append(_rounded({"looks": turns, **row, "ms a photo": 1e3 * taken}))
        _say(str(rows[-1]))
    tables.append(
        _table(
            f"Looks at the photo as it is, by half a turn, a quarter, three quarters: {len(few)} photos", rows
        )
    )

    package = optional("bm3d", "bm3d (free for non-commercial use)")
    theirs: dict[int, Tensor] = {}
    if package is not None:
        rows, ratios = [], []
        for grey in GREY:
            slow = quick = 0.0
            known = {}
            for i in few:
                began = time.process_time()
                cleaned = bm3d(package, noisy(i, grey), grey)
                middle = time.process_time()
                with one_thread():
                    ours(i, grey)
                quick += time.process_time() - middle
                slow += middle - began
                known[i] = value(i, cleaned)
                if grey == 25:
                    theirs[i] = cleaned
            kept = options.out / "cache" / f"bm3d-{version(package.__name__)}-{grey}.json"
            names = [_fingerprint(noisy(i, grey)) for i in everywhere]
            known = bm3d_values(
                kept, names, known,
                (lambda i, g=grey: value(i, bm3d(package, noisy(i, g), g))) if options.full else None,
            )  # fmt: skip
            mean, other = statistics.fmean(at[grey][i] for i in known), statistics.fmean(known.values())
            row = {"σ": grey, "photos": len(known), "ours, dB": mean, "BM3D, dB": other}
            row |= {"ours, ms": 1e3 * quick / len(few), "BM3D, ms": 1e3 * slow / len(few)}
            rows.append(_rounded(row))
            ratios.append(slow / quick)
            note = f"the same {len(known)} photos and noise, {TURNS} looks"
            figures.append(
                _figure(f"above BM3D at σ = {grey}", mean - other, GAINS[grey], unit="dB", note=note)
            )
            _say(str(rows[-1]))
        tables.append(_table("Against BM3D, one thread each, processor time", rows))
        note = f"the least of the three levels, on {len(few)} photos, {TURNS} looks"
        figures.append(_figure("times as fast as BM3D", min(ratios), 20, note=note))

    fall = []
    levels = FALL[::2] if options.quick else FALL
    for grey in levels:
        mean = statistics.fmean(value(i, ours(i, grey)) for i in few)
        flat = [metrics.eight_bit(clean[i].mean(dim=(2, 3), keepdim=True).expand_as(clean[i])) for i in few]
        plain = statistics.fmean(value(i, x) for i, x in zip(few, flat, strict=True))
        fall.append(_rounded({"σ": grey, "ours, dB": mean, "the photo's mean colour, dB": plain}))
    values = [row["ours, dB"] for row in fall]
    margin = min(row["ours, dB"] - row["the photo's mean colour, dB"] for row in fall)
    rise, bend = max(largest_rise(values), 0.0), largest_bend(levels, values)
    note = f"σ from 1 to 200 in {len(levels)} levels, {len(few)} photos, {TURNS} looks"
    figures += [
        _at_most("largest rise of PSNR as the noise grows", rise, 0.0, unit="dB", note=note),
        _figure("largest bend of that curve", bend, unit="dB", note="from the line through the neighbours"),
        _figure("least margin over returning the photo's mean colour", margin, 0.0, unit="dB", note=note),
    ]
    tables.append(_table("From noise 1 to 200", fall))
    _photo_sheet(clean, noise, ours, theirs, list(few)[:6], options.out / f"{net.name}.png")
    about = "PSNR of 8-bit pictures; the noise is float and unclipped"
    return {"judge": about, "figures": figures, "tables": tables}


def bm3d(package: Any, noisy: Tensor, grey: float) -> Tensor:  # noqa: ANN401 - an optional package
    """BM3D (normal profile, colour, one thread) of one picture in [-1, 1]; 8-bit values."""
    profile = package.BM3DProfile()
    profile.num_threads = 1
    z = (noisy[0].permute(1, 2, 0).double().numpy() + 1) / 2
    cleaned = np.asarray(package.bm3d_rgb(z, grey / 255, profile))
    return torch.from_numpy(cleaned).permute(2, 0, 1)[None].mul(255).round().clamp(0, 255).float()


def _fingerprint(x: Tensor) -> str:
    return hashlib.sha256(x.contiguous().numpy().tobytes()).hexdigest()[:24]


def bm3d_values(
    kept: Path, names: Sequence[str], known: dict[int, float], measure: Callable[[int], float] | None = None
) -> dict[int, float]:
    """BM3D's PSNR, photo by photo. It is slow and never learns: what it scored is kept by name.

    In the order of the names, which are hashes: what an interrupted run leaves is no choice of breeds.

    Parameters
    ----------
    kept : Path
        Where.
    names : sequence of str
        Of all photos.
    known : dict of int to float
        What was measured just now, by the photo's place.
    measure : callable, optional
        Measures a photo that has no score yet; without it, such photos are left out.

    Returns
    -------
    dict of int to float
        By the photo's place, in order.
    """
    scores: dict[str, float] = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    scores |= {names[i]: score for i, score in known.items()}
    for name, i in sorted((name, i) for i, name in enumerate(names)):
        if measure is not None and name not in scores:
            scores[name] = measure(i)
            _keep(kept, scores)
    _keep(kept, scores)
    return {i: scores[name] for i, name in enumerate(names) if name in scores}


def _keep(file: Path, scores: dict[str, float]) -> None:
    with whole(file) as partial:
        partial.write_text(json.dumps(scores, indent=1), encoding="utf-8")


def largest_rise(values: Sequence[float]) -> float:
    """The most a value is above the one before it; negative when all fall."""
    return max(after - before for before, after in pairwise(values))


def largest_bend(levels: Sequence[float], values: Sequence[float]) -> float:
    """The furthest that any point lies from the line through its neighbours, over ln(level)."""
    bends = []
    for k in range(1, len(values) - 1):
        before, here, after = (math.log(level) for level in levels[k - 1 : k + 2])
        share = (here - before) / (after - before)
        bends.append(abs(values[k] - (values[k - 1] + share * (values[k + 1] - values[k - 1]))))
    return max(bends, default=0.0)


def _photo_sheet(
    clean: list[Tensor],
    noise: list[Tensor],
    ours: Callable[[int, float], Tensor],
    theirs: dict[int, Tensor],
    few: list[int],
    path: Path,
) -> None:
    """Noisy at 25, ours, BM3D where there is one, clean: a row a photo, the middle 128 px."""
    pictures = []
    for i in few:
        row = [clean[i] + 50 / 255 * noise[i], data.to_unit(ours(i, 25))]
        row += [data.to_unit(theirs[i])] if i in theirs else []
        for x in [*row, clean[i]]:
            top, left = (x.shape[2] - 128) // 2, (x.shape[3] - 128) // 2
            pictures.append(x[:, :, top : top + 128, left : left + 128])
    contact_sheet(torch.cat(pictures), columns=len(pictures) // len(few)).save(path)


@one_thread()
def _speed(net: NetworkDenoiser, options: Options) -> list[Figure]:
    if net.name == "dogs":
        rows = steps.measure(10 if options.quick else 40, with_memory=False, net=net)
        taken = rows[0].timing
        note = f"processor time, median; on the clock at least {1e3 * taken.best:.1f} ms"
        figures = [_at_most("one 64×64 step, one thread", 1e3 * taken.median, 50, unit="ms", note=note)]
        for row in rows:
            if row.name == steps.DIFFUSERS:
                ratio = row.timing.median / taken.median
                figures.append(_figure("times as fast as its like in diffusers", ratio, 3, note=row.name))
        return figures
    if net.name == "digits":

        def journey() -> None:
            for _ in from_noise(net, options.seed):
                pass

        taken = timed([journey], 20)[0]
        note = f"processor time, median; on the clock at least {1e3 * taken.best:.1f} ms"
        return [
            _at_most("ten steps of one picture, one thread", 1e3 * taken.median, 100, unit="ms", note=note)
        ]
    return []


def evaluate(name: str, options: Options) -> dict[str, Any]:
    """Measure one network; returns what goes under ``evaluation`` in its card.

    Raises
    ------
    RuntimeError
        If its judge is missing or no good.
    """
    began = time.monotonic()
    before = checkpoint.read_card(name, options.models)
    net = checkpoint.load_denoiser(name, options.models)
    folder, cache = options.data / FOLDERS[name], options.out / "cache"
    options.out.mkdir(parents=True, exist_ok=True)
    machine = description()
    if name == "photos":
        found = photos(net, data.parts(folder)["val"], options)
    else:
        recipe = RECIPES[name]
        dataset = data.load(folder, channels=net.channels, size=net.size, whole=False, only=recipe.only)
        judge = DigitReader(cache, dataset) if name == "digits" else DogEye(cache)
        _say(judge.about)
        found = generator(net, judge, dataset, options)
    parameters, size = LARGEST[name]
    found["figures"] += [
        *_speed(net, options),
        _at_most("parameters", before["parameters"], parameters),
        _at_most("bytes on disk", before["bytes"], size),
    ]
    seen, outlook = OUTLOOK.get(name, (0, ""))
    short = any(card.met(figure) is False for figure in found["figures"])
    if short and seen == before["training"]["pictures_seen"]:
        found["outlook"] = outlook
    return found | {
        "machine": machine,
        "minutes": round((time.monotonic() - began) / 60, 1),
        "seed": options.seed,
        "count": options.count,
        "quick": options.quick,
        "sha256": before["sha256"],
    }


def keep(name: str, evaluation: dict[str, Any], folder: Path) -> None:
    """Write an evaluation into the cards; nothing else in them changes.

    Raises
    ------
    RuntimeError
        If the weights were replaced since they were measured.
    """
    now = checkpoint.read_card(name, folder)
    if now.get("sha256") != evaluation["sha256"]:
        raise RuntimeError(f"{name} was replaced while it was measured; evaluate it again")
    card.write(now | {"evaluation": evaluation}, folder)


def _figure(
    what: str, value: float, target: float | None = None, *, unit: str = "", note: str = ""
) -> Figure:
    """A figure, and its target if it is to be at least that."""
    figure: Figure = {"what": what, "value": round(float(value), 5)}
    if target is not None:
        figure |= {"target": target, "at_least": True}
    return figure | {k: v for k, v in (("unit", unit), ("note", note)) if v}


def _at_most(what: str, value: float, target: float, *, unit: str = "", note: str = "") -> Figure:
    """A figure that is to be at most its target."""
    return _figure(what, value, target, unit=unit, note=note) | {"at_least": False}


def _distance(what: str, value: float, target: float, count: int, note: str) -> Figure:
    """A Fréchet distance, held against its target only where the samples are as many as it is meant for.

    The bias of few samples is in the unit too and pulls the quotient towards 1.
    """
    if count < REFERENCE:
        return _figure(what, value, note=f"{note}: too few for the target, {target} with {REFERENCE}")
    return _at_most(what, value, target, note=note)


def _table(title: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"title": title, "rows": rows}


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}


def _say(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Evaluate what there is; returns the exit status."""
    options, names, write = _options(arguments)
    status = 0
    for name in names:
        print(f"{name}:", file=sys.stderr, flush=True)
        if name not in checkpoint.available(options.models):
            print(f"{name}: skipped, no such model in {options.models}")
            continue
        if not (options.data / FOLDERS[name]).is_dir():
            print(f"{name}: skipped, no {FOLDERS[name]} in {options.data}")
            continue
        try:
            found = evaluate(name, options)
            if write:
                keep(name, found, options.models)
        except (RuntimeError, ValueError, OSError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            status = 1
            continue
        print(f"\n## {name}\n\n{found['machine']}\n\n{card.figures_table(found['figures']).markdown()}")
        for table in found["tables"]:
            rows = [list(row.values()) for row in table["rows"]]
            print(f"\n{table['title']}\n\n{card.Table.of(list(table['rows'][0]), rows).markdown()}")
    return status


def _options(arguments: list[str] | None) -> tuple[Options, list[str], bool]:
    parser = argparse.ArgumentParser(prog="python -m bench.evaluate", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help=f"folder with {', '.join(FOLDERS.values())}")
    parser.add_argument("--model", choices=sorted(FOLDERS), help="this one alone")
    parser.add_argument(
        "--models", type=Path, default=checkpoint.PRETRAINED, help="folder of weights and cards"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/evaluate"), help="for contact sheets")
    parser.add_argument("--count", type=int, default=512, help="samples a figure")
    parser.add_argument("--table", type=int, help="samples a row of the tables (0: no table of samplers)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1, help="what is timed takes one anyway")
    parser.add_argument("--quick", action="store_true", help="fewer of everything slow")
    parser.add_argument("--full", action="store_true", help="the table and BM3D on everything")
    parser.add_argument("--no-write", action="store_true", help="leave the cards alone")
    given = parser.parse_args(arguments)
    if given.count < 8 or (given.table is not None and given.table < 0):
        parser.error("--count must be at least 8, --table at least 0")
    torch.set_num_threads(given.threads)
    usual = given.count if given.full else min(given.count, 32 if given.quick else 128)
    options = Options(
        given.data, given.models, given.out, given.count,
        usual if given.table is None else given.table, given.table or usual, given.seed, given.quick,
        given.full,
    )  # fmt: skip
    return options, [given.model] if given.model else sorted(FOLDERS), not given.no_write


if __name__ == "__main__":
    sys.exit(main())
