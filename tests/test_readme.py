"""What the documents show is run, and what they name exists.

``python tests/test_readme.py`` runs the README's examples and writes what they print into it.
"""

import contextlib
import io
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from diffusion import __main__ as command_line  # noqa: E402

README = ROOT / "README.md"
DOCUMENTS = [README, ROOT / "CONTRIBUTING.md", ROOT / "docs" / "training.md"]
PYTHON = re.compile(r"```python\n(?P<code>.*?)```\n\n```text\n(?P<shown>.*?)```", re.DOTALL)
CONSOLE = re.compile(r"```console\n(?P<shown>.*?)```", re.DOTALL)
NUMBER = re.compile(r"-?\d[\d,]*(\.\d+)?(e[+-]?\d+)?")


@contextlib.contextmanager
def elsewhere(folder: Path) -> Iterator[None]:
    """Stand in a folder that has the project's `ui`, so examples read it and write beside it."""
    before = Path.cwd()
    (folder / "ui").symlink_to(ROOT / "ui")
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def printed(code: str, names: dict[str, Any]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, str(README), "exec"), names)
    return out.getvalue()


def session(shown: str) -> str:
    """The commands of a console block, each with what it prints now."""
    lines = []
    for command in re.findall(r"^\$ (.*)$", shown, re.MULTILINE):
        program, dash_m, module, *arguments = shlex.split(command)
        assert (program, dash_m, module) == ("python", "-m", "diffusion"), command
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            assert command_line.main(arguments) == 0, command
        lines += [f"$ {command}", out.getvalue().rstrip("\n")]
    return "\n".join(lines) + "\n"


def form(text: str) -> list[list[str]]:
    """A text without its numbers and its spacing."""
    return [NUMBER.sub("#", line).split() for line in text.splitlines()]


def test_python_examples_print_what_is_shown(tmp_path: Path) -> None:
    names: dict[str, Any] = {}
    blocks = list(PYTHON.finditer(README.read_text("utf-8")))
    assert len(blocks) >= 3
    with elsewhere(tmp_path):
        for block in blocks:
            assert form(printed(block["code"], names)) == form(block["shown"]), block["code"]


def test_every_python_block_is_run() -> None:
    text = README.read_text("utf-8")
    assert text.count("```python\n") == len(PYTHON.findall(text))


def test_commands_print_what_is_shown(tmp_path: Path) -> None:
    (block,) = CONSOLE.finditer(README.read_text("utf-8"))
    with elsewhere(tmp_path):
        assert form(session(block["shown"])) == form(block["shown"])


def test_numbers_do_not_count_but_words_do() -> None:
    assert form("off by 0.50\n t  1e-05") == form("off by 0.3\nt 2")
    assert form("off by 0.50") != form("within 0.50")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text("utf-8")
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)|(?:src|srcset)=\"([^\"]+)\"", text)
    for link in filter(None, (a or b for a, b in links)):
        if "://" not in link:
            assert (document.parent / link).exists(), link
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    for anchor in re.findall(r"\]\(#([^)]+)\)", text):
        assert anchor in {re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_exist(document: Path) -> None:
    text = document.read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for target in re.findall(r"(?:^ {4}|`)make ([a-z]+)", text, re.MULTILINE):
        assert target in targets, target
    parser = command_line._parser()
    for line in re.findall(r"^ {4}python -m diffusion (.*?)(?: {2,}#.*)?$", text, re.MULTILINE):
        parser.parse_args(shlex.split(line))  # leaves with SystemExit where it does not fit


def test_the_map_of_the_code_is_complete() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    named = set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))
    for name in named:
        assert (ROOT / name).exists(), name
    for folder in ("diffusion", "ui", "ui/pages", "tools"):
        for file in (ROOT / folder).iterdir():
            if file.suffix in {".py", ".sh"} and file.name != "__init__.py":
                assert f"{folder}/{file.name}" in named, file


def refresh() -> None:
    """Write what the README's examples print now into it."""
    text, names = README.read_text("utf-8"), {}

    def python(block: re.Match[str]) -> str:
        return f"```python\n{block['code']}```\n\n```text\n{printed(block['code'], names)}```"

    with tempfile.TemporaryDirectory() as folder, elsewhere(Path(folder)):
        text = PYTHON.sub(python, text)
        text = CONSOLE.sub(lambda block: f"```console\n{session(block['shown'])}```", text)
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    torch.set_num_threads(1)
    refresh()
