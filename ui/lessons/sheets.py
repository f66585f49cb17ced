"""A lesson on paper: a worksheet to print, and its answer key with the numbers of one picture and seed.

Each is one page of HTML that holds all it needs. The texts are the lesson's own.
"""

from __future__ import annotations

import base64
import functools
import html
import io
import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlencode

import streamlit as st

from diffusion import Crop, ModelError
from diffusion.denoiser import NetworkDenoiser
from diffusion.pictures import square
from ui import links, words
from ui.language import TAGS, _, current, speaking
from ui.lessons import Lesson
from ui.lessons.rhythm import SIZE, Asked, Estimate, Learner, Told, in_html, learning, preferred, task
from ui.lessons.work import Task, watch
from ui.resources import network, samples
from ui.settings import There

#: Side of the printed picture, in pixels.
PRINTED = 384
STYLE = """
@page { size: A4; margin: 16mm 18mm; }
* { box-sizing: border-box; }
body { font: 11pt/1.45 system-ui, "Noto Sans", "Noto Sans CJK SC", sans-serif; color: #111; background: #fff;
  max-width: 178mm; margin: 0 auto; padding: 6mm 0; }
h1 { font-size: 19pt; line-height: 1.2; margin: 0 0 2mm; }
h2 { font-size: 11pt; margin: 0 0 1mm; color: #06696d; }
p { margin: 0 0 2mm; }
:lang(zh) em { font-style: normal; font-weight: 600; }
.top { display: flex; justify-content: space-between; font-size: 9pt; color: #555; margin-bottom: 3mm; }
.who { display: flex; gap: 6mm; margin: 4mm 0; }
.who span { flex: 1; border-bottom: 0.3mm solid #666; padding-bottom: 0.5mm; font-size: 9pt; color: #555; }
.who span:first-child { flex: 2; }
.set { display: flex; gap: 6mm; align-items: flex-start; margin: 4mm 0; break-inside: avoid; }
.set img { width: 34mm; height: 34mm; display: block; }
table { border-collapse: collapse; font-size: 10pt; }
th { text-align: left; font-weight: 400; color: #555; padding: 0.4mm 5mm 0.4mm 0; vertical-align: top; }
td { padding: 0.4mm 0; font-variant-numeric: tabular-nums; }
.address { font-size: 8.5pt; overflow-wrap: anywhere; color: #06696d; }
section { border-top: 0.3mm solid #bbb; padding-top: 3mm; margin-top: 5mm; }
.question { break-inside: avoid; }
ol { list-style: none; margin: 1mm 0 3mm; padding: 0; }
li { display: grid; grid-template-columns: 7mm 1fr; margin: 0.8mm 0; }
li.right { font-weight: 600; }
.small { font-size: 9pt; color: #555; margin: 2mm 0 0; break-after: avoid; }
.line { border-bottom: 0.25mm solid #999; height: 8mm; }
.space { break-inside: avoid; }
sub { line-height: 0; }
"""


def worksheet(lesson: Lesson, learner: Learner, model: str | None, address: str) -> str:
    """The page to print: the questions, with room to write.

    Parameters
    ----------
    lesson : Lesson
    learner : Learner
    model : str or None
        The network that is asked.
    address : str
        Opens the lesson as it is here.
    """
    paper = lesson.paper(learner)
    who = "".join(f"<span>{html.escape(word)}</span>" for word in (_("Name"), _("Class"), _("Date")))
    parts = [f'<div class="who">{who}</div>', _settings(learner, paper.settings, model, address)]
    for k, asked in enumerate(paper.asked, 1):
        seen, why = _("What I saw, and the numbers I read off"), _("Why it is so, in my words")
        first = _question(asked) + _room(_("Why I think so"), 2)
        parts.append(_section(k, first, _room(seen, 2) + _room(why, 3)))
    parts.append(f"<section>{_room(_('What I would still like to know'), 2)}</section>")
    return _page(lesson, _("Worksheet"), "".join(parts))


def answer_key(
    lesson: Lesson, learner: Learner, model: str | None, address: str, told: Mapping[str, Told]
) -> str:
    """The key to :func:`worksheet`: what is right, and why in numbers of this picture and seed.

    Parameters
    ----------
    lesson, learner, model, address
    told : mapping of a question's name to Told
        What `lesson.answers` came to.
    """
    paper = lesson.paper(learner)
    parts = [_settings(learner, paper.settings, model, address)]
    for k, asked in enumerate(paper.asked, 1):
        name = asked[0].name
        why = f"<p>{_rich(told[name][1]())}</p>" if name in told else ""
        parts.append(_section(k, _question(asked, solved=True), why))
    note = _("Each number was computed for this picture, this seed and this network, as on the page.")
    if paper.networks and model is None:
        note = _("No network at hand fits this lesson, so what it would answer is missing.")
    parts.append(f'<p class="small">{html.escape(note)}</p>')
    return _page(lesson, _("Answer key"), "".join(parts))


def address_of(lesson: Lesson, learner: Learner, model: str | None, base: str) -> str:
    """The address that opens a lesson with this picture and seed, and leaves its settings to the journey."""
    there = lesson.paper(learner).settings
    known = learner.picture.id in {sample.name for sample in samples()}
    values = {
        "lesson": lesson.number, "sample": learner.picture.id if known else links.UPLOAD,
        "crop": learner.crop if known else Crop(), "seed": there.seed, "process": there.process,
        "sigma_q": there.sigma_q, "steps": there.steps, "grid": there.grid,
        "model": model, "lesson_network": model, "size": SIZE,
    }  # fmt: skip
    app = base.rstrip("/").removesuffix("/learn")  # the browser's address may name the page, or not
    address = links.written(values) | {"language": current()}  # whoever opens it may have another
    return f"{app}/learn?{urlencode(address, safe=',')}"


def _page(lesson: Lesson, kind: str, body: str) -> str:
    title = f"{lesson.number}. {_(lesson.title)}"
    return (
        f'<!doctype html>\n<html lang="{TAGS[current()]}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{html.escape(f"{kind}: {title}")}</title>'
        f'<style>{STYLE}</style></head><body><div class="top"><span>{html.escape(_("There and Back"))}</span>'
        f"<span>{html.escape(kind)}</span></div><h1>{html.escape(title)}</h1>"
        f"<p>{_rich(_(lesson.lead))}</p>{body}</body></html>\n"
    )


def _settings(learner: Learner, there: There, model: str | None, address: str) -> str:
    """The picture beside what to set."""
    file = io.BytesIO()
    square(learner.picture.image, PRINTED, learner.crop).save(file, "PNG")
    source = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    rows = {
        _("Picture"): _(learner.picture.title),
        _("Seed"): str(there.seed),
        "σ_q": f"{there.sigma_q:g}",
        _("T, steps"): str(there.steps),
        _("Steps are"): _(words.GRIDS[there.grid]),
    }
    if model:
        rows[_("Network")] = _(model.capitalize())
    table = "".join(
        f"<tr><th>{in_html(html.escape(name))}</th><td>{in_html(html.escape(value))}</td></tr>"
        for name, value in rows.items()
    )
    alt = html.escape(_("Your picture: {title}").format(title=_(learner.picture.title)))
    leads = html.escape(
        _(
            "This address opens the lesson; the journey's way there then has the same settings (the "
            "way back is yours to set):"
        )
    )
    return (
        f'<div class="set"><img src="{source}" alt="{alt}"><div><table>{table}</table>'
        f'<p class="small">{leads}</p><p class="address">{html.escape(address)}</p></div></div>'
    )


def _section(k: int, *parts: str) -> str:
    title = html.escape(_("Question {k}").format(k=k))
    first, *rest = parts
    return f'<section><div class="question"><h2>{title}</h2>{first}</div>{"".join(rest)}</section>'


def _question(asked: Asked, *, solved: bool = False) -> str:
    """A question and its choices, each with a box; the right one ticked when `solved`."""
    question, values = asked
    text = f"<p>{_rich(_(question.text).format(**values))}</p>"
    if isinstance(question, Estimate):
        guess = _("My guess, {low:g} to {high:g}:").format(low=question.low, high=question.high)
        return text if solved else text + _room(guess, 1)
    rows = []
    for code, choice in question.choices.items():
        right = solved and code == question.right
        kind = ' class="right"' if right else ""
        rows.append(
            f"<li{kind}><span>{'☑' if right else '☐'}</span>"
            f"<span>{_rich(_(choice).format(**values))}</span></li>"
        )
    return f"{text}<ol>{''.join(rows)}</ol>"


def _room(label: str, lines: int) -> str:
    """Lines to write on."""
    ruled = '<div class="line"></div>' * lines
    return f'<div class="space"><p class="small">{html.escape(label)}</p>{ruled}</div>'


def _rich(text: str) -> str:
    """Markdown's two kinds of stress, and our symbols, in HTML."""
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", html.escape(text, quote=False))
    return in_html(re.sub(r"\*(.+?)\*", r"<em>\1</em>", text))


# --- on the page -----------------------------------------------------------------------------------


def offer(lesson: Lesson, learner: Learner) -> None:
    """The two buttons at the foot of a lesson; nothing is made before it is asked for."""
    model, net = _network(lesson.paper(learner).networks)
    address = address_of(lesson, learner, model, st.context.url or "")
    file = f"there-and-back-{lesson.number}"
    name, wanted = f"key-{lesson.number}", (learner.key, model)

    def spoken(page: Callable[..., str], *more: object, language: str = current()) -> str:
        with speaking(language):  # a download is made outside of any session
            return page(lesson, learner, model, address, *more)

    def begin() -> tuple[dict[str, Told], Iterator[object], int]:
        told: dict[str, Told] = {}
        return told, _collected(told, lesson.answers(learner, model, net)), lesson.paper(learner).turns

    def make() -> None:
        task(name, wanted, begin)

    def save(making: Task[dict[str, Told]], told: dict[str, Told]) -> None:
        if making.finished:
            st.download_button(
                _("Save the answer key"), functools.partial(spoken, answer_key, told), f"{file}-key.html",
                "text/html", key=f"save-{name}", on_click="ignore",
                icon=":material/download:", type="tertiary",
            )  # fmt: skip

    with st.container(key=f"papers-{lesson.number}"):
        st.caption(_("On paper, for a class: to print, with this picture and seed."))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.download_button(
                _("Worksheet"), functools.partial(spoken, worksheet), f"{file}.html", "text/html",
                key=f"sheet-{lesson.number}", on_click="ignore", icon=":material/print:",
            )  # fmt: skip
            key, making = learning().tasks.get(name, (None, None))
            making = making if key == wanted else None
            st.button(
                _("Answer key"), key=f"make-{name}", icon=":material/key:", disabled=making is not None,
                help=_("Computes every number for this picture and seed; it gives the answers away."),
                on_click=make,
            )  # fmt: skip
        if making is not None:
            watch(making, name, functools.partial(save, making), _("Computing the answers"))


def _network(offered: tuple[str, ...]) -> tuple[str | None, NetworkDenoiser | None]:
    """The network of a lesson, as far as there is one."""
    model = preferred(offered)
    if model is None:
        return None, None
    try:
        return model, network(model)
    except ModelError:  # the lesson says so when it comes to its network
        return None, None


def _collected(told: dict[str, Told], answers: Iterator[Told | None]) -> Iterator[None]:
    for answer in answers:
        if isinstance(answer, tuple):
            told[answer[0]] = answer
        yield
