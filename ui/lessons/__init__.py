"""Seven lessons of five minutes, each on the learner's own picture: predict, lock in, see, explain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType

from diffusion.denoiser import NetworkDenoiser
from ui.lessons import (
    l1_one_pixel,
    l2_noise_yet,
    l3_regression,
    l4_one_step_back,
    l5_ten_or_thousand,
    l6_many_endings,
    l7_from_nothing,
)
from ui.lessons.rhythm import Learner, Paper, Told

_MODULES: tuple[ModuleType, ...] = (
    l1_one_pixel, l2_noise_yet, l3_regression, l4_one_step_back,
    l5_ten_or_thousand, l6_many_endings, l7_from_nothing,
)  # fmt: skip


@dataclass(frozen=True)
class Lesson:
    """One lesson.

    Attributes
    ----------
    number : int
        From 1.
    title, lead : str
        Marked with N_.
    show : callable
        Draws it for a learner; returns whether it has been gone through.
    paper : callable
        What it asks a learner, and with which settings.
    answers : callable
        Why, for a learner and a network: computes, yielding after each step, and what each question
        leads to as soon as it is known.
    """

    number: int
    title: str
    lead: str
    show: Callable[[Learner], bool]
    paper: Callable[[Learner], Paper]
    answers: Callable[[Learner, str | None, NetworkDenoiser | None], Iterator[Told | None]]


LESSONS = tuple(
    Lesson(number, module.TITLE, module.LEAD, module.show, module.paper, module.answers)
    for number, module in enumerate(_MODULES, 1)
)
