"""The catalogues: gather every text from the code, the samples and the cards; update and compile.

Run as ``make words`` after a text has changed, translate what is empty in the ``app.po`` of each language in
``ui/locales``, and run it again.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from diffusion.grids import GRIDS  # noqa: E402
from diffusion.sampler import SAMPLERS  # noqa: E402
from ui.language import LANGUAGES, LOCALES, numberless  # noqa: E402

#: Whose first argument is a text to be translated.
MARKS = {"_", "N_", "Sentence", "Said", "PictureError", "ModelError", "SettingError", "damaged"}


#: What cards call by its code, on every page and on the command line alike.
CODES = {*SAMPLERS, *GRIDS, "KID", "σ"}


def in_code(path: Path) -> Iterator[str]:
    """The marked texts of a module, from top to bottom; those inside f-strings too."""
    calls = (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call))
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        name = getattr(call.func, "id", None) or getattr(call.func, "attr", None)
        match call.args:
            case [ast.Constant(value=str(text)), *_] if name in MARKS and text:
                yield text


def in_samples(path: Path) -> Iterator[str]:
    """What is told of the sample pictures."""
    for row in json.loads(path.read_text("utf-8")):
        yield from (row["title"], row["alt"], row["source"])


def in_card(path: Path) -> Iterator[str]:
    """What the page takes from a network's card, shaped as it is shown; what was measured has no numbers."""
    card = json.loads(path.read_text("utf-8"))
    yield from (card["name"].capitalize(), card["title"], card["limits"], card["licence"], card["machine"])
    yield from (text for key, text in card["data"].items() if key in ("source", "licence", "part"))
    yield from (name.replace("_", " ") for name in card["classes"] if not name.isdigit())
    evaluation, index = card.get("evaluation", {}), card.get("index", {})
    tables = [one for one in evaluation.get("tables", ()) if one["rows"]]
    texts = [evaluation.get(key, "") for key in ("judge", "machine", "outlook")]
    texts += [figure.get(key, "") for figure in evaluation.get("figures", ()) for key in ("what", "note")]
    texts += [one["title"] for one in tables]
    for row in chain(index.get("checked", ()), *(one["rows"] for one in tables)):
        texts += [text for text in (*row, *row.values()) if isinstance(text, str)]
    yield from (numberless(text) for text in texts if text and text not in CODES)


def gathered() -> Catalog:
    """Every text there is to translate, with the files it stands in."""
    code = [ROOT / "app.py", *sorted((ROOT / "ui").rglob("*.py")), *sorted((ROOT / "diffusion").glob("*.py"))]
    sources = [(path, in_code(path)) for path in code]
    sources += [(path, in_samples(path)) for path in [ROOT / "ui" / "samples" / "samples.json"]]
    sources += [(path, in_card(path)) for path in sorted((ROOT / "pretrained").glob("*.json"))]
    catalogue = Catalog(fuzzy=False)
    for path, texts in sources:
        for text in texts:
            catalogue.add(text, locations=[(path.relative_to(ROOT).as_posix(), None)])  # type: ignore[list-item]
    return catalogue


def of_card(message: Message) -> bool:
    """Whether a text stood in a network's card."""
    return any(name.startswith("pretrained/") for name, _line in message.locations)


def file_of(language: str) -> Path:
    """The catalogue of a language."""
    return LOCALES / language / "LC_MESSAGES" / "app.po"


def read(language: str) -> Catalog:
    """A language's catalogue as it stands; empty where there is none yet."""
    path = file_of(language)
    if not path.is_file():
        return Catalog(language, project="There and Back", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def main() -> None:
    """Bring the catalogue of each language up to date, and compile it."""
    for language in LANGUAGES:
        if language == "en":  # the texts themselves
            continue
        catalogue = read(language)
        catalogue.update(gathered(), no_fuzzy_matching=True, update_creation_date=False)
        for message in catalogue.obsolete.values():  # a card measured anew may say again what it said before
            if message.string and of_card(message):
                catalogue[message.id] = message
        path = file_of(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(file, catalogue, width=110, ignore_obsolete=True, include_lineno=False)
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalogue)
        empty = [message.id for message in catalogue if message.id and not message.string]
        print(f"{language}: {len(catalogue)} texts, {len(empty)} of them not translated yet")


if __name__ == "__main__":
    main()
