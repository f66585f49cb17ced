"""What one session remembers between reruns, each under one name."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from PIL import Image
from torch import Tensor

from diffusion import Crop
from diffusion.errors import Sentence
from diffusion.pictures import square, to_tensor
from ui.chunks import Chunks
from ui.compare import Thumb
from ui.crop import as_jpeg
from ui.endings import Endings
from ui.journey import WayThere
from ui.runs import Run
from ui.stage import Told

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Picture:
    """The picture a person works on: small, upright, without metadata.

    Attributes
    ----------
    id : str
        Tells one picture from another.
    title : str
    source : str
        Where it comes from; empty for an upload.
    image : PIL.Image.Image
        RGB, its longer side at most 1024.
    alt : str
        What is to be seen on it; empty for an upload.
    """

    id: str
    title: str
    source: str
    image: Image.Image
    alt: str = ""

    @functools.cached_property
    def jpeg(self) -> bytes:
        """As it is shown where the square is chosen."""
        return as_jpeg(self.image)

    def tensor(self, size: int, channels: int, crop: Crop) -> Tensor:
        """The chosen square as a network sees it, (1, channels, size, size) in [-1, 1]."""
        return to_tensor(square(self.image, size, crop), channels)


@dataclass
class Session:
    """State of one person's journey.

    Attributes
    ----------
    picture : Picture or None
    crop : Crop
    notice : Sentence or None
        About the last way back that could not be begun.
    upload_error : Sentence or None
        About the last file that could not be used.
    uploads : int
        Counts uploads, so the uploader can be emptied after each.
    there : WayThere or None
    there_key : Any
        What `there` was computed for.
    run : Run or None
        The way back.
    stop : int
        Where the thumb stands.
    origin : int
        The last stop of the way there where the thumb was put: where a way back starts.
    t : float or None
        Its time when it was put there; on another grid it stands at the stop nearest to this.
    turn : int
        Grows when the server moves the thumb.
    chunks : Chunks
        Frames packed for the browser.
    number : int
        Tells one way there from another.
    chosen : dict of str to str
        The last sound choice of each widget that offers some.
    following : bool
        Whether the thumb is to stand at the end of the way back once that has come to rest.
    opening : bool
        Whether a way back is to begin by itself as soon as the way there stands.
    endings : Endings
        Many ways back from one start.
    thumb : Thumb
        The one over this journey and another.
    """

    picture: Picture | None = None
    crop: Crop = field(default_factory=Crop)
    notice: Sentence | None = None
    upload_error: Sentence | None = None
    uploads: int = 0
    there: WayThere | None = None
    there_key: Any = None
    run: Run | None = None
    stop: int = 0
    origin: int = 0
    t: float | None = None
    turn: int = 0
    chunks: Chunks = field(default_factory=Chunks)
    number: int = 0
    chosen: dict[str, str] = field(default_factory=dict)
    following: bool = False
    opening: bool = False
    endings: Endings = field(default_factory=Endings)
    thumb: Thumb = field(default_factory=Thumb)

    @property
    def computing(self) -> bool:
        """Whether a way back is being computed."""
        return self.run is not None and self.run.computing

    def last(self) -> int:
        """The last stop there is now."""
        stops = len(self.there.stops) if self.there else 1
        return stops + (len(self.run.way.ready()) if self.run else 0) - 1

    def begin(self, there: WayThere, key: Any) -> None:  # noqa: ANN401 - any hashable
        """Take up a new way there; the thumb keeps its time. Nothing here lets a waiting rerun cut in."""
        self.drop_run()
        self.there, self.there_key = there, key
        self.chunks, self.number = Chunks(), next(_numbers)
        if self.t is None:
            self.stand(min(self.origin, self.last()))
        else:
            self.origin = there.nearest(self.t)
        self.move_to(self.origin)

    def stand(self, stop: int) -> None:
        """Note that the thumb was put at this stop of the way there; one that stood there keeps its time."""
        if self.there is not None and (stop != self.origin or self.t is None):
            self.origin, self.t = stop, self.there.stops[stop].t

    def move_to(self, stop: int) -> None:
        """Put the thumb somewhere, from the server."""
        self.stop = stop
        self.turn += 1

    def to_end(self) -> None:
        """Put the thumb at the end of the way back, or at its start if it has not come to a state yet."""
        stops = len(self.there.stops) if self.there else 1
        self.move_to(last if (last := self.last()) >= stops else self.origin)

    def heed(self, told: Told | None) -> None:
        """Note where the thumb was let go, unless the server has moved it since."""
        if self.there is None:
            return
        if told is not None and told.turn == self.turn:
            self.stop = min(max(told.stop, 0), self.last())
            if self.stop < len(self.there.stops):
                self.stand(self.stop)
        self.stop = min(self.stop, self.last())

    def drop_run(self) -> None:
        """Forget the way back, stopping it first."""
        self.following, self.notice = False, None
        if self.run is not None:
            self.run.stop()
            self.chunks.forget_back()
        self.run = None

    def clear(self) -> None:
        """Forget the way back; the thumb goes where the next would begin."""
        self.drop_run()
        self.move_to(self.origin)


def session() -> Session:
    """The state of the session that asks."""
    if "journey" not in st.session_state:
        st.session_state["journey"] = Session()
    return st.session_state["journey"]


def beside() -> Session:
    """The second journey of the session that asks: the same picture, settings of its own."""
    if "beside" not in st.session_state:
        st.session_state["beside"] = Session()
    here, other = session(), st.session_state["beside"]
    other.picture, other.crop = here.picture, here.crop
    return other
