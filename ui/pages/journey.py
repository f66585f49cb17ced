"""The page that makes the journey: controls beside, stage first, then figures and the step apart."""

import streamlit as st

from ui import controls, resources, stage_view, words
from ui.language import _
from ui.state import session
from ui.turns import turns

resources.settle()
with st.sidebar:
    controls.picture()
    model, size = controls.network()
    turns.breathe()
    there = controls.way_there()
    back = controls.way_back(model)

st.html(stage_view.STYLE)
st.markdown(f"#### {_(words.SUBTITLE)}")
turns.breathe()
if session().picture is not None:
    stage_view.prepare(there, model, size)
    turns.breathe()
    stage_view.show(back, model)
