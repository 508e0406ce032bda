"""Tables of the chapter Ablations."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from ferbook.core.predictions import Predictions
from ferbook.core.recipe import Recipe
from ferbook.data.duplicates import Groups, validation_twins
from ferbook.paper.all_runs import ledger_table
from ferbook.paper.table import P_VALUE, Table, interval, p_text
from ferbook.results import names
from ferbook.results.metrics import accuracy, named_test_sets, paired_test, score, without
from ferbook.results.run import Answers, Run
from ferbook.results.seeds import by_recipe
from ferbook.results.study import Study, of_study


def paired_differences(runs: Sequence[Run]) -> dict[tuple[int, int], tuple[float, float]]:
    """Of each pair (i, j) of `runs`, i < j: points by which j is better on all test images, and p.

    McNemar's exact p, corrected for the number of pairs by Holm's method.
    """
    pairs = list(itertools.combinations(range(len(runs)), 2))
    tests = [paired_test(runs[i].test, runs[j].test) for i, j in pairs]
    gains = [100 * (test["only_second"] - test["only_first"]) / test["total"] for test in tests]
    p = multipletests([test["p_value"] for test in tests], method="holm")[1] if pairs else []
    return dict(zip(pairs, zip(gains, map(float, p), strict=True), strict=True))


def pairs_table(runs: Sequence[Run]) -> Table:
    """`paired_differences` as a square: differences below the diagonal, p above it."""
    cells = [[""] * len(runs) for _ in runs]
    for (i, j), (gain, p) in paired_differences(runs).items():
        cells[j][i], cells[i][j] = f"{gain:+.2f}", p_text(p, 0.001)  # narrow
    numbers = [str(number) for number in range(1, len(runs) + 1)]
    index = [f"{number}: {run.label}" for number, run in zip(numbers, runs, strict=True)]
    frame = pd.DataFrame(cells, pd.Index(index, name="run"), numbers)
    caption = (
        "Pairs of runs on the same test images. Below the diagonal: points by which the run of the "
        "row is better than that of the column. Above it: p of McNemar's exact test, two-sided, "
        "corrected by Holm's method for the number of pairs. It compares two trained networks of "
        "one seed each, not two recipes."
    )
    return Table(frame, caption, "tab-pairs")


def finals_table(runs: Iterable[Run], copied_files: frozenset[str]) -> Table:
    """Of the list of all runs, the accuracies of `runs` and what they cost.

    `copied_files` are the test images with a copy or near duplicate in the training folder.
    """
    listed = ledger_table(runs, copied_files)
    columns = ["validation", "test", "PrivateTest", "without copies", "95% interval of test",
               "core hours"]  # fmt: skip
    caption = (
        "Runs on all training images. Validation leaves out images that have a pixel-identical "
        "copy in training; “without near copies” are the test images with neither such a copy nor "
        "a near duplicate. Processor time, hours times cores where it was not recorded, depends on "
        "the version of the code as well."
    )
    new = {"without copies": "without near copies"}
    formats = {new.get(column, column): way for column, way in (listed.formats or {}).items()}
    return Table(listed.frame[columns].rename(columns=new), caption, "tab-finals", formats)


def trials_table(study: Study, runs: Iterable[Run]) -> Table:
    """Trials of a study by network and learning rate: accuracy on validation, and cost.

    Trials never see test images.
    """
    done = {run.name: run for run in of_study(study, runs)}
    recipes = sorted(study.recipes.items(), key=lambda item: _network_and_rate(item[1]))
    rows = [
        (network, names.small_number(rate), recipe.image_size, recipe.finetune_epochs,
         *_validation(done.get(name)))
        for name, recipe in recipes for network, rate in [_network_and_rate(recipe)]
    ]  # fmt: skip
    columns = ["network", "learning rate", "px", "epochs", "validation", "without copies",
               "core hours"]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns).set_index("network")
    caption = (
        f"Trials, {names.grid_recipe(study.name)}: accuracy on validation images at several "
        "learning rates, one seed; epochs are those of phase 2."
    )
    return Table(frame, caption, f"tab-{study.name}", {"core hours": ".2f"})


def _network_and_rate(recipe: Recipe) -> tuple[str, float]:
    return names.network_name(recipe.backbone), recipe.finetune_learning_rate


def _validation(run: Run | None) -> tuple[str, str | None, float | None]:
    """Accuracy on validation, with copies and without, and core hours."""
    if run is None:
        return "not run", None, None
    metrics = run.info["metrics"]
    accuracies = (f"{metrics[part]['accuracy']:.2%}" for part in ("val", "val_clean"))
    return *accuracies, run.core_hours


def others_table(
    others: Mapping[str, Answers], runs: Iterable[Run], copied_files: frozenset[str]
) -> Table:
    """Peers, baselines and runs on the same images: all, without `copied_files`, and on these."""
    rows = {}
    for item in (*others.values(), *runs):
        sets = named_test_sets(item.test, copied_files)
        accuracies = [_with_interval(sets[name]) for name in ("test", "clean", "leaked")]
        parameters = item.info["parameters"]
        total = parameters["total"] if isinstance(parameters, Mapping) else parameters
        rows[item.label] = (*accuracies, total)
    columns = ["test", "without near copies", "copies and near copies", "parameters"]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("model")
    caption = (
        "Models of others, classical baselines and our runs, first seed of each recipe, on the "
        f"same test images, {len(copied_files):,} of which have a copy or near duplicate in the "
        "training folder, with Wilson intervals."
    )
    return Table(frame, caption, "tab-others", {"parameters": ",.0f"})


def seeds_table(runs: Sequence[Run]) -> Table:
    """The recipes that were run with several seeds, and how far apart these ended."""
    rows = {
        name: (len(points), np.mean(points), min(points), max(points), max(points) - min(points))
        for (_, name), points in by_recipe(runs).items()
        if len(points) > 1
    }
    columns = ["seeds", "mean", "lowest", "highest", "range, points"]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("recipe")
    formats = dict.fromkeys(columns[1:], ".2f")
    caption = (
        "Accuracy on all test images, in percent, of the same recipe with several seeds. The first "
        "seed of the original's recipe at 96 px was trained before the direction of the shear, a "
        "tenth of a degree, was corrected."
    )
    return Table(frame, caption, "tab-seeds", formats)


def views_table(run: Run, views: Mapping[str, Answers], groups: Groups) -> Table:
    """Test-time augmentation of one run: mirrors, and those of `views` that are of this run.

    `groups` are the files of pixel-identical images.
    """
    clean = without(run.val, validation_twins(run.val.files, groups))
    mirrored = clean.with_augmentation(), run.test.with_augmentation()
    ways = {
        "one answer": (accuracy(clean), run.test),
        "mean with the mirror": (accuracy(mirrored[0]), mirrored[1]),
    }
    for view in views.values():
        if view.info["run"] == f"{run.study}/{run.name}":
            side = view.info["crop_side"]
            chosen = view.info["val_clean_accuracy"][str(side)]
            ways[f"mean of ten crops, {side} px"] = chosen, view.test
    rows = {
        name: (on_val, _with_interval(test), 100 * (accuracy(test) - accuracy(run.test)),
               paired_test(run.test, test)["p_value"] if test is not run.test else None)
        for name, (on_val, test) in ways.items()
    }  # fmt: skip
    columns = ["validation", "test", "difference, points", "p"]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("answer")
    caption = (
        f"Test-time augmentation of the run “{run.label}”: the gain over one answer per image on "
        "all test images, with McNemar's p, not corrected. Validation is without copies in "
        "training."
    )
    formats = {"validation": ".2%", "difference, points": "+.2f", "p": P_VALUE}
    return Table(frame, caption, "tab-views", formats)


def models_frame(
    runs: Iterable[Run],
    others: Mapping[str, Answers],
    original: Mapping[str, Any],
    parameters: Mapping[str, Mapping[str, int]],
) -> pd.DataFrame:
    """A row per finished model: `name`, `actor`, `accuracy` in percent, `parameters`.

    Of the original those that are counted, which are not those that it states.
    """
    rows = [
        (run.label, run.actor, accuracy(run.test), run.info["parameters"]["total"]) for run in runs
    ]
    rows += [
        (item.label, names.OTHERS, accuracy(item.test), item.info["parameters"])
        for item in others.values()
    ]
    counted = parameters[Recipe.backbone]["total"]
    rows.append((names.ORIGINAL, names.ORIGINAL, original["accuracy"], counted))
    columns = ["name", "actor", "accuracy", "parameters"]
    frame = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[2:], float))
    return frame.assign(accuracy=100 * frame["accuracy"])


def _with_interval(part: Predictions) -> str | None:
    if not len(part):
        return None
    scores = score(part)
    return f"{scores['accuracy']:.2%} ({interval(scores)})"
