"""The square crop: dragged and pinched on the picture itself; the server hears of it on release."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from PIL import Image
from streamlit.components.v2 import component

from diffusion import Crop
from diffusion.pictures import square
from ui.language import N_, each

#: Longest side of the picture that is sent, in pixels.
LONGEST = 480
#: Smallest square, as a share of the picture's shorter side.
SMALLEST = 0.1

#: Every text; {across}, {down} and {side} are percentages, filled in by the browser.
LABELS = {
    "square": N_("Part of the picture that is used"),
    "role": N_("movable square"),
    "reset": N_("Reset"),
    "how": N_("Arrow keys move the square, with Shift in larger steps. Plus and minus change its size."),
    "where": N_(
        "Centre at {across} percent across and {down} percent down, side {side} percent of the picture's "
        "shorter side."
    ),
}

_HERE = Path(__file__).parent
_component = component(
    "crop_box",
    html=(_HERE / "crop.html").read_text("utf-8"),
    css=(_HERE / "crop.css").read_text("utf-8"),
    js=(_HERE / "crop.js").read_text("utf-8"),
)


def crop_box(sent: bytes, alt: str, size: tuple[int, int], crop: Crop, *, key: str) -> Crop:
    """Show a picture with a movable square on it.

    Parameters
    ----------
    sent : bytes
        The upload, by :func:`as_jpeg`.
    alt : str
        What is to be seen on it, where that is known.
    size : tuple of int
        Its own width and height in pixels.
    crop : Crop
        Where the square begins on this picture. Once the person has moved it, what they chose holds
        until another picture comes.
    key : str
        Of this place on the page.

    Returns
    -------
    Crop
        What the person chose, `crop` as long as they have not; inside the picture either way.
    """
    number = hashlib.blake2b(sent, digest_size=8).hexdigest()
    chosen = read_crop(st.session_state.get(key), number)
    now = inside(chosen or crop, *size)
    mounted = _component(
        key=key,
        data={
            "id": number,
            "url": "data:image/jpeg;base64," + base64.b64encode(sent).decode("ascii"),
            "alt": alt,
            "width": size[0],
            "height": size[1],
            "crop": {"x": now.x, "y": now.y, "side": now.side},
            "smallest": SMALLEST,
            "labels": each(LABELS),
        },
        default={"crop": None},
        on_crop_change=lambda: None,
    )
    return inside(read_crop(mounted, number) or crop, *size)


def still(picture: Image.Image, crop: Crop, name: str) -> str:
    """The chosen square as HTML, for whoever may not move it."""
    url = "data:image/jpeg;base64," + base64.b64encode(as_jpeg(square(picture, LONGEST // 2, crop))).decode(
        "ascii"
    )
    return f'<img src="{url}" alt="{html.escape(name)}" style="width: 100%; border-radius: 8px;">'


def as_jpeg(picture: Image.Image) -> bytes:
    """The picture as a JPEG of at most :data:`LONGEST` pixels a side."""
    scale = min(1.0, LONGEST / max(picture.size))
    width, height = (max(1, round(side * scale)) for side in picture.size)
    small = picture.convert("RGB").resize((width, height), Image.Resampling.BICUBIC, reducing_gap=1)
    file = io.BytesIO()
    small.save(file, "JPEG", quality=82)
    return file.getvalue()


def read_crop(state: Mapping[str, Any] | None, number: str) -> Crop | None:
    """The crop in the component's state, if it is a sound one of picture `number`."""
    value = state.get("crop") if isinstance(state, Mapping) else None
    if not isinstance(value, Mapping) or value.get("id") != number:
        return None
    numbers = [value.get(name) for name in ("x", "y", "side")]
    if not all(isinstance(n, (int, float)) and math.isfinite(n) for n in numbers):
        return None
    x, y, side = (round(float(n), 5) for n in numbers if n is not None)  # short enough for a link
    return Crop(x, y, side)


def inside(crop: Crop, width: int, height: int) -> Crop:
    """The nearest crop that is large enough and lies inside a picture of this size."""
    side = min(max(crop.side, SMALLEST), 1.0)
    half_x, half_y = (side * min(width, height) / 2 / whole for whole in (width, height))
    x, y = min(max(crop.x, half_x), 1 - half_x), min(max(crop.y, half_y), 1 - half_y)
    return Crop(x, y, side)
