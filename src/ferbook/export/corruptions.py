"""Corrupted images: noise, blur, brightness, contrast, compression."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image
from scipy.ndimage import gaussian_filter

from ferbook.data.near_duplicates import recompressed

# Severities 1 to 5. Source: Hendrycks & Dietterich, ICLR 2019, as they set them for small images
# (CIFAR-10-C); gray level in [0, 1].
SEVERITIES: dict[str, tuple[float, ...]] = {
    "Gaussian noise": (0.04, 0.06, 0.08, 0.09, 0.10),  # standard deviation
    "shot noise": (500, 250, 100, 75, 50),  # photons at white
    "impulse noise": (0.01, 0.02, 0.03, 0.05, 0.07),  # share of pixels
    "Gaussian blur": (0.4, 0.6, 0.7, 0.8, 1.0),  # px, standard deviation
    "brightness": (0.05, 0.1, 0.15, 0.2, 0.3),  # added
    "contrast": (0.75, 0.5, 0.4, 0.3, 0.15),  # times the distance from the mean
    "JPEG": (80, 65, 58, 50, 40),  # quality
    "pixelate": (0.95, 0.9, 0.85, 0.75, 0.65),  # of the side
}


def corrupt(
    images: UInt8[np.ndarray, "n side side"], name: str, severity: int, *, seed: int = 0
) -> UInt8[np.ndarray, "n side side"]:
    """`images` with the corruption `name` of SEVERITIES at a severity from 1 to 5.

    Raises ValueError for another name or severity.
    """
    if name not in SEVERITIES or severity not in range(1, 6):
        raise ValueError(f"name, severity: expected {', '.join(SEVERITIES)} and 1 to 5. "
                         f"Received: {name!r}, {severity!r}.")  # fmt: skip
    if name in _BY_IMAGE:
        return np.stack(
            [_BY_IMAGE[name](image, SEVERITIES[name][severity - 1]) for image in images]
        )
    random = np.random.default_rng((seed, severity))
    gray = _ON_ARRAYS[name](images / 255.0, SEVERITIES[name][severity - 1], random)
    return np.round(255 * np.clip(gray, 0, 1)).astype(np.uint8)


def _impulse(x: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    drawn = random.random(x.shape)
    return np.where(drawn < share / 2, 0.0, np.where(drawn < share, 1.0, x))


def _contrast(x: np.ndarray, factor: float, _: np.random.Generator) -> np.ndarray:
    mean = x.mean(axis=(1, 2), keepdims=True)
    return mean + factor * (x - mean)


_ON_ARRAYS: dict[str, Callable[..., Float[np.ndarray, "n side side"]]] = {
    "Gaussian noise": lambda x, c, random: x + random.normal(0, c, x.shape),
    "shot noise": lambda x, c, random: random.poisson(x * c) / c,
    "impulse noise": _impulse,
    "Gaussian blur": lambda x, c, _: gaussian_filter(x, (0, c, c)),
    "brightness": lambda x, c, _: x + c,
    "contrast": _contrast,
}


def _pixelate(image: np.ndarray, share: float) -> np.ndarray:
    side = int(len(image) * share)
    small = Image.fromarray(image).resize((side, side), Image.Resampling.BOX)
    return np.asarray(small.resize(image.shape[::-1], Image.Resampling.BOX))


_BY_IMAGE = {"JPEG": recompressed, "pixelate": _pixelate}
