"""The row under the stage: keep what stands there, and share it."""

from __future__ import annotations

import streamlit as st

from ui.share import copy_link


def toolbar() -> None:
    """Draw it."""
    with st.container(key="toolbar", horizontal=True):
        copy_link(key="copy-link")
