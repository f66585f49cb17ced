"""Pictures from pure noise: budgets of evaluations, and bits that depend on seed and index alone."""

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from exact import normal_data
from hypothesis import given
from hypothesis import strategies as st

from diffusion import load_denoiser
from diffusion.denoiser import NetworkDenoiser
from diffusion.generate import asked, denoise, from_noise, looks_from_noise, picked_class, steps_for
from diffusion.grids import GRIDS, MANY, times_back
from diffusion.guidance import Guidance
from diffusion.noise import picture_rng
from diffusion.processes import Brownian, DDPMLinear, Process, StraightLine
from diffusion.sampler import SAMPLERS, evaluations, reverse

RANGES = (Guidance(1.0), Guidance(2.0), Guidance(2.0, 0.2, 6.0), Guidance(0.5, 90.0, 100.0))


def asked_of(net: NetworkDenoiser, walk: Callable[[NetworkDenoiser], object]) -> int:
    """How many pictures the network itself is asked about on a walk."""
    counted, rows = copy.copy(net), 0

    def look(x: torch.Tensor, *question: torch.Tensor) -> torch.Tensor:
        nonlocal rows
        rows += len(x)
        return net.model(x, *question)

    counted._look = look
    walk(counted)
    return rows


@pytest.mark.parametrize("process", [Brownian(3.0), DDPMLinear(), StraightLine()], ids=str)
@pytest.mark.parametrize("sampler", ["ddim", "heun"])
def test_the_count_holds_on_every_process(small_models: Path, process: Process, sampler: str):
    net = load_denoiser("digits", small_models).asked_for("1", guidance=Guidance(2.0, 0.2, 6.0))
    times = times_back(process, 12, "rho7")
    x = torch.zeros(1, net.channels, net.size, net.size)
    taken = asked_of(net, lambda one: list(reverse(one, x, process, sampler=sampler, times=times)))
    assert taken == evaluations(net, process, times, sampler)


@pytest.mark.parametrize("guidance", RANGES, ids=str)
@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("grid", GRIDS)
def test_a_walk_costs_what_was_promised(small_models: Path, sampler: str, grid: str, guidance: Guidance):
    net = load_denoiser("digits", small_models).asked_for("1", guidance=guidance)
    steps = steps_for(9, net, sampler, grid)
    walk = list(from_noise(net, 0, steps=steps, sampler=sampler, grid=grid))
    assert len(walk) == steps
    assert sum(step.evaluations for step in walk) == looks_from_noise(net, steps, sampler, grid) <= 9
    assert looks_from_noise(net, steps + 1, sampler, grid) > 9
    assert asked_of(
        net, lambda one: list(from_noise(one, 0, steps=steps, sampler=sampler, grid=grid))
    ) == sum(step.evaluations for step in walk)
    assert (walk[0].t, walk[-1].s) == (1, 0)
    assert all(bool(torch.isfinite(step.x_s).all()) for step in walk)


@given(most=st.integers(1, 300), sampler=st.sampled_from(list(SAMPLERS)), grid=st.sampled_from(GRIDS))
def test_without_guidance_a_step_costs_one_look_or_two(most: int, sampler: str, grid: str):
    net = normal_data(0.5)
    net.sigma_max = 80.0
    steps = steps_for(most, net, sampler, grid)
    assert steps == ((most + 1) // 2 if sampler == "heun" else most)


def test_a_budget_too_small_for_one_step_is_refused(small_models: Path):
    net = load_denoiser("digits", small_models).asked_for("1", guidance=Guidance(2.0))
    with pytest.raises(ValueError, match="1 evaluations are too few for one step of ddim"):
        steps_for(1, net, "ddim")


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


def test_denoise_from_several_sides_is_the_mean_of_looks_at_the_turned_picture(small_models: Path):
    net = load_denoiser("photos", small_models)
    x = torch.randn(2, 3, 12, 16, generator=torch.Generator().manual_seed(0))
    turned = [net(x.rot90(k, (2, 3)), 0.2).rot90(4 - k, (2, 3)) for k in range(4)]
    for turns, sides in ((1, [0]), (2, [0, 2]), (3, [0, 1, 2]), (4, [0, 1, 2, 3])):
        mean = sum(turned[k] for k in sides) / len(sides)
        torch.testing.assert_close(denoise(net, x, 0.2, turns), mean.clamp(-1, 1))
    # With all four, a turned question has the turned answer.
    torch.testing.assert_close(
        denoise(net, x.rot90(1, (2, 3)), 0.2, 4), denoise(net, x, 0.2, 4).rot90(1, (2, 3))
    )
    with pytest.raises(ValueError, match="got 5"):
        denoise(net, x, 0.2, 5)


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
    assert net.advised == Guidance(2.0)
    for one in (net.asked_for("1"), asked(net, 0, 3)):
        assert one.guidance == Guidance(2.0)
    assert net.asked_for("1", guidance=1).guidance == Guidance(1.0)


def test_few_steps_are_of_second_order_and_many_of_first(small_models: Path):
    net = load_denoiser("digits", small_models)
    for steps, sampler in ((MANY - 1, "dpmpp_2m"), (MANY, "ddim")):
        *_, last = from_noise(net, 0, 3, steps=steps)
        *_, known = from_noise(net, 0, 3, steps=steps, sampler=sampler)
        assert torch.equal(last.x_s, known.x_s)
        assert looks_from_noise(net, steps) == steps_for(steps, net) == steps


def test_several_walk_side_by_side_each_in_its_own_noise(small_models: Path):
    net = load_denoiser("dogs", small_models)
    first = next(from_noise(asked(net, 4, 2, 9), 4, (2, 9)))
    for place, index in enumerate((2, 9)):
        z = torch.randn(1, 3, 16, 16, generator=picture_rng(4, index))
        assert torch.equal(first.x_t[place : place + 1], 80 * z)
