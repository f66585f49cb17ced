"""The command line, and the same calls from a notebook, with small networks in the shipped ones' place."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import diffusion
from diffusion import __main__ as cli
from diffusion import checkpoint, data, memory
from diffusion.generate import asked, denoise, from_noise
from diffusion.network import UNetConfig
from diffusion.recipes import RECIPES, Recipe


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    values = np.random.default_rng(0).integers(0, 256, (30, 44, 3), np.uint8)
    Image.fromarray(values).save(path)
    return path


def call(*words: object) -> int:
    return cli.main([str(word) for word in words])


def files(folder: Path) -> dict[str, bytes]:
    return {f.name: f.read_bytes() for f in sorted(folder.iterdir())}


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(int)


@pytest.mark.usefixtures("shipped")
def test_generate(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    words = ("generate", "--model", "dogs", "--steps", 10, "--seed", 0)
    assert call(*words, "--count", 3, "--out", tmp_path / "a") == 0
    assert "3 pictures of 16x16 in" in capsys.readouterr().out
    assert call(*words, "--count", 5, "--out", tmp_path / "b") == 0
    few, many = files(tmp_path / "a"), files(tmp_path / "b")
    assert list(many) == [f"000{i}.png" for i in range(5)]
    assert len(set(many.values())) == 5
    assert {name: many[name] for name in few} == few  # whatever the count, to the last byte
    with Image.open(tmp_path / "a" / "0000.png") as image:
        assert (image.size, image.mode) == ((16, 16), "RGB")

    net = asked(diffusion.load_denoiser("dogs"), 0, 2)
    *_, last = from_noise(net, 0, 2, steps=5)  # ten evaluations, two a guided step
    assert np.array_equal(pixels(tmp_path / "a" / "0002.png"), np.asarray(diffusion.to_image(last.x_s[0])))


@pytest.mark.usefixtures("shipped")
def test_generate_with_a_label_and_guidance(tmp_path: Path):
    words = ("generate", "--model", "digits", "--steps", 6, "--count", 1, "--sampler", "heun")
    outs = []
    for k, more in enumerate([("--label", "none"), ("--label", "2"), ("--label", "2", "--guidance", 3)]):
        assert call(*words, *more, "--out", tmp_path / str(k)) == 0
        outs.append(files(tmp_path / str(k))["0000.png"])
    assert len(set(outs)) == 3


def test_noise(tmp_path: Path, picture: Path, capsys: pytest.CaptureFixture[str]):
    assert call("noise", picture, "--steps", 10, "--out", tmp_path / "out") == 0
    assert list(files(tmp_path / "out")) == [f"{k:04d}.png" for k in range(11)]
    x0 = diffusion.load_picture(picture, size=64)
    path = diffusion.forward(x0, diffusion.Brownian(3.0), 10, rng=diffusion.picture_rng(0))
    for k, x in enumerate(path):
        assert np.array_equal(pixels(tmp_path / "out" / f"{k:04d}.png"), np.asarray(diffusion.to_image(x[0])))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 11
    for k, line in enumerate(lines):
        words = line.split()
        sigma, measured = float(words[4]), float(words[6])
        assert sigma == pytest.approx(3 * (k / 10) ** 0.5, abs=5e-5)
        # n = 3*64*64 values: the spread's standard error is sigma/sqrt(2n).
        assert abs(measured - sigma) <= 5 * sigma / (2 * 3 * 64 * 64) ** 0.5 + 1e-4


@pytest.mark.parametrize("process", diffusion.PROCESSES)
def test_noise_of_every_process(tmp_path: Path, picture: Path, process: str):
    words = ("noise", picture, "--steps", 2, "--size", 16, "--process", process)
    assert call(*words, "--out", tmp_path / "a") == 0
    assert call(*words, "--seed", 1, "--out", tmp_path / "b") == 0
    a, b = files(tmp_path / "a"), files(tmp_path / "b")
    assert a["0000.png"] == b["0000.png"]
    assert a["0002.png"] != b["0002.png"]


@pytest.mark.usefixtures("shipped")
def test_denoise(tmp_path: Path, picture: Path, capsys: pytest.CaptureFixture[str]):
    """`photos` keeps the size and looks three times; sigma is given in grey levels, 2*25/255 in our units."""
    out = tmp_path / "out.png"
    net = diffusion.load_denoiser("photos")
    assert call("denoise", picture, "--model", "photos", "--sigma", 25, "--out", out) == 0
    assert "44x30" in capsys.readouterr().out
    x = diffusion.load_picture(picture, size=None)
    x0_hat = denoise(net, x, 2 * 25 / 255, turns=3)
    assert np.array_equal(pixels(out), np.asarray(diffusion.to_image(x0_hat[0])))

    assert call("denoise", picture, "--sigma", 25, "--add", "--turns", 1, "--out", out) == 0
    noise = torch.randn(x.shape, generator=diffusion.picture_rng(0))
    x0_hat = net(x + 2 * 25 / 255 * noise, 2 * 25 / 255)
    assert np.array_equal(pixels(out), np.asarray(diffusion.to_image(x0_hat[0])))


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(("model", "size"), [("dogs", 16), ("digits", 12)])
def test_denoise_at_a_networks_own_size(tmp_path: Path, picture: Path, model: str, size: int):
    out = tmp_path / "out.png"
    assert call("denoise", picture, "--model", model, "--sigma", 50, "--out", out) == 0
    assert pixels(out).shape == (size, size, 3)


@pytest.mark.usefixtures("shipped")
def test_models(capsys: pytest.CaptureFixture[str]):
    assert call("models") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["digits", "dogs", "photos"]
    assert "16x16" in lines[1]
    assert "sigma 0.002 to 80" in lines[1]


@pytest.fixture
def digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of twenty digits, the same held out, and a recipe as small; networks go beside them."""
    small = Recipe(
        title="small",
        config=UNetConfig(channels=1, widths=(8, 16), blocks=1),
        size=12,
        sigma_data=0.6,
        batch=4,
    )
    monkeypatch.setitem(RECIPES, "digits", small)
    monkeypatch.setattr(checkpoint, "PRETRAINED", tmp_path / "pretrained")
    values = np.random.default_rng(0).integers(0, 256, (20, 12, 12), np.uint8)
    for split in ("train", "val"):
        np.savez(tmp_path / f"{split}.npz", images=values, labels=np.arange(20, dtype=np.uint8) % 10)
    return tmp_path


def test_train_and_train_on(digits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    words = ("train", "--data", digits, "--model", "digits", "--runs", tmp_path / "runs", "--every", 0)
    assert call(*words, "--device", "cpu", "--pictures", 12) == 0
    said = capsys.readouterr().out
    assert "20 pictures to train on, 20 held out, cpu" in said
    assert "update       3  pictures        12  loss" in said
    assert not (tmp_path / "pretrained").exists()

    assert call(*words, "--device", "cpu", "--pictures", 20, "--export", "--threads", 1) == 0
    said = capsys.readouterr().out
    assert "going on from update 3, 12 pictures seen" in said
    assert sorted(f.name for f in (tmp_path / "runs" / "digits").iterdir()) == [
        "samples-000000004.png",
        "samples-000000012.png",
        "samples-000000016.png",
        "samples-000000020.png",
        "state.safetensors",
    ]
    net = diffusion.load_denoiser("digits")
    assert (net.size, net.classes) == (12, tuple("0123456789"))
    assert call("generate", "--model", "digits", "--count", 1, "--out", tmp_path / "out") == 0


def test_index(digits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    words = ("--data", digits, "--model", "digits")
    runs = ("--runs", tmp_path / "runs", "--device", "cpu")
    assert call("train", *words, *runs, "--pictures", 4, "--export") == 0
    capsys.readouterr()
    assert call("index", *words, "--seed", 5) == 0
    said = capsys.readouterr().out
    assert "training, as they are" in said
    assert "against whole pictures: distances" in said
    assert "20 training pictures in " in said

    recipe, found = RECIPES["digits"], memory.load("digits")
    dataset = data.load(digits, channels=1, size=12, whole=False)
    expected = memory.make(dataset, flip=recipe.flip, rng=torch.Generator().manual_seed(5))
    assert found is not None
    assert torch.equal(found.codes, expected.codes)
    assert torch.equal(found.held_out, expected.held_out)
    rows = {row["pictures"]: row for row in checkpoint.read_card("digits")["index"]["checked"]}
    assert rows["training, as they are"]["right one"] == 1
    assert "suspicious" in rows["held out, as they are"]


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("generate", "--model", "cats", "--out", "OUT"), "there is no model called 'cats'"),
        (
            ("generate", "--label", "poodle", "--out", "OUT"),
            "dogs does not know 'poodle'; it knows: beagle, pug",
        ),
        (
            ("generate", "--label", "pug", "--guidance", "2", "--steps", "1", "--out", "OUT"),
            "1 evaluations are too few for one step",
        ),
        (("noise", "nowhere.png", "--out", "OUT"), "cannot be opened: No such file"),
        (("noise", "PICTURE", "--sigma-q", "0", "--out", "OUT"), "sigma_q must be a finite number above 0"),
        (("noise", "TEXT", "--out", "OUT"), "not a picture"),
        (("denoise", "PICTURE", "--sigma", "9", "--out", "nowhere/at/all.png"), "nowhere/at/all.png"),
        (("train", "--data", "nowhere", "--model", "digits", "--runs", "OUT"), "no such folder: nowhere"),
        (("index", "--data", "nowhere", "--model", "cats"), "no recipe is called 'cats'"),
    ],
)
def test_what_the_caller_got_wrong_is_one_sentence(
    words: tuple[str, ...],
    sentence: str,
    tmp_path: Path,
    picture: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    places = {"PICTURE": picture, "TEXT": tmp_path / "notes.txt"}
    assert call(*(places.get(word, word) for word in words)) == 2
    said = capsys.readouterr().err
    assert said.startswith("diffusion: ")
    assert sentence in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ("generate",),
        ("generate", "--steps", "0", "--out", "x"),
        ("generate", "--steps", "1001", "--out", "x"),
        ("generate", "--count", "many", "--out", "x"),
        ("generate", "--sampler", "euler", "--out", "x"),
        ("noise", "a.png", "--process", "none", "--out", "x"),
        ("generate", "--guidance", "nan", "--out", "x"),
        ("denoise", "a.png", "--out", "x.png"),
        ("denoise", "a.png", "--sigma", "-3", "--out", "x.png"),
        ("train", "--data", ".", "--model", "dogs", "--minutes", "nan"),
        ("train", "--data", ".", "--model", "dogs", "--device", "gpu"),
        ("train", "--data", ".", "--model", "cats", "--recipe", "cats"),
        (),
    ],
)
def test_options_are_bounded(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stopped:
        call(*words)
    assert stopped.value.code == 2
    assert "usage: python -m diffusion" in capsys.readouterr().err


def test_interruption_is_no_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def interrupted(folder: Path | None = None) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "available", interrupted)
    assert call("models") == 130
    assert capsys.readouterr().err == "stopped\n"


@pytest.mark.usefixtures("shipped")
def test_the_same_from_a_notebook(picture: Path):
    x0 = diffusion.load_picture(picture, size=16)
    assert x0.shape == (1, 3, 16, 16)
    assert x0.dtype == torch.float32
    assert -1 <= x0.min() < x0.max() <= 1
    with pytest.raises(diffusion.PictureError, match="cannot be opened"):
        diffusion.load_picture("nowhere.jpg", size=16)

    net = diffusion.load_denoiser("dogs")
    assert net(x0, 0.5).shape == x0.shape
    assert torch.equal(net(x0, 0.5), net(x0, torch.tensor([0.5])))

    process = diffusion.Brownian(sigma_q=3)
    rng = torch.Generator().manual_seed(0)
    path = list(diffusion.forward(x0, process, steps=10, rng=rng))
    assert len(path) == 11
    for step in diffusion.reverse(net, path[-1], process, steps=10, sampler="posterior", rng=rng):
        assert torch.equal(step.x_s, step.x_t - step.removed + step.noise)
        assert step.x0_hat.shape == x0.shape
    middle = list(diffusion.reverse(net, path[5], process, times=(0.5, 0.2, 0.0), rng=rng))
    assert torch.equal(middle[0].x_t, path[5])

    x_T = diffusion.invert(net, x0, process, steps=50)
    assert x_T.shape == x0.shape
    assert torch.isfinite(x_T).all()
