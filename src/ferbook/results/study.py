"""A study: the recipes that one file of `configs/` asks for.

A flat file is one recipe. A file with `changes` or `steps` is a grid around its own recipe, which
is then called "base": each entry of `changes` alters the base and nothing else, each entry of
`steps` alters the step before it. `seeds` repeats all of them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ferbook.core.errors import FerbookError
from ferbook.core.files import quoted
from ferbook.core.recipe import Recipe
from ferbook.core.structured import read_yaml
from ferbook.results.run import Run

MAX_RUNS = 1000  # of one study
FINALS = ("reference", "ours", "gpu")  # studies of a complete recipe on all training images
LEARNED = 0.5  # accuracy below which a run is no evidence about a method
# Folders of the store that hold no runs.
GROUPS = (
    "peers", "baselines", "test_time_augmentation", "reliability", "deployment", "bench"
)  # fmt: skip
_KEYS = {"data", "study", "subset", "device", "changes", "steps", "seeds"}
DEVICES = ("any", "gpu")  # what a configuration may ask for
_KINDS = {str: "a text", bool: "true or false", dict: "some entries", list: "a list"}


class StudyError(FerbookError, ValueError):
    """A file of `configs/` does not describe a recipe or a grid of recipes."""


@dataclass(frozen=True)
class Study:
    """The recipes of a study by the name of their run, in the order to train them."""

    name: str
    data: str
    recipes: dict[str, Recipe]
    changes: dict[str, dict[str, Any]]  # of the base; empty unless the study is a grid
    steps: dict[str, dict[str, Any]]  # each of the step before
    device: str = "any"  # one of DEVICES
    subset: bool = False  # whether the data may be only a part of FER-2013

    @property
    def base(self) -> Recipe:
        """The first recipe, which `changes` alter."""
        return next(iter(self.recipes.values()))


def read_study(path: str | Path) -> Study:
    """The study that the YAML file at `path` describes.

    A single recipe may learn from runs that other files of the same study describe. Raises
    StudyError for an unknown key, a value that makes no sense, two runs of one name, or, in a grid,
    runs to learn from that are trained later or not at all.
    """
    values = read_yaml(path)
    _check_keys(values, _KEYS, path)
    _check_others(values, path)
    recipes: dict[str, Recipe] = {}
    try:
        study = checked_name(values["study"])
        for recipe in _recipes(values):
            if recipe.run_name in recipes:
                raise StudyError(f"two runs are called {recipe.run_name}.")
            missing = {*recipe.teacher_runs, *recipe.start_runs} - set(recipes)
            if missing and values.keys() & {"changes", "steps"}:
                raise StudyError(
                    f"teachers and start_from: expected runs that come before {recipe.run_name}. "
                    f"Received: {', '.join(sorted(missing))}."
                )
            recipes[recipe.run_name] = recipe
            if len(recipes) > MAX_RUNS:
                raise StudyError(f"more than {MAX_RUNS:,} runs; divide it among several files.")
    except (ValueError, TypeError, AttributeError) as error:
        raise StudyError(f"{path}: {error}") from error
    grid = values.get("changes", {}), values.get("steps", {})
    how = values.get("device", "any"), values.get("subset", False)
    return Study(study, values["data"], recipes, *grid, *how)


def _check_others(values: Mapping[str, Any], path: str | Path) -> None:
    """What is beside the fields of a recipe."""
    for name, kind in {"data": str, "subset": bool, "changes": dict, "steps": dict,
                       "seeds": list}.items():  # fmt: skip
        value = values.get(name)
        if name in values and not (isinstance(value, kind) and (value or kind is bool)):
            raise StudyError(f"{path}: {name}: expected {_KINDS[kind]}. Received: {quoted(value)}.")
    if {"seed", "seeds"} <= values.keys():
        raise StudyError(f"{path}: expected seed or seeds. Received: both.")
    if (device := values.get("device", "any")) not in DEVICES:
        raise StudyError(f"{path}: device: expected any or gpu. Received: {quoted(device)}.")


def checked_name(study: Any) -> str:
    """The name of a study. Raises StudyError unless it can be a folder of the store alone."""
    if not (isinstance(study, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_]{0,99}", study)):
        raise StudyError(
            f"study: expected ASCII letters, digits and underscores. Received: {quoted(study)}."
        )
    if study in GROUPS:
        raise StudyError(f"study: {study} is a folder of measurements, not of runs.")
    return study


def finals(runs: Iterable[Run]) -> list[Run]:
    """Of `runs`, those that trained a complete recipe on all images, the original's recipe first.

    Of the seeds of one recipe the first; `seeds_of` has the others. The smaller input comes first.
    """
    complete = sorted(
        (run for run in runs if run.study in FINALS),
        key=lambda run: (
            FINALS.index(run.study), run.recipe.name, run.recipe.image_size, run.recipe.seed
        ),
    )  # fmt: skip
    return [run for run in complete if run is seeds_of(run, complete)[0]]


def of_original(runs: Sequence[Run]) -> Run:
    """The first run of the original's recipe, by the name; the first of all where there is none."""
    return next((run for run in runs if run.recipe.name == Recipe.name), runs[0])


def sizes_of(run: Run, runs: Iterable[Run]) -> list[Run]:
    """Those of `runs` of the same study and recipe but for seed and input size, by size."""
    return _alike(run, runs, image_size=Recipe.image_size, seed=0)


def largest_input(runs: Iterable[Run]) -> Run:
    """That of the largest input, and so the nearest to the original's; of several, the first seed.

    Raises ValueError when there is none.
    """
    return min(runs, key=lambda run: (-run.recipe.image_size, run.recipe.seed))


def seeds_of(run: Run, runs: Iterable[Run]) -> list[Run]:
    """Those of `runs` of the same study and recipe, by seed."""
    return _alike(run, runs, seed=0)


def _alike(run: Run, runs: Iterable[Run], **apart_from: int) -> list[Run]:
    """Those of the same study whose recipes are one when these fields have these values."""
    recipe = replace(run.recipe, **apart_from)
    same = [o for o in runs
            if o.study == run.study and replace(o.recipe, **apart_from) == recipe]  # fmt: skip
    return sorted(same, key=lambda other: (other.recipe.image_size, other.recipe.seed))


def of_study(study: Study, runs: Iterable[Run]) -> list[Run]:
    """Those of `runs` that belong to `study`."""
    return [run for run in runs if run.study == study.name]


def paired(runs: Iterable[Run], first: str, second: str) -> list[tuple[Run, Run]]:
    """(run of the recipe `first`, run of `second`) of each seed that both were run with."""
    runs = list(runs)
    ones, twos = (
        {run.recipe.seed: run for run in runs if run.recipe.name == name}
        for name in (first, second)
    )
    return [(ones[seed], twos[seed]) for seed in sorted(ones.keys() & twos.keys())]


def _recipes(values: Mapping[str, Any]) -> Iterator[Recipe]:
    for seed in values.get("seeds", [values.get("seed", Recipe.seed)]):
        base = {**values, "seed": seed}
        if not values.keys() & {"changes", "steps"}:
            yield Recipe.from_mapping(base)
            continue
        yield Recipe.from_mapping({**base, "name": "base"})
        for name, change in values.get("changes", {}).items():
            yield _changed(base, name, change)
        for name, change in values.get("steps", {}).items():
            yield _changed(base, name, change)
            base |= change


def _changed(base: Mapping[str, Any], name: str, change: Any) -> Recipe:
    if not isinstance(change, Mapping):
        raise StudyError(
            f"{name}: expected fields of Recipe, such as {{dropout: 0.0}}. "
            f"Received: {quoted(change)}."
        )
    _check_keys(change, set(), name)
    if "name" in change:
        raise StudyError(f"{name}: a change has the name of its entry. Received: another name.")
    return Recipe.from_mapping({**base, **change, "name": name})


def _check_keys(values: Mapping[str, Any], others: set[str], where: Any) -> None:
    """`others` are keys beside the fields of a recipe; with any, data and study are needed."""
    known = {field.name for field in fields(Recipe)} | others
    if unknown := sorted(map(str, values.keys() - known)):
        near = difflib.get_close_matches(unknown[0], sorted(known), 1)
        raise StudyError(
            f"{where}: expected {'data, study and ' if others else ''}fields of Recipe. "
            f"Received: {', '.join(unknown):.200}.{f' The nearest: {near[0]}.' if near else ''}"
        )
    if others and (missing := {"data", "study"} - values.keys()):
        raise StudyError(f"{where}: expected data and study. Missing: {min(missing)}.")
