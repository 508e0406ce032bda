"""Export a run, measure every file on the test images, and release the best small one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ferbook import edge, export, peers, splits, store
from ferbook.data import Faces
from ferbook.files import write_json
from ferbook.metrics import fit_temperature
from ferbook.predict import RELEASED
from ferbook.schema import CLASSES, Run
from ferbook.weights import WeightsError

CALIBRATION_IMAGES = 512
ROBUSTNESS_IMAGES = 2000  # at least, for pruning and corruptions
PRUNED_SHARES = (0.0, 0.3, 0.5, 0.7, 0.9)
RELEASED_FILES = ("onnx-int8", "onnx-float16")


def measured(run: Run, faces: Faces, results: str | Path, runs: str | Path) -> dict[str, Any]:
    """What the exports of `run` measure: from the store, or now, from its weights in `runs`."""
    if run.name not in store.load_facts(results, "edge"):
        deploy(run, None, faces, None, results, runs=runs)
    return store.load_facts(results, "edge")[run.name]


def deploy(
    run: Run,
    weights: Path | None,
    faces: Faces,
    folder: Path | None,
    results: str | Path,
    *,
    runs: str | Path = "runs",
    release: bool = False,
) -> Path:
    """Write the exports of `run` to `folder` and what they measure to `results/edge/<run>.json`.

    Without `weights`, those that training left in `runs`; without `folder`, `exports/<run>`, which
    is returned. With `release`, the small ONNX files and their card become part of the package.
    Raises ValueError when the weights are not those that gave the run's predictions.
    """
    weights = weights or Path(runs) / run.study / run.name / "best.npz"
    folder = folder or Path("exports") / run.name
    parts = splits.split(faces, seed=run.recipe.seed)
    model = export.deployable(run, weights)
    _check_same_answers(model, run, parts.test)
    random = np.random.default_rng(run.recipe.seed)
    rows = np.sort(random.permutation(len(parts.train))[:CALIBRATION_IMAGES])
    about = {"run": f"{run.study}/{run.name}", "git_commit": run.info["git_commit"],
             "temperature": fit_temperature(run.val)}  # fmt: skip
    files = export.write_all(model, parts.train.images[rows], folder, about)
    some = edge.thinned(parts.test, ROBUSTNESS_IMAGES)
    found = {
        **about,
        "exports": _measured(files, parts.test),
        "pruning": _pruning(model, some),
        "robustness": _robustness(files["onnx-float32"], some),
        "peers": _peers(parts.test) if faces.name == "fer2013" else {},
    }
    store.write_facts(results, "edge", run.name, found)
    if release:
        _release(files, found)
    return folder


def _check_same_answers(model: keras.Model, run: Run, test: Faces) -> None:
    """The export's answers are those of the run: same classes, apart from ties in float16."""
    rows = slice(0, 512)
    answers = np.asarray(model(test.images[rows, ..., None], training=False)["probabilities"])
    agree = (answers.argmax(axis=1) == run.test.probabilities[rows].argmax(axis=1)).mean()
    if agree < 0.99:
        raise ValueError(
            f"{run.name}: the weights answer as the run did on {agree:.0%} of images only. "
            "Expected all: they are of another run or another data set."
        )


def _measured(files: dict[str, Path], test: Faces) -> dict[str, dict[str, Any]]:
    """Size, accuracy and latency of each file, and how far it is from Keras."""
    rows, reference = {}, None
    for name, path in files.items():
        numbers, answers = edge.measure(export.answerer(path), test)
        reference = answers if reference is None else reference  # Keras comes first
        same = answers.probabilities.argmax(axis=1) == reference.probabilities.argmax(axis=1)
        distance = np.abs(answers.probabilities - reference.probabilities).max()
        rows[name] = {
            "file": path.name,
            **edge.about_file(path),
            **numbers,
            "same_answer": float(same.mean()),
            "largest_difference": float(distance),
        }
    return rows


def _peers(test: Faces) -> dict[str, dict[str, float]]:
    """Latency of the peers; without those whose package cannot be had now."""
    rows = {}
    for name in peers.PACKAGES:
        try:
            answer = peers.answerer(name)
        except WeightsError:
            continue
        rows[name] = edge.latency(answer, test.images)
    return rows


def _pruning(model: keras.Model, some: Faces) -> list[dict[str, Any]]:
    """Accuracy after global magnitude pruning of all kernels, without training again."""
    kernels = [w for w in model.trainable_weights if len(w.shape) > 1]
    before, rows = [keras.ops.convert_to_numpy(w) for w in kernels], []
    for share in PRUNED_SHARES:
        for variable, array in zip(kernels, edge.pruned(before, share), strict=True):
            variable.assign(array)
        answers = model.predict(some.images[..., None], verbose=0)["probabilities"]
        right = int((answers.argmax(axis=1) == some.labels).sum())
        rows.append({"share": share, "correct": right, "total": len(some)})
    for variable, array in zip(kernels, before, strict=True):
        variable.assign(array)
    return rows


def _robustness(path: Path, some: Faces) -> list[dict[str, Any]]:
    """Right answers on corrupted test images, by kind and severity; severity 0 is none."""
    answer = export.answerer(path)
    jobs = [("none", 0), *((name, level) for name in edge.SEVERITIES for level in (1, 3, 5))]
    rows = []
    for name, level in jobs:
        images = edge.corrupt(some.images, name, level) if level else some.images
        right = int((answer(images).argmax(axis=1) == some.labels).sum())
        rows.append({"corruption": name, "severity": level, "correct": right, "total": len(some)})
    return rows


def _release(files: dict[str, Path], found: dict[str, Any]) -> None:
    RELEASED.mkdir(exist_ok=True)
    for name in RELEASED_FILES:
        shutil.copy(files[name], RELEASED / files[name].name)
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
    write_json(RELEASED / "card.json", card)
