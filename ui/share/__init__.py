"""Copy link: the address bar into the clipboard; where browsers keep that shut, it says why."""

from __future__ import annotations

from pathlib import Path

from streamlit.components.v2 import component

from ui.language import N_, each

LABELS = {
    "copy": N_("Copy link"),
    "copy_locked": N_("Copy link with locks"),
    "copied": N_("Copied"),
    "holds": N_("The link holds every setting and the seed, never an upload."),
    "insecure": N_(
        "This page came over plain http, where browsers keep the clipboard shut. Copy the marked link "
        "by hand:"
    ),
    "refused": N_("The browser keeps its clipboard shut. Copy the marked link by hand:"),
    "link": N_("The link"),
}

_HERE = Path(__file__).parent
_component = component(
    "copy_link",
    html=(_HERE / "share.html").read_text("utf-8"),
    css=(_HERE / "share.css").read_text("utf-8"),
    js=(_HERE / "share.js").read_text("utf-8"),
)


def copy_link(*, key: str, lock: str = "") -> None:
    """A button that copies what the address bar says at that moment.

    Parameters
    ----------
    key : str
        Of this place on the page.
    lock : str
        Names to lock, with commas between them; added to the link.
    """
    labels = each(LABELS)
    labels["copy"] = labels["copy_locked" if lock else "copy"]
    _component(key=key, data={"labels": labels, "lock": lock}, width="content")
