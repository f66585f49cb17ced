"""One step of the way back, taken apart: pictures of its terms, and the numbers of any pixel."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from streamlit.components.v2 import component
from torch import Tensor

from ui.journey import VIEWS, Kept
from ui.language import N_

#: Larger pictures are cut to their middle square of this many pixels.
LARGEST = 128

#: Every text, to be replaced one by one; {size} is :data:`LARGEST`, {width} and {height} the whole picture.
#: Other places are filled in by the browser.
LABELS: dict[str, str] = {
    "x_t": N_("before the step"),
    "removed": N_("taken away"),
    "noise": N_("fresh noise, added"),
    "no_noise": N_("nothing is added in this step"),
    "x_s": N_("after the step"),
    "x0_hat": N_("the network's guess at the clean picture"),
    "cut": N_("Only the middle {size} × {size} pixels of {width} × {height} are shown here."),
    "pixel": N_("Pixel"),
    "chooser": N_("pixel chooser"),
    "place": N_("column {column}, row {row}"),
    "pixel_at": N_("Pixel: {place}"),
    "spoken": N_("{place}: {sum}; the network's estimate of the clean pixel is {x0_hat}"),
    "channel": N_("Colour channel"),
    "red": N_("Red"),
    "green": N_("Green"),
    "blue": N_("Blue"),
    "estimate": N_("and the network's estimate of the clean pixel is"),
    "hint": N_("Point at a pixel in any picture; click or tap to keep it, or use the arrow keys."),
}

_HERE = Path(__file__).parent
_component = component(
    "dissect",
    html=(_HERE / "dissect.html").read_text("utf-8"),
    css=(_HERE / "dissect.css").read_text("utf-8"),
    js=(_HERE / "dissect.js").read_text("utf-8"),
)


def dissect(kept: Kept, *, key: str, labels: Mapping[str, str] | None = None, view: str = "clipped") -> None:
    """Show x_{t-1} = x_t - f_theta(x_t, t) + eta as pictures and numbers, x0_hat beside them.

    Parameters
    ----------
    kept : Kept
        The step.
    key : str
        Of this place on the page; a pixel that was chosen stays chosen from step to step.
    labels : mapping of str to str, optional
        Texts to use instead of those in :data:`LABELS`.
    view : str
        How x_t, x0_hat and x_{t-1} are shown, one of :data:`ui.journey.VIEWS`.
    """
    _component(key=key, data=pack(kept, view, labels or {}))


def pack(kept: Kept, view: str, labels: Mapping[str, str]) -> bytes:
    """One step as the browser part wants it.

    Parameters
    ----------
    kept : Kept
    view : str
        One of :data:`ui.journey.VIEWS`.
    labels : mapping of str to str
        Texts to use instead of those in :data:`LABELS`.

    Returns
    -------
    bytes
        The length of the header (4 bytes, little-endian), the header (JSON, padded with blanks to a
        multiple of 4), then x_t, x0_hat, removed and, where there was any, noise: float32,
        little-endian, each of the header's shape (C, H, W). x_s is not sent: it is
        (x_t - removed) + noise in float32, to the last bit.

    Raises
    ------
    ValueError
        For an unknown view, label or shape.
    """
    if view not in VIEWS:
        raise ValueError(f"unknown view {view!r}; there are: {', '.join(VIEWS)}")
    if unknown := labels.keys() - LABELS.keys():
        raise ValueError(f"unknown labels: {', '.join(sorted(unknown))}")
    if kept.x_t.ndim != 4 or kept.x_t.shape[0] != 1 or kept.x_t.shape[1] not in (1, 3):
        raise ValueError(f"expected one picture of shape (1, 1 or 3, H, W), got {tuple(kept.x_t.shape)}")
    height, width = kept.x_t.shape[-2:]
    rows, columns = _middle(height), _middle(width)
    sent = [kept.x_t, kept.x0_hat, kept.removed] + ([] if kept.noise is None else [kept.noise])
    arrays = [x[0, :, rows, columns].numpy().astype("<f4") for x in sent]
    header = {
        "shape": arrays[0].shape,
        "whole": (height, width),
        "corner": (rows.start, columns.start),
        "noise": kept.noise is not None,
        "limit": _limit(kept.removed, kept.noise),
        "shown": {name: _shown(getattr(kept, name), view) for name in ("x_t", "x0_hat", "x_s")},
        "labels": {name: _filled(text, height, width) for name, text in (LABELS | dict(labels)).items()},
    }
    text = json.dumps(header).encode("ascii")
    text += b" " * (-len(text) % 4)
    return b"".join((struct.pack("<I", len(text)), text, *(a.tobytes() for a in arrays)))


def _filled(text: str, height: int, width: int) -> str:
    for name, number in (("{size}", LARGEST), ("{width}", width), ("{height}", height)):
        text = text.replace(name, str(number))
    return text


def _middle(side: int) -> slice:
    start = max(0, (side - LARGEST) // 2)
    return slice(start, start + min(side, LARGEST))


def _shown(x: Tensor, view: str) -> tuple[float, float]:
    """Shift and gain of a way of showing: black to white is -1 to 1 of (x - shift)/gain.

    The same as :func:`diffusion.pictures.scaled_to_spread` for the view "spread".
    """
    if view == "clipped":
        return 0.0, 1.0
    return float(x.mean()), 3 * float(x.std(correction=0).clamp(min=1e-6))


def _limit(removed: Tensor, noise: Tensor | None) -> float:
    """End of the colour scale: one value in a thousand of the stronger term lies beyond it.

    Rounded up to two digits, so that it can be written under the pictures as it is.
    """
    terms = [removed] if noise is None else [removed, noise]
    place = int(0.999 * removed.numel())
    limit = max(float(np.partition(x.abs().numpy().ravel(), place)[place]) for x in terms)
    if limit <= 0:
        return 0.0
    step = 10.0 ** (np.floor(np.log10(limit)) - 1)
    return float(f"{np.ceil(limit / step) * step:.2g}")
