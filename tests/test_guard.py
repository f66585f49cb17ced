"""What Streamlit would do for whoever asks is not done."""

import pytest
import streamlit as st
from starlette.formparsers import MultiPartParser
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
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


@pytest.mark.parametrize("asked", ["clear_cache", "load_git_info"])
def test_nobody_empties_the_caches_or_learns_of_git(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = st.cache_resource(lambda: object())
    before = kept()
    session = Session()
    monkeypatch.setattr("subprocess.run", None)
    session.handle_backmsg(BackMsg(**{asked: True}))
    assert not session.failed
    assert kept() is before


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
