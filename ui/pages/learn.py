"""The seven lessons: a picture, a seed, and one lesson at a time."""

from __future__ import annotations

import base64
import html
import io
from pathlib import Path

import streamlit as st

from diffusion.pictures import square
from ui import controls, lessons, locks, resources, stage_view
from ui.language import _
from ui.lessons import LESSONS, quiz, sheets
from ui.lessons.rhythm import Learner, in_html, learning
from ui.settings import SEED_RANGE
from ui.state import Picture, session

CSS = (Path(lessons.__file__).parent / "lessons.css").read_text(encoding="utf-8")


def learner() -> Learner:
    """The picture and the seed, which the journey shares."""
    here = session()
    st.session_state.setdefault("seed", 0)
    with st.container(key="lesson-desk", horizontal=True, vertical_alignment="bottom"):
        thumbnail = st.empty()
        with st.popover(_("Change picture"), icon=":material/image:"):
            controls.picture()
        seed = st.number_input(
            locks.named("seed"), *SEED_RANGE, key="seed", width=118, disabled=locks.locked("seed"),
            help=_("Decides every bit of the noise. Change it, and every number is computed anew."),
        )  # fmt: skip
    picture = here.picture
    if picture is None:
        raise RuntimeError("a sample picture is always taken up first")
    thumbnail.html(_thumbnail(picture))
    return Learner(picture, here.crop, int(seed))


def _thumbnail(picture: Picture) -> str:
    file = io.BytesIO()
    square(picture.image, 112, session().crop).save(file, "PNG")
    source = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    alt = html.escape(_("Your picture: {title}").format(title=_(picture.title)))
    return f'<div class="mine-now"><img src="{source}" alt="{alt}"></div>'


def choose() -> int:
    """A lesson by its number, or a half of the test by its place; what was gone through is ticked."""
    here = learning()
    st.session_state.setdefault("lesson", here.lesson)

    halves = {place: when for when, place in quiz.PLACES.items()}

    def label(number: int) -> str:
        if when := halves.get(number):
            tick = "✓ " if quiz.score(here.picked, when) is not None else ""
            return tick + _(quiz.TITLES[when])
        title = _(LESSONS[number - 1].title)
        return f"{number} ✓ {title}" if number in here.done else f"{number} · {title}"

    with st.container(key="lesson-chooser"):
        chosen = st.pills(
            _("Lessons"), range(len(LESSONS) + 2), key="lesson", required=True,
            format_func=label, label_visibility="collapsed",
        )  # fmt: skip
    number = here.lesson if chosen is None else chosen
    here.leave(number)
    return number


def next_lesson(number: int) -> None:
    """A way on, and how much there is."""

    def on() -> None:
        st.session_state["lesson"] = number + 1

    done = len(learning().done)
    st.caption(_("{done} of {total} lessons gone through.").format(done=done, total=len(LESSONS)))
    following = LESSONS[number].title if number < len(LESSONS) else quiz.TITLES["post"]
    st.button(
        _("Next: {title}").format(title=_(following)), key="next-lesson", type="primary",
        icon=":material/arrow_forward:", on_click=on,
    )  # fmt: skip
    if number == len(LESSONS):
        st.page_link("ui/pages/journey.py", label=_("Now travel on your own"), icon=":material/swap_horiz:")


def lesson(number: int, me: Learner) -> None:
    """A lesson, the way on, and its papers."""
    chosen = LESSONS[number - 1]
    with st.container(key=f"lesson-{number}"):
        st.subheader(f"{number}. {_(chosen.title)}", anchor=False)
        st.html(f'<p class="lead">{in_html(html.escape(_(chosen.lead)))}</p>')
        x0 = me.x0()
        if bool((x0 == x0[..., :1, :1]).all()):
            st.info(_("Your picture is of one colour; what is asked here needs one with something on it."))
        if chosen.show(me):
            if number not in learning().done:
                learning().done.add(number)
                st.rerun()  # the chooser above has yet to tick it
            next_lesson(number)
    sheets.offer(chosen, me)


def half(when: str, me: Learner) -> None:
    """One half of the test."""
    with st.container(key=f"lesson-{when}"):
        st.subheader(_(quiz.TITLES[when]), anchor=False)
        st.html(f'<p class="lead">{html.escape(_(quiz.LEADS[when]))}</p>')
        quiz.show(when, me)
        if when == "pre" and quiz.score(learning().picked, when) is not None:
            next_lesson(0)


resources.settle()
st.html(stage_view.STYLE + f"<style>{CSS}</style>")
with st.container(key="lesson-page"):
    st.markdown(f"#### {_('Seven short lessons, on your own picture')}")
    me = learner()
    number = choose()
    when = next((when for when, place in quiz.PLACES.items() if place == number), None)
    if when:
        half(when, me)
    else:
        lesson(number, me)
