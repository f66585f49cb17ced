"""New, or remembered: copies are found out, strangers are not blamed, and an altered index is refused."""

from pathlib import Path

import pytest
import torch

from diffusion import checkpoint, memory
from diffusion.checkpoint import ModelError
from diffusion.data import DataSet, Split, to_unit

SIZE = 16


def blobs(count: int, rng: torch.Generator) -> tuple[torch.Tensor, ...]:
    """Smooth pictures, each a sum of random waves: as unlike each other as photos of one kind are."""
    coarse = torch.randn(count, 3, 6, 6, generator=rng)
    smooth = torch.nn.functional.interpolate(coarse, size=SIZE, mode="bicubic", align_corners=False)
    return smooth.mul(60).add(128).clamp(0, 255).to(torch.uint8).unbind(0)


def split(count: int, rng: torch.Generator) -> Split:
    names = tuple(str(i) for i in range(count))
    return Split(blobs(count, rng), torch.zeros(count, dtype=torch.long), names)


@pytest.fixture(scope="module")
def dataset() -> DataSet:
    rng = torch.Generator().manual_seed(0)
    return DataSet(split(400, rng), split(60, rng), ("blob",))


@pytest.fixture(scope="module")
def index(dataset: DataSet) -> memory.Index:
    return memory.make(dataset, flip=True, rng=torch.Generator().manual_seed(1))


def test_codes_are_few_bytes_and_the_same_each_time(dataset, index):
    again = memory.make(dataset, flip=True, rng=torch.Generator().manual_seed(1))
    assert torch.equal(again.codes, index.codes)
    assert index.codes.dtype == torch.uint8
    assert index.codes.shape == (400, memory.MOST_CODES)
    assert len(index.held_out) == 60
    assert torch.equal(index.held_out, index.held_out.sort().values)


def test_a_code_cannot_give_back_more_directions_than_it_has(dataset, index):
    """Fewer numbers than directions: the axes lose most of a thumbnail, whoever multiplies it back."""
    thumbnails = index.axes.shape[0]
    assert torch.linalg.matrix_rank(index.axes.double()) == index.codes.shape[1] < thumbnails / 4


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("shift", [0, 1, 2])
def test_copies_are_found_out(dataset, index, shift, mirrored):
    x = to_unit(dataset.train.pictures[17][None])
    x = torch.nn.functional.pad(x, (shift,) * 4, mode="replicate")[..., :SIZE, :SIZE]
    near = index.look_up(x.flip(-1) if mirrored else x)
    assert near.places[0] == 17
    assert near.share == 0
    assert near.standing < index.held_out[0]


def test_mirrors_count_only_where_training_mirrors(dataset):
    plain = memory.make(dataset, flip=False, rng=torch.Generator().manual_seed(1))
    x = to_unit(dataset.train.pictures[17][None])
    assert plain.look_up(x).places[0] == 17
    assert 17 not in plain.look_up(x.flip(-1)).places


def test_noisy_copies_are_found_out_and_held_out_pictures_are_not_blamed(dataset, index):
    rows = memory.check(index, dataset, torch.Generator().manual_seed(2), count=50)
    found = {row["pictures"]: row for row in rows}
    assert found["training, as they are"]["suspicious"] == 1
    assert found["training, as they are"]["right one"] == 1
    assert found["training, with noise of spread 0.1"]["suspicious"] > 0.95
    held_out = found["held out, as they are"]
    assert held_out["count"] == 30
    # 5 % by the other half's measure: more than five of thirty would be a wonder (one in two thousand).
    assert held_out["suspicious"] <= 5 / 30


def test_the_share_is_the_place_among_the_held_out(dataset, index):
    """A held-out picture finds its own standing at its own rank."""
    for place in (0, 7, 59):
        distances, _ = index.nearest(to_unit(dataset.val.pictures[place][None]))
        near = index.look_up(to_unit(dataset.val.pictures[place][None]))
        standing = distances[0, 0] / distances[0].mean()
        assert near.standing == pytest.approx(float(standing))
        rank = int((index.held_out <= near.standing + 1e-6).sum())
        assert near.share == pytest.approx(rank / 60, abs=1.5 / 60)


def test_distances_are_those_of_the_codes(dataset, index):
    """Against brute force over every shift and mirror image, in float64."""
    x = to_unit(dataset.val.pictures[3][None])
    padded = torch.nn.functional.pad(x, (memory.SHIFT,) * 4, mode="replicate")
    best = torch.full((400,), torch.inf, dtype=torch.float64)
    for top in range(2 * memory.SHIFT + 1):
        for left in range(2 * memory.SHIFT + 1):
            crop = padded[..., top : top + SIZE, left : left + SIZE]
            for way in (crop, crop.flip(-1)):
                small = way.reshape(1, 3, index.side, SIZE // index.side, index.side, SIZE // index.side)
                small = small.mean((3, 5)).flatten(1)
                code = (small - index.mean).double() @ index.axes.double() + 127.5
                best = torch.minimum(best, (code - index.codes.double()).square().sum(1).sqrt())
    distances, places = index.nearest(x)
    expected = best.sort()
    assert torch.allclose(distances[0].double(), expected.values[: memory.NEIGHBOURS], rtol=1e-3)
    assert places[0, 0] == expected.indices[0]


def test_codes_agree_with_whole_pictures_where_those_differ(dataset, index):
    """Copies under more and more noise are farther and farther away, by codes and by pixels."""
    rng = torch.Generator().manual_seed(4)
    noisy = tuple(
        (picture + k * 2 * torch.randn(picture.shape, generator=rng)).clamp(0, 255).to(torch.uint8)
        for k, picture in enumerate(dataset.train.pictures[:30])
    )
    copies = DataSet(
        dataset.train, Split(noisy, dataset.train.labels[:30], dataset.train.names[:30]), ("blob",)
    )
    found = memory.agreement(index, copies)
    assert found["distances"] > 0.9
    assert found["among the nearest ten"] > 0.9


def test_the_pictures_themselves_are_recognised(dataset, index):
    pictures = to_unit(torch.stack(dataset.train.pictures[5:8]))
    assert index.are(pictures, (5, 6, 7))
    assert not index.are(pictures, (6, 5, 7))


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_held_out_are_refused(dataset, count):
    rng = torch.Generator().manual_seed(0)
    few = Split(dataset.val.pictures[:count], dataset.val.labels[:count], dataset.val.names[:count])
    with pytest.raises(ValueError, match=f"{count} pictures are held out"):
        memory.make(DataSet(dataset.train, few, ()), flip=True, rng=rng)


@pytest.fixture
def folder(small_models: Path, tmp_path: Path, index) -> Path:
    """The small dogs network, told that it was trained on these pictures, with its index."""
    net = checkpoint.load_denoiser("dogs", small_models)
    card = checkpoint.read_card("dogs", small_models)
    card["training"] |= {"pictures_in_set": 400}
    checkpoint.save_model(net.model, net.model.state_dict(), card, "dogs", tmp_path)
    memory.save(index, "dogs", tmp_path, {"checked": [{"pictures": "x", "count": 1}], "agreement": AGREEMENT})
    return tmp_path


AGREEMENT = {"distances": 0.9, "standings": 0.5, "among the nearest ten": 0.3}


def test_an_index_comes_back_from_disk_as_it_was(folder, index, dataset):
    back = memory.load("dogs", folder)
    assert back is not None
    assert torch.equal(back.codes, index.codes)
    assert torch.equal(back.held_out, index.held_out)
    x = to_unit(dataset.val.pictures[0][None])
    assert back.look_up(x) == index.look_up(x)
    assert "New, or remembered?" in (folder / "dogs.md").read_text(encoding="utf-8")


def test_weights_exported_anew_keep_the_index(folder, small_models):
    net = checkpoint.load_denoiser("dogs", small_models)
    before = checkpoint.read_card("dogs", folder)
    card = {k: v for k, v in before.items() if k != "index"}
    checkpoint.save_model(net.model, net.model.state_dict(), card, "dogs", folder)
    assert checkpoint.read_card("dogs", folder)["index"] == before["index"]
    assert memory.load("dogs", folder) is not None


def test_an_altered_missing_or_strange_index_is_named(folder, small_models, index):
    file = memory.path("dogs", folder)
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ModelError, match=r"dogs\.index\.safetensors is not the one its card describes"):
        memory.load("dogs", folder)
    file.unlink()
    with pytest.raises(ModelError, match=r"dogs\.index\.safetensors is missing"):
        memory.load("dogs", folder)
    assert memory.load("photos", small_models) is None
    with pytest.raises(ModelError, match="400 pictures, but dogs was trained on"):
        memory.save(index, "dogs", small_models, {})


@pytest.mark.parametrize("name", ["dogs", "digits"])
def test_the_shipped_indices_are_whole_and_small(name):
    shipped = memory.load(name)
    card = checkpoint.read_card(name)
    assert shipped is not None
    assert card["index"]["bytes"] <= 1_500_000
    assert len(shipped.codes) == card["training"]["pictures_in_set"]
    found = {row["pictures"]: row for row in card["index"]["checked"]}
    assert found["training, as they are"]["nearer than all"] == 1
    assert found["held out, as they are"]["suspicious"] < 0.1
