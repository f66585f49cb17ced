"""The network's preconditioning against EDM's formulas, and what its shape promises."""

import math

import pytest
import torch
import torch.nn.functional as F
from exact import small_network
from hypothesis import given
from hypothesis import strategies as st

from diffusion.network import Preconditioned, UNetConfig
from diffusion.recipes import RECIPES


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@given(sigma=st.floats(0.002, 80), s=st.floats(0.1, 2))
def test_preconditioning_is_edms(sigma: float, s: float):
    """Table 1, and what it is for: unit variance of input and target, for data of spread s."""
    model = Preconditioned(UNetConfig(widths=(8,), blocks=1), s)
    level = torch.tensor([sigma], dtype=torch.float64)
    c_skip, c_out, c_in, c_noise = (float(c) for c in model.coefficients(level))
    assert math.isclose(c_skip, s**2 / (sigma**2 + s**2), rel_tol=1e-12)
    assert math.isclose(c_out, sigma * s / math.sqrt(sigma**2 + s**2), rel_tol=1e-12)
    assert math.isclose(c_in, 1 / math.sqrt(sigma**2 + s**2), rel_tol=1e-12)
    assert math.isclose(c_noise, math.log(sigma) / 4, rel_tol=1e-12, abs_tol=1e-15)
    assert math.isclose(c_in**2 * (s**2 + sigma**2), 1, rel_tol=1e-9)
    # target = (x0 - c_skip*(x0 + sigma*eps))/c_out
    assert math.isclose(((1 - c_skip) ** 2 * s**2 + (c_skip * sigma) ** 2) / c_out**2, 1, rel_tol=1e-9)


def test_denoiser_is_skip_plus_network():
    model, x, sigma = small_network(), noise(3, 3, 16, 16), torch.tensor([0.01, 0.5, 40.0])
    c_skip, c_out, c_in, c_noise = (c.view(-1, 1, 1, 1) for c in model.coefficients(sigma))
    wanted = c_skip * x + c_out * model.net(c_in * x, c_noise.flatten())
    assert torch.allclose(model(x, sigma), wanted, rtol=1e-5, atol=1e-6)
    assert not torch.allclose(model(x, sigma), c_skip * x, atol=1e-3)


def test_loss_is_the_weighted_error_of_the_denoiser():
    """EDM (2): (sigma^2 + s^2)/(sigma*s)^2 times the squared error of D."""
    model, x0, eps = small_network(labels=3), noise(4, 3, 16, 16), noise(4, 3, 16, 16, seed=1)
    sigma, label = torch.tensor([0.02, 0.3, 2.0, 30.0]), torch.tensor([0, 1, 2, 3])
    answer = model(x0 + sigma.view(-1, 1, 1, 1) * eps, sigma, label)
    weight = (sigma**2 + 0.25) / (sigma * 0.5) ** 2
    wanted = weight * (answer - x0).square().mean(dim=(1, 2, 3))
    # At sigma 0.02 the error of D is 0.02 of its parts: float32 leaves four digits of its square.
    assert torch.allclose(model.loss(x0, sigma, eps, label), wanted, rtol=1e-3)


def test_a_fresh_network_begins_as_the_best_linear_guess():
    model = Preconditioned(UNetConfig(widths=(8, 16), blocks=1), 0.5)
    x, sigma = noise(2, 3, 16, 16), torch.tensor([0.1, 3.0])
    assert torch.equal(model(x, sigma), (0.25 / (sigma**2 + 0.25)).view(-1, 1, 1, 1) * x)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 30), (5, 12), (4, 64)])
def test_any_size_is_padded_and_cropped_back(height: int, width: int):
    model, x, sigma = small_network(), noise(2, 3, height, width), torch.tensor([0.3, 2.0])
    padded = F.pad(x, (0, -width % 4, 0, -height % 4), mode="replicate")
    wanted = model(padded, sigma)[..., :height, :width]
    found = model(x, sigma)
    assert found.shape == x.shape
    assert torch.allclose(found, wanted, atol=1e-5)


def test_a_missing_label_is_the_last_row():
    model, x, sigma = small_network(labels=2), noise(2, 3, 16, 16), torch.tensor([0.3, 2.0])
    none_given = model(x, sigma, torch.tensor([2, 2]))
    assert torch.equal(model(x, sigma), none_given)
    assert not torch.allclose(model(x, sigma, torch.tensor([0, 1])), none_given, atol=1e-3)


@pytest.mark.parametrize(("norm", "local"), [(False, True), (True, False)])
def test_without_norm_a_pixel_does_not_know_how_large_the_picture_is(norm: bool, local: bool):
    """What `photos` is built for: a change 80 pixels away leaves a pixel's last bit alone."""
    model, sigma = small_network(norm=norm), torch.tensor([0.5])
    x = noise(1, 3, 16, 112)
    changed = x.clone()
    changed[..., :8] += 1
    same = torch.equal(model(x, sigma)[..., 96:], model(changed, sigma)[..., 96:])
    assert same is local


def test_names_of_the_weights_stay():
    """Shipped weights are found by these names."""
    names = {name.rsplit(".", 1)[0] for name in small_network(labels=1).state_dict()}
    block = {"norm1", "conv1", "modulate", "norm2", "conv2"}
    wanted = {f"net.{place}" for place in ("stem", "norm", "head", "through", "gate")}
    wanted |= {f"net.embed.{part}" for part in ("hidden", "out", "labels")}
    wanted |= {f"net.attention.{part}" for part in ("norm", "qkv", "out")}
    for place in ("down.0.0", "down.1.0", "middle", "up.0.0", "up.1.0"):
        wanted |= {f"net.{place}.{part}" for part in block}
    wanted |= {f"net.{place}.skip" for place in ("down.1.0", "up.0.0", "up.1.0")}
    assert names == wanted


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_can_be_built(name: str):
    recipe = RECIPES[name]
    model = Preconditioned(recipe.final, recipe.sigma_data)
    x = noise(1, recipe.config.channels, recipe.size, recipe.size)
    assert torch.isfinite(model(x, torch.ones(1))).all()
    assert recipe.size % recipe.config.multiple == 0
    assert sum(p.numel() for p in model.parameters()) < 20e6


def test_placing_a_network_changes_nothing_it_says():
    model, x, sigma = small_network(), noise(1, 3, 16, 16), torch.tensor([1.0])
    before = model(x, sigma)
    weights = {k: v.clone() for k, v in model.state_dict().items()}
    model.placed("cpu")
    assert all(torch.equal(v, weights[k]) for k, v in model.state_dict().items())
    assert model.net.stem.weight.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(model(x, sigma), before, atol=1e-6)
