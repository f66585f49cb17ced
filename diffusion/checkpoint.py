"""Weights on disk: safetensors, never pickle, with a JSON card that carries their hash.

``pretrained/NAME.safetensors`` holds the averaged weights as float16, those of a guide under ``guide.``;
``NAME.json`` beside it is the model card for programs, ``NAME.md`` the one for people.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from . import card as cards
from .denoiser import NetworkDenoiser
from .errors import ModelError
from .guidance import Guidance
from .network import Preconditioned, UNetConfig, blocks_of

PRETRAINED = Path(__file__).resolve().parent.parent / "pretrained"
#: What the names of a guide's weights begin with.
GUIDE = "guide."
#: What every card tells, and what about the training in it: whoever has read a card need not doubt it.
FACTS: dict[str, type | tuple[type, ...]] = {
    "name": str, "title": str, "size": int, "classes": list,
    "sigma_min": (int, float), "sigma_max": (int, float), "sigma_data": (int, float),
    "architecture": dict, "parameters": int, "bytes": int, "sha256": str, "training": dict,
}  # fmt: skip
TRAINING: dict[str, type | tuple[type, ...]] = {
    "updates": int, "hours": (int, float), "pictures_seen": int, "history": list,
}  # fmt: skip


def available(folder: Path | None = None) -> list[str]:
    """Names of the models in `folder` (``pretrained/`` when not given), sorted."""
    folder = folder or PRETRAINED
    return sorted(card.stem for card in folder.glob("*.json"))


def read_card(name: str, folder: Path | None = None) -> dict[str, Any]:
    """The model card of `name` in `folder`, ``pretrained/`` when not given.

    Raises
    ------
    ModelError
        If there is no such card, or it is not valid JSON, or lacks what every card tells.
    """
    folder = folder or PRETRAINED
    path = folder / f"{name}.json"
    if not path.is_file():
        known = ", ".join(available(folder)) or "none"
        raise ModelError(
            "there is no model called {name!r} in {folder}/ (there are: {known})",
            name=name, folder=folder.name, known=known,
        )  # fmt: skip
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(card, dict):
            Guidance.read(card.get("guidance", 1.0))
    except (OSError, ValueError) as error:
        raise ModelError(
            "the card {file} cannot be read: {error}", file=f"{folder.name}/{path.name}", error=str(error)
        ) from error
    if not isinstance(card, dict):
        raise ModelError("the card {file} is not a JSON object", file=f"{folder.name}/{path.name}")
    facts = [(key, card.get(key), kind) for key, kind in FACTS.items()]
    if isinstance(training := card.get("training"), dict):
        facts += [(f"training.{key}", training.get(key), kind) for key, kind in TRAINING.items()]
    if isinstance(shape := card.get("architecture"), dict):
        facts.append(("architecture.channels", shape.get("channels"), int))
    if guide := card.get("guide"):
        own = guide if isinstance(guide, dict) else {}
        facts += [(f"guide.{key}", own.get(key), int) for key in ("blocks", "parameters")]
    if isinstance(names := card.get("classes"), list):
        facts += [("classes", name, str) for name in names]
    for key, value, kind in facts:
        if not isinstance(value, kind):
            raise ModelError(
                "the card {file} says {key} = {value}, which will not do",
                file=f"{folder.name}/{path.name}", key=key, value=f"{value!r:.40}",
            )  # fmt: skip
    try:
        config_from(card["architecture"])
    except (KeyError, TypeError) as error:
        raise ModelError(
            "the card {file} cannot be read: {error}", file=f"{folder.name}/{path.name}", error=str(error)
        ) from error
    return card


def load_denoiser(
    name: str, folder: Path | None = None, device: str | torch.device = "cpu"
) -> NetworkDenoiser:
    """Load a shipped network, ready to use.

    Parameters
    ----------
    name : str
        ``"digits"``, ``"dogs"`` or ``"photos"``; see :func:`available`.
    folder : Path, optional
        Where the weights and cards lie; ``pretrained/`` when not given.
    device : str or torch.device
        Where it computes.

    Returns
    -------
    NetworkDenoiser
        ``net(x, sigma) -> x0_hat``.

    Raises
    ------
    ModelError
        If the model is missing, its file was altered or truncated, or does not fit its card.
    """
    folder = folder or PRETRAINED
    card = read_card(name, folder)
    path = folder / f"{name}.safetensors"
    if not path.is_file():
        raise ModelError(
            "the weights {file} are missing; fetch them again", file=f"{folder.name}/{path.name}"
        )
    try:
        found = sha256(path)
    except OSError as error:
        raise ModelError("{name} cannot be loaded: {error}", name=name, error=str(error)) from error
    if found != card["sha256"]:
        raise ModelError(
            "the weights {file} are not the ones its card describes "
            "(sha256 {found:.12}..., expected {expected:.12}...); fetch them again",
            file=f"{folder.name}/{path.name}",
            found=found,
            expected=card["sha256"],
        )
    try:
        config, sigma_data = config_from(card["architecture"]), float(card["sigma_data"])
        if len(card["classes"]) != config.labels:
            raise ValueError(f"{config.labels} labels, but {len(card['classes'])} names for them")
        every = {k: v.float() for k, v in load_file(path).items()}
        early = {k.removeprefix(GUIDE): every.pop(k) for k in sorted(every) if k.startswith(GUIDE)}
        if bool(early) != bool(guide_pictures(card)):
            raise ValueError(f"its card says that its guide had seen {guide_pictures(card)} pictures")
        denoiser = NetworkDenoiser(
            Preconditioned.learnt(config, sigma_data, every, device),
            name,
            int(card["size"]),
            float(card["sigma_min"]),
            float(card["sigma_max"]),
            tuple(card["classes"]),
            Guidance.read(card.get("guidance", 1.0)),
            guide=Preconditioned.learnt(replace(config, blocks=blocks_of(early)), sigma_data, early, device)
            if early
            else None,
        )
    except (SafetensorError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise ModelError("{name} cannot be loaded: {error}", name=name, error=str(error)) from error
    return denoiser


def save_model(
    model: Preconditioned,
    weights: dict[str, Tensor],
    card: dict[str, Any],
    name: str,
    folder: Path,
    guide: Preconditioned | None = None,
) -> None:
    """Write weights as float16 with their cards; the hash and the architecture are filled in.

    Parameters
    ----------
    model : Preconditioned
        Tells the architecture.
    weights : dict of str to Tensor
        What to store: the averaged weights, not necessarily the model's own.
    card : dict
        Everything else the card says.
    name : str
        File name without suffix.
    folder : Path
        Made if need be.
    guide : Preconditioned, optional
        Its guide, see :class:`diffusion.guidance.Guidance`; of the same shape, or with fewer blocks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.safetensors"
    every = weights | {f"{GUIDE}{k}": v for k, v in (guide.state_dict() if guide else {}).items()}
    save_file({k: v.detach().cpu().half().contiguous() for k, v in every.items()}, path)
    path.chmod(0o644)  # else only the owner could read it
    full = card | {
        "name": name,
        "architecture": asdict(model.net.config),
        "sigma_data": model.sigma_data,
        "parameters": sum(one.parameters_learnt for one in (model, guide) if one),
        "bytes": path.stat().st_size,
        "sha256": sha256(path),
    }
    if guide:
        full["guide"] = {"blocks": guide.net.config.blocks, "parameters": guide.parameters_learnt}
    with suppress(ModelError):  # there may have been none, or a spoilt one
        full |= {k: v for k, v in read_card(name, folder).items() if k == "index"}  # outlives the weights
    cards.write(full, folder)


def guide_pictures(card: dict[str, Any]) -> int:
    """How many pictures the guide had seen that is shipped with the weights; 0 without a guide."""
    training = card.get("training")
    return int(training.get("guide_pictures") or 0) if isinstance(training, dict) else 0


def config_from(architecture: dict[str, Any]) -> UNetConfig:
    """A :class:`UNetConfig` from a card's ``architecture``."""
    fields: dict[str, Any] = {**architecture, "widths": tuple(architecture["widths"])}
    return UNetConfig(**fields)


def sha256(path: Path) -> str:
    """Hash of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
