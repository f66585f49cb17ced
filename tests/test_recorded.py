"""A recorded network answers as the one that was recorded, bit for bit."""

from __future__ import annotations

import pytest
import torch

import diffusion
from diffusion import recorded
from diffusion.denoiser import NetworkDenoiser

SHAPES = [(1, 28, 28), (3, 28, 28), (1, 64, 64), (2, 48, 80), (1, 61, 53), (1, 2, 2)]


@pytest.fixture(scope="module", params=["digits", "dogs", "photos"])
def pair(request: pytest.FixtureRequest) -> tuple[NetworkDenoiser, NetworkDenoiser]:
    net = diffusion.load_denoiser(request.param)
    return net, net.recorded()


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_answers_at_every_size_and_in_every_batch(
    pair: tuple[NetworkDenoiser, NetworkDenoiser], shape: tuple[int, int, int]
) -> None:
    net, played = pair
    rng = torch.Generator().manual_seed(7)
    x = torch.randn(shape[0], net.channels, *shape[1:], generator=rng)
    for sigma in (0.01, 0.5, 4.0, 500.0):
        assert torch.equal(net(x, sigma), played(x, sigma))


@pytest.mark.parametrize("name", ["digits", "dogs"])
@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_the_same_answers_to_who_asks_for_a_class(name: str, guidance: float) -> None:
    net = diffusion.load_denoiser(name)
    rng = torch.Generator().manual_seed(8)
    x = torch.randn(2, net.channels, net.size, net.size, generator=rng)
    names = (net.classes[0], net.classes[-1])
    asked, played = (n.asked_for(*names, guidance=guidance) for n in (net, net.recorded()))
    assert torch.equal(asked(x, 1.5), played(x, 1.5))
    assert isinstance(played._glance, recorded.Recorded) == (net.guide is not None)


def test_without_recordings_the_network_itself_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.jit, "trace")
    net = diffusion.load_denoiser("digits")
    played = net.recorded()
    assert isinstance(played._look, recorded.Recorded)
    assert played._look._played is None
    x = torch.zeros(1, 1, 28, 28)
    assert torch.equal(net(x, 1.0), played(x, 1.0))
