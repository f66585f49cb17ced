import pytest
import torch

from bench import evaluate, judges, metrics
from diffusion import data
from diffusion.denoiser import NetworkDenoiser
from diffusion.generate import asked, from_noise
from diffusion.guidance import Guidance
from diffusion.network import Preconditioned, UNetConfig


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_frechet_of_a_set_with_itself_is_zero():
    x = drawn(40, 100)  # fewer rows than columns: the covariance has no full rank
    assert metrics.frechet(x, x) == pytest.approx(0, abs=1e-9)
    assert metrics.frechet(x, x[torch.randperm(40)]) == pytest.approx(0, abs=1e-9)


def whitened(x):
    """The same directions with mean 0 and covariance exactly I."""
    x = x.double() - x.double().mean(0)
    covariance = x.T @ x / (len(x) - 1)
    return x @ torch.linalg.inv(torch.linalg.cholesky(covariance)).T


def test_frechet_of_two_gaussians_in_closed_form():
    white = whitened(drawn(300, 4))
    spread_a, spread_b = torch.tensor([1.0, 2, 3, 0.5]), torch.tensor([2.0, 2, 1, 0])
    shift = torch.tensor([1.0, 0, -2, 0.5])
    # Diagonal covariances: |shift|^2 + sum of (spread_a - spread_b)^2.
    wanted = float(shift.square().sum() + (spread_a - spread_b).square().sum())
    assert metrics.frechet(white * spread_a, white * spread_b + shift) == pytest.approx(wanted, rel=1e-9)


def test_frechet_of_covariances_that_do_not_commute():
    white, other = whitened(drawn(300, 3)), whitened(drawn(200, 3, seed=1))
    root_a, root_b = drawn(3, 3, seed=2).double(), drawn(3, 3, seed=3).double()
    c_a, c_b = root_a.T @ root_a, root_b.T @ root_b
    product = torch.linalg.eigvals(c_a @ c_b).real.clamp(min=0).sqrt().sum()
    wanted = float(c_a.trace() + c_b.trace() - 2 * product)
    assert metrics.frechet(white @ root_a, other @ root_b) == pytest.approx(wanted, rel=1e-8)


def test_kid_is_unbiased():
    """Over many draws from one distribution its mean is 0 within four standard errors."""
    values = torch.tensor(
        [metrics.kid(drawn(20, 8, seed=2 * k), drawn(30, 8, seed=2 * k + 1)) for k in range(200)]
    )
    assert abs(values.mean()) < 4 * values.std() / 200**0.5
    assert values.min() < 0  # a biased estimate never is


def test_kid_sees_a_shift_and_matches_its_definition():
    a, b = drawn(12, 5).double(), drawn(9, 5, seed=1).double() + 1

    def k(x, y):
        return float((x @ y / 5 + 1) ** 3)

    aa = [k(a[i], a[j]) for i in range(12) for j in range(12) if i != j]
    bb = [k(b[i], b[j]) for i in range(9) for j in range(9) if i != j]
    ab = [k(x, y) for x in a for y in b]
    wanted = sum(aa) / len(aa) + sum(bb) / len(bb) - 2 * sum(ab) / len(ab)
    assert metrics.kid(a, b) == pytest.approx(wanted)
    assert wanted > 0.1


def test_nearest_against_brute_force_and_with_mirrors():
    pool, queries = drawn(30, 1, 4, 4), drawn(70, 1, 4, 4, seed=1)
    distance, index = metrics.nearest(queries, pool, chunk=16)
    brute = (queries[:, None] - pool[None]).flatten(2).norm(dim=2)
    torch.testing.assert_close(distance, brute.min(dim=1).values, rtol=1e-4, atol=1e-4)
    assert torch.equal(index, brute.argmin(dim=1))
    distance, index = metrics.nearest_mirrored(pool[5:8].flip(-1), pool)
    torch.testing.assert_close(distance, torch.zeros(3), atol=2e-3, rtol=0)
    assert index.tolist() == [5, 6, 7]


def test_copies_are_found_and_strangers_are_at_chance():
    train, held_out = drawn(200, 6), drawn(2000, 6, seed=1)
    known = metrics.nearest(held_out, train)[0]
    strangers = metrics.nearest(drawn(2000, 6, seed=2), train)[0]
    copies = metrics.nearest(train[:100] + 1e-3, train)[0]
    assert metrics.copies_share(copies, known) == 1
    # 0.05 with the spread of two samples of 2000: 4 * sqrt(2 * 0.05 * 0.95 / 2000).
    assert metrics.copies_share(strangers, known) == pytest.approx(0.05, abs=0.028)


def test_psnr_and_blur():
    flat = torch.full((1, 3, 16, 16), 100.0)
    assert metrics.psnr(flat + 5, flat) == pytest.approx(34.1514, abs=1e-3)  # 20*log10(255/5)
    torch.testing.assert_close(metrics.blurred(flat, 1), flat)
    noise = drawn(1, 1, 200, 200)
    # White noise after a Gaussian blur of sigma px keeps a spread of about 1/(2*sqrt(pi)*sigma).
    assert float(metrics.blurred(noise, 2).std()) == pytest.approx(0.141, rel=0.1)


def test_rise_and_bend_of_a_curve():
    assert evaluate.largest_rise([5, 4, 4.5, 1]) == pytest.approx(0.5)
    assert evaluate.largest_rise([3, 2, 1]) == -1
    assert evaluate.largest_bend([1, 2, 4, 8], [9, 8, 7, 6]) == pytest.approx(0)
    assert evaluate.largest_bend([1, 2, 4], [9, 9, 7]) == pytest.approx(1)


@pytest.fixture
def tiny():
    torch.manual_seed(0)
    model = Preconditioned(UNetConfig(channels=1, widths=(8, 16), labels=2), 0.5)
    for parameter in model.parameters():  # a fresh network answers 0 everywhere
        torch.nn.init.normal_(parameter, std=0.1)
    return NetworkDenoiser(model.eval().requires_grad_(False), "tiny", 12, 0.002, 80, ("a", "b"))


@pytest.mark.parametrize("sampler", ["dpmpp_2m", "posterior", "heun"])
def test_batches_hold_the_pictures_that_generate_makes(tiny, sampler):
    made = evaluate.samples(tiny, range(5), 3, sampler=sampler, batch=2)
    for index in range(5):
        steps = 5 if sampler == "heun" else 10
        *_, last = from_noise(asked(tiny, 3, index), 3, index, steps=steps, sampler=sampler)
        one = data.to_unit(metrics.eight_bit(last.x_s))
        # A value on the edge between two bytes may fall either way.
        assert float((made[index] - one[0]).abs().max()) <= 1.01 / 127.5


def test_classes_are_asked_for_in_equal_numbers(tiny):
    x, wanted = evaluate.asked_samples(tiny, 5, 0)
    assert x.shape == (6, 1, 12, 12)
    assert wanted.tolist() == [0, 0, 0, 1, 1, 1]
    guided, _ = evaluate.asked_samples(tiny, 5, 0, guidance=Guidance(2.0))
    assert not torch.equal(guided, x)


def test_no_digits_are_noise_and_the_same_tiles_elsewhere():
    x = drawn(6, 1, 28, 28).clamp(-1, 1)
    spoilt = judges._no_digits(x, torch.Generator().manual_seed(0))
    assert spoilt.shape == x.shape
    for before, after in zip(x[3:], spoilt[3:], strict=True):
        assert not torch.equal(before, after)
        tiles = before[0].unfold(0, 7, 7).unfold(1, 7, 7).reshape(16, 49)
        moved = after[0].unfold(0, 7, 7).unfold(1, 7, 7).reshape(16, 49)
        torch.testing.assert_close(tiles.sum(1).sort().values, moved.sum(1).sort().values)


def test_what_bm3d_scored_is_measured_once(tmp_path):
    measured = []

    def measure(i):
        measured.append(i)
        return 30.0 + i

    kept = tmp_path / "cache" / "bm3d.json"
    assert evaluate.bm3d_values(kept, ["a", "b", "c"], {1: 40.0}, measure) == {0: 30.0, 1: 40.0, 2: 32.0}
    assert measured == [0, 2]
    assert evaluate.bm3d_values(kept, ["c", "a", "d"], {}, measure) == {0: 32.0, 1: 30.0, 2: 32.0}
    assert measured == [0, 2, 2]
    assert evaluate.bm3d_values(kept, ["x", "b", "y"], {0: 1.0}) == {0: 1.0, 1: 40.0}
    assert evaluate.bm3d_values(kept, ["x", "y"], {}) == {0: 1.0}
    evaluate.bm3d_values(kept, ["q", "p"], {}, measure)
    assert measured[-2:] == [1, 0]
