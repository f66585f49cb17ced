"""Make the sample pictures that stand ready in the app: ``python tools/make_samples.py``.

Three photos that scikit-image ships, cropped; four pictures drawn here with numpy; and, with
``--networks``, what the project's own networks make from noise. Needs scikit-image, which the app
itself does not. Everything is the same at every run.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "ui" / "samples"
SIDE = 256
FINE = 4  # drawn this many times finer and averaged

Array = NDArray[np.float64]

#: Network, seed and number of the picture, its title and what it shows.
NETWORK_PICKS = [
    ("digits", 0, 13, "A six out of noise", "A white handwritten six on black, made by a network"),
]


@dataclass(frozen=True)
class Sample:
    """One entry of samples.json."""

    name: str
    title: str
    file: str
    source: str
    alt: str


# Shapes: signed distances (negative inside) on a plane where x goes right, y goes down and the
# picture reaches from -1 to 1.

X, Y = np.meshgrid(*[(np.arange(SIDE * FINE) + 0.5) / (SIDE * FINE) * 2 - 1] * 2)


def ellipse(x: float, y: float, a: float, b: float, turn: float = 0.0) -> Array:
    """Distance to an ellipse, near enough, turned clockwise by `turn` degrees."""
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    u, v = (X - x) * c + (Y - y) * s, -(X - x) * s + (Y - y) * c
    return (np.hypot(u / a, v / b) - 1) * min(a, b)


def joined(*shapes: Array, smooth: float = 0.0) -> Array:
    """Union of shapes whose meeting is rounded off over `smooth`."""
    whole = shapes[0]
    for shape in shapes[1:]:
        h = np.clip(0.5 + (shape - whole) / (2 * smooth or 1e-9), 0, 1)
        whole = shape * (1 - h) + whole * h - smooth * h * (1 - h)
    return whole


def stroke(points: list[tuple[float, float]], width: Callable[[Array], Array]) -> Array:
    """Distance to a soft line through `points` whose half width varies along it, 0 to 1."""
    line = curve(points, 240)
    half = width(np.linspace(0, 1, len(line)))
    step = FINE  # the distance is smooth: coarse, then interpolated
    coarse = np.full(X[::step, ::step].shape, np.inf)
    for (x, y), w in zip(line, half, strict=True):
        np.minimum(coarse, np.hypot(X[::step, ::step] - x, Y[::step, ::step] - y) - w, out=coarse)
    return np.asarray(
        Image.fromarray(coarse.astype(np.float32)).resize(X.shape, Image.Resampling.BICUBIC), float
    )


def curve(points: list[tuple[float, float]], count: int) -> Array:
    """A Catmull-Rom curve through `points`, evenly in parameter."""
    p = np.array([points[0], *points, points[-1]], float)
    t = np.linspace(0, len(points) - 1 - 1e-9, count)
    i, u = t.astype(int), (t % 1)[:, None]
    a, b, c, d = p[i], p[i + 1], p[i + 2], p[i + 3]
    return 0.5 * (2 * b + (c - a) * u + (2 * a - 5 * b + 4 * c - d) * u**2 + (3 * b - a - 3 * c + d) * u**3)


def polygon(points: list[tuple[float, float]]) -> Array:
    """-1 inside and 1 outside: good for hard edges only."""
    inside = np.zeros(X.shape, bool)
    for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True):
        if y0 != y1:
            inside ^= ((y0 > Y) != (y1 > Y)) & ((x1 - x0) * (Y - y0) / (y1 - y0) + x0 > X)
    return np.where(inside, -1.0, 1.0)


def rgb(code: str) -> Array:
    """``"f0a020"`` as three numbers from 0 to 1."""
    return np.array([int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)])


def ramp(value: Array, *stops: tuple[float, str]) -> Array:
    """Colours along `value`, straight lines between the stops."""
    at = [s for s, _ in stops]
    return np.stack([np.interp(value, at, [rgb(c)[k] for _, c in stops]) for k in range(3)], -1)


def ramp_smooth(value: Array) -> Array:
    """0 to 1 with flat ends."""
    value = np.clip(value, 0, 1)
    return value * value * (3 - 2 * value)


def paint(
    canvas: Array, shape: Array, colour: Array | str, soft: float = 0.0, strength: float | Array = 1.0
) -> None:
    """Lay a colour where the shape is, its edge blurred over `soft`."""
    cover = ramp_smooth(0.5 - shape / (2 * soft)) if soft else (shape < 0).astype(float)
    cover = (cover * strength)[..., None]
    canvas += cover * ((rgb(colour) if isinstance(colour, str) else colour) - canvas)


def finished(canvas: Array) -> Image.Image:
    """Average the fine grid and round to bytes."""
    small = canvas.reshape(SIDE, FINE, SIDE, FINE, 3).mean((1, 3))
    return Image.fromarray(np.rint(small.clip(0, 1) * 255).astype(np.uint8))


def puppy() -> Image.Image:
    """A friendly dog's head."""
    canvas = ramp(np.hypot(X + 0.3, Y + 0.5), (0.0, "bfe3df"), (1.0, "7fbcbb"), (1.8, "4f9299"))
    # shoulders and collar
    paint(canvas, ellipse(0, 1.32, 0.72, 0.62), ramp(Y, (0.6, "a8632f"), (1.0, "c98547")), 0.01)
    paint(canvas, ellipse(0, 1.36, 0.26, 0.50), "f6e7cf", 0.05)
    # head
    head = joined(ellipse(0, -0.12, 0.60, 0.60), ellipse(0, 0.22, 0.50, 0.44), smooth=0.15)
    paint(canvas, np.maximum(np.roll(head, 6 * FINE, 0), 0.9 - Y - 0.55), "27545a", 0.20, 0.40)
    light = np.hypot(X + 0.22, Y + 0.45)
    paint(
        canvas, head, ramp(light, (0.0, "eab06b"), (0.55, "d4914c"), (1.05, "b06c31"), (1.4, "8f5425")), 0.008
    )
    # blaze and muzzle
    blaze = joined(ellipse(0, -0.40, 0.085, 0.42), ellipse(0, 0.32, 0.36, 0.29), smooth=0.22)
    blaze = np.maximum(blaze, head + 0.03)
    paint(canvas, blaze, ramp(light, (0.2, "fffaf0"), (0.9, "f6e7cf"), (1.3, "dcc3a0")), 0.05)
    # ears, with the shadow that they throw
    for side in (-1, 1):
        mirrored = X * side
        ear = ear_shape(side)
        paint(canvas, np.roll(ear, (16 * FINE // 4, -side * 10 * FINE // 4), (0, 1)), "33302a", 0.12, 0.30)
        glow = np.hypot(mirrored - 0.60, Y + 0.35)
        paint(canvas, ear, ramp(glow, (0.0, "9a5a2b"), (0.5, "7a4320"), (0.95, "552b12")), 0.010)
    # eyes
    for side in (-1, 1):
        x, y = 0.245 * side, -0.10
        paint(canvas, ellipse(x, y - 0.005, 0.150, 0.160), "7b431b", 0.12, 0.55)
        paint(canvas, ellipse(x, y, 0.112, 0.122), "1d0f08", 0.010)
        paint(canvas, ellipse(x, y + 0.03, 0.080, 0.075), "5b3012", 0.07, 0.9)
        paint(canvas, ellipse(x, y, 0.058, 0.064), "0c0604", 0.02)
        paint(canvas, ellipse(x - 0.035, y - 0.045, 0.032, 0.032), "ffffff", 0.010)
        paint(canvas, ellipse(x + 0.040, y + 0.050, 0.015, 0.015), "ffffff", 0.010, 0.7)
        brow = stroke(
            [(x - 0.085 * side, y - 0.205), (x + 0.01 * side, y - 0.245), (x + 0.10 * side, y - 0.195)],
            lambda t: 0.010 + 0.016 * np.sin(np.pi * t),
        )
        paint(canvas, brow, "80471f", 0.03, 0.7)
    # mouth and tongue, then the nose over them
    tongue = joined(ellipse(0, 0.565, 0.105, 0.10), ellipse(0, 0.64, 0.095, 0.11), smooth=0.05)
    paint(canvas, tongue + 0.02, "6b2a24", 0.09, 0.35)
    paint(canvas, tongue, ramp(Y, (0.47, "b8434d"), (0.58, "ee7f86"), (0.75, "f59a9c")), 0.010)
    paint(canvas, stroke([(0, 0.55), (0.004, 0.62), (0, 0.68)], lambda t: 0.006 + 0 * t), "c95660", 0.015)
    for side in (-1, 1):
        lip = [
            (0, 0.37),
            (0.01 * side, 0.46),
            (0.09 * side, 0.535),
            (0.20 * side, 0.515),
            (0.28 * side, 0.43),
        ]
        cheek = polygon([(0, 0.30), *[(float(a), float(b)) for a, b in curve(lip, 40)], (0.28 * side, 0.30)])
        paint(canvas, cheek, ramp(Y, (0.36, "fbf1df"), (0.53, "efdcbc")), 0.0, ramp_smooth((Y - 0.40) / 0.08))
        paint(canvas, stroke(lip, lambda t: 0.015 - 0.008 * t), "4a2415", 0.012)
        for i, (dx, dy) in enumerate([(0.14, 0.36), (0.20, 0.42), (0.23, 0.345)]):
            paint(canvas, ellipse(dx * side, dy, 0.011, 0.011), "b08e66", 0.012, 0.9 - 0.1 * i)
    nose = joined(ellipse(0, 0.225, 0.135, 0.075), ellipse(0, 0.285, 0.075, 0.070), smooth=0.06)
    paint(canvas, nose + 0.0, "8a6a48", 0.10, 0.35)
    paint(canvas, nose, ramp(Y, (0.15, "4a3a37"), (0.25, "1f1614"), (0.36, "0e0908")), 0.008)
    paint(canvas, ellipse(-0.035, 0.190, 0.055, 0.020, -6), "e8dcd8", 0.03, 0.85)
    for side in (-1, 1):
        paint(canvas, ellipse(0.062 * side, 0.272, 0.026, 0.017, 25 * side), "050303", 0.012)
    return finished(canvas)


def ear_shape(side: int) -> Array:
    """A hanging ear on the left (-1) or right (1)."""
    return joined(
        ellipse(0.46 * side, -0.50, 0.20, 0.15, 30 * side),
        ellipse(0.63 * side, -0.20, 0.165, 0.34, -14 * side),
        ellipse(0.685 * side, 0.08, 0.150, 0.21, 0),
        smooth=0.14,
    )


def boat() -> Image.Image:
    """A sailing boat at sunset."""
    horizon, sun_x, sun_y = 0.30, -0.30, 0.14
    rng = np.random.default_rng(7)
    sky = ramp(
        Y, (-1.0, "1f2a5c"), (-0.55, "5a4a86"), (-0.2, "b8638a"), (0.05, "f0906a"), (horizon, "ffcf7d")
    )
    glow = np.exp(-np.hypot(X - sun_x, (Y - sun_y) * 1.25) / 0.42)[..., None]
    canvas = sky + glow * (rgb("ffd98a") - sky) * 0.75
    # clouds: long, soft, lit from below
    for x, y, a, b, s in CLOUDS:
        wave = 0.012 * np.sin(9 * X + 20 * y) + 0.008 * np.sin(23 * X + 7 * a)
        paint(canvas, ellipse(x, y, a, b) + wave, "ffb58f", 0.055, s)
        paint(canvas, ellipse(x, y - b * 0.8, a * 0.92, b * 0.8) + wave, "8a5a92", 0.06, s * 0.55)
    paint(canvas, ellipse(sun_x, sun_y, 0.150, 0.150), "ffe9ae", 0.25, 0.6)
    paint(canvas, ellipse(sun_x, sun_y, 0.135, 0.135), ramp(Y, (0.0, "fffbe6"), (0.28, "ffdf8f")), 0.008)
    # far hills
    for height, colour, phase in ((0.20, "d07f86", 0.0), (0.11, "94527a", 1.3)):
        swell = 0.55 + 0.3 * np.sin(5.2 * X + phase) + 0.15 * np.sin(13 * X + 3 * phase)
        land = horizon - height * swell * ramp_smooth((X - 0.45) / 0.4) - Y
        paint(canvas, land, colour, 0.006)
    # sea: the sky upside down and darker, with ripples that grow towards us
    depth = (Y - horizon) / (1 - horizon)
    sea = ramp(depth, (0.0, "e88f74"), (0.12, "b5647f"), (0.45, "5a467e"), (1.0, "1c2452"))
    near = np.maximum(depth, 1e-3)
    ripple = np.zeros_like(X)
    for k in range(26):
        f, phase, tilt = rng.uniform(3, 16), rng.uniform(0, 6.3), rng.uniform(-1.2, 1.2)
        ripple += np.sin(
            f * X / (0.25 + near) * 0.5 + tilt * 3 + phase + (14 + 1.5 * k) * np.log(near + 0.06) * 2.2
        )
    ripple /= 5.0
    sea = sea * (1 + 0.10 * ripple[..., None] * ramp_smooth(depth * 6)[..., None])
    width = 0.06 + 0.22 * depth
    path = (
        np.exp(-(((X - sun_x) / width) ** 2))
        * ramp_smooth(0.62 + 0.65 * ripple)
        * (1 - 0.55 * np.clip(depth, 0, 1))
    )
    sea = sea + path[..., None] * (rgb("ffdc93") - sea) * 0.95
    canvas = np.where(depth[..., None] > 0, sea, canvas)
    # the boat's mirror image, torn by the ripples, then the boat
    shift = 0.018 * ripple * ramp_smooth(depth * 5)
    base = 0.50
    for x, sail in mirrored_sails(base, shift):
        paint(canvas, sail, x, 0.0, 0.38 * np.clip(1.2 - depth, 0, 1) * (base < Y))
    sails(canvas, base)
    return finished(canvas)


BOAT_X = 0.24

#: Middle, half axes and strength.
CLOUDS = [
    (0.45, -0.42, 0.62, 0.045, 0.55),
    (0.62, -0.36, 0.40, 0.035, 0.50),
    (-0.62, -0.60, 0.50, 0.040, 0.45),
    (-0.50, -0.20, 0.45, 0.028, 0.55),
    (0.70, -0.06, 0.42, 0.022, 0.60),
    (-0.85, -0.54, 0.40, 0.030, 0.40),
]


def sail_curves(base: float) -> list[list[tuple[float, float]]]:
    """Outlines of the mainsail and of the jib."""
    x = BOAT_X
    top, foot = base - 1.16, base - 0.20
    main = [*leech((x + 0.015, top), (x + 0.47, foot), 0.085), (x + 0.015, foot)]
    jib = [*leech((x - 0.025, top + 0.14), (x - 0.07, foot - 0.01), 0.035), (x - 0.44, foot + 0.06)]
    return [main, jib]


def leech(a: tuple[float, float], b: tuple[float, float], belly: float) -> list[tuple[float, float]]:
    """A bulging edge from `a` to `b`."""
    t = np.linspace(0, 1, 40)
    nx, ny = b[1] - a[1], a[0] - b[0]
    bow = belly * np.sin(np.pi * t) / np.hypot(nx, ny)
    xs, ys = a[0] + (b[0] - a[0]) * t + nx * bow, a[1] + (b[1] - a[1]) * t + ny * bow
    return [(float(x), float(y)) for x, y in zip(xs, ys, strict=True)]


def hull_curve(base: float) -> list[tuple[float, float]]:
    """Outline of the hull."""
    deck = [(-0.50, -0.135), (-0.2, -0.095), (0.2, -0.10), (0.50, -0.125)]
    keel = [(0.50, -0.125), (0.43, -0.02), (0.30, 0.012), (-0.22, 0.012), (-0.38, -0.03), (-0.50, -0.135)]
    outline = np.concatenate([curve(deck, 40), curve(keel, 60)])
    return [(float(BOAT_X + a), float(base + b)) for a, b in outline]


def mirrored_sails(base: float, shift: Array) -> list[tuple[str, Array]]:
    """Colours and shapes of the boat below its waterline, as the water shows it."""
    main, jib = sail_curves(base)
    columns = np.clip(np.arange(len(X))[None] + np.rint(shift * len(X)).astype(int), 0, len(X) - 1)
    shapes = []
    for colour, outline in (("ffe2b8", main), ("ffc79b", jib), ("2a1530", hull_curve(base))):
        flipped = [(x, base + 0.012 + (base - y) * 0.62) for x, y in outline]
        shapes.append((colour, np.take_along_axis(polygon(flipped), columns, 1)))
    return shapes


def sails(canvas: Array, base: float) -> None:
    """Draw the boat itself."""
    main, jib = sail_curves(base)
    across = X - BOAT_X
    paint(
        canvas,
        polygon(main),
        ramp(across + 0.25 * (Y + 0.2), (-0.15, "fff4dc"), (0.15, "ffe3b4"), (0.45, "f2b583")),
    )
    paint(canvas, polygon(jib), ramp(across - 0.2 * Y, (-0.45, "ffd9a6"), (-0.15, "ffb98c"), (0.1, "e2906f")))
    for share in (0.30, 0.52, 0.74):  # seams
        y = main[0][1] + share * (main[-1][1] - main[0][1])
        line = np.abs(Y - y - 0.10 * across) - 0.0035
        paint(canvas, np.maximum(line, polygon(main) * 9), "d99a6c", 0.0, 0.55)
    x, top = BOAT_X, main[0][1]
    mast = [(-0.008, top - 0.05), (0.008, top - 0.05), (0.013, base - 0.08), (-0.011, base - 0.08)]
    boom = [(0.0, base - 0.190), (0.49, base - 0.195), (0.49, base - 0.180), (0.0, base - 0.172)]
    for spar in (mast, boom):
        paint(canvas, polygon([(x + a, b) for a, b in spar]), "4a2430")
    paint(
        canvas, polygon([(BOAT_X, top - 0.05), (BOAT_X, top + 0.0), (BOAT_X - 0.13, top - 0.022)]), "e2463f"
    )
    hull = hull_curve(base)
    paint(
        canvas,
        polygon(hull),
        ramp(Y, (base - 0.13, "7d2c3c"), (base - 0.06, "5a2036"), (base + 0.01, "2a1530")),
    )
    stripe = np.abs(Y - (base - 0.088) + 0.03 * across**2 * 4) - 0.009
    paint(canvas, np.maximum(stripe, polygon(hull) * 9), "ffd9a6", 0.0, 0.9)


def three() -> Image.Image:
    """A handwritten 3, white on black, proportioned like MNIST's."""
    line = [(-0.36, -0.50), (-0.14, -0.66), (0.16, -0.64), (0.30, -0.44), (0.20, -0.20), (-0.10, -0.05),
            (0.18, 0.02), (0.35, 0.24), (0.28, 0.50), (0.02, 0.66), (-0.26, 0.62), (-0.42, 0.47)]  # fmt: skip
    shape = stroke(line, lambda t: 0.082 + 0.022 * np.sin(np.pi * t) - 0.010 * np.cos(9 * t))
    canvas = np.zeros((*X.shape, 3))
    paint(canvas, shape, "ffffff", 0.035)
    return finished(canvas)


def chart() -> Image.Image:
    """Stripes coarse to fine, plain and faint, a ramp and colours, whole pixels at 64 x 64."""
    unit = SIDE // 64
    cells = np.full((64, 64, 3), 0.5)
    tall, left = [2, 18, 34, 50], [2, 18, 34, 50]
    colours = ["e53935", "fb8c00", "fdd835", "7cb342", "00897b", "039be5", "3949ab", "8e24aa",
               "8d4a3c", "c98a5b", "f2c9a1", "f8bbd0", "102027", "546e7a", "b0bec5", "ffffff"]  # fmt: skip
    for i, period in enumerate((12, 6, 4, 2)):
        wave = np.where(np.arange(12) % period < period / 2, 1.0, -1.0)
        cells[tall[0] : tall[0] + 12, left[i] : left[i] + 12] = (0.5 + 0.5 * wave)[None, :, None]
        cells[tall[1] : tall[1] + 12, left[i] : left[i] + 12] = (0.5 + 0.12 * wave)[None, :, None]
        for j in range(4):
            y, x = tall[3] + 6 * (j // 2), left[i] + 6 * (j % 2)
            cells[y : y + 6, x : x + 6] = rgb(colours[4 * i + j])
    cells[tall[2] : tall[2] + 12, 2:62] = np.linspace(0, 1, 60)[None, :, None]
    big = cells.repeat(unit, 0).repeat(unit, 1)
    return Image.fromarray(np.rint(big * 255).astype(np.uint8))


def photos() -> list[tuple[Sample, Image.Image]]:
    """Crops of scikit-image's photos, their licences as its documentation states them."""
    from skimage import data

    def cut(array: NDArray[np.uint8], left: int, top: int, side: int) -> Image.Image:
        size = min(side, SIDE)
        box = (left, top, left + side, top + side)
        return Image.fromarray(array).resize((size, size), Image.Resampling.LANCZOS, box=box)

    astronaut = Sample(
        "astronaut",
        "An astronaut",
        "astronaut.jpg",
        "Eileen Collins, NASA Great Images database (flic.kr/p/r9qvLn), no known copyright restrictions, "
        "public domain. From scikit-image, cropped.",
        "Face of a smiling woman with short hair in a space suit",
    )
    cat = Sample(
        "cat",
        "Chelsea the cat",
        "cat.jpg",
        "Photo by Stéfan van der Walt, CC0 (public domain). From scikit-image, cropped.",
        "Face of a tabby cat with green eyes",
    )
    coffee = Sample(
        "coffee",
        "A cup of coffee",
        "coffee.jpg",
        "Photo by Rachel Michetti, courtesy of Pikolo Espresso Bar, CC0 (public domain). "
        "From scikit-image, cropped.",
        "Espresso in a red cup on a red saucer with a spoon",
    )
    return [
        (astronaut, cut(data.astronaut(), 108, 0, 240)),
        (cat, cut(data.chelsea(), 88, 0, 300)),
        (coffee, cut(data.coffee(), 82, 0, 400)),
    ]


def drawings() -> list[tuple[Sample, Image.Image]]:
    """What this program draws."""
    titles = {
        puppy: ("A puppy, drawn", "Drawing of a friendly brown and white puppy's head"),
        boat: ("A boat at sunset", "Drawing of a sailing boat on the sea before a low sun"),
        three: ("A three", "The digit 3, white on black, as if handwritten"),
        chart: (
            "A test chart",
            "Stripes from coarse to fine, strong and faint, a grey ramp, sixteen colours",
        ),
    }
    source = "Drawn by this project (tools/make_samples.py), under its own licence."
    return [
        (Sample(draw.__name__, title, f"{draw.__name__}.png", source, alt), draw())
        for draw, (title, alt) in titles.items()
    ]


def from_networks() -> list[tuple[Sample, Image.Image]]:
    """Pictures that the project's own networks make from noise, for those that are there."""
    sys.path.insert(0, str(ROOT))
    from diffusion.checkpoint import available, load_denoiser
    from diffusion.generate import from_noise
    from diffusion.pictures import to_image

    made = []
    for model, seed, index, title, alt in NETWORK_PICKS:
        if model not in available():
            print(f"{model} is not there yet: left out")
            continue
        *_, last = from_noise(load_denoiser(model), seed, index, steps=50)
        name = f"{model}-{seed}-{index}"
        source = (
            f"Made from noise by this project's own network '{model}' "
            f"(seed {seed}, picture {index}, 50 steps); see its model card."
        )
        made.append((Sample(name, title, f"{name}.png", source, alt), to_image(last.x_s[0])))
    return made


def write(samples: list[tuple[Sample, Image.Image]], kept: list[dict[str, str]]) -> None:
    """Save the pictures, and the list of them with those `kept` from before at its end."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for sample, picture in samples:
        path = FOLDER / sample.file
        if path.suffix == ".jpg":
            picture.save(path, quality=93, subsampling=0, optimize=True)
        else:
            picture.save(path, optimize=True)
        print(f"{sample.file:16s} {picture.width} x {picture.height}, {path.stat().st_size / 1000:.1f} kB")
    entries = [asdict(sample) for sample, _ in samples] + kept
    text = json.dumps(entries, indent=1, ensure_ascii=False) + "\n"
    (FOLDER / "samples.json").write_text(text, encoding="utf-8")


def main() -> None:
    """Make all, or with ``--networks`` the networks' pictures too."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--networks", action="store_true", help="make the networks' pictures anew")
    arguments = parser.parse_args()
    samples = photos() + drawings()
    kept: list[dict[str, str]] = []
    if arguments.networks:
        samples += from_networks()
    elif (FOLDER / "samples.json").exists():
        old = json.loads((FOLDER / "samples.json").read_text(encoding="utf-8"))
        names = {sample.name for sample, _ in samples}
        kept = [s for s in old if s["name"] not in names and (FOLDER / s["file"]).exists()]
    write(samples, kept)


if __name__ == "__main__":
    main()
