"""The app without a browser."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

APP = Path(__file__).resolve().parents[1] / "app.py"
#: Seconds a rerun may take on a busy machine.
PATIENCE = 120


def untouched() -> AppTest:
    """The app before its first run."""
    return AppTest.from_file(str(APP), default_timeout=PATIENCE)


def opened(**link: str) -> AppTest:
    """The app as a link opens it."""
    app = untouched()
    for name, value in link.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app
