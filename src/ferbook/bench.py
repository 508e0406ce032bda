"""What the code costs: input, training step, start-up, audit and memory, measured side by side.

Every piece gives `rounds`: what is compared is measured in turns, so that a busy moment of the
machine meets all of it alike, and a ratio is formed within each round. Random pixels stand for
faces: no piece depends on what the images show.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ferbook import store
from ferbook.data import OFFICIAL_COUNTS, SIDE, Faces
from ferbook.schema import CLASSES, Recipe, project_root

Rounds = dict[str, list[float]]


@dataclass(frozen=True)
class Budget:
    """How much is measured, and on what."""

    name: str
    rounds: int
    steps: int  # of training in a round
    backbone: str
    image_size: int  # px, of the training step
    input_sizes: tuple[int, ...]  # px
    first_step: str  # backbone whose first step is timed
    hashes: tuple[int, ...]
    images: int  # of the data set in the memory of a training
    pages: tuple[str, ...]  # notebooks made from the store

    def recipe(self, **changes: Any) -> Recipe:
        """The recipe whose step is measured; phase 2 alone, so that it can go on for long."""
        values = {"backbone": self.backbone, "image_size": self.image_size, "weights": "none"}
        return Recipe(**values | {"warmup_epochs": 0, "finetune_epochs": 99} | changes)


_SIZES = (1000, 4000, 16_000, 64_000, 250_000, 1_000_000)
_PAGES = ("03_results", "04_ablations", "06_claims")
BUDGETS = {
    "full": Budget("full", 7, 8, "efficientnet_lite2", 96, (260, 96), "efficientnet_b2", _SIZES,
                   35_887, _PAGES),
    "smoke": Budget("smoke", 2, 2, "tiny", 48, (60, 48), "tiny", _SIZES[:2], 700, ()),
}  # fmt: skip


def measured(
    results: str | Path, budget: str, *, only: str = "", fresh: bool = False, torch: str = ""
) -> dict[str, dict[str, Any]]:
    """Piece -> what it measured: from the store; or now, where it has nothing, or all if `fresh`.

    With `only`, that piece is measured now and no other.
    `torch` is an interpreter with PyTorch and timm; by default this one, if it has them.
    Raises ValueError for a budget or piece that does not exist.
    """
    pieces = _pieces(torch)
    for name, value, known in (("budget", budget, BUDGETS), ("only", only or "step", pieces)):
        if value not in known:
            raise ValueError(f"{name}: expected one of {', '.join(known)}. Received: {value!r}.")
    known = store.load_facts(results, "bench")
    for name, measure in pieces.items():
        if only == name or (not only and (fresh or name not in known)):
            facts = {"budget": budget, **measure(BUDGETS[budget])}
            store.write_facts(results, "bench", name, facts)
    return store.load_facts(results, "bench")


def _pieces(torch: str) -> dict[str, Callable[[Budget], dict[str, Any]]]:
    return {
        "input": input_rates,
        "step": lambda budget: step_times(budget, torch),
        "first_step": first_steps,
        "startup": startup,
        "audit": audit_growth,
        "memory": memory,
    }


def step_times(budget: Budget, torch: str) -> dict[str, Any]:
    """See `bench_step.step_times`; imported late, since it imports TensorFlow."""
    from ferbook import bench_step

    return bench_step.step_times(budget, torch or sys.executable)


def in_turns(rounds: int, measures: dict[str, Callable[[], float]], *, warm_up: int = 1) -> Rounds:
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


def input_rates(budget: Budget) -> dict[str, Any]:
    """Augmented images per second at each size: the original's generator and ours.

    The generator reads a folder, as the original does, or float arrays that were resized before.
    """
    faces = random_faces(2000)
    with tempfile.TemporaryDirectory() as folder:
        train = write_folder(faces, Path(folder))
        sizes = {f"{side} px": in_turns(budget.rounds, _feeds(faces, train, side, budget))
                 for side in budget.input_sizes}  # fmt: skip
    return {"unit": "images per second", "sizes": sizes}


def _feeds(faces: Faces, folder: Path, side: int, budget: Budget) -> dict[str, Callable]:
    from ferbook import augment, batches

    generator, size = keras_generator(), (side, side)
    resized = np.repeat(augment.resize(faces.images[:256], side).numpy(), 3, axis=-1)
    arrays = generator.flow(resized, np.eye(7)[faces.labels[:256]], batch_size=32, seed=1)
    files = generator.flow_from_directory(folder, target_size=size, batch_size=32, seed=1)
    ours = batches.training_dataset(faces, budget.recipe(image_size=side), range(99))
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


def startup(budget: Budget) -> dict[str, Any]:
    """Seconds to import, to show help, and to import the training: each in a new process."""
    commands = {
        "import ferbook": ["-c", "import ferbook"],
        "help of ferbook": ["-m", "ferbook", "--help"],
        "import tensorflow": ["-c", "import tensorflow"],
        "import ferbook.train": ["-c", "import ferbook.train"],
    }
    measures = {name: lambda c=c: seconds(lambda: _python(*c)) for name, c in commands.items()}
    return {"unit": "seconds", "rounds": in_turns(min(3, budget.rounds), measures)}


def first_steps(budget: Budget) -> dict[str, Any]:
    """Seconds of the first step of phase 2: with our metric, and with one made in the step."""

    def measure(made_before: bool) -> float:
        call = f"first_step({budget.first_step!r}, {budget.image_size}, made_before={made_before})"
        return float(_python("-c", f"from ferbook import bench_step as b; print(b.{call})"))

    measures = {"traced once": lambda: measure(True), "traced twice": lambda: measure(False)}
    return {
        "unit": "seconds",
        "backbone": budget.first_step,
        "image_size": budget.image_size,
        "rounds": in_turns(min(2, budget.rounds), measures, warm_up=0),
    }


def audit_growth(budget: Budget) -> dict[str, Any]:
    """Seconds to find near copies among n random hashes, and to make the book's pages anew."""
    from ferbook import copies

    def search(count: int) -> float:
        hashes = np.random.default_rng(count).integers(0, 2**64, count, dtype=np.uint64)
        return seconds(lambda: copies.close_pairs(hashes, copies.HASH_DISTANCE))

    rounds = min(2, budget.rounds)
    growth = [{"n": n, "seconds": [search(n) for _ in range(rounds)]} for n in budget.hashes]
    faces = random_faces(budget.images)
    whole = {"near copies": lambda: seconds(lambda: copies.near_duplicates(faces))}
    pages = {page: lambda page=page: seconds(lambda: _page(page)) for page in budget.pages}
    return {"unit": "seconds", "growth": growth, "images": len(faces),
            "rounds": in_turns(rounds, whole | pages, warm_up=0)}  # fmt: skip


def memory(budget: Budget) -> dict[str, Any]:
    """Peak resident bytes of a training on all images and on an eighth, each in a new process."""
    measures = {
        str(n): lambda n=n: float(
            _python("-c", f"from ferbook import bench; print(bench.peak({budget.name!r}, {n}))")
        )
        for n in (budget.images, budget.images // 8)
    }
    return {"unit": "bytes", "image_bytes": SIDE**2, "image_size": budget.image_size,
            "rounds": in_turns(min(2, budget.rounds), measures, warm_up=0)}  # fmt: skip


def peak(budget: str, images: int) -> int:
    """Peak resident bytes of this process after some steps on so many images and a validation."""
    from ferbook import bench_step

    bench_step.train_some(BUDGETS[budget], random_faces(images))
    # Not getrusage: its peak is inherited from the process that started this one.
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])  # Linux counts in KiB


def _page(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _python("-m", "papermill", f"notebooks/{name}.ipynb", f"{folder}/{name}.ipynb",
                "-r", "results_dir", "results", "--no-progress-bar",
                *(("-r", "study", "reference") if name == "03_results" else ()))  # fmt: skip


def _python(*arguments: str) -> str:
    """The last line that a new interpreter prints."""
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True,
                          env=environment, cwd=project_root())  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{json.dumps(arguments)} failed: {done.stderr[-2000:]}")
    return (done.stdout.splitlines() or [""])[-1]
