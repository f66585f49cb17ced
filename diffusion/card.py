"""The model card for people: Markdown made from the JSON card, and from nothing else."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


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
        *_data(card),
        *_architecture(card),
        *_training(card),
        *_loss_by_noise(card),
        *_evaluation(card),
        *_limits(card),
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


def figures_table(figures: Iterable[dict[str, Any]]) -> str:
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
    return table(["what", "target", "measured", "", "how"], rows)


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table; numbers are rounded to four digits."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(number(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def number(value: Any) -> str:  # noqa: ANN401 - a cell may hold anything
    """A number as a person reads it; other things as they are."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "" if value is None else str(value).replace("|", "\\|")
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) >= 1000:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def _data(card: dict[str, Any]) -> list[str]:
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
    return ["## Data and licence", "\n".join(lines)] if lines else []


def _architecture(card: dict[str, Any]) -> list[str]:
    shape = card.get("architecture")
    if not shape:
        return []
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
    return [
        "## Architecture",
        text,
        table(["", ""], [row for row in facts if row[1] is not None]),
    ]


def _training(card: dict[str, Any]) -> list[str]:
    training = card.get("training")
    if not training:
        return []
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
    return ["## Training", table(["", ""], [row for row in facts if row[1] is not None])]


def _loss_by_noise(card: dict[str, Any]) -> list[str]:
    losses = card.get("training", {}).get("loss_by_noise")
    if not losses:
        return []
    held_out = {row["sigma"]: row for row in losses.get("val", ())}
    rows = []
    for row in losses.get("train", ()):
        other = held_out.get(row["sigma"], {})
        rows.append(
            [row["sigma"], row["loss"], other.get("loss"), math.sqrt(row["mse"]), _root(other.get("mse"))]
        )
    return [
        "## Loss by noise level",
        "EDM's weighted loss, and the root mean square error of x̂_0 in [-1, 1] units: small where the "
        "network can be sure, large where it can only guess. Held-out pictures far above training "
        "pictures would mean that it remembers.",
        table(["σ", "loss, training", "loss, held out", "rms, training", "rms, held out"], rows),
    ]


def _root(value: float | None) -> float | None:
    return None if value is None else math.sqrt(value)


def _evaluation(card: dict[str, Any]) -> list[str]:
    evaluation = card.get("evaluation")
    if not evaluation:
        return ["## Figures", "Not evaluated yet: `make evaluate` measures and writes them here."]
    about = [f"Measured on held-out data by `python -m bench.evaluate`; {evaluation.get('machine', '')}."]
    if evaluation.get("judge"):
        about.append(f"The judge is {evaluation['judge']}.")
    if evaluation.get("sha256") not in (None, card.get("sha256")):
        about.append("**These figures are of earlier weights than the ones described here.**")
    figures = evaluation.get("figures", [])
    parts = ["## Figures against targets", " ".join(about), figures_table(figures)]
    short = [figure["what"] for figure in figures if met(figure) is False]
    if short:
        parts.append(f"Short of the target: {'; '.join(short)}.")
    if evaluation.get("outlook"):
        parts.append(evaluation["outlook"])
    for one in evaluation.get("tables", []):
        if one["rows"]:
            head = list(one["rows"][0])
            rows = [[row.get(key) for key in head] for row in one["rows"]]
            parts += [f"### {one['title']}", table(head, rows)]
    return parts


def _limits(card: dict[str, Any]) -> list[str]:
    return ["## Limits", str(card["limits"])] if card.get("limits") else []
