"""The contract D(x, sigma), at the ends of the trained range above all."""

import json
import math

import pytest
import torch
from exact import normal_data, pixels, small_network
from hypothesis import given
from hypothesis import strategies as st
from test_processes import ALL
from torch import Tensor

from diffusion.denoiser import Denoiser, NetworkDenoiser
from diffusion.guidance import Guidance
from diffusion.processes import Process


class Recorder(Denoiser):
    """Knows noise from 0.1 to 10, remembers what it was asked and answers with something else."""

    sigma_min, sigma_max = 0.1, 10.0

    def __init__(self) -> None:
        self.asked: list[tuple[Tensor, Tensor]] = []

    def _denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        self.asked.append((x, sigma))
        return x / 2 + sigma.view(-1, 1, 1, 1)


X = torch.randn(3, 1, 2, 2, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("alpha", "sigma", "scale", "level"),
    [
        (1.0, 2.0, 1.0, 2.0),  # known
        (0.5, 2.0, 2.0, 4.0),  # x_t/alpha has noise sigma/alpha
        (1.0, 10.0, 1.0, 10.0),  # the upper end itself is known
        (1.0, 40.0, 0.25, 10.0),  # above: sigma_max*x_t/sigma
        (0.5, 8.0, 1.25, 10.0),  # sigma is small enough, sigma/alpha is not
        (0.0, 1.0, 10.0, 10.0),  # the straight line's end
        (1.0, 0.1, 1.0, 0.1),
        (1.0, 0.03, 1.0, 0.1),  # below: D(x_t/alpha, sigma_min)
        (0.5, 0.03, 2.0, 0.1),
    ],
)
def test_what_the_network_is_asked(alpha: float, sigma: float, scale: float, level: float):
    net = Recorder()
    answer = net.estimate(X, alpha, sigma)
    ((x, asked),) = net.asked
    assert torch.allclose(x, X * scale, rtol=1e-6)
    assert torch.allclose(asked, torch.full((3,), level), rtol=1e-6)
    assert torch.allclose(answer, X * scale / 2 + level, rtol=1e-6)


@pytest.mark.parametrize("alpha", [1.0, 0.25])
def test_without_noise_nobody_is_asked(alpha: float):
    net = Recorder()
    assert torch.equal(net.estimate(X, alpha, 0.0), X / alpha)
    assert not net.asked


def test_each_picture_has_its_own_noise_level():
    net = Recorder()
    sigma = torch.tensor([0.0, 1.0, 50.0])
    found = net(X, sigma)
    assert torch.equal(found[0], X[0])
    for i in (1, 2):
        assert torch.equal(found[i : i + 1], Recorder()(X[i : i + 1], float(sigma[i])))


def test_a_level_may_be_a_number_a_scalar_or_one_a_picture():
    answers = [Recorder()(X, s) for s in (2.0, torch.tensor(2.0), torch.tensor([2.0]), torch.full((3,), 2.0))]
    assert all(torch.equal(answers[0], other) for other in answers[1:])


@pytest.mark.parametrize("sigma", [-0.1, math.inf, math.nan, torch.tensor([1.0, -1.0, 1.0])])
def test_impossible_levels_are_refused(sigma: float | Tensor):
    with pytest.raises(ValueError, match="sigma must be finite and at least 0"):
        Recorder()(X, sigma)


@pytest.mark.parametrize("shape", [(2,), (3, 1)])
def test_levels_that_do_not_fit_the_batch_are_refused(shape: tuple[int, ...]):
    with pytest.raises(ValueError, match="give one number or 3, one a picture"):
        Recorder()(X, torch.ones(shape))


@given(process=st.sampled_from(ALL), t=st.floats(1e-6, 1), x=st.floats(-3, 3), spread=st.floats(0.1, 1))
def test_one_denoiser_serves_every_process(process: Process, t: float, x: float, spread: float):
    """E[x0|x_t] of data N(0, s^2) is alpha*s^2*x_t/(alpha^2*s^2 + sigma^2), alpha = 0 included."""
    alpha, sigma = process.alpha(t), process.sigma(t)
    wanted = alpha * spread**2 * x / ((alpha * spread) ** 2 + sigma**2)
    found = normal_data(spread).estimate(pixels([x]), alpha, sigma).item()
    # Beyond sigma_max = 1e6 the oracle answers for 1e6: wrong by less than |x|*s^2/1e6.
    assert math.isclose(found, wanted, rel_tol=1e-9, abs_tol=3e-6)


def denoiser(labels: int = 0) -> NetworkDenoiser:
    return NetworkDenoiser(small_network(3, labels), "small", 16, 0.002, 80.0, tuple("ab"[:labels]))


def test_a_network_keeps_the_contract():
    net = denoiser()
    x = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    answer = net(x, 0.5)
    assert torch.allclose(answer, net.model(x, torch.full((2,), 0.5)), atol=1e-6)
    assert answer.shape == x.shape
    assert answer.is_contiguous()
    assert not answer.requires_grad
    assert (net.channels, net.evaluations_at(0.5)) == (3, 1)
    assert net.parameters == sum(p.numel() for p in net.model.parameters())


def test_a_picture_does_not_depend_on_its_batch():
    net = denoiser()
    x = torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    assert torch.allclose(net(x, 1.0)[1:2], net(x[1:2], 1.0), atol=1e-6)


def test_guidance_pushes_away_from_the_unlabelled_answer():
    net = denoiser(labels=2)
    x = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(3))
    sigma = torch.full((2,), 0.7)
    without, with_b = net.model(x, sigma), net.model(x, sigma, torch.tensor([1, 1]))
    assert not torch.allclose(without, with_b, atol=1e-3)

    asked = net.asked_for("b")
    assert asked.evaluations_at(0.7) == 1
    assert torch.allclose(asked(x, 0.7), with_b, atol=1e-6)
    guided = net.asked_for("b", guidance=3)
    assert guided.evaluations_at(0.7) == 2
    assert torch.allclose(guided(x, 0.7), without + 3 * (with_b - without), atol=1e-5)
    assert torch.allclose(net(x, 0.7), without, atol=1e-6)  # the original asks for no class


def test_guidance_pushes_only_within_its_range():
    net = denoiser(labels=2)
    x = torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(4))
    sigma = torch.tensor([0.1, 0.7, 9.0])
    guided = net.asked_for("a", guidance=Guidance(3.0, 0.2, 6.0))
    plain, everywhere = net.asked_for("a", guidance=1), net.asked_for("a", guidance=3)
    expected = plain(x, sigma)
    expected[1] = everywhere(x, sigma)[1]
    torch.testing.assert_close(guided(x, sigma), expected)
    assert torch.equal(guided(x[:1], 0.1), plain(x[:1], 0.1))
    levels = (0.001, 0.1, 0.2, 0.7, 6.0, 9.0, math.inf)
    assert [guided.evaluations_at(level) for level in levels] == [1, 1, 2, 2, 2, 1, 1]
    # another weight where the card advises
    assert guided.asked_for("b", guidance=2).guidance == Guidance(2.0)


@pytest.mark.parametrize(
    "guidance",
    [
        Guidance(), Guidance(2.5), Guidance(3.0, 0.2, 6.0), Guidance(2.0, 0.2), Guidance(2.0, high=6.0),
    ],
)  # fmt: skip
def test_a_card_keeps_guidance(guidance: Guidance):
    assert Guidance.read(json.loads(json.dumps(guidance.facts()))) == guidance


def test_a_card_may_say_a_weight_alone():
    assert Guidance.read(2) == Guidance(2.0)


@pytest.mark.parametrize(
    "said",
    [
        None,
        "much",
        math.nan,
        {},
        {"low": 0.2},
        {"weight": 2, "low": 3, "high": 1},
        {"weight": 2, "low": -1},
        {"wait": 1},
        {"weight": 1, "wait": 1},
        {"weight": math.inf},
        {"weight": None},
        [2],
        10**400,
    ],
)
def test_no_guidance_is_refused(said: object):
    with pytest.raises(ValueError, match="no guidance"):
        Guidance.read(said)


def test_unknown_classes_are_refused_by_name():
    with pytest.raises(ValueError, match="small does not know 'c'; it knows: a, b"):
        denoiser(labels=2).asked_for("c")
    with pytest.raises(ValueError, match="it has no labels"):
        denoiser().asked_for("a")
