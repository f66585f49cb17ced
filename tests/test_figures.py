"""The figures show what was measured, and nothing that is not finite."""

import itertools
import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

from diffusion.oracles import FiniteData
from ui import figures
from ui.endings import Row
from ui.figures import Thumb
from ui.journey import WayBack, WayThere, plan_back, walk_back, walk_there
from ui.settings import Back, There

PROCESSES = ("brownian", "ddpm_linear", "ddpm_cosine", "straight_line")
CARD = {
    "training": {
        "history": [{"pictures": 1000 * k, "loss": 1.0 / k} for k in range(1, 8)],
        "loss_by_noise": {
            "train": [{"sigma": 0.1, "loss": 0.4, "mse": 0.01}, {"sigma": 1.0, "loss": 0.2, "mse": 0.04}],
            "val": [{"sigma": 0.1, "loss": 0.5, "mse": 0.02}, {"sigma": 1.0, "loss": 0.3, "mse": 0.05}],
        },
    }
}


def picture(channels=3, size=16):
    return torch.rand(1, channels, size, size, generator=torch.Generator().manual_seed(7)) * 2 - 1


def walk(there=None, back=None, x0=None, stop=-1, taken=None) -> tuple[WayThere, WayBack]:
    torch.set_num_threads(1)
    x0 = picture() if x0 is None else x0
    *_, way = walk_there(x0, there or There(steps=10))
    assert isinstance(way, WayThere)
    planned = plan_back(way, stop % len(way.stops), back or Back(), "oracle")
    net = FiniteData(torch.cat([x0 / 2, -x0, x0 * 0.9]))
    for _ in itertools.islice(walk_back(planned, net, seed=0), taken):
        pass
    return way, planned


def traces(figure) -> list[Any]:
    return list(figure.data)


def trace(figure, name):
    (found,) = [one for one in traces(figure) if one.name == name]
    return np.asarray(found.x, float), np.asarray(found.y, float)


def all_of(there, back):
    at = Thumb(there.stops[-1])
    drawn = [
        figures.variance(there, back, at),
        figures.added(there, back),
        figures.snr(there, at),
        *(figures.histogram(there.frames[k], there.process, there.stops[k].t) for k in (0, -1)),
    ]
    said = [
        figures.summary_variance(at),
        figures.summary_added(there, back),
        figures.summary_snr(at),
        figures.summary_snr(Thumb(there.stops[0])),
        figures.summary_histogram(there.frames[-1], there.process, 1.0),
    ]
    if back is not None:
        drawn.append(figures.distance(back))
        said.append(figures.summary_distance(back))
    return drawn, said


def check(drawn, said):
    for figure in drawn:
        for one in figure.data:
            x, y = np.asarray(one.x, float), np.asarray(one.y, float)
            assert x.shape == y.shape
            assert np.isfinite(x).all()
            assert np.isfinite(y).all()
            for axis, values in ((figure.layout.xaxis, x), (figure.layout.yaxis, y)):
                assert axis.type != "log" or (values > 0).all()
        assert figure.layout.uirevision
        assert "%{y" in figure.data[0].hovertemplate
    for text in said:
        assert text.endswith(".")
        assert "nan" not in text


@pytest.mark.parametrize("process", PROCESSES)
@pytest.mark.parametrize("steps", [1, 10, 1000])
@pytest.mark.parametrize("grid", ["uniform_t", "rho7"])
def test_every_process_is_finite(process, steps, grid):
    there, back = walk(There(process, steps=steps, grid=grid), Back(start="noise", sampler="algorithm1"))
    check(*all_of(there, back))
    check(*all_of(there, None))
    assert len(str(figures.variance(there).to_json())) < 60_000


@pytest.mark.parametrize("start", ["here", "noise", "inversion"])
@pytest.mark.parametrize("taken", [0, 1, 3])
def test_half_way_back(start, taken):
    there, back = walk(There(steps=5), Back(start=start, steps=3), taken=taken)
    check(*all_of(there, back))


def test_grey_digit():
    check(*all_of(*walk(x0=picture(1, 28))))


@pytest.mark.parametrize("process", PROCESSES)
def test_variance_dots_are_the_stops(process):
    there, back = walk(There(process, steps=10))
    figure = figures.variance(there, back, Thumb(back.steps[2].stop, back=True))
    t, sigma2 = trace(figure, "σ_t², theory")
    assert sigma2.tolist() == [there.process.sigma(u) ** 2 for u in t]
    assert (t[0], t[-1]) == (0, 1)
    t, measured = trace(figure, "there, measured")
    assert t.tolist() == [s.t for s in there.stops]
    assert measured.tolist() == [s.measured for s in there.stops]
    t, measured = trace(figure, "back, by the network")
    assert t.tolist() == [kept.s for kept in back.steps]
    last = [kept.x_s - there.process.alpha(kept.s) * kept.x0_hat for kept in back.steps]
    assert measured == pytest.approx([float(x.square().mean()) for x in last])
    assert traces(figure)[-1].name == figures.THUMB
    assert trace(figure, figures.THUMB)[1].tolist() == [back.steps[2].stop.measured]


def test_added_is_what_the_steps_added():
    there, back = walk(back=Back(sampler="posterior", steps=10, grid="uniform_t"))
    figure = figures.added(there, back)
    assert figure.layout.yaxis.type != "log"
    t, measured = trace(figure, "there, measured")
    assert t.tolist() == list(there.times[1:])
    assert measured.tolist() == list(there.added)
    assert trace(figure, "there, theory")[1] == pytest.approx([0.9] * 10)
    assert trace(figure, "Algorithm 1")[1] == pytest.approx([0.9] * 10)
    # posterior: sigma_q^2*dt*(t - dt)/t, nothing in the last step.
    t, posterior = trace(figure, "posterior")
    assert posterior == pytest.approx(0.9 * (t - 0.1) / t)
    assert posterior[0] == 0
    t, eta = trace(figure, "back, η measured")
    assert t.tolist() == [kept.t for kept in back.steps]
    assert eta.tolist() == [float(kept.eta().square().mean()) for kept in back.steps]
    # x_s is noised by eta of 768 pixels: the variance of a variance is 2v^2/768.
    assert eta[::-1] == pytest.approx(posterior, rel=5 * math.sqrt(2 / 768))


def test_added_before_the_way_back_turns_the_grid_round():
    there, _ = walk(There(steps=7))
    t, _ = trace(figures.added(there), "Algorithm 1")
    assert t.tolist() == list(there.times[1:])


def test_added_on_a_log_axis_says_what_is_missing():
    there, back = walk(back=Back(sampler="ddim", grid="rho7"))
    figure = figures.added(there, back)
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("log", "log")
    note = figure.layout.xaxis.title.text
    assert "posterior in the last step" in note
    assert "η measured in every step" in note
    assert len(trace(figure, "posterior")[0]) == len(back.steps) - 1


def test_straight_line_adds_no_independent_noise():
    there, _ = walk(There("straight_line", steps=10))
    figure = figures.added(there)
    theory, measured = (trace(figure, f"there, {what}")[1] for what in ("theory", "measured"))
    # One eps: every step measures the same eps, so the ratio is one number.
    assert measured / theory == pytest.approx([measured[-1] / theory[-1]] * 10, rel=1e-4)
    assert "no chain" in figure.layout.xaxis.title.text


def test_inversion_plots_the_grid_it_walks():
    there, back = walk(back=Back(start="inversion", steps=6))
    t, _ = trace(figures.added(there, back), "Algorithm 1")
    assert t.tolist() == [kept.t for kept in back.steps][::-1]


def test_snr_starts_at_the_first_step():
    there, _ = walk(There("straight_line", steps=4))
    figure = figures.snr(there, Thumb(there.stops[0]))
    t, ratio = trace(figure, "frames shown")
    assert t.tolist() == [0.25, 0.5, 0.75]  # infinite at 0, zero at 1
    assert ratio == pytest.approx([9, 1, 1 / 9])
    assert len(trace(figure, figures.THUMB)[0]) == 0
    assert "at t = 1" in figure.layout.xaxis.title.text


@pytest.mark.parametrize("x_t", [picture(), picture(1, 28) * 80, torch.zeros(1, 3, 8, 8)])
def test_histogram_integrates_to_one(x_t):
    there, _ = walk()
    figure = figures.histogram(x_t, there.process, 0.5)
    bars = traces(figure)[0]
    assert float(np.sum(bars.y) * bars.width) == pytest.approx(1)
    assert len(bars.x) <= figures.MOST_BINS
    curve = traces(figure)[1]
    assert float(np.trapezoid(curve.y, curve.x)) == pytest.approx(1, abs=1e-3)
    assert len(traces(figures.histogram(x_t, there.process, 0.0))) == 1


def test_histogram_has_no_comb():
    levels = torch.arange(256).float().view(1, 1, 16, 16) / 127.5 - 1
    there, _ = walk()
    density = traces(figures.histogram(levels, there.process, 0.0))[0].y
    assert density[:-1] == pytest.approx(density[0])


def test_distance_is_to_the_upload():
    there, back = walk(There("straight_line"), Back(start="noise", steps=5))
    figure = figures.distance(back)
    step, state = trace(figure, "x_t/α_t")
    assert step.tolist() == [1, 2, 3, 4, 5]  # alpha is 0 at the start: infinitely far
    assert state.tolist() == [kept.to_upload for kept in back.steps]
    step, estimate = trace(figure, "x̂_0")
    assert estimate.tolist() == [kept.estimate_to_upload for kept in back.steps]
    there, back = walk(back=Back(steps=5))
    step, state = trace(figures.distance(back), "x_t/α_t")
    assert state[0] == pytest.approx(float((there.frames[-1] - there.x0).square().mean().sqrt()))


def test_summaries_say_the_numbers():
    there, back = walk(There(steps=2))
    stop = there.stops[1]
    assert figures.summary_variance(Thumb(stop)) == (
        f"At t = 0.5 the measured variance is {stop.measured:.2f}; theory says 4.50."
    )
    assert figures.summary_snr(Thumb(stop)).endswith("ratio is 0.222.")
    assert "infinite" in figures.summary_snr(Thumb(there.stops[0]))
    assert "network takes for noise" in figures.summary_variance(Thumb(back.steps[0].stop, back=True))
    assert "posterior nothing" in figures.summary_added(there, back)
    assert figures.summary_distance(back).startswith("After 10 of 10 steps back")


def test_narrowing_plots_what_was_measured():
    rows = [Row(0.2, 9, 0.11, 0.31, 0.25), Row(0.7, 9, 0.42, 0.63, 0.54)]
    figure = figures.narrowing(rows, 0.7)
    apart, to_upload, mean, ring = figure.data
    assert [*apart.x] == [*to_upload.x] == [*mean.x] == [0.2, 0.7]
    assert ([*apart.y], [*to_upload.y], [*mean.y]) == ([0.11, 0.42], [0.31, 0.63], [0.25, 0.54])
    assert ([*ring.x], [*ring.y]) == ([0.7], [0.42])
    assert len(figures.narrowing(rows, 0.5).data[-1].x) == 0
    assert all(text in figures.summary_narrowing(rows) for text in ("0.7", "0.42", "0.2", "0.11"))
    assert "0.2" in figures.summary_narrowing(rows[:1])


def test_model_card():
    figure = figures.loss_by_noise(CARD)
    assert figure.layout.xaxis.type == "log"
    assert trace(figure, "held-out pictures")[1].tolist() == [0.5, 0.3]
    assert trace(figure, "training pictures")[0].tolist() == [0.1, 1.0]
    curve = figures.loss_curve(CARD)
    assert traces(curve)[0].x.tolist() == [row["pictures"] for row in CARD["training"]["history"]]
    check([figure, curve], [figures.summary_loss_by_noise(CARD), figures.summary_loss_curve(CARD)])
    bare = {"training": {"history": [], "loss_by_noise": {}}}
    check(
        [figures.loss_by_noise(bare), figures.loss_curve(bare)],
        [figures.summary_loss_by_noise(bare), figures.summary_loss_curve(bare)],
    )


def test_no_streamlit():
    code = "import sys, ui.figures; sys.exit('streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_standings_show_every_held_out_picture_and_this_one():
    figure = figures.standings([0.2, 0.5, 0.51, 0.9], 0.33)
    bars, line = traces(figure)
    assert sum(bars.y) == 4
    assert set(line.x) == {0.33}


@pytest.mark.parametrize("taken", [0, None])
def test_a_table_holds_every_point_that_is_drawn(taken):
    for figure in all_of(*walk(taken=taken))[0]:
        columns = list(figures.table(figure).values())
        assert len(columns) == 3
        rows = list(zip(*columns, strict=True))
        assert len(rows) == sum(len(one.x) for one in traces(figure))
        for one in traces(figure):
            mine = [(float(x), float(y)) for name, x, y in rows if name == one.name]
            drawn = np.column_stack([one.x, one.y])
            np.testing.assert_allclose(np.reshape(mine, drawn.shape), drawn, rtol=1e-4)
        assert not any("<" in title for title in figures.table(figure))
