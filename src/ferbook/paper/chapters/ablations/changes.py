"""The changes of a grid against its base, seed by seed, as numbers and as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.stats import t as student
from statsmodels.stats.multitest import multipletests

from ferbook.core.predictions import Predictions
from ferbook.paper.table import Table
from ferbook.results import names
from ferbook.results.metrics import accuracy, named_test_sets, score
from ferbook.results.run import Run
from ferbook.results.seeds import of_like_spread, pooled_deviation
from ferbook.results.study import LEARNED, Study, of_study, paired

ALPHA = 0.05


def differences(study: Study, runs: Iterable[Run], leaked_files: frozenset[str]) -> pd.DataFrame:
    """A row per change and seed: points of accuracy on `test` and `clean` above the base.

    Columns `change`, `seed`, `test` and `clean`, the latter on test images without a copy.
    """
    some = of_study(study, runs)
    points = {run.name: _points(run.test, leaked_files) for run in some}
    rows = [
        (names.change_name(name), base.recipe.seed, *(points[run.name] - points[base.name]))
        for name in study.changes for base, run in paired(some, "base", name)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["change", "seed", "test", "clean"])


def _points(test: Predictions, leaked_files: frozenset[str]) -> Float[np.ndarray, "2"]:
    """Accuracy in percent on all test images, and on those without a copy."""
    sets = named_test_sets(test, leaked_files)
    return 100 * np.array([accuracy(sets[part]) for part in ("test", "clean")])


def scores(study: Study, runs: Iterable[Run]) -> pd.DataFrame:
    """`seeds`, mean `accuracy` and mean `macro F1` on test of the recipe itself and each change.

    The scores of what was not run are NaN.
    """
    found = [
        (run.recipe.name, each["accuracy"], each["macro"]["f1"])
        for run in of_study(study, runs) for each in [score(run.test)]
    ]  # fmt: skip
    of_run = pd.DataFrame(found, columns=["name", "accuracy", "macro F1"]).astype({"name": str})
    groups = of_run.groupby("name")
    frame = groups.mean()
    frame.insert(0, "seeds", groups.size())
    frame = frame.reindex(["base", *study.changes]).fillna({"seeds": 0})
    shown = ["the recipe itself", *map(names.change_name, study.changes)]
    return frame.set_axis(pd.Index(shown, name="change"))


def unlearned(scores: pd.DataFrame) -> pd.Series:
    """Of those by which the network did not learn, `accuracy`: it is below LEARNED.

    Such runs differ from seed to seed by far more than others, and say little of a method.
    """
    return scores["accuracy"][scores["accuracy"] < LEARNED]


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


def changes_table(study: Study, runs: Iterable[Run], leaked_files: frozenset[str]) -> Table:
    """The base and each change that was run: mean scores, and how far from the base.

    Differences are taken seed by seed. Their standard deviation is pooled over the changes, since
    a few seeds of one change say little of it; interval and p are Student's, p after Holm. Changes
    that are not `of_like_spread` have their own. Those by which the network did not learn are
    outside this pool and have neither interval nor p.
    """
    frame = _compared(scores(study, runs), differences(study, runs, leaked_files))
    formats = {"seeds": ".0f", "accuracy": ".2%", "macro F1": ".3f", "p": ".2g"}
    formats |= dict.fromkeys(frame.columns[[3, 6]], "+.2f")
    caption = (
        f"{names.grid_words(study.name, study.base)} "
        "Each change: mean scores over its seeds on all test images; the mean difference from the "
        "recipe itself with the same seeds, its interval, and p corrected by Holm's method for the "
        "number of changes; and the difference on test images without copies. The standard "
        "deviation of a difference is pooled over the changes; one that varies by far more than "
        "the others has its own."
    )
    return Table(frame, caption, f"tab-{study.name}", formats)


def change_words(study: Study, runs: Iterable[Run], leaked_files: frozenset[str]) -> dict[str, str]:
    """`<study>_better`, `_worse` and `_like_seeds`: how changes differ from the recipe.

    The border is a corrected p of 0.05; changes by which the network did not learn are
    `<study>_unlearned`. Of `<study>_undecided` too little is known: they were not run, have one
    seed, or vary too much to differ.
    """
    means, found = scores(study, runs), differences(study, runs, leaked_files)
    alike = of_like_spread(learned_groups(means, found))
    rows = _compared(means, found).reindex(map(names.change_name, study.changes))
    p, gains = rows["p"], rows["difference, points"] > 0
    parts = {
        "better": (p < ALPHA) & gains, "worse": (p < ALPHA) & ~gains,
        "like_seeds": (p >= ALPHA) & rows.index.isin(alike),
        "unlearned": rows.index.isin(unlearned(rows).index),
    }  # fmt: skip
    parts["undecided"] = ~np.logical_or.reduce(list(parts.values()))
    return {
        f"{study.name}_{part}": "; ".join(rows.index[chosen]) or "none"
        for part, chosen in parts.items()
    }


def learned_groups(scores: pd.DataFrame, differences: pd.DataFrame) -> dict[str, list[float]]:
    """Differences on test of each change by which the network learned, by seed."""
    failed = unlearned(scores)
    groups = differences.groupby("change")["test"]
    return {name: group.tolist() for name, group in groups if name not in failed}


def _compared(scores: pd.DataFrame, differences: pd.DataFrame) -> pd.DataFrame:
    """`scores` of the recipe itself and of what was run, with differences, intervals and p."""
    tested = _tested(learned_groups(scores, differences))
    means = differences.groupby("change")[["test", "clean"]].mean()
    rows = {
        name: (test, *tested.get(name, (None, np.nan)), clean)
        for name, test, clean in means.itertuples()
    }
    columns = ["difference, points", "95% interval", "p", "difference without copies, points"]
    frame = scores.join(pd.DataFrame.from_dict(rows, "index", columns=columns))
    return frame[(frame.index == "the recipe itself") | frame.index.isin(means.index)]


def _tested(groups: Mapping[str, Sequence[float]]) -> dict[str, tuple[str | None, float]]:
    """95% interval of the mean and p, adjusted by Holm, of each group of differences."""
    alike = of_like_spread(groups)
    pool = pooled_deviation(alike.values())
    spreads = {name: pool if name in alike else pooled_deviation([groups[name]]) for name in groups}
    means = {name: float(np.mean(group)) for name, group in groups.items()}
    if not pool[0] > 0:
        return dict.fromkeys(groups, (None, np.nan))
    errors = {name: spreads[name][0] / len(group) ** 0.5 for name, group in groups.items()}
    raw = [2 * student.sf(abs(means[name]) / errors[name], spreads[name][1]) for name in groups]
    adjusted = multipletests(raw, method="holm")[1]
    return {
        name: (_range(mean, student.ppf(0.975, spreads[name][1]) * errors[name]), p)
        for (name, mean), p in zip(means.items(), adjusted.tolist(), strict=True)
    }


def _range(mean: float, half: float) -> str:
    """An interval around a mean that stays on one line of a cell."""
    return f"{mean - half:+.2f}\u00a0to\u00a0{mean + half:+.2f}"
