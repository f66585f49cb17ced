"""A visitor without a browser: speaks the page's own websocket protocol. Also used by the bench.

It behaves as Streamlit's browser part does: remembers what it set, tells the server which messages
it has kept, lets the page's clocks run, and answers nothing else. What a page shows is
read from the messages themselves, so a check on it is a check on what a browser would draw.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

ROOT = Path(__file__).resolve().parents[1]
#: Seconds a server may take to answer for the first time.
START = 60.0
#: Starts that are tried.
ATTEMPTS = 3
#: Streamlit's widget ids end in the key that the program gave.
KEY = re.compile(r"^\$\$ID-[0-9a-f]+-(.+)$")
XSRF = "_streamlit_xsrf"
#: What the keys of the page's clocks begin with, see ui/clock.
CLOCK = "clock"
#: See ``clock.js``.
LATE = 5


@contextlib.contextmanager
def served(
    log: Path, *options: str, prelude: str = "", env: Mapping[str, str] | None = None, port: int = 0
) -> Iterator[tuple[str, int]]:
    """The app as a process of its own; yields its address and process id once it answers.

    Parameters
    ----------
    log : Path
        Where what it prints goes.
    *options : str
        More options for ``streamlit run``.
    prelude : str
        Python that runs before Streamlit is imported: how a bench switches a measure off.
    env : mapping of str to str, optional
        On top of this process's own environment.
    port : int
        0 takes a free one.

    Raises
    ------
    RuntimeError
        If it does not start.
    """
    code = f"{prelude}\nimport sys\nfrom streamlit.web.cli import main\nsys.exit(main())"
    for _ in range(1 if port else ATTEMPTS):  # a free port may be taken before it is used: try another
        at = port or _free_port()
        command = [
            sys.executable,
            "-c",
            code,
            "run",
            str(ROOT / "app.py"),
            "--server.port",
            str(at),
            *options,
        ]
        address = f"http://127.0.0.1:{at}"
        with log.open("wb") as out:
            process = subprocess.Popen(
                command, cwd=ROOT, stdout=out, stderr=out, env={**os.environ, **(env or {})}
            )
        try:
            if answers(f"{address}/_stcore/health", process):
                yield address, process.pid
                return
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    raise RuntimeError(f"the app did not start:\n{log.read_text(errors='replace')}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    """Wait until a server answers; False if it ends or takes too long."""
    until = time.monotonic() + START
    while time.monotonic() < until and process.poll() is None:
        with (
            contextlib.suppress(urllib.error.URLError, OSError),
            urllib.request.urlopen(url, timeout=5) as reply,
        ):
            if reply.status == 200:
                return True
        time.sleep(0.05)
    return False


class Failed(AssertionError):
    """The page showed an error, or not what was asked for."""


class Visitor:
    """One browser tab.

    Attributes
    ----------
    shown : dict
        Elements with a key, by key: their protobuf as last drawn.
    fresh : set of str
        Keys drawn since the last :meth:`act`.
    texts : dict
        What texts and alerts say, by their place on the page.
    session : str
        The server's name for this session; empty before the first page.
    received : int
        Bytes that came through the websocket.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.shown: dict[str, Any] = {}
        self.fresh: set[str] = set()
        self.texts: dict[tuple[int, ...], str] = {}
        self.session = ""
        self.received = 0
        self._fragments: dict[str, str] = {}
        self._states: dict[str, WidgetState] = {}
        self._kept: dict[str, tuple[int, ForwardMsg]] = {}
        self._runs, self._age, self._page = 0, 2, ""
        self._cookies: dict[str, str] = {}
        self._socket: ClientConnection | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._files: dict[str, asyncio.Future[FileURLs]] = {}
        self._alive: set[str] = set()
        self._finished = asyncio.Event()
        self._error: str | None = None

    @property
    def broken(self) -> bool:
        """Whether the connection is gone."""
        return self._socket is None or self._tasks["read"].done()

    # --- coming and going -----------------------------------------------------------------------

    async def open(self, patience: float = 60.0) -> float:
        """Connect and take the first page; returns the seconds it took."""
        began = time.perf_counter()
        await self.get("/_stcore/health")
        await self.connect()
        await self.act(patience=patience)
        return time.perf_counter() - began

    async def connect(self) -> None:
        """Open the websocket, for the session that was there before where there was one."""
        protocols = ["streamlit", self._cookies.get(XSRF, "none"), *([self.session] if self.session else [])]
        self._socket = await connect(
            self.address.replace("http", "ws", 1) + "/_stcore/stream",
            subprotocols=[Subprotocol(name) for name in protocols],
            origin=Origin(self.address),
            additional_headers={"Cookie": self._cookie()},
            max_size=None,
            compression=None,
            open_timeout=60,
            proxy=None,
        )
        self._tasks["read"] = asyncio.create_task(self._read(self._socket))

    async def close(self) -> None:
        """Leave, as a closed tab does. :meth:`connect` comes back."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        if self._socket is not None:
            await self._socket.close()

    # --- doing ----------------------------------------------------------------------------------

    async def act(
        self,
        done: Callable[[], bool] = lambda: True,
        patience: float = 60.0,
        **values: Any,
    ) -> float:
        """Set widgets, and wait until a run of the page has ended with `done` true.

        Parameters
        ----------
        done : callable
            Looks at :attr:`shown` and :attr:`fresh`; what it raises goes on.
        patience : float
            Seconds until this counts as failed.
        **values
            By key: numbers, booleans, lists of str, ``True`` for a button, dicts for a component.

        Returns
        -------
        float
            Seconds from sending to the end of that run.

        Raises
        ------
        Failed
            If the page showed an exception, the connection broke, or time ran out.
        """
        self.fresh.clear()
        self._finished.clear()
        self._error = None
        began = time.perf_counter()
        fragments = {self._fragments.get(key, "") for key in values}
        await self._send(values, fragments.pop() if len(fragments) == 1 else "")
        try:
            async with asyncio.timeout(patience):
                while True:
                    await self._finished.wait()
                    self._finished.clear()
                    if self._error:
                        raise Failed(self._error)
                    if done():
                        return time.perf_counter() - began
        except TimeoutError:
            raise Failed(f"{list(values) or 'the first page'}: no answer in {patience:g} s") from None

    async def upload(self, key: str, name: str, data: bytes) -> dict[str, Any]:
        """Hand a file to the upload endpoint; returns the value for the uploader."""
        number = uuid.uuid4().hex
        waiting = self._files[number] = asyncio.get_running_loop().create_future()
        message = BackMsg()
        message.file_urls_request.request_id = number
        message.file_urls_request.file_names.append(name)
        message.file_urls_request.session_id = self.session
        await self._write(message)
        urls = await asyncio.wait_for(waiting, 60)
        bound = uuid.uuid4().hex
        head = f'--{bound}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
        head += "Content-Type: application/octet-stream\r\n\r\n"
        await self.get(
            urls.upload_url,
            head.encode() + data + f"\r\n--{bound}--\r\n".encode(),
            {"Content-Type": f"multipart/form-data; boundary={bound}", "X-Xsrftoken": self._cookies[XSRF]},
        )
        return {"file": urls, "name": name, "size": len(data)}

    async def get(
        self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[bytes, Any]:
        """Fetch from the server, or PUT `body` to it; the answer and its headers."""
        whole = {"Cookie": self._cookie(), **(headers or {})}
        method = "GET" if body is None else "PUT"
        request = urllib.request.Request(self.address + path, body, whole, method=method)

        def fetch() -> tuple[bytes, Any]:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.read(), reply.headers

        answer, told = await asyncio.to_thread(fetch)
        for text in told.get_all("Set-Cookie") or ():
            self._cookies |= {name: morsel.value for name, morsel in SimpleCookie(text).items()}
        return answer, told

    async def fetch(self, paths: Sequence[str]) -> None:
        """Fetch files over one connection that is kept, as browsers do."""
        where = urlsplit(self.address)

        def fetch() -> None:
            connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
            with contextlib.closing(connection):
                for path in paths:
                    connection.request("GET", path, headers={"Cookie": self._cookie()})
                    reply = connection.getresponse()
                    reply.read()
                    if reply.status != HTTPStatus.OK:
                        raise Failed(f"{path}: {reply.status}")

        await asyncio.to_thread(fetch)

    def _cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())

    # --- reading --------------------------------------------------------------------------------

    def data(self, key: str) -> Any:
        """What a component was given."""
        shown = self.shown[key]
        return json.loads(shown.json) if shown.WhichOneof("data") == "json" else shown.bytes

    def figure(self, key: str) -> dict[str, Any]:
        """A plotly figure."""
        return json.loads(self.shown[key].spec)

    def option(self, key: str, number: int) -> str:
        """The text of an option, which is what the browser sends for it."""
        return self.shown[key].options[number]

    # --- the protocol ---------------------------------------------------------------------------

    async def _send(self, values: dict[str, Any], fragment: str) -> None:
        message = BackMsg()
        rerun = message.rerun_script
        for key, value in values.items():
            state = self._state(key, value)
            if state.WhichOneof("value") == "trigger_value":
                rerun.widget_states.widgets.append(state)
            else:
                self._states[state.id] = state
        rerun.widget_states.widgets.extend(self._states.values())
        rerun.page_script_hash, rerun.fragment_id = self._page, fragment
        rerun.cached_message_hashes.extend(self._kept)
        rerun.context_info.url = self.address
        rerun.context_info.color_scheme = "light"
        await self._write(message)

    def _state(self, key: str, value: Any) -> WidgetState:
        shown = self.shown[key]
        state = WidgetState(id=shown.id)
        match type(shown).__name__, value:
            case "Button", _:
                state.trigger_value = True
            case "BidiComponent", _:
                state.json_value = json.dumps(value)
            case "FileUploader", _:
                info = state.file_uploader_state_value.uploaded_file_info.add()
                info.name, info.size, info.file_id = value["name"], value["size"], value["file"].file_id
                info.file_urls.CopyFrom(value["file"])
            case _, bool():
                state.bool_value = value
            case _, int() | float():
                state.double_value = value
            case _, str():
                state.string_value = value
            case _:
                state.string_array_value.data.extend(value)
        return state

    async def _write(self, message: BackMsg) -> None:
        if self._socket is None:
            raise Failed("not connected")
        await self._socket.send(message.SerializeToString())

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for data in socket:
                self.received += len(data)
                message = ForwardMsg()
                message.ParseFromString(data if isinstance(data, bytes) else data.encode())
                self._take(message)
        except ConnectionClosed as error:
            self._error = f"the connection broke: {error}"
            self._finished.set()
        except Exception as error:
            self._error = f"{type(error).__name__}: {error}"
            self._finished.set()

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "ref_hash":
            metadata = message.metadata
            known = self._kept[message.ref_hash][1]
            message = ForwardMsg()
            message.CopyFrom(known)
            message.metadata.CopyFrom(metadata)
            message.hash = known.hash
            kind = "delta"
        elif kind == "delta" and message.metadata.cacheable:
            self._kept[message.hash] = self._runs, message
        if message.hash in self._kept:
            self._kept[message.hash] = self._runs, self._kept[message.hash][1]
        match kind:
            case "new_session":
                new = message.new_session
                self.session, self._page = new.initialize.session_id, new.page_script_hash
                self._age = new.config.max_cached_message_age
                parts = set(message.metadata.run.fragment_ids)
                for name in [name for name in self._tasks if name.startswith(CLOCK)]:
                    if not parts or self._fragments[name] in parts:  # if it is still drawn, it starts again
                        self._tasks.pop(name).cancel()
                if not parts:
                    self._alive.clear()
                    self.texts.clear()
            case "delta":
                self._draw(message)
            case "file_urls_response":
                answer = message.file_urls_response
                self._files.pop(answer.response_id).set_result(answer.file_urls[0])
            case "script_finished":
                self._end(message.script_finished)

    def _draw(self, message: ForwardMsg) -> None:
        if message.delta.WhichOneof("type") != "new_element":
            return
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind is None:
            return
        shown = getattr(element, kind)
        if kind == "exception":
            self._error = f"the page raised {shown.type}: {shown.message}"
        elif kind in ("markdown", "alert"):
            self.texts[tuple(message.metadata.delta_path)] = shown.body
        if found := KEY.match(getattr(shown, "id", "")):
            key = found[1]
            if shown.DESCRIPTOR.fields_by_name.get("set_value") and shown.set_value:
                self._states.pop(shown.id, None)  # the program has set it: that is its value now
            self.shown[key] = shown
            self.fresh.add(key)
            self._alive.add(shown.id)
            self._fragments[key] = message.delta.fragment_id
            if key.startswith(CLOCK):
                if key in self._tasks:
                    self._tasks[key].cancel()
                self._tasks[key] = asyncio.create_task(self._tick(key))

    def _end(self, how: int) -> None:
        if how == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            return
        if how == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            self._error = "the page does not compile"
        if how == ForwardMsg.FINISHED_SUCCESSFULLY:
            self._runs += 1
            self.shown = {key: shown for key, shown in self.shown.items() if shown.id in self._alive}
            self.fresh &= self.shown.keys()
            self._states = {name: state for name, state in self._states.items() if name in self._alive}
            self._kept = {k: kept for k, kept in self._kept.items() if self._runs - kept[0] <= self._age}
        self._finished.set()

    async def _tick(self, key: str) -> None:
        """What ``clock.js`` does."""
        data = self.data(key)
        await asyncio.sleep(data["every"])
        with contextlib.suppress(ConnectionClosed, Failed):
            while key in self.shown:
                await self._send({key: {"asked": time.monotonic()}}, self._fragments[key])
                await asyncio.sleep(LATE * data["every"])


def numbers(column: Any) -> np.ndarray:
    """A column of a plotly trace, however it travelled."""
    if isinstance(column, dict):
        return np.frombuffer(base64.b64decode(column["bdata"]), column["dtype"])
    return np.asarray(column, dtype=float)
