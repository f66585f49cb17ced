"""Closed forms against numerical integration and brute force."""

import math

import pytest
import torch
from exact import F64, mixture, normal_data, pixels
from hypothesis import given
from hypothesis import strategies as st

from diffusion.oracles import FiniteData, GaussianMixture

MIXTURE = ([-0.6, 0.1, 0.8], [0.1, 0.3, 0.05], [0.5, 0.3, 0.2])
SIGMAS = [0.002, 0.05, 0.4, 1.0, 5.0, 80.0]


def by_integration(x: float, sigma: float) -> float:
    """E[x0 | x] = integral of x0*p(x0)*N(x; x0, sigma^2) over the same without x0, on a fine grid."""
    means, spreads, weights = (torch.tensor(p, dtype=F64) for p in MIXTURE)
    # Where the integrand lives: around the data, or, with little noise, around x.
    centre, reach = (x, 12 * sigma) if sigma < 0.05 else (0.0, 4.0)
    x0 = torch.linspace(centre - reach, centre + reach, 200_001, dtype=F64)
    modes = -((x0[:, None] - means) ** 2) / (2 * spreads**2) - spreads.log() + weights.log()
    log_p = torch.logsumexp(modes, dim=1) - (x - x0) ** 2 / (2 * sigma**2)
    share = torch.softmax(log_p, dim=0)
    return float((share * x0).sum())


@pytest.mark.parametrize("sigma", SIGMAS)
def test_mixture_is_the_posterior_mean(sigma: float):
    points = [-1.5, -0.6, -0.2, 0.3, 0.81, 2.0]
    found = mixture(*MIXTURE)(pixels(points), sigma).flatten().tolist()
    assert found == pytest.approx([by_integration(x, sigma) for x in points], rel=1e-6, abs=1e-9)


def test_mixture_without_noise_keeps_the_picture_and_in_much_noise_knows_only_the_mean():
    net, x = mixture(*MIXTURE), pixels([-2.0, 0.0, 0.7])
    assert torch.equal(net(x, 0.0), x)
    assert torch.allclose(net(x, 1e-6), x, rtol=0, atol=1e-8)
    mean = -0.6 * 0.5 + 0.1 * 0.3 + 0.8 * 0.2
    # The answer leans towards x by (variance of the data)/sigma^2, and |x| <= 2.
    assert torch.allclose(net(x, 1e4), torch.full_like(x, mean), rtol=0, atol=1e-7)


@given(x=st.floats(-5, 5), sigma=st.floats(0.01, 80), spread=st.floats(0.01, 2), mean=st.floats(-1, 1))
def test_one_mode_is_linear(x: float, sigma: float, spread: float, mean: float):
    wanted = mean + spread**2 / (spread**2 + sigma**2) * (x - mean)
    found = normal_data(spread, mean)(pixels([x]), sigma).item()
    assert math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-12)


def test_pixels_and_pictures_are_independent():
    net = mixture(*MIXTURE)
    x = torch.randn(3, 2, 4, 5, generator=torch.Generator().manual_seed(0), dtype=F64)
    sigma = torch.tensor([0.05, 0.5, 5.0], dtype=F64)
    whole = net(x, sigma)
    for i in range(3):
        alone = net(x[i].reshape(-1, 1, 1, 1), float(sigma[i]))
        assert torch.equal(whole[i].flatten(), alone.flatten())


def test_answers_have_the_type_of_the_question():
    x = torch.zeros(2, 1, 2, 2, dtype=torch.float32)
    assert mixture(*MIXTURE)(x, 0.5).dtype == torch.float32
    assert FiniteData(torch.zeros(3, 1, 2, 2, dtype=F64))(x, 0.5).dtype == torch.float32


def pictures(count: int) -> torch.Tensor:
    return torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(5)) * 2 - 1


def by_brute_force(x: torch.Tensor, members: torch.Tensor, sigma: float) -> torch.Tensor:
    answers = []
    for one in x.double():
        log_weights = [-float((one - m).square().sum()) / (2 * sigma**2) for m in members.double()]
        top = max(log_weights)
        weights = [math.exp(w - top) for w in log_weights]
        answer = torch.zeros_like(one)
        for w, m in zip(weights, members.double(), strict=True):
            answer += w / sum(weights) * m
        answers.append(answer)
    return torch.stack(answers)


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("between", [0.0, 0.5, 0.501])
def test_finite_data_is_a_softmax_of_distances(sigma: float, between: float):
    """Also for a question (nearly) half-way between two members, where rounding would show most."""
    members = pictures(6)
    rng = torch.Generator().manual_seed(6)
    x = torch.lerp(members[:4], members[1:5], between)
    x = x if between else x + sigma * torch.randn(x.shape, generator=rng)
    found = FiniteData(members)(x, sigma)
    # float32 answers of size 1: a few units in the last place.
    assert (found - by_brute_force(x, members, sigma)).abs().max() < 5e-7


@pytest.mark.parametrize("sigma", [1e-6, *SIGMAS, 1e6])
def test_one_picture_is_known_at_every_sigma(sigma: float):
    """E[x0|x_t] of a data set of one picture is that picture, exactly."""
    only = pictures(1)
    x = 10 * torch.randn(5, 3, 8, 8, generator=torch.Generator().manual_seed(7))
    assert torch.equal(FiniteData(only)(x, sigma), only.expand(5, -1, -1, -1))


def test_finite_data_is_a_mixture_without_spread():
    values, x = [-0.7, 0.1, 0.5], pixels([-1.0, -0.2, 0.3, 0.9])
    modes = torch.tensor(values, dtype=F64)
    net = GaussianMixture(modes, torch.zeros(3, dtype=F64), torch.ones(3, dtype=F64))
    finite = FiniteData(pixels(values))
    for sigma in SIGMAS:
        assert torch.allclose(net(x, sigma), finite(x, sigma), rtol=1e-9, atol=1e-12)
