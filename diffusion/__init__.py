"""Diffusion there and back: noise a picture along a real path, and walk it back with a network.

>>> import diffusion
>>> x0 = diffusion.load_picture("dog.jpg", size=64)                           # doctest: +SKIP
>>> net = diffusion.load_denoiser("dogs")                                     # doctest: +SKIP
>>> process = diffusion.Brownian(sigma_q=3)
>>> path = diffusion.forward(x0, process, steps=10, rng=diffusion.picture_rng(0))  # doctest: +SKIP

Pictures are float32 tensors in [-1, 1] of shape (B, C, H, W); time runs from 0 (data) to 1.
"""

from .checkpoint import available, load_denoiser, read_card
from .denoiser import Denoiser, NetworkDenoiser
from .errors import ModelError, PictureError, SettingError
from .forward import forward
from .grids import GRIDS, times_back, times_of_inversion, times_there
from .noise import picture_rng
from .pictures import Crop, load_picture, to_image
from .processes import PROCESSES, Brownian, DDPMCosine, DDPMLinear, Process, StraightLine
from .sampler import DETERMINISTIC, SAMPLERS, Step, inversion, invert, reverse

__all__ = [
    "DETERMINISTIC",
    "GRIDS",
    "PROCESSES",
    "SAMPLERS",
    "Brownian",
    "Crop",
    "DDPMCosine",
    "DDPMLinear",
    "Denoiser",
    "ModelError",
    "NetworkDenoiser",
    "PictureError",
    "Process",
    "SettingError",
    "Step",
    "StraightLine",
    "available",
    "forward",
    "inversion",
    "invert",
    "load_denoiser",
    "load_picture",
    "picture_rng",
    "read_card",
    "reverse",
    "times_back",
    "times_of_inversion",
    "times_there",
    "to_image",
]
