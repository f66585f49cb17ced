"""Parts of a page that are drawn by themselves."""

from collections.abc import Callable

import pytest
import streamlit as st

from ui import compare_view, endings_view, fragment, gallery_view, stage_view


def test_streamlit_can_tell_the_fragments_of_two_pages_apart(monkeypatch: pytest.MonkeyPatch):
    """By name and place: the widgets of one would be forgotten with those of another in the same place."""
    names = []

    def noted(draw: Callable[[], None]) -> Callable[[], None]:
        names.append((draw.__module__, draw.__qualname__))
        return lambda: None

    monkeypatch.setattr(st, "fragment", noted)
    pages = (stage_view, gallery_view, endings_view, compare_view)
    for page in pages:
        fragment.fragment(page._draw)
    assert names == [(page.__name__, "_draw") for page in pages]
