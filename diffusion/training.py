"""Training: one resumable program for every network, on a CPU or a GPU.

The loss is EDM's, sigma drawn log-normally; what is kept is a running average of the weights.
Everything needed to go on lies in ``runs/NAME/state.safetensors`` (no pickle), written every few
minutes and at the end, so an interrupted run loses little.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from . import checkpoint, data, muon
from .denoiser import NetworkDenoiser
from .guidance import Guidance
from .network import Preconditioned, blocks_of, grown, name_when_grown
from .recipes import DATA_SETS, NOT_STATED, RECIPES, Recipe

VAL_SIGMAS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2)
VAL_PICTURES = 128
#: Where pictures count relatively: a usual loss, so that gradients keep their size, and one as good as none.
TYPICAL_LOSS, LEAST_LOSS = 0.1, 0.003


@dataclass(frozen=True)
class Report:
    """One line of progress.

    Attributes
    ----------
    updates, pictures : int
        Since the very beginning, earlier runs included.
    seconds : float
        Likewise.
    loss : float
        Mean weighted loss since the last report.
    rate : float
        Pictures a second in this run.
    left : float
        Seconds until this run ends.
    """

    updates: int
    pictures: int
    seconds: float
    loss: float
    rate: float
    left: float

    def __str__(self) -> str:
        return (
            f"update {self.updates:7d}  pictures {self.pictures:9d}  loss {self.loss:.4f}  "
            f"{self.rate:.1f} pictures/s  {self.left / 60:.1f} min left"
        )


@dataclass
class State:
    """What a run carries from update to update."""

    model: Preconditioned
    average: dict[str, Tensor]
    optimisers: dict[str, torch.optim.Optimizer]
    guide: dict[str, Tensor] = field(default_factory=dict)
    guide_pictures: int = 0
    updates: int = 0
    fresh: int = 0  # the update at which moments, and so the warm-up, began
    pictures: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


class Trainer:
    """Train one recipe on one data set.

    Parameters
    ----------
    recipe : Recipe
        What to train.
    name : str
        What to call it.
    dataset : data.DataSet
        Training and held-out pictures.
    folder : Path
        Where the run keeps its state; resumed from when there is one.
    device : str
        ``"cpu"`` or ``"cuda"``.
    seed : int
        Seed of this run's draws; combined with the number of updates so far, so a resumed run
        does not repeat them.
    start : Path, optional
        Folder of shipped weights to go on from where there is no state.

    Raises
    ------
    ValueError
        If the state is damaged, or what is to be gone on from is another network: of another shape, or for
        other classes.
    ModelError
        If shipped weights to go on from are damaged.
    """

    def __init__(
        self,
        recipe: Recipe,
        name: str,
        dataset: data.DataSet,
        folder: Path,
        device: str = "cpu",
        seed: int = 0,
        start: Path | None = None,
    ) -> None:
        labels = len(dataset.classes) if recipe.labelled else 0
        self.recipe = replace(recipe, config=replace(recipe.config, labels=labels))
        self.name, self.dataset, self.folder, self.device = name, dataset, folder, device
        folder.mkdir(parents=True, exist_ok=True)
        with torch.random.fork_rng(devices=[]):  # PyTorch draws first weights from its global generator
            torch.manual_seed(seed)
            model = Preconditioned(self.recipe.config, recipe.sigma_data)
        model.placed(device)
        average = {k: v.detach().clone() for k, v in model.state_dict().items()}
        self.state = State(model, average, _optimisers(model, recipe))
        if self._state_file.is_file():
            self._resume()
        elif start is not None and (start / f"{name}.json").is_file():
            self._go_on_from(start)
        self.rng = torch.Generator().manual_seed(seed * 1_000_003 + self.state.updates)

    @property
    def _state_file(self) -> Path:
        return self.folder / "state.safetensors"

    def run(
        self, *, minutes: float, pictures: int | None = None, every: float = 60, settle: bool = False
    ) -> Iterator[Report]:
        """Train until `minutes` have passed or `pictures` were seen in all, whichever is first.

        Parameters
        ----------
        minutes : float
            Length of this run.
        pictures : int, optional
            Stop at this total, earlier runs included.
        every : float
            Seconds between reports.
        settle : bool
            Let the step size fall to nothing, linearly, by the end of this run: the weights come to
            rest. A later run starts at the full step size again.

        Yields
        ------
        Report

        Raises
        ------
        ValueError
            If the loss is no longer finite; what was saved before is left as it is.
        """
        state, recipe = self.state, self.recipe
        if not minutes > 0 or (pictures is not None and state.pictures >= pictures):
            return
        began = last = saved = now = time.monotonic()
        seen, losses, earlier, first = 0, [], state.seconds, state.pictures
        state.model.train()
        while True:
            share = 1.0
            if settle:
                share -= (now - began) / max(minutes * 60, 1)
                if pictures is not None:
                    share = min(share, max(pictures - state.pictures, 0) / max(pictures - first, 1))
            losses.append(self._update(share))
            seen += recipe.batch
            now = time.monotonic()
            state.seconds = earlier + now - began
            rate = seen / (now - began)
            left = minutes * 60 - (now - began)
            if pictures is not None:
                left = min(left, (pictures - state.pictures) / rate)
            if now - last >= every or now - saved >= 300 or left <= 0:
                loss = float(torch.stack(losses).mean())
                if not math.isfinite(loss):  # before anything of it is saved
                    raise ValueError(
                        f"the loss is {loss} at update {state.updates}: lower the learning rate and "
                        f"resume from {self._state_file}"
                    )
                losses, last = [], now
                state.history.append({"pictures": state.pictures, "loss": round(loss, 5)})
                yield Report(state.updates, state.pictures, state.seconds, loss, rate, max(left, 0))
            if now - saved >= 300 or left <= 0:
                self.save()
                saved = now
            if left <= 0:
                return

    def _update(self, share: float = 1.0) -> Tensor:
        """One step, `share` of the recipe's step size long; returns the batch's mean loss."""
        recipe, state = self.recipe, self.state
        if recipe.grow_at and recipe.grow_at <= state.pictures and not self.has_grown:
            self._grow()
        x0, label = data.batch(
            self.dataset.train, recipe.batch, recipe.size, self.rng,
            flip=recipe.flip, shift=recipe.shift,
        )  # fmt: skip
        normal = torch.randn(recipe.batch, generator=self.rng)
        sigma = (recipe.log_sigma_mean + recipe.log_sigma_std * normal).exp()
        sigma = sigma.clamp(recipe.sigma_min, recipe.sigma_max)
        eps = torch.randn(x0.shape, generator=self.rng)
        if recipe.config.labels:
            hidden = torch.rand(recipe.batch, generator=self.rng) < recipe.label_dropout
            label = label.masked_fill(hidden, recipe.config.labels)
        x0, sigma, eps, label = (t.to(self.device, non_blocking=True) for t in (x0, sigma, eps, label))
        x0 = x0.contiguous(memory_format=torch.channels_last)

        size = recipe.learning_rate * share * min(1.0, (state.updates - state.fresh + 1) / recipe.warmup)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda"):
            losses = state.model.loss(x0, sigma, eps, label if recipe.config.labels else None)
        weight = TYPICAL_LOSS / (losses.detach() + LEAST_LOSS) if recipe.relative else 1.0
        (weight * losses).mean().backward()
        torch.nn.utils.clip_grad_norm_(state.model.parameters(), 1.0)
        for optimiser in state.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = size
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

        state.updates += 1
        state.pictures += recipe.batch
        half_life = max(recipe.ema * state.pictures, recipe.batch)
        keep = 0.5 ** (recipe.batch / half_life)
        current = state.model.state_dict()
        latest = [current[k] for k in state.average]
        torch._foreach_lerp_(list(state.average.values()), latest, 1 - keep)  # pyright: ignore[reportPrivateImportUsage]
        if recipe.guide_at and state.pictures - recipe.batch < recipe.guide_at <= state.pictures:
            state.guide = {k: v.clone() for k, v in state.average.items()}
            state.guide_pictures = state.pictures
        return losses.detach().mean()

    def denoiser(self) -> NetworkDenoiser:
        """The averaged weights as a denoiser."""
        recipe, state = self.recipe, self.state

        def learnt(weights: dict[str, Tensor]) -> Preconditioned:
            config = replace(recipe.config, blocks=blocks_of(weights))
            return Preconditioned.learnt(config, recipe.sigma_data, weights, self.device)

        return NetworkDenoiser(
            learnt(state.average), self.name, recipe.size, recipe.sigma_min, recipe.sigma_max,
            self.dataset.classes if recipe.labelled else (), self._advised,
            guide=learnt(state.guide) if state.guide else None,
        )  # fmt: skip

    @property
    def has_grown(self) -> bool:
        """Whether the network has more blocks than the recipe's: it had seen `grow_at` pictures."""
        return self.state.model.net.config.blocks > self.recipe.config.blocks

    def _grow(self) -> None:
        """One more block per level and way; moments start afresh."""
        state = self.state
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(state.updates)
            state.model = grown(state.model).placed(self.device).train()
        old = {name_when_grown(k): v for k, v in state.average.items()}
        state.average = {k: v.detach().clone() for k, v in state.model.state_dict().items()} | old
        state.optimisers = _optimisers(state.model, self.recipe)
        state.fresh = state.updates

    @property
    def _advised(self) -> Guidance:
        return self.recipe.by_guide if self.state.guide else self.recipe.guidance

    def loss_by_noise(self, split: data.Split) -> list[dict[str, float]]:
        """Loss of the averaged weights at fixed noise levels, labels hidden, fixed draws.

        Returns
        -------
        list of dict
            ``sigma``, ``loss`` (EDM's weighted loss) and ``mse`` (plain squared error of x0_hat
            in [-1, 1] units).
        """
        net = self.denoiser()
        size = self.recipe.size
        stride = max(1, len(split) // VAL_PICTURES)
        some = slice(0, stride * VAL_PICTURES, stride)
        few = data.Split(split.pictures[some], split.labels[some], split.names[some])
        x0 = data.centre_crops(few, size).to(self.device)
        rng = torch.Generator().manual_seed(0)
        rows = []
        for level in VAL_SIGMAS:
            eps = torch.randn(x0.shape, generator=rng).to(self.device)
            if level > self.recipe.sigma_max:
                continue
            x0_hat = torch.cat([net(x, level) for x in (x0 + level * eps).split(32)])
            mse = float((x0_hat - x0).square().mean())
            sigma_data = self.recipe.sigma_data
            weight = (level**2 + sigma_data**2) / (level * sigma_data) ** 2
            rows.append({"sigma": level, "loss": round(weight * mse, 5), "mse": round(mse, 6)})
        return rows

    def save(self) -> None:
        """Write the state, whole or not at all."""
        state = self.state
        tensors = {f"average.{k}": v for k, v in state.average.items()}
        tensors |= {f"weights.{k}": v for k, v in state.model.state_dict().items()}
        tensors |= {f"guide.{k}": v for k, v in state.guide.items()}
        for name, optimiser in state.optimisers.items():
            for index, moments in optimiser.state_dict()["state"].items():
                tensors |= {f"{name}.{index}.{k}": torch.as_tensor(v) for k, v in moments.items()}
        facts = {
            "updates": state.updates,
            "pictures": state.pictures,
            "seconds": state.seconds,
            "history": state.history,
            "guide_pictures": state.guide_pictures,
            "fresh": state.fresh,
            "classes": self.dataset.classes if self.recipe.labelled else (),
        }
        partial = self._state_file.with_suffix(".partial")
        contiguous = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
        save_file(contiguous, partial, metadata={"facts": json.dumps(facts)})
        partial.replace(self._state_file)

    def export(self, folder: Path, facts: dict[str, Any]) -> None:
        """Write the averaged weights and their card.

        Parameters
        ----------
        folder : Path
            ``pretrained/``, as a rule.
        facts : dict
            What the trainer cannot know: the data's source and licence, the machine.
        """
        recipe, state = self.recipe, self.state
        card = facts | {
            "title": recipe.title if self.name in RECIPES else self.name,
            "size": recipe.size,
            "sigma_min": recipe.sigma_min,
            "sigma_max": recipe.sigma_max,
            "classes": list(self.dataset.classes) if recipe.labelled else [],
            "guidance": self._advised.facts(),
            "training": {
                "pictures_in_set": len(self.dataset.train),
                "pictures_held_out": len(self.dataset.val),
                "updates": state.updates,
                "pictures_seen": state.pictures,
                "hours": round(state.seconds / 3600, 2),
                "batch": recipe.batch,
                "optimiser": "Muon, Adam" if recipe.muon else "Adam",
                "learning_rate": recipe.learning_rate,
                "relative": recipe.relative,
                "guide_pictures": state.guide_pictures,
                "log_sigma": [recipe.log_sigma_mean, recipe.log_sigma_std],
                "history": _thinned(state.history, 100),
                "loss_by_noise": {
                    "train": self.loss_by_noise(self.dataset.train),
                    "val": self.loss_by_noise(self.dataset.val),
                },
            },
        }
        guide = self.denoiser().guide
        checkpoint.save_model(state.model, state.average, card, self.name, folder, guide)

    def _resume(self) -> None:
        try:
            tensors = load_file(self._state_file)
            with safe_open(self._state_file, "pt") as file:
                facts = json.loads(file.metadata()["facts"])
            weights = _below(tensors, "weights.")
            self._fit(weights, facts.get("classes"), self._state_file)
        except SafetensorError as error:
            raise ValueError(
                f"{self._state_file} is damaged ({error}): move it away to start anew"
            ) from error
        state = self.state
        state.updates, state.pictures = facts["updates"], facts["pictures"]
        state.seconds, state.history = facts["seconds"], facts["history"]
        state.guide_pictures = facts.get("guide_pictures", 0)
        state.fresh = facts.get("fresh", 0)
        state.model.load_state_dict(weights)
        for key, value in _below(tensors, "average.").items():
            state.average[key].copy_(value)
        state.guide = {k: v.clone() for k, v in _below(tensors, "guide.").items()}
        for name, optimiser in state.optimisers.items():
            if not _take_up(optimiser, _below(tensors, f"{name}.")):
                state.fresh = state.updates

    def _fit(self, weights: dict[str, Tensor], classes: Sequence[str] | None, file: Path) -> None:
        """Grow if these weights have; refuse those of another network. `classes` None if not known."""
        if self.recipe.config.blocks < blocks_of(weights) == self.recipe.final.blocks:
            self._grow()
        ours = self.state.model.state_dict()
        same = {k: v.shape for k, v in weights.items()} == {k: v.shape for k, v in ours.items()}
        other = "" if same else "of another shape"
        known = self.dataset.classes if self.recipe.labelled else ()
        if classes is not None and tuple(classes) != known:
            other = f"for other classes ({len(classes)}, here {len(known)})"
        if other:
            raise ValueError(
                f"{file} holds a network {other}: give this one another name with --model, or move that "
                "one away"
            )

    def _go_on_from(self, folder: Path) -> None:
        """Take up shipped weights; moments start afresh."""
        card = checkpoint.read_card(self.name, folder)
        shipped = checkpoint.load_denoiser(self.name, folder, self.device)
        weights = shipped.model.state_dict()
        self._fit(weights, card["classes"], folder / f"{self.name}.safetensors")
        state, training = self.state, card["training"]
        state.model.load_state_dict(weights)
        state.average = {k: v.clone() for k, v in state.model.state_dict().items()}
        if shipped.guide:
            state.guide = {k: v.clone() for k, v in shipped.guide.state_dict().items()}
        state.updates, state.pictures = training["updates"], training["pictures_seen"]
        state.guide_pictures = checkpoint.guide_pictures(card)
        state.fresh = state.updates
        state.seconds, state.history = training["hours"] * 3600, training["history"]


def _optimisers(model: Preconditioned, recipe: Recipe) -> dict[str, torch.optim.Optimizer]:
    inner = muon.hidden(model.net) if recipe.muon else []
    chosen = {id(p) for p in inner}
    rest = [p for p in model.parameters() if id(p) not in chosen]
    adam = torch.optim.Adam(rest, lr=recipe.learning_rate, betas=(0.9, 0.99), fused=True)
    found: dict[str, torch.optim.Optimizer] = {"adam": adam}
    if inner:
        found["muon"] = muon.Muon(inner, recipe.learning_rate)
    return found


def _take_up(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> bool:
    """Give an optimiser its moments back, unless they are of other weights; tells whether it did."""
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    moments: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, what = key.split(".")
        if int(index) >= len(parameters) or (value.ndim and value.shape != parameters[int(index)].shape):
            return False
        # Fused Adam walks raw memory: moments must lie there as their weights do. (And what load_file
        # gives is the file itself, mapped.)
        like = parameters[int(index)] if value.ndim else value
        moments.setdefault(int(index), {})[what] = torch.empty_like(like).copy_(value)
    optimiser.load_state_dict(optimiser.state_dict() | {"state": moments})
    return bool(moments)


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}


def _thinned(rows: list[dict[str, float]], most: int) -> list[dict[str, float]]:
    """At most `most` rows, evenly spread, the last one kept."""
    stride = math.ceil(len(rows) / most) if rows else 1
    return rows[::-1][::stride][::-1]


def provenance(data_set: str | None, classes: tuple[str, ...], device: str) -> dict[str, Any]:
    """What a card says besides the numbers: data, licence, limits, machine.

    Parameters
    ----------
    data_set : str or None
        A key of :data:`diffusion.recipes.DATA_SETS`; None says that the data is not stated.
    classes : tuple of str
        Names of the data's classes.
    device : str
    """
    threads = torch.get_num_threads()
    machine = torch.cuda.get_device_name() if device == "cuda" else f"CPU, {threads} thread(s)"
    known = DATA_SETS.get(data_set or "", NOT_STATED)
    few = ", ".join(classes[:3]).replace("_", " ") + (" and others" if len(classes) > 3 else "")
    return {
        "data": known,
        "licence": f"the weights follow the data: {known['licence']}",
        "limits": f"Has seen {known['shows']} ({few}) and nothing else; pulls any picture towards that.",
        "machine": machine,
    }
