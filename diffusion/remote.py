"""A network that is asked elsewhere, over HTTP, and here while that is away.

One question is one POST to ``/denoise``, nothing is ever unpickled: a little-endian uint32, the length of a
JSON header, the header, then x (B, C, H, W) and sigma (B,) as little-endian float32. The answer is x0_hat as
float32, of x's shape. The header names the network and the hash of its weights: other weights refuse.

Pictures of several people are put into one batch over there. A convolution rounds a little differently in a
batch than alone, so an answer may differ from the network's own by :data:`TOLERANCE`, not more.
"""

from __future__ import annotations

import http.client
import json
import logging
import math
import socket
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import torch
from torch import Tensor

from .checkpoint import load_denoiser, read_card
from .denoiser import NetworkDenoiser
from .errors import ModelError
from .guidance import Guidance

#: How far one answer may be from the network's own, in a range of -1 to 1; measured, at most 2e-6.
TOLERANCE = 1e-5
#: Seconds until the other side counts as away, and until it is asked again.
CONNECT, ANSWER, REST = 2.0, 10.0, 15.0
#: Floats in a question at most.
MOST = 64 * 3 * 256 * 256
_log = logging.getLogger(__name__)


def pack(header: dict[str, Any], *arrays: Tensor) -> bytes:
    """A message: header and tensors."""
    text = json.dumps(header).encode()
    floats = (np.ascontiguousarray(x.detach().cpu().numpy(), "<f4").tobytes() for x in arrays)
    return b"".join((struct.pack("<I", len(text)), text, *floats))


def unpack(message: bytes) -> tuple[dict[str, Any], Tensor, Tensor]:
    """Header, x and sigma of a question.

    Raises
    ------
    ValueError
        If it is not a sound one.
    """
    if len(message) < 4:
        raise ValueError("too short")
    size = int.from_bytes(message[:4], "little")
    header = json.loads(message[4 : 4 + size])
    shape = header.get("shape") if isinstance(header, dict) else None
    if not isinstance(shape, list) or len(shape) != 4 or not all(type(n) is int and n > 0 for n in shape):
        raise ValueError("no shape of a batch of pictures")
    count = math.prod(shape)
    if count > MOST or len(message) != 4 + size + 4 * (count + shape[0]):
        raise ValueError("too large, or not as long as its shape says")
    floats = torch.from_numpy(np.frombuffer(message, "<f4", offset=4 + size).copy())
    x, sigma = floats[:count].reshape(shape), floats[count:]
    if not bool((torch.isfinite(sigma) & (sigma > 0)).all()):
        raise ValueError("sigma must be finite and above 0")
    return header, x, sigma


class Networks:
    """The answering side: the shipped networks, several questions in one batch.

    Parameters
    ----------
    folder : Path, optional
        Where the weights lie.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._loaded: dict[str, tuple[str, NetworkDenoiser]] = {}

    def answer(self, messages: Sequence[bytes]) -> list[tuple[int, bytes]]:
        """HTTP status and body for each question; those that go together are computed together."""
        answers: list[tuple[int, bytes]] = [(500, b"")] * len(messages)
        groups: dict[Any, list[tuple[int, dict[str, Any], Tensor, Tensor]]] = defaultdict(list)
        for number, message in enumerate(messages):
            try:
                header, x, sigma = unpack(message)
                net = self._network(str(header["network"]), str(header["sha256"]))
                header["labels"] = [int(label) for label in header["labels"]] * (
                    len(x) if len(header["labels"]) == 1 else 1
                )
                if x.shape[1] != net.channels:
                    raise ValueError(f"{net.name} takes {net.channels} channels, not {x.shape[1]}")
                if len(header["labels"]) not in (0, len(x)):
                    raise ValueError("labels do not fit the batch")
                if not all(0 <= label < len(net.classes) for label in header["labels"]):
                    raise ValueError("no such label")
                key = (
                    net.name,
                    x.shape[1:],
                    bool(header["labels"]),
                    Guidance.read(header["guidance"]),
                    header.get("guide", True),
                )
                groups[key].append((number, header, x, sigma))
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError, ModelError) as error:
                answers[number] = 400, f"{type(error).__name__}: {error}".encode()
        for (name, *_, guidance, by_guide), asked in groups.items():
            labels = tuple(label for _, header, *_ in asked for label in header["labels"])
            net = self._loaded[name][1].with_labels(labels, guidance)
            net = net if by_guide else net.without_guide()
            x0_hat = net._denoise(torch.cat([x for *_, x, _ in asked]), torch.cat([s for *_, s in asked]))
            parts = x0_hat.split([len(x) for *_, x, _ in asked])
            for (number, *_), part in zip(asked, parts, strict=True):
                answers[number] = 200, np.ascontiguousarray(part.numpy(), "<f4").tobytes()
        return answers

    def _network(self, name: str, sha256: str) -> NetworkDenoiser:
        if name not in self._loaded:
            self._loaded[name] = read_card(name, self._folder)["sha256"], load_denoiser(name, self._folder)
        known, net = self._loaded[name]
        if known != sha256:
            raise ValueError(f"other weights of {name} here")
        return net


class RemoteDenoiser(NetworkDenoiser):
    """A network asked at `address`; while nobody answers there, `own` does.

    Parameters
    ----------
    own : NetworkDenoiser
    sha256 : str
        Hash of its weights, see the card.
    address : str
        ``http://host:port``.
    """

    def __init__(self, own: NetworkDenoiser, sha256: str, address: str) -> None:
        vars(self).update(vars(own))
        self._sha256, self._line = sha256, _Line(address)

    @property
    def away(self) -> bool:
        """Whether the other side did not answer lately."""
        return time.monotonic() < self._line.away

    def _denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        header = {
            "network": self.name, "sha256": self._sha256, "shape": list(x.shape),
            "labels": list(self.labels), "guidance": self.guidance.facts(),
            "guide": self.guide is not None,
        }  # fmt: skip
        answer = self._line.ask(pack(header, x, sigma)) if x.numel() <= MOST else None
        if answer is None or len(answer) != 4 * x.numel():
            return super()._denoise(x, sigma)
        return torch.from_numpy(np.frombuffer(answer, "<f4").copy()).reshape(x.shape)


class _Line:
    """Connections to one address, one a thread, and whether anybody is there."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"the network's address must be like http://127.0.0.1:8000, got {address!r}")
        self.host, self.port = parts.hostname, parts.port or 80
        self.path = f"{parts.path.rstrip('/')}/denoise"
        self._mine = threading.local()
        self.away = 0.0

    def ask(self, message: bytes) -> bytes | None:
        """The answer; None while the other side is away."""
        if time.monotonic() < self.away:
            return None
        try:
            reply = self._post(message)
        except (OSError, http.client.HTTPException) as error:
            self._rest(str(error) or type(error).__name__)
            return None
        return reply

    def _post(self, message: bytes) -> bytes | None:
        for attempt in (0, 1):  # a connection kept open may have been closed over there
            fresh = getattr(self._mine, "connection", None) is None
            connection = self._connection()
            try:
                connection.request("POST", self.path, message, {"Content-Type": "application/octet-stream"})
                reply = connection.getresponse()
                body = reply.read()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                self._mine.connection = None
                if fresh or attempt or isinstance(error, TimeoutError):
                    raise
                continue
            if reply.status != 200:
                self._rest(f"{reply.status} {body[:200].decode(errors='replace')}")
                return None
            return body
        return None

    def _connection(self) -> http.client.HTTPConnection:
        if getattr(self._mine, "connection", None) is None:
            made = http.client.HTTPConnection(self.host, self.port, timeout=CONNECT)
            made.connect()
            made.sock.settimeout(ANSWER)
            made.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._mine.connection = made
        return self._mine.connection

    def _rest(self, why: str) -> None:
        self.away = time.monotonic() + REST
        _log.warning("the network at %s:%d is away (%s): computing here", self.host, self.port, why)
