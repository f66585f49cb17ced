"""How each shipped network is shaped and trained: the one place where these numbers stand."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .guidance import NO_GUIDANCE, Guidance
from .network import UNetConfig


@dataclass(frozen=True)
class Recipe:
    """Everything `python -m diffusion train --model NAME` needs besides the data.

    Attributes
    ----------
    title : str
        What the network is for, in a few words.
    config : UNetConfig
        Shape the network begins with (`labels` is filled in from the data when `labelled`).
    size : int
        Side of the training pictures in pixels.
    sigma_data : float
        Standard deviation of the data in [-1, 1] units.
    sigma_min, sigma_max : float
        Noise levels the network answers for.
    log_sigma_mean, log_sigma_std : float
        ln(sigma) of the training noise is drawn from this normal distribution, then clamped to
        the range above.
    batch : int
        Pictures per update.
    learning_rate : float
        Peak of the step size, reached after `warmup` updates.
    muon : bool
        Muon instead of Adam for the hidden convolutions, see :mod:`diffusion.muon`.
    relative : bool
        A picture counts by how much better it becomes, not by how bad it is: what falls is the mean of
        the logarithm of the loss, as in PSNR, and a lawn does not outweigh a sky. D is then the mean over
        pictures that are each counted by one over their loss: under much noise, a little calmer ones.
    warmup : int
        Updates of linear warm-up.
    ema : float
        Half-life of the averaged weights, as a fraction of the pictures seen so far.
    label_dropout : float
        Share of training pictures whose label is hidden, so one network serves with and without.
    flip : bool
        Mirror half of the training pictures.
    shift : int
        Shift them by up to this many pixels.
    whole : bool
        Train on random crops of whole photos.
    labelled : bool
        Learn the classes of the data.
    guidance : Guidance
        Advised where a class is asked for and there is no guide; what `make evaluate` found best.
    guide_at : int or None
        After so many pictures the run keeps a copy of its average, which guides what it becomes.
    by_guide : Guidance
        Advised from then on.
    grow_at : int or None
        After so many pictures the network gets one more residual block per level and way, see
        :func:`diffusion.network.grown`; its guide stays as it was.
    only : str or None
        The class folder to read, where the data has such folders.
    """

    title: str
    config: UNetConfig
    size: int
    sigma_data: float
    sigma_min: float = 0.002
    sigma_max: float = 80.0
    log_sigma_mean: float = -0.6
    log_sigma_std: float = 1.3
    batch: int = 8
    learning_rate: float = 4e-4
    muon: bool = False
    relative: bool = False
    warmup: int = 200
    ema: float = 0.05
    label_dropout: float = 0.1
    flip: bool = True
    shift: int = 0
    whole: bool = False
    labelled: bool = True
    guidance: Guidance = NO_GUIDANCE
    guide_at: int | None = None
    by_guide: Guidance = NO_GUIDANCE
    grow_at: int | None = None
    only: str | None = None

    @property
    def final(self) -> UNetConfig:
        """The shape the network ends up with: it may grow on the way."""
        return replace(self.config, blocks=self.config.blocks + bool(self.grow_at))


RECIPES: dict[str, Recipe] = {
    "digits": Recipe(
        title="handwritten digits",
        config=UNetConfig(channels=1, widths=(40, 72)),
        size=28,
        sigma_data=0.6,
        batch=32,
        learning_rate=1e-3,
        flip=False,
        shift=1,
        guidance=Guidance(2.0, 0.2, 8.0),
    ),
    "dogs": Recipe(
        title="heads of dogs",
        config=UNetConfig(widths=(40, 96, 160)),
        size=64,
        sigma_data=0.5,
        guidance=Guidance(3.0, 0.2, 8.0),
        guide_at=45_000,
        by_guide=Guidance(2.2, 0.3, 2.2),
        grow_at=445_000,
        only="dog",
    ),
    "photos": Recipe(
        title="photos of cats and dogs",
        config=UNetConfig(widths=(32, 64, 96), attention=False, norm=False),
        size=64,
        sigma_data=0.5,
        sigma_min=0.004,
        sigma_max=5.0,
        log_sigma_mean=-1.4,
        log_sigma_std=1.2,
        learning_rate=5e-4,
        muon=True,
        relative=True,
        label_dropout=0.0,
        whole=True,
        labelled=False,
    ),
}

_PETS = {
    "name": "Oxford-IIIT Pet",
    "source": "Parkhi, Vedaldi, Zisserman, Jawahar, Cats and Dogs, CVPR 2012",
    "licence": "CC BY-SA 4.0; the copyright of the photos stays with their owners",
}
#: What a card says of data sets that are known by name.
DATA_SETS: dict[str, dict[str, str]] = {
    "mnist": {
        "name": "MNIST",
        "source": "LeCun, Cortes, Burges, from NIST's collections",
        "licence": "usually given as CC BY-SA 3.0",
        "shows": "handwritten digits, 28x28",
    },
    "pet-heads": _PETS | {"part": "head crops of dogs, 64x64", "shows": "heads of dogs, 64x64"},
    "pet-photos": _PETS | {"part": "whole photos", "shows": "photos of cats and dogs"},
}
#: Where each network's data set lies in a folder that holds them all.
FOLDERS = {"digits": "digits-28", "dogs": "pets-heads-64", "photos": "pets-photos"}
NOT_STATED = {
    "name": "not stated",
    "source": "not stated",
    "licence": "not stated",
    "shows": "pictures of a data set that is not named here",
}
