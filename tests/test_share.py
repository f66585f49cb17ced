"""Copy link: its words, and what the page does where a browser keeps the camera shut."""

from pathlib import Path

import pytest
from page import opened

from ui import controls, share, words


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("blocked", [True, False])
def test_where_the_camera_is_shut_it_says_why_and_offers_the_upload(monkeypatch, blocked: bool):
    monkeypatch.setattr(controls, "camera_blocked", lambda url: blocked)
    app = opened()
    app.toggle(key="camera_on").set_value(True).run()
    assert not app.exception
    assert bool(app.get("camera_input")) != blocked
    assert (words.NO_CAMERA in [note.value for note in app.info]) == blocked
    assert "pload" in words.NO_CAMERA
    assert app.get("file_uploader")


def test_its_script_asks_for_no_other_words():
    script = (Path(share.__file__).parent / "share.js").read_text("utf-8")
    assert {name for name in share.LABELS if f"labels.{name}" in script} == share.LABELS.keys() - {
        "copy_locked"
    }
