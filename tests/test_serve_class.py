"""The sheet for the projector names the address, and the code says the same."""

import socket
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

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


class Probe:
    """A socket of a machine that has an address of its own in two networks, and no way to any other."""

    SENDS_FROM: ClassVar = {"192.0.2.1": "192.168.1.20", "10.42.0.2": "169.254.1.1"}

    def __init__(self, *_: object) -> None:
        self.far = ""

    def __enter__(self) -> "Probe":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def connect(self, address: tuple[str, int]) -> None:
        self.far, _ = address
        if self.far not in self.SENDS_FROM:
            raise OSError("network is unreachable")

    def getsockname(self) -> tuple[str, int]:
        return self.SENDS_FROM[self.far], 40000


def test_the_addresses_can_be_reached_from_elsewhere(monkeypatch):
    names = ("127.0.1.1", "10.0.0.7", "192.168.1.20")
    named = [(socket.AF_INET, socket.SOCK_DGRAM, 0, "", (ip, 0)) for ip in names]
    monkeypatch.setattr(socket, "socket", Probe)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: named)
    assert serve_class.addresses() == ["192.168.1.20", "10.0.0.7"]  # what it sends from comes first


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
