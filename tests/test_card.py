import json

import pytest
import torch

from bench import evaluate
from diffusion import card, checkpoint
from diffusion.network import Preconditioned, UNetConfig

FIGURES = [
    {"what": "dog rate", "value": 0.7, "target": 0.8, "at_least": True, "note": "512 samples"},
    {"what": "KID", "value": 0.03, "target": 0.05, "at_least": False},
    {"what": "step", "value": 61.25, "target": 50, "at_least": False, "unit": "ms"},
    {"what": "only told", "value": 33.5, "unit": "dB"},
]
FULL = {
    "name": "dogs",
    "title": "heads of dogs",
    "size": 64,
    "sigma_min": 0.002,
    "sigma_max": 80.0,
    "sigma_data": 0.5,
    "parameters": 4_450_000,
    "bytes": 8_900_000,
    "sha256": "ab" * 32,
    "classes": ["pug", "shiba inu"],
    "architecture": {
        "patch": 2, "widths": [40, 96, 160], "blocks": 2,
        "attention": True, "norm": True, "labels": 2},
    "data": {"name": "Pets", "part": "heads", "source": "Parkhi et al.", "licence": "CC BY-SA 4.0"},
    "licence": "as the data",
    "limits": "Knows dogs alone.",
    "machine": "CPU, 1 thread(s)",
    "training": {
        "pictures_in_set": 4517,
        "pictures_held_out": 149,
        "updates": 1234,
        "pictures_seen": 19744,
        "hours": 1.5,
        "batch": 16,
        "learning_rate": 6e-4,
        "log_sigma": [-0.6, 1.3],
        "loss_by_noise": {
            "train": [{"sigma": 0.1, "loss": 0.5, "mse": 0.0025}, {"sigma": 0.2, "loss": 0.4, "mse": 0.01}],
            "val": [{"sigma": 0.1, "loss": 0.6, "mse": 0.0036}],
        },
    },
    "evaluation": {
        "figures": FIGURES,
        "judge": "an eye",
        "machine": "this machine",
        "sha256": "ab" * 32,
        "tables": [{"title": "Samplers", "rows": [{"sampler": "ddim", "KID": 0.1}]}],
    },
}  # fmt: skip


def test_everything_a_person_wants_to_know_is_there():
    text = card.render(FULL)
    for wanted in (
        "# dogs: heads of dogs", "CC BY-SA 4.0", "pug, shiba inu", "4,517 to train on, 149 held out",
        "40, 96, 160 channels", "4,450,000", "| hours | 1.5 |", "| pictures seen | 19,744 |",
        "| 0.1 | 0.5 | 0.6 | 0.05 | 0.06 |", "| 0.2 | 0.4 |  | 0.1 |  |", "an eye", "this machine",
        "### Samplers", "| ddim | 0.1 |", "Knows dogs alone.",
    ):  # fmt: skip
        assert wanted in text, wanted
    assert text.endswith("\n")
    assert "earlier weights" not in text


def test_shortfalls_are_said_in_full():
    text = card.render(FULL)
    assert "| dog rate | ≥ 0.8 | 0.7 | **short by 0.1** | 512 samples |" in text
    assert "| KID | ≤ 0.05 | 0.03 | met |  |" in text
    assert "| step | ≤ 50 ms | 61.25 ms | **short by 11.25 ms** |  |" in text
    assert "| only told |  | 33.5 dB |  |  |" in text
    assert "Short of the target: dog rate; step." in text


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (2.5, "asked for** (guidance 2.5 is advised): pug, shiba inu."),
        ({"weight": 2.5, "low": 0.1, "high": 4}, "(guidance 2.5, where σ is 0.1 to 4, is advised): pug"),
    ],
)  # fmt: skip
def test_guidance_is_said(said, text):
    assert text in card.render(FULL | {"guidance": said})


def test_terms_are_explained_where_they_are_used():
    text = card.render(FULL)
    assert "*Dog rate*: the share" in text
    assert "*KID*: another" in text
    assert "BM3D" not in text


def test_figures_of_other_weights_are_called_so():
    stale = FULL | {"evaluation": FULL["evaluation"] | {"sha256": "cd" * 32}}
    assert "earlier weights" in card.render(stale)


@pytest.mark.parametrize("missing", sorted(FULL))
def test_any_part_may_be_missing(missing):
    assert card.render({k: v for k, v in FULL.items() if k != missing}).startswith("# ")


def test_without_figures_it_says_so():
    assert "Not evaluated yet" in card.render({"name": "x"})


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.123456, "0.1235"), (4517, "4,517"), (999, "999"), (12345.6, "12,346"), (None, ""), (True, "True"),
     ("a|b", "a|b"), (float("nan"), "nan"), (0, "0")],
)  # fmt: skip
def test_numbers_are_rounded_for_reading(value, text):
    assert card.number(value) == text


def test_an_evaluation_changes_nothing_else(tmp_path):
    model = Preconditioned(UNetConfig(channels=1, widths=(8, 16)), 0.5)
    facts = {"title": "é", "size": 28, "sigma_min": 0.002, "sigma_max": 80.0, "classes": []}
    facts["training"] = {"updates": 0, "hours": 0.0, "pictures_seen": 0, "history": []}
    checkpoint.save_model(model, model.state_dict(), facts, "tiny", tmp_path)
    before = checkpoint.read_card("tiny", tmp_path)
    found = {"figures": FIGURES, "tables": [], "sha256": before["sha256"]}
    evaluate.keep("tiny", found, tmp_path)
    after = json.loads((tmp_path / "tiny.json").read_text(encoding="utf-8"))
    assert after.pop("evaluation") == found
    assert after == before
    assert (tmp_path / "tiny.md").read_text(encoding="utf-8") == card.render(after | {"evaluation": found})
    assert checkpoint.load_denoiser("tiny", tmp_path)(torch.zeros(1, 1, 28, 28), 1.0).shape == (1, 1, 28, 28)
    with pytest.raises(RuntimeError, match="replaced"):
        evaluate.keep("tiny", found | {"sha256": "other"}, tmp_path)


def judged(rate=0.5, sha256="ab" * 32):
    figure = {"what": "dog rate, 10 evaluations", "value": rate, "target": 0.8, "at_least": True}
    table = {"title": "t", "rows": [{"pictures": "held out", "count": 9, "dog rate": 0.9}]}
    way = {"way": {"sampler": "ddim", "grid": "rho7", "guidance": FULL.get("guidance")}}
    return FULL | {
        "evaluation": {"figures": [figure], "tables": [table], "sha256": sha256, "count": 64} | way
    }


def test_the_rate_of_pictures_from_noise_is_read_from_the_figures():
    found = card.rate_from_noise(judged())
    assert found is not None
    assert (found.rate, found.real, found.target, found.count) == (0.5, 0.9, 0.8, 64)
    assert (found.met, found.current) == (False, True)
    met = card.rate_from_noise(judged(0.85, "cd" * 32))
    assert met is not None
    assert (met.met, met.current) == (True, False)
    asked_otherwise = card.rate_from_noise(judged() | {"guidance": {"weight": 2.0}})
    assert asked_otherwise is not None
    assert not asked_otherwise.current
    assert card.rate_from_noise(FULL) is None
    assert card.rate_from_noise({}) is None


@pytest.mark.parametrize("name", ["dogs", "digits"])
def test_the_shipped_generators_say_what_to_expect(name):
    found = card.rate_from_noise(checkpoint.read_card(name))
    assert found is not None
    assert 0 <= found.rate <= 1
    assert found.real > 0.9


def test_sections_are_what_is_rendered():
    """The app lays out sections: nothing of the page of a card may be outside of them."""
    title, made, *rest = card.render(FULL).strip().split("\n\n")
    assert title.startswith("# ")
    assert made.startswith("This page")
    assert "\n\n".join(rest).split("\n\n") == "\n\n".join(
        part for section in card.sections(FULL) for part in section.markdown()
    ).split("\n\n")


def test_what_rows_are_called_comes_first():
    rows = [{"a": 1.5, "pictures": "held out"}, {"a": 2, "pictures": "noise"}]
    full = FULL | {"evaluation": {"figures": [], "tables": [{"title": "T", "rows": rows}]}}
    assert "| pictures | a |\n|---|---|\n| held out | 1.5 |" in card.render(full)
