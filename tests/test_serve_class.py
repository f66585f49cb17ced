"""The sheet for the projector names the address, and the code says the same."""

import ipaddress
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import serve_class  # noqa: E402

URL = "http://192.168.178.21:8501"


def test_the_sheet_shows_the_address_and_fetches_nothing():
    pytest.importorskip("segno")
    text = serve_class.sheet(URL)
    assert "192.168.178.21:8501</h1>" in text
    assert "<svg" in text
    assert "src=" not in text
    assert "href=" not in text


def test_the_addresses_can_be_reached_from_elsewhere():
    for address in serve_class.addresses():
        assert not ipaddress.ip_address(address).is_loopback
        assert not ipaddress.ip_address(address).is_link_local


def test_no_network_is_said(monkeypatch):
    monkeypatch.setattr(serve_class, "addresses", list)
    monkeypatch.setattr(sys, "argv", ["make class"])
    with pytest.raises(SystemExit, match="no network"):
        serve_class.main()


def test_it_serves_the_room_and_caps_uploads():
    told = serve_class.command("192.168.178.21", 8700)
    assert told[told.index("--server.address") + 1] == "0.0.0.0"
    assert int(told[told.index("--server.maxUploadSize") + 1]) <= 25


def test_help_needs_nothing_installed():
    done = subprocess.run(
        [sys.executable, serve_class.__file__, "--help"], capture_output=True, text=True, check=True
    )
    assert "--address" in done.stdout
