"""What a teacher's link holds fast: a locked control is shown, marked with a lock, and cannot be moved."""

from __future__ import annotations

import streamlit as st

from ui import words
from ui.language import N_, _

#: What can be locked, by its name in a link, and what it is called on the page.
LOCKABLE = {
    "sample": N_("Your picture"),
    "model": N_("Network"),
    "size": N_("Size of the stage"),
    "process": N_("Process"),
    "sigma_q": N_("σ_q"),
    "steps": N_("T, steps"),
    "grid": N_("Steps are"),
    "seed": N_("Seed"),
    "label": N_("Ask for"),
    "start": N_("The way back starts"),
    "sampler": N_("Sampler"),
    "back_steps": N_("Steps back"),
    "back_grid": N_("Steps back are"),
    "index": N_("Noise number"),
    "view": N_("How a frame is shown"),
}


def locked(*names: str) -> bool:
    """Whether the link of this session holds any of them."""
    return not set(names).isdisjoint(st.session_state.get("lock", ()))


def named(name: str) -> str:
    """What a control is called, with a lock before it while it is held."""
    return f":material/lock: {_(LOCKABLE[name])}" if locked(name) else _(LOCKABLE[name])


def explain(key: str) -> None:
    """Where something is locked: by whom, and the way out."""
    if st.session_state.get("lock"):
        st.info(_(words.LOCKED), icon=":material/lock:")
        st.button(
            _("Unlock"), key=key, icon=":material/lock_open:", on_click=_unlock, help=_(words.UNLOCK_HELP)
        )


def _unlock() -> None:
    st.session_state["lock"] = []
