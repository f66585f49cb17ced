"""Pictures from pure noise: budgets of evaluations, and bits that depend on seed and index alone."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from diffusion import load_denoiser
from diffusion.generate import asked, denoise, from_noise, picked_class, steps_for
from diffusion.noise import picture_rng
from diffusion.sampler import SAMPLERS


@given(evaluations=st.integers(1, 300), sampler=st.sampled_from(list(SAMPLERS)), per_call=st.integers(1, 2))
def test_steps_use_the_budget_and_never_more(evaluations: int, sampler: str, per_call: int):
    def cost(steps: int) -> int:
        return per_call * (2 * steps - 1 if sampler == "heun" else steps)

    if evaluations < per_call:
        with pytest.raises(
            ValueError, match=f"{evaluations} evaluations are too few for one step of {sampler}"
        ):
            steps_for(evaluations, sampler, per_call)
    else:
        steps = steps_for(evaluations, sampler, per_call)
        assert cost(steps) <= evaluations < cost(steps + 1)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_walk_costs_what_was_promised(small_models: Path, sampler: str):
    net = load_denoiser("digits", small_models)
    steps = steps_for(9, sampler)
    walk = list(from_noise(net, 0, steps=steps, sampler=sampler))
    assert len(walk) == steps
    assert sum(step.evaluations for step in walk) == 9
    assert (walk[0].t, walk[-1].s) == (1, 0)
    assert all(bool(torch.isfinite(step.x_s).all()) for step in walk)


def test_a_guided_walk_counts_both_looks(small_models: Path):
    net = load_denoiser("digits", small_models).asked_for("1", guidance=2)
    steps = steps_for(10, "dpmpp_2m", net.evaluations)
    assert sum(step.evaluations for step in from_noise(net, 0, steps=steps)) == 10


@pytest.mark.parametrize("sampler", ["posterior", "dpmpp_2m"])
def test_seed_and_index_decide_every_bit(small_models: Path, sampler: str):
    net = load_denoiser("dogs", small_models)

    def picture(seed: int, index: int) -> torch.Tensor:
        *_, last = from_noise(net, seed, index, steps=3, sampler=sampler)
        return last.x_s

    assert torch.equal(picture(0, 1), picture(0, 1))
    assert not torch.equal(picture(0, 1), picture(0, 2))
    assert not torch.equal(picture(0, 1), picture(1, 1))


def test_the_walk_begins_in_pure_noise_of_the_networks_reach(small_models: Path):
    net = load_denoiser("dogs", small_models)
    first = next(from_noise(net, 4, 2))
    z = torch.randn(1, 3, 16, 16, generator=picture_rng(4, 2))
    assert torch.equal(first.x_t, 80 * z)
    net.sigma_max = 5.0
    assert torch.equal(next(from_noise(net, 4, 2)).x_t, 5 * z)


def test_denoise_is_one_clipped_look(small_models: Path):
    net = load_denoiser("photos", small_models)
    x = 2 * torch.randn(1, 3, 17, 23, generator=torch.Generator().manual_seed(0))
    answer = denoise(net, x, 0.2)
    assert torch.equal(answer, net(x, 0.2).clamp(-1, 1))
    assert answer.abs().max() == 1  # so there was something to clip


def test_the_seed_picks_classes_evenly_and_picture_by_picture():
    classes = tuple("abcdefghij")
    first = [picked_class(classes, 5, index) for index in range(2000)]
    assert first[:3] == [picked_class(classes, 5, index) for index in range(3)]
    assert first[:20] != [picked_class(classes, 6, index) for index in range(20)]
    counts = [first.count(name) for name in classes]
    # chi-square with 9 degrees of freedom is above 33.7 once in 10,000
    assert sum((n - 200) ** 2 / 200 for n in counts) < 33.7
    with pytest.raises(ValueError, match="no classes"):
        picked_class((), 0)


def test_a_network_is_asked_picture_by_picture(small_models: Path):
    net = load_denoiser("digits", small_models)
    several = asked(net, 1, 4, 5, 6)
    assert [net.classes[k] for k in several.labels] == [picked_class(net.classes, 1, k) for k in (4, 5, 6)]
    x = torch.randn(3, 1, 12, 12, generator=picture_rng(0))
    each = torch.cat([asked(net, 1, k)(x[n : n + 1], 2.0) for n, k in enumerate((4, 5, 6))])
    torch.testing.assert_close(several(x, 2.0), each)
    photos = load_denoiser("photos", small_models)
    assert asked(photos, 1, 0) is photos


def test_the_guidance_is_the_cards(small_models: Path):
    net = load_denoiser("digits", small_models)
    assert (net.advised, net.asked_for("1").evaluations) == (2.0, 2)
    assert net.asked_for("1", guidance=1).evaluations == 1


def test_several_walk_side_by_side_each_in_its_own_noise(small_models: Path):
    net = load_denoiser("dogs", small_models)
    first = next(from_noise(asked(net, 4, 2, 9), 4, (2, 9)))
    for place, index in enumerate((2, 9)):
        z = torch.randn(1, 3, 16, 16, generator=picture_rng(4, index))
        assert torch.equal(first.x_t[place : place + 1], 80 * z)
