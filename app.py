"""There and Back: see diffusion. Start with ``streamlit run app.py``."""

import os

# One thread a computation: several people share few cores. Set before torch starts its pool.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import streamlit as st

from ui import controls, guard, links, switch  # guard: before anybody can ask for anything
from ui.language import _, current, speaking
from ui.turns import PAGE, turns


def page() -> None:
    """Draw the page that is asked for, below what every page has."""
    st.set_page_config(page_title=_("There and Back"), page_icon="ui/icon.png", layout="wide")
    switch.language()
    st.navigation(
        [
            st.Page("ui/pages/journey.py", title=_("Journey"), icon=":material/swap_horiz:", default=True),
            st.Page("ui/pages/learn.py", title=_("Learn"), icon=":material/school:"),
            st.Page("ui/pages/gallery.py", title=_("Gallery"), icon=":material/grid_view:"),
            st.Page("ui/pages/endings.py", title=_("Endings"), icon=":material/call_split:"),
            st.Page("ui/pages/compare.py", title=_("Compare"), icon=":material/compare:"),
            st.Page("ui/pages/networks.py", title=_("Networks"), icon=":material/hub:"),
        ],
        position="top",
    ).run()
    links.remember()


with turns.turn(PAGE):
    guard.begin_page()
    controls.keep()
    switch.mend()
    links.restore()  # may say which language
    with speaking(current()):
        page()
