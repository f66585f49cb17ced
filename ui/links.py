"""The link in the address bar: every setting and the seed in neutral codes, never the picture.

A setting that stands at its default is left out. What cannot be read falls back to the default, and
the page says so.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from diffusion import GRIDS, PROCESSES, SAMPLERS, Crop
from ui import words
from ui.compare import DIFFER, OTHER
from ui.controls import DEFAULT_SAMPLE
from ui.endings import COUNTS, Endings
from ui.journey import MOST_STOPS, VIEWS
from ui.language import LANGUAGES, _, of_browser
from ui.locks import LOCKABLE
from ui.resources import cards, makes_pictures, samples
from ui.settings import (
    BACK_STEPS_RANGE,
    INDEX_RANGE,
    LESSONS,
    PHOTO_SIZES,
    SEED_RANGE,
    SIGMA_Q_RANGE,
    STARTS,
    STEPS_RANGE,
    Back,
    There,
)
from ui.state import session

#: What a network is asked for, and the setting that says which network.
LABELS = {"label": "model", "gallery_label": "gallery_model"}
#: Stands for an upload, which no link carries.
UPLOAD = "upload"
#: More of a value than this is not repeated in a note.
LONGEST = 24

Reader = Callable[[str], Any]


@dataclass(frozen=True)
class Field:
    """One setting in the address.

    Attributes
    ----------
    name : str
        In the address; also the key of the setting's widget.
    default : Any
    read : Reader
        Text to value; ValueError for what cannot be.
    allowed : str
        What can be, for the note.
    """

    name: str
    default: Any
    read: Reader
    allowed: str


def whole(low: int, high: int) -> Reader:
    """Read a whole number from low to high."""

    def read(text: str) -> int:
        value = int(text) if text.isascii() and len(text) <= 12 else low - 1
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return read


def number(low: float, high: float) -> Reader:
    """Read a number from low to high."""

    def read(text: str) -> float:
        value = float(text) if text.isascii() and len(text) <= 24 else math.nan
        if not low <= value <= high:  # NaN is neither
            raise ValueError(text)
        return value

    return read


def one_of(options: Sequence[str]) -> Reader:
    """Read one of the options, whatever their own type."""
    by_name = {str(option): option for option in options}

    def read(text: str) -> Any:  # noqa: ANN401 - the option's type
        if text not in by_name:
            raise ValueError(text)
        return by_name[text]

    return read


def some_of(options: Sequence[str]) -> Reader:
    """Read some of the options, "none" for none of them."""

    def read(text: str) -> list[str]:
        names = [] if text == "none" else text.split(",")
        if not set(names) <= set(options) or len(set(names)) < len(names):
            raise ValueError(text)
        return names

    return read


def _bounded(name: str, default: float, bounds: tuple[float, float], kind: Callable[..., Reader]) -> Field:
    allowed = " – ".join(f"{end:,}" if isinstance(end, int) else f"{end:g}" for end in bounds)
    return Field(name, default, kind(*bounds), allowed)


def _choice(name: str, default: Any, options: Sequence[Any]) -> Field:  # noqa: ANN401
    return Field(name, default, one_of(options), ", ".join(map(str, options)))


def fields() -> tuple[Field, ...]:
    """Every setting of a link; networks and samples are those at hand."""
    pictures = (*(sample.name for sample in samples()), UPLOAD)
    networks = tuple(cards())
    makers = tuple(filter(makes_pictures, networks))
    return _fields(networks or ("",), makers or ("",), pictures, of_browser(st.context.locale))


@functools.lru_cache(maxsize=16)
def _fields(
    networks: tuple[str, ...], makers: tuple[str, ...], pictures: tuple[str, ...], language: str
) -> tuple[Field, ...]:
    there, back = There(), Back()
    return (
        _choice("sample", DEFAULT_SAMPLE, pictures),
        _choice("model", networks[0], networks),
        _choice("size", PHOTO_SIZES[1], PHOTO_SIZES),
        _choice("process", there.process, list(PROCESSES)),
        _bounded("sigma_q", there.sigma_q, SIGMA_Q_RANGE, number),
        _bounded("steps", there.steps, STEPS_RANGE, whole),
        _choice("grid", there.grid, GRIDS),
        _bounded("seed", there.seed, SEED_RANGE, whole),
        _choice("start", back.start, STARTS),
        _choice("sampler", back.sampler, list(SAMPLERS)),
        _bounded("back_steps", back.steps, BACK_STEPS_RANGE, whole),
        _choice("back_grid", back.grid, GRIDS),
        _bounded("index", back.index, INDEX_RANGE, whole),
        _choice("view", VIEWS[0], VIEWS),
        _bounded("at", 0, (0, MOST_STOPS - 1), whole),
        _choice("gallery_model", makers[0], makers),
        _bounded("gallery_seed", 0, SEED_RANGE, whole),
        _choice("endings", COUNTS[1], COUNTS),
        _choice("endings_sampler", back.sampler, list(SAMPLERS)),
        _bounded("endings_t", Endings().t, (0.0, 1.0), number),
        Field("differ", list(DIFFER), some_of(list(OTHER)), ", ".join(OTHER)),
        *_beside(networks),
        Field("crop", Crop(), _crop, "x,y,side"),
        Field("lock", [], some_of(list(LOCKABLE)), ", ".join(LOCKABLE)),
        _choice("projector", 0, (0, 1)),
        Field("learn", set(), _progress, f"1 – {LESSONS}"),
        _choice("lesson_network", "", networks),
        _bounded("lesson", 1, (0, LESSONS + 1), whole),
        _choice("language", language, list(LANGUAGES)),
    )


def _beside(networks: Sequence[str]) -> list[Field]:
    """The settings of a second journey."""
    options = {"model": networks, "process": list(PROCESSES), "sampler": list(SAMPLERS)}
    options |= {"grid": GRIDS, "back_grid": GRIDS}
    bounds = {"steps": STEPS_RANGE, "seed": SEED_RANGE, "back_steps": BACK_STEPS_RANGE}
    found = [_choice(f"b_{name}", OTHER[name], some) for name, some in options.items()]
    found += [_bounded(f"b_{name}", OTHER[name], some, whole) for name, some in bounds.items()]
    return [*found, _bounded("b_sigma_q", OTHER["sigma_q"], SIGMA_Q_RANGE, number)]


def read(params: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Take an address apart.

    Parameters
    ----------
    params : mapping of str to str
        What stands behind the question mark; anything at all.

    Returns
    -------
    dict
        The values that could be read, by name.
    list of str
        A sentence for each that could not.
    """
    known = list(fields())
    for label, model in LABELS.items():
        if params.get(label):
            offered = cards().get(params.get(model, ""), {}).get("classes") or []
            known.append(Field(label, None, one_of(offered), ", ".join(offered)))
    values, notes = {}, []
    for field in known:
        if (text := params.get(field.name)) is None:
            continue
        try:
            values[field.name] = field.read(text)
        except ValueError:
            given = text[:LONGEST] + ("…" if len(text) > LONGEST else "")
            note = _(words.LINK_ODD).format(name=field.name, given=given, allowed=field.allowed or "–")
            notes.append(note)
    if values.get("sample") == UPLOAD:
        del values["sample"]
        values.pop("crop", None)
        if lock := values.get("lock"):
            values["lock"] = [name for name in lock if name != "sample"]
        notes.append(_(words.LINK_UPLOAD))
    for label, model in LABELS.items():
        if label in values:
            chosen = values.pop(label)
            if model in values:
                values[f"{label}-{values[model]}"] = chosen
    return values, notes


def written(values: Mapping[str, Any]) -> dict[str, str]:
    """The address for these values: what differs from the defaults, in short."""
    address = {}
    for field in fields():
        value = values.get(field.name)
        if value is not None and value != field.default:
            address[field.name] = _text(value)
    for label, model in LABELS.items():
        if chosen := values.get(f"{label}-{values.get(model)}"):
            address[label] = chosen
            address[model] = str(values[model])
    return address


def restore() -> None:
    """Once a session: bring back what the address says, before any widget is drawn."""
    if "restored" in st.session_state:
        return
    st.session_state["restored"] = True
    values, notes = read(st.query_params.to_dict())
    here = session()
    here.origin, here.crop = values.pop("at", 0), values.pop("crop", Crop())
    here.endings.t = values.pop("endings_t", here.endings.t)
    for key, value in values.items():
        st.session_state[key] = value
    for note in notes:
        st.toast(note, icon=":material/link:", duration="infinite")


def remember() -> None:
    """Let the address say what stands now."""
    here = session()
    values = {str(key): value for key, value in st.session_state.to_dict().items()}
    if here.picture is not None and not here.picture.source:
        values["sample"] = UPLOAD
    address = written(values | {"at": here.origin, "crop": here.crop, "endings_t": here.endings.t})
    if address != st.query_params.to_dict():
        st.query_params.from_dict(address)


def encode_progress(done: set[int]) -> str:
    """Which lessons were gone through: {1, 2, 5} is "125"."""
    return "".join(str(number) for number in sorted(done))


def decode_progress(text: str, lessons: int = LESSONS) -> set[int]:
    """:func:`encode_progress` undone; whatever the text says besides is left out."""
    return {int(c) for c in text if c.isdecimal() and c.isascii() and 1 <= int(c) <= lessons}


def _progress(text: str) -> set[int]:
    done = decode_progress(text)
    if not done or encode_progress(done) != text:
        raise ValueError(text)
    return done


def _crop(text: str) -> Crop:
    x, y, side = (number(0, 1)(part) for part in text.split(","))
    return Crop(x, y, side)


def _text(value: Any) -> str:  # noqa: ANN401 - a setting's value
    if isinstance(value, Crop):
        return ",".join(_text(part) for part in (value.x, value.y, value.side))
    if isinstance(value, set):
        return encode_progress(value)
    if isinstance(value, list):
        return ",".join(value) or "none"
    if isinstance(value, float):
        return repr(int(value)) if value == int(value) else repr(value)
    return str(value)
