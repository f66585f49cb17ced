"""Whatever file comes in ends as a right picture or as one clear sentence."""

import contextlib
import io
import struct
import subprocess
import sys
import threading
import warnings
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from _pytest.mark import ParameterSet
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from diffusion import pictures
from diffusion.containers import orientation_in, take_apart
from diffusion.pictures import (
    Crop,
    PictureError,
    contact_sheet,
    load_picture,
    open_picture,
    scaled_to_spread,
    square,
    to_bytes,
    to_image,
    to_tensor,
)

ROOT = Path(__file__).resolve().parents[1]

# How files are made


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def noise(mode: str = "RGB", width: int = 64, height: int = 64) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(values).convert(mode)


def smooth(mode: str = "RGB", width: int = 60, height: int = 40) -> Image.Image:
    """Red grows to the right, green downwards: tells a turned or swapped picture at once."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, 0 * x + 128], -1).astype(np.uint8)).convert(mode)


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">L", len(body)) + name + body + struct.pack(">L", zlib.crc32(name + body))


def png(
    width: int,
    height: int,
    depth: int,
    colour: int,
    rows: bytes,
    extra: bytes = b"",
    idat: bytes | None = None,
) -> bytes:
    header = struct.pack(">LLBBBBB", width, height, depth, colour, 0, 0, 0)
    idat = chunk(b"IDAT", zlib.compress(rows, 9)) if idat is None else idat
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + idat + chunk(b"IEND", b"")


def tiff(entries: list[tuple[int, int, int, bytes]], tail: bytes = b"", count: int | None = None) -> bytes:
    ifd = struct.pack("<H", len(entries) if count is None else count)
    ifd += b"".join(struct.pack("<HHL", *entry[:3]) + entry[3].ljust(4, b"\0") for entry in entries)
    return b"II*\0" + struct.pack("<L", 8) + ifd + b"\0\0\0\0" + tail


def exif(orientation: int, order: str = "<", kind: int = 3) -> bytes:
    value = struct.pack(order + "L", orientation) if kind == 4 else struct.pack(order + "HH", orientation, 0)
    start = (b"II" if order == "<" else b"MM") + struct.pack(order + "HL", 42, 8)
    return b"Exif\0\0" + start + struct.pack(order + "HHHL", 1, 0x0112, kind, 1) + value + bytes(4)


def segment(marker: int, body: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


JPEG = saved(smooth(), "JPEG", quality=95, subsampling=0)
PROGRESSIVE = saved(smooth(), "JPEG", progressive=True)
PNG = saved(noise(), "PNG")
WEBP = saved(smooth(), "WEBP", lossless=True)
GIF = saved(smooth("P"), "GIF")
TIFF = saved(smooth(), "TIFF")
BMP = saved(smooth(), "BMP")
VALID = {"png": PNG, "jpeg": JPEG, "webp": WEBP, "gif": GIF, "tiff": TIFF, "bmp": BMP}


def message(data: bytes) -> str:
    """The one sentence that a file is refused with."""
    with pytest.raises(PictureError) as caught:
        load_picture(data)
    text = str(caught.value)
    assert 20 < len(text) < 330
    assert text.endswith(".")
    assert ". " not in text
    assert text[0].isupper()
    for word in ("Error", "Traceback", "0x", "\n"):
        assert word not in text
    return text


# Exactness


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_eight_bits_load_exactly(kind: str):
    image = noise()
    x = load_picture(saved(image, kind), 64)
    values = np.asarray(image, np.float32).transpose(2, 0, 1)[None] / np.float32(127.5) - 1
    assert x.dtype == torch.float32
    assert x.is_contiguous()
    assert np.array_equal(x.numpy(), values)
    assert np.array_equal(to_bytes(x[0]), np.asarray(image))
    assert np.array_equal(np.asarray(to_image(x[0])), np.asarray(image))


def test_every_byte_comes_back():
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    x = load_picture(saved(Image.fromarray(values), "PNG"), 16, channels=1)
    assert x.shape == (1, 1, 16, 16)
    assert x.min() == -1
    assert x.max() == 1
    assert np.array_equal(to_bytes(x[0]), np.repeat(values[..., None], 3, 2))


def test_lossless_webp_and_gif_load_exactly():
    image = noise("L")
    for data in (saved(image.convert("RGB"), "WEBP", lossless=True), saved(image, "GIF")):
        assert np.array_equal(to_bytes(load_picture(data, 64)[0]), np.asarray(image.convert("RGB")))


def test_same_file_same_bits():
    data = saved(noise(width=300, height=200), "JPEG")
    assert torch.equal(load_picture(data), load_picture(data))


# Modes

GREY16 = (np.arange(4096, dtype=np.uint32) * 65535 // 4095).astype(np.uint16).reshape(64, 64)


def test_sixteen_bit_grey_keeps_its_whole_range():
    for kind in ("PNG", "TIFF"):
        x = load_picture(saved(Image.fromarray(GREY16), kind), 64, channels=1)[0, 0].numpy()
        assert x.min() == -1
        assert x.max() == 1
        assert np.abs((x + 1) / 2 - GREY16 / 65535).max() <= 0.5 / 255 + 1e-6


def test_sixteen_bit_big_endian_tiff():
    rows = GREY16.astype(">u2").tobytes()
    ifd = [(256, 3, 64), (257, 3, 64), (258, 3, 16), (259, 3, 1), (262, 3, 1), (277, 3, 1), (278, 3, 64)]
    entries = b"".join(struct.pack(">HHLHH", tag, kind, 1, value, 0) for tag, kind, value in ifd)
    at = 8 + 2 + 12 * 9 + 4
    entries += struct.pack(">HHLL", 273, 4, 1, at) + struct.pack(">HHLL", 279, 4, 1, len(rows))
    data = b"MM\0*" + struct.pack(">LH", 8, 9) + entries + bytes(4) + rows
    x = load_picture(data, 64, channels=1)[0, 0].numpy()
    assert np.abs((x + 1) / 2 - GREY16 / 65535).max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize(("colour", "samples"), [(2, 3), (4, 2), (6, 4)], ids=["RGB", "LA", "RGBA"])
def test_sixteen_bit_colours_keep_their_range(colour: int, samples: int):
    row = np.linspace(0, 65535, 64).astype(">u2")
    cells = np.repeat(row[:, None], samples, 1)
    if colour in (4, 6):
        cells[:, -1] = 65535
    x = load_picture(png(64, 64, 16, colour, (b"\0" + cells.tobytes()) * 64), 64)
    assert x.min() == -1
    assert x.max() == 1
    assert (x[0, :, 5].diff() > 0).all()


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_grey_depths_run_from_black_to_white(depth: int):
    row = {1: b"\x0f", 2: b"\x1b", 4: b"\x04\x8f", 8: bytes([0, 255]), 16: b"\0\0\xff\xff"}[depth]
    width = len(row) * 8 // depth
    x = load_picture(png(width, 1, depth, 0, b"\0" + row), None, channels=1)
    assert x[0, 0, 0, 0] == -1
    assert x[0, 0, 0, -1] == 1


def test_transparent_parts_lie_on_white():
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[..., 0] = 200
    rgba[:, 32:, 3] = np.linspace(0, 255, 32).astype(np.uint8)
    for kind in ("PNG", "TIFF"):
        found = to_bytes(load_picture(saved(Image.fromarray(rgba), kind), 64)[0]).astype(int)
        share = rgba[..., 3:] / 255
        wanted = share * rgba[..., :3] + (1 - share) * 255
        assert (found[:, :32] == 255).all()
        assert np.abs(found - wanted).max() <= 1


def test_transparency_survives_scaling_down():
    rgba = np.zeros((2400, 2400, 4), np.uint8)
    rgba[:, 1200:] = [10, 20, 30, 255]
    found = to_bytes(load_picture(saved(Image.fromarray(rgba), "PNG", compress_level=1), 64)[0])
    assert (found[:, :30] > 250).all()  # clear black shows as white, with no dark fringe
    assert np.abs(found[:, 34:].astype(int) - [10, 20, 30]).max() <= 4


def palette(transparency: bytes | int) -> bytes:
    image = Image.new("P", (64, 64), 1)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.paste(0, (0, 0, 32, 64))
    return saved(image, "PNG", transparency=transparency)


def keyed(mode: str, colour: object, transparency: object) -> bytes:
    image = Image.new(mode, (64, 64), 0)
    image.paste(colour, (0, 0, 32, 64))
    return saved(image, "PNG", transparency=transparency)


@pytest.mark.parametrize(
    ("data", "left", "right"),
    [
        (palette(0), (255, 255, 255), (0, 0, 255)),
        (palette(bytes([255, 0])), (255, 0, 0), (255, 255, 255)),
        (palette(bytes([128, 255])), (255, 127, 127), (0, 0, 255)),
        (keyed("L", 90, 90), (255, 255, 255), (0, 0, 0)),
        (keyed("RGB", (9, 8, 7), (9, 8, 7)), (255, 255, 255), (0, 0, 0)),
        (keyed("1", 255, 0), (255, 255, 255), (255, 255, 255)),
    ],
    ids=["palette index", "palette bytes", "palette half", "grey key", "colour key", "bit key"],
)
def test_transparent_palettes_and_keys(data: bytes, left: tuple[int, ...], right: tuple[int, ...]):
    found = to_bytes(load_picture(data, 64)[0]).astype(int)
    assert np.abs(found[:, :32] - left).max() <= 1
    assert np.abs(found[:, 32:] - right).max() <= 1


def test_transparent_gif():
    image = Image.new("P", (64, 64), 1)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.paste(0, (0, 0, 32, 64))
    found = to_bytes(load_picture(saved(image, "GIF", transparency=0), 64)[0])
    assert (found[:, :32] == 255).all()
    assert (found[:, 32:] == [0, 0, 255]).all()


PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize(
    "data",
    [
        saved(smooth("CMYK"), "JPEG", quality=95),
        saved(smooth("CMYK"), "JPEG", quality=95, icc_profile=PROFILE),
        saved(smooth("CMYK"), "JPEG", quality=95, icc_profile=b"nonsense" * 99),
        saved(smooth("CMYK"), "TIFF"),
        saved(smooth("CMYK"), "TIFF", compression="tiff_lzw", icc_profile=PROFILE),
        saved(smooth("YCbCr"), "JPEG", quality=95),
        saved(smooth("YCbCr"), "TIFF"),
        saved(smooth("YCbCr"), "TIFF", compression="jpeg"),
        saved(smooth("RGB"), "TIFF", compression="jpeg"),
        saved(smooth("RGB"), "TIFF", compression="tiff_adobe_deflate"),
        saved(smooth("RGB"), "TIFF", compression="packbits"),
        saved(smooth("RGBX"), "TIFF"),
        saved(smooth("RGB"), "TIFF", big_tiff=True),
        saved(smooth("RGB"), "JPEG", quality=95, progressive=True),
        saved(smooth("RGB"), "JPEG", quality=95, subsampling=2),
        saved(smooth("RGB"), "JPEG", quality=95, exif=exif(1), icc_profile=PROFILE, comment=b"hello" * 99),
        saved(smooth("RGB"), "JPEG", quality=95, keep_rgb=True),
        saved(smooth(), "WEBP", quality=95, icc_profile=PROFILE, exif=exif(1), xmp=b"<x/>"),
        saved(smooth("RGBA"), "WEBP", lossless=True),
        saved(smooth("RGB"), "PNG", icc_profile=PROFILE, exif=exif(1)),
        saved(smooth("RGB").quantize(256), "BMP"),
        saved(smooth("RGBA"), "BMP"),
        saved(smooth("RGB").quantize(256), "TIFF"),
    ],
)  # fmt: skip
def test_colours_stay_what_they_are(data: bytes):
    found = np.asarray(open_picture(data)).astype(int)
    assert found.shape == (40, 60, 3)
    assert np.abs(found - np.asarray(smooth())).mean() < 6


MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I", "I;16", "F")


def files_of_every_mode() -> Iterator[ParameterSet]:
    """A file for each mode that Pillow can put into each format."""
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"):
        for mode in MODES:
            if mode == "I;16" and kind in ("WEBP", "GIF"):
                continue  # Pillow would save it clipped to 8 bits
            deep = Image.fromarray(np.asarray(noise("L"), np.uint16) * 257)
            with contextlib.suppress(OSError, ValueError):  # the format cannot hold this mode
                yield pytest.param(saved(deep if mode == "I;16" else noise(mode), kind), id=f"{mode}-{kind}")


@pytest.mark.parametrize("data", list(files_of_every_mode()))
def test_every_mode_that_a_format_can_hold(data: bytes):
    for size, channels in ((64, 3), (28, 1), (None, 3)):
        x = load_picture(data, size, channels=channels)
        assert x.shape == (1, channels, size or 64, size or 64)
        assert x.isfinite().all()
        assert x.abs().max() <= 1
        assert x.std() > 0.05


@pytest.mark.parametrize(
    "values",
    [
        np.linspace(-5, 5, 4096),
        np.linspace(0, 1, 4096),
        np.linspace(-3e38, 3e38, 4096),
        np.r_[np.linspace(0, 9, 4093), np.nan, np.inf, -np.inf],
    ],
    ids=["signed", "unit", "huge", "not finite"],
)
def test_floats_are_stretched_over_what_they_hold(values: np.ndarray):
    image = Image.fromarray(values.astype(np.float32).reshape(64, 64))
    x = load_picture(saved(image, "TIFF"), 64, channels=1)[0, 0]
    assert x[0, 0] == -1
    assert x.flatten()[4092 if np.isnan(values).any() else 4095] == 1
    assert (x.flatten()[:4090].diff() >= 0).all()


@pytest.mark.parametrize("value", [0.0, 7.0, -7.0, np.nan, np.inf])
def test_flat_floats_are_a_flat_picture(value: float):
    image = Image.fromarray(np.full((8, 8), value, np.float32))
    x = load_picture(saved(image, "TIFF"), 8)
    assert x.isfinite().all()
    assert (x == x[0, 0, 0, 0]).all()


def test_lab_is_refused_by_name():
    assert "LAB" in message(saved(Image.new("LAB", (8, 8)), "TIFF"))


# Orientation

CORNERS = {  # where EXIF's orientation puts the first stored pixel: row, column
    1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "LZW"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_stand_upright(kind: str, orientation: int):
    stored = np.zeros((16, 32, 3), np.uint8)
    stored[:8, :8] = [255, 0, 0]  # the first corner
    stored[:8, -8:] = [0, 0, 255]  # along the first row
    options: dict[str, object] = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}.get(
        kind, {}
    )
    if kind in ("TIFF", "LZW"):
        options = {"tiffinfo": {0x0112: orientation}} | ({"compression": "tiff_lzw"} if kind == "LZW" else {})
    else:
        options["exif"] = exif(orientation)
    data = saved(Image.fromarray(stored), "TIFF" if kind == "LZW" else kind, **options)
    found = np.asarray(open_picture(data)).astype(int)
    sideways = orientation >= 5
    assert found.shape == ((32, 16, 3) if sideways else (16, 32, 3))
    row, column = CORNERS[orientation]
    assert np.abs(found[row, column] - [255, 0, 0]).max() < 30
    blue = (-1 - row, column) if sideways else (row, -1 - column)
    assert np.abs(found[blue] - [0, 0, 255]).max() < 30


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [3, 4])
@pytest.mark.parametrize("value", [0, 1, 6, 8, 9, 255])
def test_orientation_is_read_as_written(order: str, kind: int, value: int):
    block = exif(value, order, kind)
    assert orientation_in(block) == orientation_in(block[6:]) == (value if 1 <= value <= 8 else 1)


@pytest.mark.parametrize(
    "block",
    [b"", b"II", b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", b"nonsense", bytes(99),
     *(exif(6)[6:n] for n in range(14, 26))],
)  # fmt: skip
def test_broken_exif_turns_nothing(block: bytes):
    assert orientation_in(block) == 1
    data = JPEG[:2] + segment(0xE1, b"Exif\0\0" + block) + JPEG[2:]
    assert open_picture(data).size == (60, 40)


# Metadata


def with_everything() -> dict[str, bytes]:
    secret = b"GPS 52.5163 N 13.3777 E"
    block = exif(6) + secret
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", secret.decode())
    notes.add_text("Zipped", secret.decode(), zip=True)
    notes.add_itxt("XML:com.adobe.xmp", secret.decode())
    return {
        "jpeg": saved(smooth(), "JPEG", exif=block, comment=secret, icc_profile=PROFILE, xmp=secret),
        "png": saved(smooth(), "PNG", exif=block, pnginfo=notes, icc_profile=PROFILE, dpi=(72, 72)),
        "webp": saved(smooth(), "WEBP", exif=block, xmp=secret, icc_profile=PROFILE),
        "gif": saved(smooth("P"), "GIF", comment=secret),
        "tiff": saved(smooth(), "TIFF", tiffinfo={270: secret.decode(), 0x0112: 6}, icc_profile=PROFILE),
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "tiff"])
def test_nothing_but_pixels_is_kept(kind: str):
    data = with_everything()[kind]
    assert b"GPS 52" in data
    container = take_apart(data)
    assert container.orientation == (1 if kind == "gif" else 6)
    if kind != "tiff":  # whose bytes stay, listed nowhere
        assert b"GPS" not in container.data
        assert b"ICC" not in container.data.upper()
    picture = open_picture(data)
    assert picture.info == {}
    assert not picture.getexif()
    for part in (picture, square(picture, 32)):
        assert b"GPS" not in saved(part, "PNG")
        assert set(part.info) == set()


@pytest.mark.parametrize("kind", VALID)
def test_a_clean_file_decodes_as_before(kind: str):
    with (
        Image.open(io.BytesIO(VALID[kind])) as straight,
        Image.open(io.BytesIO(take_apart(VALID[kind]).data)) as cut,
    ):
        assert np.array_equal(np.asarray(straight.convert("RGB")), np.asarray(cut.convert("RGB")))


# First frames


def test_films_show_their_first_frame():
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "lime", "blue")]
    more = {"save_all": True, "append_images": frames[1:]}
    files = [
        saved(frames[0], "GIF", **more),
        saved(frames[0], "PNG", **more),
        saved(frames[0], "WEBP", lossless=True, **more),
        saved(frames[0], "WEBP", lossless=True, exif=exif(3), **more),
        saved(frames[0], "TIFF", **more),
        saved(frames[0], "MPO", quality=95, **more),
    ]
    for data in files:
        assert np.abs(np.asarray(open_picture(data)).astype(int) - [255, 0, 0]).max() < 8


def test_only_the_first_frame_of_a_webp_is_decoded():
    frames = [Image.new("RGB", (20, 20), (i, 0, 0)) for i in range(0, 250, 10)]
    data = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    assert take_apart(data).data.count(b"ANMF") == 1


# Sizes


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 5000), (5000, 1), (2, 3), (63, 65), (1, 12000), (12000, 2), (1025, 1), (3071, 7)]
)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_every_shape_gives_a_real_square(size: tuple[int, int], mode: str):
    data = saved(Image.new(mode, size, "white" if mode != "RGBA" else (0, 0, 0, 0)), "PNG")
    for side in (1, 28, 64, 256):
        assert (load_picture(data, side) == torch.ones(1, 3, side, side)).all()
    whole = load_picture(data, None)
    assert max(whole.shape[-2:]) == min(512, max(size))
    assert min(whole.shape[-2:]) >= 1
    picture = open_picture(data)
    assert max(picture.size) == min(1024, max(size))
    for crop in (Crop(0, 0, 0.01), Crop(1, 1, 0.5), Crop(0.5, 0.5, 1), Crop(-9, 9, 3)):
        assert square(picture, 64, crop).size == (64, 64)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "CMYK", "L", "I;16", "F"])
def test_scaling_keeps_the_values_and_the_place(mode: str):
    """A ramp whose side is no multiple of anything, brought down, is the ramp still."""
    width, height = 3613, 811
    if mode in ("I;16", "F"):
        values = np.tile(np.linspace(0, 65535, width), (height, 1))
        large = Image.fromarray(values.astype(np.uint16 if mode == "I;16" else np.float32))
    else:
        large = smooth("RGB", width, height).convert(mode)
    found = np.asarray(open_picture(saved(large, "TIFF"))).astype(float)
    assert found.shape == (230, 1024, 3)
    if mode == "L":
        wanted = np.asarray(smooth("RGB", 1024, 230).convert("L"), float)
        assert np.abs(found[..., 0] - wanted).max() < 2
    else:
        assert np.abs(found[..., 0] - np.linspace(0, 255, 1024)).max() < 2


def test_a_crop_takes_what_it_names():
    picture = Image.new("RGB", (300, 100), "red")
    picture.paste("lime", (100, 0, 200, 100))
    picture.paste("blue", (200, 0, 300, 100))
    data = saved(picture, "PNG")
    for x, colour in ((1 / 6, (255, 0, 0)), (0.5, (0, 255, 0)), (5 / 6, (0, 0, 255)), (9, (0, 0, 255))):
        found = to_bytes(load_picture(data, 32, crop=Crop(x, 0.5, 0.9))[0])
        assert np.abs(found.astype(int) - colour).max() <= 9
    middle = load_picture(data, 32)
    assert torch.equal(middle, load_picture(data, 32, crop=Crop()))


@settings(derandomize=True, max_examples=100, deadline=None)
@given(
    st.tuples(st.integers(1, 12_000), st.integers(1, 12_000)),
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(allow_nan=True, allow_infinity=True),
)
def test_a_crop_lies_inside_the_picture(size: tuple[int, int], x: float, y: float, side: float):
    left, top, right, bottom = Crop(x, y, side).box(*size)
    assert 0 <= left < right <= size[0]
    assert 0 <= top < bottom <= size[1]
    assert right - left == pytest.approx(bottom - top, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    "data",
    [
        png(12_001, 1, 1, 0, b"\0" * 1502),
        png(1, 12_001, 1, 0, b"\0\0" * 12_001),
        png(7_100, 7_100, 8, 2, b""),
        png(2**31 - 1, 2**31 - 1, 1, 0, b""),
        png(60_000, 60_000, 1, 0, b""),
        png(6_000, 5_000, 8, 6, b""),
        GIF[:6] + b"\xff\xff\xff\xff" + GIF[10:],
        BMP[:18] + struct.pack("<ll", 50_000, 50_000) + BMP[26:],
        BMP[:18] + struct.pack("<ll", -1, 2**31 - 1) + BMP[26:],
        JPEG.replace(struct.pack(">HH", 40, 60), struct.pack(">HH", 65_500, 65_500), 1),
        PROGRESSIVE.replace(struct.pack(">HH", 40, 60), struct.pack(">HH", 7_000, 7_000), 1),
        b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff" * 6,
        b"RIFF\x20\0\0\0WEBPVP8L\x10\0\0\0\x2f" + b"\xff" * 15,
        tiff([(256, 4, 1, b"\0\0\0\x80"), (257, 4, 1, b"\0\0\0\x80"), (273, 4, 1, b"\x08")]),
    ],
)  # fmt: skip
def test_too_many_pixels_are_refused_before_they_are_unpacked(data: bytes):
    message(data)


def test_the_size_is_named():
    assert "12,001 x 1 pixels" in message(png(12_001, 1, 1, 0, b"\0" * 1502))


def test_a_long_side_of_twelve_thousand_is_read():
    assert load_picture(png(12_000, 10, 1, 0, (b"\0" + b"\xff" * 1500) * 10)).min() == 1


# Bombs


def bombs() -> dict[str, bytes]:
    scan = JPEG[JPEG.index(b"\xff\xda") : -2]
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**6), 9))
    tags = struct.pack("<H", 5000) + b"".join(
        struct.pack("<HHLL", i + 1000, 7, 60_000, 8) for i in range(5000)
    )
    raw = (b"\0" + bytes(3 * 64)) * 64
    zeros = zlib.compress(bytes(5 * 10**7), 9)
    gif_start = GIF[: 13 + 768]
    return {
        "png text": png(64, 64, 8, 2, raw, text * 90),
        "png one text": png(64, 64, 8, 2, raw, chunk(b"iTXt", b"a\0\1\0\0\0" + zeros)),
        "png profile": png(64, 64, 8, 2, raw, chunk(b"iCCP", b"a\0\0" + zeros)),
        "png exif": png(64, 64, 8, 2, raw, chunk(b"eXIf", b"II*\0\x08\0\0\0" + tags)),
        "jpeg exif": JPEG[:2] + segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0" + tags) + JPEG[2:],
        "jpeg mpf": JPEG[:2] + segment(0xE2, b"MPF\0II*\0\x08\0\0\0" + tags) + JPEG[2:],
        "jpeg fill": JPEG[:2] + b"\xff" * 10**6 + JPEG[2:],
        "png pixels": png(64, 64, 8, 2, bytes(3 * 10**7)),
        "png many idat": png(64, 64, 8, 2, b"", idat=chunk(b"IDAT", b"") * 30_000),
        "png many parts": png(64, 64, 8, 2, raw, chunk(b"tEXt", b"a\0") * 30_000),
        "jpeg many scans": JPEG[:-2] + scan * 40 + b"\xff\xd9",
        "jpeg many markers": JPEG[:2] + b"\xff\xfe\0\2" * 30_000 + JPEG[2:],
        "gif comment": gif_start + b"\x21\xfe" + b"\1x" * 30_000 + b"\0" + GIF[len(gif_start) :],
        "webp parts": b"RIFF\xff\xff\0\0WEBP" + b"JUNK\0\0\0\0" * 30_000,
        "tiff tags": tiff([(1000 + i, 7, 60_000, b"\x08") for i in range(1900)], bytes(60_000)),
        "tiff strips": tiff([(256, 3, 1, b"\x08"), (273, 4, 50_000, b"\x08")], bytes(10**6)),
        "tiff entries": tiff([], bytes(10**6), count=65_535),
        "bmp packed": BMP[:30] + b"\1" + BMP[31:] + bytes(2 * 10**6),
        "bmp packed side": BMP[:18] + struct.pack("<ll", 9000, 5000) + BMP[26:28] + b"\x08\0\1" + BMP[31:],
    }  # fmt: skip


BOMBS = bombs()
HARMLESS = {
    "png text",
    "png one text",
    "png profile",
    "png exif",
    "jpeg exif",
    "jpeg mpf",
    "jpeg fill",
    "png pixels",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_do_not_go_off(name: str):
    if name in HARMLESS:  # what would explode is cut out, and the picture is read
        assert load_picture(BOMBS[name]).shape == (1, 3, 64, 64)
    else:
        message(BOMBS[name])


def test_a_tiff_lists_what_makes_the_pixels_each_once_and_nothing_else():
    info = {282: 72.0, 270: "a description", 305: "a program", 0x0112: 6}
    whole = saved(smooth(), "TIFF", tiffinfo=info, icc_profile=PROFILE)
    container = take_apart(whole)
    assert container.orientation == 6
    with Image.open(io.BytesIO(whole)) as before, Image.open(io.BytesIO(container.data)) as after:
        tags = {tag: value for tag, value in before.tag_v2.items() if tag not in (*info, 283, 296, 34675)}
        assert dict(after.tag_v2) == tags

    rows = (278, 4, 1, struct.pack("<L", 4))
    pixels = (273, 4, 1, struct.pack("<L", 8 + 2 + 12 * 8 + 4))
    first = [(256, 3, 1, b"\4"), (257, 3, 1, b"\4"), (258, 3, 1, b"\x08"), (262, 3, 1, b"\1"), pixels]
    twice = tiff([*first, (278, 17, 1, b"\xff\xff"), rows, (278, 4, 1, b"\1")], bytes(range(16)))
    with Image.open(io.BytesIO(take_apart(twice).data)) as after:
        assert dict(after.tag_v2)[278] == 4, "the first of a kind that every reader knows"


@pytest.mark.parametrize("where", ["screen", "frame"])
def test_a_gif_is_measured_before_any_decoder_sees_it(where: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Image, "open", None)
    at = 6 if where == "screen" else GIF.index(b"\x2c", 13 + (3 << (GIF[10] & 7) + 1)) + 5
    huge = GIF[:at] + struct.pack("<HH", 13_300, 13_300) + GIF[at + 4 :]
    assert "13,300 x 13,300" in message(huge)


def test_a_gif_s_frame_needs_no_second_canvas():
    frames = [smooth("P"), smooth("P")]
    film = saved(frames[0], "GIF", save_all=True, append_images=frames[1:], disposal=2, transparency=0)
    with Image.open(io.BytesIO(film)) as before, Image.open(io.BytesIO(take_apart(film).data)) as after:
        assert (before.disposal_method, after.disposal_method) == (2, 0)
        assert np.array_equal(np.asarray(before.convert("RGBA")), np.asarray(after.convert("RGBA")))


def test_many_scans_of_a_large_picture_take_too_long():
    frame = PROGRESSIVE.index(b"\xff\xc2") + 5
    large = PROGRESSIVE[:frame] + struct.pack(">HH", 4000, 5000) + PROGRESSIVE[frame + 4 :]
    assert take_apart(large).coefficients == 60_000_000
    scan = PROGRESSIVE[PROGRESSIVE.rindex(b"\xff\xda") : -2]
    assert "too many parts" in message(large[:-2] + 8 * scan + b"\xff\xd9")


def test_many_scans_need_memory_for_the_whole_picture():
    assert take_apart(JPEG).coefficients == 0
    assert take_apart(PROGRESSIVE).coefficients == 2 * 60 * 40 * 3 // 2  # two bytes each, chroma quartered


# What is no picture

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (HEIC, "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(99), "HEIC"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf" + bytes(99), "AVIF"),
        (saved(smooth(), "AVIF"), "AVIF"),
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(99), "video"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + bytes(99), "video"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(99), "raw"),
        (b"\0\0\0\x08wide\0\0\0\0mdat" + bytes(99), "video"),
        (b"\x1a\x45\xdf\xa3" + bytes(99), "video"),
        (b"RIFF\0\0\0\0AVI LIST" + bytes(99), "video"),
        (b"RIFF\0\0\0\0WAVEfmt " + bytes(99), "sound"),
        (b"OggS" + bytes(99), "sound"),
        (b"ID3\x04" + bytes(99), "sound"),
        (b"%PDF-1.7\n" + bytes(99), "PDF"),
        (b"%!PS-Adobe-3.0", "PostScript"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><!-- made by hand --><svg/>", "SVG"),
        (b"  \n<SVG/>", "SVG"),
        (b"<?xml version='1.0'?><note/>", "XML"),
        (b"<!DOCTYPE html><html><img src='dog.jpg'></html>", "web page"),
        (b"<html></html>", "web page"),
        (b"PK\x03\x04" + bytes(99), "archive"),
        (b"\x1f\x8b\x08" + bytes(99), "compressed"),
        (b"8BPS\0\1" + bytes(99), "Photoshop"),
        (b"\0\0\1\0\1\0" + bytes(99), "icon"),
        (b"\xff\x0a" + bytes(99), "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(99), "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(99), "JPEG 2000"),
        (b"FUJIFILMCCD-RAW " + bytes(99), "raw"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "office"),
        (b"just some words", "choose PNG, JPEG, WebP, GIF, BMP or TIFF"),
        (b"\0", "choose PNG"),
        (bytes(5000), "choose PNG"),
        (bytes(range(256)) * 9, "choose PNG"),
        (b"RIFF\0\0\0\0WEB", "choose PNG"),
        (b"\xff\xd8", "choose PNG"),
        (b"\xff\xd8\xff", "damaged"),
        (b"\xff\xd8\xff\xd9", "damaged"),
        (b"\xff\xd8\xff\xe0\0\0", "damaged"),
        (b"\xff\xd8\xff\xda\0\2", "damaged"),
        (b"\xff\xd8" + segment(0xC0, b"\x08\0\1\0\1\0") + b"\xff\xda\0\2\xff\xd9", "damaged"),
        (b"\xff\xd8" + segment(0xC0, b"\x08\0\0\0\0\1\1\x11\0") + b"\xff\xda\0\2\xff\xd9", "damaged"),
        (b"\xff\xd8" + segment(0xC2, b"\x08\0\1\0\1\1\1\0\0") + b"\xff\xda\0\2\xff\xd9", "damaged"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""), "damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"\xff" * 99, "damaged"),
        (png(0, 9, 8, 2, b""), "damaged"),
        (png(9, 9, 8, 2, b""), "damaged"),
        (png(9, 9, 7, 9, b""), "damaged"),
        (b"GIF89a", "damaged"),
        (b"GIF89a" + bytes(99), "damaged"),
        (b"GIF89a\1\0\1\0\0\0\0;", "damaged"),
        (b"GIF87a\1\0\1\0\0\0\0,", "damaged"),
        (b"GIF89a\1\0\1\0\0\0\0!\xf9", "damaged"),
        (b"RIFF\x04\0\0\0WEBP", "damaged"),
        (b"RIFF\x0c\0\0\0WEBPVP8 \0\0\0\0", "damaged"),
        (b"RIFF\x0c\0\0\0WEBPVP8X", "damaged"),
        (b"RIFF\x0d\0\0\0WEBPVP8X\x01\0\0\0", "damaged"),
        (b"BM", "damaged"),
        (b"BM is not always a picture", "damaged"),
        (b"BM" + bytes(99), "damaged"),
        (BMP[:14] + struct.pack("<L", 2**31) + BMP[18:], "damaged"),
        (BMP[:28] + b"\x63" + BMP[29:], "damaged"),
        (b"II*\0", "damaged"),
        (b"II*\0\xff\xff\xff\xff", "damaged"),
        (b"MM\0+\0\x08\0\0" + b"\xff" * 8 + bytes(9), "damaged"),
        (tiff([]), "damaged"),
        (tiff([(256, 4, 1, b"\x08"), (257, 4, 1, b"\x08")]), "damaged"),
        (tiff([(273, 4, 2**30, b"\x08")]), "damaged"),
        (tiff([(t, 3, 1, b"\x08") for t in (256, 257, 258, 259, 262, 273, 277, 278, 279)]), "damaged"),
        (tiff([(256, 3, 1, b"\x08"), (257, 3, 1, b"\x08"), (258, 3, 1, b"\x07"), (262, 3, 1, b"c")]), "but"),
        (tiff([(256, 2, 1, b"x"), (257, 12, 1, b"\0"), (259, 7, 4, b"abcd"), (277, 3, 1, b"c")]), "but"),
        (tiff([(i, i % 19, 1, b"\xff" * 4) for i in range(250, 350)], bytes(999)), "damaged"),
    ],
)  # fmt: skip
def test_no_picture_gets_a_sentence_that_says_so(data: bytes, word: str):
    assert word in message(data)


def test_the_heic_sentence_helps_on_both_phones():
    text = message(HEIC)
    assert "iPhone" in text
    assert "Android" in text


# Damage


@pytest.mark.parametrize("kind", VALID)
@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5, 0.8, 0.95])
def test_cut_short_is_refused(kind: str, share: float):
    data = VALID[kind]
    message(data[: int(len(data) * share)])


def one_or_the_other(data: bytes) -> bool:
    """A file gives a picture of the right kind, or a sentence, and never anything else."""
    try:
        x = load_picture(data, 16)
    except PictureError as error:
        return error.args[0].endswith(".")
    else:
        assert x.shape == (1, 3, 16, 16)
        return bool(x.isfinite().all() and x.abs().max() <= 1)


SEEDS = [
    *VALID.values(),
    *with_everything().values(),
    PROGRESSIVE,
    saved(smooth("CMYK"), "JPEG"),
    saved(smooth(), "WEBP", quality=50, exif=exif(5)),
    saved(smooth("RGBA"), "WEBP", quality=50, save_all=True, append_images=[noise("RGBA", 60, 40)]),
    saved(smooth("RGBA"), "PNG"),
    saved(smooth("1"), "PNG"),
    palette(bytes([128, 255])),
    png(9, 9, 16, 0, (b"\0" + bytes(range(18))) * 9),
    saved(smooth("P"), "GIF", transparency=3, save_all=True, append_images=[noise("P", 60, 40)]),
    saved(smooth("1"), "BMP"),
    saved(smooth(), "TIFF", compression="tiff_lzw"),
    saved(smooth("1"), "TIFF", compression="group4"),
    saved(smooth(), "TIFF", compression="jpeg"),
    saved(smooth("F"), "TIFF"),
    saved(Image.fromarray(GREY16), "TIFF", compression="tiff_adobe_deflate"),
]

edits = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.sampled_from(["set", "head", "cut", "repeat", "insert", "delete"]),
        st.one_of(st.sampled_from([0, 1, 2, 127, 128, 254, 255]), st.integers(0, 255)),
    ),
    min_size=1,
    max_size=8,
)


def edited(data: bytes, changes: list[tuple[float, str, int]]) -> bytes:
    out = bytearray(data)
    for place, what, value in changes:
        at = int(place * len(out))
        if what == "set" and out:
            out[at] = value
        elif what == "head" and out:  # most of what a decoder believes stands at the start
            out[at % min(len(out), 64)] = value
        elif what == "cut":
            del out[at:]
        elif what == "repeat":
            out[at:at] = out[at : at + value]
        elif what == "insert":
            out[at:at] = bytes([value]) * 4
        else:
            del out[at : at + value]
    return bytes(out)


@settings(derandomize=True, max_examples=500, deadline=None)
@given(st.integers(0, len(SEEDS) - 1), edits)
def test_altered_files_give_a_picture_or_a_sentence(seed: int, changes: list[tuple[float, str, int]]):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert one_or_the_other(edited(SEEDS[seed], changes))


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.sampled_from([data[:n] for data in VALID.values() for n in (4, 12, 30)]), st.binary(max_size=300))
def test_a_right_beginning_and_then_anything(start: bytes, rest: bytes):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert one_or_the_other(start + rest)


def test_a_decoder_that_fails_in_any_way_ends_in_a_sentence(monkeypatch: pytest.MonkeyPatch):
    for error in (
        MemoryError(),
        RecursionError(),
        KeyError("x"),
        OSError("boo"),
        Image.DecompressionBombError("x"),
    ):

        def fail(*_: object, error: Exception = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(pictures.Image, "open", fail)
        message(PNG)


# Where a file comes from


class Upload(io.BytesIO):
    """What Streamlit hands over: bytes in memory with a name."""

    name = "photo.jpg"


def test_paths_bytes_and_files_are_alike(tmp_path: Path):
    path = tmp_path / "wrong name.jpg"
    path.write_bytes(PNG)
    wanted = load_picture(PNG)
    assert torch.equal(load_picture(path), wanted)
    assert torch.equal(load_picture(str(path)), wanted)
    assert torch.equal(load_picture(bytearray(PNG)), wanted)
    assert torch.equal(load_picture(memoryview(PNG)), wanted)
    with path.open("rb") as file:
        assert torch.equal(load_picture(file), wanted)
    with path.open("rb", buffering=0) as file:
        assert torch.equal(load_picture(file), wanted)


def test_a_file_is_read_from_its_start_and_again():
    upload = Upload(PNG)
    upload.seek(50)
    first = load_picture(upload)
    assert torch.equal(first, load_picture(upload))  # a rerun gets the same object, read to its end
    assert not upload.closed


def test_a_stream_that_cannot_go_back_and_hands_out_little():
    class Trickle(io.RawIOBase):
        def __init__(self) -> None:
            self.rest = PNG

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            part, self.rest = self.rest[: min(size, 100)], self.rest[min(size, 100) :]
            return part

    assert torch.equal(load_picture(Trickle()), load_picture(PNG))

    class Bare:
        def read(self, size: int) -> bytes | None:
            return None

    with pytest.raises(PictureError, match="empty"):
        load_picture(Bare())


def test_closed_and_missing_files(tmp_path: Path):
    upload = Upload(PNG)
    upload.close()
    with pytest.raises(PictureError, match="closed or gone"):
        load_picture(upload)
    for path in (tmp_path / "missing.png", tmp_path, "zero\0byte.png"):
        with pytest.raises(PictureError, match="cannot be opened"):
            load_picture(path)
    (tmp_path / "empty.png").touch()
    with pytest.raises(PictureError, match="0 bytes"):
        load_picture(tmp_path / "empty.png")


def test_a_text_file_is_the_callers_mistake():
    with pytest.raises(TypeError, match="binary"):
        load_picture(io.StringIO("hello"))


def test_too_large_a_file_is_not_read_whole(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pictures, "MAX_BYTES", 2**20)

    class Endless(io.RawIOBase):
        handed = 0

        def read(self, size: int = -1) -> bytes:
            self.handed += size
            return bytes(size)

    endless = Endless()
    with pytest.raises(PictureError, match="larger than 1 MB"):
        load_picture(endless)
    assert endless.handed <= 2**20 + 1


@pytest.mark.parametrize(("size", "channels"), [(0, 3), (-1, 3), (64, 2), (64, 0), (None, 4)])
def test_senseless_requests_are_the_callers_mistake(size: int | None, channels: int):
    with pytest.raises(ValueError, match="size must be positive"):
        load_picture(PNG, size, channels=channels)


def test_many_at_once_and_two_decoders(monkeypatch: pytest.MonkeyPatch):
    inside, most, lock = 0, 0, threading.Lock()
    decode: Callable[..., Image.Image] = pictures._decode

    def counted(*arguments: object) -> Image.Image:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        try:
            return decode(*arguments)
        finally:
            with lock:
                inside -= 1

    monkeypatch.setattr(pictures, "_decode", counted)
    files = [PNG, JPEG, WEBP, b"junk", GIF, TIFF, BMP, PNG[:99]] * 4
    before = list(warnings.filters)

    def outcome(data: bytes) -> str:
        try:
            return str(load_picture(data).sum().item())
        except PictureError as error:
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(outcome, files)) == [outcome(data) for data in files]
    assert 1 <= most <= 2
    assert warnings.filters == before


# Tensors out


def test_to_bytes_rounds_and_clips():
    x = torch.tensor([-9.0, -1, -1 + 0.49 / 127.5, -1 + 0.51 / 127.5, 0.9999, 1, 9]).reshape(1, 1, 7)
    assert to_bytes(x)[0, :, 0].tolist() == [0, 0, 0, 1, 255, 255, 255]
    assert to_bytes(x).shape == (1, 7, 3)


@pytest.mark.parametrize("shape", [(64, 64), (2, 8, 8), (4, 8, 8), (3, 2, 8, 8)])
def test_to_bytes_wants_pictures(shape: tuple[int, ...]):
    with pytest.raises(ValueError, match="expected pictures"):
        to_bytes(torch.zeros(shape))


def test_to_tensor_takes_any_image():
    for mode in ("L", "RGBA", "1", "P", "CMYK"):
        assert to_tensor(noise(mode, 5, 7)).shape == (1, 3, 7, 5)
        assert to_tensor(noise(mode, 5, 7), 1).shape == (1, 1, 7, 5)


def test_scaled_to_spread():
    x = 80 * torch.randn(3, 64, 64, generator=torch.Generator().manual_seed(0)) + 7
    y = scaled_to_spread(x)
    assert y.mean().abs() < 1e-5
    assert 3 * y.std().item() == pytest.approx(1, abs=1e-3)
    for flat in (torch.full((1, 1, 1), 5.0), torch.full((3, 4, 4), 5.0)):
        assert torch.equal(scaled_to_spread(flat), torch.zeros_like(flat))


def test_contact_sheet_lays_out_row_by_row():
    batch = torch.linspace(-1, 1, 5).reshape(5, 1, 1, 1).expand(5, 1, 4, 6)
    sheet = np.asarray(contact_sheet(batch, columns=2, gap=3))
    assert sheet.shape == (3 * 7 - 3, 2 * 9 - 3, 3)
    found = [sheet[7 * (i // 2) + 1, 9 * (i % 2) + 1, 0] for i in range(5)]
    assert found == to_bytes(batch[:, 0, 0, 0].reshape(1, 1, 5))[0, :, 0].tolist()
    assert (sheet[4:7] == 255).all()
    assert contact_sheet(batch).size == (3 * 8 - 2, 2 * 6 - 2)
    with pytest.raises(ValueError, match="no pictures"):
        contact_sheet(batch[:0])


# Memory


def large() -> dict[str, bytes]:
    """Files as large as they may be, and some that are larger."""

    def plain(mode: str, width: int, height: int, kind: str, **options: object) -> bytes:
        return saved(Image.new(mode, (width, height)), kind, **options)

    return {
        "jpeg of a phone": plain("RGB", 4032, 3024, "JPEG"),
        "jpeg, progressive": plain("RGB", 4032, 3024, "JPEG", progressive=True),
        "jpeg, 50 million pixels": plain("L", 8000, 6200, "JPEG"),
        "png": plain("RGB", 5700, 4300, "PNG"),
        "png with alpha": plain("RGBA", 5700, 4300, "PNG"),
        "png, 16 bits": plain("I;16", 6000, 4500, "PNG"),
        "webp": plain("RGB", 2850, 2180, "WEBP"),
        "webp with alpha": plain("RGBA", 2850, 2180, "WEBP", lossless=True),
        "webp of a phone": plain("RGB", 4032, 3024, "WEBP"),
        "gif": plain("P", 6000, 4500, "GIF"),
        "tiff": plain("RGB", 5000, 4000, "TIFF", compression="tiff_deflate"),
        "bmp": plain("L", 5000, 4000, "BMP"),
    }


PEAK = """
import os, pathlib, sys
from diffusion import PictureError
from diffusion.pictures import open_picture

UNIT = 1 if sys.platform == "darwin" else 1024  # of a process's peak, in bytes

def peak(data):
    "The answer to a file, and the peak in bytes of a process that has everything else already."
    child = os.fork()
    if not child:
        code = 0
        if data is not None:
            try:
                open_picture(data)
            except PictureError:
                code = 1
            except BaseException:
                code = 2
        os._exit(code)
    _, status, used = os.wait4(child, 0)
    return ("read", "refused", "failed")[os.waitstatus_to_exitcode(status)], used.ru_maxrss * UNIT

files = sorted(pathlib.Path(sys.argv[1]).iterdir())
open_picture(files[0].read_bytes())  # what is loaded once is no file's doing
for file in files:
    data = file.read_bytes()
    answer, most = peak(data)
    print(file.name, answer, (most - peak(None)[1]) / 2**20, sep="|")
"""


def test_no_file_takes_more_than_120_MB(tmp_path: Path):
    whole = large()
    files = {"a jpeg": JPEG, **BOMBS, **whole}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = dict(line.split("|", 1) for line in done.stdout.splitlines())
    assert found.keys() == files.keys()
    peaks = {name: float(rest.split("|")[1]) for name, rest in found.items()}
    assert max(peaks.values()) <= 120, {name: peak for name, peak in peaks.items() if peak > 120}
    refused = {name for name in whole if found[name].startswith("refused")}
    assert refused == {"webp of a phone"}
