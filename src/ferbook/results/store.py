"""The result store: the only reader and writer of `results/`.

    results/dataset.json                  what 01_data found: counts, fingerprint, leaked files
    results/test_images.csv.gz            brightness and sharpness of each test image, from 01_data
    results/parameters.json               parameter counts of every backbone, from 02_training
    results/{peers,baselines,test_time_augmentation}/<name>/
                                          answers.npz (test_*) and about.json of a packaged
                                          model, a classical classifier, a test-time augmentation
    results/reliability/<job>.json              counts of fuzzing, faults and mutants
    results/deployment/<run>.json               size, accuracy and latency of a run's exports
    results/bench/<piece>.json            what a piece of the benchmark measured
    results/<study>/<run>/predictions.npz <s>_file, <s>_label, <s>_prob for s in val, test
    results/<study>/<run>/history.csv     one row per epoch over both phases
    results/<study>/<run>/run.json        everything else; written last, so its presence means done

Files are written by `files.write_atomically`: a reader never sees half a file.
"""

from __future__ import annotations

import dataclasses
import gzip
import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from ferbook.core.classes import CLASSES
from ferbook.core.files import (
    MAX_TEXT_BYTES,
    FileError,
    StoreError,
    open_arrays,
    open_regular,
    read_json,
    read_text,
    require,
    write_atomically,
    write_json,
)
from ferbook.core.predictions import Predictions
from ferbook.core.provenance import provenance
from ferbook.core.recipe import Recipe
from ferbook.results.metrics import score_sets
from ferbook.results.run import Answers, Run

HISTORY_COLUMNS = (
    "phase",
    "epoch",
    "loss",
    "accuracy",
    "val_loss",
    "val_accuracy",
    "learning_rate",
    "seconds",
)
# What a reader of run.json may rely on.
_RUN = {
    "dataset": {"name": str, "fingerprint": str},
    "parameters": {"total": int, "trainable": int},
    "hardware": {"cores": int},
    "seconds": float,
    "images_seen": int,
    "metrics": {},
}
_ANSWERS = {"parameters": (int, type(None))}
MAX_ARRAY_BYTES = 100_000_000  # of predictions, unpacked; those of a run have 4 million
MAX_HISTORY_BYTES = 1_000_000  # of a history; a row has 150
_PLACES = ("backbone", "weights", "image_size", "seed")


def run_folder(results_dir: str | Path, study: str, recipe: Recipe) -> Path:
    """`results/<study>/<run>`, whether it exists or not."""
    return Path(results_dir) / study / recipe.run_name


def write_run(
    folder: Path,
    recipe: Recipe,
    history: pd.DataFrame,
    val: Predictions,
    test: Predictions | None,
    facts: Mapping[str, Any],
    *,
    leaked_files: frozenset[str],
    val_twins: frozenset[str],
) -> None:
    """Write a finished run: arrays first, `run.json` last.

    `facts` are the entries of run.json that only the training knows: dataset, parameters,
    seconds, images_seen, finished, and the provenance of when it started. A run without `test` is
    a trial. `leaked_files` and `val_twins` are explained in `metrics.score_sets`.
    """
    final, val = test is not None, _as_stored(val)
    test = _as_stored(test) if final else val.select(np.zeros(len(val), bool))
    info = {
        "recipe": dataclasses.asdict(recipe),
        # Also beside the recipe, where readers from before it was kept whole look for them.
        **{name: getattr(recipe, name) for name in _PLACES},
        "final": final,
        **facts,
        "metrics": score_sets(val, test, leaked_files, val_twins),
    }
    folder.mkdir(parents=True, exist_ok=True)
    parts = {"val": val, "test": test} if final else {"val": val}
    write_atomically(folder / "predictions.npz", _pack(**parts))
    history = history[list(HISTORY_COLUMNS)]
    write_atomically(folder / "history.csv", history.to_csv(index=False).encode())
    write_json(folder / "run.json", info)


def load_run(folder: str | Path) -> Run:
    """Read one finished run, or a trial, whose `test` is empty.

    Raises FileNotFoundError when there is no run.json, StoreError when the parts disagree.
    """
    folder = Path(folder)
    info = read_json(folder / "run.json")
    names = ("val", "test") if info.get("final", True) else ("val",)
    val, *rest = _unpack(folder / "predictions.npz", *names)
    test = rest[0] if rest else val.select(np.zeros(len(val), bool))
    run = Run(folder.parent.name, folder.name, info, _read_history(folder), val, test)
    try:
        described = run.recipe.run_name
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{folder}: run.json holds no recipe ({error!r}).") from error
    if described != folder.name:
        raise StoreError(f"{folder}: run.json describes {described}.")
    require(folder / "run.json", info, _RUN)
    return run


def load_study(results_dir: str | Path, study: str) -> list[Run]:
    """All finished runs of a study, by name; an unfinished folder (no run.json) is passed over.

    Raises FileNotFoundError when there is none.
    """
    folders = sorted(path.parent for path in Path(results_dir, study).glob("*/run.json"))
    if not folders:
        raise FileNotFoundError(
            f"no finished run in {Path(results_dir, study)}: execute notebooks/02_training first."
        )
    return [run for run in map(load_run, folders) if run.is_final]


def load_all(results_dir: str | Path, *, trials: bool = False) -> list[Run]:
    """All final runs of all studies, by study and name; with `trials`, the trials instead."""
    runs = (load_run(path.parent) for path in sorted(Path(results_dir).glob("*/*/run.json")))
    return [run for run in runs if run.is_final is not trials]


def write_answers(folder: Path, about: Mapping[str, Any], test: Predictions) -> None:
    """Write the answers of a peer or a baseline on the test images: arrays first."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "answers.npz", _pack(test=_as_stored(test)))
    write_json(folder / "about.json", {**about, **provenance()})


def load_answers(results_dir: str | Path, group: str) -> dict[str, Answers]:
    """Name -> answers of all in `group`; empty without any.

    A group is "peers", "baselines" or "test_time_augmentation".
    """
    folders = sorted(path.parent for path in Path(results_dir, group).glob("*/about.json"))
    return {
        folder.name: Answers(
            folder.name,
            require(folder / "about.json", read_json(folder / "about.json"), _ANSWERS),
            _unpack(folder / "answers.npz", "test")[0],
        )
        for folder in folders
    }


def write_facts(results_dir: str | Path, group: str, name: str, facts: Mapping[str, Any]) -> None:
    """Write what was measured, with its provenance.

    A group is "bench", "deployment" or "reliability".
    """
    folder = Path(results_dir) / group
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / f"{name}.json", {**facts, **provenance()})


def load_facts(results_dir: str | Path, group: str) -> dict[str, dict[str, Any]]:
    """Name -> what was measured, of all in `group`; empty when there is nothing."""
    return {path.stem: read_json(path) for path in sorted(Path(results_dir, group).glob("*.json"))}


def load_licences(results_dir: str | Path) -> pd.DataFrame:
    """`package`, `version`, `licence` and `kind` of every locked package."""
    text = read_text(Path(results_dir) / "reliability" / "licences.csv")
    return pd.read_csv(io.StringIO(text), keep_default_na=False)


def write_dataset(results_dir: str | Path, facts: Mapping[str, Any]) -> None:
    """Write what 01_data found about the data set."""
    Path(results_dir).mkdir(parents=True, exist_ok=True)
    write_json(Path(results_dir) / "dataset.json", dict(facts))


def write_images(results_dir: str | Path, measures: pd.DataFrame) -> None:
    """Write what was measured on each test image, as `audit.describe_images` gives it."""
    content = gzip.compress(measures.to_csv().encode(), mtime=0)
    write_atomically(Path(results_dir) / "test_images.csv.gz", content)


def load_images(results_dir: str | Path) -> pd.DataFrame:
    """`brightness` and `sharpness` of each test image, by file.

    Raises StoreError when the table is damaged.
    """
    path = Path(results_dir) / "test_images.csv.gz"
    try:
        with open_regular(path, MAX_TEXT_BYTES) as packed, gzip.open(packed) as file:
            content = file.read(MAX_TEXT_BYTES)
        table = pd.read_csv(io.BytesIO(content), index_col="file")
        return table[["brightness", "sharpness"]].astype(float)
    except FileNotFoundError:
        raise
    except (OSError, EOFError, zlib.error, ValueError, KeyError) as error:
        raise StoreError(f"{path}: not a readable table of images ({error!s:.200}).") from error


def load_dataset(results_dir: str | Path) -> dict[str, Any]:
    """What 01_data found: name, fingerprint, counts, leaked_files and more."""
    path = Path(results_dir) / "dataset.json"
    shape = {"name": str, "leaked_files": [str], "duplicate_groups": [list]}
    return require(path, read_json(path), shape)


def write_parameters(results_dir: str | Path, parameters: Mapping[str, Any]) -> None:
    """Write the parameter counts of all backbones, as `models.count_all_parameters` gives them."""
    Path(results_dir).mkdir(parents=True, exist_ok=True)
    write_json(Path(results_dir) / "parameters.json", parameters)


def load_parameters(results_dir: str | Path) -> dict[str, dict[str, int]]:
    """Backbone -> {"total", "trainable"}."""
    return read_json(Path(results_dir) / "parameters.json")


def _as_stored(predictions: Predictions) -> Predictions:
    """float16 probabilities: scores are computed from what is stored, not from what was lost."""
    names = [n for n in ("probabilities", "augmented") if getattr(predictions, n) is not None]
    halves = {name: getattr(predictions, name).astype(np.float16) for name in names}
    return dataclasses.replace(predictions, **halves)


def _pack(**parts: Predictions) -> bytes:
    arrays = {}
    for name, part in parts.items():
        arrays |= {f"{name}_file": part.files, f"{name}_label": part.labels.astype(np.uint8)}
        arrays[f"{name}_prob"] = part.probabilities
        if part.augmented is not None:
            arrays[f"{name}_prob_tta"] = part.augmented
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _unpack(path: Path, *names: str) -> list[Predictions]:
    try:
        with open_arrays(path, MAX_ARRAY_BYTES) as arrays:
            return [_check(path, name, arrays) for name in names]
    except (StoreError, FileNotFoundError):
        raise
    except FileError as error:
        raise StoreError(str(error)) from error
    except Exception as error:  # zipfile, zlib and NumPy raise many kinds for damaged files
        raise StoreError(f"{path}: not a predictions file ({error!s:.200}).") from error


def _check(path: Path, name: str, arrays: Any) -> Predictions:
    files, labels = arrays[f"{name}_file"], arrays[f"{name}_label"]
    n = len(files)
    if n == 0:
        raise StoreError(f"{path}: {name} holds no image.")
    if labels.shape != (n,) or len(set(files)) != n:
        raise StoreError(f"{path}: {name} arrays disagree in length or name a file twice.")
    if labels.dtype != np.uint8 or files.dtype.kind != "U":
        raise StoreError(f"{path}: {name} has labels that are not uint8 or files that are no text.")
    if labels.max() >= len(CLASSES):
        raise StoreError(f"{path}: {name} holds a label above 6.")
    keys = [key for key in (f"{name}_prob", f"{name}_prob_tta") if key in arrays]
    found = [_check_probabilities(path, key, arrays[key], n) for key in keys]
    return Predictions(files, labels, *found)


def _check_probabilities(path: Path, key: str, values: np.ndarray, n: int) -> np.ndarray:
    if values.shape != (n, len(CLASSES)):
        raise StoreError(f"{path}: {key} disagrees in length with the files.")
    if not (values.min() >= 0 and np.allclose(values.sum(1, np.float64), 1, atol=5e-3)):
        raise StoreError(f"{path}: {key} holds a negative value or rows that do not sum to 1.")
    return values


def _read_history(folder: Path) -> pd.DataFrame:
    try:
        text = read_text(folder / "history.csv", MAX_HISTORY_BYTES)
        history = pd.read_csv(io.StringIO(text))
    except ValueError as error:  # too large, empty, not text, or not a table
        raise StoreError(f"{folder}/history.csv: not a readable csv ({error!s:.200}).") from error
    if tuple(history.columns) != HISTORY_COLUMNS:
        raise StoreError(
            f"{folder}/history.csv: expected the columns {', '.join(HISTORY_COLUMNS)}."
        )
    numeric = all(is_numeric_dtype(history[name]) for name in HISTORY_COLUMNS[1:])
    if not (len(history) and numeric):
        raise StoreError(f"{folder}/history.csv: expected rows of numbers, one per epoch.")
    values = history[list(HISTORY_COLUMNS[1:])].to_numpy(float)
    if not (np.isfinite(values) & (values >= 0)).all():
        raise StoreError(f"{folder}/history.csv: holds a negative or infinite number, or none.")
    return history
