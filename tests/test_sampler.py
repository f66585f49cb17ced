"""The way back against exact recursions, closed forms and, last, sampling with computed bounds."""

import math
from itertools import pairwise

import pytest
import torch
from exact import F64, end_spread, mixture, normal_data, pixels, quantiles
from hypothesis import given
from hypothesis import strategies as st
from test_processes import ALL
from torch import Tensor

import diffusion
from diffusion import picture_rng, sampler
from diffusion.denoiser import Denoiser
from diffusion.grids import times_back, times_of_inversion
from diffusion.oracles import FiniteData
from diffusion.processes import Brownian, DDPMCosine, DDPMLinear, Process, StraightLine
from diffusion.sampler import DETERMINISTIC, SAMPLERS, invert, reverse

STOCHASTIC = [name for name in SAMPLERS if name not in DETERMINISTIC]
WIDE = [Brownian(80.0), DDPMLinear(), DDPMCosine(), StraightLine()]  # these end in nothing but noise
NET = mixture([-0.7, 0.0, 0.6], [0.3, 0.05, 0.3], [0.3, 0.4, 0.3])  # the spread of its data is 0.557


def noisy(shape: tuple[int, ...] = (2, 3, 4, 4), dtype: torch.dtype = F64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


# ---- the figures --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("s", "steps", "figures"),
    [
        (0.0, 10, {"algorithm1": 0.316, "algorithm1_clean_end": 0, "posterior": 0, "ddim": 0}),
        (0.5, 10, {"algorithm1": 0.543, "algorithm1_clean_end": 0.441, "posterior": 0.381, "ddim": 0.369}),
        (0.5, 1000, {"algorithm1": 0.490, "algorithm1_clean_end": 0.489, "posterior": 0.485, "ddim": 0.445}),
    ],
)
def test_end_spread_with_sigma_q_1(s: float, steps: int, figures: dict[str, float]):
    """Data N(0, s^2), the exact denoiser, uniform t, started from N(0, 1)."""
    process = Brownian(1.0)
    times = times_back(process, steps)
    found = {name: round(end_spread(normal_data(s), process, name, times), 3) for name in figures}
    assert found == pytest.approx(figures, abs=1e-9)


@pytest.mark.parametrize(
    ("sigma_q", "steps", "name", "figure"),
    [
        (20, 10, "ddim", 0.039),
        (20, 1000, "ddim", 0.304),
        (80, 10, "ddim", 0.010),
        (80, 1000, "ddim", 0.097),
        (80, 1000, "algorithm1", 2.53),
    ],
)
def test_uniform_steps_do_not_rescue_a_large_sigma_q(sigma_q: float, steps: int, name: str, figure: float):
    process = Brownian(sigma_q)
    found = end_spread(normal_data(0.5), process, name, times_back(process, steps))
    assert round(found, 2 if figure > 1 else 3) == figure


@pytest.mark.parametrize(
    ("steps", "figures"),
    [
        (10, {"ddim": 0.365, "dpmpp_2m": 0.579, "heun": 0.610}),
        (50, {"ddim": 0.472, "dpmpp_2m": 0.503, "heun": 0.503}),
    ],
)
def test_the_rho7_grid_does(steps: int, figures: dict[str, float]):
    process = Brownian(80.0)
    times = times_back(process, steps, "rho7")
    found = {name: round(end_spread(normal_data(0.5), process, name, times), 3) for name in figures}
    assert found == pytest.approx(figures, abs=1e-9)


@pytest.mark.parametrize(("name", "evaluations"), [("ddim", 10), ("dpmpp_2m", 10), ("heun", 19)])
def test_evaluations_are_counted(name: str, evaluations: int):
    class Counted(Denoiser):
        calls = 0

        def _denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
            self.calls += 1
            return x / (1 + sigma.view(-1, 1, 1, 1) ** 2)

    net = Counted()
    steps = list(reverse(net, 80 * noisy(), Brownian(80.0), 10, sampler=name, grid="rho7"))
    assert net.calls == evaluations == sum(step.evaluations for step in steps)


@pytest.mark.parametrize(("s", "steps"), [(0.1, 1), (0.1, 10), (0.5, 10), (0.5, 1000), (3.0, 10)])
def test_with_the_true_variance_the_end_is_exact(s: float, steps: int):
    """Mean (24) with variance sigma_q^2*dt*(s^2 + sigma_{t-dt}^2)/(s^2 + sigma_t^2) ends at spread s."""
    process, net = Brownian(2.0), normal_data(s)
    variance = s**2 + 4
    for t, t_next in pairwise(times_back(process, steps)):
        (step,) = reverse(
            net, pixels([1.0]), process, sampler="posterior", times=(t, t_next), rng=picture_rng(0)
        )
        mean = (step.x_t - step.removed).item()
        below, here = (s**2 + process.sigma(u) ** 2 for u in (t_next, t))
        variance = mean**2 * variance + 4 * (t - t_next) * below / here
    assert math.sqrt(variance) == pytest.approx(s, rel=1e-9)


# ---- one step -----------------------------------------------------------------------------------


def one_step(name: str, process: Process, t: float, s: float, net: Denoiser = NET):
    (step,) = reverse(net, noisy(), process, sampler=name, times=(t, s), rng=picture_rng(1))
    return step


steps_of_time = st.tuples(st.floats(0.001, 1), st.floats(0, 1)).filter(lambda p: p[1] < 0.999 * p[0])


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("process", ALL, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_step_identity(name: str, process: Process, dtype: torch.dtype):
    """x_s = (x_t - f_theta) + eta to the last bit, each step from the last, every number finite."""
    x_T = process.sigma(1.0) * noisy(dtype=dtype)
    times = (1.0, 0.6, 0.1, 1e-6, 0.0)
    steps = list(reverse(NET, x_T, process, sampler=name, times=times, rng=picture_rng(0)))
    assert [(step.index, step.t, step.s) for step in steps] == [
        (k, t, s) for k, (t, s) in enumerate(pairwise(times))
    ]
    assert torch.equal(steps[0].x_t, x_T)
    for step, following in pairwise(steps):
        assert torch.equal(step.x_s, following.x_t)
    for step in steps:
        assert torch.equal(step.x_s, (step.x_t - step.removed) + step.noise)
        parts = (step.x_t, step.x0_hat, step.eps_hat, step.removed, step.noise, step.x_s)
        assert all(bool(torch.isfinite(part).all()) and part.dtype == dtype for part in parts)


@given(process=st.sampled_from(ALL), times=steps_of_time, name=st.sampled_from(list(SAMPLERS)))
def test_x0_hat_and_eps_hat_make_up_the_state(process: Process, times: tuple[float, float], name: str):
    step = one_step(name, process, *times)
    alpha, sigma = process.alpha(step.t), process.sigma(step.t)
    assert torch.equal(step.x0_hat, NET.estimate(step.x_t, alpha, sigma))
    assert torch.allclose(alpha * step.x0_hat + sigma * step.eps_hat, step.x_t, rtol=1e-12, atol=1e-12)


@given(times=steps_of_time, sigma_q=st.floats(0.1, 80), name=st.sampled_from(STOCHASTIC))
def test_brownian_mean_is_equation_24(times: tuple[float, float], sigma_q: float, name: str):
    """f_theta = (dt/t)*(x_t - x0_hat)."""
    step = one_step(name, Brownian(sigma_q), *times)
    wanted = (step.t - step.s) / step.t * (step.x_t - step.x0_hat)
    assert torch.allclose(step.removed, wanted, rtol=1e-9, atol=1e-9)


@given(process=st.sampled_from(ALL), times=steps_of_time)
def test_posterior_is_bayes_rule(process: Process, times: tuple[float, float]):
    """p(x_s | x_t, x0) by completing the square, from p(x_s | x0) and p(x_t | x_s)."""
    step = one_step("posterior", process, *times)
    alpha_s, var_s = process.alpha(step.s), process.sigma(step.s) ** 2
    a, v = process.step(step.s, step.t)
    whole = v + a * a * var_s
    mean = (v * alpha_s * step.x0_hat + a * var_s * step.x_t) / whole
    assert torch.allclose(step.x_t - step.removed, mean, rtol=1e-8, atol=1e-8)
    z = torch.randn(step.x_t.shape, generator=picture_rng(1), dtype=F64)
    assert torch.allclose(step.noise, math.sqrt(v * var_s / whole) * z, rtol=1e-9, atol=1e-12)


@given(process=st.sampled_from(ALL), times=steps_of_time)
def test_algorithm1_has_the_posteriors_mean_and_the_forward_steps_noise(
    process: Process, times: tuple[float, float]
):
    t, s = times
    literal, posterior = one_step("algorithm1", process, t, s), one_step("posterior", process, t, s)
    assert torch.equal(literal.removed, posterior.removed)
    z = torch.randn(literal.x_t.shape, generator=picture_rng(1), dtype=F64)
    assert torch.allclose(literal.noise, math.sqrt(process.step(s, t)[1]) * z, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("process", ALL, ids=str)
def test_the_clean_end_differs_in_the_last_step_alone(process: Process):
    def walk(name: str):
        return list(reverse(NET, noisy(), process, 4, sampler=name, rng=picture_rng(0)))

    literal, clean, posterior = (walk(n) for n in ("algorithm1", "algorithm1_clean_end", "posterior"))
    for a, b in zip(literal[:-1], clean[:-1], strict=True):
        assert torch.equal(a.x_s, b.x_s)
    assert torch.equal(literal[-1].removed, clean[-1].removed)
    assert literal[-1].noise.abs().max() > 0
    assert not clean[-1].noise.any()
    assert not posterior[-1].noise.any()


@given(process=st.sampled_from(ALL), times=steps_of_time)
def test_ddim_keeps_the_noise_direction(process: Process, times: tuple[float, float]):
    step = one_step("ddim", process, *times)
    kept = process.alpha(step.s) * step.x0_hat + process.sigma(step.s) * step.eps_hat
    assert torch.allclose(step.x_s, kept, rtol=1e-9, atol=1e-9)
    if isinstance(process, Brownian):
        share = math.sqrt(step.s / step.t)  # sigma_s/sigma_t
        wanted = step.x0_hat + share * (step.x_t - step.x0_hat)
        assert torch.allclose(step.x_s, wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("process", WIDE, ids=str)
def test_the_last_look_of_a_one_picture_oracle_is_the_picture(name: str, process: Process):
    x0 = torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(1), dtype=F64) * 2 - 1
    x_T = process.sigma(1.0) * noisy((1, 3, 4, 4))
    *_, last = reverse(FiniteData(x0), x_T, process, 10, sampler=name, grid="rho7", rng=picture_rng(0))
    assert torch.equal(last.x0_hat, x0)
    assert torch.allclose(last.x_s - last.noise, x0, rtol=0, atol=1e-12)


# ---- order --------------------------------------------------------------------------------------


def transported(process: Process, name: str, steps: int, count: int = 500) -> Tensor:
    """Where the sampler takes quantiles of the noisy mixture, less where they belong."""
    shares = (torch.arange(count, dtype=F64) + 0.5) / count
    if process.alpha(1.0):
        x_T = process.alpha(1.0) * quantiles(NET, shares, process.ratio(1.0))
    else:
        x_T = torch.special.ndtri(shares)
    *_, last = reverse(NET, pixels(x_T), process, steps, sampler=name, grid="rho7")
    return last.x_s.flatten() - quantiles(NET, shares, 0.0)


@pytest.mark.parametrize(("name", "order"), [("ddim", 1), ("dpmpp_2m", 2), ("heun", 2)])
@pytest.mark.parametrize("process", WIDE, ids=str)
def test_error_on_a_mixture_shrinks_by_the_methods_order(name: str, order: int, process: Process):
    """Twice the steps, an error of 2^-order: measured as a slope over two doublings, within 0.3."""
    errors = [transported(process, name, steps).square().mean().sqrt().item() for steps in (20, 40, 80)]
    assert math.log2(errors[0] / errors[2]) / 2 == pytest.approx(order, abs=0.3)
    assert errors[2] < 0.02  # a thirtieth of the data's spread


@pytest.mark.parametrize("name", STOCHASTIC)
@pytest.mark.parametrize("process", WIDE, ids=str)
def test_error_of_the_noisy_samplers_is_of_first_order(name: str, process: Process):
    """The exact end spread for data N(0, 0.5^2): the error halves as the steps double."""
    errors = [
        abs(end_spread(normal_data(0.5), process, name, times_back(process, n, "rho7")) - 0.5)
        for n in (40, 80, 160)
    ]
    assert math.log2(errors[0] / errors[2]) / 2 == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("process", WIDE, ids=str)
def test_samplers_land_on_the_mixture(name: str, process: Process):
    """Mean, variance and mode weights of n = 4000 ends, started from pure noise.

    The bound is five standard errors of each figure for n draws of the mixture, plus what halving the
    number of steps changes, which is at least the discretisation error that is left, plus |mean|/50
    for having started from N(0, sigma^2) instead of the noisy mixture (of spread 80 or more).
    """
    n = 4000
    net = mixture([-0.6, 0.5], [0.1, 0.2], [0.3, 0.7])
    start = process.sigma(1.0) * noisy((n, 1, 1, 1))
    means, spreads, weights = net.means, net.spreads, net.weights
    mean = float((weights * means).sum())
    variance = float((weights * (means**2 + spreads**2)).sum()) - mean**2
    fourth = float(
        (weights * ((means - mean) ** 4 + 6 * (means - mean) ** 2 * spreads**2 + 3 * spreads**4)).sum()
    )
    weight = float((weights * torch.special.ndtr((-0.2 - means) / spreads)).sum())

    def figures(steps: int) -> list[float]:
        *_, last = reverse(net, start, process, steps, sampler=name, grid="rho7", rng=picture_rng(5))
        x = last.x_s
        return [x.mean().item(), x.var().item(), (x < -0.2).to(F64).mean().item()]

    errors = [
        math.sqrt(variance / n),
        math.sqrt((fourth - variance**2) / n),
        math.sqrt(weight * (1 - weight) / n),
    ]
    halved, found = figures(20), figures(40)
    for wanted, value, rougher, error in zip([mean, variance, weight], found, halved, errors, strict=True):
        assert abs(value - wanted) <= 5 * error + abs(value - rougher) + abs(mean) / 50
        assert abs(value - wanted) <= 0.1  # and whatever the bound, near


# ---- how it is called ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLERS)
def test_same_seed_same_bits_whatever_the_count(name: str):
    x_T = 3 * noisy((4, 3, 4, 4), torch.float32)

    def walk(x: Tensor, indices: list[int]):
        rng = [picture_rng(9, i) for i in indices]
        return [step.x_s for step in reverse(NET, x, Brownian(3.0), 5, sampler=name, rng=rng)]

    everything, again, alone = walk(x_T, [0, 1, 2, 3]), walk(x_T, [0, 1, 2, 3]), walk(x_T[2:3], [2])
    for a, b, c in zip(everything, again, alone, strict=True):
        assert torch.equal(a, b)
        assert torch.equal(a[2:3], c)


def test_steps_are_computed_when_asked_for():
    class Counted(Denoiser):
        calls = 0

        def _denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
            self.calls += 1
            return x

    net = Counted()
    walk = reverse(net, noisy(), Brownian(3.0), 1000, sampler="ddim")
    assert net.calls == 0
    next(walk)
    assert net.calls == 1


@pytest.mark.parametrize("name", SAMPLERS)
def test_times_may_start_and_end_anywhere(name: str):
    times = (0.5, 0.4, 0.15)
    steps = list(reverse(NET, noisy(), Brownian(3.0), sampler=name, times=times, rng=picture_rng(0)))
    assert [(step.t, step.s) for step in steps] == [(0.5, 0.4), (0.4, 0.15)]


@pytest.mark.parametrize("name", DETERMINISTIC)
def test_deterministic_samplers_need_no_generator_and_add_nothing(name: str):
    steps = list(reverse(NET, noisy(), Brownian(3.0), 4, sampler=name))
    assert all(not step.noise.any() for step in steps)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sampler": "euler"}, "unknown sampler 'euler'; there are: algorithm1"),
        ({"sampler": "posterior"}, "posterior adds fresh noise; give rng"),
        ({"sampler": "ddim", "times": (1.0,)}, "at least two of them"),
        ({"sampler": "ddim", "times": (0.5, 0.5)}, "times must decrease"),
        ({"sampler": "ddim", "times": (0.2, 0.5)}, "times must decrease"),
        ({"sampler": "ddim", "times": (1.2, 0.5)}, "within \\[0, 1\\]"),
        ({"sampler": "ddim", "times": (0.5, -0.1)}, "within \\[0, 1\\]"),
        ({"sampler": "ddim", "steps": 0}, "steps must be at least 1"),
    ],
)
def test_bad_questions_are_refused_at_once(options: dict, message: str):
    with pytest.raises(ValueError, match=message):
        reverse(NET, noisy(), Brownian(3.0), **options)


def test_heun_is_ddim_beyond_what_the_network_knows():
    class Narrow(Denoiser):
        sigma_min, sigma_max = 0.002, 5.0

        def _denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
            return NET(x, sigma)

    process = Brownian(10.0)
    times = (1.0, 0.5, 0.2, 0.05, 0.0)  # sigma 10, 7.1, 4.5, 2.2, 0
    heun = list(reverse(Narrow(), 10 * noisy(), process, sampler="heun", times=times))
    ddim = list(reverse(Narrow(), 10 * noisy(), process, sampler="ddim", times=times))
    assert [step.evaluations for step in heun] == [1, 1, 2, 1]
    assert torch.equal(heun[1].x_s, ddim[1].x_s)
    assert not torch.allclose(heun[2].x_s, ddim[2].x_s, atol=1e-3)


# ---- inversion ----------------------------------------------------------------------------------


def round_trip(process: Process, steps: int, name: str, x0: Tensor) -> float:
    """Root mean square of what does not come back."""
    x_T = invert(NET, x0, process, steps, sampler=name)
    times = sampler.times_of_inversion(process, steps)[::-1]
    *_, last = reverse(NET, x_T, process, sampler=name, times=times)
    return (last.x_s / process.alpha(times[-1]) - x0).square().mean().sqrt().item()


X0 = pixels(quantiles(NET, (torch.arange(500, dtype=F64) + 0.5) / 500, 0.0))


@pytest.mark.parametrize(
    ("name", "steps", "figure"), [("ddim", 10, 0.24), ("ddim", 100, 0.026), ("heun", 25, 0.0024)]
)
def test_inversion_error_on_a_mixture(name: str, steps: int, figure: float):
    assert round(X0.square().mean().sqrt().item(), 3) == pytest.approx(0.557, abs=0.0011)
    found = round_trip(Brownian(80.0), steps, name, X0)
    assert float(f"{found:.2g}") == figure


def test_inversion_with_uniform_time_fails(monkeypatch: pytest.MonkeyPatch):
    def uniform(process: Process, steps: int) -> tuple[float, ...]:
        low = process.time_of(0.02)
        return tuple(low + k / steps * (1 - low) for k in range(steps + 1))

    monkeypatch.setattr(sampler, "times_of_inversion", uniform)
    assert round(round_trip(Brownian(80.0), 1000, "ddim", X0), 2) == 0.52


@pytest.mark.parametrize(("name", "order"), [("ddim", 1), ("dpmpp_2m", 2), ("heun", 2)])
@pytest.mark.parametrize("process", [Brownian(3.0), *WIDE], ids=str)
def test_inversion_improves_with_steps(name: str, order: int, process: Process):
    """At least by the method's order: going up and down, errors cancel in part."""
    few, many = (round_trip(process, steps, name, X0) for steps in (40, 80))
    assert math.log2(few / many) > order - 0.3
    assert many < 0.05


@pytest.mark.parametrize("process", [Brownian(3.0), *WIDE], ids=str)
def test_inversion_returns_even_what_the_model_does_not_know(process: Process):
    alien = pixels([-0.95, -0.4, 0.33, 0.9])
    assert round_trip(process, 100, "heun", alien) < 0.01


@pytest.mark.parametrize("process", [Brownian(3.0), *WIDE], ids=str)
def test_inversion_arrives_where_the_forward_process_ends(process: Process):
    """Quantiles of the data come out as quantiles of x_1: both maps are the same.

    2e-3 of x_1's spread: Heun's error at 200 steps and the little noise it begins with.
    """
    shares = (torch.arange(500, dtype=F64) + 0.5) / 500
    start = quantiles(NET, shares, 0.02)
    x_T = invert(NET, pixels(start), process, 200).flatten()
    if process.alpha(1.0):
        wanted = process.alpha(1.0) * quantiles(NET, shares, process.ratio(1.0))
    else:
        wanted = torch.special.ndtri(shares)
    assert (x_T - wanted).square().mean().sqrt() < 2e-3 * wanted.std()


def test_inversion_is_a_walk_upwards():
    steps = list(diffusion.inversion(NET, noisy(), Brownian(3.0), 6))
    assert [(step.t, step.s) for step in steps] == list(pairwise(times_of_inversion(Brownian(3.0), 6)))
    assert torch.equal(steps[-1].x_s, invert(NET, noisy(), Brownian(3.0), 6))
    for step in steps:
        assert torch.equal(step.x_s, (step.x_t - step.removed) + step.noise)


@pytest.mark.parametrize("name", [*STOCHASTIC, "euler"])
def test_only_deterministic_samplers_run_upwards(name: str):
    with pytest.raises(ValueError, match="cannot be run upwards; use one of ddim"):
        invert(NET, noisy(), Brownian(3.0), sampler=name)


def test_an_inversion_without_steps_is_refused():
    with pytest.raises(ValueError, match="steps must be at least 1"):
        diffusion.inversion(NET, noisy(), Brownian(3.0), 0)
