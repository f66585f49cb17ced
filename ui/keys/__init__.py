"""Keys for the whole page, and the list of them behind ``?``."""

from __future__ import annotations

from pathlib import Path

from streamlit.components.v2 import component

from ui.language import N_, _, each

#: Key as browsers name it: its sign, what it does on the stage or which button it presses, and in words.
KEYS = {
    " ": (N_("Space"), "stage play", N_("Play or pause")),
    "ArrowRight": ("→", "stage on", N_("One step on")),
    "ArrowLeft": ("←", "stage back", N_("One step back")),
    "Home": (N_("Home"), "stage home", N_("To the beginning")),
    "End": (N_("End"), "stage end", N_("To the end")),
    "b": ("b", "button walk", N_("Walk back, or go on")),
    "n": ("n", "button one", N_("The next step of the way back alone")),
    "s": ("s", "button stop", N_("Stop a way back under way")),
    "p": ("p", "button to-projector", N_("Projector: large type, and nothing but the stage")),
    "Escape": (N_("Esc"), "leave to-projector", N_("Leave the projector")),
    "?": ("?", "list", N_("This list")),
}
LABELS = {
    "title": N_("Keys"),
    "note": N_("They work wherever you are on this page, but for fields you type into."),
    "on": N_("Keys are on"),
    "close": N_("Close"),
}

_HERE = Path(__file__).parent
_component = component(
    "keys",
    html=(_HERE / "keys.html").read_text("utf-8"),
    css=(_HERE / "keys.css").read_text("utf-8"),
    js=(_HERE / "keys.js").read_text("utf-8"),
)


def keys(*, key: str, projector: bool) -> None:
    """Listen to the keys, and show a button for their list.

    Parameters
    ----------
    key : str
        Of this place on the page.
    projector : bool
        Whether the projector is on, so that Esc leaves it.
    """
    rows = [
        {"key": code, "sign": _(sign), "does": does, "text": _(text)}
        for code, (sign, does, text) in KEYS.items()
    ]
    _component(key=key, data={"keys": rows, "projector": projector, "labels": each(LABELS)}, width="content")
