"""Weights on disk: they come back as they were, or are refused by name."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from exact import small_network
from safetensors.torch import load_file, save_file

from diffusion import checkpoint
from diffusion.checkpoint import ModelError, available, load_denoiser, read_card


@pytest.fixture
def folder(small_models: Path, tmp_path: Path) -> Path:
    """A copy of the small models that a test may spoil."""
    return Path(shutil.copytree(small_models, tmp_path / "pretrained"))


def spoil_card(folder: Path, name: str, **changes: object) -> None:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_model_comes_back_as_it_was(folder: Path):
    net, model = load_denoiser("dogs", folder), small_network(3, 2, seed=1)
    for key, value in model.state_dict().items():
        # float16 keeps eleven bits: half a unit in the last place is 2^-11 of the value.
        assert torch.allclose(net.model.state_dict()[key], value, rtol=2**-11, atol=1e-7)
    x = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    for sigma in (0.05, 1.0, 30.0):
        found, wanted = net(x, sigma), model(x, torch.full((2,), sigma))
        # Rounding 2^-11 of every weight, through some twenty layers.
        assert (found - wanted).abs().max() < 20 * 2**-11 * wanted.abs().max()
    assert (net.name, net.size, net.classes) == ("dogs", 16, ("beagle", "pug"))
    assert (net.sigma_min, net.sigma_max, net.channels) == (0.002, 80.0, 3)
    assert not net.model.training


def test_the_card_says_what_lies_beside_it(folder: Path):
    card = read_card("digits", folder)
    weights = folder / "digits.safetensors"
    assert card["name"] == "digits"
    assert card["bytes"] == weights.stat().st_size
    assert card["sha256"] == checkpoint.sha256(weights)
    assert card["parameters"] == sum(v.numel() for v in load_file(weights).values())
    assert checkpoint.config_from(card["architecture"]) == small_network(1, 3).net.config


def test_weights_are_float16_and_no_pickle(folder: Path):
    """A safetensors file begins with the length of a JSON header; a pickle or zip does not."""
    raw = (folder / "photos.safetensors").read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    assert {entry["dtype"] for key, entry in header.items() if key != "__metadata__"} == {"F16"}


def test_what_is_available(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    assert available(folder) == ["digits", "dogs", "photos"]
    monkeypatch.setattr(checkpoint, "PRETRAINED", folder)
    assert available() == ["digits", "dogs", "photos"]
    assert load_denoiser("photos").name == "photos"
    assert available(tmp_path / "nothing") == []


def test_an_unknown_model_is_refused_with_the_known_ones(folder: Path):
    with pytest.raises(ModelError, match=r"no model called 'cats' in pretrained/ \(there are: digits, dogs"):
        load_denoiser("cats", folder)


def test_missing_weights_are_named(folder: Path):
    (folder / "dogs.safetensors").unlink()
    with pytest.raises(
        ModelError, match=r"weights pretrained/dogs.safetensors are missing; fetch them again"
    ):
        load_denoiser("dogs", folder)


def test_a_guide_that_the_card_does_not_know_or_misses_is_refused(small_models: Path, tmp_path: Path):
    net, card = checkpoint.load_denoiser("dogs", small_models), checkpoint.read_card("dogs", small_models)
    assert net.guide is not None
    weights = net.model.state_dict()
    for pictures, early in ((5, None), (0, net.guide)):
        card["training"]["guide_pictures"] = pictures
        checkpoint.save_model(net.model, weights, card, "dogs", tmp_path, early)
        with pytest.raises(ModelError, match=f"its guide had seen {pictures} pictures"):
            checkpoint.load_denoiser("dogs", tmp_path)


@pytest.mark.parametrize("more", [["pug"], []])
def test_names_for_other_classes_than_were_learnt_are_refused(folder: Path, more: list[str]):
    """One too few, and "no class" would be the last one; one too many, and it could not be answered."""
    card = checkpoint.read_card("dogs", folder)
    card["classes"] = [*card["classes"], *more] if more else card["classes"][:-1]
    (folder / "dogs.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match=r"labels, but .* names for them"):
        load_denoiser("dogs", folder)


@pytest.mark.parametrize("damage", ["flipped", "truncated", "swapped"])
def test_altered_weights_are_refused_by_name(folder: Path, damage: str):
    path = folder / "dogs.safetensors"
    raw = bytearray(path.read_bytes())
    if damage == "flipped":
        raw[-1] ^= 1
    elif damage == "truncated":
        raw = raw[:-100]
    else:
        raw = bytearray((folder / "photos.safetensors").read_bytes())
    path.write_bytes(raw)
    with pytest.raises(ModelError, match=r"pretrained/dogs.safetensors are not the ones its card describes"):
        load_denoiser("dogs", folder)


def test_a_card_that_is_no_json_is_named(folder: Path):
    (folder / "dogs.json").write_text("{")
    with pytest.raises(ModelError, match=r"card pretrained/dogs.json cannot be read"):
        load_denoiser("dogs", folder)
    (folder / "dogs.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(ModelError, match=r"card pretrained/dogs.json cannot be read"):
        load_denoiser("dogs", folder)
    (folder / "dogs.json").write_text("[]")
    with pytest.raises(ModelError, match=r"card pretrained/dogs.json is not a JSON object"):
        load_denoiser("dogs", folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"architecture": {"depth": 3, "widths": [8], "channels": 3}}, r"cannot be read: .*depth"),
        ({"architecture": {"channels": 3}}, "cannot be read: 'widths'"),
        ({"architecture": {}}, "says architecture.channels = None"),
        ({"architecture": None}, "says architecture = None"),
        ({"sigma_data": None}, "says sigma_data = None"),
        ({"size": "large"}, "says size = 'large'"),
        ({"sigma_max": []}, r"says sigma_max = \[\]"),
        ({"classes": None}, "says classes = None"),
        ({"training": {}}, "says training.updates = None"),
    ],
)
def test_a_card_tells_what_every_card_tells(folder: Path, change: dict, said: str):
    spoil_card(folder, "dogs", **change)
    with pytest.raises(ModelError, match=rf"the card pretrained/dogs\.json {said}"):
        read_card("dogs", folder)


def test_weights_that_do_not_fit_their_card_are_named(folder: Path):
    spoil_card(folder, "dogs", architecture={"channels": 3, "widths": [16, 16]})
    with pytest.raises(ModelError, match="dogs cannot be loaded"):
        load_denoiser("dogs", folder)


def test_weights_can_be_read_by_others_and_if_not_by_oneself_are_named(
    folder: Path, small_models: Path, monkeypatch: pytest.MonkeyPatch
):
    assert (small_models / "dogs.safetensors").stat().st_mode & 0o777 == 0o644

    def forbidden(path: Path) -> str:
        raise PermissionError(f"{path} is not yours")

    monkeypatch.setattr(checkpoint, "sha256", forbidden)
    with pytest.raises(ModelError, match=r"dogs cannot be loaded: .* is not yours"):
        load_denoiser("dogs", folder)


def test_a_file_that_is_no_safetensors_is_named(folder: Path):
    path = folder / "dogs.safetensors"
    path.write_bytes(b"nothing of the kind")
    spoil_card(folder, "dogs", sha256=checkpoint.sha256(path))
    with pytest.raises(ModelError, match="dogs cannot be loaded"):
        load_denoiser("dogs", folder)


def test_missing_tensors_are_named(folder: Path):
    path = folder / "dogs.safetensors"
    weights = load_file(path)
    del weights["net.stem.bias"]
    save_file(weights, path)
    spoil_card(folder, "dogs", sha256=checkpoint.sha256(path))
    with pytest.raises(ModelError, match=r"dogs cannot be loaded: .*\n.*net\.stem\.bias"):
        load_denoiser("dogs", folder)
