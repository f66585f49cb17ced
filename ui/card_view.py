"""A network's card laid out: facts first, then figures against targets, curves, and all the rest."""

from __future__ import annotations

from typing import Any

import streamlit as st

from diffusion.card import Section, Table, Text, rate_from_noise, sections
from diffusion.errors import Sentence
from ui import figures, words
from ui.language import _, joined, measured, tell
from ui.plain import Figure
from ui.tables import table


def show(card: dict[str, Any]) -> None:
    """The whole card."""
    name, training = card["name"], card["training"]
    title = _("{name}: {what}").format(name=_(name.capitalize()), what=_(card["title"]))
    st.subheader(title, anchor=False)
    if card.get("limits"):
        st.markdown(_(card["limits"]))
    if sentence := expectation(card):
        st.markdown(sentence)
    st.html("<style>.st-key-facts { row-gap: 1rem; }</style>")  # two rows of them on a phone
    with st.container(key="facts", horizontal=True, gap="large"):
        for what, value in (
            (_("Parameters"), _("{count:.2f} M").format(count=card["parameters"] / 1e6)),
            (_("On disk"), f"{card['bytes'] / 1e6:.1f} MB"),
            (_("Trained for"), _("{hours:g} h").format(hours=training["hours"])),
            (_("Pictures seen"), f"{training['pictures_seen']:,}"),
        ):
            st.metric(what, value, width="content")
    curves = st.columns(2, gap="large")
    with curves[0]:
        _curve(
            _("Loss while training"), "", figures.loss_curve(card), figures.summary_loss_curve(card),
            _history(card), f"curve-{name}",
        )  # fmt: skip
    parts = {section.title: section for section in sections(card)}
    with curves[1]:
        if noise := parts.pop("Loss by noise level", None):
            _curve(
                _("Loss by noise level"), _(words.LOSS_BY_NOISE), figures.loss_by_noise(card),
                figures.summary_loss_by_noise(card), next(p for p in noise.parts if isinstance(p, Table)),
                f"noise-{name}",
            )  # fmt: skip
    parts.pop("Limits", None)  # said above
    for title in sorted(parts, key=lambda title: not title.startswith("Figures")):
        _section(parts[title])


def expectation(card: dict[str, Any]) -> str:
    """What the card's figures say of pictures from noise; empty where they say nothing."""
    found = rate_from_noise(card)
    if found is None:
        return ""
    text = _(words.FROM_NOISE[found.what]).format(count=found.count, rate=found.rate, real=found.real)
    aim = words.FROM_NOISE_MET if found.met else words.FROM_NOISE_SHORT
    earlier = "" if found.current else _(words.FROM_NOISE_EARLIER)
    return joined(text, _(aim).format(target=found.target), earlier)


def _curve(title: str, about: str, figure: Figure, summary: str, rows: Table, key: str) -> None:
    """A figure with its sentence, and its numbers one click away."""
    st.markdown(f"**{title}**", help=about or None)
    st.plotly_chart(figure, key=key, config={"displayModeBar": False})
    st.caption(summary)
    with st.expander(_("As a table")), st.container(height=320, border=False):
        st.html(table(rows, title))


def _history(card: dict[str, Any]) -> Table:
    rows = [(row["pictures"], row["loss"]) for row in card["training"]["history"]]
    return Table.of(["pictures seen", "training loss"], rows)


def _section(section: Section) -> None:
    """A section as it stands in the card; its tables with a title of their own are one click away."""
    st.markdown(f"##### {_(section.title)}")
    for part in section.parts:
        if isinstance(part, Text):
            st.markdown(_text(part))
        elif part.title:
            with st.expander(measured(part.title)):
                st.html(table(_named(part), measured(part.title)))
        else:
            st.html(table(_marked(part), _(section.title), stacked=True))


def _text(text: Text) -> str:
    said = [tell(sentence) for sentence in text.sentences]
    return "\n".join(f"- {point}" for point in said) if text.points else joined(*said)


def _marked(shown: Table) -> Table:
    """Met and short told by a sign as well as in words."""
    signs = {"met": "✓ ", "**short by {much}**": "✗ "}
    rows = (
        tuple(signs.get(cell.text, "") + tell(cell) if isinstance(cell, Sentence) else cell for cell in row)
        for row in shown.rows
    )
    return Table(shown.head, tuple(rows))


def _named(shown: Table) -> Table:
    """Samplers and grids by their names, as on the other pages."""
    names = words.SAMPLERS | words.GRIDS
    return Table(shown.head, tuple(tuple(names.get(str(cell), cell) for cell in row) for row in shown.rows))
