"""Many endings: each is what it would be alone, and what is measured on them obeys its identities."""

import math
from itertools import combinations

import pytest
import torch
from exact import normal_data

from diffusion import SAMPLERS, SettingError
from diffusion.denoiser import Denoiser
from diffusion.oracles import FiniteData
from diffusion.sampler import DETERMINISTIC
from ui import endings
from ui.endings import Endings, Fan, FanRun, measure, plan_fan, walk_fan
from ui.journey import WayThere, plan_back, walk_back, walk_there
from ui.pace import Pace
from ui.queue import Queue
from ui.settings import Back, There


class Gaussian(Denoiser):
    """Exact for data N(0, 0.5^2), in float32."""

    name = "gaussian"

    def _denoise(self, x, sigma):
        return normal_data(0.5)._denoise(x.double(), sigma.double()).float()


@pytest.fixture(scope="module")
def there() -> WayThere:
    x0 = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(5)) * 2 - 1
    *_, way = walk_there(x0, There(steps=10, seed=3))
    assert isinstance(way, WayThere)
    return way


def walked(there: WayThere, count: int, net: Denoiser | None = None, stop: int = 5, **settings) -> Fan:
    fan = plan_fan(there, stop, Back(**{"steps": 4} | settings), "test", count)
    walk = walk_fan(fan, net or Gaussian())
    for _ in range(count * fan.settings.steps):
        next(walk)
    return fan


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_first_ending_is_the_journeys_own(there, sampler):
    fan = walked(there, 2, sampler=sampler)
    way = plan_back(there, 5, Back(steps=4, sampler=sampler), "test")
    for _ in walk_back(way, Gaussian(), 3):
        pass
    assert torch.equal(fan.ends[0], way.state(4)[0])


def test_an_ending_does_not_depend_on_how_many_are_wanted(there):
    few, many = walked(there, 2), walked(there, 5)
    assert all(torch.equal(one, other) for one, other in zip(few.ends, many.ends, strict=False))
    assert len({x.numpy().tobytes() for x in many.ends}) == 5


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_without_fresh_noise_all_endings_are_one(there, sampler):
    found = measure(walked(there, 3, sampler=sampler), 3)
    assert found is not None
    assert (found.apart == 0) == (found.spread == 0) == (sampler in DETERMINISTIC)


def test_the_guess_is_the_first_look(there):
    fan = walked(there, 1)
    assert fan.guess is not None
    assert torch.equal(fan.guess, Gaussian().estimate(fan.start, 1.0, there.stops[5].sigma))


def test_the_mean_of_the_endings_is_the_guess_but_for_chance(there):
    """Exact for data N(0, s^2), since every step is linear; what is left is the error of a mean of K."""
    fan = walked(there, 16, sampler="posterior", steps=6)
    found = measure(fan, 16)
    assert found is not None
    chance = found.spread / math.sqrt(15)
    # Mean square over 768 independent pixels: its relative error is sqrt(2/768), and we allow four of them.
    assert (found.guess_to_mean / chance) ** 2 == pytest.approx(1, abs=4 * math.sqrt(2 / 768))


@pytest.mark.parametrize("count", [1, 2, 4, 9])
def test_distances_obey_their_identities(there, count):
    fan = walked(there, count)
    found = measure(fan, count)
    assert found is not None
    assert len(found.to_upload) == count
    of_all = sum(d**2 for d in found.to_upload) / count
    assert of_all == pytest.approx(found.mean_to_upload**2 + found.spread**2, rel=1e-5)
    gaps = [float((a - b).square().mean().sqrt()) for a, b in combinations(fan.ends, 2)]
    assert found.apart == pytest.approx(sum(gaps) / len(gaps) if gaps else 0, rel=1e-5)
    if count > 1:  # mean square over pairs is 2K/(K-1) times the variance
        squares = sum(gap**2 for gap in gaps) / len(gaps)
        assert squares == pytest.approx(2 * count / (count - 1) * found.spread**2, rel=1e-5)
    assert found.nearer == sum(found.mean_to_upload < d for d in found.to_upload)


def test_fewer_are_measured_as_if_there_were_no_more(there):
    few, many = measure(walked(there, 2), 2), measure(walked(there, 4), 2)
    assert few is not None
    assert many is not None
    assert few.to_upload == many.to_upload
    assert torch.equal(few.mean, many.mean)
    assert measure(plan_fan(there, 5, Back(), "test", 9), 9) is None


def test_one_possible_picture_leaves_one_ending(there):
    """Where only the upload can have led here, there is no fan, whatever noise is put in on the way."""
    found = measure(walked(there, 3, FiniteData(there.x0)), 3)
    assert found is not None
    assert found.apart < 1e-6
    assert max(found.to_upload) < 1e-6


def test_nothing_to_take_away_at_t_0(there):
    with pytest.raises(SettingError):
        plan_fan(there, 0, Back(), "test", 4)


def test_a_run_ends_when_all_are_there_and_goes_on_when_more_are_wanted(there):
    fan = plan_fan(there, 5, Back(steps=3), "test", 4)
    run = FanRun(fan, Gaussian(), Queue(workers=1), Pace())  # pyright: ignore[reportArgumentType]
    run.go()
    run.wait(60)
    assert run.finished
    assert run.done == 1
    assert (len(fan.ends), fan.evaluations) == (4, 12)
    before = list(fan.ends)
    run.go()  # nothing left to do
    assert not run.computing
    fan.count = 9
    assert not run.finished
    run.go()
    run.wait(60)
    assert (len(fan.ends), fan.evaluations) == (9, 27)
    assert all(one is other for one, other in zip(before, fan.ends, strict=False))
    assert fan.nbytes == (9 + 3) * fan.start.nbytes  # the upload, the start and the guess as well


def test_a_failure_is_a_sentence(there):
    class Broken(Gaussian):
        def _denoise(self, x, sigma):
            raise RuntimeError("weights fell out")

    run = FanRun(plan_fan(there, 5, Back(), "test", 4), Broken(), Queue(workers=1), Pace())  # pyright: ignore
    run.go()
    run.wait(60)
    assert run.error is not None
    assert not run.computing


def run_for(there, stop: int, count: int) -> FanRun:
    return FanRun(walked(there, count, stop=stop), Gaussian(), Queue(workers=1), Pace())  # pyright: ignore


def test_what_stands_is_shown_again_and_the_oldest_goes(there, monkeypatch):
    monkeypatch.setattr(endings, "MOST_KEPT", 2 * run_for(there, 1, 4).fan.nbytes)
    state, runs = Endings(), [run_for(there, stop, 4) for stop in (1, 2, 3)]
    for run in runs[:2]:
        state.take("settings", run)
    state.show("settings", runs[0].fan.t)
    assert state.run is runs[0]
    state.take("settings", runs[2])  # the second has not been looked at for longest
    for run, stays in zip(runs, (True, False, True), strict=True):
        state.show("settings", run.fan.t)
        assert (state.run is run) == stays
    state.show("other settings", runs[0].fan.t)
    assert state.run is None


def test_numbers_outlive_their_pictures(there):
    state = Endings()
    for stop in (7, 2):
        fan = walked(there, 4, stop=stop)
        found = measure(fan, 4)
        assert found is not None
        state.note("settings", fan, found)
    assert [row.t for row in state.rows("settings")] == [there.stops[2].t, there.stops[7].t]
    assert state.rows("other settings") == []
    for k in range(endings.MOST_TABLES):
        state.note(k, fan, found)
    assert state.rows("settings") == []
