"""What an exported model costs and what it loses: accuracy, size, latency; pruning; corruptions."""

from __future__ import annotations

import hashlib
import io
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image
from scipy.ndimage import gaussian_filter

from ferbook.data import Faces
from ferbook.metrics import score
from ferbook.schema import Predictions

Answerer = Callable[[np.ndarray], np.ndarray]  # uint8 (n, 48, 48) to probabilities (n, 7)
LATENCY_BATCH = 32
ROUNDS = 20
_SCORES = ("correct", "total", "accuracy", "accuracy_low", "accuracy_high")


def measure(answer: Answerer, faces: Faces) -> tuple[dict[str, Any], Predictions]:
    """Accuracy with its interval on `faces`, latency, and the answers."""
    parts = [answer(faces.images[i : i + 64]) for i in range(0, len(faces), 64)]
    found = Predictions(faces.files, faces.labels, np.concatenate(parts))
    scores = score(found)
    return {
        **{name: scores[name] for name in _SCORES},
        **latency(answer, faces.images),
    }, found


def latency(answer: Answerer, images: UInt8[np.ndarray, "n side side"]) -> dict[str, float]:
    """Milliseconds per image, alone and in a batch of 32: median of 20 rounds after a first one."""
    return {
        "ms_single": _milliseconds(answer, images[:1]),
        "ms_batch": _milliseconds(answer, images[:LATENCY_BATCH]) / LATENCY_BATCH,
    }


def _milliseconds(answer: Answerer, images: np.ndarray) -> float:
    answer(images)  # the first call allocates
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        answer(images)
        seconds.append(time.perf_counter() - started)
    return float(1000 * np.median(seconds))


def litert(content: bytes) -> Callable[[np.ndarray], np.ndarray]:
    """A function from a LiteRT model's batches of inputs to its output (n, classes)."""
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(model_content=content, num_threads=2)
    given = interpreter.get_input_details()[0]["index"]

    def answer(batch: np.ndarray) -> np.ndarray:
        interpreter.resize_tensor_input(given, batch.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(given, batch)
        interpreter.invoke()
        found = [interpreter.get_tensor(o["index"]) for o in interpreter.get_output_details()]
        return next(array for array in found if array.ndim == 2)

    return answer


def thinned(faces: Faces, count: int) -> Faces:
    """Every k-th of `faces`, with k as large as leaves at least `count`."""
    return faces.select(np.arange(0, len(faces), max(1, len(faces) // count)))


def about_file(path: Path) -> dict[str, Any]:
    """Size in bytes, size when compressed (zlib), SHA-256."""
    content = path.read_bytes()
    return {
        "bytes": len(content),
        "compressed_bytes": len(zlib.compress(content, 6)),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def pruned(kernels: list[np.ndarray], share: float) -> list[np.ndarray]:
    """`kernels` with the smallest `share` of all their entries, by magnitude, set to zero.

    Source: global magnitude pruning; Han et al., NeurIPS 2015.
    """
    if not 0 <= share < 1:
        raise ValueError(f"share: expected 0 <= share < 1. Received: {share}.")
    if share == 0:
        return kernels
    threshold = np.quantile(np.abs(np.concatenate([k.ravel() for k in kernels])), share)
    return [np.where(np.abs(k) > threshold, k, 0).astype(k.dtype) for k in kernels]


# Severities 1 to 5. Source: Hendrycks & Dietterich, ICLR 2019, as they set them for small images
# (CIFAR-10-C); grey level in [0, 1].
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
    grey = _ON_ARRAYS[name](images / 255.0, SEVERITIES[name][severity - 1], random)
    return np.round(255 * np.clip(grey, 0, 1)).astype(np.uint8)


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


def _jpeg(image: np.ndarray, quality: float) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=int(quality))
    return np.asarray(Image.open(buffer))


def _pixelate(image: np.ndarray, share: float) -> np.ndarray:
    side = int(len(image) * share)
    small = Image.fromarray(image).resize((side, side), Image.Resampling.BOX)
    return np.asarray(small.resize(image.shape[::-1], Image.Resampling.BOX))


_BY_IMAGE = {"JPEG": _jpeg, "pixelate": _pixelate}
