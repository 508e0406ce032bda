"""The changes of a grid against its base, seed by seed, as numbers and as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import t as student
from statsmodels.stats.multitest import multipletests

from ferbook.core.predictions import Predictions
from ferbook.paper.table import Table
from ferbook.results import names
from ferbook.results.metrics import accuracy, named_test_sets, score
from ferbook.results.run import Run
from ferbook.results.seeds import pooled_deviation
from ferbook.results.study import LEARNED, Study, of_study, paired

ALPHA = 0.05


def differences(study: Study, runs: Iterable[Run], leaked_files: frozenset[str]) -> pd.DataFrame:
    """A row per change and seed: points of accuracy on `test` and `clean` above the base.

    Columns `change`, `seed`, `test` and `clean`, the latter on test images without a copy.
    """
    some = of_study(study, runs)
    rows = [
        (names.change_name(name), base.recipe.seed,
         *(100 * (_on(part, run.test, leaked_files) - _on(part, base.test, leaked_files))
           for part in ("test", "clean")))
        for name in study.changes for base, run in paired(some, "base", name)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["change", "seed", "test", "clean"])


def unlearned(study: Study, runs: Iterable[Run]) -> dict[str, float]:
    """Mean accuracy on test of each change by which the network did not learn, below LEARNED.

    Such runs differ from seed to seed by far more than others, and say little of a method.
    """
    runs = of_study(study, runs)
    means = {names.change_name(name): _scores(runs, name)[1] for name in study.changes}
    return {name: mean for name, mean in means.items() if mean < LEARNED}


def change_numbers(
    study: Study, runs: Iterable[Run], leaked_files: frozenset[str]
) -> dict[str, float]:
    """`<study>_<change>_<set>`: mean points above the base on `test`, `clean`; NaN if not run."""
    means = differences(study, runs, leaked_files).groupby("change")[["test", "clean"]].mean()
    means = means.reindex([names.change_name(name) for name in study.changes])
    return {
        f"{study.name}_{name}_{part}": float(value)
        for name, row in zip(study.changes, means.to_dict("records"), strict=True)
        for part, value in row.items()
    }


def _on(part: str, test: Predictions, leaked_files: frozenset[str]) -> float:
    return accuracy(named_test_sets(test, leaked_files)[part])


def changes_table(study: Study, runs: Iterable[Run], leaked_files: frozenset[str]) -> Table:
    """The base and each change that was run: mean scores, and how far from the base.

    Differences are taken seed by seed. Their standard deviation is pooled over the changes, since
    a few seeds of one change say little of it; interval and p are Student's, p after Holm. Changes
    by which the network did not learn are outside this pool and have neither.
    """
    runs = of_study(study, runs)
    found = differences(study, runs, leaked_files)
    groups = {name: group for name, group in found.groupby("change")}
    failed = groups.keys() & unlearned(study, runs).keys()
    tested = _tested({name: groups[name]["test"].tolist() for name in groups.keys() - failed})
    tested |= {name: (groups[name]["test"].mean(), None, np.nan) for name in failed}
    rows = {"the recipe itself": (*_scores(runs, "base"), np.nan, None, np.nan, np.nan)}
    for name in study.changes:
        if (shown := names.change_name(name)) in groups:
            clean = groups[shown]["clean"].mean()
            rows[shown] = (*_scores(runs, name), *tested[shown], clean)
    columns = ["seeds", "accuracy", "macro F1", "difference, points", "95% interval", "p",
               "difference without copies, points"]  # fmt: skip
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("change")
    formats = {"seeds": ".0f", "accuracy": ".2%", "macro F1": ".3f", "p": ".2g"}
    formats |= dict.fromkeys(columns[3::3], "+.2f")
    caption = (
        "Each change: mean scores over its seeds on all test images; the mean difference from the "
        "recipe itself with the same seeds, its interval, and p corrected by Holm's method for the "
        "number of changes; and the difference on test images without copies."
    )
    return Table(frame, caption, f"tab-{study.name}", formats)


def change_words(study: Study, table: Table) -> dict[str, str]:
    """`<study>_distinct` and `<study>_like_seeds`: changes that differ from the recipe, and do not.

    `table` is the study's `changes_table`. The border is a corrected p of 0.05; changes by which
    the network did not learn are `<study>_unlearned`, and those of which it is unknown, for want of
    runs or of a second seed, `<study>_undecided`.
    """
    rows = table.frame.reindex([names.change_name(name) for name in study.changes])
    values, failed = rows["p"], rows["accuracy"] < LEARNED
    parts = {"distinct": values < ALPHA, "like_seeds": values >= ALPHA, "unlearned": failed,
             "undecided": values.isna() & ~failed}  # fmt: skip
    return {
        f"{study.name}_{part}": ", ".join(values.index[chosen]) or "none"
        for part, chosen in parts.items()
    }


def _scores(runs: Iterable[Run], name: str) -> tuple[int, float, float]:
    """Seeds, mean accuracy and mean macro F1 of a recipe."""
    scores = [score(run.test) for run in runs if run.recipe.name == name]
    accuracies, f1s = [s["accuracy"] for s in scores], [s["macro"]["f1"] for s in scores]
    return len(scores), float(np.mean(accuracies or np.nan)), float(np.mean(f1s or np.nan))


def _tested(groups: Mapping[str, Sequence[float]]) -> dict[str, tuple[float, str | None, float]]:
    """Mean, 95% interval and p, adjusted by Holm, of each group of differences."""
    deviation, freedom = pooled_deviation(groups.values())
    means = {name: float(np.mean(group)) for name, group in groups.items()}
    if freedom == 0 or deviation == 0:
        return {name: (mean, None, np.nan) for name, mean in means.items()}
    errors = {name: deviation / len(group) ** 0.5 for name, group in groups.items()}
    raw = [2 * student.sf(abs(means[name]) / errors[name], freedom) for name in groups]
    adjusted = multipletests(raw, method="holm")[1]
    width = student.ppf(0.975, freedom)
    return {
        name: (mean, _range(mean, width * errors[name]), p)
        for (name, mean), p in zip(means.items(), adjusted.tolist(), strict=True)
    }


def _range(mean: float, half: float) -> str:
    """An interval around a mean that stays on one line of a cell."""
    return f"{mean - half:+.2f}\u00a0to\u00a0{mean + half:+.2f}"
