"""Training on a trivial set: it learns, and no interruption loses or bends anything."""

import json
import math
from dataclasses import replace
from itertools import count, islice, pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors import safe_open

from diffusion import checkpoint, data, recipes, training
from diffusion.guidance import Guidance
from diffusion.network import Preconditioned, UNetConfig
from diffusion.recipes import Recipe
from diffusion.training import Trainer

RECIPE = Recipe(
    title="two flat colours",
    config=UNetConfig(widths=(8, 16), blocks=1),
    size=8,
    sigma_data=0.7,
    batch=8,
    learning_rate=3e-3,
    warmup=5,
    ema=0.1,
)


def flat(count: int) -> data.Split:
    """Dark and bright pictures, in turn."""
    pictures = tuple(torch.full((3, 8, 8), (40, 215)[i % 2], dtype=torch.uint8) for i in range(count))
    return data.Split(pictures, torch.arange(count) % 2, tuple(map(str, range(count))))


DATA = data.DataSet(flat(16), flat(4), ("dark", "bright"))


def trainer(folder: Path, recipe: Recipe = RECIPE, **options: object) -> Trainer:
    return Trainer(recipe, "flat", DATA, folder, **options)  # type: ignore[arg-type]


def run(one: Trainer, pictures: int) -> list[training.Report]:
    """Train up to a total of pictures, with a report for each update."""
    return list(one.run(minutes=1e6, pictures=pictures, every=0))


def everything(one: Trainer) -> dict[str, torch.Tensor]:
    state = one.state
    tensors = {f"weights.{k}": v for k, v in state.model.state_dict().items()}
    tensors |= {f"average.{k}": v for k, v in state.average.items()}
    for name, optimiser in state.optimisers.items():
        for i, moments in optimiser.state_dict()["state"].items():
            tensors |= {f"{name}.{i}.{k}": v for k, v in moments.items()}
    return tensors


def assert_same(one: Trainer, other: Trainer) -> None:
    a, b = everything(one), everything(other)
    assert a.keys() == b.keys()
    assert all(torch.equal(a[k], b[k]) for k in a)


@pytest.fixture(params=["adam", "muon", "relative"])
def recipe(request: pytest.FixtureRequest) -> Recipe:
    """The ways of taking a step."""
    return RECIPE if request.param == "adam" else replace(RECIPE, **{request.param: True})


def test_loss_falls(tmp_path: Path, recipe: Recipe):
    """An untrained network answers with loss about 1, the variance of its target."""
    one = trainer(tmp_path, recipe)
    before = one.loss_by_noise(DATA.val)
    reports = run(one, 8 * 120)
    losses = [report.loss for report in reports]
    assert len(losses) == 120
    assert sum(losses[-20:]) / 20 < sum(losses[:5]) / 5 / 2
    assert all(a.pictures + 8 == b.pictures for a, b in pairwise(reports))
    after = one.loss_by_noise(DATA.val)  # held-out pictures, averaged weights
    for level in (0.4, 0.8, 1.6):
        k = training.VAL_SIGMAS.index(level)
        assert after[k]["mse"] < before[k]["mse"] / 2


def test_same_seed_same_weights(tmp_path: Path):
    a, b, c = (trainer(tmp_path / n, seed=s) for n, s in (("a", 0), ("b", 0), ("c", 1)))
    for one in (a, b, c):
        run(one, 40)
    assert_same(a, b)
    assert not torch.equal(a.state.average["net.stem.weight"], c.state.average["net.stem.weight"])


def test_a_resumed_run_goes_on_exactly(tmp_path: Path, recipe: Recipe):
    """Counters, weights, average and moments; then the same update gives the same bits."""
    first = trainer(tmp_path, recipe)
    run(first, 80)
    second = trainer(tmp_path, recipe)
    assert (second.state.updates, second.state.pictures) == (10, 80)
    assert second.state.seconds == first.state.seconds
    assert second.state.history == first.state.history
    assert_same(first, second)

    for one in (first, second):
        one.rng.manual_seed(5)
        run(one, 160)
    assert (second.state.updates, second.state.pictures) == (20, 160)
    assert [row["pictures"] for row in second.state.history] == list(range(8, 161, 8))
    assert_same(first, second)


def test_moments_of_other_weights_start_afresh(tmp_path: Path):
    """A run with Adam goes on with Muon: weights and average are taken up, moments are not."""
    first = trainer(tmp_path)
    run(first, 80)
    second = trainer(tmp_path, replace(RECIPE, muon=True))
    assert second.state.updates == 10
    assert torch.equal(second.state.average["net.stem.weight"], first.state.average["net.stem.weight"])
    assert not any(optimiser.state_dict()["state"] for optimiser in second.state.optimisers.values())
    run(second, 88)
    assert all(optimiser.state_dict()["state"] for optimiser in second.state.optimisers.values())


def test_relative_steps_follow_the_logarithm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Their gradient is that of log(loss + least), on the scale of a usual loss; reports stay plain."""
    gradients = []
    monkeypatch.setattr(torch.optim.Adam, "step", lambda self: gradients.append(grads(one)))

    def grads(one: Trainer) -> torch.Tensor:
        return torch.cat([p.grad.flatten() for p in one.state.model.parameters() if p.grad is not None])

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", lambda *_: None)
    one = trainer(tmp_path / "relative", replace(RECIPE, relative=True))
    reports = run(one, 8)
    plain = Preconditioned.loss

    def logarithm(self: Preconditioned, *question: torch.Tensor) -> torch.Tensor:
        return training.TYPICAL_LOSS * (plain(self, *question) + training.LEAST_LOSS).log()  # type: ignore[arg-type]

    monkeypatch.setattr(Preconditioned, "loss", logarithm)
    one = trainer(tmp_path / "logarithm")
    run(one, 8)
    torch.testing.assert_close(gradients[0], gradients[1])
    assert reports[0].loss == pytest.approx(1, abs=0.6)  # untrained, about 1


def test_a_resumed_run_does_not_repeat_its_draws(tmp_path: Path):
    first = trainer(tmp_path)
    before = first.rng.initial_seed()
    run(first, 8)
    assert trainer(tmp_path).rng.initial_seed() != before


def test_a_run_that_settles_steps_shorter_and_shorter(tmp_path: Path):
    one = trainer(tmp_path)
    rates = [
        one.state.optimisers["adam"].param_groups[0]["lr"] / RECIPE.learning_rate
        for _ in one.run(minutes=1e6, pictures=160, every=0, settle=True)
    ]
    warm = rates[RECIPE.warmup :]
    assert warm == pytest.approx([1 - k / 20 for k in range(RECIPE.warmup, 20)])
    before = everything(one)["weights.net.head.weight"].clone()
    list(one.run(minutes=1e6, pictures=100, every=0, settle=True))  # more than that has been seen already
    assert torch.equal(everything(one)["weights.net.head.weight"], before)
    run(one, 176)
    assert (
        one.state.optimisers["adam"].param_groups[0]["lr"] == RECIPE.learning_rate
    )  # the next run starts in full


def test_a_run_by_minutes_saves_on_the_way_settles_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Each update takes 100 seconds here: saved every 300, over after 1200."""
    clock = count(5000, 100)
    monkeypatch.setattr(training, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    one, file = trainer(tmp_path), tmp_path / "state.safetensors"

    def saved() -> int:
        if not file.exists():
            return 0
        with safe_open(file, "pt") as opened:
            return json.loads(opened.metadata()["facts"])["updates"]

    seen, rates = [], []
    for report in one.run(minutes=20, every=math.inf, settle=True):
        seen.append((report.updates, saved(), report.left))
        rates.append(one.state.optimisers["adam"].param_groups[0]["lr"] / RECIPE.learning_rate)
    assert seen == [(3, 0, 900), (6, 3, 600), (9, 6, 300), (12, 9, 0)]
    assert saved() == 12
    assert one.state.seconds == 1200
    # How far an update goes is known before it is taken.
    assert rates == pytest.approx([min(1, n / RECIPE.warmup) * (1 - (n - 1) / 12) for n, *_ in seen])


def test_the_average_follows_the_weights(tmp_path: Path):
    """One update of 8 pictures at a half-life of ema*8 = 24 keeps 2^(-8/24) of the old average."""
    one = trainer(tmp_path, replace(RECIPE, ema=3.0))
    before = {k: v.clone() for k, v in one.state.average.items()}
    run(one, 8)
    now = one.state.model.state_dict()
    for key, value in one.state.average.items():
        wanted = 2 ** (-1 / 3) * before[key] + (1 - 2 ** (-1 / 3)) * now[key]
        assert torch.allclose(value, wanted, rtol=1e-4, atol=1e-8)
    assert any(not torch.equal(v, before[k]) for k, v in one.state.average.items())


def test_the_state_is_no_pickle(tmp_path: Path):
    run(trainer(tmp_path), 16)
    assert [f.name for f in tmp_path.iterdir()] == ["state.safetensors"]
    raw = (tmp_path / "state.safetensors").read_bytes()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    assert json.loads(header["__metadata__"]["facts"])["pictures"] == 16


def test_an_interrupted_save_leaves_the_old_state_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    one = trainer(tmp_path)
    run(one, 16)
    old = (tmp_path / "state.safetensors").read_bytes()

    def half(tensors: dict, path: Path, metadata: dict) -> None:
        Path(path).write_bytes(old[: len(old) // 2])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training, "save_file", half)
        with pytest.raises(KeyboardInterrupt):
            run(one, 32)
    assert (tmp_path / "state.safetensors").read_bytes() == old
    resumed = trainer(tmp_path)
    assert resumed.state.pictures == 16
    run(resumed, 32)
    with safe_open(tmp_path / "state.safetensors", "pt") as file:
        assert json.loads(file.metadata()["facts"])["pictures"] == 32


def test_a_run_that_was_cut_off_resumes_from_its_last_save(tmp_path: Path):
    one = trainer(tmp_path)
    run(one, 16)
    next(islice(one.run(minutes=1e6, pictures=800, every=0), 3, None))  # then nobody asks for more
    assert one.state.pictures == 48
    assert trainer(tmp_path).state.pictures == 16


def test_a_loss_that_is_no_number_stops_the_run_and_spares_the_state(tmp_path: Path):
    run(trainer(tmp_path), 16)
    old = (tmp_path / "state.safetensors").read_bytes()
    with pytest.raises(ValueError, match=r"lower the learning rate and resume from .*state\.safetensors"):
        run(trainer(tmp_path, replace(RECIPE, learning_rate=1e30)), 800)
    assert (tmp_path / "state.safetensors").read_bytes() == old


def test_export_and_load_again(tmp_path: Path):
    one = trainer(tmp_path / "run")
    run(one, 8 * 30)
    one.export(tmp_path / "pretrained", {"data": {"name": "flat"}, "limits": "knows two colours"})
    net = checkpoint.load_denoiser("flat", tmp_path / "pretrained")
    trained = one.denoiser()
    x = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    for sigma in (0.05, 1.0, 30.0):
        found, wanted = net(x, sigma), trained(x, sigma)
        # float16 rounds every weight by up to 2^-11, through some twenty layers.
        assert (found - wanted).abs().max() < 20 * 2**-11 * wanted.abs().max()
    assert (net.name, net.size, net.classes) == ("flat", 8, ("dark", "bright"))

    card = checkpoint.read_card("flat", tmp_path / "pretrained")
    assert card["limits"] == "knows two colours"
    facts = card["training"]
    assert (facts["updates"], facts["pictures_seen"], facts["pictures_in_set"]) == (30, 240, 16)
    assert len(facts["history"]) == 30
    assert [row["sigma"] for row in facts["loss_by_noise"]["val"]] == list(training.VAL_SIGMAS)


def test_exported_weights_are_the_average(tmp_path: Path):
    one = trainer(tmp_path / "run")
    run(one, 80)
    one.export(tmp_path, {})
    stored = checkpoint.load_denoiser("flat", tmp_path).model.state_dict()
    assert all(torch.equal(v, one.state.average[k].half().float()) for k, v in stored.items())
    last = one.state.model.state_dict()
    assert any(not torch.equal(v, last[k].half().float()) for k, v in stored.items())


def test_a_guide_is_what_the_average_was(tmp_path: Path):
    """Kept once, on the way past; it outlives resuming, shipping and going on from what was shipped."""
    recipe = replace(RECIPE, guide_at=20, guidance=Guidance(3.0), by_guide=Guidance(2.0))
    one = trainer(tmp_path / "a", recipe)
    run(one, 16)
    assert not one.state.guide
    assert one.denoiser().advised == Guidance(3.0)
    run(one, 24)
    early = {k: v.clone() for k, v in one.state.average.items()}
    run(one, 80)
    again = trainer(tmp_path / "a", recipe)
    one.export(tmp_path / "shipped", {})
    other = trainer(tmp_path / "b", recipe, start=tmp_path / "shipped")
    run(other, 88)
    for state in (one.state, again.state):
        assert state.guide.keys() == early.keys()
        assert all(torch.equal(state.guide[k], v) for k, v in early.items())
    assert all(torch.equal(other.state.guide[k], v.half().float()) for k, v in early.items())

    net, card = (
        checkpoint.load_denoiser("flat", tmp_path / "shipped"),
        checkpoint.read_card("flat", tmp_path / "shipped"),
    )
    assert card["parameters"] == net.parameters == 2 * sum(p.numel() for p in one.state.model.parameters())
    assert card["training"]["guide_pictures"] == other.state.guide_pictures == 24
    assert net.advised == Guidance(2.0)
    x, asked = torch.full((2, 3, 8, 8), 0.3), net.asked_for("dark")
    answer, pushed = asked.with_labels(asked.labels, Guidance())(x, 0.8), asked(x, 0.8)
    before = {k: v.half().float() for k, v in early.items()}
    net.model.load_state_dict(before)  # what it was, asked for no class
    torch.testing.assert_close(pushed, 2 * answer - net(x, 0.8))
    assert not torch.allclose(answer, net(x, 0.8), atol=1e-3)
    again_loaded = checkpoint.load_denoiser("flat", tmp_path / "shipped")
    assert torch.equal(again_loaded.recorded().asked_for("dark")(x, 0.8), pushed)


def test_a_network_that_grows_answers_as_before_and_learns_on(tmp_path: Path):
    """Nothing is lost by it, wherever the run goes on from; the guide stays small."""
    two = replace(RECIPE.config, blocks=2)
    recipe = replace(RECIPE, config=two, guide_at=20, grow_at=40)
    small = replace(recipe, grow_at=None)
    one = trainer(tmp_path / "a", small)
    run(one, 40)
    x = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    before = one.denoiser()(x, 0.8)
    one.export(tmp_path / "shipped", {})

    still = trainer(tmp_path / "a", recipe)
    assert not still.has_grown
    still._grow()
    assert still.has_grown
    torch.testing.assert_close(still.denoiser()(x, 0.8), before)

    for other in (
        trainer(tmp_path / "a", recipe),
        trainer(tmp_path / "b", recipe, start=tmp_path / "shipped"),
    ):
        run(other, 64)
        assert other.has_grown
        new = other.state.model.net.down[0][1]
        assert new.conv2.weight.abs().sum() > 0
        assert not torch.allclose(other.denoiser()(x, 0.8), before)
        again = trainer(other.folder, recipe)
        assert torch.equal(again.denoiser()(x, 0.8), other.denoiser()(x, 0.8))
        other.export(tmp_path / "grown", {})
        net = checkpoint.load_denoiser("flat", tmp_path / "grown")
        assert net.guide is not None
        assert (net.model.net.config.blocks, net.guide.net.config.blocks) == (3, 2)
        assert checkpoint.read_card("flat", tmp_path / "grown")["parameters"] == net.parameters
        said = (tmp_path / "grown" / "flat.md").read_text()
        assert "It has grown since: its guide has 2 residual blocks a level" in said
        later = trainer(tmp_path / f"from-{other.folder.name}", recipe, start=tmp_path / "grown")
        assert later.has_grown
        run(later, 72)
    with pytest.raises(ValueError, match="holds a network of another shape"):
        trainer(tmp_path / "a", small)


def test_a_run_stopped_while_it_warms_up_goes_on_warming_up(tmp_path: Path):
    recipe = replace(RECIPE, grow_at=40)
    first = trainer(tmp_path, recipe)
    run(first, 56)  # two updates after it grew, of five
    second = trainer(tmp_path, recipe)
    for one in (first, second):
        one.rng.manual_seed(5)
        run(one, 64)
    assert_same(first, second)


def test_training_goes_on_from_shipped_weights(tmp_path: Path):
    one = trainer(tmp_path / "run")
    run(one, 80)
    one.export(tmp_path / "pretrained", {})
    other = trainer(tmp_path / "elsewhere", start=tmp_path / "pretrained")
    assert (other.state.updates, other.state.pictures) == (10, 80)
    for key, value in other.state.model.state_dict().items():
        assert torch.equal(value, one.state.average[key].half().float())
        assert torch.equal(value, other.state.average[key])
    run(other, 96)
    assert other.state.updates == 12


def test_nothing_goes_on_from_another_network(tmp_path: Path):
    one = trainer(tmp_path / "run")
    run(one, 16)
    one.export(tmp_path / "pretrained", {})
    wider = replace(RECIPE, config=replace(RECIPE.config, widths=(16, 16)))
    others = replace(DATA, classes=("dark", "dim"))
    for where, start in ((tmp_path / "run", None), (tmp_path / "elsewhere", tmp_path / "pretrained")):
        with pytest.raises(ValueError, match="holds a network of another shape"):
            trainer(where, wider, start=start)
        with pytest.raises(ValueError, match="holds a network for other classes"):
            Trainer(RECIPE, "flat", others, where, start=start)
    (tmp_path / "run" / "state.safetensors").write_bytes(b"cut off")
    with pytest.raises(ValueError, match="is damaged"):
        trainer(tmp_path / "run")


def test_a_run_with_nothing_left_to_do_changes_nothing(tmp_path: Path):
    one = trainer(tmp_path)
    run(one, 16)
    before = {k: v.clone() for k, v in one.state.model.state_dict().items()}
    assert run(one, 16) == []
    assert list(one.run(minutes=0)) == list(one.run(minutes=math.nan)) == []
    assert all(torch.equal(before[k], v) for k, v in one.state.model.state_dict().items())


def test_loss_by_noise_is_edms_loss_of_the_average(tmp_path: Path):
    """A fresh network is c_skip*x: its mse is (1 - c_skip)^2*|x0|^2 + (c_skip*sigma)^2, more or less."""
    one = trainer(tmp_path)
    x0 = data.centre_crops(DATA.val, 8)
    for row in one.loss_by_noise(DATA.val):
        sigma, s = row["sigma"], 0.7
        c_skip = s**2 / (s**2 + sigma**2)
        own, noise = (1 - c_skip) ** 2 * float(x0.square().mean()), (c_skip * sigma) ** 2
        # n = 768 noise values: five standard errors of their square and of their product with x0.
        error = 5 * (noise * (2 / 768) ** 0.5 + 2 * (own * noise / 768) ** 0.5)
        assert abs(row["mse"] - own - noise) <= error + 1e-6
        assert row["loss"] == pytest.approx(
            (sigma**2 + s**2) / (sigma * s) ** 2 * row["mse"], rel=0.02, abs=1e-4
        )


def test_labels_are_learnt(tmp_path: Path):
    """From nothing but noise, the label alone tells dark from bright."""
    one = trainer(tmp_path)
    run(one, 8 * 120)
    net = one.denoiser()
    x = 20 * torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    dark, bright = (net.asked_for(name)(x, 20.0).mean().item() for name in ("dark", "bright"))
    assert bright - dark > 0.7  # of 1.37 between the two


def test_thinned_history_keeps_its_last_row():
    rows = [{"pictures": float(i)} for i in range(257)]
    thin = training._thinned(rows, 100)
    assert len(thin) <= 100
    assert thin[-1] == rows[-1]
    assert training._thinned([], 100) == []


def test_provenance_names_known_data_alone():
    for name, known in recipes.DATA_SETS.items():
        facts = training.provenance(name, ("pug", "basset_hound"), "cpu")
        assert facts["data"] == known
        assert known["licence"] in facts["licence"]
        assert "(pug, basset hound)" in facts["limits"]
    unknown = training.provenance(None, tuple("abcd"), "cpu")
    assert unknown["data"]["name"] == "not stated"
    assert "not stated" in unknown["licence"]
    assert "a, b, c and others" in unknown["limits"]
