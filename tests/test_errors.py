"""Errors told to people: whole in English, and in parts for whoever translates."""

import pickle

import pytest

from diffusion import ModelError, PictureError, SettingError
from diffusion.containers import damaged
from diffusion.errors import Said, Sentence


def test_a_sentence_reads_in_english_and_keeps_its_parts():
    error = PictureError("{width:,} pixels are too many for {name!r}", width=4000, name="a{b}")
    assert str(error) == "4,000 pixels are too many for 'a{b}'"
    assert error.sentence == Sentence(
        "{width:,} pixels are too many for {name!r}", {"width": 4000, "name": "a{b}"}
    )
    assert str(error.sentence) == str(error)


def test_without_values_braces_are_braces():
    assert str(PictureError("{as it stands")) == "{as it stands"


def test_the_reason_of_a_damaged_file_can_be_translated_by_itself():
    assert damaged("a part of it is missing").sentence.values == {"why": "a part of it is missing"}


@pytest.mark.parametrize(
    ("kind", "base"), [(PictureError, ValueError), (ModelError, RuntimeError), (SettingError, ValueError)]
)
def test_each_kind_is_also_one_of_pythons_own(kind, base):
    assert issubclass(kind, Said)
    with pytest.raises(base, match="no such 1"):
        raise kind("no such {name}", name=1)


def test_it_survives_a_trip_to_another_process():
    error = pickle.loads(pickle.dumps(PictureError("{name} is gone", name="x{y}.png")))
    assert str(error) == "x{y}.png is gone"
    assert error.sentence.text == "{name} is gone"
