"""Processes against closed forms, against Ho et al.'s discrete chain and against themselves."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffusion.processes import PROCESSES, Brownian, DDPMCosine, DDPMLinear, Process, StraightLine

ALL = [Brownian(0.1), Brownian(3.0), Brownian(80.0), DDPMLinear(), DDPMCosine(), StraightLine()]
processes = st.sampled_from(ALL)
# Ho et al.'s betas, 1e-4 to 0.02 in 1000 equal steps.
BETAS = [1e-4 + k * (0.02 - 1e-4) / 999 for k in range(1000)]


@pytest.mark.parametrize("process", ALL, ids=str)
@pytest.mark.parametrize("t", [0.0, 1e-6, 0.5, 1.0])
def test_curves_are_finite_at_the_ends(process: Process, t: float):
    assert 0 <= process.alpha(t) <= 1
    assert math.isfinite(process.sigma(t))
    assert process.sigma(t) >= 0


@pytest.mark.parametrize("process", ALL, ids=str)
def test_time_0_is_the_clean_picture(process: Process):
    assert process.alpha(0) == 1
    assert process.sigma(0) == 0
    assert process.ratio(0) == 0
    assert process.snr(0) == math.inf
    assert 0 < process.sigma(1e-6) < 0.1  # not lost to rounding


def test_names_are_keys():
    assert {name: kind.name for name, kind in PROCESSES.items()} == {name: name for name in PROCESSES}
    assert set(PROCESSES) == {"brownian", "ddpm_linear", "ddpm_cosine", "straight_line"}


@given(t=st.floats(0, 1), sigma_q=st.floats(0.1, 80))
def test_brownian_spread_grows_with_the_root_of_time(t: float, sigma_q: float):
    process = Brownian(sigma_q)
    assert process.alpha(t) == 1
    assert math.isclose(process.sigma(t), sigma_q * math.sqrt(t), rel_tol=1e-12)


@pytest.mark.parametrize("sigma_q", [0.0, -1.0, math.inf, math.nan])
def test_brownian_refuses_a_spread_that_is_none(sigma_q: float):
    with pytest.raises(ValueError, match="sigma_q must be a finite number above 0"):
        Brownian(sigma_q)


@pytest.mark.parametrize("process", [DDPMLinear(), DDPMCosine()], ids=str)
@given(t=st.floats(0, 1))
def test_variance_preserving_processes_preserve_variance(process: Process, t: float):
    assert math.isclose(process.alpha(t) ** 2 + process.sigma(t) ** 2, 1, rel_tol=1e-12)


def test_straight_line_is_straight():
    process = StraightLine()
    assert (process.alpha(0.25), process.sigma(0.25)) == (0.75, 0.25)
    assert (process.alpha(1.0), process.sigma(1.0)) == (0, 1)
    assert process.ratio(1.0) == math.inf
    assert not process.is_chain


def test_ddpm_linear_ends_where_it_should():
    assert f"{DDPMLinear().alpha(1.0) ** 2:.2e}" == "4.32e-05"
    assert f"{math.prod(1 - beta for beta in BETAS):.2e}" == "4.04e-05"


def test_ddpm_linear_follows_the_product_of_1000_steps():
    """The curve is exp(-integral of beta); the chain is a product of 1 - beta.

    ln(1 - b) differs from -b by less than b^2/2/(1 - b), and the sum of the first k betas from the
    integral by 9.96e-9*k*(1000 - k), at most 0.0025. Both together bound the gap.
    """
    process = DDPMLinear()
    chain = squares = 0.0
    for k, beta in enumerate(BETAS, start=1):
        chain += math.log(1 - beta)
        squares += beta**2 / 2 / (1 - beta)
        assert abs(process.log_alpha_bar(k / 1000) - chain) <= squares + 0.0025


@given(t=st.floats(0, 0.999))
def test_ddpm_cosine_is_nichol_and_dhariwals(t: float):
    def f(t: float) -> float:
        return math.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2

    assert math.isclose(DDPMCosine().alpha(t) ** 2, f(t) / f(0), rel_tol=1e-9)


def test_ddpm_cosine_is_floored():
    assert math.isclose(DDPMCosine().alpha(1.0) ** 2, 2.4e-9, rel_tol=1e-12)


@pytest.mark.parametrize("process", ALL, ids=str)
@given(t=st.floats(1e-6, 0.9999))
def test_time_of_is_the_inverse_of_ratio(process: Process, t: float):
    assert math.isclose(process.time_of(process.ratio(t)), t, rel_tol=1e-7)


@pytest.mark.parametrize("process", ALL, ids=str)
def test_time_of_what_never_comes_is_the_end(process: Process):
    assert process.time_of(0) == pytest.approx(0, abs=1e-12)
    assert process.time_of(math.inf) == 1
    assert process.time_of(1e200) == pytest.approx(1, rel=1e-12)


@given(process=processes, times=st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted))
def test_a_step_leads_from_marginal_to_marginal(process: Process, times: list[float]):
    s, t = times
    if s == 1:
        return  # nothing comes after the end
    a, v = process.step(s, t)
    assert v >= 0
    assert math.isclose(a * process.alpha(s), process.alpha(t), rel_tol=1e-12, abs_tol=1e-15)
    variance = (a * process.sigma(s)) ** 2 + v
    assert math.isclose(variance, process.sigma(t) ** 2, rel_tol=1e-12, abs_tol=1e-12)


@pytest.mark.parametrize("steps", [1, 10, 1000])
def test_all_brownian_increments_together_hold_sigma_q_squared(steps: int):
    process = Brownian(7.0)
    total = sum(process.step(k / steps, (k + 1) / steps)[1] for k in range(steps))
    assert math.isclose(total, 49, rel_tol=1e-12)


@pytest.mark.parametrize(("sigma_q", "figure"), [(1, "0.447"), (3, "0.164"), (10, "0.050")])
def test_correlation_of_the_end_with_the_picture(sigma_q: float, figure: str):
    """For data of spread 0.5: cov = 0.25 and the end's variance is 0.25 + sigma_q^2."""
    end = Brownian(sigma_q).sigma(1.0)
    assert f"{0.5 / math.hypot(0.5, end):.3f}" == figure


@pytest.mark.parametrize(("sigma_q", "figure"), [(3, "0.99"), (10, "0.90"), (80, "0.26")])
def test_correlation_of_the_mean_brightness(sigma_q: float, figure: str):
    """Means of 64x64 RGB noise have spread sigma_q/(64*sqrt(3)), means of dogs about 0.19 (0.1905)."""
    end = Brownian(sigma_q).sigma(1.0) / (64 * math.sqrt(3))
    assert f"{0.1905 / math.hypot(0.1905, end):.2f}" == figure
