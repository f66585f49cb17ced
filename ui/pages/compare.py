"""The page of two journeys side by side, under one thumb."""

import streamlit as st

from ui import compare_view, controls, resources, stage_view, words
from ui.compare import Choice
from ui.language import _
from ui.state import beside, session

resources.settle()
with st.sidebar:
    controls.picture()
    model, size = controls.network()
    there = controls.way_there()
    back = controls.way_back(model)

st.html(stage_view.STYLE)
st.markdown(f"#### {_(words.COMPARE_SUBTITLE)}")
if session().picture is not None:
    one = Choice(model, size, there, back)
    other = compare_view.other(one)
    for here, choice in ((session(), one), (beside(), other)):
        stage_view.prepare(choice.there, choice.model, choice.size, here)
    compare_view.show(one, other)
