"""Two journeys: what differs, and one line of times on which each shows its nearest stop."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffusion import GRIDS, Brownian, times_there
from diffusion.processes import DDPMCosine
from ui.compare import DIFFER, OTHER, Choice, Thumb, differences, nearest, timeline
from ui.settings import Back, There

SIZES = {"digits": 28, "dogs": 64}
ONE = Choice("dogs", 64, There(), Back(label="pug"))
CHANGES = {**OTHER, "model": "digits"}

TIMES = st.lists(st.integers(0, 20).map(lambda k: k / 20), min_size=1, unique=True).map(sorted)
WAYS = st.tuples(TIMES, TIMES.map(lambda ts: ts[::-1]) | st.just([]))


def test_by_inversion_sampler_and_grid_back_make_no_difference():
    """It is always Heun's, on a grid of its own."""
    up = Choice("dogs", 64, There(), Back(start="inversion"))
    assert differences(up, up.but({"sampler": "ddim", "back_grid": "rho7"}, SIZES)) == []
    assert differences(up, up.but({"back_steps": 7}, SIZES)) != []


@pytest.mark.parametrize("name", [name for name in OTHER if name != "sigma_q"])
def test_one_change_is_one_difference(name):
    other = ONE.but({name: CHANGES[name]}, SIZES)
    found = differences(ONE, other)
    # sigma_q counts for the Brownian process alone, so it goes with that.
    assert {name for name, _, _ in found} == ({"process", "sigma_q"} if name == "process" else {name})
    assert found[0][1:] == (ONE.settings()[name], CHANGES[name])


def test_nothing_changed_is_the_same():
    assert ONE.but({}, SIZES) == ONE
    assert ONE.but({"model": "dogs"}, SIZES) == ONE
    assert ONE.but({"model": "unknown"}, SIZES) == ONE
    assert differences(ONE, ONE) == []
    assert set(DIFFER) <= set(OTHER)


def test_another_network_brings_its_size_and_is_asked_for_nothing():
    other = ONE.but({"model": "digits"}, SIZES)
    assert (other.model, other.size, other.back.label) == ("digits", 28, None)


def test_sigma_q_counts_for_the_brownian_process_alone():
    cosine = Choice("dogs", 64, There("ddpm_cosine"), Back())
    assert cosine.but({"sigma_q": 40.0}, SIZES).settings() == cosine.settings()
    assert ONE.but({"sigma_q": 40.0}, SIZES).there.sigma_q == 40.0


@given(one=WAYS, other=WAYS)
def test_the_line_runs_from_left_to_right_and_shows_the_nearest(one, other):
    line = timeline(one, other)
    places = [place for place, _, _ in line]
    assert places == sorted(places)
    assert 0 <= places[0] <= places[-1] <= 1
    there = sorted({*one[0], *other[0]})
    back = sorted({*one[1], *other[1]}, reverse=True)
    assert len(line) == len(there) + len(back)
    for position, (place, *stops) in enumerate(line):
        on_back = position >= len(there)
        t = [*there, *back][position]
        assert place == pytest.approx(1 - t / 2 if on_back else t / 2)
        for times, stop in zip((one, other), stops, strict=True):
            if on_back and not times[1]:
                assert stop == len(times[0]) - 1
                continue
            seen = [*times[0], *times[1]][stop]
            assert (stop >= len(times[0])) == on_back
            assert abs(seen - t) == min(abs(u - t) for u in times[on_back])


def test_every_stop_is_on_the_line_however_close_they_lie():
    """With much noise a grid that is dense at little noise begins at t = 6e-10."""
    for process, grid in itertools.product((Brownian(80), Brownian(1), DDPMCosine()), GRIDS):
        times = list(times_there(process, 100, grid))
        line = timeline((times, []), (times, []))
        assert {stop for _, stop, _ in line} == set(range(101))
        thumb = Thumb(line=line)
        for stop in range(1, 101):
            thumb.stand(stop)
            assert thumb.stop == stop
    thumb = Thumb(line=[(0.0, 0, 0)])
    thumb.stand(500)
    assert thumb.stop == 0


@given(way=WAYS)
def test_two_of_the_same_stand_at_the_same_stops(way):
    for position, (_, ours, theirs) in enumerate(timeline(way, way)):
        assert ours == theirs == position


def test_the_thumb_keeps_its_place_on_a_new_line():
    thumb = Thumb()
    coarse = timeline(([0, 0.5, 1], []), ([0, 0.5, 1], []))
    thumb.follow(coarse, 0)
    thumb.let_go(1)
    assert (thumb.place, thumb.stop) == (0.25, 1)
    turn = thumb.turn
    thumb.follow(coarse, 1)  # nothing new: the browser's thumb is left alone
    assert thumb.turn == turn
    fine = timeline(([0, 0.25, 0.5, 0.75, 1], []), ([0, 0.5, 1], []))
    thumb.follow(fine, 1)
    assert thumb.turn > turn
    assert fine[thumb.at()][0] in (0.125, 0.25)


def test_where_the_journeys_own_thumb_went_this_one_follows():
    thumb = Thumb()
    line = timeline(([0, 0.5, 1], [1, 0.5, 0]), ([0, 1], []))
    thumb.follow(line, 0)
    turn = thumb.turn
    thumb.follow(line, 5)
    assert (thumb.place, thumb.stop) == (1.0, 5)
    assert thumb.turn == turn + 1
    thumb.follow(line, 99)  # no such stop is shown: it stays
    assert thumb.place == 1.0
    for stop in (2, 3):  # both ways hold t = 1, at one place
        thumb.follow(line, stop)
        assert (thumb.place, thumb.stop) == (0.5, stop)


def test_the_thumb_crosses_the_middle_step_by_step():
    """Both ways hold t = 1, so two positions of the line are at one place."""
    thumb, line = Thumb(), timeline(([0, 0.5, 1], [1, 0.5, 0]), ([0, 0.5, 1], [1, 0.5, 0]))
    thumb.follow(line, 0)
    turn = thumb.turn
    for position in range(len(line)):
        thumb.let_go(position)
        thumb.follow(line, line[position][1])
        assert (thumb.at(), thumb.turn) == (position, turn)
        assert thumb.on_the_way_there == (position < 3)


@given(position=st.integers(-5, 500))
def test_whatever_the_browser_says_is_on_the_line(position):
    thumb = Thumb()
    thumb.let_go(position)  # before there is a line
    thumb.follow(timeline(([0, 0.5, 1], []), ([0, 1], [])), 0)
    thumb.let_go(position)
    assert 0 <= thumb.at() < len(thumb.line)


@given(times=st.lists(st.floats(0, 1), min_size=1), t=st.floats(0, 1))
def test_nearest(times, t):
    assert abs(times[nearest(times, t)] - t) == min(abs(u - t) for u in times)
