"""What the lessons quote, computed from a picture, a seed and a network. Pure functions, no Streamlit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from diffusion import Brownian, Process, inversion, picture_rng, reverse, times_back, times_of_inversion
from diffusion.denoiser import Denoiser
from diffusion.noise import standard_normal
from diffusion.oracles import FiniteData, GaussianMixture

#: Indices of the seed's generators, so that no two uses within the lessons share their noise.
WALKS, CLOUD, TINY, TRAIN, JUDGE, ENDINGS = 3, 4, 5, 6, 7, 100


def rms(x: Tensor) -> float:
    """Root mean square."""
    return float(x.double().square().mean().sqrt())


def spread(x: Tensor) -> float:
    """Standard deviation."""
    return float(x.double().std(correction=0))


# --- 1: noise, one step at a time ------------------------------------------------------------------

#: How much noise a step adds: of the same spread each time, or a share of one total.
RULES = ("fixed", "scaled")


def total_in_theory(rule: str, sigma: float, steps: int) -> float:
    """Spread of all the noise after `steps` steps: variances add.

    Parameters
    ----------
    rule : {"fixed", "scaled"}
        Every step adds noise of spread `sigma`; or of spread sigma*sqrt(1/steps).
    sigma : float
    steps : int
    """
    return sigma * math.sqrt(steps) if rule == "fixed" else sigma


def measured_total(x0: Tensor, rule: str, sigma: float, steps: int, seed: int) -> float:
    """The same, measured over all pixels of one walk, x_T - x_0."""
    each = total_in_theory(rule, sigma, steps) / math.sqrt(steps)
    rng, x = picture_rng(seed), x0
    for _ in range(steps):
        x = x + each * standard_normal(x0, rng)
    return rms(x - x0)


# --- 2: is x_T noise yet? --------------------------------------------------------------------------


def correlation(one: Tensor, other: Tensor) -> float:
    """Pearson's correlation over all values; 0 where one of them has no spread."""
    a, b = (x.double().flatten() - x.double().mean() for x in (one, other))
    size = float(a.norm() * b.norm())
    return float(a @ b) / size if size > 1e-12 else 0.0


def correlation_in_theory(spread_of_picture: float, sigma: float) -> float:
    """Between x_0 and x_0 + sigma*eps: s/sqrt(s^2 + sigma^2)."""
    total = math.hypot(spread_of_picture, sigma)
    return spread_of_picture / total if total else 0.0


def squinted(x: Tensor, block: int) -> Tensor:
    """Means over blocks of `block` x `block` pixels, each colour for itself."""
    return F.avg_pool2d(x, block)


@dataclass(frozen=True)
class Left:
    """What is left of a picture when it is looked at in blocks.

    Attributes
    ----------
    block : int
    noise : float
        Spread of the noise on a block's mean, sigma/block.
    measured, theory : float
        Correlation of the blocks' means with those of the clean picture.
    chance : float
        What pure noise alone reaches, two standard errors: 2/sqrt(values).
    """

    block: int
    noise: float
    measured: float
    theory: float
    chance: float


def left(x0: Tensor, x_t: Tensor, sigma: float, blocks: Sequence[int]) -> list[Left]:
    """What is left of `x0` in `x_t`, from single pixels to large blocks."""
    rows = []
    for block in blocks:
        clean = squinted(x0, block)
        rows.append(
            Left(
                block,
                sigma / block,
                correlation(clean, squinted(x_t, block)),
                correlation_in_theory(spread(clean), sigma / block),
                2 / math.sqrt(clean.numel()),
            )
        )
    return rows


def noise_of_brightness(x0: Tensor, sigma: float) -> float:
    """Spread of the noise on the mean of all values: sigma/sqrt(values), sigma/(N*sqrt(3)) for RGB."""
    return sigma / math.sqrt(x0.numel())


# --- 3: what the network is asked ------------------------------------------------------------------


@dataclass(frozen=True)
class Guess:
    """One answer to "what is the clean picture?"."""

    picture: Tensor
    error: float


def blurred(x: Tensor, width: float) -> Tensor:
    """A Gaussian filter of standard deviation `width` pixels; the edges are mirrored."""
    reach = min(max(1, math.ceil(3 * width)), x.shape[-1] - 1)
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, dtype=x.dtype) / width) ** 2)
    kernel = (kernel / kernel.sum()).expand(x.shape[1], 1, -1)
    x = F.pad(x, (reach, reach, reach, reach), mode="reflect")
    x = F.conv2d(x, kernel[:, :, None, :], groups=x.shape[1])
    return F.conv2d(x, kernel[:, :, :, None], groups=x.shape[1])


def best_blur(x_t: Tensor, x0: Tensor) -> tuple[float, Guess]:
    """The Gaussian filter that comes nearest to `x0`: its width is chosen with the answer in hand."""
    widths = [0.3 * 1.3**k for k in range(22)]  # 0.3 to 74 pixels: in the end the mean alone is left
    tried = [(width, blurred(x_t, width)) for width in widths]
    width, picture = min(tried, key=lambda one: rms(one[1] - x0))
    return width, Guess(picture, rms(picture - x0))


def guess(net: Denoiser, x_t: Tensor, sigma: float, x0: Tensor) -> Guess:
    """What a denoiser answers, and how far from `x0` that is."""
    picture = net(x_t, sigma)
    return Guess(picture, rms(picture - x0))


#: How many two-pixel pictures the cloud holds, and how many pixels apart their two pixels lie.
CLOUD_POINTS, GAP = 200, 6


def cloud(x0: Tensor, seed: int) -> Tensor:
    """Two-pixel pictures cut out of `x0`: the brightness of a pixel and of the one GAP to its right.

    Returns
    -------
    Tensor, shape (CLOUD_POINTS, 2)
    """
    grey = x0[0].mean(0)
    pairs = torch.stack([grey[:, :-GAP].flatten(), grey[:, GAP:].flatten()], dim=1)
    return pairs[torch.randperm(len(pairs), generator=picture_rng(seed, CLOUD))[:CLOUD_POINTS]]


def as_pictures(points: Tensor) -> Tensor:
    """(N, 2) points as N pictures of two channels and one pixel, the shape denoisers take."""
    return points[:, :, None, None]


def ask(net: Denoiser, points: Tensor, sigma: float) -> Tensor:
    """x0_hat at each of the (N, 2) points."""
    return net(as_pictures(points), sigma)[:, :, 0, 0]


def score(net: Denoiser, points: Tensor, sigma: float) -> Tensor:
    """The gradient of the log density of noisy points, (x0_hat - x)/sigma^2 (Tweedie), shape (N, 2)."""
    return (ask(net, points, sigma) - points) / sigma**2


def exact(points: Tensor) -> FiniteData:
    """E[x_0 | x_t] for the cloud in closed form: the best that any network could answer."""
    return FiniteData(as_pictures(points))


class TinyNet(Denoiser):
    """A network of two hidden layers that keeps the denoiser's contract for two-pixel pictures.

    It answers with x0_hat itself; the large ones are helped by EDM's preconditioning.

    Parameters
    ----------
    rng : torch.Generator
        Draws the first weights.
    """

    SHAPES = ((3, 64), (64, 64), (64, 2))

    def __init__(self, rng: torch.Generator) -> None:
        self.weights = [
            (torch.randn(shape, generator=rng) / math.sqrt(shape[0])).requires_grad_()
            for shape in self.SHAPES
        ]
        self.biases = [torch.zeros(shape[1], requires_grad=True) for shape in self.SHAPES]

    @classmethod
    def parameters(cls) -> int:
        """How many numbers it learns."""
        return sum((inputs + 1) * outputs for inputs, outputs in cls.SHAPES)

    def answer(self, x: Tensor, sigma: Tensor) -> Tensor:
        """x0_hat for (N, 2) points at (N,) noise levels, with gradients."""
        scale = (1 + sigma**2).sqrt()[:, None]
        h = torch.cat([x / scale, sigma.log()[:, None] / 4], dim=1)
        for weight, bias in zip(self.weights[:2], self.biases[:2], strict=True):
            h = F.silu(h @ weight + bias)
        return h @ self.weights[2] + self.biases[2]

    @torch.no_grad()
    def _denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        return as_pictures(self.answer(x[:, :, 0, 0], sigma))


@dataclass
class Tiny:
    """A tiny network as it learns.

    Attributes
    ----------
    points : Tensor, shape (N, 2)
    net : TinyNet
    floor : float
        Mean squared error of the closed form on the questions both are judged by.
    updates : int
    losses : list of (int, float)
        The network's error on the same questions, after so many updates.
    """

    points: Tensor
    net: TinyNet
    floor: float
    updates: int = 0
    losses: list[tuple[int, float]] = field(default_factory=list)


#: How the tiny network is trained; it is judged at one noise level of its range.
UPDATES, BATCH, JUDGED_AT, QUESTIONS = 600, 128, 0.3, 2000
RATE = 1.5e-3
#: Updates between two looks.
LOOK = 10


def start_tiny(points: Tensor, seed: int) -> Tiny:
    """An untrained network and the questions it will be judged by."""
    clean, noisy = _questions(points, seed)
    floor = float((ask(exact(points), noisy, JUDGED_AT) - clean).square().mean())
    return Tiny(points, TinyNet(picture_rng(seed, TINY)), floor)


def train_tiny(tiny: Tiny, seed: int) -> Iterator[None]:
    """Train it, LOOK updates a turn: draw a point, add noise, ask, and step down the squared error."""
    rng = picture_rng(seed, TRAIN)
    clean, noisy = _questions(tiny.points, seed)
    net = tiny.net
    adam = torch.optim.Adam([*net.weights, *net.biases], lr=RATE)
    tiny.losses.append((0, float((ask(net, noisy, JUDGED_AT) - clean).square().mean())))
    while tiny.updates < UPDATES:
        for _ in range(LOOK):
            x0 = tiny.points[torch.randint(len(tiny.points), (BATCH,), generator=rng)]
            sigma = torch.exp(torch.randn(BATCH, generator=rng) - 1.2)
            x = x0 + sigma[:, None] * torch.randn(BATCH, 2, generator=rng)
            loss = (net.answer(x, sigma) - x0).square().mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
        tiny.updates += LOOK
        for group in adam.param_groups:
            group["lr"] = RATE * (1 - tiny.updates / UPDATES)
        tiny.losses.append((tiny.updates, float((ask(net, noisy, JUDGED_AT) - clean).square().mean())))
        yield


def _questions(points: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Clean points and the same with noise, (QUESTIONS, 2) each, never trained on."""
    rng = picture_rng(seed, JUDGE)
    clean = points[torch.randint(len(points), (QUESTIONS,), generator=rng)]
    return clean, clean + JUDGED_AT * torch.randn(QUESTIONS, 2, generator=rng)


# --- 4: one step back ------------------------------------------------------------------------------


def exact_walks(
    mean: float, spread_of_data: float, sigma_q: float, steps: int, count: int, seed: int, *, noise: bool
) -> Tensor:
    """Walks back of single pixels with the exact denoiser of data N(mean, spread^2): an oracle.

    Each step has Algorithm 1's mean; its fresh noise, none at the end, is added or left out.

    Returns
    -------
    Tensor, shape (steps + 1, count)
        The states, started from N(mean, spread^2 + sigma_q^2), where the process really ends.
    """
    net = GaussianMixture(*(torch.tensor([v], dtype=torch.float64) for v in (mean, spread_of_data, 1.0)))
    process, rng = Brownian(sigma_q), picture_rng(seed, WALKS)
    x = torch.randn(count, 1, 1, 1, generator=rng, dtype=torch.float64)
    x = mean + math.hypot(spread_of_data, sigma_q) * x
    states = [x]
    for times in pairwise(times_back(process, steps)):
        step = next(reverse(net, x, process, sampler="algorithm1_clean_end", rng=rng, times=times))
        x = step.x_s if noise else step.x_t - step.removed
        states.append(x)
    return torch.stack(states)[:, :, 0, 0, 0]


def spread_without_noise(spread_of_data: float, sigma_q: float) -> float:
    """Where :func:`exact_walks` ends without its noise: s^2/sqrt(s^2 + sigma_q^2), whatever T is.

    A step shrinks the spread by (s^2 + sigma_s^2)/(s^2 + sigma_t^2), and the product telescopes.
    """
    return spread_of_data**2 / math.hypot(spread_of_data, sigma_q)


def _forgotten(spread_of_data: float, variance: float) -> float:
    """The share sigma^2/(s^2 + sigma^2) of x_t - mean that the exact denoiser takes for noise."""
    return variance / (spread_of_data**2 + variance)


# --- 5: ten steps or a thousand --------------------------------------------------------------------

#: The samplers this lesson sets side by side.
COMPARED = ("algorithm1", "posterior", "ddim")


def leftover(sigma_q: float, steps: int) -> float:
    """Spread of the noise that literal Algorithm 1 leaves on the result: its last step's own."""
    return sigma_q / math.sqrt(steps)


def end_spread(spread_of_data: float, sigma_q: float, steps: int, sampler: str) -> float:
    """Spread of the end result for data N(0, s^2) and its exact denoiser, started from N(0, sigma_q^2).

    Every step is x_s = c*x_t + noise, so variances follow v -> c^2*v + noise^2.
    """
    variance = sigma_q**2
    for t, s in pairwise(times_back(Brownian(sigma_q), steps)):
        taken = _forgotten(spread_of_data, sigma_q**2 * t)
        if sampler == "ddim":
            shrink, added = 1 - (1 - math.sqrt(s / t)) * taken, 0.0
        else:
            shrink, added = 1 - (1 - s / t) * taken, sigma_q**2 * (t - s)
            if sampler == "posterior":
                added *= s / t
            elif sampler == "algorithm1_clean_end" and s == 0:
                added = 0.0
        variance = shrink**2 * variance + added
    return math.sqrt(variance)


def in_step(walks: Sequence[Iterator[object]]) -> Iterator[None]:
    """Several walks of equal length together, one step of each a turn."""
    for _steps in zip(*walks, strict=True):
        yield


# --- 6: many endings -------------------------------------------------------------------------------

#: Ways back from one x_t, and the steps of each.
WAYS, STEPS_EACH = 16, 10


@dataclass
class Endings:
    """Many ways back from one state.

    Attributes
    ----------
    x0, x_t : Tensor, shape (1, C, H, W)
    t, sigma : float
        Where they start.
    x0_hat : Tensor or None
        What the network guesses at the start.
    times : list of float
    paths : list of Tensor, shape (WAYS,)
        The middle pixel at these times; whole pictures of every step would take ten megabytes.
    ends : Tensor or None, shape (WAYS, C, H, W)
        Where the ways have come to.
    """

    x0: Tensor
    x_t: Tensor
    t: float
    sigma: float
    x0_hat: Tensor | None = None
    times: list[float] = field(default_factory=list)
    paths: list[Tensor] = field(default_factory=list)
    ends: Tensor | None = None

    def come_to(self, t: float, x: Tensor) -> None:
        """Note where the ways are at time t."""
        self.times.append(t)
        self.paths.append(middle_pixel(x).clone())
        self.ends = x

    @property
    def fan(self) -> float:
        """How far apart the endings are: the spread over the ways, as a root mean square over pixels."""
        return rms(self._ends().double().std(0, correction=0))

    @property
    def to_upload(self) -> float:
        """How far an ending is from the picture it began as, root mean square over all of them."""
        return rms(self._ends() - self.x0)

    @property
    def chance(self) -> float:
        """How far their mean is from the mean of endless many, by chance alone."""
        return self.fan / math.sqrt(WAYS - 1)

    @property
    def mean_to_guess(self) -> float:
        """How far the mean of all endings is from the network's first guess."""
        if self.x0_hat is None:
            raise ValueError("no step has been taken yet")
        return rms(self._ends().mean(0, keepdim=True) - self.x0_hat)

    def _ends(self) -> Tensor:
        if self.ends is None:
            raise ValueError("no way has begun yet")
        return self.ends


def middle_pixel(x: Tensor) -> Tensor:
    """One value of each picture, of its middle channel: (B, C, H, W) to (B,)."""
    return x[:, x.shape[1] // 2, x.shape[2] // 2, x.shape[3] // 2]


def walk_many(into: Endings, net: Denoiser, process: Process, seed: int) -> Iterator[None]:
    """Walk WAYS ways back from one x_t, each with fresh noise of its own."""
    times = times_back(process, STEPS_EACH, "rho7", into.t)
    rng = [picture_rng(seed, ENDINGS + k) for k in range(WAYS)]
    start = into.x_t.expand(WAYS, -1, -1, -1)
    into.come_to(times[0], start)
    for step in reverse(net, start, process, sampler="posterior", rng=rng, times=times):
        if into.x0_hat is None:
            into.x0_hat = step.x0_hat[:1].clone()  # a view would hold all of them
        into.come_to(step.s, step.x_s)
        yield


@dataclass
class Returned:
    """The noise-free path climbed up from a picture and walked down again.

    Attributes
    ----------
    x0 : Tensor
    up, down : Tensor or None
        The noise at its top; the picture at its end.
    """

    x0: Tensor
    up: Tensor | None = None
    down: Tensor | None = None

    @property
    def error(self) -> float:
        """How far the end is from the picture, root mean square."""
        if self.down is None:
            raise ValueError("it has not come down yet")
        return rms(self.down - self.x0)

    @property
    def apart(self) -> float:
        """How far the top is from the picture; of noise it would be the process's sigma."""
        if self.up is None:
            raise ValueError("it has not climbed up yet")
        return rms(self.up - self.x0)


CLIMB = 25


def walk_around(into: Returned, net: Denoiser, process: Process) -> Iterator[None]:
    """Climb the deterministic path in CLIMB steps of Heun, and come down the same grid."""
    x = into.x0
    for step in inversion(net, into.x0, process, CLIMB):
        x = step.x_s
        yield
    into.up = x
    times = times_of_inversion(process, CLIMB)[::-1]
    for step in reverse(net, x, process, sampler="heun", times=times):
        into.down = step.x_s
        yield


# --- 7: a dog from nothing -------------------------------------------------------------------------


#: Under more noise than this nothing but the average of all pictures can be guessed, whoever was trained on.
STILL_SHOWN = 2.0


def share_of_ddim(t: float, s: float) -> float:
    """The share of the way to x0_hat that a DDIM step goes on the Brownian process, 1 - sigma_s/sigma_t."""
    return 1 - math.sqrt(s / t)


def worst_gap(rows: dict[str, list[dict[str, float]]]) -> tuple[float, float]:
    """Where held-out pictures are guessed worst compared with training pictures, sigma up to STILL_SHOWN.

    Parameters
    ----------
    rows : dict
        A card's ``loss_by_noise``: rows with "sigma" and "mse" for "train" and "val".

    Returns
    -------
    sigma, ratio : float
        The noise level, and the root mean square error on held-out pictures over that on training
        pictures; NaN where the card has none.
    """
    both = zip(rows.get("train", []), rows.get("val", []), strict=False)
    ratios = [
        (math.sqrt(val["mse"] / train["mse"]), val["sigma"])
        for train, val in both
        if val["sigma"] <= STILL_SHOWN
    ]
    if not ratios:
        return math.nan, math.nan
    ratio, sigma = max(ratios)
    return sigma, ratio
