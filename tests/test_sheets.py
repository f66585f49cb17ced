"""Lessons on paper: whole, self-contained, the lesson's own texts, and numbers of the page itself."""

import re
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import pytest
from page import opened
from PIL import Image

from diffusion import Crop
from ui import links, resources
from ui.language import _, current, speaking
from ui.lessons import LESSONS, Lesson, numbers, sheets
from ui.lessons.rhythm import Estimate, Learner, Told
from ui.resources import samples
from ui.settings import LESSONS as HOW_MANY
from ui.state import Picture

pytestmark = pytest.mark.usefixtures("fresh_caches")

BASE = "https://class.example/dogs"
MODELS = {0: None, 1: "photos", 2: "dogs", 3: "digits"}


def learner(seed: int = 0, title: str = "", crop: Crop | None = None) -> Learner:
    sample = next(s for s in samples() if s.name == "cat")
    with Image.open(sample.path) as opened:
        picture = Picture("upload" if title else "cat", title or sample.title, "", opened.convert("RGB"))
    return Learner(picture, crop or Crop(), seed)


def model_of(lesson: Lesson, me: Learner) -> str | None:
    return next(iter(lesson.paper(me).networks), None)


def key_of(lesson: Lesson, me: Learner) -> dict[str, Told]:
    told: dict[str, Told] = {}
    model = model_of(lesson, me)
    answers = lesson.answers(me, model, resources.network(model) if model else None)
    assert len(list(sheets._collected(told, answers))) <= lesson.paper(me).turns
    return told


class Read(HTMLParser):
    """The words of a page, its tags, and what it would fetch."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "srcset")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)


def plain(text: str) -> str:
    """A lesson's text without its marks, as it stands on paper."""
    return re.sub(r"(?<=[xσαfη\u0302])_(?=\w)", "", text.replace("*", "")).replace("{", "").replace("}", "")


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: str(lesson.number))
def test_a_worksheet_asks_and_leaves_room(lesson: Lesson):
    me = learner(5)
    page = sheets.worksheet(lesson, me, model_of(lesson, me), BASE)
    read = Read(page)
    assert len(page) < 700_000
    assert not {"script", "link", "iframe"} & set(read.tags)
    assert all(url.startswith("data:image/png;base64,") for url in read.fetched)
    assert "@page { size: A4" in page
    assert "url(" not in page
    paper = lesson.paper(me)
    for question, values in paper.asked:
        assert plain(_(question.text).format(**values)) in read.text
        if not isinstance(question, Estimate):
            for choice in question.choices.values():
                assert plain(_(choice).format(**values)) in read.text
    assert "☑" not in page
    assert page.count('class="line"') >= 7 * len(paper.asked)
    assert "Seed5" in read.text
    assert f"{paper.settings.sigma_q:g}T, steps{paper.settings.steps}" in read.text


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: str(lesson.number))
def test_the_key_ticks_what_is_right_and_tells_why(lesson: Lesson, monkeypatch: pytest.MonkeyPatch):
    rows = [{"sigma": 1.0, "mse": 1.0}]
    card = resources.cards()["dogs"]
    monkeypatch.setitem(card["training"], "loss_by_noise", {"train": rows, "val": rows})
    monkeypatch.setitem(card["training"], "pictures_in_set", 10)
    monkeypatch.setattr("ui.lessons.l7_from_nothing.cards", lambda: {"dogs": card})
    me = learner(5)
    told = key_of(lesson, me)
    paper = lesson.paper(me)
    assert told
    assert set(told) <= {question.name for question, _values in paper.asked}
    assert paper.asked[-1][0].name in told, "the last question is explained"
    page = sheets.answer_key(lesson, me, model_of(lesson, me), BASE, told)
    assert page.count("☑") == sum(not isinstance(q, Estimate) for q, _values in paper.asked)
    for _name, tell in told.values():
        assert plain(tell()) in Read(page).text
    assert "script" not in Read(page).tags
    again = key_of(lesson, learner(5))
    assert [tell() for _n, tell in again.values()] == [tell() for _n, tell in told.values()]


def test_the_key_s_numbers_are_this_picture_s():
    me = learner(3)
    (_name, tell) = key_of(LESSONS[0], me)["1-scaled"]
    assert f"{numbers.measured_total(me.x0(), 'fixed', 0.5, 100, 3):.4f}" in tell()
    other = key_of(LESSONS[0], learner(4))["1-scaled"][1]()
    assert other != tell()


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: str(lesson.number))
def test_the_address_brings_the_settings(lesson: Lesson):
    me = learner(7, crop=Crop(0.4, 0.5, 0.7))
    model = model_of(lesson, me)
    assert sheets.address_of(lesson, me, model, BASE + "/learn") == sheets.address_of(lesson, me, model, BASE)
    parts = urlsplit(sheets.address_of(lesson, me, model, BASE + "/"))
    assert (parts.netloc, parts.path) == ("class.example", "/dogs/learn")
    defaults = {field.name: field.default for field in links.fields()}
    values, notes = links.read(dict(parse_qsl(parts.query)))
    assert not notes
    found, there = defaults | values, lesson.paper(me).settings
    assert (found["sigma_q"], found["steps"], found["grid"]) == (there.sigma_q, there.steps, there.grid)
    assert (found["seed"], found["lesson"], found["crop"]) == (7, lesson.number, me.crop)
    assert found["lesson_network"] == (model or "")
    assert (found["size"], found["language"]) == (64, "en")


def test_an_upload_stays_off_the_address_and_its_title_is_only_text():
    me = learner(title="<script>alert(1)</script>")
    address = sheets.address_of(LESSONS[0], me, None, "")
    assert "sample=upload" in address
    page = sheets.worksheet(LESSONS[0], me, None, address)
    assert "<script" not in page
    assert "<script>alert(1)</script>" in Read(page).text


def test_without_a_network_the_key_says_what_is_missing():
    lesson, me = LESSONS[5], learner()
    told: dict[str, Told] = {}
    list(sheets._collected(told, lesson.answers(me, None, None)))
    assert not told
    assert "No network at hand fits" in sheets.answer_key(lesson, me, None, "", told)


def test_a_sheet_speaks_the_language_it_was_asked_in():
    with speaking("zh"):
        assert current() == "zh"
        page = sheets.worksheet(LESSONS[0], learner(), None, "")
    assert current() == "en"
    assert '<html lang="zh-Hans">' in page
    assert "种子" in page


def test_there_are_as_many_lessons_as_links_know():
    assert len(LESSONS) == HOW_MANY


@pytest.mark.usefixtures("shipped")
def test_both_are_offered_at_the_foot_and_the_key_is_made_when_asked_for():
    app = opened()
    app.switch_page("ui/pages/learn.py").run()
    app.button_group(key="lesson").set_value(4).run()
    here = app.session_state["learning"]

    def downloads() -> list[str]:
        return [button.proto.id.rpartition("-")[2] for button in app.get("download_button")]

    assert downloads() == ["4"]
    assert not here.tasks
    app.button(key="make-key-4").click().run()
    assert not app.exception
    for _wanted, making in here.tasks.values():
        making.wait(120)
    app.run()
    assert len(downloads()) == 2
    assert app.button(key="make-key-4").disabled
    app.number_input(key="seed").set_value(9).run()
    assert len(downloads()) == 1, "another seed, another key"
    assert not app.button(key="make-key-4").disabled
