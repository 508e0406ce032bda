"""Export a run, measure every file on the test images, and release the best small one."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ferbook.core.classes import CLASSES
from ferbook.core.writing import whole_folder, write_json
from ferbook.data import splits
from ferbook.data.faces import Faces
from ferbook.export import convert, corruptions, measure
from ferbook.export.convert import ExportError
from ferbook.export.measure import Answerer, latency
from ferbook.inference.classifier import RELEASED
from ferbook.results import measurements
from ferbook.results.metrics import with_temperature
from ferbook.results.run import Run
from ferbook.training import pruning

CALIBRATION_IMAGES = 512
ROBUSTNESS_IMAGES = 2000  # at least, for pruning and corruptions
SAME_ANSWER = 0.02  # of probabilities; float16 storage and mixed precision stay far below
PRUNED_SHARES = (0.0, 0.3, 0.5, 0.7, 0.9)
RELEASED_FILES = ("onnx-int8", "onnx-float16")


def deploy(
    run: Run,
    faces: Faces,
    *,
    weights: Path,
    folder: Path | None = None,
    results_dir: str | Path = "results",
    others: Mapping[str, Answerer] | None = None,
    release: bool = False,
) -> Path:
    """Write the exports of `run`; what they measure goes to `results/deployment/<run>.json`.

    Without `folder` they go to `exports/<run>`; it is returned. The latency of `others` is measured
    beside. With `release`, the small ONNX files and their card become part of the package.
    Raises ExportError for a trial, for other test images than the run's, when the weights are not
    those that gave its predictions, and when the measurements of another run stand in the way.
    """
    wanted = f"{run.study}/{run.name}"
    known = measurements.load_facts(results_dir, "deployment")
    measured = known.get(run.name, {}).get("run", wanted)
    if measured != wanted:
        raise ExportError(
            f"{results_dir}/deployment/{run.name}.json is of {measured}, and would be replaced by "
            f"what {wanted} measures. Delete it first, or export into another result store."
        )
    folder = folder or Path("exports") / run.name
    parts = splits.split_for(faces, run.recipe)
    _check_images(run, parts.test)
    model = convert.deployable(run, weights)
    _check_same_answers(model, run, parts.test)
    random = np.random.default_rng(run.recipe.seed)
    rows = np.sort(random.permutation(len(parts.train))[:CALIBRATION_IMAGES])
    about = {"run": wanted, "git_commit": run.info["git_commit"],
             "temperature": run.temperature}  # fmt: skip
    with whole_folder(folder) as new:
        names = convert.write_all(model, parts.train.images[rows], new, about)
    files = {name: folder / path.name for name, path in names.items()}
    some = parts.test.thinned(ROBUSTNESS_IMAGES)
    found = {
        "run": wanted,
        "temperature": run.temperature,
        "exports": _measured(files, parts.test),
        "pruning": _pruning(model, some),
        "robustness": _robustness(files["onnx-float32"], some),
        "peers": {n: latency(a, parts.test.images) for n, a in (others or {}).items()},
    }
    measurements.write_facts(results_dir, "deployment", run.name, found)
    if release:
        _release(files, measurements.load_facts(results_dir, "deployment")[run.name])
    return folder


def _check_images(run: Run, test: Faces) -> None:
    if not run.is_final:
        raise ExportError(
            f"{run.study}/{run.name} is a trial, without answers on test images. Make it final "
            "first: ferbook train with --final."
        )
    if run.test.files.tolist() != test.files.tolist():
        raise ExportError(
            f"{run.study}/{run.name} answered {len(run.test):,} test images, and the data hold "
            f"{len(test):,} or others of these names. Give the data that it was trained on."
        )


def _check_same_answers(model: keras.Model, run: Run, test: Faces) -> None:
    """The export's answers are those of the run, apart from rounding and from ties in float16.

    A weak network is unsure of nearly every image; so probabilities are compared, not classes.
    """
    rows = slice(0, 512)
    answers = np.asarray(model(test.images[rows, ..., None], training=False)["probabilities"])
    stored = with_temperature(run.test, run.temperature).probabilities[rows]
    agree = (np.abs(answers - stored).max(axis=1) < SAME_ANSWER).mean()
    if agree < 0.99:
        raise ExportError(
            f"{run.name}: the weights answer as the run did on {agree:.0%} of images only. "
            "Expected all: they are of another run or another data set."
        )


def _measured(files: dict[str, Path], test: Faces) -> dict[str, dict[str, Any]]:
    """Size, accuracy and latency of each file, and how far it is from Keras."""
    rows, reference = {}, None
    for name, path in files.items():
        numbers, answers = measure.measure(convert.answerer(path), test)
        reference = answers if reference is None else reference  # Keras comes first
        same = answers.answers == reference.answers
        distance = np.abs(answers.probabilities - reference.probabilities).max()
        rows[name] = {
            "file": path.name,
            **measure.about_file(path),
            **numbers,
            "same_answer": float(same.mean()),
            "largest_difference": float(distance),
        }
    return rows


def _pruning(model: keras.Model, some: Faces) -> list[dict[str, Any]]:
    """Accuracy after global magnitude pruning of all kernels, without training again."""
    kernels = pruning.kernels(model)
    before, rows = [keras.ops.convert_to_numpy(w) for w in kernels], []
    for share in PRUNED_SHARES:
        for variable, array in zip(kernels, pruning.pruned(before, share), strict=True):
            variable.assign(array)
        answers = model.predict(some.images[..., None], verbose=0)["probabilities"]
        right = int((answers.argmax(axis=1) == some.labels).sum())
        rows.append({"share": share, "correct": right, "total": len(some)})
    for variable, array in zip(kernels, before, strict=True):
        variable.assign(array)
    return rows


def _robustness(path: Path, some: Faces) -> list[dict[str, Any]]:
    """Right answers on corrupted test images, by kind and severity; severity 0 is none."""
    answer = convert.answerer(path)
    jobs = [("none", 0), *((name, level) for name in corruptions.SEVERITIES for level in (1, 3, 5))]
    rows = []
    for name, level in jobs:
        images = corruptions.corrupt(some.images, name, level) if level else some.images
        right = int((answer(images).argmax(axis=1) == some.labels).sum())
        rows.append({"corruption": name, "severity": level, "correct": right, "total": len(some)})
    return rows


def _release(files: dict[str, Path], found: dict[str, Any]) -> None:
    rows = {name: found["exports"][name] for name in RELEASED_FILES}
    kept = ("bytes", "sha256", "correct", "total")
    card = {
        "run": found["run"],
        "git_commit": found["git_commit"],
        "classes": list(CLASSES),
        "temperature": found["temperature"],
        "input": "uint8 (n, 48, 48, 1), grey, one face that fills the picture",
        "files": {row["file"]: {k: row[k] for k in kept} for row in rows.values()},
    }
    with whole_folder(RELEASED) as folder:
        for name in RELEASED_FILES:
            shutil.copy(files[name], folder / files[name].name)
        write_json(folder / "card.json", card)
