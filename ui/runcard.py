"""A run card: the journey on the stage as one zip, with a script that makes its frames again. No Streamlit.

Everything in it is made from the frames the stage shows. Of a person's file only x_0 enters, the square
at the network's size: never its name, never its metadata.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import threading
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import PIL
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from diffusion import Brownian
from diffusion.errors import N_
from diffusion.pictures import to_image
from ui.journey import Stop, WayBack, WayThere, shown_bytes

#: Frames of each way on the strip, and their side there in pixels, about.
ON_STRIP, STRIP_SIDE = 8, 144
#: Side of the film in pixels, about.
FILM_SIDE = 256
#: Milliseconds one way takes in the film, and how long its last frame stands.
FILM_WAY, FILM_REST = 5000, 1500
#: Every entry's date: the same journey makes the same zip.
DATE = (1980, 1, 1, 0, 0, 0)

#: What the zip holds, in words; `picture` says where its picture comes from.
README = N_("""\
A journey there and back, made with There and Back.

strip.png      some of its frames, with their time t and noise spread sigma
film.gif       all of them in motion (a GIF has at most 256 colours a frame)
frames/        all of them as they stood on the stage, exactly
x0.png         the picture as the network sees it
settings.json  every setting, the seed, the network's hash, versions, and a hash of each frame
journey.py     makes the frames again: python journey.py, where `diffusion` can be imported

Picture: {picture}.
Of a picture's file only this small square is here: not its name, and none of its metadata.""")
AN_UPLOAD = N_("an upload")

# One at a time: it takes a second of a processor that others compute on.
_making = threading.Lock()


@dataclass(frozen=True)
class _Frame:
    """One frame of one way, with its numbers."""

    way: str
    stop: Stop
    x: Tensor

    @property
    def file(self) -> str:
        return f"frames/{self.way}-{self.stop.step:04d}.png"

    def facts(self) -> dict[str, Any]:
        data = self.x.numpy().tobytes()
        return {
            "file": self.file, "step": self.stop.step, "t": self.stop.t, "sigma": self.stop.sigma,
            "sha256": hashlib.sha256(data).hexdigest(),
        }  # fmt: skip


def run_card(
    there: WayThere, way: WayBack | None, view: str, picture: str, weights: str | None, readme: str
) -> bytes:
    """Pack a journey.

    Parameters
    ----------
    there : WayThere
    way : WayBack or None
        As far as it has come; not growing meanwhile.
    view : str
        How the frames are shown, one of :data:`ui.journey.VIEWS`.
    picture : str
        Where the picture comes from, in words.
    weights : str or None
        SHA-256 of the network's weights; None where there is no way back.
    readme : str
        :data:`README`, filled in, in the person's language.

    Returns
    -------
    bytes
        The zip; see :data:`README`.
    """
    if way is not None and way.start is None:
        way = None
    with _making:
        ways = [[_Frame("there", *pair) for pair in zip(there.stops, there.frames, strict=True)]]
        if way is not None:
            states = map(way.state, way.ready())
            ways.append([_Frame("back", stop, x[0]) for x, stop in states])
        shown = [list(shown_bytes(torch.stack([frame.x for frame in frames]), view)) for frames in ways]
        settings = _settings(there, way) | {
            "picture": picture,
            "view": view,
            "network": None if way is None else {"name": way.model, "sha256": weights},
            "frames": {frames[0].way: [frame.facts() for frame in frames] for frames in ways},
        }
        files = {
            "README.txt": (readme + "\n").encode(),
            "settings.json": json.dumps(settings, indent=1).encode(),
            "journey.py": script(there, way, view).encode(),
            "x0.png": _png(to_image(there.x0[0])),
            "strip.png": _png(_strip(ways, shown, _headings(there, way))),
            "film.gif": _film(shown, grey=there.x0.shape[1] == 1),
        }
        for frames, pixels in zip(ways, shown, strict=True):
            files |= {f.file: _png(Image.fromarray(p)) for f, p in zip(frames, pixels, strict=True)}
        return _zip(files)


def _settings(there: WayThere, way: WayBack | None) -> dict[str, Any]:
    back = None
    if way is not None:
        back = asdict(way.settings) | {
            "sampler": way.sampler, "asked": way.asked, "start_t": way.start_t, "climb": way.climb,
            "total": way.total, "taken": len(way.steps),
        }  # fmt: skip
    versions = {
        "python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__,
        "pillow": PIL.__version__, "processor": torch.backends.cpu.get_cpu_capability(),
    }  # fmt: skip
    return {"there": asdict(there.settings), "back": back, "versions": versions}


_quoted = json.dumps  # of plain text: a Python literal in double quotes


# --- the script ---------------------------------------------------------------------------------

_HEAD = '''\
"""Makes the frames of this journey again, into again/, and compares them with those in frames/.

It needs the package `diffusion` of There and Back: PYTHONPATH=there-and-back python journey.py
"""

import hashlib
import json
from pathlib import Path

import torch
from PIL import Image

import diffusion

torch.set_num_threads(1)  # as the app does: the order of a sum decides its last bit
folder = Path(__file__).parent
settings = json.loads((folder / "settings.json").read_text())
shown = {{way: [frame["step"] for frame in frames] for way, frames in settings["frames"].items()}}
x0 = diffusion.pictures.to_tensor(Image.open(folder / "x0.png"), channels={channels})

# The way there.
process = diffusion.{process!r}
times = diffusion.times_there(process, {steps}, {grid})
path = diffusion.forward(x0, process, rng=diffusion.picture_rng({seed}), times=times)
made = {{("there", k): x for k, x in enumerate(path) if k in shown["there"]}}
'''

_BACK = """\

# The way back, as far as it went.
net = diffusion.load_denoiser({model}){asked}
if diffusion.read_card({model})["sha256"] != settings["network"]["sha256"]:
    print("The weights here are other ones than those of the journey: the way back will differ.")
rng = diffusion.picture_rng({seed}, {number})
x = {start}
times = {times}
walk = diffusion.reverse(net, x, process, sampler={sampler}, rng=rng, times=times)
made["back", 0] = x
for k, step in zip(range(1, {taken} + 1), walk):
    if k in shown["back"]:
        made["back", k] = step.x_s
"""

_TAIL = """\

# What is shown, and whether it is the same.
(folder / "again").mkdir(exist_ok=True)
same = near = 0
for way, frames in settings["frames"].items():
    for frame in frames:
        x = made[way, frame["step"]][0]
        same += hashlib.sha256(x.numpy().tobytes()).hexdigest() == frame["sha256"]
        picture = diffusion.to_image({shown})
        near += picture.tobytes() == Image.open(folder / frame["file"]).tobytes()
        picture.save(folder / "again" / Path(frame["file"]).name)
print(f"{{len(made)}} frames: {{near}} look the same, {{same}} are the same to the last bit.")
"""


def script(there: WayThere, way: WayBack | None, view: str) -> str:
    """A program that makes the frames of this journey again with nothing but :mod:`diffusion`."""
    settings = there.settings
    text = _HEAD.format(
        channels=there.x0.shape[1], process=there.process, steps=settings.steps,
        grid=_quoted(settings.grid), seed=settings.seed,
    )  # fmt: skip
    if way is not None:
        asked = f".asked_for({_quoted(way.asked)})" if way.asked else ""
        text += _BACK.format(
            model=_quoted(way.model), asked=asked,
            start=_start(there, way), times=_times(way), seed=settings.seed, number=way.number,
            sampler=_quoted(way.sampler), taken=len(way.steps),
        )  # fmt: skip
    spread = "diffusion.pictures.scaled_to_spread(x)" if view == "spread" else "x"
    return text + _TAIL.format(shown=spread)


def _start(there: WayThere, way: WayBack) -> str:
    """Where the way back begins, as an expression."""
    if way.settings.start == "noise":
        return "process.sigma(1.0) * diffusion.noise.standard_normal(x0, rng)"
    if way.settings.start == "inversion":
        return f"diffusion.invert(net, x0, process, {way.climb}, sampler={_quoted(way.sampler)})"
    return f'made["there", {next(s.step for s in there.stops if s.t == way.start_t)}]'


def _times(way: WayBack) -> str:
    if way.settings.start == "inversion":
        return f"diffusion.times_of_inversion(process, {way.total})[::-1]"
    return f"diffusion.times_back(process, {way.total}, {_quoted(way.settings.grid)}, {way.start_t!r})"


# --- pictures -----------------------------------------------------------------------------------


def _headings(there: WayThere, way: WayBack | None) -> list[str]:
    set_ = there.settings
    sigma = f", sigma_q = {set_.sigma_q:g}" if isinstance(there.process, Brownian) else ""
    headings = [f"There: {set_.process}{sigma}, {set_.steps} steps, seed {set_.seed}"]
    if way is not None:
        asked = f", asked for {way.asked}" if way.asked else ""
        headings.append(
            f"Back: {way.sampler}, step {len(way.steps)} of {way.total}, network {way.model}{asked}"
        )
    return headings


def _strip(
    ways: Sequence[Sequence[_Frame]], shown: Sequence[Sequence[np.ndarray]], headings: Sequence[str]
) -> Image.Image:
    """A row for each way: some of its frames, the first and the last among them, with t and sigma."""
    side = shown[0][0].shape[0]
    side *= max(1, STRIP_SIDE // side)
    gap, head, foot = 8, 30, 44
    font, small = ImageFont.load_default(15), ImageFont.load_default(13)
    rows = [sorted({round(k * (len(w) - 1) / (ON_STRIP - 1)) for k in range(ON_STRIP)}) for w in ways]
    width = gap + max(map(len, rows)) * (side + gap)
    width = max(width, 2 * gap + max(int(font.getlength(text)) for text in headings))
    strip = Image.new("RGB", (width, len(rows) * (head + side + foot) + gap), "white")
    draw = ImageDraw.Draw(strip)
    for row, chosen in enumerate(rows):
        top = row * (head + side + foot) + gap
        draw.text((gap, top), headings[row], "#1b2629", font)
        for column, k in enumerate(chosen):
            left, stop = gap + column * (side + gap), ways[row][k].stop
            strip.paste(_enlarged(Image.fromarray(shown[row][k]), side), (left, top + head - 6))
            caption = f"t = {stop.t:.3g}\nsigma = {stop.sigma:.3g}"
            draw.multiline_text((left, top + head + side - 2), caption, "#1b2629", small)
    return strip


def _film(shown: Sequence[Sequence[np.ndarray]], grey: bool) -> bytes:
    """Every frame as an animated GIF, which runs for ever."""
    side = shown[0][0].shape[0]
    side *= max(1, FILM_SIDE // side)
    frames, lasts = [], []
    for way in shown:
        for pixels in way:
            frame = Image.fromarray(pixels)
            few = frame.convert("L") if grey else frame.quantize(256, method=Image.Quantize.FASTOCTREE)
            frames.append(_enlarged(few, side))
        lasts += [max(40, FILM_WAY // len(way))] * (len(way) - 1) + [FILM_REST]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=lasts, loop=0)
    return file.getvalue()


def _enlarged(picture: Image.Image, side: int) -> Image.Image:
    return picture.resize((side, side), Image.Resampling.NEAREST)


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _zip(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:  # pictures are packed already
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, DATE)
            entry.external_attr = 0o644 << 16  # readable by all where it is unpacked
            archive.writestr(entry, data)
    return file.getvalue()
