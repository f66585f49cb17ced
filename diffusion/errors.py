"""Errors told to people: a sentence and its values, kept apart so that a page can translate it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


def N_(text: str) -> str:
    """Mark a text for the catalogues of whoever translates; it stays as it is."""
    return text


@dataclass(frozen=True)
class Sentence:
    """A text with named places, and what goes into them.

    Attributes
    ----------
    text : str
        In English, with places like ``{name}``.
    values : mapping of str to Any
        Those that are texts, sentences or :class:`Listed` may be translated like `text` itself.
    """

    text: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text.format(**self.values) if self.values else self.text


@dataclass(frozen=True)
class Listed:
    """Texts in a row, as a value of a sentence: empty ones are left out.

    Attributes
    ----------
    texts : tuple of str or Sentence
    between : str
        Marked with N_.
    """

    texts: tuple[str | Sentence, ...]
    between: str = N_(", ")

    def __str__(self) -> str:
        return self.between.join(str(text) for text in self.texts if text)


class Said(Exception):
    """An error whose message is one sentence for the person.

    Parameters
    ----------
    text : str
    **values : Any
        See :class:`Sentence`.
    """

    def __init__(self, text: str, **values: Any) -> None:  # noqa: ANN401 - whatever a place takes
        self.sentence = Sentence(text, values)
        super().__init__(str(self.sentence))


class PictureError(Said, ValueError):
    """A file that cannot be used as a picture."""


class ModelError(Said, RuntimeError):
    """A model is missing, altered or unreadable; the message names it and says what to do."""


class SettingError(Said, ValueError):
    """Something was asked for that cannot be done; the message says what can."""
