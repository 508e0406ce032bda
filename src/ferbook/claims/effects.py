"""What a part of the original's recipe changes: runs with and without it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ferbook.claims.evidence import distance, is_original
from ferbook.core.recipe import Recipe
from ferbook.data import ferplus
from ferbook.results.metrics import accuracy, calibration, score
from ferbook.results.names import scale_words, seed_count, small_number
from ferbook.results.run import Run
from ferbook.results.seeds import compared
from ferbook.results.study import LEARNED


class Measure(NamedTuple):
    """A number of a run; the part in question should raise it, if `more`, or keep it low."""

    of: Callable[[Run], float]
    name: str
    more: bool


class Effect(NamedTuple):
    """A measure with and without a part: means over seeds, `seeds` of each or more.

    `error` is that of `seeds.compared` within the study; `uneven`: with or without, runs differ by
    far more from seed to seed than others of the study. `learned`: both with and without the part,
    runs reach the least accuracy on average. `elsewhere`: the same difference of other pairs, each
    with its scale in words.
    """

    study: str
    where: str  # recipe, network and scale, in words
    seeds: int
    whole: float
    without: float
    error: float
    identical: bool  # all answers of each pair agree, bit for bit
    uneven: bool
    learned: bool
    elsewhere: tuple[tuple[float, str], ...]

    @property
    def difference(self) -> float:
        """By how much the whole recipe is higher."""
        return self.whole - self.without


def _second_truth(run: Run) -> float:
    second = ferplus.as_class(ferplus.pluralities(run.test.files))
    known = second >= 0
    return float((run.test.answers == second)[known].mean())


def _gap(run: Run) -> float:
    last = run.history.iloc[-1]
    return float(last["accuracy"] - last["val_accuracy"])


def _overconfidence(run: Run) -> float:
    return calibration(run.test)["mean_confidence"] - accuracy(run.test)


def greatest_rise(values: Iterable[float]) -> float:
    """The greatest rise from one value to the next, as a share of the former; below 0: none."""
    values = np.asarray(list(values), float)
    return float(np.max(np.diff(values) / values[:-1], initial=-np.inf))


MEASURES = {
    "accuracy": Measure(lambda run: accuracy(run.test), "accuracy", True),
    "mean_recall": Measure(lambda run: score(run.test)["macro"]["recall"], "mean recall", True),
    "second_truth": Measure(_second_truth, "agreement with FER+", True),
    "gap": Measure(_gap, "training minus validation accuracy", False),
    "overconfidence": Measure(_overconfidence, "confidence minus accuracy", False),
    "loss_rise": Measure(
        lambda run: max(greatest_rise(part["loss"]) for _, part in run.history.groupby("phase")),
        "greatest rise of the training loss from an epoch to the next of its phase", False,
    ),
}  # fmt: skip


def scales(
    runs: Iterable[Run], change: Mapping[str, Any], least: float = LEARNED
) -> list[list[tuple[Run, Run]]]:
    """(run of the original's recipe, run with `change` to it and no other) of one study, a pair for
    each seed: a list of them at each scale, the most telling first.

    Of several scales those at which a run reached the accuracy `least` on test, then those with
    several seeds, then the nearest to the original's, then the one with most seeds. Where none
    reached it, pairs count only if all their answers agree bit for bit: that needs no trained
    network.
    """
    found: dict[tuple, list[tuple[Run, Run]]] = {}
    named = {(run.study, replace(run.recipe, name="any")): run for run in runs}
    for (study, recipe), base in named.items():
        changed = _changed(recipe, change)
        if changed and (study, changed) in named:
            key = study, replace(recipe, seed=0)
            found.setdefault(key, []).append((base, named[study, changed]))
    usable = [row for row in found.items() if _best(row[1]) >= least or all(map(_same, row[1]))]
    usable.sort(
        key=lambda row: (_best(row[1]) < least, len(row[1]) < 2, distance(row[0][1]), -len(row[1]))
    )
    return [found for _, found in usable]


def _changed(recipe: Recipe, change: Mapping[str, Any]) -> Recipe | None:
    """`recipe` with `change`; None unless it is the original's and the change is one.

    What the change replaces has to have the original's value. `{times: 2}` in place of a new value
    is a multiple of whatever value the recipe has.
    """
    times = {name: value["times"] for name, value in change.items() if isinstance(value, Mapping)}
    replaced = change.keys() - times.keys()
    if not is_original(recipe) or any(
        getattr(recipe, name) != getattr(Recipe, name) for name in replaced
    ):
        return None
    more = {name: factor * getattr(recipe, name) for name, factor in times.items()}
    changed = replace(recipe, **{**change, **more})
    return changed if changed != recipe else None


def _best(found: Iterable[tuple[Run, Run]]) -> float:
    return max(accuracy(run.test) for pair in found for run in pair)


def effect(
    runs: Iterable[Run], change: Mapping[str, Any], measure: Measure, least: float = LEARNED
) -> Effect | None:
    """What the recipe is worth against the same with `change`; None without a pair of `scales`."""
    runs = list(runs)
    found, *others = scales(runs, change, least) or [[]]
    if not found:
        return None
    base, changed = found[0]
    groups: dict[Recipe, list[float]] = {}
    right: dict[Recipe, list[float]] = {}
    own = {replace(run.recipe, name="any"): run for run in runs if run.study == base.study}
    for run in own.values():  # one training that has two names is one
        groups.setdefault(_any_seed(run), []).append(measure.of(run))
        right.setdefault(_any_seed(run), []).append(accuracy(run.test))
    names = _any_seed(base), _any_seed(changed)

    def learned(name: Recipe) -> bool:
        return float(np.mean(right[name])) >= least

    whole, without = (groups[name] for name in names)
    seeds, identical = min(len(whole), len(without)), all(map(_same, found))
    if identical:  # whatever other seeds of one of the two give
        whole, without = ([measure.of(pair[i]) for pair in found] for i in (0, 1))
    pooled = {name: g for name, g in groups.items() if name in names or learned(name)}
    difference = compared(pooled, names[0])[names[1]]
    return Effect(
        base.study, _where(base.recipe), seeds, float(np.mean(whole)), float(np.mean(without)),
        difference.error, identical, not difference.alike,
        all(map(learned, names)),
        tuple(_elsewhere(some, measure) for some in others),
    )  # fmt: skip


def _elsewhere(found: Sequence[tuple[Run, Run]], measure: Measure) -> tuple[float, str]:
    gain = np.mean([measure.of(base) - measure.of(changed) for base, changed in found])
    return float(gain), f"{_where(found[0][0].recipe)}, {seed_count(len(found))}"


def _where(recipe: Recipe) -> str:
    """The original's recipe and the scale that it was run at, in words."""
    words = [f"the original's recipe on {scale_words(recipe)}"]
    if recipe.finetune_learning_rate != Recipe.finetune_learning_rate:
        words.append(f"learning rate {small_number(recipe.finetune_learning_rate)}")
    if recipe.finetune_epochs != Recipe.finetune_epochs:
        words.append(f"{recipe.finetune_epochs} epochs of phase 2")
    return ", ".join(words)


def _same(pair: tuple[Run, Run]) -> bool:
    return all(
        np.array_equal(getattr(pair[0], part).probabilities, getattr(pair[1], part).probabilities)
        for part in ("val", "test")
    )


def _any_seed(run: Run) -> Recipe:
    return replace(run.recipe, name="any", seed=0)
