"""What a figure was measured on, and how time and memory are taken."""

from __future__ import annotations

import importlib
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch


@dataclass(frozen=True)
class Timing:
    """Seconds of many repeats, after warm-up."""

    seconds: tuple[float, ...]

    @property
    def best(self) -> float:
        """The least disturbed repeat."""
        return min(self.seconds)

    @property
    def median(self) -> float:
        """What to expect."""
        return statistics.median(self.seconds)


def timed(calls: Sequence[Callable[[], Any]], repeats: int, warm_up: int = 3) -> list[Timing]:
    """Time several calls in turn, round by round, so that a busy machine slows all alike.

    Parameters
    ----------
    calls : sequence of callable
        What to time.
    repeats : int
        Rounds that count.
    warm_up : int
        Rounds before them that do not.

    Returns
    -------
    list of Timing
        One a call.
    """
    seconds: list[list[float]] = [[] for _ in calls]
    for number in range(warm_up + repeats):
        for call, taken in zip(calls, seconds, strict=True):
            began = time.perf_counter()
            call()
            if number >= warm_up:
                taken.append(time.perf_counter() - began)
    return [Timing(tuple(taken)) for taken in seconds]


def memory(peak: bool = True) -> float:
    """Resident memory of this process in MiB, now or at its peak; NaN where it cannot be told."""
    wanted = "VmHWM:" if peak else "VmRSS:"
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(wanted):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return float("nan")


def reset_peak() -> None:
    """Let the peak start again from what is used now (Linux; elsewhere nothing happens)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def description() -> str:
    """Processor, cores, how busy they are, and the versions that matter."""
    cpu = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    return (
        f"{cpu}, {cores} cores{load}; Python {platform.python_version()}, torch {torch.__version__}, "
        f"{torch.get_num_threads()} thread(s)"
    )


def optional(module: str, install: str) -> ModuleType | None:
    """Import a package that only a bench needs; say how to get it where it is missing.

    Parameters
    ----------
    module : str
        What to import.
    install : str
        What to tell ``pip install``.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        print(f"skipped: {module} is missing ({error}); pip install {install}", file=sys.stderr)
        return None
