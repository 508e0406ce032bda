"""The accuracies that the front page compares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from ferbook.paper.key_numbers import mean
from ferbook.results import names
from ferbook.results.metrics import accuracy, accuracy_interval, named_test_sets
from ferbook.results.run import Run
from ferbook.results.study import FINALS, finals, seeds_of

COLUMNS = ["recipe", "scale", "actor", "seeds", "test", "low", "high", "clean"]


def accuracy_frame(
    runs: Iterable[Run], original: Mapping[str, Any], dataset: Mapping[str, Any]
) -> pd.DataFrame:
    """A row for the original and one per recipe of a final study, by label; fractions in [0, 1].

    `seeds` holds the accuracy of each seed on all test images, `test` and `clean` are means over
    seeds, and `low` and `high` are Wilson's interval of `test`. `recipe` is the name of a recipe,
    and `scale` what `names.scale` says of it. Without final runs all are shown.
    """
    runs, leaked = list(runs), frozenset(dataset["leaked_files"])
    count = dataset["splits"]["test"]
    reported = _interval(original["accuracy"], count)
    rows = {names.ORIGINAL: ("", (), names.ORIGINAL, [], *reported, None)}
    for first in sorted(finals(runs) or runs, key=_place):
        of_recipe = first.recipe.name, names.scale(first.recipe), first.actor
        rows[first.label] = *of_recipe, *_scores(seeds_of(first, runs), leaked)
    return pd.DataFrame.from_dict(rows, "index", columns=COLUMNS)


def _place(run: Run) -> tuple[int, int, int]:
    """The original's recipe by input size, then ours without FER+ and with it."""
    study = FINALS.index(run.study) if run.study in FINALS else len(FINALS)
    return study, names.ACTORS[::-1].index(run.actor), run.recipe.image_size


def _scores(runs: list[Run], leaked: frozenset[str]) -> tuple[Any, ...]:
    seeds = [accuracy(run.test) for run in runs]
    clean = mean([accuracy(named_test_sets(run.test, leaked)["clean"]) for run in runs])
    return seeds, *_interval(mean(seeds), len(runs[0].test)), clean


def _interval(fraction: float, count: int) -> tuple[float, float, float]:
    return fraction, *accuracy_interval(round(fraction * count), count)
