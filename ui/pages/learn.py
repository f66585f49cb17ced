"""The seven lessons: a picture, a seed, and one lesson at a time."""

from __future__ import annotations

import base64
import html
import io
from pathlib import Path

import streamlit as st

from diffusion.pictures import square
from ui import controls, lessons, resources, stage_view
from ui.language import _
from ui.lessons import LESSONS, Lesson, sheets
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
            _("Seed"), *SEED_RANGE, key="seed", width=118,
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


def choose() -> Lesson:
    """One lesson, by its number; those gone through are ticked."""
    here = learning()
    st.session_state.setdefault("lesson", here.lesson)

    def label(number: int) -> str:
        title = _(LESSONS[number - 1].title)
        return f"{number} ✓ {title}" if number in here.done else f"{number} · {title}"

    with st.container(key="lesson-chooser"):
        chosen = st.pills(
            _("Lessons"), range(1, len(LESSONS) + 1), key="lesson", required=True,
            format_func=label, label_visibility="collapsed",
        )  # fmt: skip
    number = chosen or here.lesson
    here.leave(number)
    return LESSONS[number - 1]


def next_lesson(number: int) -> None:
    """A way on, and how much there is."""

    def on() -> None:
        st.session_state["lesson"] = number + 1

    done = len(learning().done)
    st.caption(_("{done} of {total} lessons gone through.").format(done=done, total=len(LESSONS)))
    if number < len(LESSONS):
        following = _(LESSONS[number].title)
        st.button(
            _("Next: {title}").format(title=following), key="next-lesson", type="primary",
            icon=":material/arrow_forward:", on_click=on,
        )  # fmt: skip
    else:
        st.page_link("ui/pages/journey.py", label=_("Now travel on your own"), icon=":material/swap_horiz:")


resources.settle()
st.html(stage_view.style() + f"<style>{CSS}</style>")
with st.container(key="lesson-page"):
    st.markdown(f"#### {_('Seven short lessons, on your own picture')}")
    me = learner()
    lesson = choose()
    with st.container(key=f"lesson-{lesson.number}"):
        st.subheader(f"{lesson.number}. {_(lesson.title)}", anchor=False)
        st.html(f'<p class="lead">{in_html(html.escape(_(lesson.lead)))}</p>')
        if lesson.show(me):
            if lesson.number not in learning().done:
                learning().done.add(lesson.number)
                st.rerun()  # the chooser above has yet to tick it
            next_lesson(lesson.number)
    sheets.offer(lesson, me)
