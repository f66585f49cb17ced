"""The way there: statistics of one real path against theory, with computed bounds.

n pixels are n independent paths. The product of two centred Gaussians with variances v, w and
covariance c has variance v*w + c^2, so a measured covariance has the standard error
sqrt((v*w + c^2)/n). Every bound is five of those: a right path stays inside but for one case in two
million, and the seeds are fixed.
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_processes import ALL

from diffusion import picture_rng
from diffusion.forward import forward
from diffusion.processes import Brownian, DDPMLinear, Process, StraightLine

SHAPE = (4, 3, 64, 64)
N = math.prod(SHAPE)


def picture(seed: int = 0, shape: tuple[int, ...] = SHAPE, dtype: torch.dtype = torch.float64):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype) * 2 - 1


def bound(v: float, w: float, c: float) -> float:
    return 5 * math.sqrt((v * w + c * c) / N)


@pytest.mark.parametrize("process", ALL, ids=str)
def test_variance_and_covariance_along_one_path(process: Process):
    """For s <= t: cov(x_s - alpha_s*x0, x_t - alpha_t*x0) = (alpha_t/alpha_s)*sigma_s^2.

    Brownian: sigma_q^2*min(s, t). The straight line is no chain: s*t.
    """
    x0 = picture()
    times = (0.0, 1e-6, 0.1, 0.35, 0.7, 1.0)
    path = list(forward(x0, process, rng=picture_rng(0), times=times))
    noise = [x - process.alpha(t) * x0 for x, t in zip(path, times, strict=True)]
    for i, s in enumerate(times):
        for j, t in enumerate(times[i:], start=i):
            v, w = process.sigma(s) ** 2, process.sigma(t) ** 2
            if isinstance(process, Brownian):
                cov = process.sigma_q**2 * min(s, t)
            elif isinstance(process, StraightLine):
                cov = s * t
            else:
                cov = process.alpha(t) / process.alpha(s) * v
            found = (noise[i] * noise[j]).mean().item()
            # x - alpha*x0 is a difference of numbers below 2: float64 leaves about 1e-15 of it.
            assert abs(found - cov) <= bound(v, w, cov) + 1e-14 * math.sqrt(w), (s, t)


@pytest.mark.parametrize("steps", [1, 10, 300])
def test_total_noise_does_not_depend_on_the_number_of_steps(steps: int):
    x0 = picture()
    *_, x_T = forward(x0, Brownian(3.0), steps, rng=picture_rng(1))
    found = (x_T - x0).square().mean().item()
    assert abs(found - 9) <= bound(9, 9, 9)


@pytest.mark.parametrize("process", [p for p in ALL if p.is_chain], ids=str)
def test_each_state_is_made_from_the_last(process: Process):
    """x_t - a*x_s has the step's variance and nothing to do with x_s: fresh noise a frame would have."""
    x0 = picture()
    path = list(forward(x0, process, 4, rng=picture_rng(2)))
    for k in range(4):
        a, v = process.step(k / 4, (k + 1) / 4)
        fresh = path[k + 1] - a * path[k]
        old = path[k] - path[k].mean()
        w = old.square().mean().item()
        assert abs(fresh.square().mean().item() - v) <= bound(v, v, v)
        assert abs((fresh * old).mean().item()) <= bound(v, w, 0)


def test_straight_line_has_one_eps_for_the_whole_path():
    x0 = picture()
    times = (0.0, 0.2, 0.5, 0.9, 1.0)
    path = list(forward(x0, StraightLine(), rng=picture_rng(0), times=times))
    eps = [(x - (1 - t) * x0) / t for x, t in zip(path[1:], times[1:], strict=True)]
    for other in eps[1:]:
        assert torch.allclose(eps[0], other, rtol=0, atol=1e-13)
    assert torch.equal(path[-1], eps[-1])


@pytest.mark.parametrize("process", ALL, ids=str)
def test_states_are_finite_at_the_ends(process: Process):
    path = list(forward(picture(dtype=torch.float32), process, rng=picture_rng(0), times=(0, 1e-6, 1)))
    assert len(path) == 3
    assert all(bool(torch.isfinite(x).all()) and x.dtype == torch.float32 for x in path)


def test_the_path_begins_with_the_picture_itself():
    x0 = picture(dtype=torch.float32)
    path = list(forward(x0, Brownian(3), 10, rng=picture_rng(0)))
    assert len(path) == 11
    assert torch.equal(path[0], x0)


@pytest.mark.parametrize("process", [Brownian(3), DDPMLinear(), StraightLine()], ids=str)
def test_same_seed_same_bits_whatever_the_count(process: Process):
    x0 = picture(shape=(5, 3, 8, 8), dtype=torch.float32)
    many = list(forward(x0, process, 5, rng=[picture_rng(7, i) for i in range(5)]))
    again = list(forward(x0, process, 5, rng=[picture_rng(7, i) for i in range(5)]))
    alone = list(forward(x0[3:4], process, 5, rng=picture_rng(7, 3)))
    for a, b, c in zip(many, again, alone, strict=True):
        assert torch.equal(a, b)
        assert torch.equal(a[3:4], c)


@pytest.mark.parametrize(("sigma_q", "figure"), [(1, 0.447), (3, 0.164), (10, 0.050)])
def test_correlation_of_the_end_with_the_picture(sigma_q: float, figure: float):
    """Data of spread 0.5; a measured correlation r has the standard error (1 - r^2)/sqrt(n)."""
    x0 = 0.5 * torch.randn(SHAPE, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    *_, x_T = forward(x0, Brownian(sigma_q), 10, rng=picture_rng(3))
    found = torch.corrcoef(torch.stack([x0.flatten(), x_T.flatten()]))[0, 1].item()
    assert abs(found - figure) <= 5 * (1 - figure**2) / math.sqrt(N) + 0.0005  # the figure's rounding


def test_noise_on_the_mean_brightness():
    """The mean of 3*16*16 pixels carries noise of spread sigma_q/(16*sqrt(3)); 2000 pictures."""
    x0 = picture(shape=(2000, 3, 16, 16))
    *_, x_T = forward(x0, Brownian(10), 1, rng=picture_rng(4))
    found = (x_T - x0).mean(dim=(1, 2, 3)).square().mean().item()
    wanted = 100 / (3 * 16 * 16)
    assert abs(found - wanted) <= 5 * wanted * math.sqrt(2 / 2000)


@given(times=st.lists(st.floats(1e-3, 1), min_size=1, max_size=6, unique=True).map(sorted))
def test_any_increasing_grid_will_do(times: list[float]):
    x0 = torch.zeros(1, 1, 1, 1)
    path = list(forward(x0, Brownian(2), rng=picture_rng(0), times=[0, *times]))
    rng = picture_rng(0)
    x, last = 0.0, 0.0
    for t, x_t in zip(times, path[1:], strict=True):
        x += 2 * math.sqrt(t - last) * torch.randn(1, 1, 1, 1, generator=rng).item()
        last = t
        assert x_t.item() == pytest.approx(x, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("times", [(), (0.1, 1), (0, 0.5, 0.5), (0, 0.7, 0.2), (0, 1.01)])
def test_other_grids_are_refused_at_once(times: tuple[float, ...]):
    with pytest.raises(ValueError, match="times must increase from 0"):
        forward(torch.zeros(1, 1, 2, 2), Brownian(3), rng=picture_rng(0), times=times)


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match="steps must be at least 1"):
        forward(torch.zeros(1, 1, 2, 2), Brownian(3), 0, rng=picture_rng(0))
