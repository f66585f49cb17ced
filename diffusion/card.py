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

from .errors import N_, Listed, Sentence
from .guidance import Guidance


@dataclass(frozen=True)
class Table:
    """A table of what a person reads.

    Attributes
    ----------
    head : tuple of str
    rows : tuple of tuple of str or Sentence
        Numbers rounded to four digits; ``**`` and backticks as in Markdown.
    title : str
        Empty where the section's own title says enough.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str | Sentence, ...], ...]
    title: str = ""

    @classmethod
    def of(cls, head: Sequence[str], rows: Iterable[Sequence[Any]], title: str = "") -> Table:
        """Round the numbers of `rows`."""
        cells = (tuple(cell if isinstance(cell, Sentence) else number(cell) for cell in row) for row in rows)
        return cls(tuple(head), tuple(cells), title)

    def markdown(self) -> str:
        """As Markdown writes it."""
        escaped = ([str(cell).replace("|", "\\|") for cell in row] for row in self.rows)
        lines = [f"### {self.title}\n"] if self.title else []
        lines += ["| " + " | ".join(self.head) + " |", "|" + "---|" * len(self.head)]
        return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in escaped])


@dataclass(frozen=True)
class Text:
    """Sentences that stand together, in Markdown.

    Attributes
    ----------
    sentences : tuple of Sentence
    points : bool
        Whether each is a point of a list.
    """

    sentences: tuple[Sentence, ...]
    points: bool = False

    @classmethod
    def of(cls, text: str, **values: Any) -> Text:  # noqa: ANN401 - whatever a place takes
        """A single sentence."""
        return cls((Sentence(text, values),))

    def markdown(self) -> str:
        """As Markdown writes it."""
        if self.points:
            return "\n".join(f"- {sentence}" for sentence in self.sentences)
        return " ".join(str(sentence) for sentence in self.sentences)


@dataclass(frozen=True)
class Section:
    """A part of a card.

    Attributes
    ----------
    title : str
    parts : tuple of Text or Table
    """

    title: str
    parts: tuple[Text | Table, ...]

    def markdown(self) -> Iterable[str]:
        """Its title and parts as Markdown."""
        return f"## {self.title}", *(part.markdown() for part in self.parts)


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
    text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
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
        Whether the weights, and the guidance, are still what was judged.
    sampler, grid : str
        With which they were made; empty where the card does not say.
    looks : int
        Network evaluations a picture; 0 where the card does not say.
    """

    what: str
    rate: float
    real: float
    target: float
    count: int
    met: bool
    current: bool
    sampler: str
    grid: str
    looks: int


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
    way = evaluation.get("way", {})
    current = evaluation.get("sha256") == card.get("sha256") and way.get("guidance") == card.get("guidance")
    return RateFromNoise(
        figure["what"],
        figure["value"],
        real,
        figure["target"],
        evaluation["count"],
        bool(met(figure)),
        current,
        way.get("sampler", ""),
        way.get("grid", ""),
        way.get("looks", 0),
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
            much = f"{number(short)}{unit}"
            verdict = Sentence("met") if reached else Sentence("**short by {much}**", {"much": much})
        measured = f"{number(figure['value'])}{unit}"
        rows.append([figure["what"], target, measured, verdict, figure.get("note", "")])
    return Table.of([N_("what"), N_("target"), N_("measured"), "", N_("how")], rows)


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
    data, training = card.get("data", {}), card.get("training", {})
    lines = []
    if data:
        name, source = Listed((data.get("name", ""), data.get("part", ""))), data.get("source", "")
        lines.append(Sentence("**Data**: {name}. {source}.", {"name": name, "source": source}))
        licence = data.get("licence") or N_("not stated")
        lines.append(Sentence("**Licence of the data**: {licence}.", {"licence": licence}))
    if card.get("licence"):
        lines.append(Sentence("**Licence of these weights**: {licence}.", {"licence": card["licence"]}))
    if "pictures_in_set" in training:
        counts = {"count": training["pictures_in_set"], "held_out": training.get("pictures_held_out", 0)}
        text = N_("**Pictures**: {count:,} to train on, {held_out:,} held out; none is shipped.")
        lines.append(Sentence(text, counts))
    if card.get("classes"):
        text = N_("**Classes it can be asked for**: {names}.")
        advised = Guidance.read(card.get("guidance", 1.0)).facts()
        if {"low", "high"} <= advised.keys():
            text = N_(
                "**Classes it can be asked for** (guidance {weight}, where σ is {low} to {high}, is advised)"
                ": {names}."
            )
        elif "guidance" in card:
            text = N_("**Classes it can be asked for** (guidance {weight} is advised): {names}.")
        names = Listed(tuple(name.replace("_", " ") for name in card["classes"]))
        lines.append(Sentence(text, {"names": names} | {key: number(v) for key, v in advised.items()}))
    if training.get("guide_pictures"):
        text = N_(
            "**Its guide** is what it was itself after {count:,} pictures: asked for a class, it goes "
            "further away from what the beginner says."
        )
        lines.append(Sentence(text, {"count": training["guide_pictures"]}))
        guide, shape = card.get("guide", {}), card.get("architecture", {})
        if guide and guide["blocks"] != shape.get("blocks"):
            text = N_(
                "It has grown since: its guide has {blocks} residual blocks a level, {count:,} parameters."
            )
            lines.append(Sentence(text, {"blocks": guide["blocks"], "count": guide["parameters"]}))
    return Section(N_("Data and licence"), (Text(tuple(lines), points=True),)) if lines else None


def _architecture(card: dict[str, Any]) -> Section | None:
    shape = card.get("architecture")
    if not shape:
        return None
    extras: list[str | Sentence] = [
        N_("group normalisation") if shape.get("norm") else N_("no normalisation"),
        N_("self-attention on the coarsest grid") if shape.get("attention") else N_("no attention"),
    ]
    if shape.get("labels"):
        extras.append(Sentence("{count} labels", {"count": shape["labels"]}))
    if shape.get("dropout"):
        extras.append(Sentence("dropout {share}", {"share": shape["dropout"]}))
    text = Text.of(
        N_(
            "A convolutional U-Net behind EDM's preconditioning, D(x, σ): patches of {patch}×{patch} pixels, "
            "{widths} channels a level, {blocks} residual blocks a level each way; {extras}."
        ),
        patch=shape.get("patch"),
        widths=Listed(tuple(str(width) for width in shape.get("widths", ()))),
        blocks=shape.get("blocks"),
        extras=Listed(tuple(extras), N_("; ")),
    )
    guided = card.get("training", {}).get("guide_pictures")
    trained = {"low": card.get("sigma_min"), "high": card.get("sigma_max")}
    facts = [
        (N_("parameters, its guide's included") if guided else N_("parameters"), card.get("parameters")),
        (N_("bytes on disk (float16; computed in float32)"), card.get("bytes")),
        (N_("picture size it was trained at"), card.get("size")),
        (N_("noise levels σ, in [-1, 1] units"), Sentence("{low} to {high}", trained)),
        (N_("spread of the data it assumes"), card.get("sigma_data")),
        (N_("sha256 of the weights"), f"`{card['sha256']}`" if "sha256" in card else None),
    ]
    return Section(N_("Architecture"), (text, _facts(facts)))


def _training(card: dict[str, Any]) -> Section | None:
    training = card.get("training")
    if not training:
        return None
    mean, spread = training.get("log_sigma", (None, None))
    facts = [
        (N_("hours"), training.get("hours")),
        (N_("machine"), card.get("machine")),
        (N_("updates"), training.get("updates")),
        (N_("pictures seen"), training.get("pictures_seen")),
        (N_("batch"), training.get("batch")),
        (N_("optimiser"), training.get("optimiser", "Adam")),
        (N_("learning rate"), training.get("learning_rate")),
        (N_("weight of a picture"), N_("one over its loss") if training.get("relative") else None),
        (N_("ln σ of the training noise"), None if mean is None else f"N({mean}, {spread}²)"),
    ]
    return Section(N_("Training"), (_facts(facts),))


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
    about = N_(
        "EDM's weighted loss, and the root mean square error of x̂_0 in [-1, 1] units: small where the "
        "network can be sure, large where it can only guess. Held-out pictures far above training "
        "pictures would mean that it remembers."
    )
    head = ["σ", N_("loss, training"), N_("loss, held out"), N_("rms, training"), N_("rms, held out")]
    return Section(N_("Loss by noise level"), (Text.of(about), Table.of(head, rows)))


def _root(value: float | None) -> float | None:
    return None if value is None else math.sqrt(value)


#: What the names of figures mean, by a part of the name.
TERMS = {
    "dog rate": N_("*Dog rate*: the share of pictures that the judge takes for a dog."),
    "Fréchet": N_(
        "*Fréchet distance*: how far the pictures lie from real ones, as the judge sees them. The *unit* is "
        "how far another set of real pictures lies from them: 1 is as good as real."
    ),
    "KID": N_("*KID*: another measure of the same; about 0 for real pictures."),
    "evaluations": N_(
        "*Evaluations*: how often the network was asked for one picture. *Guidance*: how far the answer is "
        "pushed towards the class asked for; 1 does not push."
    ),
    "BM3D": N_(
        "*dB* is PSNR, 10·log₁₀(255² / mean squared error): the larger, the better. *BM3D* is a "
        "well-known way to remove noise without a network."
    ),
}


def _evaluation(card: dict[str, Any]) -> Section | None:
    evaluation = card.get("evaluation")
    if not evaluation:
        text = N_("Not evaluated yet: `make evaluate` measures and writes them here.")
        return Section(N_("Figures"), (Text.of(text),))
    text = N_("Measured on held-out data by `python -m bench.evaluate`; {machine}.")
    about = [Sentence(text, {"machine": evaluation.get("machine", "")})]
    if evaluation.get("judge"):
        about.append(Sentence("The judge is {judge}.", {"judge": evaluation["judge"]}))
    if evaluation.get("sha256") not in (None, card.get("sha256")):
        about.append(Sentence("**These figures are of earlier weights than the ones described here.**"))
    if evaluation.get("quick"):
        about.append(
            Sentence(N_("A quick run (`--quick`): fewer of everything slow, copies told by pixels alone."))
        )
    figures = evaluation.get("figures", [])
    parts: list[Text | Table] = [Text(tuple(about)), figures_table(figures)]
    terms = [text for name, text in TERMS.items() if any(name in figure["what"] for figure in figures)]
    if terms:
        parts.append(Text(tuple(Sentence(text) for text in terms)))
    short = tuple(figure["what"] for figure in figures if met(figure) is False)
    if short:
        parts.append(Text.of(N_("Short of the target: {what}."), what=Listed(short, N_("; "))))
    if evaluation.get("outlook"):
        parts.append(Text.of("{outlook}", outlook=evaluation["outlook"]))
    parts += [_told(one["rows"], one["title"]) for one in evaluation.get("tables", []) if one["rows"]]
    return Section(N_("Figures against targets"), tuple(parts))


def _told(rows: Sequence[dict[str, Any]], title: str = "") -> Table:
    """Rows that were measured; what they are called comes first, whatever order the file has them in."""
    head = sorted(rows[0], key=lambda name: not isinstance(rows[0][name], str))
    return Table.of(head, [[row.get(name) for name in head] for row in rows], title)


def _memory(card: dict[str, Any]) -> Section | None:
    index = card.get("index")
    if not index:
        return None
    agreement = index["agreement"]
    how = Text.of(
        N_(
            "The app holds a picture against an index of the {pictures:,} training pictures, {numbers} "
            "numbers of each, {bytes:,} bytes in all; `python -m diffusion index` makes it. It tells how "
            "much the nearest training picture stands out, its distance over the mean distance of the 50 "
            "nearest, against the same of {held_out:,} held-out pictures. *Suspicious* is what stands out "
            "more than for 95 % of them. Tried on spoilt copies, and on held-out pictures measured against "
            "the other half of them:"
        ),
        **{name: index[name] for name in ("pictures", "numbers", "bytes", "held_out")},
    )
    limits = Text.of(
        N_(
            "The codes find copies; among strangers they are coarse. Rank correlation with whole pictures, "
            "on held-out ones: {distances} of the distances, {standings} of the standings. For {nearest} of "
            "them the nearest by pixels is among the ten nearest by codes."
        ),
        distances=agreement["distances"],
        standings=agreement["standings"],
        nearest=agreement["among the nearest ten"],
    )
    return Section(N_("New, or remembered?"), (how, _told(index["checked"]), limits))


def _limits(card: dict[str, Any]) -> Section | None:
    return Section(N_("Limits"), (Text.of(str(card["limits"])),)) if card.get("limits") else None
