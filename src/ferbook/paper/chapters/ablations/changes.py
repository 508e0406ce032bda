"""The changes of a grid against its base, as numbers and as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from ferbook.core.predictions import Predictions
from ferbook.paper.key_numbers import percent_right
from ferbook.paper.table import P_VALUE, Table
from ferbook.results import names
from ferbook.results.metrics import accuracy, named_test_sets, score
from ferbook.results.run import Run
from ferbook.results.seeds import at_scale, by_recipe, common_deviation, compared, of_like_spread
from ferbook.results.study import LEARNED, Study, of_study

ALPHA = 0.05
ITSELF = names.change_name("base")
PARTS = ("test", "clean", "leaked")  # of the test images, see `metrics.named_test_sets`


def points(study: Study, runs: Iterable[Run], copied_files: frozenset[str]) -> pd.DataFrame:
    """A row per run of the recipe itself, ITSELF, and of its changes.

    "leaked" are here all `copied_files`, those with a near duplicate too, and "clean" the others.
    Columns `change`, `seed`, and accuracy in percent on each of PARTS, NaN of no images.
    """
    rows = [
        (names.change_name(run.recipe.name), run.recipe.seed, *_points(run.test, copied_files))
        for run in of_study(study, runs)
    ]
    return pd.DataFrame(rows, columns=["change", "seed", *PARTS])


def differences(points: pd.DataFrame) -> pd.DataFrame:
    """`points` of the changes, less the means of the recipe itself; empty if that was not run."""
    itself = points["change"] == ITSELF
    found = points[~itself].reset_index(drop=True) if itself.any() else points[:0]
    base = points.loc[itself, list(PARTS)].mean()
    return found.assign(**{part: found[part] - base[part] for part in PARTS})


def _points(test: Predictions, copied_files: frozenset[str]) -> list[float]:
    sets = named_test_sets(test, copied_files)
    return [percent_right(sets[part]) for part in PARTS]


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
    return frame.set_axis(pd.Index(map(names.change_name, frame.index), name="change"))


def unlearned(scores: pd.DataFrame) -> pd.Series:
    """Of those by which the network did not learn, `accuracy`: it is below LEARNED.

    Such runs differ from seed to seed by far more than others, and say little of a method.
    """
    return scores["accuracy"][scores["accuracy"] < LEARNED]


def change_numbers(
    study: Study, runs: Iterable[Run], copied_files: frozenset[str]
) -> dict[str, float]:
    """`<study>_<change>_<part>`: mean points above the base on each of PARTS; NaN if not run."""
    found = differences(points(study, runs, copied_files))
    means = found.groupby("change")[list(PARTS)].mean()
    means = means.reindex([names.change_name(name) for name in study.changes])
    return {
        f"{study.name}_{name}_{part}": float(value)
        for name, row in zip(study.changes, means.to_dict("records"), strict=True)
        for part, value in row.items()
    }


def each_seed_words(study: Study, runs: Iterable[Run]) -> dict[str, str]:
    """`<study>_<change>_each`: accuracy on test in percent of each seed, or "not run".

    The recipe itself is the change `base`.
    """
    found: dict[str, list[str]] = {name: [] for name in ("base", *study.changes)}
    for run in sorted(of_study(study, runs), key=lambda run: run.recipe.seed):
        found.setdefault(run.recipe.name, []).append(f"{100 * accuracy(run.test):.1f}%")
    return {
        f"{study.name}_{name}_each": " and ".join(", ".join(each).rsplit(", ", 1)) or "not run"
        for name, each in found.items()
    }


def changes_table(study: Study, runs: Sequence[Run], copied_files: frozenset[str]) -> Table:
    """The base and each change that was run: mean scores, and how far from the base.

    Interval and p are those of `seeds.compared` among `learned_groups`, p after Holm for all
    planned changes; with one seed there is no p. Changes by which the network did not learn have
    neither, and are no part of the pooled deviation.
    """
    groups, each = learned_groups(study, runs), points(study, runs, copied_files)
    frame = _compared(study, scores(study, runs), each, groups)
    deviation, freedom = common_deviation(groups)
    formats = {"seeds": ".0f", "accuracy": ".2%", "macro F1": ".3f", "p": P_VALUE}
    formats |= dict.fromkeys(frame.columns[[3, 6]], "+.2f")
    caption = (
        f"{names.grid_words(study.name, study.base)} "
        "Each change: mean scores over its seeds on all test images, the difference of the means "
        "from the recipe itself with its interval (not corrected), p corrected by Holm's method "
        f"for all {len(study.changes)} planned changes, and the difference on test images without "
        "near copies. A row with one seed has the others' deviation, and no p."
        + f" The standard deviation between seeds is {deviation:.2f} points, pooled over all "
        f"recipes of this network and input size and all rows, with {freedom} degrees of freedom."
        * bool(freedom)
    )
    return Table(frame, caption, f"tab-{study.name}", formats)


def change_words(study: Study, runs: Sequence[Run], copied_files: frozenset[str]) -> dict[str, str]:
    """`<study>_better`, `_worse` and `_like_seeds`: how changes differ from the recipe.

    The border is a corrected p of 0.05; changes by which the network did not learn are
    `<study>_unlearned`. Of `<study>_undecided` too little is known: they have one seed, or vary too
    much to differ. The others are `<study>_not_run`.
    """
    groups, each = learned_groups(study, runs), points(study, runs, copied_files)
    alike = of_like_spread(groups)
    rows = _compared(study, scores(study, runs), each, groups)
    rows = rows.reindex(map(names.change_name, study.changes))
    p, gains = rows["p"], rows["difference, points"] > 0
    parts = {
        "better": (p < ALPHA) & gains, "worse": (p < ALPHA) & ~gains,
        "like_seeds": (p >= ALPHA) & rows.index.isin(alike),
        "unlearned": rows.index.isin(unlearned(rows).index), "not_run": rows["accuracy"].isna(),
    }  # fmt: skip
    parts["undecided"] = ~np.logical_or.reduce(list(parts.values()))
    return {
        f"{study.name}_{part}": "; ".join(rows.index[chosen]) or "none"
        for part, chosen in parts.items()
    }


def learned_groups(study: Study, runs: Iterable[Run]) -> dict[str, list[float]]:
    """Points on test, by seed, of the recipe itself, of each change, and, under names that no
    change has, of all other recipes on all training images with the base's network and input size.

    Without those by which a network did not learn.
    """
    runs, base = list(runs), study.base
    elsewhere = [
        run for run in at_scale(runs, base.backbone, base.image_size) if run.study != study.name
    ]
    found: dict[str, list[float]] = {}
    for run in of_study(study, runs):
        found.setdefault(names.change_name(run.recipe.name), []).append(100 * accuracy(run.test))
    found |= {" / ".join(key): group for key, group in by_recipe(elsewhere).items()}
    return {name: group for name, group in found.items() if np.mean(group) >= 100 * LEARNED}


def _compared(
    study: Study, scores: pd.DataFrame, points: pd.DataFrame, groups: Mapping[str, Sequence[float]]
) -> pd.DataFrame:
    """`scores` of the recipe itself and of what was run, with differences, intervals and p."""
    tested = _tested(groups, scores.index, len(study.changes))
    means = differences(points).groupby("change")[["test", "clean"]].mean()
    rows = {
        name: (test, *tested.get(name, (None, np.nan)), clean)
        for name, test, clean in means.itertuples()
    }
    columns = ["difference, points", "95% interval", "p", "difference without near copies, points"]
    frame = scores.join(pd.DataFrame.from_dict(rows, "index", columns=columns))
    return frame[(frame.index == ITSELF) | frame.index.isin(means.index)]


def _tested(
    groups: Mapping[str, Sequence[float]], changes: Iterable[str], planned: int
) -> dict[str, tuple[str, float]]:
    """95% interval and p of each of `changes` that has them, adjusted by Holm for `planned` ones.

    Those without several seeds, or not run, count as if their p were 1.
    """
    found = compared(groups, ITSELF) if ITSELF in groups else {}
    found = {n: found[n] for n in changes if n in found and not np.isnan(found[n].p)}
    if not found:
        return {}
    repeated = [name for name in found if len(groups[name]) > 1]
    known = [found[name].p for name in repeated] + [1.0] * (planned - len(repeated))
    adjusted = dict(zip(repeated, multipletests(known, method="holm")[1].tolist(), strict=False))
    return {
        name: (_range(one.mean, one.error), adjusted.get(name, np.nan))
        for name, one in found.items()
    }


def _range(mean: float, half: float) -> str:
    """An interval around a mean that stays on one line of a cell."""
    return f"{mean - half:+.2f}\u00a0to\u00a0{mean + half:+.2f}"
