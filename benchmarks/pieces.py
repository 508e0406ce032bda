"""Input, start-up, audit and memory under the clock.

Every piece gives `rounds`: what is compared is measured in turns, so that a busy moment of the
machine meets all of it alike, and a ratio is formed within each round. Random pixels stand for
faces: no piece depends on what the images show.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from skimage import data

from benchmarks.interleaved import (
    BUDGETS,
    Budget,
    interleave,
    keras_generator,
    python,
    random_faces,
    seconds,
    write_folder,
)
from ferbook.core.classes import SIDE
from ferbook.data.faces import Faces

_VERSION = "from importlib.metadata import version; print(version('{}'))"


def input_rates(budget: Budget) -> dict[str, Any]:
    """Augmented images per second at each size: the original's generator and ours.

    The generator reads a folder, as the original does, or float arrays that were resized before.
    """
    faces = random_faces(2000)
    with tempfile.TemporaryDirectory() as folder:
        train = write_folder(faces, Path(folder))
        sizes = {f"{side} px": interleave(budget.rounds, _feeds(faces, train, side, budget))
                 for side in budget.input_sizes}  # fmt: skip
    return {"unit": "images per second", "sizes": sizes}


def _feeds(faces: Faces, folder: Path, side: int, budget: Budget) -> dict[str, Callable]:
    from ferbook.training import augment, input_pipeline

    generator, size = keras_generator(), (side, side)
    resized = np.repeat(augment.resize(faces.images[:256], side).numpy(), 3, axis=-1)
    arrays = generator.flow(resized, np.eye(7)[faces.labels[:256]], batch_size=32, seed=1)
    files = generator.flow_from_directory(folder, target_size=size, batch_size=32, seed=1)
    ours = input_pipeline.training_dataset(faces, budget.recipe(image_size=side), range(99))
    few = budget.steps * 260 // side  # batches
    return {
        "generator, folder": lambda: _rate(files, few),
        "generator, arrays": lambda: _rate(arrays, few),
        # A new iterator, since an old one goes on filling its buffer while others are measured.
        "ours, arrays": lambda: _rate(iter(ours), 20 * few),
    }


def _rate(batches: Iterator, count: int) -> float:
    next(batches)  # starts the pipeline
    images, started = 0, time.perf_counter()
    for batch in itertools.islice(batches, count):
        images += len(batch[0])
    return images / (time.perf_counter() - started)


# What a package does with a photo of one face, as its own pages show it.
_ANSWERS = {
    "ferbook": "import ferbook; ferbook.predict('photo.png')[0]",
    "fer": "import cv2; from fer.fer import FER; FER().detect_emotions(cv2.imread('photo.png'))[0]",
    "facex": "import cv2, facex; facex.PoolManager(1).predict(cv2.imread('photo.png'))[0]",
}


def startup(budget: Budget, peers: str) -> dict[str, Any]:
    """Seconds to import, to show help, to import the training, and until packages have answered.

    Each in a new process; `peers` is the interpreter to look for packages of others in.
    """
    commands = {
        "import ferbook": ["-c", "import ferbook"],
        "help of ferbook": ["-m", "ferbook", "--help"],
        "import tensorflow": ["-c", "import tensorflow"],
        "import ferbook.training.train": ["-c", "import ferbook.training.train"],
    }
    measures = {name: lambda c=c: seconds(lambda: python(*c)) for name, c in commands.items()}
    not_run = []
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.png"
        Image.fromarray(data.astronaut()).save(photo)  # NASA, public domain
        for name, code in _ANSWERS.items():
            where = sys.executable if name == "ferbook" else peers
            call = partial(python, "-c", code.replace("photo.png", str(photo)), executable=where)
            try:
                version = python("-c", _VERSION.format(name), executable=where)
                call()
            except (OSError, RuntimeError) as error:
                not_run.append(f"{name}: {str(error).splitlines()[-1]:.100}")
            else:
                measures[f"first answer of {name} {version}"] = partial(seconds, call)
        warm_up = min(1, budget.starts - 1)
        rounds = interleave(budget.starts, measures, warm_up=warm_up)
    return {"unit": "seconds", "rounds": rounds, "not_run": not_run}


def first_steps(budget: Budget) -> dict[str, Any]:
    """Seconds of the first step of phase 2: with our metric, and with one made in the step."""

    def measure(made_before: bool) -> float:
        call = f"first_step({budget.first_step!r}, {budget.image_size}, made_before={made_before})"
        return float(python("-c", f"from benchmarks import training_step as b; print(b.{call})"))

    measures = {"traced once": lambda: measure(True), "traced twice": lambda: measure(False)}
    return {
        "unit": "seconds",
        "backbone": budget.first_step,
        "image_size": budget.image_size,
        "rounds": interleave(min(2, budget.starts), measures, warm_up=0),
    }


def audit_growth(budget: Budget) -> dict[str, Any]:
    """Seconds to find near copies among n random hashes, and to make the book's pages anew."""
    from ferbook.data import near_duplicates

    def search(count: int) -> float:
        hashes = np.random.default_rng(count).integers(0, 2**64, count, dtype=np.uint64)
        return seconds(lambda: near_duplicates.close_pairs(hashes, near_duplicates.HASH_DISTANCE))

    rounds = min(2, budget.rounds)
    growth = [{"n": n, "seconds": [search(n) for _ in range(rounds)]} for n in budget.hashes]
    faces = random_faces(budget.images)
    whole = {"near copies": lambda: seconds(lambda: near_duplicates.near_duplicates(faces))}
    pages = {page: lambda page=page: seconds(lambda: _page(page)) for page in budget.pages}
    return {"unit": "seconds", "growth": growth, "images": len(faces),
            "rounds": interleave(rounds, whole | pages, warm_up=0)}  # fmt: skip


def memory(budget: Budget) -> dict[str, Any]:
    """Peak resident bytes of a training on all images and on an eighth, each in a new process."""
    measures = {
        str(n): lambda n=n: float(
            python("-c", f"from benchmarks import pieces; print(pieces.peak({budget.name!r}, {n}))")
        )
        for n in (budget.images, budget.images // 8)
    }
    return {"unit": "bytes", "image_bytes": SIDE**2, "image_size": budget.image_size,
            "rounds": interleave(min(2, budget.starts), measures, warm_up=0)}  # fmt: skip


def peak(budget: str, images: int) -> int:
    """Peak resident bytes of this process after some steps on so many images and a validation."""
    from benchmarks import training_step

    training_step.train_some(BUDGETS[budget], random_faces(images))
    # Not getrusage: its peak is inherited from the process that started this one.
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])  # Linux counts in KiB


def _page(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        python("-m", "papermill", f"notebooks/{name}.ipynb", f"{folder}/{name}.ipynb",
                "-r", "results_dir", "results", "--no-progress-bar",
                *(("-r", "study", "reference") if name == "03_results" else ()))  # fmt: skip
