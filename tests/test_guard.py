"""What Streamlit would do for whoever asks is not done."""

from types import SimpleNamespace

import pytest
import streamlit as st
from starlette.formparsers import MultiPartParser
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.script_data import ScriptData
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from ui import guard


class Session(AppSession):
    """One that was never opened."""

    def __init__(self) -> None:
        self.failed: list[BaseException] = []

    def __del__(self) -> None:
        pass

    def handle_backmsg_exception(self, e: BaseException) -> None:
        self.failed.append(e)


def test_nobody_empties_the_caches() -> None:
    kept = st.cache_resource(lambda: object())
    before = kept()
    session = Session()
    session.handle_backmsg(BackMsg(clear_cache=True))
    assert not session.failed
    assert kept() is before


def test_nobody_learns_of_git(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    monkeypatch.setattr("streamlit.git_util.GitRepo", looked.append)
    session = Session()
    session._script_data = ScriptData("app.py", is_hello=False)
    session.handle_backmsg(BackMsg(load_git_info=True))
    assert not session.failed
    assert not looked


def test_an_upload_does_not_go_through_the_disk() -> None:
    assert MultiPartParser.spool_max_size > st.get_option("server.maxUploadSize") * 2**20


def test_files_that_nobody_fetches_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "MOST_WAITING", 100)
    monkeypatch.setattr(guard, "_waiting", type(guard._waiting)())
    files = MemoryUploadedFileManager("/upload")

    def send(session: str, name: str, size: int = 40) -> None:
        files.add_file(session, UploadedFileRec(name, name, "image/png", bytes(size)))

    def there() -> set[str]:
        asked = (("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"))
        return {name for session, name in asked if files.get_files(session, [name])}

    send("a", "1")
    send("b", "2")
    assert there() == {"1", "2"}
    files.remove_file("a", "1")  # a page has fetched it
    send("c", "3")
    assert there() == {"2", "3"}
    send("d", "4")
    assert there() == {"3", "4"}, "the oldest goes"
    send("d", "4", 500)
    assert there() == {"4"}, "the newest stays, whatever it weighs"


def test_downloads_stay_until_the_next_page_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit lets them go when a page is asked for, which may wait long for its turn."""
    cleared: list[str | None] = []
    monkeypatch.setattr(guard, "_clear_session_refs", lambda _files, session=None: cleared.append(session))
    files = MediaFileManager(MemoryMediaFileStorage("/media"))
    files.clear_session_refs()  # as before a script
    assert cleared == []
    files.clear_session_refs("gone")  # as when a session ends
    assert cleared == ["gone"]
    monkeypatch.setattr(guard.runtime, "get_instance", lambda: SimpleNamespace(media_file_mgr=files))
    guard.begin_page()
    assert cleared == ["gone", None]
