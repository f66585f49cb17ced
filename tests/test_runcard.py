"""The run card: what is in the zip is what stood on the stage, and its script makes it again."""

import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from diffusion import load_denoiser, load_picture, read_card
from diffusion.generate import picked_class
from diffusion.pictures import to_tensor
from ui.journey import VIEWS, WayBack, WayThere, plan_back, shown_bytes, walk_back, walk_there
from ui.language import _, speaking
from ui.runcard import AN_UPLOAD, README, run_card
from ui.settings import Back, There

ROOT = Path(__file__).resolve().parents[1]
MODEL = "digits"


def there_with(settings: There, size: int = 28, channels: int = 1) -> WayThere:
    x0 = load_picture(ROOT / "ui/samples/cat.jpg", size, channels=channels)
    *_, way = walk_there(x0, settings)
    assert isinstance(way, WayThere)
    return way


def back_with(there: WayThere, settings: Back, steps: int | None = None, stop: int = -1) -> WayBack:
    """A way back with the shipped network, as far as `steps`."""
    net = load_denoiser(MODEL)
    way = plan_back(there, stop % len(there.stops), settings, MODEL)
    if settings.start == "noise":
        way.asked = picked_class(net.classes, there.settings.seed, settings.index)
    if way.asked:
        net = net.asked_for(way.asked)
    walk = walk_back(way, net, there.settings.seed)
    while len(way.steps) < (way.total if steps is None else steps):
        next(walk)
    return way


def card(
    there: WayThere, way: WayBack | None, view: str = VIEWS[0], picture: str = "a cat"
) -> dict[str, bytes]:
    data = run_card(there, way, view, picture, read_card(MODEL)["sha256"], README.format(picture=picture))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


CASES = {
    "here, stopped midway, of a long path": (
        There(steps=300, seed=5), Back(steps=9, sampler="algorithm1", label="3"), 4, 40, "clipped"
    ),
    "noise, a variance preserving process, the other view": (
        There(process="ddpm_cosine", steps=12, grid="rho7", seed=2**32 - 1),
        Back(start="noise", steps=6, sampler="dpmpp_2m", index=4), None, 0, "spread",
    ),
    "inversion": (There(steps=7, sigma_q=20.0), Back(start="inversion", steps=5), None, 0, "clipped"),
    "the way there alone": (There(process="straight_line", steps=5), None, None, 0, "clipped"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_script_makes_the_same_frames_bit_for_bit(case: str, tmp_path: Path):
    settings, back, steps, stop, view = CASES[case]
    there = there_with(settings)
    way = None if back is None else back_with(there, back, steps, stop)
    for name, data in card(there, way, view).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)

    done = subprocess.run(
        [sys.executable, tmp_path / "journey.py"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    count = len(there.stops) + (len(way.ready()) if way else 0)
    assert done.stdout == f"{count} frames: {count} look the same, {count} are the same to the last bit.\n"
    made = sorted(path.name for path in (tmp_path / "again").iterdir())
    assert made == sorted(path.name for path in (tmp_path / "frames").iterdir())
    for name in made:
        one, other = (pixels((tmp_path / folder / name).read_bytes()) for folder in ("again", "frames"))
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def journey() -> tuple[WayThere, WayBack]:
    there = there_with(There(seed=3))
    return there, back_with(there, Back(), stop=60)


@pytest.mark.parametrize("view", VIEWS)
def test_the_frames_are_those_of_the_stage(journey: tuple[WayThere, WayBack], view: str):
    there, way = journey
    files = card(there, way, view)
    told = json.loads(files["settings.json"])["frames"]
    states = [way.state(k) for k in way.ready()]
    for name, frames, stops in (
        ("there", there.frames, there.stops),
        ("back", torch.cat([x for x, _stop in states]), [stop for _x, stop in states]),
    ):
        assert [frame["t"] for frame in told[name]] == [stop.t for stop in stops]
        assert [frame["sigma"] for frame in told[name]] == [stop.sigma for stop in stops]
        for frame, x, shown in zip(told[name], frames, shown_bytes(frames, view), strict=True):
            np.testing.assert_array_equal(pixels(files[frame["file"]]), shown)
            assert hashlib.sha256(x.numpy().tobytes()).hexdigest() == frame["sha256"]


@pytest.mark.parametrize(("size", "channels"), [(28, 1), (64, 3)])
def test_x0_survives_as_a_picture(size: int, channels: int):
    there = there_with(There(steps=1), size, channels)
    again = to_tensor(Image.open(io.BytesIO(card(there, None)["x0.png"])), channels)
    assert torch.equal(again, there.x0)


def test_the_film_shows_every_frame_and_a_grey_one_exactly(journey: tuple[WayThere, WayBack]):
    there, way = journey
    film = Image.open(io.BytesIO(card(there, way)["film.gif"]))
    count, side = len(there.stops) + len(way.ready()), film.size[0] // 28
    assert getattr(film, "n_frames", 1) == count
    for k in (0, 50, 100):
        film.seek(k)
        seen = np.asarray(film.convert("RGB"))[::side, ::side]
        np.testing.assert_array_equal(seen, shown_bytes(there.frames[k : k + 1], VIEWS[0])[0])


def test_the_settings_tell_what_made_it(journey: tuple[WayThere, WayBack]):
    there, way = journey
    told = json.loads(card(there, way, picture="a cat by nobody")["settings.json"])
    assert told["there"] == vars(there.settings)
    assert told["network"] == {"name": MODEL, "sha256": read_card(MODEL)["sha256"]}
    assert told["versions"]["torch"] == torch.__version__
    assert told["back"]["taken"] == told["back"]["total"] == 10
    assert told["picture"] == "a cat by nobody"


def test_the_same_journey_makes_the_same_zip(journey: tuple[WayThere, WayBack]):
    one, other = (run_card(*journey, "clipped", "a cat", "0", "") for _again in range(2))
    assert one == other
    with zipfile.ZipFile(io.BytesIO(one)) as archive:  # whenever it is made
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_what_it_holds_is_told_in_the_persons_language(journey: tuple[WayThere, WayBack]):
    with speaking("zh"):
        data = run_card(*journey, "clipped", AN_UPLOAD, "0", _(README).format(picture=_(AN_UPLOAD)))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        told = archive.read("README.txt").decode()
    assert "上传" in told
    assert all(name in told for name in ("strip.png", "film.gif", "x0.png", "settings.json", "journey.py"))


def test_a_way_back_that_has_not_begun_is_left_out():
    there = there_with(There(steps=3))
    files = card(there, plan_back(there, 3, Back(start="inversion"), MODEL))
    assert not [name for name in files if "back" in name]
    assert "load_denoiser" not in files["journey.py"].decode()


@pytest.mark.parametrize("size", [64, 128, 256])
def test_the_largest_journey_stays_small(size: int):
    there = there_with(There(steps=1000), size, 3)
    way = plan_back(there, len(there.stops) - 1, Back(steps=250), MODEL)
    way.steps = [_still(way, k) for k in range(way.total)]
    assert len(run_card(there, way, "spread", "", None, "")) < 12_000_000


def _still(way: WayBack, k: int):
    """A step that stays where it is: for size alone."""
    from ui.journey import Kept

    x, stop = way.x0 + torch.randn(way.x0.shape, generator=torch.Generator().manual_seed(k)), way.first
    assert stop is not None
    stop = replace(stop, step=k + 1)
    return Kept(1, 1, stop, 0, 0, 0, 1, x, x, x, None, x)


def test_metadata_of_a_file_never_enters(tmp_path: Path):
    exif = Image.Exif()
    exif[0x010E] = "a secret"
    Image.effect_noise((90, 90), 60).save(tmp_path / "secret.jpg", exif=exif, comment=b"a secret")
    *_, there = walk_there(load_picture(tmp_path / "secret.jpg", 28, channels=1), There(steps=2))
    assert isinstance(there, WayThere)
    assert b"secret" in (tmp_path / "secret.jpg").read_bytes()
    assert not [
        name for name, data in card(there, None).items() if b"secret" in data or b"secret" in name.encode()
    ]
