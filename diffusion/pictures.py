"""Picture files in, picture files out.

Whatever file comes in ends as a small float tensor or as a :class:`PictureError` with one clear
sentence. Metadata is cut out before the file is decoded; its orientation alone is read.
"""

from __future__ import annotations

import io
import math
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .containers import Container, check_size, damaged, take_apart, too_large
from .errors import PictureError

MAX_BYTES = 25 * 1024 * 1024
MAX_DECODED = 100_000_000  # bytes, by what _bytes_to_decode says

# Decoding needs memory in proportion to the pixels: two at a time, whoever asks.
_decoding = threading.BoundedSemaphore(2)

#: A JPEG comes down to a half, a quarter or an eighth while it is decoded, the quickest and a clean way:
#: what ends up so near below the side it may have needs no resampling, 4032 pixels as 1008 for 1024.
_NEAR = 0.95
_GAP = 1.5  # averaged first, then resampled from at least this many times the size
_UNREADABLE = ("LAB", "HSV")
_TURNS = {  # EXIF's orientation to what undoes it
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Crop:
    """A square part of a picture, in shares of its shorter side.

    Attributes
    ----------
    x, y : float
        Centre of the square, 0 to 1 across the width and height.
    side : float
        Side of the square over the picture's shorter side, above 0 and at most 1.
    """

    x: float = 0.5
    y: float = 0.5
    side: float = 1.0

    def box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in pixels, moved to lie inside the picture."""
        x, y, side = (
            v if math.isfinite(v) else w for v, w in ((self.x, 0.5), (self.y, 0.5), (self.side, 1.0))
        )
        side = min(max(side, 0.02), 1.0) * min(width, height)
        left = min(max(x * width - side / 2, 0.0), width - side)
        top = min(max(y * height - side / 2, 0.0), height - side)
        return left, top, min(left + side, width), min(top + side, height)


def open_picture(source: str | Path | bytes | BinaryIO, longest: int = 1024) -> Image.Image:
    """Decode any picture file into an upright RGB image of bounded size.

    Parameters
    ----------
    source : path, bytes or binary file
        PNG, JPEG, WebP, GIF or TIFF (first frame) or BMP; any mode. Transparent parts are laid on
        white; colour profiles are not applied. A file is read from its start, wherever it stands.
    longest : int
        The longer side is scaled down to at most this many pixels.

    Returns
    -------
    PIL.Image.Image
        Mode RGB, without metadata.

    Raises
    ------
    PictureError
        If it is not a readable picture of sensible size.
    """
    container = take_apart(_read(source))
    try:
        with _decoding:
            return _decode(container, longest)
    except PictureError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise PictureError("This picture unpacks to far more pixels than can be read here.") from error
    except MemoryError as error:
        raise PictureError("This picture needs more memory than there is; use a smaller one.") from error
    except Exception as error:  # a damaged file can raise anything from a decoder
        raise damaged("its pixels cannot be read") from error


def load_picture(
    source: str | Path | bytes | BinaryIO,
    size: int | None = 64,
    *,
    channels: int = 3,
    crop: Crop | None = None,
) -> Tensor:
    """Load a picture as a tensor.

    Parameters
    ----------
    source : path, bytes or binary file
        See :func:`open_picture`.
    size : int or None
        Side of the square result. None keeps the whole picture, its longer side at most 512.
    channels : int
        3 for RGB, 1 for grey.
    crop : Crop, optional
        Which square to take; the middle one when not given.

    Returns
    -------
    Tensor, shape (1, channels, H, W), float32 in [-1, 1]

    Raises
    ------
    PictureError
        A sentence about what is wrong and what would work.
    ValueError
        If `size` is not positive, or `channels` neither 1 nor 3.
    """
    if channels not in (1, 3) or (size is not None and size < 1):
        raise ValueError(f"size must be positive and channels 1 or 3, got {size} and {channels}")
    picture = open_picture(source, longest=512 if size is None else 1024)
    if size is not None:
        picture = square(picture, size, crop)
    return to_tensor(picture, channels)


def square(picture: Image.Image, size: int, crop: Crop | None = None) -> Image.Image:
    """Cut out a square and bring it to `size` x `size` pixels."""
    box = (crop or Crop()).box(*picture.size)
    return picture.resize((size, size), Image.Resampling.LANCZOS, box=box, reducing_gap=3)


def to_tensor(picture: Image.Image, channels: int = 3) -> Tensor:
    """Image to float32 in [-1, 1], shape (1, channels, H, W)."""
    array = np.asarray(picture.convert("L" if channels == 1 else "RGB"), np.float32) / 127.5 - 1
    array = array.reshape(picture.height, picture.width, channels)
    return torch.from_numpy(array).permute(2, 0, 1)[None].contiguous()


def to_bytes(x: Tensor) -> np.ndarray:
    """Clip to [-1, 1] and round to bytes: (..., C, H, W) to uint8 (..., H, W, 3), grey repeated.

    Raises
    ------
    ValueError
        If `x` is no picture, nor a batch of pictures, of one or three channels.
    """
    if x.ndim < 3 or x.shape[-3] not in (1, 3):
        raise ValueError(f"expected pictures of shape (..., 1 or 3, H, W), got {tuple(x.shape)}")
    bytes_ = x.detach().cpu().clamp(-1, 1).add_(1).mul_(127.5).round_().to(torch.uint8)
    return bytes_.expand(*x.shape[:-3], 3, -1, -1).movedim(-3, -1).contiguous().numpy()


def to_image(x: Tensor) -> Image.Image:
    """One picture (C, H, W), clipped to [-1, 1], as an RGB image."""
    return Image.fromarray(to_bytes(x))


def scaled_to_spread(x: Tensor) -> Tensor:
    """Shift and scale a picture so that its mean lands on 0 and three of its spreads on 1.

    A way of showing, for noise far outside [-1, 1]; never part of the computation.
    """
    return (x - x.mean()) / (3 * x.std(correction=0).clamp(min=1e-6))


def _read(source: str | Path | bytes | BinaryIO) -> bytes:
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
    elif isinstance(source, (str, Path)):
        try:
            with Path(source).open("rb") as file:
                data = _read_all(file)
        except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
            why = getattr(error, "strerror", None) or error
            raise PictureError(
                "{name} cannot be opened: {why}.", name=repr(str(source)), why=str(why)
            ) from error
    else:
        try:
            if getattr(source, "seekable", lambda: False)():  # whoever read it last left it at its end
                source.seek(0)
            data = _read_all(source)
        except (OSError, ValueError) as error:  # ValueError: it is closed
            raise PictureError("This file is closed or gone; choose it again.") from error
    if not data:
        raise PictureError("This file is empty (0 bytes); choose a PNG or JPEG.")
    if len(data) > MAX_BYTES:
        raise PictureError(
            "This file is larger than {most} MB; save a smaller copy and try again.", most=MAX_BYTES // 2**20
        )
    return data


def _read_all(file: BinaryIO) -> bytes:
    data = file.read(MAX_BYTES + 1)
    if not isinstance(data, (bytes, type(None))):
        raise TypeError(f"a picture is read from a binary file, not from {type(file).__name__}")
    while data and len(data) <= MAX_BYTES and (more := file.read(MAX_BYTES + 1 - len(data))):
        data += more  # an unbuffered file may hand out less than is there
    return data or b""


def _decode(container: Container, longest: int) -> Image.Image:
    with Image.open(io.BytesIO(container.data), formats=[container.kind]) as opened:
        width, height = opened.size
        check_size(width, height)
        scale = min(1.0, _NEAR * longest / max(width, height))
        opened.draft(None, (math.ceil(width * scale), math.ceil(height * scale)))  # JPEG: a fraction
        if _bytes_to_decode(opened) + container.coefficients > MAX_DECODED:
            raise too_large(width, height)
        opened.load()
        picture = _shrunk(opened, longest)
    turn = _TURNS.get(container.orientation)
    if turn is not None:
        picture = picture.transpose(turn)
    clean = Image.new("RGB", picture.size)  # pixels only, whatever else the decoder noted
    clean.paste(picture)
    return clean


def _bytes_to_decode(opened: Image.Image) -> int:
    """How much the decoder and its result hold at the worst moment, roughly."""
    pixels = opened.width * opened.height
    sizes = {"1": 1, "L": 1, "P": 1, "I": 5, "F": 5}  # a band of the last two is doubles for a while
    cost = pixels * (2 if opened.mode.startswith("I;16") else sizes.get(opened.mode, 4))
    if opened.format == "WEBP":  # libwebp holds the canvas twice and the frame, besides the result
        return cost + 12 * pixels
    tags = getattr(opened, "tag_v2", None)
    if tags is not None:  # a strip or a tile at a time, which may be all of it
        bits, samples = max(tags.get(258, (1,))), tags.get(277, 1)
        rows = min(tags.get(278, opened.height), opened.height) * opened.width
        return cost + max(rows, tags.get(322, 0) * tags.get(323, 0)) * bits * samples // 8
    return cost


def _shrunk(opened: Image.Image, longest: int) -> Image.Image:
    """Bring any mode to RGB on white, at most `longest` pixels a side, a band of rows at a time.

    Whatever the mode, no second copy of the whole picture is made at full size.
    """
    width, height = opened.size
    if opened.mode in _UNREADABLE:
        raise PictureError(
            "This picture stores its colours as {mode}, which cannot be read here; "
            "save it in RGB, as PNG or JPEG.",
            mode=opened.mode,
        )
    scale = min(1.0, longest / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if opened.mode == "RGB" and not opened.has_transparency_data:
        return opened.resize(size, Image.Resampling.HAMMING, reducing_gap=_GAP)
    factor = max(1, int(1 / (_GAP * scale)))
    rows = factor * max(1, 2**18 // (width * factor))
    reduced = Image.new("RGB", (math.ceil(width / factor), math.ceil(height / factor)))
    span = _span(opened, rows) if opened.mode.startswith(("I", "F")) else None
    for top in range(0, height, rows):
        band = opened.crop((0, top, width, min(top + rows, height)))
        rgb = _to_grey(band, *span) if span else _on_white(band)
        reduced.paste(rgb.reduce(factor) if factor > 1 else rgb, (0, top // factor))
    box = (0.0, 0.0, width / factor, height / factor)
    return reduced.resize(size, Image.Resampling.HAMMING, box=box)


def _on_white(band: Image.Image) -> Image.Image:
    if not band.has_transparency_data:
        return band.convert("RGB")
    rgba = band.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


def _span(opened: Image.Image, rows: int) -> tuple[float, float]:
    """What is black and what is white: the whole range of 16 bits, else what the file holds."""
    if opened.mode.startswith("I;16"):
        return 0.0, 65535.0
    low, high = 0.0, 0.0
    for top in range(0, opened.height, rows):
        values = np.asarray(opened.crop((0, top, opened.width, min(top + rows, opened.height))))
        finite = values[np.isfinite(values)]
        low, high = min(low, float(finite.min(initial=0))), max(high, float(finite.max(initial=0)))
    return low, high


def _to_grey(band: Image.Image, low: float, high: float) -> Image.Image:
    values = np.nan_to_num(np.asarray(band).astype(np.float64), nan=0.0, posinf=high, neginf=low)
    values = (values - low) * (255 / (high - low)) if high > low else np.zeros_like(values)
    return Image.fromarray(np.rint(values.clip(0, 255)).astype(np.uint8)).convert("RGB")


def contact_sheet(pictures: Tensor, columns: int | None = None, gap: int = 2) -> Image.Image:
    """Lay out a batch (B, C, H, W) as one image, row by row, on white.

    Raises
    ------
    ValueError
        If the batch is empty.
    """
    count, _, height, width = pictures.shape
    if not count:
        raise ValueError("there are no pictures to lay out")
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    size = (columns * (width + gap) - gap, rows * (height + gap) - gap)
    sheet = Image.new("RGB", size, "white")
    for i, x in enumerate(pictures):
        sheet.paste(to_image(x), (i % columns * (width + gap), i // columns * (height + gap)))
    return sheet
