"""New, or remembered? How near a picture comes to those that a network was trained on.

No training picture is kept, only a few bytes of each: the picture averaged down to a thumbnail, its
principal directions evened out, and that turned at random onto a few axes. With the data's own
statistics a blurred likeness of its kind can be guessed back from them, not the picture.

Plain distances mislead: a smooth picture is near to everything, and so is a handwritten 1. What
gives a copy away is one training picture that stands out among the near ones [1]_:

    standing = distance to the nearest / mean distance to the 50 nearest

It is held against the same figure of pictures that were held out, which no network can remember.

References
----------
.. [1] Carlini et al., *Extracting Training Data from Diffusion Models*, arXiv 2301.13188, section 4.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from . import card as cards
from . import checkpoint
from .checkpoint import ModelError, read_card, sha256
from .data import DataSet, to_unit

#: Longest side of the thumbnail.
THUMBNAIL = 16
#: An index has at most this many bytes of codes, and a picture at most this many.
MOST_BYTES, MOST_CODES = 1_450_000, 32
#: Principal directions taken up for each number kept: what is left out cannot be guessed back.
DIRECTIONS = 4
#: Near pictures that the nearest is held against.
NEIGHBOURS = 50
#: Below this share of held-out pictures a picture counts as suspiciously near.
SUSPICIOUS = 0.05
#: A picture is also looked up shifted by up to this many pixels: a copy moved a little is one still.
SHIFT = 2
#: Held-out pictures that are looked up at most.
MOST_HELD_OUT = 1000
#: Pictures looked up at once.
_CHUNK = 16


@dataclass(frozen=True)
class Near:
    """What an index finds for one picture.

    Attributes
    ----------
    standing : float
        Distance to the nearest training picture over the mean of the 50 nearest: 0 for a copy, close
        to 1 where none stands out.
    share : float
        Share of held-out pictures whose nearest stands out at least as much.
    held_out : int
        How many of them there are.
    places : tuple of int
        The nearest training pictures, nearest first, in the order of :func:`diffusion.data.load`.
    """

    standing: float
    share: float
    held_out: int
    places: tuple[int, ...]


@dataclass(frozen=True)
class Index:
    """Training pictures as codes.

    Attributes
    ----------
    codes : Tensor, shape (N, K), uint8
        K numbers for each training picture.
    mean : Tensor, shape (D,)
        Of the thumbnails.
    axes : Tensor, shape (D, K)
        What a thumbnail is multiplied by, so that one step of a code is 1.
    held_out : Tensor, shape (M,)
        Standings of the held-out pictures, in rising order.
    side : int
        Of the thumbnail.
    shift : int
        A picture is also looked up shifted by up to this many pixels.
    flip : bool
        And mirrored.
    """

    codes: Tensor
    mean: Tensor
    axes: Tensor
    held_out: Tensor
    side: int
    shift: int
    flip: bool

    def look_up(self, picture: Tensor, nearest: int = 8) -> Near:
        """How near one picture, (1, C, H, W) in [-1, 1], comes to the training pictures."""
        distances, places = self.nearest(picture)
        standing = float(standings(distances)[0])
        share = float((self.held_out <= standing).double().mean())
        return Near(standing, share, len(self.held_out), tuple(places[0, :nearest].tolist()))

    def nearest(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Distances (B, 50) of pictures (B, C, H, W) to their nearest training pictures, and their places."""
        found = [self._nearest(part) for part in pictures.split(_CHUNK)]
        return torch.cat([distances for distances, _ in found]), torch.cat([places for _, places in found])

    def are(self, pictures: Tensor, places: Sequence[int]) -> bool:
        """Whether pictures (B, C, H, W) are the training pictures at these places, within rounding."""
        expected = self.codes[list(places)].float()
        found = _coded(pictures, self.mean, self.axes, self.side).clamp(0, 255)
        return bool((found - expected).abs().max() < 1)

    def _nearest(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        known = self.codes.float()
        turned = torch.cat([_coded(x, self.mean, self.axes, self.side) for x in self._turned(pictures)])
        distances = torch.cdist(turned, known).view(-1, len(pictures), len(known)).amin(0)
        values, places = distances.topk(min(NEIGHBOURS, len(known)), largest=False)
        return values, places

    def _turned(self, pictures: Tensor) -> list[Tensor]:
        """The pictures shifted in every way, and mirrored where training had mirrored them."""
        height, width = pictures.shape[-2:]
        padded = F.pad(pictures, (self.shift,) * 4, mode="replicate")
        places = itertools.product(range(2 * self.shift + 1), repeat=2)
        shifted = [padded[..., top : top + height, left : left + width] for top, left in places]
        return shifted + [x.flip(-1) for x in shifted] if self.flip else shifted


def standings(distances: Tensor) -> Tensor:
    """Distance to the nearest over the mean of all that are given, (B, 50) to (B,)."""
    return distances[:, 0] / distances.mean(1).clamp(min=1e-9)


def make(dataset: DataSet, *, flip: bool, rng: torch.Generator) -> Index:
    """Make the index of a data set.

    Parameters
    ----------
    dataset : DataSet
        Square pictures of one size.
    flip : bool
        Whether training mirrors them.
    rng : torch.Generator
        Turns the axes.

    Raises
    ------
    ValueError
        If fewer than two are held out: there would be nothing to compare with.
    """
    if len(dataset.val) < 2:
        raise ValueError(
            f"{len(dataset.val)} pictures are held out of this data set, too few to compare with: two are "
            "the least"
        )
    side = min(THUMBNAIL, dataset.train.pictures[0].shape[-1] // 2)
    pictures = dataset.train.pictures
    some = (to_unit(torch.stack(pictures[i : i + 1024])) for i in range(0, len(pictures), 1024))
    small = torch.cat([_thumbnails(x, side) for x in some])
    count = min(MOST_CODES, MOST_BYTES // len(small))
    mean = small.mean(0).half().float()  # as it is kept on disk
    spread, directions = torch.linalg.eigh(torch.cov((small - mean).T))
    taken = min(DIRECTIONS * count, int((spread > 1e-9 * spread[-1]).sum()))
    # Half-way evened out: large shapes still count for more, but do not drown what tells pictures apart.
    even = directions[:, -taken:] * spread[-taken:].pow(-0.25)
    turn, _ = torch.linalg.qr(torch.randn(taken, taken, generator=rng))
    axes = even @ turn[:, :count]
    axes *= 255 / 8 / ((small - mean) @ axes).std()  # four spreads each way fill a byte
    axes = axes.half().float()
    codes = _coded_thumbnails(small, mean, axes).round().clamp(0, 255).to(torch.uint8)
    index = Index(codes, mean, axes, torch.empty(0), side, SHIFT, flip)
    return _with_held_out(index, dataset.val.stacked()[:MOST_HELD_OUT])


def _with_held_out(index: Index, held_out: Tensor) -> Index:
    return replace(index, held_out=standings(index.nearest(held_out)[0]).sort().values)


def _thumbnails(pictures: Tensor, side: int) -> Tensor:
    return F.adaptive_avg_pool2d(pictures, side).flatten(1)


def _coded(pictures: Tensor, mean: Tensor, axes: Tensor, side: int) -> Tensor:
    return _coded_thumbnails(_thumbnails(pictures, side), mean, axes)


def _coded_thumbnails(small: Tensor, mean: Tensor, axes: Tensor) -> Tensor:
    return (small - mean) @ axes + 127.5


def check(index: Index, dataset: DataSet, rng: torch.Generator, count: int = 200) -> list[dict[str, Any]]:
    """How many spoilt copies of training pictures are found out, and how many held-out pictures are blamed.

    Parameters
    ----------
    index : Index
    dataset : DataSet
        The one it was made of.
    rng : torch.Generator
        Chooses pictures and noise.
    count : int
        Training pictures, and held-out ones, to try.

    Returns
    -------
    list of dict
        ``pictures``; ``suspicious``, the share below 5 % of the held-out pictures; ``nearer than all``,
        the share below every one of them; ``right one``, the share whose nearest is the picture itself.
        The held-out pictures tried are measured against the other half of them.
    """
    chosen = torch.randperm(len(dataset.train), generator=rng)[:count]
    copies = to_unit(torch.stack([dataset.train.pictures[i] for i in chosen.tolist()]))
    others = dataset.val.stacked()[:MOST_HELD_OUT]
    others = others[torch.randperm(len(others), generator=rng)]
    others, judges = others[: len(others) // 2], others[len(others) // 2 :]
    spoilt: dict[str, Callable[[Tensor], Tensor]] = {
        "as they are": lambda x: x,
        "with noise of spread 0.1": lambda x: _noisy(x, 0.1, rng),
        "with noise of spread 0.2": lambda x: _noisy(x, 0.2, rng),
        "shifted by 1 px": lambda x: _shifted(x, 1),
        "shifted by 2 px": lambda x: _shifted(x, 2),
        "blurred over 3×3 px": _blurred,
        "brighter by 0.1": lambda x: (x + 0.1).clamp(-1, 1),
    }
    half = _with_held_out(index, judges)

    def row(what: str, pictures: Tensor, against: Index, known: Tensor | None = None) -> dict[str, Any]:
        distances, places = against.nearest(pictures)
        standing = standings(distances)
        line, least = torch.quantile(against.held_out, SUSPICIOUS), against.held_out[0]
        shares = {"suspicious": standing < line, "nearer than all": standing < least}
        if known is not None:
            shares["right one"] = places[:, 0] == known
        found = {name: round(float(share.double().mean()), 3) for name, share in shares.items()}
        return {"pictures": what, "count": len(pictures)} | found

    rows = [row(f"training, {how}", spoil(copies), index, chosen) for how, spoil in spoilt.items()]
    tried = {"as they are": others[:count], "blurred over 3×3 px": _blurred(others[:count])}
    return rows + [row(f"held out, {how}", pictures, half) for how, pictures in tried.items()]


def agreement(index: Index, dataset: DataSet, count: int = 200) -> dict[str, float]:
    """How well the codes agree with whole pictures, on held-out ones.

    Returns
    -------
    dict
        Rank correlations of ``distances`` to the nearest and of ``standings``, by codes and by pixels;
        ``among the nearest ten``, the share whose nearest by pixels is among their ten nearest by codes.
    """
    pictures, train = dataset.val.stacked()[:count], dataset.train.stacked()
    flat = train.flatten(1)
    ways = [pictures, pictures.flip(-1)] if index.flip else [pictures]
    distances = torch.stack([torch.cdist(way.flatten(1), flat) for way in ways]).amin(0)
    by_pixels, nearest = distances.topk(min(NEIGHBOURS, len(flat)), largest=False)
    by_codes, places = index.nearest(pictures)
    found = {
        "distances": _rank_correlation(by_codes[:, 0], by_pixels[:, 0]),
        "standings": _rank_correlation(standings(by_codes), standings(by_pixels)),
        "among the nearest ten": float((places[:, :10] == nearest[:, :1]).any(1).double().mean()),
    }
    return {what: round(value, 3) for what, value in found.items()}


def _rank_correlation(a: Tensor, b: Tensor) -> float:
    ranks = torch.stack([values.argsort().argsort().double() for values in (a, b)])
    return float(torch.corrcoef(ranks)[0, 1])


def _noisy(x: Tensor, spread: float, rng: torch.Generator) -> Tensor:
    return (x + spread * torch.randn(x.shape, generator=rng)).clamp(-1, 1)


def _shifted(x: Tensor, by: int) -> Tensor:
    height, width = x.shape[-2:]
    return F.pad(x, (by,) * 4, mode="replicate")[..., :height, :width]


def _blurred(x: Tensor) -> Tensor:
    return F.avg_pool2d(F.pad(x, (1,) * 4, mode="replicate"), 3, stride=1)


def path(name: str, folder: Path) -> Path:
    """Where the index of a network lies."""
    return folder / f"{name}.index.safetensors"


def save(index: Index, name: str, folder: Path, facts: dict[str, Any]) -> None:
    """Write an index, and its hash and `facts` into the network's cards.

    Raises
    ------
    ModelError
        If there is no such network, or it was trained on another number of pictures.
    """
    card = read_card(name, folder)
    _same_pictures(index, card)
    tensors = {
        "codes": index.codes,
        "mean": index.mean.half(),
        "axes": index.axes.half(),
        "held_out": index.held_out,
    }
    how = {"side": index.side, "shift": index.shift, "flip": index.flip}
    file = path(name, folder)
    save_file({k: v.contiguous() for k, v in tensors.items()}, file, {"how": json.dumps(how)})
    file.chmod(0o644)  # else only the owner could read it
    entry = {
        "sha256": sha256(file),
        "bytes": file.stat().st_size,
        "pictures": len(index.codes),
        "numbers": index.codes.shape[1],
        "held_out": len(index.held_out),
    }
    cards.write(card | {"index": entry | facts}, folder)


def load(name: str, folder: Path | None = None) -> Index | None:
    """The index of a network; None if its card names none.

    Raises
    ------
    ModelError
        If it is missing or altered, or is of other pictures than the network was trained on.
    """
    folder = folder or checkpoint.PRETRAINED
    card = read_card(name, folder)
    if "index" not in card:
        return None
    file = path(name, folder)
    if not file.is_file():
        raise ModelError("the index {file} is missing; fetch it again", file=f"{folder.name}/{file.name}")
    try:
        if sha256(file) != card["index"]["sha256"]:
            raise ModelError(
                "the index {file} is not the one its card describes; fetch it again",
                file=f"{folder.name}/{file.name}",
            )
        with safe_open(file, "pt") as opened:
            how = json.loads((opened.metadata() or {})["how"])
            tensors = [opened.get_tensor(key) for key in ("codes", "mean", "axes", "held_out")]
        codes, mean, axes, held_out = tensors
        index = Index(codes, mean.float(), axes.float(), held_out, **how)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise ModelError(
            "the index of {name} cannot be loaded: {error}", name=name, error=str(error)
        ) from error
    _same_pictures(index, card)
    return index


def _same_pictures(index: Index, card: dict[str, Any]) -> None:
    trained = card.get("training", {}).get("pictures_in_set")
    if trained != len(index.codes):
        raise ModelError(
            "the index holds {indexed} pictures, but {name} was trained on {trained}; make it again with "
            "python -m diffusion index",
            indexed=len(index.codes), name=card["name"], trained=trained,
        )  # fmt: skip
