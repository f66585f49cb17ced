"""The model card for people: sections made from the JSON card, and from nothing else.

:func:`render` writes them as Markdown; the app lays out the same sections on its page of networks.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Table:
    """A table of what a person reads.

    Attributes
    ----------
    head : tuple of str
    rows : tuple of tuple of str
        Numbers rounded to four digits; ``**`` and backticks as in Markdown.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
        """Round the numbers of `rows`."""
        return cls(tuple(head), tuple(tuple(number(cell) for cell in row) for row in rows))

    def markdown(self) -> str:
        """As Markdown writes it."""
        escaped = ([cell.replace("|", "\\|") for cell in row] for row in self.rows)
        lines = ["| " + " | ".join(self.head) + " |", "|" + "---|" * len(self.head)]
        return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in escaped])


@dataclass(frozen=True)
class Section:
    """A part of a card.

    Attributes
    ----------
    title : str
    parts : tuple of str or Table
        Paragraphs of Markdown, and tables.
    """

    title: str
    parts: tuple[str | Table, ...]

    def markdown(self) -> Iterable[str]:
        """Its title and parts as Markdown."""
        return f"## {self.title}", *(
            part if isinstance(part, str) else part.markdown() for part in self.parts
        )


def sections(card: dict[str, Any]) -> list[Section]:
    """What a card says, part by part; parts that are missing are left out."""
    makers = (_data, _architecture, _training, _loss_by_noise, _evaluation, _memory, _limits)
    return [made for maker in makers if (made := maker(card)) is not None]


def render(card: dict[str, Any]) -> str:
    """Write a model card out as Markdown.

    Parameters
    ----------
    card : dict
        What ``pretrained/NAME.json`` holds; parts that are missing are left out.

    Returns
    -------
    str
        Ends with a line break.
    """
    parts = [
        f"# {card.get('name', 'model')}: {card.get('title', '')}".rstrip(": "),
        "This page is made from the JSON card beside it (`python -m bench.evaluate` renews both).",
        *(part for section in sections(card) for part in section.markdown()),
    ]
    return "\n\n".join(parts) + "\n"


def write(card: dict[str, Any], folder: Path) -> None:
    """Write ``NAME.json`` and ``NAME.md`` into `folder`."""
    text = json.dumps(card, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    (folder / f"{card['name']}.json").write_text(text, encoding="utf-8")
    (folder / f"{card['name']}.md").write_text(render(card), encoding="utf-8")


def met(figure: dict[str, Any]) -> bool | None:
    """Whether a figure reaches its target; None where it has none."""
    if figure.get("target") is None:
        return None
    value, target = figure["value"], figure["target"]
    return value >= target if figure.get("at_least", True) else value <= target


#: Figures that tell how many pictures from noise a judge accepts, and their column for real pictures.
RATES = {
    "dog rate, 10 evaluations": "dog rate",
    "samples sure of some digit, 10 evaluations": "sure of some digit",
}


@dataclass(frozen=True)
class RateFromNoise:
    """How many pictures from noise an independent judge accepts.

    Attributes
    ----------
    what : str
        A key of :data:`RATES`.
    rate, real, target : float
        Share of the pictures made, of real held-out ones, and what was aimed for.
    count : int
        Pictures made.
    met : bool
    current : bool
        Whether the weights are still the ones that were judged.
    """

    what: str
    rate: float
    real: float
    target: float
    count: int
    met: bool
    current: bool


def rate_from_noise(card: dict[str, Any]) -> RateFromNoise | None:
    """What the figures say of pictures from noise; None where they say nothing."""
    evaluation = card.get("evaluation", {})
    figure = next((f for f in evaluation.get("figures", ()) if f["what"] in RATES), None)
    if figure is None:
        return None
    column = RATES[figure["what"]]
    rows = (row for one in evaluation.get("tables", ()) for row in one["rows"])
    real = next((row[column] for row in rows if row.get("pictures") == "held out" and column in row), None)
    if real is None:
        return None
    current = evaluation.get("sha256") == card.get("sha256")
    return RateFromNoise(
        figure["what"],
        figure["value"],
        real,
        figure["target"],
        evaluation["count"],
        bool(met(figure)),
        current,
    )


def figures_table(figures: Iterable[dict[str, Any]]) -> Table:
    """Figures against their targets, with what is missing said in full.

    Parameters
    ----------
    figures : iterable of dict
        Each with ``what`` and ``value``, and perhaps ``target``, ``at_least`` (True by default),
        ``unit`` and ``note``.
    """
    rows = []
    for figure in figures:
        unit = f" {figure['unit']}" if figure.get("unit") else ""
        target, verdict = "", ""
        if (reached := met(figure)) is not None:
            sign = "≥" if figure.get("at_least", True) else "≤"
            target = f"{sign} {number(figure['target'])}{unit}"
            short = abs(figure["value"] - figure["target"])
            verdict = "met" if reached else f"**short by {number(short)}{unit}**"
        measured = f"{number(figure['value'])}{unit}"
        rows.append([figure["what"], target, measured, verdict, figure.get("note", "")])
    return Table.of(["what", "target", "measured", "", "how"], rows)


def number(value: Any) -> str:  # noqa: ANN401 - a cell may hold anything
    """A number as a person reads it; other things as they are."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "" if value is None else str(value)
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) >= 1000:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def _data(card: dict[str, Any]) -> Section | None:
    data = card.get("data", {})
    lines = []
    if data:
        part = f", {data['part']}" if data.get("part") else ""
        lines.append(f"- **Data**: {data.get('name', '')}{part}. {data.get('source', '')}.")
        lines.append(f"- **Licence of the data**: {data.get('licence', 'not stated')}.")
    if card.get("licence"):
        lines.append(f"- **Licence of these weights**: {card['licence']}.")
    training = card.get("training", {})
    if "pictures_in_set" in training:
        lines.append(
            f"- **Pictures**: {training['pictures_in_set']:,} to train on, "
            f"{training.get('pictures_held_out', 0):,} held out; none is shipped."
        )
    if card.get("classes"):
        advised = f" (guidance {number(card['guidance'])} is advised)" if "guidance" in card else ""
        lines.append(f"- **Classes it can be asked for**{advised}: {', '.join(card['classes'])}.")
    return Section("Data and licence", ("\n".join(lines),)) if lines else None


def _architecture(card: dict[str, Any]) -> Section | None:
    shape = card.get("architecture")
    if not shape:
        return None
    widths = ", ".join(str(width) for width in shape.get("widths", ()))
    extras = [
        "group normalisation" if shape.get("norm") else "no normalisation",
        "self-attention on the coarsest grid" if shape.get("attention") else "no attention",
    ]
    if shape.get("labels"):
        extras.append(f"{shape['labels']} labels")
    if shape.get("dropout"):
        extras.append(f"dropout {shape['dropout']}")
    text = (
        f"A convolutional U-Net behind EDM's preconditioning, D(x, σ): patches of "
        f"{shape.get('patch')}×{shape.get('patch')} pixels, {widths} channels a level, "
        f"{shape.get('blocks')} residual blocks a level each way; {'; '.join(extras)}."
    )
    facts = [
        ("parameters", card.get("parameters")),
        ("bytes on disk (float16; computed in float32)", card.get("bytes")),
        ("picture size it was trained at", card.get("size")),
        ("noise levels σ, in [-1, 1] units", f"{card.get('sigma_min')} to {card.get('sigma_max')}"),
        ("spread of the data it assumes", card.get("sigma_data")),
        ("sha256 of the weights", f"`{card['sha256']}`" if "sha256" in card else None),
    ]
    return Section("Architecture", (text, _facts(facts)))


def _training(card: dict[str, Any]) -> Section | None:
    training = card.get("training")
    if not training:
        return None
    mean, spread = training.get("log_sigma", (None, None))
    facts = [
        ("hours", training.get("hours")),
        ("machine", card.get("machine")),
        ("updates", training.get("updates")),
        ("pictures seen", training.get("pictures_seen")),
        ("batch", training.get("batch")),
        ("learning rate (Adam)", training.get("learning_rate")),
        ("ln σ of the training noise", None if mean is None else f"N({mean}, {spread}²)"),
    ]
    return Section("Training", (_facts(facts),))


def _facts(facts: Iterable[tuple[str, Any]]) -> Table:
    return Table.of(["", ""], [row for row in facts if row[1] is not None])


def _loss_by_noise(card: dict[str, Any]) -> Section | None:
    losses = card.get("training", {}).get("loss_by_noise")
    if not losses:
        return None
    held_out = {row["sigma"]: row for row in losses.get("val", ())}
    rows = []
    for row in losses.get("train", ()):
        other = held_out.get(row["sigma"], {})
        rows.append(
            [row["sigma"], row["loss"], other.get("loss"), math.sqrt(row["mse"]), _root(other.get("mse"))]
        )
    about = (
        "EDM's weighted loss, and the root mean square error of x̂_0 in [-1, 1] units: small where the "
        "network can be sure, large where it can only guess. Held-out pictures far above training "
        "pictures would mean that it remembers."
    )
    head = ["σ", "loss, training", "loss, held out", "rms, training", "rms, held out"]
    return Section("Loss by noise level", (about, Table.of(head, rows)))


def _root(value: float | None) -> float | None:
    return None if value is None else math.sqrt(value)


def _evaluation(card: dict[str, Any]) -> Section | None:
    evaluation = card.get("evaluation")
    if not evaluation:
        return Section("Figures", ("Not evaluated yet: `make evaluate` measures and writes them here.",))
    about = [f"Measured on held-out data by `python -m bench.evaluate`; {evaluation.get('machine', '')}."]
    if evaluation.get("judge"):
        about.append(f"The judge is {evaluation['judge']}.")
    if evaluation.get("sha256") not in (None, card.get("sha256")):
        about.append("**These figures are of earlier weights than the ones described here.**")
    figures = evaluation.get("figures", [])
    parts: list[str | Table] = [" ".join(about), figures_table(figures)]
    short = [figure["what"] for figure in figures if met(figure) is False]
    if short:
        parts.append(f"Short of the target: {'; '.join(short)}.")
    if evaluation.get("outlook"):
        parts.append(evaluation["outlook"])
    for one in evaluation.get("tables", []):
        if one["rows"]:
            parts += [f"### {one['title']}", _told(one["rows"])]
    return Section("Figures against targets", tuple(parts))


def _told(rows: Sequence[dict[str, Any]]) -> Table:
    """Rows that were measured; what they are called comes first, whatever order the file has them in."""
    head = sorted(rows[0], key=lambda name: not isinstance(rows[0][name], str))
    return Table.of(head, [[row.get(name) for name in head] for row in rows])


def _memory(card: dict[str, Any]) -> Section | None:
    index = card.get("index")
    if not index:
        return None
    agreement = index["agreement"]
    text = (
        f"The app holds a picture against an index of the {index['pictures']:,} training pictures, "
        f"{index['numbers']} numbers of each, {index['bytes']:,} bytes in all; `python -m diffusion index` "
        "makes it. It tells how much the nearest training picture stands out, its distance over the mean "
        f"distance of the 50 nearest, against the same of {index['held_out']:,} held-out pictures. "
        "*Suspicious* is what stands out more than for 95 % of them. Tried on spoilt copies, and on held-out "
        "pictures measured against the other half of them:"
    )
    limits = (
        "The codes find copies; among strangers they are coarse. Rank correlation with whole pictures, on "
        f"held-out ones: {agreement['distances']} of the distances, {agreement['standings']} of the "
        f"standings. For {agreement['among the nearest ten']} of them the nearest by pixels is among the ten "
        "nearest by codes."
    )
    return Section("New, or remembered?", (text, _told(index["checked"]), limits))


def _limits(card: dict[str, Any]) -> Section | None:
    return Section("Limits", (str(card["limits"]),)) if card.get("limits") else None
