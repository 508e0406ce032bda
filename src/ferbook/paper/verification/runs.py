"""Runs, answers and measurements of the store: against their arrays, and against each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ferbook.core.classes import CLASSES
from ferbook.core.predictions import Predictions
from ferbook.core.provenance import git
from ferbook.core.recipe import Recipe
from ferbook.core.structured import read_json
from ferbook.paper.verification.verified import Verified, differences
from ferbook.results import image_measures, store
from ferbook.results.metrics import accuracy, accuracy_interval
from ferbook.results.run import Run, run_scores
from ferbook.results.study import read_study

# The best epoch was measured in float32 and is stored in float16: ties fall either way.
TIES = 5  # images
_START_SECONDS = 600  # of older runs, whose seconds count the start too
_ANSWERS = ("peers", "baselines", "test_time_augmentation")
_WRONG = (ValueError, LookupError, TypeError, FileNotFoundError)  # in what a file holds


def check(found: Verified) -> None:
    """Every run: scores, labels, images, history, recipe, parameters and commit."""
    dataset, images = store.load_dataset("results"), _test_images()
    planned, sizes = _planned(), store.load_parameters("results")
    for path in sorted(Path("results").glob("*/*/run.json")):
        try:
            run = store.load_run(path.parent)
            found.findings += [*_scores(run, dataset), *_images(run, dataset, images)]
            found.findings += _invariants(run, planned, sizes)
            found.compared["runs"] += 1
        except _WRONG as error:
            found.findings.append(f"{path.parent}: {error}")
    found.findings += _absent_commits()


def check_answers(found: Verified) -> None:
    """Labels and images of the answers that peers, baselines and ten crops gave."""
    images = _test_images()
    for group in _ANSWERS:
        try:
            for name, answers in store.load_answers("results", group).items():
                found.findings += _tested(answers.test, images, f"{group}/{name}")
                found.compared["answers"] += 1
        except _WRONG as error:
            found.findings.append(f"{group}: {error}")


def check_measurements(found: Verified) -> None:
    """Accuracies that stand beside the counts they come from."""
    for path in sorted(Path("results").rglob("*.json")):
        for where, row in _counted(read_json(path), str(path)):
            found.findings += differences(row, {**row, **_shares(row)}, where)
            found.compared["counts"] += 1


def _scores(run: Run, dataset: Mapping[str, Any]) -> Iterator[str]:
    where = f"{run.study}/{run.name}"
    images = {name: dataset[name] for name in ("name", "fingerprint")}
    if other := [*differences(run.info["dataset"], images, f"{where}: dataset")]:
        yield from other
        return  # whose copies would be looked for among other images
    scores = run_scores(run, dataset)
    yield from differences(run.info["metrics"], scores, f"{where}: metrics")


def _images(run: Run, dataset: Mapping[str, Any], images: frozenset[str]) -> Iterator[str]:
    """Which images a run chose and was tested on; a trial was tested on none."""
    where = f"{run.study}/{run.name}"
    yield from _labels(run.val, where)
    if not run.is_fer2013:
        yield from _labels(run.test, where)
        return
    if run.is_final:
        yield from _tested(run.test, images, where)
    if not all(file.startswith("train/") for file in run.val.files):
        yield f"{where}: validation images that are not of the training folder"
    count = dataset["splits"]["val"]
    if not run.recipe.grouped_split and len(run.val) != count:
        yield f"{where}: {len(run.val)} validation images, the data set has {count}"


def _tested(test: Predictions, images: frozenset[str], where: str) -> Iterator[str]:
    """Whether answers are on all test images, `images`, and on no other."""
    yield from _labels(test, where)
    files = frozenset(test.files.tolist())
    if files != images:
        lacking, others = len(images - files), len(files - images)
        yield f"{where}: {lacking} test images left out, {others} others in their place"


def _labels(part: Predictions, where: str) -> Iterator[str]:
    folders = [file.split("/")[1:2] for file in part.files.tolist()]  # which name the label too
    if folders != [[CLASSES[label]] for label in part.labels.tolist()]:
        yield f"{where}: a label disagrees with the folder of its file"


def _test_images() -> frozenset[str]:
    return frozenset(image_measures.load_images("results").index)


def _invariants(
    run: Run,
    planned: Mapping[tuple[str, str], list[Recipe]],
    sizes: Mapping[str, Mapping[str, int]],
) -> Iterator[str]:
    """What holds between the parts of a run, whatever the training gave."""
    where, history = f"{run.study}/{run.name}", run.history
    best, stored = float(history["val_accuracy"].max()), float(accuracy(run.val))
    if abs(best - stored) * len(run.val) > TIES:
        yield f"{where}: best epoch at {best:.4f} on validation, stored answers at {stored:.4f}"
    seconds, total = run.info["seconds"], float(history["seconds"].sum())
    if not 0.999 * total <= seconds <= 1.1 * total + _START_SECONDS:
        yield f"{where}: {seconds:.0f} seconds, but {total:.0f} in its history"
    if run.info["images_seen"] % len(history):
        yield f"{where}: {run.info['images_seen']} images seen in {len(history)} epochs"
    if (run.study, run.name) not in planned:
        yield f"{where}: no file of configs/ asks for it"
    elif run.recipe not in planned[run.study, run.name]:
        yield f"{where}: its recipe is not that of configs/"
    if not _fits(run.recipe, run.info["parameters"], sizes[run.recipe.backbone]):
        yield f"{where}: {run.info['parameters']} parameters, parameters.json says otherwise"


def _fits(recipe: Recipe, counted: Mapping[str, int], plain: Mapping[str, int]) -> bool:
    """Whether a run's counts are those of its backbone with the head that its recipe adds."""
    head = counted["total"] - plain["total"]
    if recipe.pooling == "average" and head != 0:
        return False
    frozen = plain["total"] - plain["trainable"]
    left = counted["total"] - counted["trainable"]
    return head >= 0 and (left <= frozen if recipe.train_batch_norm else left == frozen)


def _planned() -> dict[tuple[str, str], list[Recipe]]:
    """(study, run) -> the recipes that files of `configs/` ask for under this name."""
    found: dict[tuple[str, str], list[Recipe]] = {}
    for path in sorted(Path("configs").glob("*.yml")):
        study = read_study(path)
        for name, recipe in study.recipes.items():
            found.setdefault((study.name, name), []).append(recipe)
    return found


def _absent_commits() -> Iterator[str]:
    """Commits that files of the store name and the history lacks; nothing where git is not."""
    if _git("rev-parse", "--is-shallow-repository") != "false":
        return
    named: dict[str, Path] = {}
    for path in sorted(Path("results").rglob("*.json")):
        if commit := read_json(path).get("git_commit"):
            named.setdefault(str(commit), path)
    for commit, path in named.items():
        if _git("cat-file", "-t", "--end-of-options", commit) != "commit":
            yield f"{path}: its commit {commit:.80} is not in this repository"


def _git(*arguments: str) -> str | None:
    # Only a repository of this folder's own counts, not one that it happens to lie in.
    return git(".", *arguments) if Path(".git").exists() else None


def _counted(value: Any, where: str) -> Iterator[tuple[str, dict]]:
    if isinstance(value, dict) and {"correct", "total", "accuracy"} <= value.keys():
        yield where, value
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        if isinstance(inner, (dict, list)):
            yield from _counted(inner, f"{where}: {key}")


def _shares(row: Mapping[str, Any]) -> dict[str, float]:
    low, high = accuracy_interval(row["correct"], row["total"])
    values = {"accuracy": row["correct"] / row["total"], "accuracy_low": low, "accuracy_high": high}
    return {name: value for name, value in values.items() if name in row}
