"""Training data in every layout that is read, made on the fly."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from diffusion import data
from diffusion.data import DataError, Split


def paint(path: Path, colour: tuple[int, int, int] = (0, 0, 0), size: tuple[int, int] = (8, 8)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def digits(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(count)
    return rng.integers(0, 256, (count, 28, 28), np.uint8), rng.integers(0, 10, count).astype(np.uint8)


def load(folder: Path, **options: object) -> data.DataSet:
    settings = {"channels": 3, "size": 8, "whole": False} | options
    return data.load(folder, **settings)  # type: ignore[arg-type]


def check_digits(found: data.DataSet, train: tuple, val: tuple) -> None:
    for split, (images, labels) in ((found.train, train), (found.val, val)):
        assert torch.equal(torch.stack(split.pictures), torch.from_numpy(images)[:, None])
        assert split.labels.tolist() == labels.tolist()
    assert found.classes == tuple("0123456789")


def test_digits_as_npz(tmp_path: Path):
    train, val = digits(7), digits(3)
    for name, (images, labels) in (("train", train), ("val", val)):
        np.savez(tmp_path / f"{name}.npz", images=images, labels=labels)
    check_digits(load(tmp_path, channels=1, size=28), train, val)


@pytest.mark.parametrize("packed", [False, True])
def test_digits_as_idx(tmp_path: Path, packed: bool):
    """MNIST's own format: big-endian magic number and sizes, then bytes."""
    train, val = digits(7), digits(3)
    for prefix, (images, labels) in (("train", train), ("t10k", val)):
        header = np.array([2051, *images.shape], ">u4").tobytes()
        files = {
            f"{prefix}-images-idx3-ubyte": header + images.tobytes(),
            f"{prefix}-labels-idx1-ubyte": np.array([2049, len(labels)], ">u4").tobytes() + labels.tobytes(),
        }
        for name, raw in files.items():
            if packed:
                (tmp_path / f"{name}.gz").write_bytes(gzip.compress(raw))
            else:
                (tmp_path / name).write_bytes(raw)
    check_digits(load(tmp_path, channels=1, size=28), train, val)


def test_class_folders(tmp_path: Path):
    """The folder decides, whatever the files are called."""
    for split, count in (("train", 3), ("val", 1)):
        for i in range(count):
            paint(tmp_path / split / "cat" / f"img_{i}.png", (255, 0, 0))
            paint(tmp_path / split / "dog" / f"img_{i}.png", (0, 0, 255))
    found = load(tmp_path)
    assert found.classes == ("cat", "dog")
    assert (len(found.train), len(found.val)) == (6, 2)
    for split in (found.train, found.val):
        for picture, label in zip(split.pictures, split.labels.tolist(), strict=True):
            red = found.classes[label] == "cat"
            assert picture[:, 0, 0].tolist() == ([255, 0, 0] if red else [0, 0, 255])


def test_one_class_folder_alone(tmp_path: Path):
    """Within one folder, the name before the number is the class."""
    for split in ("train", "val"):
        paint(tmp_path / split / "cat" / "siamese_1.png")
        for name in ("pug_1.png", "pug_2.png", "great_pyrenees_1.png"):
            paint(tmp_path / split / "dog" / name)
    found = load(tmp_path, only="dog")
    assert found.classes == ("great_pyrenees", "pug")
    assert found.train.names == ("great_pyrenees_1.png", "pug_1.png", "pug_2.png")
    assert found.train.labels.tolist() == [0, 1, 1]


def test_a_plain_folder_holds_out_every_30th(tmp_path: Path):
    for i in range(61):
        paint(tmp_path / f"photo{i:02d}.jpg")
    found = load(tmp_path)
    assert found.val.names == ("photo00.jpg", "photo30.jpg", "photo60.jpg")
    assert len(found.train) == 58
    assert not set(found.train.names) & set(found.val.names)
    assert found.classes == (tmp_path.name,)


def test_a_train_folder_without_val_is_split(tmp_path: Path):
    for i in range(31):
        paint(tmp_path / "train" / f"{i:02d}.png")
    found = load(tmp_path)
    assert found.val.names == ("00.png", "30.png")
    assert len(found.train) == 29


def test_one_picture_is_a_data_set(tmp_path: Path):
    paint(tmp_path / "only.png")
    found = load(tmp_path)
    assert found.train.names == found.val.names == ("only.png",)


def test_the_pet_archive_as_published(tmp_path: Path):
    """Head boxes are cut out, as squares inside the picture; outlines and Mac leftovers are no photos."""
    array = np.zeros((40, 60, 3), np.uint8)
    array[:, :, 0] = np.arange(60)[None]  # red tells the column
    array[:, :, 1] = np.arange(40)[:, None]  # green the row
    boxed = tmp_path / "images" / "pug_2.png"
    boxed.parent.mkdir()
    Image.fromarray(array).save(boxed)
    paint(tmp_path / "images" / "pug_1.png")
    (tmp_path / "images" / "._pug_1.png").write_bytes(b"\0")
    paint(tmp_path / "annotations" / "trimaps" / "pug_1.png")
    xmls = tmp_path / "annotations" / "xmls"
    xmls.mkdir()
    (xmls / "pug_2.xml").write_text(
        "<annotation><object><name>dog</name><bndbox><xmin>40</xmin><ymin>4</ymin><xmax>56</xmax>"
        "<ymax>12</ymax></bndbox></object></annotation>"
    )
    found = load(tmp_path, size=16)
    assert found.val.names + found.train.names == ("pug_1.png", "pug_2.png")
    assert found.classes == ("pug",)
    # 16 wide, 8 high: made square around its middle row 8, 16 pixels on 16, so nothing is resampled.
    (picture,) = found.train.pictures
    assert picture[0, 0].tolist() == list(range(40, 56))
    assert picture[1, :, 0].tolist() == list(range(16))


@pytest.mark.parametrize(
    ("box", "size", "square"),
    [
        ((10, 10, 20, 30), (100, 100), (5, 10, 25, 30)),
        ((0, 0, 10, 30), (100, 100), (0, 0, 30, 30)),
        ((90, 80, 100, 100), (100, 100), (80, 80, 100, 100)),
        ((0, 0, 90, 20), (100, 50), (20, 0, 70, 50)),
    ],
)
def test_boxes_become_squares_inside_the_picture(box: tuple, size: tuple, square: tuple):
    assert data._square(box, size) == square


@pytest.mark.parametrize(
    ("given", "kept"), [((100, 60), (60, 100)), ((20, 10), (32, 64)), ((10, 33), (106, 32))]
)
def test_whole_photos_keep_their_shape(tmp_path: Path, given: tuple[int, int], kept: tuple[int, int]):
    paint(tmp_path / "a.png", (9, 8, 7), given)
    picture = load(tmp_path, size=32, whole=True).train.pictures[0]
    assert picture.shape == (3, *kept)  # scaled up only where the short side is below 32
    assert picture[:, 0, 0].tolist() == [9, 8, 7]


def test_grey_pictures(tmp_path: Path):
    paint(tmp_path / "a.png", (100, 100, 100))
    assert load(tmp_path, channels=1).train.pictures[0].tolist() == [[[100] * 8] * 8]


def test_pictures_are_turned_as_exif_says(tmp_path: Path):
    picture = Image.new("RGB", (8, 16), (0, 0, 0))
    picture.paste((255, 255, 255), (0, 0, 8, 8))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise: the top comes to the right
    picture.save(tmp_path / "a.png", exif=exif)
    found = load(tmp_path, size=8, whole=True).train.pictures[0]
    assert found.shape == (3, 8, 16)
    assert found[0, 0, 12] == 255
    assert found[0, 0, 3] == 0


def test_nothing_to_read_is_said(tmp_path: Path):
    with pytest.raises(DataError, match=r"no such folder: .*nowhere"):
        load(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(DataError, match=r"no pictures \(.bmp, .jpeg.* and no digits"):
        load(tmp_path)


def numbered(count: int, size: int) -> Split:
    """Pictures whose every value is their number."""
    pictures = tuple(torch.full((3, size, size), i, dtype=torch.uint8) for i in range(count))
    return Split(pictures, torch.arange(count), tuple(str(i) for i in range(count)))


def test_bytes_become_minus_1_to_1():
    assert data.to_unit(torch.tensor([0, 51, 255], dtype=torch.uint8)).tolist() == pytest.approx(
        [-1, -0.6, 1]
    )
    assert data.to_unit(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1, 1]


def test_batches_keep_pictures_and_labels_together():
    split = numbered(200, 4)
    x0, labels = data.batch(split, 64, 4, torch.Generator().manual_seed(0), flip=True, shift=1)
    assert x0.shape == (64, 3, 4, 4)
    assert torch.allclose(x0, data.to_unit(labels).view(-1, 1, 1, 1).expand_as(x0))
    assert len(set(labels.tolist())) > 30
    again, _ = data.batch(split, 64, 4, torch.Generator().manual_seed(0), flip=True, shift=1)
    assert torch.equal(x0, again)


def test_augmentation_mirrors_and_shifts_and_nothing_else():
    picture = torch.randint(256, (3, 6, 6), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    split = Split((picture,), torch.zeros(1, dtype=torch.int64), ("a",))
    padded = torch.nn.functional.pad(picture[None].float(), (1,) * 4, mode="replicate")[0]
    windows = [padded[:, i : i + 6, j : j + 6] for i in range(3) for j in range(3)]
    allowed = [data.to_unit(w) for window in windows for w in (window, window.flip(-1))]
    x0, _ = data.batch(split, 300, 6, torch.Generator().manual_seed(1), flip=True, shift=1)
    seen = {next(k for k, one in enumerate(allowed) if torch.equal(one, x)) for x in x0}
    assert seen == set(range(18))  # each is missed by 300 draws with odds of 1 in 28 million
    plain, _ = data.batch(split, 5, 6, torch.Generator().manual_seed(1), flip=False, shift=0)
    assert all(torch.equal(x, data.to_unit(picture)) for x in plain)


def test_crops_of_whole_photos_are_parts_of_them_at_one_of_two_scales():
    row = torch.arange(40, dtype=torch.uint8).expand(3, 24, 40)
    split = Split((row,), torch.zeros(1, dtype=torch.int64), ("a",))
    x0, _ = data.batch(split, 100, 8, torch.Generator().manual_seed(2), flip=False, shift=0)
    bytes_ = ((x0 + 1) * 127.5).round()
    steps = (bytes_[:, 0, 0, 1:] - bytes_[:, 0, 0, :-1]).mean(dim=1)
    assert set(steps.tolist()) == {1.0, 2.0}
    # A third of 100, five standard errors either way.
    assert 33 - 24 < int((steps == 2).sum()) < 33 + 24


def test_centre_crops():
    column = torch.arange(10, dtype=torch.uint8)[None, :, None].expand(3, 10, 6)
    split = Split((column,), torch.zeros(1, dtype=torch.int64), ("a",))
    crop = data.centre_crops(split, 4)
    assert torch.equal(crop[0, 0, :, 0], data.to_unit(torch.tensor([3, 4, 5, 6])))
    assert crop.shape == (1, 3, 4, 4)
    assert torch.equal(data.to_unit(column)[None], split.stacked())


def test_a_few_pictures_are_read_as_all_would_be(tmp_path: Path):
    rng = np.random.default_rng(0)
    for name in "abcdef":
        (tmp_path / "train").mkdir(exist_ok=True)
        (tmp_path / "val").mkdir(exist_ok=True)
        for part in ("train", "val"):
            Image.fromarray(rng.integers(0, 256, (12, 9, 3), np.uint8)).save(tmp_path / part / f"{name}.png")
    whole = load(tmp_path).train.pictures
    found = data.pick(tmp_path, (4, 0), channels=3, size=8)
    assert torch.equal(found[0], whole[4])
    assert torch.equal(found[1], whole[0])
    with pytest.raises(DataError, match="only 6 training pictures"):
        data.pick(tmp_path, (6,), channels=3, size=8)


def test_a_few_digits_are_picked_by_their_places(tmp_path: Path):
    train, val = digits(7), digits(3)
    for name, (images, labels) in (("train", train), ("val", val)):
        np.savez(tmp_path / f"{name}.npz", images=images, labels=labels)
    (found,) = data.pick(tmp_path, (5,), channels=1, size=28)
    assert torch.equal(found, torch.from_numpy(train[0][5])[None])


@pytest.mark.parametrize(("channels", "size"), [(3, 28), (1, 32)])
def test_digits_of_another_shape_are_refused(tmp_path: Path, channels: int, size: int):
    for name, (images, labels) in (("train", digits(7)), ("val", digits(3))):
        np.savez(tmp_path / f"{name}.npz", images=images, labels=labels)
    with pytest.raises(data.DataError, match=r"digits of shape \(1, 28, 28\)"):
        load(tmp_path, channels=channels, size=size)


@pytest.mark.parametrize("label", [10, 255])
def test_labels_that_are_no_digits_are_refused(tmp_path: Path, label: int):
    for name, (images, labels) in (("train", digits(7)), ("val", digits(3))):
        np.savez(tmp_path / f"{name}.npz", images=images, labels=np.full_like(labels, label))
    with pytest.raises(data.DataError, match="must be 0 to 9"):
        load(tmp_path, channels=1, size=28)
