"""Serve a class in the same room: ``make class``. Shows the address large and as a QR code.

The sheet with the code is a file on this machine, opened in this machine's browser: put it on the projector.
"""

from __future__ import annotations

import argparse
import contextlib
import html
import os
import socket
import sys
import tempfile
import webbrowser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Megabytes of one upload: a phone's photo, not a film, times thirty.
UPLOAD = 15
#: Somewhere else, as an address for documents; then in the networks that hotspots open: of Linux, Windows, a
#: Mac, an iPhone.
ELSEWHERE = ("192.0.2.1", "10.42.0.2", "192.168.137.2", "192.168.2.2", "172.20.10.2")

SHEET = """<!doctype html><html lang="en"><meta charset="utf-8"><title>There and Back: the address</title>
<style>
  body {{ margin: 0; min-height: 100vh; display: grid; place-content: center; justify-items: center;
         gap: 4vh; font-family: system-ui, sans-serif; background: #fff; color: #06282a; }}
  svg {{ height: 58vh; width: auto; }}
  h1 {{ font-size: min(9vw, 11vh); margin: 0; text-align: center; }}
  p {{ font-size: 2.6vh; margin: 0; color: #40565a; }}
</style>
<p>There and Back</p>{code}<h1>{address}</h1>
<p>Join the same Wi-Fi, open this in any browser.</p>
<p lang="zh">连上同一个 Wi-Fi，用任意浏览器打开。</p></html>
"""


def addresses() -> list[str]:
    """IPv4 addresses of this machine that others can reach, the likeliest first.

    That is the one it would send from to another network; then those its own name stands for.
    """
    found = []
    # No network is no error: there may be a hotspot of its own.
    for far in ELSEWHERE:
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((far, 9))  # nothing is sent
            found.append(probe.getsockname()[0])
    with contextlib.suppress(OSError):  # a name that nobody knows
        found += [str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
    return [a for a in dict.fromkeys(found) if not a.startswith(("127.", "169.254.", "0."))]


def sheet(address: str) -> str:
    """The sheet for the projector, as HTML that fetches nothing."""
    import segno

    code = segno.make(address, error="m", micro=False).svg_inline(omitsize=True, dark="#06282a")
    return SHEET.format(code=code, address=html.escape(address.removeprefix("http://")))


def _folder() -> Path:
    """Where the sheet goes: in this project, since some browsers have temporary files of their own."""
    folder = ROOT / "build"
    try:
        folder.mkdir(exist_ok=True)
        (folder / "class.html").touch()
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="there-and-back-"))
    return folder


def command(address: str, port: int) -> list[str]:
    """What starts the app for the whole room."""
    return [
        sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"),
        "--server.address", "0.0.0.0", "--server.port", str(port), "--server.maxUploadSize", str(UPLOAD),
        "--browser.serverAddress", address,  # else Streamlit asks the internet for one
    ]  # fmt: skip


def main() -> None:
    """Show the address, then become the server."""
    parser = argparse.ArgumentParser(prog="make class", description=__doc__)
    parser.add_argument("--address", help="which of this machine's addresses the class can reach")
    parser.add_argument("--port", type=int, default=8501)
    parser.add_argument("--no-browser", action="store_true", help="do not open the sheet")
    options = parser.parse_args()
    found = [options.address] if options.address else addresses()
    if not found:
        sys.exit(
            "This machine seems to be in no network. Join one, or open a hotspot, then start again; or name "
            "its address yourself: make class ADDRESS=192.168.1.20"
        )
    url = f"http://{found[0]}:{options.port}"
    import segno

    path = _folder() / "class.html"
    path.write_text(sheet(url), encoding="utf-8")
    segno.make(url, error="m", micro=False).terminal(compact=True)
    print(f"\n    {url}\n\n    For the projector: {path.as_uri()}")
    for other in found[1:]:
        print(f"    If that does not open: make class ADDRESS={other}")
    print("    Everybody in this network can open it; Ctrl+C ends it.\n", flush=True)
    if not options.no_browser:
        webbrowser.open(path.as_uri())
    os.chdir(ROOT)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.execv(sys.executable, command(found[0], options.port))


if __name__ == "__main__":
    main()
