"""What Streamlit does for whoever asks, and a server for many must not. Imported once, it holds from then on.

Over its websocket any visitor may have all caches emptied, the common queue with them, and may ask what the
server's working copy of git looks like. A file sent to it is put on disk from one megabyte up, and kept as
long as its session lasts, fetched by a page or not. What a page offers for download is let go before the next
one is drawn, and gone while that waits; here only when `app.py` calls :func:`begin_page`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

import streamlit as st
from starlette.formparsers import MultiPartParser
from streamlit import runtime
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

#: Bytes of files that no page has fetched yet, of all sessions together; the oldest go first.
MOST_WAITING = 400_000_000
_waiting: OrderedDict[tuple[str, str], int] = OrderedDict()
_lock = threading.Lock()
_add_file = MemoryUploadedFileManager.add_file
_clear_session_refs = MediaFileManager.clear_session_refs


def _ignored(self: AppSession) -> None:
    """Asked for by anybody, done for nobody."""


def _add_bounded(self: MemoryUploadedFileManager, session_id: str, file: UploadedFileRec) -> None:
    _add_file(self, session_id, file)
    with _lock:
        _waiting[session_id, file.file_id] = len(file.data)
        for session, name in [key for key in _waiting if not self.get_files(key[0], [key[1]])]:
            del _waiting[session, name]  # a page has fetched it, or its session has gone
        while len(_waiting) > 1 and sum(_waiting.values()) > MOST_WAITING:
            self.remove_file(*_waiting.popitem(last=False)[0])


def _only_at_the_end(self: MediaFileManager, session_id: str | None = None) -> None:
    """Let a session's files go when it ends; before a page is drawn, :func:`begin_page` does."""
    if session_id is not None:
        _clear_session_refs(self, session_id)


def begin_page() -> None:
    """A page is about to be drawn anew: what is offered for download on the last one is no longer.

    Streamlit says so when it is asked for the page, which may have to wait for its turn; what stands on
    the screen meanwhile could not be downloaded.
    """
    _clear_session_refs(runtime.get_instance().media_file_mgr)


AppSession._handle_clear_cache_request = _ignored
AppSession._handle_git_information_request = _ignored
MemoryUploadedFileManager.add_file = _add_bounded
MediaFileManager.clear_session_refs = _only_at_the_end
# The form around the file is counted too.
MultiPartParser.spool_max_size = (st.get_option("server.maxUploadSize") + 2) * 2**20
