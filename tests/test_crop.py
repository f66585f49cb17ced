"""The crop as it comes back from the browser."""

import io
import math

import pytest
from PIL import Image

from diffusion import Crop
from ui.crop import LONGEST, SMALLEST, as_jpeg, inside, read_crop


def test_a_sound_answer_about_this_picture_is_taken():
    assert read_crop({"crop": {"id": "a", "x": 0.25, "y": 1, "side": 0.5}}, "a") == Crop(0.25, 1.0, 0.5)


@pytest.mark.parametrize(
    "state",
    [
        None,
        {},
        {"crop": None},
        {"crop": {"id": "another", "x": 0.5, "y": 0.5, "side": 1}},
        {"crop": {"id": "a", "x": 0.5, "y": 0.5}},
        {"crop": {"id": "a", "x": "0.5", "y": 0.5, "side": 1}},
        {"crop": {"id": "a", "x": math.nan, "y": 0.5, "side": 1}},
        {"crop": {"id": "a", "x": 0.5, "y": 0.5, "side": math.inf}},
    ],
)
def test_anything_else_is_not(state):
    assert read_crop(state, "a") is None


@pytest.mark.parametrize("crop", [Crop(-3, 9, 0.5), Crop(1, 0, 1), Crop(0.2, 0.8, -1), Crop(0.5, 0.5, 7)])
@pytest.mark.parametrize("size", [(300, 200), (200, 300), (64, 64)])
def test_the_square_is_moved_inside_and_then_is_what_the_core_cuts(crop, size):
    width, height = size
    moved = inside(crop, width, height)
    assert SMALLEST <= moved.side <= 1
    left, top, right, bottom = moved.box(width, height)
    assert min(left, top) >= 0
    assert right <= width + 1e-9
    assert bottom <= height + 1e-9
    assert (left + right) / 2 == pytest.approx(moved.x * width)
    assert (top + bottom) / 2 == pytest.approx(moved.y * height)
    assert inside(moved, width, height) == moved


@pytest.mark.parametrize("size", [(1024, 700), (28, 28), (1024, 1), (3, 1000)])
def test_what_is_sent_is_small(size):
    sent = as_jpeg(Image.effect_noise(size, 64).convert("RGB"))
    assert max(Image.open(io.BytesIO(sent)).size) <= LONGEST
    assert len(sent) < 200_000
