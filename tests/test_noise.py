"""Noise: one generator a picture, the same bits each time, and really standard normal."""

import math
from itertools import pairwise

import pytest
import torch

from diffusion.noise import picture_rng, standard_normal


def test_same_pair_same_bits():
    draws = [torch.randn(100, generator=picture_rng(3, 5)) for _ in range(2)]
    assert torch.equal(*draws)


def test_seed_and_index_both_count():
    firsts = {torch.randn((), generator=picture_rng(s, i)).item() for s in range(20) for i in range(20)}
    assert len(firsts) == 400


def test_no_two_pictures_of_a_run_share_their_noise():
    """torch's CPU generator heeds 32 bits of a seed; an odd stride visits all of them once."""
    assert torch.equal(
        torch.randn(9, generator=torch.Generator().manual_seed(7)),
        torch.randn(9, generator=torch.Generator().manual_seed(7 + 2**32)),
    )
    for seed in (0, 1, 2**32 - 1):
        seeds = [picture_rng(seed, index).initial_seed() for index in range(300)]
        strides = {(b - a) % 2**32 for a, b in pairwise(seeds)}
        assert len(strides) == 1
        assert strides.pop() % 2 == 1
        assert max(seeds) < 2**32


def test_noise_does_not_depend_on_the_count():
    few = standard_normal(torch.zeros(2, 3, 4, 4), [picture_rng(0, i) for i in range(2)])
    many = standard_normal(torch.zeros(7, 3, 4, 4), [picture_rng(0, i) for i in range(7)])
    assert torch.equal(few, many[:2])


def test_pictures_of_one_run_are_independent_and_normal():
    """n = 4000 first pixels: bounds are five standard errors, 1/sqrt(n) for the mean and for the
    correlation of neighbours, sqrt(2/n) for the variance."""
    n = 4000
    first = torch.stack([torch.randn(2, generator=picture_rng(0, i), dtype=torch.float64) for i in range(n)])
    assert first.mean(0).abs().max() < 5 / math.sqrt(n)
    assert (first.var(0) - 1).abs().max() < 5 * math.sqrt(2 / n)
    assert abs((first[1:, 0] * first[:-1, 0]).mean()) < 5 / math.sqrt(n)
    assert abs((first[:, 0] * first[:, 1]).mean()) < 5 / math.sqrt(n)


def test_draws_are_shaped_and_typed_like_the_picture():
    like = torch.zeros(2, 1, 3, 5, dtype=torch.float64)
    for rng in (picture_rng(0), [picture_rng(0), picture_rng(1)]):
        drawn = standard_normal(like, rng)
        assert drawn.shape == like.shape
        assert drawn.dtype == like.dtype


def test_one_generator_for_each_picture_or_one_for_all():
    with pytest.raises(ValueError, match="2 generators for 3 pictures"):
        standard_normal(torch.zeros(3, 1, 2, 2), [picture_rng(0), picture_rng(1)])


@pytest.mark.parametrize("pair", [(-1, 0), (0, -1)])
def test_negative_seeds_are_refused(pair: tuple[int, int]):
    with pytest.raises(ValueError, match="must be at least 0"):
        picture_rng(*pair)


def test_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    standard_normal(torch.zeros(2, 3, 4, 4), picture_rng(0))
    assert torch.equal(before, torch.get_rng_state())
