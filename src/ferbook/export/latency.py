"""How long an answer takes."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from jaxtyping import UInt8

Answerer = Callable[[np.ndarray], np.ndarray]  # uint8 (n, 48, 48) to probabilities (n, 7)
LATENCY_BATCH = 32
ROUNDS = 20


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
