"""What the lessons quote, against closed forms; their rhythm's plain parts; every snippet, run as shown."""

import contextlib
import io
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from diffusion import Brownian, Crop, load_denoiser, picture_rng
from diffusion.oracles import FiniteData
from ui.journey import WayThere, walk_there
from ui.lessons import LESSONS, l3_regression, l4_one_step_back, l5_ten_or_thousand, l7_from_nothing, numbers
from ui.lessons.rhythm import (
    SNIPPETS,
    Learner,
    Learning,
    in_html,
    in_markdown,
    snippet,
)
from ui.lessons.work import Task
from ui.links import decode_progress, encode_progress
from ui.queue import Queue
from ui.resources import samples
from ui.settings import There
from ui.state import Picture

ROOT = Path(__file__).resolve().parents[1]


def learner(seed: int, name: str = "cat", crop: Crop | None = None) -> Learner:
    sample = next(s for s in samples() if s.name == name)
    with Image.open(sample.path) as opened:
        return Learner(Picture(name, sample.title, "", opened.convert("RGB")), crop or Crop(), seed)


def walked(x0: Tensor, settings: There) -> WayThere:
    *_, way = walk_there(x0, settings)
    assert isinstance(way, WayThere)
    return way


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=picture_rng(seed))


# --- 1 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [1, 4, 25])
def test_variances_add(steps: int) -> None:
    x0 = noise(1, 3, 64, 64)
    for rule in numbers.RULES:
        theory = numbers.total_in_theory(rule, 0.5, steps)
        assert theory == pytest.approx(0.5 * (math.sqrt(steps) if rule == "fixed" else 1))
        # The variance of n squares of a Gaussian: five standard errors.
        error = 5 * theory / math.sqrt(2 * x0.numel())
        assert numbers.measured_total(x0, rule, 0.5, steps, 3) == pytest.approx(theory, abs=error)


def test_the_total_is_the_walk_s_own() -> None:
    """What lesson 1 measures is what its stage shows."""
    x0 = learner(4).x0()
    way = walked(x0, There(sigma_q=0.5 * math.sqrt(10), steps=10, seed=4))
    assert numbers.measured_total(x0, "fixed", 0.5, 10, 4) == pytest.approx(
        math.sqrt(way.stops[-1].measured), rel=1e-5
    )


# --- 2 ------------------------------------------------------------------------------------------


def test_correlation_is_torch_s() -> None:
    a, b = noise(2, 3, 8, 8), noise(2, 3, 8, 8, seed=1)
    expected = torch.corrcoef(torch.stack([a.flatten(), a.flatten() + b.flatten()]))[0, 1]
    assert numbers.correlation(a, a + b) == pytest.approx(float(expected), abs=1e-6)
    assert numbers.correlation(a, torch.zeros_like(a)) == 0
    assert numbers.correlation_in_theory(0, 0) == 0
    assert [round(numbers.correlation_in_theory(0.5, s), 3) for s in (1, 3, 10)] == [0.447, 0.164, 0.05]


def test_what_is_left_is_what_theory_says() -> None:
    """Data of independent blocks: a mean over b x b pixels leaves 1/b of the noise's spread."""
    x0 = noise(1, 3, 16, 16).repeat_interleave(16, 2).repeat_interleave(16, 3)
    rows = numbers.left(x0, x0 + 3 * noise(*x0.shape, seed=1), 3, (1, 4, 16))
    assert [row.noise for row in rows] == [3, 0.75, 3 / 16]
    for row in rows:
        error = 5 / math.sqrt(x0.numel() / row.block**2)
        assert row.measured == pytest.approx(row.theory, abs=error)
        assert row.theory == pytest.approx(1 / math.hypot(1, row.noise), abs=0.02)
    assert numbers.noise_of_brightness(torch.zeros(1, 3, 64, 64), 3) == pytest.approx(3 / (64 * math.sqrt(3)))


# --- 3 ------------------------------------------------------------------------------------------


def test_a_blur_keeps_a_flat_picture_and_adds_variances() -> None:
    assert torch.allclose(numbers.blurred(torch.full((1, 3, 20, 20), 0.3), 2), torch.tensor(0.3))
    dot = torch.zeros(1, 1, 41, 41)
    dot[..., 20, 20] = 1
    seen = numbers.blurred(dot, 2.0)[0, 0].sum(0)
    place = torch.arange(41) - 20.0
    assert float((seen * place**2).sum() / seen.sum()) == pytest.approx(
        4, rel=0.04
    )  # cut off at three widths


@pytest.mark.parametrize("sigma", l3_regression.SIGMAS)
def test_the_best_blur_is_the_best_tried(sigma: float) -> None:
    x0 = learner(0).x0()
    x_t = x0 + sigma * noise(*x0.shape)
    width, found = numbers.best_blur(x_t, x0)
    for factor in (1 / 1.3, 1.3):
        assert numbers.rms(numbers.blurred(x_t, factor * width) - x0) >= 0.999 * found.error


def test_the_oracle_is_never_wrong() -> None:
    x0 = learner(0).x0()
    assert numbers.guess(FiniteData(x0), x0 + noise(*x0.shape), 1.0, x0).error == pytest.approx(0, abs=1e-6)


def test_the_closed_form_is_a_weighted_mean_and_the_score_its_gradient() -> None:
    points = numbers.cloud(learner(0).x0(), 0).double()
    at, sigma = torch.tensor([[0.1, -0.3], [0.5, 0.2]], dtype=torch.float64), 0.4

    def log_density(x: Tensor) -> Tensor:
        return torch.logsumexp(-(x - points).square().sum(1) / (2 * sigma**2), 0)

    weights = torch.softmax(-(torch.cdist(at, points) ** 2) / (2 * sigma**2), 1)
    assert torch.allclose(numbers.ask(numbers.exact(points), at, sigma), weights @ points)
    gradient = torch.stack([torch.func.grad(log_density)(x) for x in at])
    assert torch.allclose(numbers.score(numbers.exact(points), at, sigma), gradient)


def test_the_tiny_network_learns_what_can_be_learnt() -> None:
    ends = []
    for _ in range(2):
        tiny = numbers.start_tiny(numbers.cloud(learner(0).x0(), 5), 5)
        steps = sum(1 for _ in numbers.train_tiny(tiny, 5))
        assert steps == math.ceil(numbers.UPDATES / numbers.LOOK)
        assert tiny.losses[0][1] > 1.5 * tiny.floor
        assert tiny.floor < tiny.losses[-1][1] < 1.15 * tiny.floor
        ends.append(tiny.losses)
    assert ends[0] == ends[1]
    assert numbers.TinyNet.parameters() == sum(w.numel() for w in [*tiny.net.weights, *tiny.net.biases])


def test_errors_of_a_denoiser_that_knows_are_none() -> None:
    x0 = learner(0).x0()
    errors = l3_regression.Errors()
    assert len(list(l3_regression.walk_errors(errors, FiniteData(x0), x0, noise(*x0.shape)))) == 5
    assert [net for net, _blur in errors.rows] == pytest.approx([0] * 5, abs=1e-6)
    assert min(blur for _net, blur in errors.rows) > 0.01


# --- 4 and 5 ------------------------------------------------------------------------------------


def test_without_fresh_noise_walks_shrink_as_computed() -> None:
    for steps in (3, 40):
        walks = numbers.exact_walks(0.2, 0.5, 1.0, steps, 50, 1, noise=False)
        assert walks.shape == (steps + 1, 50)
        shrunk = numbers.spread_without_noise(0.5, 1.0) / math.hypot(0.5, 1.0)
        assert torch.allclose(walks[-1] - 0.2, shrunk * (walks[0] - 0.2))


def test_with_fresh_noise_they_keep_most_of_the_spread() -> None:
    walks = numbers.exact_walks(0.0, 0.5, 1.0, 1000, 4000, 1, noise=True)
    # Started from N(0, s^2 + sigma_q^2), Algorithm 1 with a clean end tends to s as steps grow.
    assert numbers.spread(walks[-1]) == pytest.approx(0.5, abs=0.5 * 5 / math.sqrt(2 * 4000) + 0.01)


@pytest.mark.parametrize(
    ("spread", "steps", "ends"),
    [(0, 10, (0.316, 0, 0)), (0.5, 10, (0.543, 0.381, 0.369)), (0.5, 1000, (0.490, 0.485, 0.445))],
)
def test_the_ends_are_those_of_the_recursions(spread: float, steps: int, ends: tuple[float, ...]) -> None:
    found = [numbers.end_spread(spread, 1.0, steps, name) for name in numbers.COMPARED]
    assert found == pytest.approx(ends, abs=6e-4)
    assert numbers.leftover(1.0, steps) == pytest.approx(1 / math.sqrt(steps))


def test_a_step_goes_its_share_of_the_way() -> None:
    x0 = learner(0).x0()
    kept = l4_one_step_back.one_step(
        walked(x0, There(sigma_q=1, steps=10)), 5, "algorithm1", FiniteData(x0), "-"
    )
    assert torch.equal(kept.x0_hat, x0)
    assert torch.allclose(kept.removed, 0.2 * (kept.x_t - x0), atol=1e-6)


# --- 6 and 7 ------------------------------------------------------------------------------------


def test_with_one_possible_picture_all_ways_end_there() -> None:
    x0 = learner(0).x0()
    ends = numbers.Endings(x0, x0 + noise(*x0.shape), 0.25, 1.0)
    with pytest.raises(ValueError, match="no step"):
        _ = ends.mean_to_guess
    assert len(list(numbers.walk_many(ends, FiniteData(x0), Brownian(2), 0))) == numbers.STEPS_EACH
    assert (ends.fan, ends.to_upload, ends.mean_to_guess) == pytest.approx((0, 0, 0), abs=1e-6)
    assert ends.paths[3].std() > 0.1


def test_ways_are_each_their_own() -> None:
    """Two pictures are possible, equally far: about half of the ways end in each."""
    pictures = torch.stack([torch.full((1, 4, 4), v) for v in (-0.5, 0.5)])
    ends = numbers.Endings(pictures[:1], torch.zeros(1, 1, 4, 4), 1.0, 10.0)
    list(numbers.walk_many(ends, FiniteData(pictures), Brownian(10), 0))
    high = int((ends.ends.mean((1, 2, 3)) > 0).sum())
    assert 3 <= high <= 13  # of 16; further out has a chance of 0.4 %
    assert ends.fan == pytest.approx(math.sqrt(high * (16 - high)) / 16, abs=1e-3)


def test_up_and_down_again() -> None:
    x0 = learner(0).x0()
    around = numbers.Returned(x0)
    with pytest.raises(ValueError, match="not come down"):
        _ = around.error
    assert (
        len(list(numbers.walk_around(around, FiniteData(torch.cat([x0, -x0])), Brownian(3))))
        == 2 * numbers.CLIMB
    )
    assert around.error < 0.03


def test_the_worst_gap_is_found() -> None:
    rows = {
        "train": [{"sigma": sigma, "mse": 1.0} for sigma in (0.1, 1.0, 50.0)],
        "val": [{"sigma": sigma, "mse": mse} for sigma, mse in ((0.1, 1.0), (1.0, 4.0), (50.0, 9.0))],
    }
    assert numbers.worst_gap(rows) == (1.0, 2.0)
    assert all(math.isnan(value) for value in numbers.worst_gap({}))


# --- rhythm -------------------------------------------------------------------------------------


def test_progress_travels_in_a_link() -> None:
    assert encode_progress({5, 1, 2}) == "125"
    for done in (set(), {7}, {1, 2, 3, 4, 5, 6, 7}):
        assert decode_progress(encode_progress(done)) == done
    assert decode_progress("9a0<7٣&&77") == {7}
    assert len(LESSONS) == 7
    assert [lesson.number for lesson in LESSONS] == [1, 2, 3, 4, 5, 6, 7]


def test_symbols_are_set_as_formulas() -> None:
    assert in_markdown("x̂_0, σ_q² and x_{t−1}") == r"$\hat x_{0}$, $\sigma_{q}$² and $x_{t−1}$"
    assert in_html("x_T") == "<i>x</i><sub>T</sub>"
    assert in_markdown("max_0 and $x_t$") == "max_0 and $x_t$"


def test_a_task_can_be_stopped_and_goes_on() -> None:
    found: list[int] = []
    task = Task(lambda: (found, (found.append(k) for k in range(5)), 5), Queue(1))
    task.stop()
    task.go()
    task.wait(60)
    assert task.finished
    assert found == [0, 1, 2, 3, 4]
    assert not task.notice


def test_a_task_that_fails_says_so() -> None:
    def steps():
        yield
        raise ValueError("no such picture")

    task = Task(lambda: (None, steps(), 3), Queue(1))
    task.go()
    task.wait(60)
    assert task.taken == 1
    assert not task.finished  # so nothing is quoted from what it had
    assert "no such picture" in str(task.notice)
    task.go()
    assert not task.computing  # nor does it go on
    task.again()
    task.wait(60)
    assert task.taken == 1  # it was begun anew, with no better luck
    assert "no such picture" in str(task.notice)


def test_many_ways_keep_no_pictures_but_the_last() -> None:
    """A thumb that visits fifty stops would otherwise hold half a gigabyte."""
    x0 = learner(0).x0()
    ends = numbers.Endings(x0, x0 + noise(*x0.shape), 0.25, 1.0)
    walk = Task(
        lambda: (ends, numbers.walk_many(ends, FiniteData(x0), Brownian(2), 0), numbers.STEPS_EACH), Queue(1)
    )
    walk.go()
    walk.wait(60)
    assert walk.finished
    assert torch.equal(ends.paths[-1], numbers.middle_pixel(ends.ends))
    assert {path.shape for path in ends.paths} == {(numbers.WAYS,)}
    assert next(walk._steps, None) is None, "the walk would hold its last step"


def test_tasks_that_are_forgotten_stop_and_go() -> None:
    here = Learning()
    task = Task(lambda: (None, iter(int, 1), 10**9), Queue(1))
    here.tasks["6-3"] = 0, task
    task.go()
    here.forget("6-2", "6-3")
    task.wait(60)
    assert not task.computing
    assert not here.tasks


def test_leaving_a_lesson_stops_its_tasks() -> None:
    here = Learning()
    task = Task(lambda: (None, iter(int, 1), 10**9), Queue(1))
    here.tasks["long"] = 0, task
    task.go()
    here.leave(2)
    task.wait(60)
    assert not task.computing
    assert not task.finished
    assert here.lesson == 2


# --- snippets -----------------------------------------------------------------------------------


def quoted(me: Learner) -> dict[str, Callable[[], float]]:
    """The number each lesson quotes beside its snippet."""
    x0 = me.x0()
    net = load_denoiser("photos")

    def way(sigma_q: float, steps: int) -> WayThere:
        return walked(x0, There(sigma_q=sigma_q, steps=steps, seed=me.seed))

    def left() -> float:
        return numbers.left(x0, way(3, 20).frames[-1:], 3, (8,))[0].measured

    def off() -> float:
        there = way(3, 20)
        return numbers.guess(net, there.frames[4:5], there.stops[4].sigma, x0).error

    def removed() -> float:
        kept = l4_one_step_back.one_step(way(1, 10), 5, "algorithm1", net, "photos")
        return float(kept.removed[0, 0, 32, 32])

    def grain() -> float:
        walks, steps, _total = l5_ten_or_thousand.plan(way(1, 10), net, "photos", 10)
        list(steps)
        return math.sqrt(walks["algorithm1"].way.steps[-1].added)

    def fan() -> float:
        there = way(3, 20)
        ends = numbers.Endings(x0, there.frames[6:7], there.stops[6].t, there.stops[6].sigma)
        list(numbers.walk_many(ends, net, there.process, me.seed))
        return ends.fan

    def around() -> float:
        found = numbers.Returned(x0)
        list(numbers.walk_around(found, net, Brownian(3)))
        return found.error

    def nothing() -> float:
        dogs = load_denoiser("dogs")
        there = walked(x0, There(sigma_q=80, steps=20, grid="rho7", seed=me.seed))
        walk, steps, _total = l7_from_nothing.plan(there, dogs, "dogs")
        list(steps)
        return walk.way.steps[-1].to_upload

    return {
        "one_pixel": lambda: numbers.measured_total(x0, "fixed", 0.5, 100, me.seed),
        "noise_yet": left,
        "regression": off,
        "cloud": lambda: numbers.start_tiny(numbers.cloud(x0, me.seed), me.seed).floor,
        "one_step_back": removed,
        "why_noise": lambda: numbers.spread_without_noise(numbers.spread(x0), 1),
        "ten_or_thousand": grain,
        "many_endings": fan,
        "inversion": around,
        "from_nothing": nothing,
    }


def test_every_snippet_has_its_number() -> None:
    assert set(quoted(learner(0))) == {path.stem for path in SNIPPETS.glob("*.py")}
    lessons = "".join(path.read_text(encoding="utf-8") for path in SNIPPETS.parent.glob("l*.py"))
    assert all(f'"{path.stem}"' in lessons for path in SNIPPETS.glob("*.py"))


@pytest.mark.parametrize(
    "me",
    [learner(0), learner(7, "boat", Crop(0.4, 0.5, 0.7))],
    ids=["cat", "boat, cropped"],
)
@pytest.mark.parametrize("name", sorted(path.stem for path in SNIPPETS.glob("*.py")))
def test_a_snippet_prints_the_number_that_is_quoted(
    name: str, me: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    text = snippet(name, me.in_python())
    assert len(text.splitlines()) <= 18, "about ten lines"
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(text, name, "exec"), {})
    # The inversion's error is rounding for the most part, and that differs by the batch; one pixel of a step
    # may be near 0.
    rel, least = (1e-3, 0) if name == "inversion" else (2e-5, 1e-6)
    assert float(out.getvalue()) == pytest.approx(quoted(me)[name](), rel=rel, abs=least)


def test_a_snippet_without_the_line_is_an_error() -> None:
    with pytest.raises(KeyError, match="no line that sets model"):
        snippet("one_pixel", {"model": "'dogs'"})
