"""The gallery: what a network makes of nothing but noise, sixty-four times."""

import streamlit as st

from ui import gallery_view, resources, stage_view, words
from ui.language import _

resources.settle()
st.html(stage_view.STYLE)
st.markdown(f"#### {_(words.GALLERY)}")
if (wish := gallery_view.wish()) is not None:
    gallery_view.show(wish)
