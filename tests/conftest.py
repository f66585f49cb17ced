"""Fixtures of the whole suite: one thread, no luck, and small networks with weights of no meaning."""

import gc
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
import torch
from browser import chromium, server
from exact import small_network
from hypothesis import settings
from playwright.sync_api import Browser

from diffusion import checkpoint
from ui import resources, runs

torch.set_num_threads(1)
# Nothing depends on the time it takes: no job stops unseen, and nobody collects garbage in between.
runs.UNSEEN, resources.TIDY = math.inf, 1e6
# No time limits and the same examples in every run: a test that fails, fails again.
settings.register_profile("steady", deadline=None, derandomize=True, database=None, max_examples=50)
settings.load_profile("steady")

SHAPES = {  # name: channels, size, classes
    "digits": (1, 12, ("0", "1", "2")),
    "dogs": (3, 16, ("beagle", "pug")),
    "photos": (3, 16, ()),
}


@pytest.fixture(scope="session")
def small_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like `pretrained/`, with a small network under each shipped name."""
    folder = tmp_path_factory.mktemp("pretrained")
    for seed, (name, (channels, size, classes)) in enumerate(SHAPES.items()):
        model = small_network(channels, len(classes), seed, norm=name != "photos")
        card = {
            "title": f"small {name}",
            "size": size,
            "sigma_min": 0.002,
            "sigma_max": 80.0,
            "classes": list(classes),
            "guidance": {"weight": 2.0},
            "training": {"updates": 0, "pictures_seen": 0, "hours": 0.0, "history": []},
        }
        guide = None
        if name == "dogs":  # as the shipped one
            guide = small_network(channels, len(classes), seed + 100)
            card["training"] |= {"guide_pictures": 5}
        checkpoint.save_model(model, model.state_dict(), card, name, folder, guide)
    return folder


@pytest.fixture
def shipped(small_models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the small networks stand where the shipped ones are looked for."""
    monkeypatch.setattr(checkpoint, "PRETRAINED", small_models)
    return small_models


@pytest.fixture
def fresh_caches() -> Iterator[None]:
    """No network of one test in another."""
    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    st.cache_resource.clear()
    st.cache_data.clear()
    gc.unfreeze()  # what `resources.settle` has spared every collection


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser of the module's own."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the module's own server listens."""
    with server(tmp_path_factory.mktemp("server") / "log") as at:
        yield at
