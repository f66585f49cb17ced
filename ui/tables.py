"""Tables that a narrow page and a screen reader can live with: HTML from what the cards hold."""

from __future__ import annotations

import html
import re

from diffusion.card import Table
from diffusion.errors import Sentence
from ui.language import _, measured, tell

#: On a phone a table marked `stacked` shows each row as a block, its heads beside the cells; any other
#: scrolls inside its own frame.
STYLE = """<style>
.sheet { overflow-x: auto; max-width: 100%; }
.sheet:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
.sheet table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
.sheet th, .sheet td {
  padding: 0.4rem 1.1rem 0.4rem 0; border-bottom: 1px solid rgb(128 128 128 / 0.28);
  font-weight: 400; line-height: 1.4; text-align: left; vertical-align: top; overflow-wrap: anywhere;
}
.sheet thead th { font-weight: 600; overflow-wrap: normal; }
.sheet:not(.stacked) :is(th, td) { white-space: nowrap; }
.sheet.stacked td { min-width: 4.5rem; }
@media (max-width: 640px) {
  .sheet.stacked :is(table, tbody, tr, th, td) { display: block; }
  .sheet.stacked thead { position: absolute; width: 1px; height: 1px; overflow: hidden; }
  .sheet.stacked tr { padding: 0.6rem 0; border-bottom: 1px solid rgb(128 128 128 / 0.28); }
  .sheet.stacked :is(th, td) { border: 0; padding: 0.1rem 0; }
  .sheet.stacked tbody th { font-weight: 600; }
  .sheet.stacked td:empty { display: none; }
  .sheet.stacked td[data-head]::before { content: attr(data-head) ": "; opacity: 0.78; }
  :lang(zh) .sheet.stacked td[data-head]::before { content: attr(data-head) "："; }
}
</style>"""


def table(shown: Table, name: str, *, stacked: bool = False) -> str:
    """A table as HTML.

    Parameters
    ----------
    shown : Table
        Its first column names the rows.
    name : str
        Read to those who do not see where it stands.
    stacked : bool
        See :data:`STYLE`.
    """
    head = "".join(f'<th role="columnheader" scope="col">{_text(cell)}</th>' for cell in shown.head)
    rows = "".join(f'<tr role="row">{_row(shown.head, row)}</tr>' for row in shown.rows)
    thead = f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>' if any(shown.head) else ""
    # The roles stand there because some browsers forget that a table is one once its display is changed.
    frame = f'class="sheet{" stacked" * stacked}" tabindex="0" role="region" aria-label="{html.escape(name)}"'
    return f'<div {frame}><table role="table">{thead}<tbody role="rowgroup">{rows}</tbody></table></div>'


def _row(head: tuple[str, ...], row: tuple[str | Sentence, ...]) -> str:
    cells = [f'<th role="rowheader" scope="row">{_text(row[0])}</th>']
    for name, cell in zip(head[1:], row[1:], strict=True):
        label = f' data-head="{html.escape(_(name))}"' if name else ""
        cells.append(f'<td role="cell"{label}>{_text(cell)}</td>')
    return "".join(cells)


def _text(cell: str | Sentence) -> str:
    """A cell with the little Markdown that cards use."""
    text = html.escape(tell(cell) if isinstance(cell, Sentence) else measured(cell))
    text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)
    return re.sub(r"`(.+?)`", r"<code>\1</code>", text)
