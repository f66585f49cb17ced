"""Grids of times against their formulas, for every process."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_processes import ALL

from diffusion.grids import GRIDS, times_back, times_of_inversion, times_there
from diffusion.processes import Brownian, DDPMLinear, Process, StraightLine

processes = st.sampled_from(ALL)


@given(
    process=processes,
    grid=st.sampled_from(GRIDS),
    steps=st.one_of(st.integers(1, 20), st.just(1000)),
    start=st.one_of(st.floats(1e-4, 1), st.just(1.0)),
)
def test_times_back_fall_from_the_start_to_0(process: Process, grid: str, steps: int, start: float):
    times = times_back(process, steps, grid, start)
    assert len(times) == steps + 1
    assert (times[0], times[-1]) == (start, 0)
    assert all(t > s for t, s in pairwise(times))


@pytest.mark.parametrize(
    ("grid", "steps", "rho", "low"),
    [
        *(("rho7", steps, 7, 0.002) for steps in (2, 10, 50)),
        *(("rho16_short", steps, 16, 0.02) for steps in (2, 10, 19)),
        *(("rho16_short", steps, 16, 0.06) for steps in (20, 50)),
    ],
)
def test_rho_is_edms_equation_5(grid: str, steps: int, rho: int, low: float):
    top, bottom = 80 ** (1 / rho), low ** (1 / rho)
    wanted = [(top + i / (steps - 1) * (bottom - top)) ** rho for i in range(steps)] + [0]
    process = Brownian(80)
    found = [process.ratio(t) for t in times_back(process, steps, grid)]
    assert found == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("process", [p for p in ALL if p != Brownian(0.1)], ids=str)
@pytest.mark.parametrize(
    ("grid", "low"), [("rho7", 0.002), ("rho16_short", 0.06), ("uniform_ln_sigma", 0.002)]
)
def test_levels_do_not_depend_on_the_process(process: Process, grid: str, low: float):
    """From the second time on: the same noise levels, wherever a process keeps them."""
    high = min(process.ratio(1.0), 80)
    found = [process.ratio(t) for t in times_back(process, 20, grid)][1:-1]
    like = Brownian(high)
    assert found == pytest.approx([like.ratio(t) for t in times_back(like, 20, grid)][1:-1], rel=1e-6)
    assert found[-1] == pytest.approx(low, rel=1e-6)


def test_uniform_ln_sigma_falls_by_one_factor():
    process = Brownian(80)
    ratios = [process.ratio(t) for t in times_back(process, 11, "uniform_ln_sigma")][:-1]
    factor = (0.002 / 80) ** (1 / 10)
    assert [b / a for a, b in pairwise(ratios)] == pytest.approx([factor] * 10, rel=1e-9)


def test_uniform_t_is_uniform():
    assert times_back(Brownian(3), 4) == (1, 0.75, 0.5, 0.25, 0)
    assert times_back(Brownian(3), 2, start=0.5) == (0.5, 0.25, 0)


def test_levels_above_80_are_left_in_the_first_step():
    process = DDPMLinear()
    assert process.ratio(1.0) > 150
    times = times_back(process, 10, "rho7")
    assert process.ratio(times[1]) < 80


@pytest.mark.parametrize("grid", GRIDS)
def test_times_there_are_times_back_turned_round(grid: str):
    there = times_there(StraightLine(), 7, grid)
    assert there == times_back(StraightLine(), 7, grid)[::-1]
    assert (there[0], there[-1]) == (0, 1)


@given(process=processes, steps=st.integers(1, 200))
def test_times_of_inversion_rise_from_a_little_noise_to_the_end(process: Process, steps: int):
    times = times_of_inversion(process, steps)
    assert len(times) == steps + 1
    assert process.ratio(times[0]) == pytest.approx(0.02, rel=1e-6)
    assert times[-1] == 1
    assert all(s < t for s, t in pairwise(times))


def test_times_of_inversion_are_dense_at_small_noise():
    process = Brownian(80)
    ratios = [process.ratio(t) for t in times_of_inversion(process, 50)]
    gaps = [b - a for a, b in pairwise(ratios)]
    assert gaps == sorted(gaps)
    assert gaps[0] < 0.01 < 1 < gaps[-1]


def test_times_of_inversion_of_a_process_that_hardly_noises():
    times = times_of_inversion(Brownian(0.01), 5)
    assert all(s < t for s, t in pairwise(times))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"steps": 5, "start": 0.0}, "start must lie above 0"),
        ({"steps": 5, "start": 1.5}, "start must lie above 0 and at most at 1, got 1.5"),
        ({"steps": 5, "start": math.nan}, "start must lie above 0"),
        ({"steps": 5, "grid": "karras"}, "unknown grid 'karras'; there are: uniform_t"),
    ],
)
def test_bad_questions_are_refused(options: dict, message: str):
    with pytest.raises(ValueError, match=message):
        times_back(Brownian(3), **options)
