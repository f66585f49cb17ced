"""Tables as HTML: nothing of a card becomes markup, and every cell knows its head."""

import re

from diffusion.card import Table
from ui.tables import table

SHOWN = Table.of(["what", "value", ""], [["a <b>", 0.123456, "**short** by `x`"], ["c", None, "&"]])


def test_cells_are_text_and_heads_are_heads():
    html = table(SHOWN, 'figures "so"', stacked=True)
    assert "<b>" not in html
    assert "a &lt;b&gt;" in html
    assert "0.1235" in html
    assert "<strong>short</strong> by <code>x</code>" in html
    assert 'aria-label="figures &quot;so&quot;"' in html
    assert re.findall(r'scope="col">([^<]*)<', html) == ["what", "value", ""]
    assert re.findall(r'scope="row">([^<]*)<', html) == ["a &lt;b&gt;", "c"]
    assert html.count('data-head="value"') == 2
    assert 'class="sheet stacked"' in html
    assert "stacked" not in table(SHOWN, "x")


def test_without_heads_there_is_no_empty_row_of_them():
    assert "<thead" not in table(Table.of(["", ""], [["a", 1]]), "facts")
