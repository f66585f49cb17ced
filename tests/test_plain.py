"""A plain figure is what plotly's own would have sent, and plotly finds nothing wrong with it."""

import json

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio
import pytest
from plotly.tools import return_figure_from_figure_or_data

from ui.plain import Figure


def axes():
    return {"xaxis": {"title": {"text": "t"}, "nticks": 6}, "yaxis": {"title": {"text": "v"}}, "height": 200}


def test_is_what_plotly_would_send():
    x, y = np.linspace(0, 1, 5), np.arange(5.0)
    plain = Figure(axes())
    plain.add_scatter(x=x, y=y, name="one", mode="lines")
    plain.add_bar(x=x, y=y, width=0.1)
    plain.update_axis("yaxis", type="log")
    plain.say_below(" (log scale)")
    plain.hide_legend()
    theirs = go.Figure(layout=axes())
    theirs.add_scatter(x=x, y=y, name="one", mode="lines")
    theirs.add_bar(x=x, y=y, width=0.1)
    theirs.update_yaxes(type="log")
    theirs.update_xaxes(title_text="t (log scale)")
    theirs.update_layout(showlegend=False)
    # The way Streamlit takes a figure.
    sent = [
        json.loads(pio.to_json(return_figure_from_figure_or_data(figure, True), validate=False))
        for figure in (plain, theirs)
    ]
    assert sent[0] == sent[1]


def test_reading_it_lets_plotly_check():
    plain = Figure(axes())
    plain.add_scatter(x=np.zeros(2), y=np.ones(2), mode="lines")
    assert list(plain.data[0].y) == [1, 1]
    assert plain.layout.xaxis.title.text == "t"
    plain.add_scatter(x=np.zeros(2), colour="red")
    with pytest.raises(ValueError, match="colour"):
        _ = plain.data


def test_figures_share_nothing():
    one, other = Figure(axes()), Figure(axes())
    one.say_below(" more")
    assert other.layout.xaxis.title.text == "t"
