"""The languages of the app: every text of ours goes through `_`, at the moment it is shown."""

from __future__ import annotations

import functools
import gettext
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

#: Code to name, each name in its own language.
LANGUAGES = {"en": "English", "zh": "简体中文"}
LOCALES = Path(__file__).parent / "locales"


def N_(text: str) -> str:
    """Mark a text of a module for the catalogues; `_` translates it where it is shown."""
    return text


def current() -> str:
    """The language of the session that asks; English outside of one."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return "en"
    chosen = st.session_state.get("language")
    return chosen if chosen in LANGUAGES else "en"


@functools.cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation("app", LOCALES, [language], fallback=True)


def _(text: str) -> str:
    """`text` in the language of the session that asks.

    Numbers go in afterwards: ``_("Step {k} of {total}").format(k=3, total=10)``.
    """
    return _catalogue(current()).gettext(text) if text else text
