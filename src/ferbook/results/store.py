"""The result store: the only reader and writer of `results/`.

    results/dataset.json                  what 01_data found: counts, fingerprint, leaked files
    results/test_images.csv.gz            what 01_data measured on each test image, and its hash
    results/parameters.json               parameter counts of every backbone, from 02_training
    results/{peers,baselines,test_time_augmentation}/<name>/
                                          answers.npz (test_*) and about.json of a packaged
                                          model, a classical classifier, a test-time augmentation
    results/deployment/<run>.json         size, accuracy and latency of a run's exports
    results/{reliability,bench}/<job>.json  counts of stress tests; a piece of the benchmark
    results/<study>/<run>/predictions.npz <s>_file, <s>_label, <s>_prob for s in val, test
    results/<study>/<run>/history.csv     one row per epoch over both phases
    results/<study>/<run>/run.json        everything else; written last, so its presence means done

Files are written by `writing.write_atomically`: a reader never sees half a file.
"""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ferbook.core.files import StoreError
from ferbook.core.predictions import Predictions
from ferbook.core.provenance import provenance
from ferbook.core.recipe import Recipe
from ferbook.core.structured import read_json, require
from ferbook.core.writing import write_atomically, write_json
from ferbook.results import arrays
from ferbook.results.history import HISTORY_COLUMNS, check_history, read_history
from ferbook.results.run import LIFTED, Answers, Run

# What a reader of run.json may rely on.
_RUN = {
    "dataset": {"name": str, "fingerprint": str},
    "parameters": {"total": int, "trainable": int},
    "hardware": {"cpu": str, "cores": int},
    "seconds": float,
    "images_seen": int,
    "metrics": {},
}
# What newer versions write as well.
_SINCE = {
    "cpu_seconds": float,
    "device": {"kind": str},
    "git_commit": (str, type(None)),
}
_GPU = {"names": [str], "count": int}
_ANSWERS = {"parameters": (int, type(None))}
_FILES = ("predictions.npz", "history.csv", "run.json")  # of a run


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
    Raises StoreError, and writes nothing, for a history that could not be read again.
    """
    from ferbook.results.metrics import score_sets  # late: SciPy is for scores alone

    final, val = test is not None, arrays.as_stored(val)
    test = arrays.as_stored(test) if final else val.select(np.zeros(len(val), bool))
    info = {
        "recipe": dataclasses.asdict(recipe),
        **{name: getattr(recipe, name) for name in LIFTED},
        "final": final,
        **facts,
        "metrics": score_sets(val, test, leaked_files, val_twins),
    }
    history = history[list(HISTORY_COLUMNS)]
    check_history(folder / "history.csv", history)
    folder.mkdir(parents=True, exist_ok=True)
    parts = {"val": val, "test": test} if final else {"val": val}
    write_atomically(folder / "predictions.npz", arrays.pack(**parts))
    write_atomically(folder / "history.csv", history.to_csv(index=False).encode())
    write_json(folder / "run.json", info)


def load_run(folder: str | Path) -> Run:
    """Read one finished run, or a trial, whose `test` is empty; from its folder or its run.json.

    `val` and `test` hold the files (n,), their labels (n,) and the probabilities (n, 7).

    Raises FileNotFoundError when a part is missing, StoreError when the parts disagree.
    """
    folder = Path(os.path.abspath(os.path.expanduser(folder)))  # "." too has a name and a study
    folder = folder.parent if folder.name == "run.json" else folder
    info = read_json(folder / "run.json")
    final = require(folder / "run.json", info.get("final", True), bool, "final: ")
    names = ("val", "test") if final else ("val",)
    val, *rest = arrays.unpack(folder / "predictions.npz", *names)
    test = rest[0] if rest else val.select(np.zeros(len(val), bool))
    run = Run(folder.parent.name, folder.name, info, read_history(folder), val, test)
    try:
        described = run.recipe.run_name
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{folder}: run.json holds no recipe ({error!r}).") from error
    if described != folder.name:
        raise StoreError(f"{folder}: run.json describes {described}.")
    require(folder / "run.json", info, _RUN)
    require(folder / "run.json", info, {key: kind for key, kind in _SINCE.items() if key in info})
    if info.get("device", {}).get("kind") == "gpu":
        require(folder / "run.json", info["device"], _GPU, "device: ")
    return run


def load_study(results_dir: str | Path, study: str) -> list[Run]:
    """All finished runs of a study, by recipe, input size and seed.

    An unfinished folder (no run.json) and trials are passed over. Raises FileNotFoundError when
    there is no other.
    """
    place = Path(results_dir, study)
    folders = sorted(path.parent for path in place.glob("*/run.json"))
    runs = [run for run in map(load_run, folders) if run.is_final]
    if not runs:
        raise FileNotFoundError(f"no finished run in {place}: execute notebooks/02_training first.")
    return sorted(runs, key=lambda run: (run.recipe.name, run.recipe.image_size, run.recipe.seed))


def load_all(results_dir: str | Path, *, trials: bool | None = False) -> list[Run]:
    """All final runs of all studies, by study and name; or the trials; or, with None, both.

    A run whose files have not changed since is the same object as before.
    """
    folders = (path.parent.absolute() for path in sorted(Path(results_dir).glob("*/*/run.json")))
    runs = [_load_again(folder, _stamps(folder)) for folder in folders]
    return [run for run in runs if trials is None or run.is_final is not trials]


def _stamps(folder: Path) -> tuple[tuple[int, ...], ...]:
    found = (os.stat(folder / name) for name in _FILES)
    return tuple((one.st_ino, one.st_size, one.st_mtime_ns) for one in found)


@functools.lru_cache(maxsize=1000)
def _load_again(folder: Path, stamps: tuple[tuple[int, ...], ...]) -> Run:
    return load_run(folder)


def write_answers(folder: Path, about: Mapping[str, Any], test: Predictions) -> None:
    """Write the answers of a peer or a baseline on the test images: arrays first."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "answers.npz", arrays.pack(test=arrays.as_stored(test)))
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
            arrays.unpack(folder / "answers.npz", "test")[0],
        )
        for folder in folders
    }


def write_dataset(results_dir: str | Path, facts: Mapping[str, Any]) -> None:
    """Write what 01_data found about the data set."""
    Path(results_dir).mkdir(parents=True, exist_ok=True)
    write_json(Path(results_dir) / "dataset.json", dict(facts))


def load_dataset(results_dir: str | Path) -> dict[str, Any]:
    """What 01_data found: name, fingerprint, counts, leaked_files and more."""
    path = Path(results_dir) / "dataset.json"
    shape = {"name": str, "leaked_files": [str], "duplicate_groups": [list]}
    return require(path, read_json(path), shape)


def refuse_other_images(results_dir: str | Path, name: str) -> None:
    """Raises StoreError when the store describes another data set than `name`."""
    path = Path(results_dir) / "dataset.json"
    if path.exists() and (known := load_dataset(results_dir)["name"]) != name:
        raise StoreError(
            f"{results_dir}: holds results on {known}, and these would be on {name}. Give another "
            "result store: --results."
        )


def write_parameters(results_dir: str | Path, parameters: Mapping[str, Any]) -> None:
    """Write the parameter counts of all backbones, as `models.count_all_parameters` gives them."""
    Path(results_dir).mkdir(parents=True, exist_ok=True)
    write_json(Path(results_dir) / "parameters.json", parameters)


def load_parameters(results_dir: str | Path) -> dict[str, dict[str, int]]:
    """Backbone -> {"total", "trainable"}."""
    return read_json(Path(results_dir) / "parameters.json")
