"""What a person can set, with the bounds and the presets: plain data, no Streamlit."""

from __future__ import annotations

from dataclasses import dataclass

from diffusion import Brownian, Process
from diffusion.generate import BEST_GRID, BEST_SAMPLER
from diffusion.processes import PROCESSES

STEPS_RANGE = (1, 1000)
SIGMA_Q_RANGE = (0.1, 80.0)
BACK_STEPS_RANGE = (1, 250)
INDEX_RANGE = (0, 9999)
SEED_RANGE = (0, 2**32 - 1)
PHOTO_SIZES = (64, 128, 256)
#: A way back is refused when looks at the network times pixels come to more: half a minute, about.
MOST_WORK = 10_000_000

#: How many lessons there are; a test holds it to their list.
LESSONS = 7

#: Where the way back starts.
STARTS = ("here", "noise", "inversion")


@dataclass(frozen=True)
class There:
    """Settings of the way there.

    Attributes
    ----------
    process : str
        A key of :data:`diffusion.PROCESSES`.
    sigma_q : float
        Spread of all the noise together; of the Brownian process alone.
    steps : int
        T.
    grid : str
        A name from :data:`diffusion.GRIDS`.
    seed : int
        Decides every bit of the noise.
    """

    process: str = "brownian"
    sigma_q: float = 3.0
    steps: int = 100
    grid: str = "uniform_t"
    seed: int = 0

    def build(self) -> Process:
        """The process these settings name."""
        kind = PROCESSES[self.process]
        return Brownian(self.sigma_q) if kind is Brownian else kind()


@dataclass(frozen=True)
class Back:
    """Settings of the way back.

    Attributes
    ----------
    start : str
        One of :data:`STARTS`.
    sampler : str
        A key of :data:`diffusion.SAMPLERS`.
    steps : int
        Number of steps, free of T.
    grid : str
        A name from :data:`diffusion.GRIDS`.
    label : str or None
        The class asked for, where the network knows classes; None for none in particular.
    index : int
        Which of the seed's noises a start in pure noise takes: picture number `index` of its gallery.
    """

    start: str = "here"
    sampler: str = "posterior"
    steps: int = 10
    grid: str = "rho7"
    label: str | None = None
    index: int = 1


@dataclass(frozen=True)
class Preset:
    """A pair of settings worth a name."""

    there: There
    back: Back


PRESETS: dict[str, Preset] = {
    "watch": Preset(There(), Back()),
    "gentle": Preset(There(sigma_q=0.5), Back(sampler="ddim")),
    "tutorial": Preset(There(steps=10), Back(sampler="algorithm1", grid="uniform_t")),
    "from_nothing": Preset(
        There(sigma_q=80.0, grid="rho7"),
        Back(start="noise", sampler=BEST_SAMPLER, grid=BEST_GRID),
    ),
}
