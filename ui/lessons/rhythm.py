"""The rhythm all lessons share: predict, lock in, see, explain, go deeper; and what is kept of it."""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st
from torch import Tensor

from diffusion import Crop, ModelError
from diffusion.denoiser import NetworkDenoiser
from ui import words
from ui.chunks import Chunks
from ui.journey import VIEWS, WayBack, WayThere, walk_there
from ui.language import N_, _, tell
from ui.lessons.work import PATIENCE, Task
from ui.plain import Figure
from ui.resources import cards, network, queue, samples
from ui.settings import There
from ui.stage import told
from ui.stage_view import mount, numbers_back
from ui.state import Picture
from ui.turns import turns

V = TypeVar("V")
#: Side of the picture in the lessons, in pixels.
SIZE = 64
#: The networks most lessons offer.
NETWORKS = ("photos", "dogs", "digits")
SNIPPETS = Path(__file__).parent / "snippets"
_stages = itertools.count(-1, -1)  # below 0, where the journey counts none of its ways


@dataclass(frozen=True)
class Learner:
    """Whose picture and seed a lesson computes with.

    Attributes
    ----------
    picture : Picture
    crop : Crop
    seed : int
    """

    picture: Picture
    crop: Crop
    seed: int

    @property
    def key(self) -> tuple[Hashable, ...]:
        """Tells one pair of picture and seed from another."""
        return self.picture.id, self.crop, self.seed

    def x0(self, model: str | None = None) -> Tensor:
        """The picture as lessons see it, (1, 3, 64, 64); with a network, in its channels and size."""
        card = cards().get(model or "")
        if card is None or card["architecture"]["channels"] == 3:
            return self.picture.tensor(SIZE, 3, self.crop)
        return self.picture.tensor(card["size"], card["architecture"]["channels"], self.crop)

    def in_python(self) -> dict[str, str]:
        """The first lines of every snippet, with this picture and seed."""
        known = {sample.name: f"ui/samples/{sample.path.name}" for sample in samples()}
        crop = self.crop
        return {
            "picture": repr(known.get(self.picture.id, self.picture.title)),
            "crop": "None"
            if crop == Crop()
            else f"diffusion.Crop({crop.x:.6g}, {crop.y:.6g}, {crop.side:.6g})",
            "seed": str(self.seed),
        }


@dataclass
class Shown:
    """A lesson's own stage.

    Attributes
    ----------
    there : WayThere
    key : Hashable
        What it was computed for.
    number : int
    stop, turn : int
        Where the thumb stands, and how often the server has moved it.
    chunks : Chunks
    way : int
        Number of the way back shown last.
    following : bool
        Whether it was being computed then.
    """

    there: WayThere
    key: Hashable
    number: int
    stop: int = 0
    turn: int = 0
    chunks: Chunks = field(default_factory=Chunks)
    way: int = 0
    following: bool = False

    def put(self, stop: int) -> None:
        """Move the thumb, from the server."""
        self.stop, self.turn = stop, self.turn + 1


@dataclass
class Learning:
    """What a session remembers of the lessons.

    Attributes
    ----------
    lesson : int
        The one that is open, from 1.
    picked : dict of str to str or float
        Answers that are locked in, by the name of their question.
    done : set of int
        Lessons that were gone through.
    tasks : dict of str to (Hashable, Task)
        By name, with what each was begun for.
    stages : dict of str to Shown
    known : dict of str to (Hashable, object)
        Small results by name, with what each was computed for.
    name : str
        What the learner wants to be called in the file of answers.
    """

    lesson: int = 1
    picked: dict[str, str | float] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)
    tasks: dict[str, tuple[Hashable, Task[Any]]] = field(default_factory=dict)
    stages: dict[str, Shown] = field(default_factory=dict)
    known: dict[str, tuple[Hashable, Any]] = field(default_factory=dict)
    name: str = field(default="", repr=False)

    def forget(self, *names: str) -> None:
        """Stop tasks and let go of what they made."""
        for name in set(names) & set(self.tasks):
            self.tasks.pop(name)[1].stop()

    def leave(self, lesson: int) -> None:
        """Open another lesson; nothing goes on computing for the one that is left."""
        if lesson == self.lesson:
            return
        for _key, task in self.tasks.values():
            task.stop()
        self.tasks.clear()
        self.stages.clear()
        self.known.clear()
        self.lesson = lesson


def learning() -> Learning:
    """The state of the session that asks."""
    if "learning" not in st.session_state:
        # The set is the one that the address tells, and is told of.
        st.session_state["learning"] = Learning(done=st.session_state.setdefault("learn", set()))
    return st.session_state["learning"]


_SYMBOL = re.compile(r"(?<![\w$\\])(x̂|[xσαfη])_(?:\{([^}]*)\}|([0-9A-Za-zθ]))")
_LATEX = {"x̂": r"\hat x", "σ": r"\sigma", "α": r"\alpha", "η": r"\eta", "θ": r"\theta"}


def in_markdown(text: str) -> str:
    """x_t and its like set as formulas; texts are written and translated plainly."""

    def formula(found: re.Match[str]) -> str:
        symbol, below = found[1], found[2] or found[3]
        return f"${_LATEX.get(symbol, symbol)}_{{{_LATEX.get(below, below)}}}$"

    return _SYMBOL.sub(formula, text)


def in_html(text: str) -> str:
    """The same for HTML, which `text` already is."""
    return _SYMBOL.sub(r"<i>\1</i><sub>\2\3</sub>", text)


# --- predict ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """A question with a few answers.

    Attributes
    ----------
    name : str
        Unlike any other's.
    text : str
        Marked with N_.
    choices : mapping of code to text, marked with N_
    right : str
        The code of what really happens.
    """

    name: str
    text: str
    choices: Mapping[str, str]
    right: str


@dataclass(frozen=True)
class Estimate:
    """A question whose answer is a number.

    Attributes
    ----------
    name, text : str
    low, high, step : float
        Of the slider.
    """

    name: str
    text: str
    low: float
    high: float
    step: float


#: A question, and what goes into its texts.
Asked = tuple[Question | Estimate, Mapping[str, object]]
#: The name of a question, and what tells why its answer is what it is, in the language of who asks.
Told = tuple[str, Callable[[], str]]


@dataclass(frozen=True)
class Paper:
    """What a lesson is made of, for a sheet of paper.

    Attributes
    ----------
    settings : There
        Of its stage.
    asked : tuple of Asked
    networks : tuple of str
        Any of these can be asked, the first by preference; empty where none is.
    turns : int
        How often the computation of its answers yields, at most.
    """

    settings: There
    asked: tuple[Asked, ...]
    networks: tuple[str, ...] = ()
    turns: int = 1


def predict(question: Question, **values: object) -> bool:
    """Ask; returns whether the answer is locked in. `values` go into the texts."""
    here = learning()
    texts = {code: _(text).format(**values) for code, text in question.choices.items()}
    with st.container(key=f"ask-{question.name}"):
        _asked(question.text, values)
        mine = here.picked.get(question.name)
        if isinstance(mine, str) and mine in texts:
            st.html(marked(texts, mine, question.right))
            return True
        picked = st.radio(
            _("Your prediction"), list(texts), index=None, key=f"pick-{question.name}",
            format_func=lambda code: in_markdown(texts[code]), label_visibility="collapsed",
        )  # fmt: skip
        lock(question.name, picked)
    return False


def estimate(question: Estimate, truth: Callable[[], float], **values: object) -> bool:
    """Ask for a number; returns whether it is locked in. `truth` is asked for only then."""
    here = learning()
    with st.container(key=f"ask-{question.name}"):
        _asked(question.text, values)
        mine = here.picked.get(question.name)
        if isinstance(mine, float):
            right = truth()
            text = _(
                "You said **{mine:.2f}**. Measured on your picture: **{right:.3f}**. You were {off:.2f} off."
            )
            st.markdown(text.format(mine=mine, right=right, off=abs(mine - right)))
            return True
        picked = st.slider(
            _("Your prediction"), question.low, question.high, (question.low + question.high) / 2,
            question.step, key=f"pick-{question.name}", label_visibility="collapsed",
        )  # fmt: skip
        lock(question.name, picked)
    return False


def _asked(text: str, values: Mapping[str, object]) -> None:
    st.markdown(f":material/psychology_alt: **{_('Predict first')}**")
    st.markdown(in_markdown(_(text).format(**values)))


def lock(name: str, picked: str | float | None) -> None:
    """The button that locks an answer in."""

    def locked() -> None:
        # What is picked now: it may have changed while the page was still being drawn.
        now = st.session_state.get(f"pick-{name}")
        if now is not None:
            learning().picked[name] = now

    st.button(
        _("Lock in my answer"), key=f"lock-{name}", type="primary", icon=":material/lock:",
        disabled=picked is None, on_click=locked,
    )  # fmt: skip


def marked(texts: Mapping[str, str], mine: str, right: str) -> str:
    """All answers, with marks for the learner's and for what really happens."""
    verdict = _("You saw it coming.") if mine == right else _("It turns out otherwise.")
    rows = []
    for code, text in texts.items():
        marks = [_("so it is")] * (code == right) + [_("your answer")] * (code == mine)
        sign = "✓" if code == right else "✗" if code == mine else "·"
        kind = "right" if code == right else "mine" if code == mine else "other"
        tail = f" <em>{html.escape(_(', ').join(marks))}</em>" if marks else ""
        said = f"<span>{in_html(html.escape(text))}{tail}</span>"
        rows.append(f'<li class="{kind}"><b aria-hidden="true">{sign}</b>{said}</li>')
    answers = f'<ul class="answers">{"".join(rows)}</ul>'
    return f'<p class="verdict" role="status">{html.escape(verdict)}</p>{answers}'


# --- see -------------------------------------------------------------------------------------------


def walked_there(x0: Tensor, settings: There) -> WayThere:
    """The way there, walked to its end."""
    *_states, there = walk_there(x0, settings)
    if not isinstance(there, WayThere):
        raise TypeError("the way there ended without a result")
    return there


def way_there(name: str, x0: Tensor, settings: There, key: Hashable, start: int = 0) -> Shown:
    """The way there of a lesson's stage, computed anew only for another `key` or other settings."""
    here = learning()
    shown = here.stages.get(name)
    if shown is None or shown.key != (key, settings):
        there, old = walked_there(x0, settings), shown
        shown = Shown(there, (key, settings), next(_stages))
        shown.turn = old.turn if old else 0
        if old is not None:  # the thumb keeps its time
            start = there.nearest(old.there.stops[min(old.stop, len(old.there.stops) - 1)].t)
        shown.put(min(start, len(there.stops) - 1))
        here.stages[name] = shown
    return shown


@dataclass
class Walk:
    """A way back on a lesson's stage, with a number no other has."""

    way: WayBack
    number: int = field(default_factory=lambda: next(_stages))


def stage(name: str, shown: Shown, walk: Walk | None = None, *, following: bool = False) -> int:
    """Mount the live stage; returns the stop under the thumb.

    Parameters
    ----------
    name : str
    shown : Shown
    walk : Walk, optional
        What is there of the way back; without one the way there has the whole line.
    following : bool
        Whether it is being computed just now.
    """
    there, way = shown.there, walk.way if walk else None
    chunks = {
        "there": shown.chunks.there(there, shown.number, VIEWS[0]),
        "back": shown.chunks.back(walk.way, walk.number, VIEWS[0]) if walk else [],
    }
    count = sum(chunk.count for chunk in chunks["back"])
    last = len(there.stops) + count - 1
    arrived = shown.following and not following
    if walk is not None and (arrived or walk.number != shown.way):
        shown.put(last)
        shown.way = walk.number
    shown.following = following
    answer = told(f"stage-{name}")
    if following:
        shown.stop = last
    elif answer is not None and answer.turn == shown.turn:
        shown.stop = answer.stop
    shown.stop = max(0, min(shown.stop, last))
    back = numbers_back(there, way, count) if way and count else None
    mount(
        f"stage-{name}", there, chunks, shown.stop, shown.turn,
        back=back, following=following, one_way=walk is None,
    )  # fmt: skip
    return shown.stop


def task(name: str, key: Hashable, begin: Callable[[], tuple[V, Iterator[object], int]]) -> Task[V]:
    """The task of this name, begun anew when `key` is another; quick ones end at once."""
    here = learning()
    old = here.tasks.get(name)
    if old is not None and old[0] == key:
        return old[1]
    if old is not None:
        old[1].stop()
    new = Task(begin, queue())
    here.tasks[name] = key, new
    new.go()
    new.wait(PATIENCE)
    return new


def at_hand(offered: Sequence[str]) -> list[str]:
    """Those of the networks that are here."""
    return [name for name in offered if name in cards()]


def preferred(offered: Sequence[str]) -> str | None:
    """The network a person chose last, or the first that is here."""
    found, kept = at_hand(offered), st.session_state.get("lesson_network")
    return kept if kept in found else next(iter(found), None)


def network_for(lesson: str, offered: Sequence[str] = NETWORKS) -> tuple[str | None, NetworkDenoiser | None]:
    """A network for this lesson, as the learner chose; (None, None) and a word about it if there is none."""
    found, model = at_hand(offered), preferred(offered)
    if model is None:
        st.info(_(words.NO_MODELS) if not cards() else _("None of the networks at hand fits this lesson."))
        return None, None
    if len(found) > 1:
        key = f"{lesson}-network"
        st.session_state.setdefault(key, model)
        model = st.segmented_control(
            _("Network"), found, key=key, required=True, format_func=lambda name: _(name.capitalize()),
            on_change=lambda: st.session_state.update(lesson_network=st.session_state[key]),
        ) or found[0]  # fmt: skip
    try:
        return model, network(model)
    except ModelError as error:
        st.warning(tell(error.sentence))
        return None, None


def once(name: str, key: Hashable, compute: Callable[[], V]) -> V:
    """What `compute` returns, asked again only for another `key`."""
    known = learning().known
    if name not in known or known[name][0] != key:
        with turns.aside():
            known[name] = key, compute()
    return known[name][1]


def pictures(name: str, rows: Sequence[tuple[Tensor, str, str]], columns: int | None = None) -> None:
    """Small pictures side by side, pixel by pixel, each with its caption.

    Parameters
    ----------
    name : str
    rows : sequence of (picture (1, C, H, W), caption, alternative text)
    columns : int, optional
        As many as there are pictures when not given.
    """
    import base64
    import io

    from diffusion import to_image

    figures = []
    for picture, caption, alt in rows:
        file = io.BytesIO()
        to_image(picture[0]).save(file, "PNG")
        source = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
        below = f"<figcaption>{in_html(caption)}</figcaption>" if caption else ""
        figures.append(f'<figure><img src="{source}" alt="{html.escape(alt)}">{below}</figure>')
    with st.container(key=f"pictures-{name}"):
        st.html(f'<div class="row" style="--columns: {columns or len(rows)}">{"".join(figures)}</div>')


def chart(name: str, figure: Figure, summary: str, table: Mapping[str, Sequence[object]]) -> None:
    """A figure, what it shows in a sentence, and its numbers one click away."""
    st.plotly_chart(figure, key=f"chart-{name}", config={"displayModeBar": False}, width="stretch")
    with st.container(key=f"said-{name}", horizontal=True, vertical_alignment="top"):
        st.caption(in_markdown(summary))
        with st.popover(_("As a table"), type="tertiary"):
            st.table({column: [_cell(value) for value in values] for column, values in table.items()})


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


# --- explain, and deeper ---------------------------------------------------------------------------


def explain(name: str, text: str) -> None:
    """Two sentences why; already translated, with the numbers in."""
    with st.container(key=f"explain-{name}"):
        st.markdown(f":material/lightbulb: **{_('Why')}**")
        st.markdown(in_markdown(text))


def deeper(name: str, formula: str, letters: str, python: Mapping[str, str]) -> None:
    """The formula one click deeper, the Python that does it two.

    Parameters
    ----------
    name : str
        Also of the snippet, ``snippets/<name>.py``.
    formula : str
        LaTeX.
    letters : str
        What its letters mean, already translated.
    python : mapping
        What the snippet's first lines are set to, see :func:`snippet`.
    """
    with st.expander(_("The formula"), icon=":material/function:", key=f"formula-{name}"):
        st.latex(formula)
        st.markdown(in_markdown(letters))
        with st.expander(_("The Python that does it"), icon=":material/code:", key=f"python-{name}"):
            st.code(snippet(name, python), language="python")
            text = N_("It runs as it stands, in this project's folder, and prints the number quoted above.")
            if "picture" in python and not python["picture"].startswith("'ui/samples/"):
                text = N_(
                    "Put your picture's file into this project's folder; it then prints the "
                    "number quoted above."
                )
            st.caption(_(text))


def snippet(name: str, values: Mapping[str, str]) -> str:
    """A snippet with its first lines set to the learner's own values.

    Parameters
    ----------
    name : str
    values : mapping of str to str
        Python expressions by the name they are assigned to, at the start of a line.

    Raises
    ------
    KeyError
        If the snippet has no such line.
    """
    text = (SNIPPETS / f"{name}.py").read_text(encoding="utf-8")
    for variable, value in values.items():
        line = re.compile(rf"^{variable} = .*$", re.MULTILINE)
        if not line.search(text):
            raise KeyError(f"{name}.py has no line that sets {variable}")
        text = line.sub(lambda _found, new=f"{variable} = {value}": new, text, count=1)
    return text
