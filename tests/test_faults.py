"""Whatever goes wrong around the app: it goes on, and says what it must."""

import asyncio
import json

import pytest
import streamlit as st
from page import PATIENCE, opened

from diffusion import checkpoint
from tests.visitor import Visitor, served


@pytest.fixture
def folder(small_models, tmp_path, monkeypatch):
    """A copy of the small networks that may be spoilt."""
    for path in small_models.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(checkpoint, "PRETRAINED", tmp_path)
    st.cache_resource.clear()
    yield tmp_path
    st.cache_resource.clear()


def missing(path):
    path.unlink()


def truncated(path):
    path.write_bytes(path.read_bytes()[:-1000])


def altered(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("spoil", [missing, truncated, altered, empty])
def test_spoilt_weights_are_named_and_the_rest_goes_on(folder, spoil):
    spoil(folder / "dogs.safetensors")
    app = opened()
    app.radio(key="model").set_value("dogs").run()
    app.session_state["journey"].move_to(50)
    app.run()
    app.button(key="walk").click().run()
    assert not app.exception
    assert any("dogs.safetensors" in info.value for info in app.info)
    app.radio(key="model").set_value("digits").run()
    app.button(key="walk").click().run()
    run = app.session_state["journey"].run
    run.wait(PATIENCE)
    app.run()
    assert not app.exception
    assert run.finished


#: A card of which one fact is of another kind than it must be.
SPOILT = json.dumps(checkpoint.read_card("dogs") | {"sigma_max": None})


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", SPOILT])
def test_a_spoilt_card_leaves_the_others(folder, text):
    (folder / "dogs.json").write_text(text)
    app = opened()
    assert len(app.radio(key="model").options) == 2


def test_no_network_at_all(folder):
    for path in folder.iterdir():
        path.unlink()
    app = opened()
    assert app.warning


def test_nothing_can_be_written_and_a_lost_connection_comes_back(tmp_path):
    """No home, no place for temporary files; then a visitor is cut off and returns."""

    async def visit(address):
        visitor = Visitor(address)
        await visitor.open()
        await visitor.act(steps=37)
        turn = visitor.data("stage")["at"]["turn"]
        await visitor.act(stage={"told": {"stop": 12, "turn": turn}})
        before, session = visitor.data("stage"), visitor.session
        await visitor.close()
        await asyncio.sleep(1)
        await visitor.connect()
        await visitor.act()
        after = visitor.data("stage")
        assert visitor.session == session
        assert json.dumps(after["there"]) == json.dumps(before["there"])
        assert after["there"]["total"] == 37
        assert after["at"]["stop"] == 12
        await visitor.close()

    nowhere = {"HOME": "/proc", "XDG_CACHE_HOME": "/proc/cache", "TMPDIR": "/proc"}  # not even for root
    with served(tmp_path / "log", env=nowhere) as (address, _):
        asyncio.run(visit(address))
    assert "Traceback" not in (tmp_path / "log").read_text()
