"""Training data: folders of pictures and the digits, held in memory as bytes.

Three layouts are read, and any folder of pictures:

- a folder of pictures, or of one sub-folder per class (``train/dog/*.jpg``);
- the Oxford-IIIT Pet archive as published (``images/*.jpg`` beside ``annotations/xmls/*.xml``),
  whose annotated head boxes are cut out when square crops are asked for;
- digits as ``train.npz`` (``images``, ``labels``) or in MNIST's original IDX files.

A folder with ``train`` and ``val`` inside is split as it stands; otherwise every 30th picture, in
the order of the names, is held out. Classes are the sub-folders; where the pictures lie in one
folder, the names before the number (``great_pyrenees_17.jpg`` is a ``great_pyrenees``).
"""

from __future__ import annotations

import gzip
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch import Tensor

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
HELD_OUT_EVERY = 30


class DataError(ValueError):
    """The training data cannot be read; the message says what was looked for, and where."""


@dataclass(frozen=True)
class Split:
    """Pictures of one split, as bytes.

    Attributes
    ----------
    pictures : tuple of Tensor
        uint8 tensors of shape (C, H, W); all of one shape unless they are whole photos.
    labels : Tensor, shape (N,), int64
        Class of each picture.
    names : tuple of str
        Where each came from (file name or index).
    """

    pictures: tuple[Tensor, ...]
    labels: Tensor
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.pictures)

    def stacked(self) -> Tensor:
        """All pictures as one float32 tensor in [-1, 1], shape (N, C, H, W)."""
        return to_unit(torch.stack(self.pictures))


@dataclass(frozen=True)
class DataSet:
    """A training and a held-out split, and the names of the classes."""

    train: Split
    val: Split
    classes: tuple[str, ...]


def to_unit(pictures: Tensor) -> Tensor:
    """Bytes 0..255 to float32 in [-1, 1]."""
    return pictures.float().div(127.5).sub(1)


def load(folder: Path, *, channels: int, size: int, whole: bool, only: str | None = None) -> DataSet:
    """Read a data set.

    Parameters
    ----------
    folder : Path
        See the module's text for the layouts.
    channels : int
        1 for grey, 3 for RGB.
    size : int
        Side of the square pictures in pixels.
    whole : bool
        Keep whole photos with their short side at least `size` instead of square pictures.
    only : str, optional
        Read this class folder alone (``"dog"``), where there are such folders.

    Raises
    ------
    DataError
        If nothing readable is found, or digits of another size than is asked for.
    """
    if not folder.is_dir():
        raise DataError(f"no such folder: {folder}. Give --data the folder that holds the pictures.")
    digits = _load_digits(folder)
    if digits is not None:
        shape = (channels, size, size)
        every = (*digits.train.pictures, *digits.val.pictures)
        if other := next((p.shape for p in every if p.shape != shape), ()):
            raise DataError(f"{folder} holds digits of shape {tuple(other)}, but this network takes {shape}")
        return digits
    files = parts(folder, only)
    folders = len({f.parent.name for f in files["train"]}) > 1
    classes = tuple(sorted({_class_of(f, folders) for f in files["train"]}))
    index = {name: i for i, name in enumerate(classes)}
    boxes = _head_boxes(folder)

    def read(of: list[Path]) -> Split:
        return Split(
            tuple(_read(f, channels, size, whole, boxes.get(f.stem)) for f in of),
            torch.tensor([index.get(_class_of(f, folders), len(classes)) for f in of]),
            tuple(f.name for f in of),
        )

    return DataSet(read(files["train"]), read(files["val"]), classes)


def pick(
    folder: Path, places: Sequence[int], *, channels: int, size: int, only: str | None = None
) -> list[Tensor]:
    """A few square training pictures by their places in :func:`load`'s order, without reading the rest.

    Raises
    ------
    DataError
        If there are not so many.
    """
    digits = _load_digits(folder)
    files = [] if digits else parts(folder, only)["train"]
    if max(places) >= (count := len(digits.train) if digits else len(files)):
        raise DataError(f"{folder} holds only {count} training pictures")
    if digits:
        return [digits.train.pictures[i] for i in places]
    boxes = _head_boxes(folder)
    return [_read(files[i], channels, size, False, boxes.get(files[i].stem)) for i in places]


def batch(
    split: Split, count: int, size: int, rng: torch.Generator, *, flip: bool, shift: int
) -> tuple[Tensor, Tensor]:
    """Draw `count` pictures at random, augmented.

    Parameters
    ----------
    split : Split
        What to draw from.
    count : int
        Batch size B.
    size : int
        Side of the square crops.
    rng : torch.Generator
        CPU generator; every choice comes from it.
    flip : bool
        Mirror half of them.
    shift : int
        Shift by up to this many pixels each way, the edge repeated.

    Returns
    -------
    x0 : Tensor, shape (B, C, size, size), float32 in [-1, 1]
    labels : Tensor, shape (B,), int64
    """
    chosen = torch.randint(len(split), (count,), generator=rng)
    pictures = []
    for i in chosen.tolist():
        picture = _random_crop(split.pictures[i], size, shift, rng)
        mirrored = flip and bool(torch.randint(2, (), generator=rng))
        pictures.append(picture.flip(-1) if mirrored else picture)
    return to_unit(torch.stack(pictures)), split.labels[chosen]


def centre_crops(split: Split, size: int) -> Tensor:
    """Every picture's middle square of `size` pixels: (N, C, size, size) float32 in [-1, 1]."""
    crops = []
    for picture in split.pictures:
        top, left = (picture.shape[1] - size) // 2, (picture.shape[2] - size) // 2
        crops.append(picture[:, top : top + size, left : left + size])
    return to_unit(torch.stack(crops))


def _random_crop(picture: Tensor, size: int, shift: int, rng: torch.Generator) -> Tensor:
    _, height, width = picture.shape
    if height == width == size:
        if not shift:
            return picture
        top, left = torch.randint(2 * shift + 1, (2,), generator=rng).tolist()
        padded = F.pad(picture[None].float(), (shift,) * 4, mode="replicate")[0].to(torch.uint8)
        return padded[:, top : top + size, left : left + size]
    # A third of the crops of whole photos are taken twice as large and averaged down: detail at
    # another scale.
    scale = 2 if min(height, width) >= 2 * size and torch.randint(3, (), generator=rng) == 0 else 1
    side = size * scale
    top = int(torch.randint(height - side + 1, (), generator=rng))
    left = int(torch.randint(width - side + 1, (), generator=rng))
    crop = picture[:, top : top + side, left : left + side]
    return F.avg_pool2d(crop[None].float(), scale)[0].round().to(torch.uint8) if scale > 1 else crop


def parts(folder: Path, only: str | None = None) -> dict[str, list[Path]]:
    """The files to train on (``"train"``) and those held out (``"val"``).

    Raises
    ------
    DataError
        If there are none.
    """
    found = {split: _files(folder / split, only) for split in ("train", "val")}
    if not (found["train"] and found["val"]):
        files = found["train"] or _files(_pictures_of(folder), only)
        found = {
            "train": [f for i, f in enumerate(files) if i % HELD_OUT_EVERY] or files,
            "val": files[::HELD_OUT_EVERY],
        }
    if not found["train"]:
        wanted = ", ".join(sorted(SUFFIXES))
        raise DataError(f"no pictures ({wanted}) and no digits (train.npz, IDX files) in {folder}")
    return found


def _files(folder: Path, only: str | None) -> list[Path]:
    if only and (folder / only).is_dir():
        folder = folder / only
    if not folder.is_dir():
        return []
    found = (f for f in folder.rglob("*") if f.suffix.lower() in SUFFIXES)
    files = sorted(f for f in found if not f.name.startswith("."))  # "._x.jpg" comes from a Mac's archive
    if only in ("cat", "dog") and (folder.parent / "annotations").is_dir():
        # The published archive keeps both kinds together and capitalises the cats' breeds.
        files = [f for f in files if f.name[0].isupper() == (only == "cat")]
    return files


def _pictures_of(folder: Path) -> Path:
    """The Oxford archive's `images`; its `annotations` hold pictures too, of outlines."""
    return folder / "images" if (folder / "annotations").is_dir() else folder


def _class_of(file: Path, folders: bool) -> str:
    """The folder's name if there are class folders, else what stands before the file's number."""
    numbered = None if folders else re.fullmatch(r"(.+)_\d+", file.stem)
    return numbered.group(1) if numbered else file.parent.name


def _head_boxes(folder: Path) -> dict[str, tuple[int, int, int, int]]:
    boxes = {}
    for file in (folder / "annotations" / "xmls").glob("*.xml"):
        box = ElementTree.parse(file).find("object/bndbox")
        if box is not None:
            sides = [int(box.findtext(side, "0")) for side in ("xmin", "ymin", "xmax", "ymax")]
            boxes[file.stem] = (sides[0], sides[1], sides[2], sides[3])
    return boxes


def _read(file: Path, channels: int, size: int, whole: bool, box: tuple[int, int, int, int] | None) -> Tensor:
    with Image.open(file) as opened:
        picture = ImageOps.exif_transpose(opened).convert("L" if channels == 1 else "RGB")
    if whole:
        if min(picture.size) < size:
            scale = size / min(picture.size)
            sides = (max(size, round(picture.width * scale)), max(size, round(picture.height * scale)))
            picture = picture.resize(sides, Image.Resampling.LANCZOS)
    else:
        if box is not None:
            picture = picture.crop(_square(box, picture.size))
        picture = ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS)
    array = np.asarray(picture).reshape(picture.height, picture.width, channels)
    return torch.from_numpy(array.copy()).permute(2, 0, 1).contiguous()


def _square(box: tuple[int, int, int, int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    left, top, right, bottom = box
    side = min(max(right - left, bottom - top), *size)
    x = min(max((left + right - side) // 2, 0), size[0] - side)
    y = min(max((top + bottom - side) // 2, 0), size[1] - side)
    return x, y, x + side, y + side


def _load_digits(folder: Path) -> DataSet | None:
    splits = {}
    for split, idx in (("train", "train"), ("val", "t10k")):
        if (folder / f"{split}.npz").is_file():
            with np.load(folder / f"{split}.npz") as archive:
                images, labels = archive["images"], archive["labels"]
        elif (pair := _idx_pair(folder, idx)) is not None:
            images, labels = pair
        else:
            return None
        tensors = torch.from_numpy(images.astype(np.uint8))[:, None].unbind(0)
        if len(images) != len(labels) or not ((labels >= 0) & (labels <= 9)).all():
            raise DataError(f"the labels of {split} in {folder} must be 0 to 9, one for each picture")
        names = tuple(str(i) for i in range(len(images)))
        splits[split] = Split(tensors, torch.from_numpy(labels.astype(np.int64)), names)
    return DataSet(splits["train"], splits["val"], tuple("0123456789"))


def _idx_pair(folder: Path, prefix: str) -> tuple[np.ndarray, np.ndarray] | None:
    found = []
    for kind, header in (("images-idx3-ubyte", 16), ("labels-idx1-ubyte", 8)):
        plain = folder / f"{prefix}-{kind}"
        packed = folder / f"{prefix}-{kind}.gz"
        if plain.is_file():
            raw = plain.read_bytes()
        elif packed.is_file():
            raw = gzip.decompress(packed.read_bytes())
        else:
            return None
        values = np.frombuffer(raw, np.uint8, offset=header)
        if header == 16:
            rows, columns = np.frombuffer(raw, ">u4", count=2, offset=8)
            values = values.reshape(-1, int(rows), int(columns))
        found.append(values)
    return found[0], found[1]
