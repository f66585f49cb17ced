"""Six questions before the lessons and six after: the same ideas, asked anew, and what was gained.

Each answer is locked by itself. Nothing is solved before both halves are done: the second would
measure the memory of the first.
"""

from __future__ import annotations

import csv
import html
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from ui.language import N_, _
from ui.lessons import numbers
from ui.lessons.rhythm import Learner, Question, in_html, in_markdown, learning, lock, marked
from ui.settings import LESSONS

#: Of the questions: results of different versions are not to be compared.
VERSION = 3
#: The two halves, and where each stands among the lessons.
PLACES = {"pre": 0, "post": LESSONS + 1}
TITLES = {"pre": N_("Before you begin"), "post": N_("When you are through")}
LEADS = {
    "pre": N_(
        "Six questions on what the lessons are about. Guess where you do not know: that is the point. "
        "Your answers last as long as this page stays open: if you go on another day, save them now, for "
        "your teacher to compare."
    ),
    "post": N_("The same six ideas, asked anew. What has changed since you began?"),
}
#: A question, and what goes into its texts.
Item = tuple[Question, Mapping[str, float]]
COLUMNS: tuple[str, ...] = ("name", "test", "question", "given", "right", "correct", "seed", "version")


@dataclass(frozen=True)
class Idea:
    """What is asked twice.

    Attributes
    ----------
    name : str
        As in the file of results.
    title : str
        Marked with N_.
    asked : mapping of "pre" and "post" to Item
    """

    name: str
    title: str
    asked: Mapping[str, Item]


def _idea(name: str, title: str, **asked: tuple[str, Mapping[str, str], str, Mapping[str, float]]) -> Idea:
    """Both questions of an idea from text, choices, the right one, and the values of each."""
    questions = {
        when: (Question(f"{when}-{name}", text, choices, right), values)
        for when, (text, choices, right, values) in asked.items()
    }
    return Idea(name, title, questions)


def _sums(step: float, count: int) -> dict[str, float]:
    """What `count` independent noises of spread `step` come to, rightly and wrongly."""
    total = numbers.total_in_theory("fixed", step, count)
    return {"step": step, "count": count, "root": total, "sum": step * count, "square": step * count**2}


def _grain(sigma_q: float, steps: int) -> dict[str, float]:
    """What Algorithm 1 leaves on the result, rightly and wrongly."""
    root = numbers.leftover(sigma_q, steps)
    return {"sigma": sigma_q, "T": steps, "root": root, "share": sigma_q / steps}


_SPREADS = {"same": "{step:g}", "root": "{root:g}", "sum": "{sum:g}", "square": "{square:g}"}
_LASTS = {
    "edges": N_("its outlines"),
    "pixels": N_("the colour of single pixels"),
    "none": N_("nothing: all of it goes at the same time"),
    "mean": N_("how bright it is as a whole"),
}
_BLURS = {
    "small": N_("The network is too small: a large one would guess sharply."),
    "mean": N_("It is the mean of all clean pictures that could have led here."),
    "left": N_("Some of the noise is still in it."),
    "early": N_("The training was stopped too early."),
}
_GRAINS = {
    "none": N_("none: the network has taken it off"),
    "share": N_("a spread of {share:g}"),
    "root": N_("a spread of about {root:.2g}"),
    "all": N_("a spread of {sigma:g}: all of it"),
}
_GRAIN = N_(
    "Algorithm 1 to the letter adds noise of spread σ_q·√Δt at every step back, and at the last one too. "
    "With σ_q = {sigma:g} and T = {T}, what grain is left on the result?"
)

IDEAS = (
    _idea(
        "variances",
        N_("What many small noises add up to"),
        pre=(
            N_("Noise of spread (standard deviation) {step:g} is added {count} times, drawn afresh each "
            "time. All the noise together has spread …"),
            _SPREADS, "root", _sums(1, 4),
        ),
        post=(
            N_("A walk takes {count} steps, and each adds independent noise of spread {step:g}. The end "
            "differs from the start by noise of spread …"),
            _SPREADS, "root", _sums(0.5, 9),
        ),
    ),
    _idea(
        "last",
        N_("What noise hides last"),
        pre=(
            N_("A picture sinks under more and more noise. What of it can be told **longest**?"),
            _LASTS, "mean", {},
        ),
        post=(
            N_("In x_T the eye sees nothing but speckle. What of your picture can **longest** be measured in "
               "it?"),
            _LASTS, "mean", {},
        ),
    ),
    _idea(
        "blur",
        N_("Why x̂_0 is blurry"),
        pre=(
            N_("A network sees a very noisy picture and guesses the clean one. Its guess is blurry. Why?"),
            _BLURS, "mean", {},
        ),
        post=(
            N_("Every picture the network learnt from was sharp, yet its x̂_0 at high noise is not. Why?"),
            _BLURS, "mean", {},
        ),
    ),
    _idea(
        "fresh",
        N_("Why fresh noise is added"),
        pre=(
            N_("Some ways back remove noise at each step and then **add** a little fresh noise. What for?"),
            {
                "cover": N_("It covers up the network's mistakes."),
                "quick": N_("With it fewer steps are needed."),
                "seed": N_("Without it every noise it starts from would lead to the same picture."),
                "doubt": N_("It puts back the doubt that is left, so that endings differ as the data does."),
            },
            "doubt", {},
        ),
        post=(
            N_("You leave out the fresh noise of such a walk and change nothing else. Many walks end …"),
            {
                "alike": N_("too much alike, near the average"),
                "clean": N_("as varied as before, only cleaner"),
                "noise": N_("in noise: nothing is removed any more"),
                "yours": N_("all in your picture"),
            },
            "alike", {},
        ),
    ),
    _idea(
        "grain",
        N_("What ten steps leave behind"),
        pre=(
            N_("A picture got noise in {T} equal steps; all of it together has spread {sigma:g}. On the "
            "way back a network takes it off in {T} steps, but each step, the last too, adds again as "
            "much noise as one step there had added. What noise is left on the result?"),
            _GRAINS, "root", _grain(1.0, 10),
        ),
        post=(_GRAIN, _GRAINS, "root", _grain(2.0, 10)),
    ),
    _idea(
        "nothing",
        N_("What comes back from pure noise"),
        pre=(
            N_("Your picture is gone; a network walks back from pure noise. What can it show?"),
            {
                "yours": N_("your picture, if it was trained well"),
                "new": N_("something new in the manner of what it learnt"),
                "mean": N_("the mean of all it learnt"),
                "noise": N_("only more noise"),
            },
            "new", {},
        ),
        post=(
            N_("Two people upload different pictures. Both start from the **same** pure noise and walk back "
               "with the same network and seed. They get …"),
            {
                "own": N_("each their own picture"),
                "apart": N_("two new pictures that have nothing in common"),
                "same": N_("one and the same picture, which is neither of theirs"),
                "mixed": N_("a mixture of the two"),
            },
            "same", {},
        ),
    ),
)  # fmt: skip

Picked = Mapping[str, str | float]


def score(picked: Picked, when: str) -> int | None:
    """How many were right; None while any is open."""
    questions = [idea.asked[when][0] for idea in IDEAS]
    if any(question.name not in picked for question in questions):
        return None
    return sum(picked[question.name] == question.right for question in questions)


def gain(before: int, after: int, of: int = len(IDEAS)) -> float:
    """The share of what was missing before that was there after (Hake); NaN where nothing was missing."""
    return (after - before) / (of - before) if before < of else math.nan


def rows(picked: Picked, name: str, seed: int) -> list[dict[str, str | int]]:
    """The results, a row a question, of the halves that are done; keys are :data:`COLUMNS`."""
    return [
        {
            "name": _harmless(name), "test": when, "question": idea.name,
            "given": str(picked[question.name]), "right": question.right,
            "correct": int(picked[question.name] == question.right), "seed": seed, "version": VERSION,
        }
        for when in PLACES if score(picked, when) is not None
        for idea in IDEAS for question in (idea.asked[when][0],)
    ]  # fmt: skip


def in_csv(found: list[dict[str, str | int]]) -> bytes:
    """As a file that spreadsheets read in any language."""
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, COLUMNS)
    writer.writeheader()
    writer.writerows(found)
    return file.getvalue().encode("utf-8-sig")


def _harmless(name: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    name = " ".join(name.split())
    return f"'{name}" if name.startswith(("=", "+", "-", "@")) else name


# --- on the page -----------------------------------------------------------------------------------


def show(when: str, learner: Learner) -> None:
    """One half of the test."""
    picked = learning().picked
    solved = all(score(picked, half) is not None for half in PLACES)
    for k, idea in enumerate(IDEAS, 1):
        question, values = idea.asked[when]
        with st.container(key=f"ask-{question.name}"):
            st.markdown(f"**{_('{k} of {total}').format(k=k, total=len(IDEAS))}**")
            st.markdown(in_markdown(_(question.text).format(**values)))
            _answer(question, values, solved=solved)
    with st.container(key=f"score-{when}"):
        _result(when, learner)


def _answer(question: Question, values: Mapping[str, float], *, solved: bool) -> None:
    texts = {code: _(text).format(**values) for code, text in question.choices.items()}
    mine = learning().picked.get(question.name)
    if not isinstance(mine, str) or mine not in texts:
        picked = st.radio(
            _("Your answer"), list(texts), index=None, key=f"pick-{question.name}",
            format_func=lambda code: in_markdown(texts[code]), label_visibility="collapsed",
        )  # fmt: skip
        lock(question.name, picked)
    elif solved:
        st.html(marked(texts, mine, question.right))
    else:
        said = in_html(html.escape(texts[mine]))
        st.html(f'<p class="verdict" role="status">{html.escape(_("Locked in:"))} {said}</p>')


def _result(when: str, learner: Learner) -> None:
    picked, total = learning().picked, len(IDEAS)
    if (now := score(picked, when)) is None:
        left = sum(idea.asked[when][0].name not in picked for idea in IDEAS)
        st.caption(_("{left} of {total} still open.").format(left=left, total=total))
        return
    st.markdown(f"#### {_('{now} of {total} right').format(now=now, total=total)}")
    before, after = (score(picked, half) for half in PLACES)
    if before is None or after is None:
        other = next(half for half in PLACES if half != when)
        text = _("Which ones, and what you gained, is shown when “{other}” is answered too.")
        st.markdown(text.format(other=_(TITLES[other])))
    else:
        _gained(before, after)
    here = learning()
    st.text_input(
        _("Your name, for the file"), key="quiz-name", max_chars=80, on_change=_named,
        help=_("It goes into the file you save and nowhere else; the server forgets it with this session."),
    )  # fmt: skip
    st.download_button(
        _("Save my answers (CSV)"),
        lambda: in_csv(rows(picked, here.name, learner.seed)),  # a name just typed comes with the same click
        "there-and-back-answers.csv", "text/csv",
        key="quiz-save", icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def _named() -> None:
    learning().name = st.session_state["quiz-name"]


def _gained(before: int, after: int) -> None:
    """Both halves side by side, idea by idea."""
    picked, share = learning().picked, gain(before, after)
    text = _("Before: **{before}**. After: **{after}**.").format(before=before, after=after)
    if share > 0:
        text = _(
            "Before: **{before}**. After: **{after}**. Of what was missing, **{share:.0%}** is there now."
        ).format(before=before, after=after, share=share)
    st.markdown(text)
    sign = {True: "✓", False: "✗"}
    st.table(
        {
            _("Idea"): [in_markdown(_(idea.title)) for idea in IDEAS],
            **{
                _(TITLES[half]): [
                    sign[picked[question.name] == question.right]
                    for question in (idea.asked[half][0] for idea in IDEAS)
                ]
                for half in PLACES
            },
        }
    )
