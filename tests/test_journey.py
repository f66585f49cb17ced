"""The journey as data: one path, thinned for showing; the way back kept whole."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

import diffusion
from diffusion import Brownian, StraightLine
from diffusion.oracles import FiniteData
from ui import journey
from ui.chunks import Chunks
from ui.journey import (
    MOST_STOPS,
    PAYLOAD,
    Kept,
    WayThere,
    most_looks,
    plan_back,
    shown_bytes,
    stops_that_fit,
    thinned,
    walk_back,
    walk_there,
)
from ui.recent import Recent
from ui.settings import PRESETS, STARTS, Back, There


@pytest.fixture(scope="module")
def x0():
    return torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(5)) * 2 - 1


def there_for(x0, **settings) -> WayThere:
    *_, way = walk_there(x0, There(**settings))
    assert isinstance(way, WayThere)
    return way


@pytest.mark.parametrize("count", [2, 11, 101, 102, 251, 998, 1001])
def test_thinning_keeps_both_ends_and_equal_strides(count):
    kept = thinned(count, MOST_STOPS)
    assert kept[0] == 0
    assert kept[-1] == count - 1
    assert len(kept) <= MOST_STOPS
    *strides, last = np.diff(kept)
    assert set(strides) <= {math.ceil((count - 1) / (MOST_STOPS - 1))}
    assert not strides or 0 < last <= strides[0]


@pytest.mark.parametrize("size", [28, 64, 128, 256])
def test_two_full_ways_stay_within_the_payload(size):
    assert 2 * stops_that_fit(size) * 3 * size * size <= PAYLOAD


def test_shown_frames_are_states_of_the_one_path(x0):
    """Thinned, never resampled: the frames are those of the path walked with the same seed."""
    way = there_for(x0, steps=250, seed=9)
    rng = diffusion.picture_rng(9)
    path = list(diffusion.forward(x0, Brownian(3.0), 250, rng=rng))
    for frame, stop in zip(way.frames, way.stops, strict=True):
        assert torch.equal(frame, path[stop.step][0])


@pytest.mark.parametrize("process", list(diffusion.PROCESSES))
def test_frames_that_were_let_go_come_back_to_the_bit(x0, process, monkeypatch):
    monkeypatch.setattr(journey, "_frames", Recent(1, len))
    ways = [there_for(x0, process=process, steps=250, seed=seed) for seed in (1, 2)]
    first = ways[0].frames  # of the second none are left now
    assert torch.equal(first, ways[0].frames)
    again = there_for(x0, process=process, steps=250, seed=2).frames
    assert torch.equal(ways[1].frames, again)
    assert not torch.equal(first, again)
    assert len(again) == len(ways[1].stops) < 250


@pytest.mark.parametrize("process", list(diffusion.PROCESSES))
def test_numbers_are_measured_on_the_frames(x0, process):
    way = there_for(x0, process=process, steps=20)
    for frame, stop in zip(way.frames, way.stops, strict=True):
        noise = frame - stop.alpha * x0[0]
        assert stop.measured == pytest.approx(float(noise.square().mean()), rel=1e-5, abs=1e-9)
    # 768 draws: the sample variance of unit noise has spread sqrt(2/768) = 0.051; five of them.
    last = way.stops[-1]
    assert last.measured == pytest.approx(last.sigma**2, rel=5 * math.sqrt(2 / 768))


@pytest.mark.parametrize("process", list(diffusion.PROCESSES))
def test_each_step_adds_what_theory_says(x0, process):
    way = there_for(x0, process=process, steps=20)
    assert len(way.added) == 20
    alpha, sigma = way.process.alpha, way.process.sigma
    for (s, t), added in zip(pairwise(way.times), way.added, strict=True):
        left = alpha(t) / alpha(s) * sigma(s)  # of the noise that was there
        variance = sigma(t) ** 2 - left**2 if way.process.is_chain else (sigma(t) - left) ** 2
        assert added == pytest.approx(variance, rel=5 * math.sqrt(2 / 768))


@pytest.mark.parametrize("sigma_q", [0.1, 0.5, 3.0, 20.0])
def test_what_is_left_of_the_picture_is_what_theory_says(x0, sigma_q):
    spread = float(x0.std(correction=0))
    theory = spread / math.hypot(spread, sigma_q)
    # Its standard error for a picture that stands is (1 - r^2)*sqrt((1 - r^2/2)/n); five of them.
    error = (1 - theory**2) * math.sqrt((1 - theory**2 / 2) / 768)
    assert there_for(x0, sigma_q=sigma_q).correlation == pytest.approx(theory, abs=5 * error)


def test_a_picture_of_one_colour_has_no_correlation(x0):
    assert there_for(torch.full_like(x0, 0.3)).correlation is None


def test_the_straight_line_has_one_noise(x0):
    way = there_for(x0, process="straight_line", steps=10)
    noisy = list(zip(way.frames, way.stops, strict=True))[1:]
    eps = [(frame - stop.alpha * x0[0]) / stop.sigma for frame, stop in noisy]
    for other in eps[1:]:
        torch.testing.assert_close(other, eps[0], rtol=0, atol=1e-5)
    assert not StraightLine().is_chain


@pytest.mark.parametrize("start", STARTS)
def test_with_the_oracle_every_way_back_returns_the_picture(x0, start):
    """A data set of one picture: its exact denoiser answers that picture at every noise level."""
    there = there_for(x0, steps=20)
    way = plan_back(there, 10, Back(start=start, steps=6), "oracle")
    for _ in walk_back(way, FiniteData(x0), seed=0):
        pass
    assert len(way.steps) == 6
    assert way.steps[-1].to_upload < 1e-5
    assert way.ready() == tuple(range(7))
    assert way.start is not None


def test_from_here_begins_at_the_frame_under_the_thumb(x0):
    there = there_for(x0, steps=20)
    way = plan_back(there, 7, Back(steps=3), "oracle")
    assert way.start is not None
    assert torch.equal(way.start, there.frames[7:8])
    assert way.start_t == there.stops[7].t


def test_pure_noise_has_never_seen_the_picture(x0):
    ways = [plan_back(there_for(x), 3, Back(start="noise"), "oracle") for x in (x0, -x0)]
    first, second = (way.start for way in ways)
    assert first is not None
    assert second is not None
    assert torch.equal(first, second)


@pytest.mark.parametrize("index", range(4))
def test_from_pure_noise_every_noise_is_fresh(x0, index):
    """The stage walks as from_noise does: one generator for the start and for what the steps add."""
    there, net = there_for(x0, sigma_q=80.0), FiniteData(x0)
    way = plan_back(there, 0, Back(start="noise", sampler="algorithm1", steps=4, index=index), "oracle")
    for _ in walk_back(way, net, seed=0):
        pass
    assert way.start is not None
    noises = [way.start, *(way.kept(k).eta() for k in range(1, 5))]
    correlations = torch.corrcoef(torch.stack([noise.flatten() for noise in noises]))
    assert (correlations - torch.eye(5)).abs().max() < 5 / math.sqrt(x0.numel())

    rng = diffusion.picture_rng(0, index)
    x_T = 80.0 * diffusion.noise.standard_normal(x0, rng)
    *_, last = diffusion.reverse(net, x_T, there.process, sampler="algorithm1", rng=rng, times=way.times)
    assert torch.equal(way.state(4)[0], last.x_s)


def test_kept_steps_add_up_to_the_last_bit(x0):
    there = there_for(x0, steps=20)
    way = plan_back(there, 20, Back(sampler="algorithm1", steps=5, grid="uniform_t"), "oracle")
    for _ in walk_back(way, FiniteData(x0.flip(-1)), seed=4):
        pass
    for before, kept in zip([way.start, *(k.x_s for k in way.steps)], way.steps, strict=False):
        assert before is not None
        assert torch.equal(kept.x_t, before)
        assert torch.equal(kept.x_t - kept.removed + kept.eta(), kept.x_s)


def test_nothing_to_take_away_at_t_0(x0):
    with pytest.raises(ValueError, match="t = 0"):
        plan_back(there_for(x0), 0, Back(), "oracle")


def test_presets_are_within_what_can_be_set():
    for preset in PRESETS.values():
        preset.there.build()
        assert preset.back.sampler in diffusion.SAMPLERS
        assert preset.back.grid in diffusion.GRIDS
    tutorial = PRESETS["tutorial"]
    assert (tutorial.there.steps, tutorial.back.sampler, tutorial.back.steps) == (10, "algorithm1", 10)


def test_frames_are_packed_once_and_in_order(x0):
    there = there_for(x0, steps=20)
    way = plan_back(there, 20, Back(steps=8), "oracle")
    chunks, walk = Chunks(), walk_back(way, FiniteData(x0), seed=0)
    first = chunks.back(way, 1, "clipped")
    for _ in range(3):
        next(walk)
    second = chunks.back(way, 1, "clipped")
    for _ in walk:
        pass
    third = chunks.back(way, 1, "clipped")
    assert [c.count for c in third] == [1, 3, 5]
    assert [c.message for c in third[:1]] == [c.message for c in first]
    assert [c.message for c in third[:2]] == [c.message for c in second]
    frames = b"".join(c.message[4 + int.from_bytes(c.message[:4], "little") :] for c in third)
    states = torch.cat([way.state(k)[0] for k in way.ready()])
    assert frames == shown_bytes(states, "clipped").tobytes()


def test_the_two_ways_of_showing(x0):
    frames = 40 * torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    clipped, spread = shown_bytes(frames, "clipped"), shown_bytes(frames, "spread")
    assert np.isin(clipped, [0, 255]).mean() > 0.9
    assert np.isin(spread, [0, 255]).mean() < 0.01
    exact = ((x0[0] + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    assert np.array_equal(shown_bytes(x0, "clipped")[0], exact)


def test_only_steps_that_are_shown_keep_their_pictures(x0):
    way = plan_back(there_for(x0), -1, Back(start="noise", steps=250), "oracle")
    for _ in walk_back(way, FiniteData(x0), seed=0):
        pass
    with_pictures = [k for k, step in enumerate(way.steps, 1) if isinstance(step, Kept)]
    assert tuple(with_pictures) == way.shown[1:]
    assert len(with_pictures) < len(way.steps) == 250
    with pytest.raises(IndexError, match="step 2 is not shown"):
        way.state(2)
    assert all(way.kept(k).stop.step == k for k in way.ready()[1:])


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("sampler", ["posterior", "heun"])
def test_the_looks_are_told_beforehand(x0, start, sampler):
    settings = Back(start=start, steps=6, sampler=sampler)
    way = plan_back(there_for(x0), -1, settings, "oracle")
    for _ in walk_back(way, FiniteData(x0), seed=0):
        pass
    taken = way.climb_evaluations + sum(step.evaluations for step in way.steps)
    assert most_looks(settings) - 1 <= taken <= most_looks(settings)  # Heun's last step needs no second look
    assert most_looks(settings, 2) == 2 * most_looks(settings)
