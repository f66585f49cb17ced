"""Whether the browser trusts the address of the page: over plain http it keeps the camera to itself."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def camera_blocked(url: str | None) -> bool:
    """Whether a browser that shows the page at `url` lets it use neither camera nor clipboard.

    Browsers do so outside of a *secure context*: anything but https and this very machine.

    Parameters
    ----------
    url : str or None
        As the browser tells it, ``st.context.url``; None, not known, counts as not blocked.
    """
    parts = urlsplit(url or "")
    if parts.scheme != "http" or not parts.hostname:
        return False
    if parts.hostname == "localhost" or parts.hostname.endswith(".localhost"):
        return False
    try:
        return not ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return True
