"""The networks: the whole card of each, as it is made from what was measured."""

import streamlit as st

from ui import card_view, stage_view, tables, words
from ui.language import _
from ui.resources import cards

st.html(stage_view.STYLE + tables.STYLE)
st.markdown(f"#### {_(words.NETWORKS)}")
found = cards()
if not found:
    st.info(_(words.NO_MODELS))
else:
    if st.session_state.get("network_shown") not in found:
        st.session_state["network_shown"] = next(iter(found))
    st.segmented_control(
        _("Network"), list(found), key="network_shown", required=True, label_visibility="collapsed",
        format_func=lambda name: _(name.capitalize()),
    )  # fmt: skip
    card_view.show(found[st.session_state["network_shown"]])
