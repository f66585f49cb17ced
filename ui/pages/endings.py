"""The page of many endings: one start, many ways back, and what they have in common."""

import streamlit as st

from ui import controls, endings_view, resources, stage_view, words
from ui.language import _
from ui.state import session

resources.settle()
with st.sidebar:
    controls.picture()
    model, size = controls.network()
    there = controls.way_there()
    back = controls.way_back(model, sampler="endings_sampler")

st.html(stage_view.STYLE)
st.markdown(f"#### {_(words.ENDINGS_SUBTITLE)}")
if session().picture is not None:
    stage_view.prepare(there, model, size)
    endings_view.show(back, model)
