"""The changes of a grid against its base, seed by seed, as numbers and as a figure."""

from __future__ import annotations

from collections.abc import Iterable

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ferbook.core.predictions import Predictions
from ferbook.paper.plots import COLORS, finished, statement
from ferbook.results import names
from ferbook.results.metrics import accuracy, named_test_sets
from ferbook.results.run import Run
from ferbook.results.seeds import chance_bound, seed_noise
from ferbook.results.study import Study, of_study, paired


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


def forest(study: Study, runs: Iterable[Run], leaked_files: frozenset[str]) -> Figure:
    """A row per change: a dot a seed, a bar at their mean, in a band of what seeds alone do.

    The best change stands on top; those that were not run say so at the bottom. A study of which
    nothing was run is one line of text.
    """
    runs = of_study(study, runs)
    found = differences(study, runs, leaked_files)
    if found.empty:
        return statement(f"Not run: none of the {len(study.changes)} changes.")
    groups = {name: group for name, group in found.groupby("change", sort=False)}
    rows = sorted(groups, key=lambda name: -groups[name]["test"].mean())
    rows += [name for name in map(names.change_name, study.changes) if name not in groups]
    figure, axes = plt.subplots(figsize=(8, 1.3 + 0.34 * len(rows)))
    axes.axvline(0, color="#222222", linewidth=1)
    axes.set(xlabel="points of accuracy on test above the recipe itself")
    noise = seed_noise(runs)
    for row, name in enumerate(rows):
        if name in groups:
            _draw_change(axes, row, groups[name], noise, _color(runs))
        else:
            axes.text(0, row, " not run", va="center", color="#666666", fontsize=9)
    axes.set(yticks=range(len(rows)), yticklabels=rows, ylim=(len(rows) - 0.5, -0.5))
    axes.grid(axis="y", visible=False)
    return finished(figure)


def _color(runs: list[Run]) -> str:
    return COLORS[runs[0].actor] if runs else COLORS[names.OTHERS]


def _draw_change(axes: Axes, row: int, group: pd.DataFrame, noise: float, color: str) -> None:
    """Dots and mean on all test images, a diamond at the mean on those without copies."""
    if np.isfinite(noise):
        bound = chance_bound(noise, len(group))
        axes.fill_betweenx([row - 0.5, row + 0.5], -bound, bound, color="#dddddd", linewidth=0)
    test, clean = group["test"], group["clean"].mean()
    axes.plot(test, np.full(len(test), row), "o", color=color, markersize=5, alpha=0.75)
    axes.plot([test.mean()] * 2, [row - 0.3, row + 0.3], color=color, linewidth=2.5)
    axes.plot(clean, row, "D", color="white", markeredgecolor=color, markersize=5)
    text = f"{test.mean():+.2f}, without copies {clean:+.2f}"
    axes.annotate(text, (1.01, row), xycoords=("axes fraction", "data"), va="center", fontsize=8,
                  annotation_clip=False)  # fmt: skip
