"""Muon's steps: orthogonal, of a known size, for the hidden convolutions alone."""

import pytest
import torch

from diffusion.muon import Muon, hidden, orthogonal
from diffusion.network import Preconditioned, UNetConfig


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(24, 24), (16, 90), (90, 16)])
def test_singular_values_come_near_one_and_directions_stay(shape: tuple[int, int]):
    u, _, vh = torch.linalg.svd(drawn(*shape), full_matrices=False)
    matrix = u @ torch.diag(torch.logspace(0, -2, len(vh))) @ vh  # a hundred times apart
    found = u.mT @ orthogonal(matrix) @ vh.mT  # diagonal, if the directions are the same
    values = found.diagonal()
    assert 0.65 < values.min() <= values.max() < 1.25
    torch.testing.assert_close(found, torch.diag(values), rtol=0, atol=1e-4)
    torch.testing.assert_close(orthogonal(matrix.mT), orthogonal(matrix).mT)
    torch.testing.assert_close(orthogonal(1e4 * matrix), orthogonal(matrix), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_step_is_as_long_as_one_of_adam(layout: torch.memory_format):
    """Whatever the gradient's size: 0.2*lr, root mean square, times singular values of 0.7 to 1.2."""
    for scale in (1e-3, 1e3):
        weight = torch.nn.Parameter(drawn(32, 16, 3, 3).contiguous(memory_format=layout))
        before = weight.detach().clone()
        weight.grad = scale * drawn(32, 16, 3, 3, seed=1)
        Muon([weight], lr=0.1).step()
        moved = (weight - before).detach()
        assert 0.7 * 0.02 < moved.square().mean().sqrt() < 1.2 * 0.02
        assert (moved * weight.grad).sum() < 0  # downhill
        assert weight.is_contiguous(memory_format=layout)


def test_momentum_remembers():
    weight = torch.nn.Parameter(torch.zeros(16, 16, 3, 3))
    optimiser = Muon([weight], lr=0.1)
    first, second = drawn(16, 16, 3, 3, seed=1), drawn(16, 16, 3, 3, seed=2)
    weight.grad = first
    optimiser.step()
    weight.grad = second
    optimiser.step()
    mean = 0.95 * 0.05 * first + 0.05 * second
    torch.testing.assert_close(optimiser.state[weight]["momentum_buffer"], mean)


def test_it_finds_the_bottom_of_a_bowl():
    wanted = drawn(16, 16, 3, 3)
    weight = torch.nn.Parameter(torch.zeros_like(wanted))
    optimiser = Muon([weight], lr=0.5)
    for k in range(200):
        optimiser.param_groups[0]["lr"] = 0.5 * (1 - k / 200)
        weight.grad = weight.detach() - wanted
        optimiser.step()
    assert (weight - wanted).square().mean() < 1e-3


def test_hidden_convolutions_alone():
    model = Preconditioned(UNetConfig(widths=(16, 24), blocks=1, labels=3), 0.5)
    chosen = {name for name, p in model.named_parameters() if any(p is q for q in hidden(model.net))}
    assert "net.down.0.0.conv1.weight" in chosen
    assert "net.middle.conv2.weight" in chosen
    assert "net.up.1.0.conv1.weight" in chosen
    assert not any("stem" in n or "head" in n or "skip" in n or "bias" in n or "norm" in n for n in chosen)
