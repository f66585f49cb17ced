"""The catalogues are whole, nothing shown goes past them, and each language reads well."""

import ast
import gettext
import re
from collections import Counter
from html.parser import HTMLParser
from itertools import chain
from pathlib import Path

import pytest
from page import untouched
from streamlit.testing.v1 import AppTest

import ui.switch  # noqa: F401 - before any test puts another language in place
from diffusion import PictureError
from diffusion.errors import Listed, Sentence
from tools.make_words import file_of, gathered, in_code, of_card, read
from ui import language
from ui.language import (
    LANGUAGES,
    TAGS,
    _,
    current,
    each,
    joined,
    measured,
    named,
    numberless,
    of_browser,
    tell,
)

ROOT = Path(__file__).parent.parent
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "ui/pages").glob("*.py"))
FOREIGN = [code for code in LANGUAGES if code != "en"]
CATALOGUES = {code: {m.id: m for m in read(code) if m.id} for code in FOREIGN}
TEXTS = [(code, str(m.id), str(m.string)) for code in FOREIGN for m in CATALOGUES[code].values()]

#: What must be in a translation as it is in the text: formulas, plotly's places, Python's, marks.
FIXED = re.compile(r"\$[^$]+\$|%\{[^}]*\}|\{[^}]*\}|\*+|<br>|`[^`]*`")
HAN = "[一-鿿]"


# --- the catalogues -----------------------------------------------------------------------------


@pytest.mark.parametrize("code", FOREIGN)
def test_a_catalogue_holds_just_what_the_app_says(code: str):
    wanted, found = {m.id for m in gathered() if m.id}, set(CATALOGUES[code])
    earlier = {m.id for m in CATALOGUES[code].values() if of_card(m)}  # said by a card before, may be again
    assert found - earlier <= wanted <= found, "run `make words`, and translate what is new"
    assert not [m.id for m in CATALOGUES[code].values() if not m.string or m.fuzzy]
    assert not read(code).obsolete


@pytest.mark.parametrize("code", FOREIGN)
def test_what_is_compiled_is_what_was_written(code: str):
    with file_of(code).with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for m in CATALOGUES[code].values():
        assert compiled.gettext(str(m.id)) == m.string, "run `make words`"


@pytest.mark.parametrize(("code", "text", "said"), TEXTS)
def test_places_formulas_and_marks_survive(code: str, text: str, said: str):
    assert Counter(FIXED.findall(said)) == Counter(FIXED.findall(text))


@pytest.mark.parametrize(("text", "said"), [(text, said) for code, text, said in TEXTS if code == "zh"])
def test_chinese_is_set_in_one_manner(text: str, said: str):
    plain = said.replace("<br>", "\n").replace("*", "")
    latin = "[A-Za-z0-9$]"
    assert not re.search(f"{HAN}{latin}|{latin}{HAN}", plain), "a space between Chinese and Latin"
    narrow = f"{HAN} ?[,;:?!]|[,;:?!] ?{HAN}|{HAN}[()]|[()]{HAN}"
    assert not re.search(narrow, plain), "full-width marks beside Chinese"
    assert not re.search(r" [，。；：？！（）、“”]|[，。；：？！（）、“”] ", plain), "none beside such a mark"
    if re.search(r"[a-z]\.$", text):
        assert said.endswith("。"), "a sentence ends"


def test_texts_are_found_wherever_they_are_marked(tmp_path: Path):
    module = tmp_path / "module.py"
    module.write_text(
        "a = _('one')\nb = f'**{_(\"two\")}**'\nraise diffusion.PictureError('three {x}', x=1)\n"
        "c = N_(\n 'four '\n 'and more')\nd = _(c)\ne = other('five')\n",
        "utf-8",
    )
    assert list(in_code(module)) == ["one", "two", "three {x}", "four and more"]


# --- choosing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locale", "code"),
    [
        ("zh-CN", "zh"),
        ("zh", "zh"),
        ("zh_TW", "zh"),
        ("en-GB", "en"),
        ("de-DE", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_the_browser_is_asked_first(locale: str | None, code: str):
    assert of_browser(locale) == code


def test_outside_of_a_session_all_is_english():
    assert current() == "en"
    assert _("Seed") == "Seed"
    assert _("") == ""
    assert joined("One.", "", "Two.") == "One. Two."
    assert set(TAGS) == set(LANGUAGES)


def test_in_chinese(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(language, "current", lambda: "zh")
    assert _("Seed") == "种子"
    assert _("a text nobody has translated") == "a text nobody has translated"
    assert each({"a": "Play", "b": "Pause"}) == {"a": "播放", "b": "暂停"}
    assert named({"a": "Play"})("a") == "播放"
    assert joined("一。", "", "二。") == "一。二。"
    pdf = PictureError(
        "This is {kind}, not a photo that can be read here; save or export it as PNG or JPEG.",
        kind="a PDF document",
    )
    assert tell(pdf.sentence) == "这是一份 PDF 文档，不是这里能读的照片；请保存或导出成 PNG 或 JPEG。"
    assert tell(Sentence("Play")) == "播放"


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("dpmpp_2m, rho7, 1,024 samples", "dpmpp_2m, rho7, {0} samples"),
        ("nearer than 95 % of 3×3 px", "nearer than {0} % of {1}×{2} px"),
        ("heads of dogs, 64x64", "heads of dogs, 64x64"),
        ("Python 3.11.7, load 0.4.", "Python {0}, load {1}."),
        ("{0} is no number of 2", "{0} is no number of 2"),
        ("12", "{0}"),
    ],
)
def test_one_translation_serves_all_numbers(text: str, without: str, monkeypatch: pytest.MonkeyPatch):
    assert numberless(text) == without
    for code in LANGUAGES:
        monkeypatch.setattr(language, "current", lambda code=code: code)
        assert measured(text) == text or re.search(HAN, measured(text))
    monkeypatch.setattr(language, "_", lambda text: text.replace("samples", "张"))
    assert measured("1,024 samples of 2") == "1,024 张 of 2"


def test_texts_in_a_row_are_told_one_by_one(monkeypatch: pytest.MonkeyPatch):
    row = Listed(("Play", "", Sentence("{count} labels", {"count": 3}), "beagle"))
    said = Sentence("Short of the target: {what}.", {"what": row})
    assert str(said) == tell(said) == "Short of the target: Play, 3 labels, beagle."
    monkeypatch.setattr(language, "current", lambda: "zh")
    assert tell(said) == "没有达到目标的：播放、3 个类别标签、比格犬。"


# --- nothing goes past them ---------------------------------------------------------------------

#: Arguments that people read; of positional ones the first, and for a metric the second too.
READ = {"label", "help", "placeholder", "body", "text", "title", "page_title", "value", "caption"}
WRITES = {
    "markdown", "caption", "write", "title", "header", "subheader", "text", "info", "warning", "error",
    "success", "toast", "button", "download_button", "link_button", "checkbox", "toggle", "radio",
    "selectbox", "multiselect", "slider", "select_slider", "number_input", "text_input", "text_area",
    "file_uploader", "camera_input", "pills", "segmented_control", "metric", "expander", "popover",
    "tabs", "progress", "spinner", "status", "dialog", "feedback", "color_picker",
}  # fmt: skip


def bare(node: ast.AST) -> list[str]:
    """Words in an argument that do not go through `_`."""
    match node:
        case ast.Call() | ast.Subscript():  # `_` itself, or what is looked at where it is made
            return []
        case ast.ListComp() | ast.GeneratorExp():
            return bare(node.elt)
        case ast.Constant(value=str(text)):
            return [text] if re.search("[A-Za-z]{2}", re.sub(r":material/\w+:", "", text)) else []
        case _:
            return [word for child in ast.iter_child_nodes(node) for word in bare(child)]


@pytest.mark.parametrize(
    "path", [ROOT / "app.py", *sorted((ROOT / "ui").rglob("*.py"))], ids=lambda p: p.name
)
def test_every_text_on_a_page_goes_through_the_catalogue(path: Path):
    found = []
    for call in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            continue
        streamlit = isinstance(call.func.value, ast.Name) and call.func.value.id == "st"
        first = call.args[: 2 if call.func.attr == "metric" else 1] if call.func.attr in WRITES else []
        named_ = [k.value for k in call.keywords if k.arg in READ] if streamlit or first else []
        found += [word for node in chain(first, named_) for word in bare(node)]
    assert not found


class Read(HTMLParser):
    """The words of a component's page that people read or hear."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        heard = ("aria-label", "aria-roledescription", "aria-valuetext", "title", "alt", "placeholder")
        self.words += [value for name, value in attrs if name in heard and value]

    def handle_data(self, data: str) -> None:
        self.words += re.findall("[A-Za-z]{2,}", data)


@pytest.mark.parametrize("path", sorted((ROOT / "ui").rglob("*.html")), ids=lambda path: path.name)
def test_a_component_has_no_words_of_its_own(path: Path):
    page = Read()
    page.feed(path.read_text("utf-8"))
    assert not page.words


@pytest.mark.parametrize("path", sorted((ROOT / "ui").rglob("*.js")), ids=lambda path: path.name)
def test_nor_has_its_script(path: Path):
    shown = r"(?:textContent|innerText|title|alt|placeholder) = ([\"'`].*)|aria-[a-z]+\", ([\"'`].*)"
    for match in re.finditer(shown, path.read_text("utf-8")):
        literal = re.sub(r"\$\{[^}]*\}", "", match[1] or match[2])
        assert not re.search("[A-Za-z]{2}", literal), match[0]


# --- the pages ----------------------------------------------------------------------------------


def said_on(app: AppTest) -> list[str]:
    """Everything the page says in Streamlit's own elements."""
    texts = []
    for element in chain(app.main, app.sidebar):
        texts += [getattr(element, name, None) for name in ("label", "value", "help", "placeholder")]
        texts += getattr(element, "options", [])
    return [text for text in texts if isinstance(text, str)]


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_each_page_in_each_language(page: str, code: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(language, "current", lambda: code)  # for AppTest, too, which asks outside the session
    app = untouched()
    app.session_state["language"] = code
    app.run()
    app.switch_page(page).run()
    if "gallery" in app.session_state:
        app.session_state["gallery"].gallery.stop()  # it is not waited for
    assert not app.exception
    assert not app.error
    said = said_on(app)
    assert said
    if code == "zh":
        english = re.compile(r"\b[a-z]{3,} [a-z]{3,}\b")
        no_words = re.compile(
            r"\$[^$]*\$|`[^`]*`|<(style|script)>.*?</(style|script)>|<.*?>|van der", re.DOTALL
        )
        left = [text for text in said if english.search(no_words.sub("", text))]
        assert not left
