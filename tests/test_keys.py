"""Every key of the list does something that is there."""

import re
from pathlib import Path

from ui.keys import KEYS

UI = Path(__file__).resolve().parents[1] / "ui"


def test_every_key_leads_somewhere():
    stage = set(re.findall(r'data-do="(\w+)"', (UI / "stage/stage.html").read_text("utf-8")))
    drawn = (UI / "actions.py").read_text("utf-8") + (UI / "toolbar.py").read_text("utf-8")
    buttons = set(re.findall(r'key="([\w-]+)"', drawn))
    does = [does.partition(" ") for _, does, _ in KEYS.values()]
    assert {name for what, _, name in does if what == "stage"} == stage
    assert {name for what, _, name in does if what in ("button", "leave")} <= buttons
    assert {what for what, _, _ in does} == {"stage", "button", "leave", "list"}


def test_no_two_say_the_same():
    texts = [text for _, _, text in KEYS.values()]
    assert len(set(texts)) == len(texts)
