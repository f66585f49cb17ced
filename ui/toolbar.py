"""The row under the stage: keep what stands there, and share it."""

from __future__ import annotations

from functools import partial

import streamlit as st

from ui import words
from ui.journey import WayThere
from ui.language import _
from ui.resources import cards
from ui.runcard import run_card
from ui.share import copy_link
from ui.state import Session


def toolbar(here: Session, there: WayThere, view: str, computing: bool) -> None:
    """Draw it for what stands on the stage."""
    with st.container(key="toolbar", horizontal=True):
        copy_link(key="copy-link")
        way = here.run.way if here.run else None
        source = here.picture.source if here.picture else ""
        weights = cards().get(way.model, {}).get("sha256") if way else None
        st.download_button(
            _("Download this journey"), partial(run_card, there, way, view, source or "an upload", weights),
            file_name=f"there-and-back-{there.settings.seed}.zip", mime="application/zip", key="download",
            on_click="ignore", icon=":material/download:", disabled=computing, help=_(words.DOWNLOAD_HELP),
        )  # fmt: skip
    st.caption(_(words.DOWNLOAD))
