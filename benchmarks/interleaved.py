"""Rounds of interleaved measurements, the budgets, and the random faces that they are made on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ferbook.core.classes import CLASSES, SIDE
from ferbook.core.paths import project_root
from ferbook.core.recipe import Recipe
from ferbook.data.faces import OFFICIAL_COUNTS, Faces

Rounds = dict[str, list[float]]


@dataclass(frozen=True)
class Budget:
    """How much is measured, and on what."""

    name: str
    rounds: int
    starts: int  # rounds of what starts a process
    steps: int  # of training in a round
    backbone: str
    image_size: int  # px, of the training step
    input_sizes: tuple[int, ...]  # px
    first_step: str  # backbone whose first step is timed
    hashes: tuple[int, ...]
    images: int  # of the data set in the memory of a training
    pages: tuple[str, ...]  # notebooks made from the store
    scenes: int  # faces in each kind of scene

    def recipe(self, **changes: Any) -> Recipe:
        """The recipe whose step is measured; phase 2 alone, so that it can go on for long."""
        values = {"backbone": self.backbone, "image_size": self.image_size, "weights": "none"}
        return Recipe(**values | {"warmup_epochs": 0, "finetune_epochs": 99} | changes)


_SIZES = (1000, 4000, 16_000, 64_000, 250_000, 1_000_000)
_PAGES = ("03_results", "04_ablations", "06_claims")
BUDGETS = {
    "full": Budget("full", 7, 3, 8, "efficientnet_lite2", 96, (260, 96), "efficientnet_b2", _SIZES,
                   35_887, _PAGES, 1000),
    "smoke": Budget("smoke", 2, 1, 2, "tiny", 48, (60, 48), "tiny", _SIZES[:2], 700, (), 2),
}  # fmt: skip


def interleave(
    rounds: int, measures: dict[str, Callable[[], float]], *, warm_up: int = 1
) -> Rounds:
    """Each measure once per round, in turns; without the rounds that only warm up."""
    found = [[measure() for measure in measures.values()] for _ in range(warm_up + rounds)]
    return {name: [row[i] for row in found[warm_up:]] for i, name in enumerate(measures)}


def seconds(call: Callable[[], Any]) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def random_faces(count: int, *, seed: int = 0) -> Faces:
    """Random pixels in the classes and parts of FER-2013, about `count` of them."""
    random = np.random.default_rng(seed)
    share = count / sum(map(sum, OFFICIAL_COUNTS.values()))
    files = [
        f"{'train' if usage == 'Training' else 'test'}/{label}/{usage}_{i}.jpg"
        for usage, counts in OFFICIAL_COUNTS.items()
        for label, official in zip(CLASSES, counts, strict=True)
        for i in range(max(8, round(official * share)))
    ]
    labels = np.array([CLASSES.index(file.split("/")[1]) for file in files])
    images = random.integers(0, 256, (len(files), SIDE, SIDE), np.uint8)
    return Faces(images, labels.astype(np.uint8), np.array(files), "synthetic")


def keras_generator() -> Any:
    """The original's ImageDataGenerator."""
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    recipe = Recipe()
    return ImageDataGenerator(
        rotation_range=recipe.rotation_degrees,
        width_shift_range=recipe.shift_fraction,
        height_shift_range=recipe.shift_fraction,
        zoom_range=recipe.zoom_fraction,
        shear_range=recipe.shear_degrees,
        horizontal_flip=recipe.horizontal_flip,
        fill_mode="nearest",
    )


def write_folder(faces: Faces, folder: Path) -> Path:
    """`faces` as the archive's JPEG files; returns the folder of the training images."""
    for file, image in zip(faces.files, faces.images, strict=True):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / file, quality=95)
    return folder / "train"


def python(*arguments: str, executable: str = sys.executable) -> str:
    """The last line that a new interpreter prints; RuntimeError when it ends with an error."""
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([executable, *arguments], capture_output=True, text=True,
                          env=environment, cwd=project_root())  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{json.dumps(arguments)} failed: {done.stderr[-2000:]}")
    return (done.stdout.splitlines() or [""])[-1]
