"""The page under a class of visitors: ``python -m bench.load``, ``python -m bench.load --soak 300``.

Every visitor speaks the page's own protocol over its own websocket, thinks for two seconds on average, and
then lets go of the thumb (55 %), changes T, sigma_q, the process or the seed (20 %), uploads a photo of a
phone's size (10 %) or walks ten steps back with `dogs` (15 %). An answer counts only if it is the right one:
a script that raised still "finishes". The server is started here, on this machine, and ends with the bench.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import io
import math
import os
import random
import re
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench.machine import description, memory, share
from diffusion import PROCESSES
from tests.visitor import Failed, Visitor, numbers, served
from ui.settings import There

THINK = 2.0
ARRIVE = 10.0
PATIENCE = 60.0
STEPS_BACK = 10
NETWORK = "dogs"
#: What a photo of a phone measures, in pixels.
PHONE = (4032, 3024)
#: Share of each kind of interaction.
MIX = {"thumb": 0.55, "settings": 0.20, "upload": 0.10, "way back": 0.15}

#: All that needs no network, in one row.
ALIKE = "(all without a network)"

#: Our measures, each switched off by what runs before Streamlit is imported, and by options.
WITHOUT: dict[str, tuple[str, tuple[str, ...]]] = {
    "": ("", ()),
    "turns": (
        "import contextlib, ui.turns; ui.turns.Turns.turn = lambda self, rank: contextlib.nullcontext()",
        (),
    ),
    "recorded": (
        "import os; os.environ['OMP_NUM_THREADS'] = '1'\nimport torch; del torch.jit.trace",
        (),
    ),
    "freeze": ("import gc; gc.freeze = lambda: None", ()),
    "one-thread": (
        "import os; os.environ['OMP_NUM_THREADS'] = '2'\n"
        "import torch; torch.set_num_threads(2); torch.set_num_threads = lambda n: None",
        (),
    ),
    "uvloop": ("import sys; sys.modules['uvloop'] = None", ()),
}


@dataclass
class Figures:
    """What was measured: seconds by kind of interaction, and what went wrong."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    #: Variances measured on the frames, by picture and settings: the same for whoever asks.
    measured: dict[Any, list[float]] = field(default_factory=dict)

    async def time(self, kind: str, doing: Awaitable[float]) -> bool:
        """Note how long something took, or how it failed."""
        try:
            self.times[kind].append(await doing)
        except (TimeoutError, Failed, OSError) as error:
            self.wrong[kind].append(str(error) or type(error).__name__)
            return False
        return True


class Learner:
    """A visitor with habits."""

    def __init__(self, address: str, rng: random.Random, figures: Figures, photo: bytes) -> None:
        self.visitor = Visitor(address)
        self.rng, self.figures, self._photo = rng, figures, photo
        self.settings = There()
        self.picture = "sample"

    # --- what they do, each returns its seconds ---------------------------------------------------

    async def arrive(self, assets: list[str]) -> float:
        """Fetch what a browser fetches, connect, and see the first page."""
        began = time.perf_counter()
        await self.visitor.fetch(assets)
        await self.visitor.open(PATIENCE)
        _check(len(self._stage()["there"]["t"]) > 1, "the first page has no way there")
        return time.perf_counter() - began

    async def choose(self) -> float:
        """Take the network, and put the thumb where there is noise."""
        visitor = self.visitor
        options = [option.lower() for option in visitor.shown["model"].options]
        await self._act(model=visitor.option("model", options.index(NETWORK)))
        self._right(self.settings, None)
        return await self.thumb()

    async def thumb(self) -> float:
        """Let the thumb go somewhere on the way there: the plots must tell of that stop."""
        there, turn = self._stage()["there"], self._stage()["at"]["turn"]
        stop = self.rng.randrange(len(there["t"]) // 5, len(there["t"]))
        told = {"told": {"stop": stop, "turn": turn}}
        seconds = await self._act(stage=told)
        marked = self.visitor.figure("plot-variance")["data"][-1]
        at = (float(numbers(marked["x"])[0]), float(numbers(marked["y"])[0]))
        _check(at == (there["t"][stop], there["measured"][stop]), f"stop {stop}: plotted at {at}")
        return seconds

    async def change(self) -> float:
        """Change one setting of the way there: the stage must show a way with just these."""
        what = self.rng.choice(["steps", "sigma_q", "process", "seed"])
        if what == "sigma_q" and self.settings.process != "brownian":
            what = "process"
        offered: dict[str, list[Any]] = {
            "steps": [10, 20, 50, 100, 200],
            "sigma_q": [0.5, 1.0, 2.0, 3.0, 5.0, 10.0],
            "process": list(PROCESSES),
            "seed": list(range(20)),
        }
        value = self.rng.choice([v for v in offered[what] if v != getattr(self.settings, what)])
        sent = value
        if what == "process":
            sent = self.visitor.option("process", list(PROCESSES).index(value))
        before = self._stage()
        seconds = await self._act(**{what: sent})
        self.settings = replace(self.settings, **{what: value})
        self._right(self.settings, before)
        return seconds

    async def upload(self) -> float:
        """Upload a photo: the crop must show it, and the stage another picture."""
        name = f"{self.rng.getrandbits(64):x}"
        data = self._photo[:2] + b"\xff\xfe\x00\x22" + name.encode().ljust(32) + self._photo[2:]  # a comment
        before = self._stage()
        key = max((k for k in self.visitor.shown if k.startswith("upload-")), key=lambda k: int(k[7:]))
        began = time.perf_counter()
        value = await self.visitor.upload(key, f"{name}.jpg", data)
        await self._act(**{key: value})
        seconds = time.perf_counter() - began
        picture = hashlib.sha256(data).hexdigest()[:16]
        _check(f"crop-{picture}" in self.visitor.fresh, "the crop does not show the upload")
        self.picture = "photo"
        self._right(self.settings, before)
        return seconds

    async def back(self) -> float:
        """Walk back: ten steps must arrive, every number finite, every frame there."""
        before = self._chunks("back")

        def arrived() -> bool:
            if "stage" not in self.visitor.fresh:
                return False
            stage = self._stage()
            back = stage["back"]
            if not back or stage["following"] or self._chunks("back") == before:
                return False
            return len(back["t"]) == STEPS_BACK + 1

        try:
            seconds = await self.visitor.act(arrived, walk=True, patience=PATIENCE)
        except Failed as error:
            said = " | ".join(
                text for text in self.visitor.texts.values() if "aiting" in text or "Step" in text
            )
            raise Failed(f"{error} ({said[:200]})") from error
        back = self._stage()["back"]
        finite = all(math.isfinite(v) for name in ("t", "sigma") for v in back[name])
        finite &= all(v is not None and math.isfinite(v) for v in back["measured"][1:])
        _check(finite and back["step"] == list(range(STEPS_BACK + 1)), "the way back is not ten sound steps")
        frames = self._frames("back")
        _check(len(frames) == STEPS_BACK + 1, f"{len(frames)} frames of the way back")
        _check(len(np.unique(frames[-1])) > 8, "the way back ends in nothing")
        return seconds

    # --- what they look at ------------------------------------------------------------------------

    async def _act(self, **values: Any) -> float:  # noqa: ANN401 - whatever the widgets take
        """Set widgets; done when the stage has been drawn anew."""
        return await self.visitor.act(lambda: "stage" in self.visitor.fresh, PATIENCE, **values)

    def _stage(self) -> dict[str, Any]:
        return self.visitor.data("stage")

    def _chunks(self, way: str) -> list[str]:
        return [chunk["chunk"] for chunk in self._stage()["chunks"][way]]

    def _frames(self, way: str) -> np.ndarray:
        """Every frame of a way, from the depots that the stage names."""
        found = []
        for chunk in self._chunks(way):
            _check(f"depot-{chunk}" in self.visitor.shown, f"the frames {chunk} never came")
            data = self.visitor.data(f"depot-{chunk}")
            size = int.from_bytes(data[:4], "little")
            found.append(np.frombuffer(data[4 + size :], np.uint8))
        shape = self._shape(self._chunks(way)[0])
        return np.concatenate(found).reshape(-1, *shape)

    def _shape(self, chunk: str) -> tuple[int, int, int]:
        head = self.visitor.data(f"depot-{chunk}")[:200]
        height, width = (int(re.search(rb'"%s": (\d+)' % name, head)[1]) for name in (b"height", b"width"))  # type: ignore[index]
        return height, width, 3

    def _right(self, settings: There, before: dict[str, Any] | None) -> None:
        """The way there on the stage is the one of these settings, and nobody else's."""
        there, process = self._stage()["there"], settings.build()
        _check(there["total"] == settings.steps, f"T is {there['total']}, not {settings.steps}")
        _check(there["sigma"] == [process.sigma(t) for t in there["t"]], f"sigma_t is not that of {settings}")
        if before:
            _check(
                self._stage()["chunks"]["there"] != before["chunks"]["there"], "the frames are the old ones"
            )
        frames = self._frames("there")
        _check(len(frames) == len(there["t"]), f"{len(frames)} frames for {len(there['t'])} stops")
        known = self.figures.measured.setdefault((self.picture, settings), there["measured"])
        _check(known == there["measured"], f"other noise than before for {settings}")


def _check(right: bool, otherwise: str) -> None:
    if not right:
        raise Failed(otherwise)


def photo() -> bytes:
    """A JPEG as large as a phone's, with grain so that it is not small on the wire."""
    width, height = PHONE
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    waves = np.stack([np.sin(x / 300 + c) * np.cos(y / 400 - c) for c in range(3)], axis=-1)
    grain = rng.normal(0, 0.06, (height, width, 1)).astype(np.float32)
    file = io.BytesIO()
    Image.fromarray(((waves + grain).clip(-1, 1) * 127.5 + 127.5).astype(np.uint8)).save(
        file, "JPEG", quality=85
    )
    return file.getvalue()


async def assets_of(address: str) -> list[str]:
    """What a browser fetches before anything is seen: the page, what it names, and the plots' program."""
    page = (await Visitor(address).get("/"))[0].decode()
    names = re.findall(r'(?:src|href)="\./(static/[^"]+)"', page)
    import streamlit

    static = Path(streamlit.__file__).parent / "static"
    plots = [f"static/js/{path.name}" for path in (static / "js").glob("PlotlyChart.*.js")]
    return ["/", *(f"/{name}" for name in dict.fromkeys(names + plots))]


async def crowd(address: str, count: int, seconds: float, seed: int) -> Figures:
    """One who opens the page first, as a teacher does; then `count` visitors arrive within ten seconds.

    They do as they please for `seconds`.
    """
    figures, picture = Figures(), photo()
    assets = await assets_of(address)
    ready = asyncio.Barrier(count)
    teacher = Learner(address, random.Random(seed), figures, picture)
    if await figures.time("(first of all)", teacher.arrive(assets)):
        await figures.time("(network loaded)", teacher.choose())

    async def one(number: int) -> None:
        rng = random.Random(f"{seed} {number}")
        learner = Learner(address, rng, figures, picture)
        await asyncio.sleep(rng.uniform(0, ARRIVE) if count > 1 else 0)
        fine = await figures.time("first page", learner.arrive(assets))
        fine = fine and await figures.time("(network chosen)", learner.choose())
        await ready.wait()
        if not fine:
            return
        doing: dict[str, Callable[[], Awaitable[float]]] = {
            "thumb": learner.thumb, "settings": learner.change,
            "upload": learner.upload, "way back": learner.back,
        }  # fmt: skip
        until = time.monotonic() + seconds
        while True:
            await asyncio.sleep(min(rng.expovariate(1 / THINK), 5 * THINK))
            if time.monotonic() > until:
                break
            kind = rng.choices(list(MIX), list(MIX.values()))[0]
            if not await figures.time(kind, doing[kind]()) and learner.visitor.broken:
                break
        await learner.visitor.close()

    await asyncio.gather(*(one(number) for number in range(count)))
    await teacher.visitor.close()
    return figures


async def soak(address: str, process: int, seconds: float, visits: int, seed: int) -> list[tuple[int, float]]:
    """Visitors who come, upload, walk back and go, ten at a time; memory after each visit."""
    figures, picture = Figures(), photo()
    seen: list[tuple[int, float]] = []
    until, begun = time.monotonic() + seconds, 0

    async def stream(number: int) -> None:
        nonlocal begun
        await asyncio.sleep(number)
        while time.monotonic() < until and begun < visits:
            begun += 1
            rng = random.Random(f"{seed} {begun}")
            learner = Learner(address, rng, figures, picture)
            steps = {
                "first page": lambda learner=learner: learner.arrive([]), "(network chosen)": learner.choose,
                "upload": learner.upload, "way back": learner.back, "thumb": learner.thumb,
            }  # fmt: skip
            for kind, step in steps.items():
                await asyncio.sleep(rng.expovariate(1 / THINK))
                if not await figures.time(kind, step()):
                    break
            await learner.visitor.close()
            seen.append((len(seen) + 1, memory(peak=False, process=process)))

    await asyncio.gather(*(stream(number) for number in range(10)))
    table({"soak": figures})
    return seen


def table(found: dict[str, Figures]) -> None:
    """Everything as a Markdown table."""
    print("| run | kind | count | p50 | p95 | worst | wrong |\n|---|---|---|---|---|---|---|")
    for run, figures in found.items():
        for kind in ("(first of all)", "(network loaded)", "first page", "(network chosen)", *MIX, ALIKE):
            times, wrong = figures.times[kind], figures.wrong[kind]
            if kind == ALIKE:
                times = [seconds for each in MIX if each != "way back" for seconds in figures.times[each]]
            if times or wrong:
                ms = (
                    [f"{1000 * share(times, part):.0f} ms" for part in (0.5, 0.95, 1.0)]
                    if times
                    else ["–"] * 3
                )
                print(f"| {run} | {kind} | {len(times)} | {' | '.join(ms)} | {len(wrong)} |")
    for run, figures in found.items():
        counted = Counter(f"{kind}: {text}" for kind, texts in figures.wrong.items() for text in texts)
        for text, times_seen in counted.most_common(10):
            print(f"\nwrong, {run}: {times_seen} x {text[:400]}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--sessions", type=int, nargs="*", default=[1, 10, 30, 60])
    parser.add_argument("--seconds", type=float, default=40, help="how long they stay")
    parser.add_argument("--soak", type=float, default=0, help="seconds of coming and going instead")
    parser.add_argument("--visits", type=int, default=400, help="visits of a soak at most")
    parser.add_argument(
        "--without", choices=list(WITHOUT), nargs="*", default=[""], help="a measure switched off"
    )
    parser.add_argument("--at", default="", help="a server that runs already, on this machine")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(f"{description()}\n", flush=True)

    def run(what: Awaitable[Any]) -> Any:  # noqa: ANN401 - whatever is awaited
        async def with_threads() -> Any:  # noqa: ANN401
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(32))
            return await what

        return asyncio.run(with_threads())

    for without in options.without:
        prelude, more = WITHOUT[without]
        name = f"without {without}, " if without else ""
        found = {}
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "log"
            if options.soak:
                with served(log, *more, prelude=prelude) as (address, process):
                    seen = run(soak(address, process, options.soak, options.visits, options.seed))
                early = [mib for number, mib in seen if number <= 30][-1]
                late = statistics.median(mib for _, mib in seen[-10:])
                print(f"\n{name}{len(seen)} visits: {early:.0f} MiB after 30, {late:.0f} MiB at the end")
                print(f"ratio {late / early:.2f}, most {max(mib for _, mib in seen):.0f} MiB")
                continue
            for count in options.sessions:
                with served(log, *more, prelude=prelude) as (address, process):
                    started = memory(peak=False, process=process)
                    before, began = os.times(), time.perf_counter()
                    found[f"{name}{count}"] = run(
                        crowd(options.at or address, count, options.seconds, options.seed)
                    )
                    busy = (os.times().user + os.times().system - before.user - before.system) / (
                        time.perf_counter() - began
                    )
                    now, peak = (memory(peak, process) for peak in (False, True))
                print(
                    f"{name}{count} sessions: {started:.0f} MiB before, {now:.0f} after, {peak:.0f} at most; "
                    f"load {os.getloadavg()[0]:.1f}; the bench itself took {100 * busy:.0f} % of a core",
                    flush=True,
                )
        print()
        table(found)


if __name__ == "__main__":
    main()
