"""Studies to the tables of the chapter on ablations, one function each."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ferbook.metrics import accuracy, named_test_sets, paired_test, score
from ferbook.schema import Answers, Predictions, Run
from ferbook.study import Study
from ferbook.tables import Table, interval

# Per busy core, memory and cooling left out.
# Source: the default of the Green Algorithms calculator (Lannelongue et al. 2021).
WATTS_PER_CORE = 12.0


def ledger_table(
    runs: Iterable[Run], leaked_files: frozenset[str], *, label: str = "tab-ledger"
) -> Table:
    """A row per run: accuracy on three readings of the test set, and what it cost."""
    rows = {}
    for run in runs:
        sets = named_test_sets(run.test, leaked_files)
        whole, hours = score(run.test), cpu_hours(run)
        rows[f"{run.study}/{run.name}"] = (
            accuracy(run.val), whole["accuracy"], _accuracy(sets["private"]),
            _accuracy(sets["clean"]), interval(whole),
            len(run.history), run.info["images_seen"], hours, hours * WATTS_PER_CORE,
        )  # fmt: skip
    columns = ["validation", "test", "PrivateTest", "without copies", "95 % interval of test",
               "epochs", "images seen", "core hours", "Wh"]  # fmt: skip
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("run")
    formats = dict.fromkeys(columns[:4], ".2%")
    formats |= {"images seen": ",d", "core hours": ".2f", "Wh": ".0f"}
    caption = (
        "Runs, their accuracies and their cost. Core hours are processor time of training; energy "
        f"is that times {WATTS_PER_CORE:g} watts a core, a rough guess."
    )
    return Table(frame, caption, label, formats)


def change_table(study: Study, runs: Sequence[Run]) -> Table:
    """Each change of the base recipe against the base: accuracies, differences, tests."""
    pairs = [("base", name) for name in study.changes]
    caption = "Each change on its own, against the base recipe."
    return _comparison(pairs, study.changes, runs, caption, "tab-changes")


def step_table(study: Study, runs: Sequence[Run]) -> Table:
    """From the original's recipe to ours: each step against the one before it."""
    pairs = list(itertools.pairwise(["base", *study.steps]))
    caption = "Step by step from the original's recipe to ours, each against the step before."
    return _comparison(pairs, study.steps, runs, caption, "tab-steps")


def others_table(
    others: Mapping[str, Answers], runs: Iterable[Run], leaked_files: frozenset[str]
) -> Table:
    """Peers, baselines and runs on the same images: all, without copies, copies only."""
    rows = {}
    for item in (*others.values(), *runs):
        sets = named_test_sets(item.test, leaked_files)
        whole = score(item.test)
        parameters = item.info["parameters"]
        total = parameters["total"] if isinstance(parameters, Mapping) else parameters
        rows[item.label] = (
            whole["accuracy"], _accuracy(sets["clean"]), _accuracy(sets["leaked"]),
            interval(whole), total,
        )  # fmt: skip
    columns = ["test", "without copies", "copies only", "95 % interval of test", "parameters"]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("model")
    caption = "Models of others, classical baselines and our runs on the same test images."
    formats = dict.fromkeys(columns[:3], ".2%") | {"parameters": ",.0f"}
    return Table(frame, caption, "tab-others", formats)


def cost_frame(
    runs: Iterable[Run], others: Mapping[str, Answers], original: Mapping[str, Any]
) -> pd.DataFrame:
    """A row per model: accuracy, `parameters`, `core hours of training`, kind; for plots.pareto."""
    rows = {}
    for run in runs:
        whole = run.recipe.train_images == 0
        rows[f"{run.study}/{run.name}"] = {
            "accuracy": accuracy(run.test),
            "parameters": run.info["parameters"]["total"],
            "core hours of training": cpu_hours(run),
            "kind": "ours, in full" if whole else "ours, short",
            "named": whole,
        }
    for item in others.values():
        rows[item.name] = {"accuracy": accuracy(item.test), "kind": "others", "named": True,
                           "parameters": item.info["parameters"]}  # fmt: skip
    rows["the original"] = {"parameters": original["parameters_claimed"], "kind": "the original",
                            "named": True, "accuracy": original["accuracy"]}  # fmt: skip
    return pd.DataFrame.from_dict(rows, "index").astype({"parameters": float})


def paired(runs: Sequence[Run], first: str, second: str) -> list[tuple[Run, Run]]:
    """(run of the recipe `first`, run of `second`) of each seed that both were run with."""
    ones, twos = (
        {run.recipe.seed: run for run in runs if run.recipe.name == name}
        for name in (first, second)
    )
    return [(ones[seed], twos[seed]) for seed in sorted(ones.keys() & twos.keys())]


def cpu_hours(run: Run) -> float:
    """Processor time of training; wall time on all cores for runs that did not measure it."""
    seconds = run.info.get("cpu_seconds")
    return (seconds or run.info["seconds"] * run.info["hardware"]["cores"]) / 3600


def _accuracy(part: Predictions) -> float | None:
    """None, shown as a dash, where a run of a subset has no such images."""
    return accuracy(part) if len(part) else None


def _comparison(
    names: Iterable[tuple[str, str]],
    changes: Mapping[str, Mapping[str, Any]],
    runs: Sequence[Run],
    caption: str,
    label: str,
) -> Table:
    rows = {}
    for first, second in names:
        if pairs := paired(runs, first, second):
            rows[second] = (_words(changes[second]), *_compared(pairs))
    columns = ["what changes", "seeds", "test", "on validation", "on test", "p"]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("recipe")
    more = " Differences in points, mean and range over seeds; p of McNemar's test, by seed."
    return Table(frame, caption + more, label)


def _compared(pairs: list[tuple[Run, Run]]) -> tuple[Any, ...]:
    tests = [paired_test(one.test, two.test) for one, two in pairs]
    gains = [100 * (t["only_second"] - t["only_first"]) / t["total"] for t in tests]
    val = [100 * (accuracy(two.val) - accuracy(one.val)) for one, two in pairs]
    accuracies = [accuracy(two.test) for _, two in pairs]
    p = ", ".join(f"{t['p_value']:.2g}" for t in tests)
    return (len(pairs), _spread(accuracies, ".2%"), _spread(val, "+.2f"), _spread(gains, "+.2f"), p)


def _spread(values: Sequence[float], spec: str) -> str:
    """Mean, with the range where there are several."""
    mean = format(float(np.mean(values)), spec)
    if len(values) == 1:
        return mean
    return f"{mean} ({format(min(values), spec)} to {format(max(values), spec)})"


def _words(change: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}` {value}" for name, value in change.items()) or "nothing"
