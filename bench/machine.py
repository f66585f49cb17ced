"""What a figure was measured on, and how time and memory are taken."""

from __future__ import annotations

import importlib
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch


@dataclass(frozen=True)
class Timing:
    """Many repeats of one call, after warm-up.

    Attributes
    ----------
    wall : tuple of float
        Seconds on the clock.
    processor : tuple of float
        Seconds of processor time. With one thread the two agree on an idle machine; on a busy one
        this is the one to believe, as it leaves out the waiting for others.
    """

    wall: tuple[float, ...]
    processor: tuple[float, ...]

    @property
    def best(self) -> float:
        """Seconds on the clock of the least disturbed repeat."""
        return min(self.wall)

    @property
    def median(self) -> float:
        """Seconds of processor time, the median."""
        return statistics.median(self.processor)


@contextmanager
def one_thread() -> Iterator[None]:
    """PyTorch computes on one thread for a while: what is timed is one thread's work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


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
    taken: list[list[tuple[float, float]]] = [[] for _ in calls]
    for number in range(warm_up + repeats):
        for call, rounds in zip(calls, taken, strict=True):
            wall, processor = time.perf_counter(), time.process_time()
            call()
            if number >= warm_up:
                rounds.append((time.perf_counter() - wall, time.process_time() - processor))
    return [Timing(tuple(w for w, _ in rounds), tuple(p for _, p in rounds)) for rounds in taken]


def share(values: Sequence[float], part: float) -> float:
    """The value that `part` of them do not exceed."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def memory(peak: bool = True, process: int | str = "self") -> float:
    """Resident memory of a process in MiB, now or at its peak; NaN where it cannot be told."""
    wanted = "VmHWM:" if peak else "VmRSS:"
    try:
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
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


@contextmanager
def whole(file: Path) -> Iterator[Path]:
    """Where to write a file that takes its place at the end: whole or not at all, though a run be stopped."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    yield partial
    partial.replace(file)


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
    except (ImportError, RuntimeError) as error:  # the latter where torchvision and torch do not go together
        print(f"skipped: {module} cannot be imported ({error}); pip install {install}", file=sys.stderr)
        return None
