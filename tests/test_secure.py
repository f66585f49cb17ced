"""What the W3C calls potentially trustworthy, and what not."""

import pytest

from ui.secure import camera_blocked


@pytest.mark.parametrize(
    "url", ["http://192.168.1.20:8501/", "http://teacher.lan/", "http://[fd00::2]:8501", "http://10.0.0.1"]
)
def test_plain_http_from_elsewhere_is_blocked(url):
    assert camera_blocked(url)


@pytest.mark.parametrize(
    "url",
    ["https://example.org", "https://192.168.1.20", "http://localhost:8501/", "http://127.0.0.1:8501", "http://[::1]:80/",
     "http://127.8.9.1/", "http://app.localhost", None, "", "about:blank"],
)  # fmt: skip
def test_everything_else_is_not(url):
    assert not camera_blocked(url)
