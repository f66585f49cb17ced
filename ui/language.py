"""The languages of the app: every text of ours goes through `_`, at the moment it is shown.

A language is a folder of ``ui/locales`` and a line in :data:`LANGUAGES`; ``make words`` keeps the
catalogues in step with the code.
"""

from __future__ import annotations

import contextlib
import functools
import gettext
import sys
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from diffusion.errors import N_ as N_
from diffusion.errors import Sentence

#: Code to name, each name in its own language.
LANGUAGES = {"en": "English", "zh": "简体中文"}
#: What browsers and readers aloud call them.
TAGS = {"en": "en", "zh": "zh-Hans"}
LOCALES = Path(__file__).parent / "locales"
_spoken: ContextVar[str] = ContextVar("language", default="")


def current() -> str:
    """The language chosen in the session that asks, at first its browser's; English outside of one."""
    if spoken := _spoken.get():
        return spoken
    if "streamlit" not in sys.modules:  # the figures can be drawn without it
        return "en"
    import streamlit as st
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    if get_script_run_ctx(suppress_warning=True) is None:
        return "en"
    chosen = st.session_state.get("language")
    return chosen if chosen in LANGUAGES else of_browser(st.context.locale)


@contextlib.contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak this language where no session asks, as when a file is made for a download."""
    before = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(before)


def of_browser(locale: str | None) -> str:
    """The language nearest to what a browser asks for, ``zh-CN`` say; English if there is none."""
    code = (locale or "").replace("_", "-").partition("-")[0].lower()
    return code if code in LANGUAGES else "en"


@functools.cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation("app", LOCALES, [language], fallback=True)


def _(text: str) -> str:
    """`text` in the language of the session that asks.

    Numbers go in afterwards: ``_("Step {k} of {total}").format(k=3, total=10)``.
    """
    return _catalogue(current()).gettext(text) if text else text


def each(texts: Mapping[str, str]) -> dict[str, str]:
    """All of them in the language of the session that asks."""
    return {name: _(text) for name, text in texts.items()}


def named(texts: Mapping[str, str]) -> Callable[[str], str]:
    """Show a code by its text: what a widget takes as its ``format_func``."""
    return lambda code: _(texts[code])


def tell(sentence: Sentence) -> str:
    """A sentence made elsewhere, in the language of the session that asks."""
    values: dict[str, Any] = {k: _(v) if isinstance(v, str) else v for k, v in sentence.values.items()}
    return str(Sentence(_(sentence.text), values))


def joined(*sentences: str) -> str:
    """Sentences one after another: Chinese ones stand without a blank between them."""
    return ("" if current() == "zh" else " ").join(filter(None, sentences))
