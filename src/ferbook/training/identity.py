"""Whether two runs of one name are the same run: by recipe and data set."""

from __future__ import annotations

import dataclasses
from typing import Any

from ferbook.core.recipe import Recipe, RecipeError
from ferbook.results.run import Run


def identity(recipe: Recipe, dataset: dict[str, str]) -> dict[str, Any]:
    """What two trainings have to share to be of the same run."""
    return {"recipe": dataclasses.asdict(recipe), "dataset": dataset}


def agree(found: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether they are of one run; what a recipe of an older version does not name has no effect.

    Raises TypeError and other errors for what is no identity.
    """
    return {**found, "recipe": {**vars(Recipe()), **found["recipe"]}} == wanted


def differences(one: dict[str, Any], other: dict[str, Any]) -> tuple[str, str]:
    """What each of two identities has and the other has not, as "dropout=0.1" or "data set x"."""
    own, others = _parts(one), _parts(other)
    return (
        ", ".join(part for part in own if part not in others) or "no more",
        ", ".join(part for part in others if part not in own) or "no more",
    )


def check_same(run: Run, recipe: Recipe, dataset: dict[str, str]) -> None:
    """Raises RecipeError, with what differs, unless `run` is one of `recipe` on this data set."""
    found, wanted = identity(run.recipe, run.info["dataset"]), identity(recipe, dataset)
    if found != wanted:
        its, ours = differences(found, wanted)
        raise RecipeError(
            f"{run.study}/{run.name}: a finished run of another recipe or data set stands in the "
            f"result store, with {its}. Give yours, with {ours}, another name or study."
        )


def _parts(found: dict[str, Any]) -> list[str]:
    fields = [f"{name}={value!r}" for name, value in found["recipe"].items()]
    return [*fields, "data set " + " ".join(f"{value:.12}" for value in found["dataset"].values())]
