"""The languages of the app: every text of ours goes through `_`, at the moment it is shown.

A language is a folder of ``ui/locales`` and a line in :data:`LANGUAGES`; ``make words`` keeps the
catalogues in step with the code.
"""

from __future__ import annotations

import contextlib
import functools
import gettext
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from diffusion.errors import N_ as N_
from diffusion.errors import Listed, Sentence

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


#: A number by itself: none that is part of a name, such as the 7 of rho7.
_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*(?!\w)")


def numberless(text: str) -> str:
    """A measured text with places for its numbers: "512 samples" is "{0} samples"."""
    places = iter(range(len(text)))
    return text if "{" in text or "}" in text else _NUMBER.sub(lambda _found: f"{{{next(places)}}}", text)


def measured(text: str) -> str:
    """A text from a card: one translation serves whatever numbers were measured."""
    said = _(text)
    if said != text or "{" in text or "}" in text:
        return said
    return _(numberless(text)).format(*_NUMBER.findall(text))


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, digits: int = 3) -> str:
    """A number as a person writes it: 0.0021, 1,024, 6.3·10⁻¹⁰."""
    text = f"{float(value):.{digits}g}"
    if "e" not in text:
        return text
    if 1000 <= abs(float(text)) < 1e6:
        return f"{value:,.0f}"
    mantissa, power = text.split("e")
    return f"{mantissa}·10{str(int(power)).translate(_RAISED)}"


def tell(sentence: Sentence) -> str:
    """A sentence made elsewhere, in the language of the session that asks."""
    return str(Sentence(_(sentence.text), {k: _value(v) for k, v in sentence.values.items()}))


def _value(value: Any) -> Any:  # noqa: ANN401 - whatever a place takes
    match value:
        case str():
            return measured(value)
        case Sentence():
            return tell(value)
        case Listed(texts, between):
            return _(between).join(_value(text) for text in texts if text)
        case _:
            return value


def joined(*sentences: str) -> str:
    """Sentences one after another: Chinese ones stand without a blank between them."""
    return ("" if current() == "zh" else " ").join(filter(None, sentences))
