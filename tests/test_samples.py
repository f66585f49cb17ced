"""The sample pictures that stand ready in the app."""

import json
from pathlib import Path

import pytest
from PIL import Image

from diffusion import load_picture

FOLDER = Path(__file__).resolve().parent.parent / "ui" / "samples"
SAMPLES = json.loads((FOLDER / "samples.json").read_text(encoding="utf-8"))


def test_there_are_several_and_each_file_is_listed_once():
    assert 6 <= len(SAMPLES) <= 10
    assert len({sample["name"] for sample in SAMPLES}) == len(SAMPLES)
    assert len({sample["file"] for sample in SAMPLES}) == len(SAMPLES)


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample["name"] for sample in SAMPLES])
def test_a_sample_says_where_it_is_from_and_loads(sample: dict[str, str]):
    assert set(sample) == {"name", "title", "file", "source", "alt"}
    assert all(text.strip() for text in sample.values())
    path = FOLDER / sample["file"]
    assert path.stat().st_size < 120_000
    with Image.open(path) as picture:
        assert picture.width == picture.height <= 256
        assert not picture.getexif()
    x0 = load_picture(path, 64)
    assert x0.shape == (1, 3, 64, 64)
    assert -1 <= x0.min() <= x0.max() <= 1
    assert x0.std() > 0.2  # a picture, not a blank
