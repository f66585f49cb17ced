"""The row under the stage: keep what stands there, and share it."""

from __future__ import annotations

from functools import partial

import streamlit as st

from ui import words
from ui.journey import WayThere
from ui.keys import keys
from ui.language import _, named
from ui.locks import LOCKABLE
from ui.resources import cards
from ui.runcard import AN_UPLOAD, README, run_card
from ui.share import copy_link
from ui.state import Session


def toolbar(here: Session, there: WayThere, view: str, computing: bool) -> None:
    """Draw it for what stands on the stage."""
    with st.container(key="toolbar"):
        with st.container(key="tools", horizontal=True):
            copy_link(key="copy-link")
            _download(here, there, view, computing)
            teachers = st.popover(
                _("For teachers"), icon=":material/school:", key="teachers", on_change="rerun"
            )
            if teachers.open:  # only then is it drawn
                with teachers:
                    _for_teachers(here)
            st.button(
                _("Leave") if projector() else _("Projector"), key="to-projector", on_click=_switch,
                icon=":material/close:" if projector() else ":material/present_to_all:",
            )  # fmt: skip
            keys(key="keys", projector=projector())
        st.caption(_(words.DOWNLOAD))


def projector() -> bool:
    """Whether there is to be nothing but the stage, in large type."""
    return bool(st.session_state.get("projector"))


def _switch() -> None:
    st.session_state["projector"] = int(not projector())


def _download(here: Session, there: WayThere, view: str, computing: bool) -> None:
    way = here.run.way if here.run else None
    source = (here.picture.source if here.picture else "") or AN_UPLOAD
    weights = cards().get(way.model, {}).get("sha256") if way else None
    readme = _(README).format(picture=_(source).rstrip(".。"))
    st.download_button(
        _("Download this journey"), partial(run_card, there, way, view, source, weights, readme),
        file_name=f"there-and-back-{there.settings.seed}.zip", mime="application/zip", key="download",
        on_click="ignore", icon=":material/download:", disabled=computing, help=_(words.DOWNLOAD_HELP),
    )  # fmt: skip


def _for_teachers(here: Session) -> None:
    """Where a teacher ticks what to lock, and gets the link."""
    st.markdown(_(words.LOCKING))
    st.session_state.setdefault("locking", st.session_state.get("to_lock", []))
    chosen = st.pills(
        _("To be locked"), list(LOCKABLE), selection_mode="multi", key="locking",
        format_func=named(LOCKABLE),
    )  # fmt: skip
    st.session_state["to_lock"] = chosen  # Streamlit forgets the pills when the popover closes
    own = here.picture is not None and not here.picture.source
    copy_link(key="copy-locked", lock=",".join(name for name in chosen if not (own and name == "sample")))
