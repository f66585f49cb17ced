"""Where browsers lend the clipboard and the camera."""

import pytest

from ui.share import secure


@pytest.mark.parametrize(
    "address",
    [
        "https://school.example/app", "http://localhost:8501/", "http://127.0.0.1:8501", "http://[::1]:8501/",
        "http://127.8.9.1/", "http://app.localhost/", "", None,
    ],
)  # fmt: skip
def test_https_and_the_own_machine_are_secure(address):
    assert secure(address)


@pytest.mark.parametrize(
    "address",
    ["http://192.168.1.20:8501/", "http://school.example/", "http://[fe80::1]/", "http://localhost.example/"],
)
def test_plain_http_from_elsewhere_is_not(address):
    assert not secure(address)
