"""Picture files in, picture files out.

Whatever file comes in ends as a small float tensor or as a :class:`PictureError` with one clear
sentence. Metadata is read for the orientation alone and never kept.
"""

from __future__ import annotations

import io
import math
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
MAX_BYTES = 25 * 1024 * 1024
MAX_PIXELS = 50_000_000
MAX_SIDE = 12_000

_HEIC = (
    "This looks like a HEIC photo, which cannot be read here. On an iPhone choose Settings > Camera > "
    "Formats > Most Compatible, or share the photo by mail, which makes a JPEG; on Android open it, "
    "choose Edit > Save a copy, or switch off HEIF in the camera's settings."
)
_KINDS = {
    b"%PDF": "a PDF document",
    b"<svg": "an SVG drawing",
    b"<?xm": "an SVG or XML file",
    b"PK\x03\x04": "an archive",
}

# Decoding needs memory in proportion to the pixels: two at a time, whoever asks.
_decoding = threading.BoundedSemaphore(2)


class PictureError(ValueError):
    """A file that cannot be used as a picture; the message is one sentence for the person."""


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
        side = min(max(self.side, 0.02), 1.0) * min(width, height)
        left = min(max(self.x * width - side / 2, 0.0), width - side)
        top = min(max(self.y * height - side / 2, 0.0), height - side)
        return left, top, left + side, top + side


def open_picture(source: str | Path | bytes | BinaryIO, longest: int = 1024) -> Image.Image:
    """Decode any picture file into an upright RGB image of bounded size.

    Parameters
    ----------
    source : path, bytes or binary file
        PNG, JPEG, WebP, GIF or TIFF (first frame) or BMP; any mode. Transparent parts are laid on
        white.
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
    data = _read(source)
    try:
        with _decoding, warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _decode(data, longest)
    except PictureError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise PictureError(f"This picture unpacks to far more than it should: {error}") from error
    except Image.UnidentifiedImageError as error:
        raise PictureError(_what_it_is(data)) from error
    except MemoryError as error:
        raise PictureError("This picture needs more memory than there is; use a smaller one.") from error
    except Exception as error:  # a damaged file can raise anything from a decoder
        raise PictureError(
            f"This file begins like a picture but cannot be read ({type(error).__name__}); "
            "it may be cut short or damaged. Save it again as PNG or JPEG."
        ) from error


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
    """
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
    """Clip to [-1, 1] and round to bytes: (C, H, W) to uint8 (H, W, 3), grey repeated.

    Raises
    ------
    ValueError
        If `x` is not one picture of one or three channels.
    """
    if x.ndim != 3 or x.shape[0] not in (1, 3):
        raise ValueError(f"expected one picture of shape (1 or 3, H, W), got {tuple(x.shape)}")
    bytes_ = x.detach().cpu().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
    return bytes_.expand(3, -1, -1).permute(1, 2, 0).contiguous().numpy()


def to_image(x: Tensor) -> Image.Image:
    """One picture (C, H, W), clipped to [-1, 1], as an RGB image."""
    return Image.fromarray(to_bytes(x))


def scaled_to_spread(x: Tensor) -> Tensor:
    """Shift and scale a picture so that its mean lands on 0 and three of its spreads on 1.

    A way of showing, for noise far outside [-1, 1]; never part of the computation.
    """
    return (x - x.mean()) / (3 * x.std().clamp(min=1e-6))


def _read(source: str | Path | bytes | BinaryIO) -> bytes:
    if isinstance(source, bytes):
        data = source
    elif isinstance(source, (str, Path)):
        try:
            with Path(source).open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise PictureError(f"{source} cannot be opened: {error.strerror or error}.") from error
    else:
        data = source.read(MAX_BYTES + 1)
    if not data:
        raise PictureError("This file is empty (0 bytes). Choose a PNG or JPEG.")
    if len(data) > MAX_BYTES:
        most = MAX_BYTES // 2**20
        raise PictureError(f"This file is larger than {most} MB; save a smaller copy and try again.")
    return data


def _decode(data: bytes, longest: int) -> Image.Image:
    with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
        width, height = opened.size
        if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
            raise PictureError(
                f"This picture has {width} x {height} pixels; at most {MAX_SIDE:,} a side and "
                f"{MAX_PIXELS // 10**6} million in all can be read."
            )
        opened.draft("RGB", (2 * longest, 2 * longest))  # JPEG alone: decode at a fraction
        orientation = opened.getexif().get(0x0112, 1)
        picture = _to_rgb(opened, longest)
    turned = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}.get(orientation)  # EXIF to Transpose
    if turned is not None:
        picture = picture.transpose(Image.Transpose(turned))
    clean = Image.new("RGB", picture.size)  # pixels only: no EXIF, no profile, no text
    clean.paste(picture)
    return clean


def _to_rgb(opened: Image.Image, longest: int) -> Image.Image:
    scale = longest / max(opened.size)
    sides = [max(1, round(side * scale)) for side in opened.size]

    def small(picture: Image.Image) -> Image.Image:
        if scale >= 1:
            return picture
        return picture.resize((sides[0], sides[1]), Image.Resampling.LANCZOS, reducing_gap=3)

    if opened.mode.startswith(("I", "F")):  # 16-bit and wider: stretch to what the file holds
        values = np.asarray(opened, np.float32)
        values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
        top = 65535.0 if opened.mode.startswith("I;16") else float(values.max(initial=0))
        bottom = min(0.0, float(values.min(initial=0)))
        if top > bottom:
            values = (values - bottom) / (top - bottom) * 255
        return small(Image.fromarray(values.clip(0, 255).astype(np.uint8))).convert("RGB")
    if opened.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in opened.info:
        rgba = small(opened.convert("RGBA"))
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return small(opened.convert("RGB"))


def _what_it_is(data: bytes) -> str:
    head = data[:64].lstrip()
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        if brand in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"):
            return _HEIC
        kind = "an AVIF picture" if brand in (b"avif", b"avis") else "a video"
        return f"This is {kind}, which cannot be read here; save it as PNG or JPEG."
    for start, kind in _KINDS.items():
        if head.lower().startswith(start.lower()):
            return f"This is {kind}, not a photo; save or export it as PNG or JPEG."
    return "This file is not a picture that can be read here; choose PNG, JPEG, WebP, GIF, BMP or TIFF."


def contact_sheet(pictures: Tensor, columns: int | None = None, gap: int = 2) -> Image.Image:
    """Lay out a batch (B, C, H, W) as one image, row by row, on white."""
    count, _, height, width = pictures.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    size = (columns * (width + gap) - gap, rows * (height + gap) - gap)
    sheet = Image.new("RGB", size, "white")
    for i, x in enumerate(pictures):
        sheet.paste(to_image(x), (i % columns * (width + gap), i // columns * (height + gap)))
    return sheet
