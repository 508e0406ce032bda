"""Every run of the store, for the page "All runs" and for `ferbook runs`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from ferbook.core.predictions import Predictions
from ferbook.paper.table import Table, interval
from ferbook.results import store
from ferbook.results.metrics import accuracy, named_test_sets, score
from ferbook.results.names import gpu_name
from ferbook.results.run import Run

# Per busy core, memory and cooling left out.
# Source: the default of the Green Algorithms calculator (Lannelongue et al. 2021).
WATTS_PER_CORE = 12.0
_PARTS = ("test", "private", "clean")  # of the test images, see `metrics.named_test_sets`


def _label(run: Run) -> str:
    return f"{run.label}, seed {run.recipe.seed}{'' if run.is_final else ' (trial)'}"


def of_store(results: Path, named: Callable[[Run], str] = _label) -> Table:
    """`ledger_table` of all runs in the store `results`, trials last.

    Copies are those that its `dataset.json` names; a store of other data may have none.
    """
    known = (results / "dataset.json").exists()
    leaked = frozenset(store.load_dataset(results)["leaked_files"] if known else ())
    runs = store.load_all(results, trials=None)
    return ledger_table(sorted(runs, key=lambda run: not run.is_final), leaked, named)


def ledger_table(
    runs: Iterable[Run], leaked_files: frozenset[str], named: Callable[[Run], str] = _label
) -> Table:
    """A row per run: accuracy on three readings of the test set, and what it cost.

    Trials saw no test images; their names say so, unless `named` gives others.
    """
    rows = {}
    for run in runs:
        sets = named_test_sets(run.test, leaked_files)
        hours, device = run.core_hours, _device(run)
        whole = interval(score(run.test)) if run.is_final else None
        rows[named(run)] = (
            run.val_clean_accuracy, *(_accuracy(sets[part]) for part in _PARTS), whole,
            len(run.history), run.info["images_seen"], run.info["seconds"] / 3600, hours,
            hours * WATTS_PER_CORE if device == "processor" else None, device,
        )  # fmt: skip
    columns = ["validation", "test", "PrivateTest", "without copies", "95% interval of test",
               "epochs", "images seen", "hours", "core hours", "Wh", "device"]  # fmt: skip
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("run")
    formats = dict.fromkeys(columns[:4], ".2%")
    formats |= {"images seen": ",d", "hours": ".2f", "core hours": ".2f", "Wh": ".1f"}
    caption = (
        "Runs, their accuracies and their cost. Validation is without images that have a copy in "
        "training. Core hours are processor time of training, or "
        "hours times cores where it was not recorded; energy is core hours times "
        f"{WATTS_PER_CORE:g} watts per core, a rough guess; that of a GPU was not measured."
    )
    if frame["device"].nunique() == 1:
        caption += f" Device of all: {frame.pop('device').iloc[0]}."
    return Table(frame, caption, "tab-ledger", formats)


def _device(run: Run) -> str:
    device = run.info.get("device", {})
    return gpu_name(device) if device.get("kind") == "gpu" else "processor"


def _accuracy(part: Predictions) -> float | None:
    """None, shown as a dash, for a trial, and where a run of a subset has no such images."""
    return accuracy(part) if len(part) else None
