"""What all sessions share: networks, and the line of those who compute. The app's only caches."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
import torch

import diffusion
from diffusion import checkpoint, data, memory
from diffusion.denoiser import NetworkDenoiser
from diffusion.pictures import to_bytes
from diffusion.recipes import FOLDERS, RECIPES
from diffusion.remote import RemoteDenoiser
from ui import gallery
from ui.pace import Pace
from ui.queue import Queue
from ui.recent import Recent

#: Names the folder with the data sets, for whoever has them: digits-28, pets-heads-64.
DATA = "THERE_AND_BACK_DATA"

#: Environment variable with the address of a shared network, see docs/deploy.md.
NETWORK = "THERE_AND_BACK_NETWORK"


@st.cache_resource(show_spinner=False, max_entries=8)
def _load(name: str, changed: tuple[int, ...]) -> NetworkDenoiser:
    del changed  # part of the key: weights, or a card, put there anew are loaded anew
    net = diffusion.load_denoiser(name).recorded()
    if address := os.environ.get(NETWORK):
        net = RemoteDenoiser(net, diffusion.read_card(name)["sha256"], address)
    x = torch.zeros(1, net.channels, net.size, net.size)
    net(x, 1.0)  # the first look is slow; the second tells the pace
    began = time.monotonic()
    net(x, 1.0)
    pace().note(name, net.size**2, time.monotonic() - began)
    return net


def network(name: str) -> NetworkDenoiser:
    """A shipped network, loaded once for everyone.

    Raises
    ------
    diffusion.ModelError
        If it is missing or altered.
    """
    files = (checkpoint.PRETRAINED / f"{name}{suffix}" for suffix in (".safetensors", ".json"))
    return _load(name, tuple(file.stat().st_mtime_ns if file.is_file() else 0 for file in files))


def cards() -> dict[str, dict[str, Any]]:
    """The readable model cards by name, in the order they are offered; broken ones are left out."""
    folder = checkpoint.PRETRAINED
    if not folder.is_dir():
        return {}
    with os.scandir(folder) as entries:  # what lies there now; the quickest way to ask
        found = [(e.name, e.stat()) for e in entries if e.name.endswith(".json")]
    return _cards(folder, tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in found)))


@functools.lru_cache(maxsize=8)  # asked for many times a page, and Streamlit's cache takes its time
def _cards(folder: Path, files: tuple[tuple[str, int, int], ...]) -> dict[str, dict[str, Any]]:
    found = {}
    order = ("photos", "dogs", "digits")
    names = [Path(file).stem for file, _changed, _size in files]
    for name in sorted(names, key=lambda n: (order.index(n) if n in order else len(order), n)):
        with contextlib.suppress(diffusion.ModelError):
            found[name] = diffusion.read_card(name, folder)
    return found


def any_size(card: dict[str, Any]) -> bool:
    """Whether a network takes pictures of other sizes than it was trained on."""
    return checkpoint.config_from(card["architecture"]).any_size


def makes_pictures(name: str) -> bool:
    """Whether a network has learnt to make pictures from pure noise."""
    return cards()[name]["sigma_max"] >= RECIPES["dogs"].sigma_max


#: Seconds between two garbage collections. Each holds everyone up for some 60 ms.
TIDY = 15.0


@st.cache_resource(show_spinner=False)
def settle() -> None:
    """Once a process, when all is imported: spare what lives for ever every later collection."""
    gc.collect()
    gc.freeze()
    _keep_tidy()


@functools.cache
def _keep_tidy() -> None:
    """Collect now and then. Streamlit would after every rerun, and all sessions wait for it each time."""

    def keep() -> None:
        tidy = Tidy()
        while True:
            time.sleep(TIDY)
            tidy.look()

    threading.Thread(target=keep, name="tidy", daemon=True).start()


class Tidy:
    """Collects garbage, and now and then also among what was spared.

    Whoever was there when all else was spared (:func:`settle`) would never be let go otherwise. Looking at
    everything holds everyone up for a third of a second, so it is done when nothing has happened since the
    last look, and else once in :data:`THOROUGH` looks.
    """

    THOROUGH = 20

    def __init__(self) -> None:
        self._looks, self._rested = 0, False

    def look(self) -> None:
        """Look through what is new, or through everything."""
        busy = any(gc.get_count()[1:])
        self._looks += 1
        if busy and self._looks < self.THOROUGH:
            gc.collect()
            self._rested = False
        elif busy or not self._rested:
            gc.unfreeze()
            gc.collect()
            gc.freeze()
            self._looks, self._rested = 0, not busy


@st.cache_resource(show_spinner=False)
def pace() -> Pace:
    """How long looks at the networks take here."""
    return Pace()


@st.cache_resource(show_spinner=False)
def shelf() -> Recent[np.ndarray]:
    """Finished pictures of galleries, each under its exact key."""
    return gallery.shelf()


@st.cache_resource(show_spinner=False, max_entries=8)
def _load_index(name: str, changed: float) -> memory.Index | None:
    del changed  # part of the key, as for the weights
    return memory.load(name)


def index(name: str) -> memory.Index | None:
    """The index of a network's training pictures, loaded once for everyone; None if it has none.

    Raises
    ------
    diffusion.ModelError
        If it is missing or altered.
    """
    file = memory.path(name, checkpoint.PRETRAINED)
    return _load_index(name, file.stat().st_mtime if file.is_file() else 0.0)


@st.cache_data(show_spinner=False, max_entries=64)
def training_pictures(name: str, places: tuple[int, ...]) -> list[np.ndarray]:
    """Training pictures by their places in the index, (H, W, 3) uint8, where this server has them.

    They are looked for under the folder that the environment variable THERE_AND_BACK_DATA names. None
    come back where it names none, or what lies there is not what the index was made of.
    """
    folder, known = os.environ.get(DATA), index(name)
    if not folder or known is None or name not in FOLDERS:
        return []
    recipe = RECIPES[name]
    try:
        found = data.pick(
            Path(folder) / FOLDERS[name], places, channels=recipe.config.channels, size=recipe.size,
            only=recipe.only,
        )  # fmt: skip
    except (data.DataError, OSError):
        return []
    pictures = data.to_unit(torch.stack(found))
    return [to_bytes(picture) for picture in pictures] if known.are(pictures, places) else []


@st.cache_resource(show_spinner=False)
def queue() -> Queue:
    """The line in which everyone's computing waits."""
    return Queue()


@dataclass(frozen=True)
class Sample:
    """A sample picture that stands ready."""

    name: str
    title: str
    path: Path
    source: str
    alt: str


@functools.cache
def samples() -> tuple[Sample, ...]:
    """The sample pictures, in the order they are offered."""
    import json

    folder = Path(__file__).parent / "samples"
    rows = json.loads((folder / "samples.json").read_text(encoding="utf-8"))
    return tuple(
        Sample(row["name"], row["title"], folder / row["file"], row["source"], row["alt"]) for row in rows
    )
