"""What all sessions share: the networks and the workers. The only cached objects of the app."""

from __future__ import annotations

import functools
import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

import diffusion
from diffusion.checkpoint import PRETRAINED
from diffusion.denoiser import NetworkDenoiser
from ui.runs import make_workers


@st.cache_resource(show_spinner=False, max_entries=8)
def _load(name: str, changed: float) -> NetworkDenoiser:
    del changed  # part of the key: weights put there anew are loaded anew
    return diffusion.load_denoiser(name)


def network(name: str) -> NetworkDenoiser:
    """A shipped network, loaded once for everyone.

    Raises
    ------
    diffusion.ModelError
        If it is missing or altered.
    """
    weights = PRETRAINED / f"{name}.safetensors"
    return _load(name, weights.stat().st_mtime if weights.is_file() else 0.0)


def cards() -> dict[str, dict[str, Any]]:
    """The readable model cards by name, in the order they are offered; broken ones are left out."""
    found = {}
    order = ("photos", "dogs", "digits")
    names = diffusion.available()
    for name in sorted(names, key=lambda n: (order.index(n) if n in order else len(order), n)):
        try:
            found[name] = diffusion.read_card(name)
        except diffusion.ModelError:
            continue
    return found


#: Seconds between two garbage collections.
TIDY = 2.0


@st.cache_resource(show_spinner=False)
def settle() -> None:
    """Once a process, when all is imported: spare what lives for ever every later collection."""
    gc.collect()
    gc.freeze()
    _keep_tidy()


@functools.cache
def _keep_tidy() -> None:
    """Collect now and then. Streamlit would after every rerun, and all sessions wait for it each time."""

    def tidy() -> None:
        while True:
            time.sleep(TIDY)
            if any(gc.get_count()[1:]):  # something has happened since
                gc.collect()

    threading.Thread(target=tidy, name="tidy", daemon=True).start()


@st.cache_resource(show_spinner=False)
def workers() -> ThreadPoolExecutor:
    """The threads that walk back, for everyone."""
    return make_workers()


@dataclass(frozen=True)
class Sample:
    """A sample picture that stands ready."""

    name: str
    title: str
    path: Path
    source: str
    alt: str


@st.cache_data(show_spinner=False, max_entries=1)
def samples() -> tuple[Sample, ...]:
    """The sample pictures, in the order they are offered."""
    import json

    folder = Path(__file__).parent / "samples"
    rows = json.loads((folder / "samples.json").read_text(encoding="utf-8"))
    return tuple(
        Sample(row["name"], row["title"], folder / row["file"], row["source"], row["alt"]) for row in rows
    )
