"""What an exported file costs and what it loses: accuracy, size, latency."""

from __future__ import annotations

import hashlib
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from ferbook.core.predictions import Predictions
from ferbook.data.faces import Faces
from ferbook.results.metrics import score

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
    """Milliseconds per image, alone and in a batch of 32 or, if these are fewer, of all: median of
    20 rounds after a first one."""
    batch = images[:LATENCY_BATCH]
    return {
        "ms_single": _milliseconds(answer, images[:1]),
        "ms_batch": _milliseconds(answer, batch) / len(batch),
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


def about_file(path: Path) -> dict[str, Any]:
    """Size in bytes, size when compressed (zlib), SHA-256."""
    content = path.read_bytes()
    return {
        "bytes": len(content),
        "compressed_bytes": len(zlib.compress(content, 6)),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
