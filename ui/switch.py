"""What every page has: the switch of the language, how each is set in type, one entry in the history."""

from __future__ import annotations

import streamlit as st

from ui import links
from ui.language import LANGUAGES, TAGS, _, current
from ui.resources import cards
from ui.settings import PRESETS
from ui.state import session

# In the corner of Streamlit's own header, which lies above the page; the links beside it fold away in time.
# Chinese has no italics: what is stressed is heavier; no space between letters, no line that begins with a
# full stop.
STYLE = """<style>
.st-key-language-bar { position: fixed; top: 0.55rem; right: 1rem; z-index: 999990; width: auto; }
[data-testid="stToolbar"] { padding-right: 12rem; }
@media (max-width: 1100px) {
  .st-key-language-bar button { padding-inline: 0.5rem; }
  [data-testid="stToolbar"] { padding-right: 9.2rem; }
}
:lang(zh) { line-break: strict; letter-spacing: 0 !important; }
:lang(zh) em { font-style: normal; font-weight: 600; }
</style>"""
# Streamlit makes an entry of the browser's history whenever the address changes, with each move of the thumb:
# Back is to lead to the page before, so what changes nothing but the query takes the place of the last entry.
SCRIPT = """<script>
document.documentElement.lang = 'TAG';
if (!window.thereAndBackHistory) {
  window.thereAndBackHistory = true;
  const push = history.pushState;
  history.pushState = function (state, title, url) {
    const same = url && new URL(url, location.href).pathname === location.pathname;
    return (same ? history.replaceState : push).call(this, state, title, url);
  };
}
</script>"""


def language() -> None:
    """Draw the switch."""
    st.session_state.setdefault("language", current())
    st.html(STYLE + SCRIPT.replace("TAG", TAGS[current()]), unsafe_allow_javascript=True)
    with st.container(key="language-bar"):
        st.segmented_control(
            _("Language"), LANGUAGES, format_func=LANGUAGES.__getitem__,
            key="language", required=True, label_visibility="collapsed",
        )  # fmt: skip


def mend() -> None:
    """Read every choice that arrives in another language than the page has now.

    The browser names a choice by the text it shows. Whoever touches a widget just while the page
    changes its language sends all of them in the old one: then the last sound choices stand.
    """
    chosen = session().chosen
    readers = {field.name: field.read for field in links.fields()} | {"preset": links.one_of(list(PRESETS))}
    for model, card in cards().items():
        readers |= {f"{key}-{model}": links.one_of(card["classes"]) for key in links.LABELS}
    for key, read in readers.items():
        if not isinstance(value := st.session_state.get(key), str):
            continue
        try:
            chosen[key] = read(value)
        except ValueError:
            if key in chosen:
                st.session_state[key] = chosen[key]
            else:
                del st.session_state[key]
