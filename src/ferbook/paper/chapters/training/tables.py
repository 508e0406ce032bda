"""Tables of the chapter Training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ferbook.core.recipe import BACKBONES, Recipe
from ferbook.paper.table import Table, code
from ferbook.results import names

_NAMES = ("name", "train_images")  # of the run, not of its recipe
_OPTIONS = {"small_image_size": "small_epochs", "distillation_share": "teachers"}  # whose they are
_WORDS = {name: names.network_name(name) for name in BACKBONES} | {
    "imagenet": "ImageNet", "adamw": "AdamW", "adam": "Adam", "plateau": "on plateaus",
}  # fmt: skip


def recipe_table(recipe: Recipe, stated: Mapping[str, Any]) -> Table:
    """The hyperparameters of a run beside what the original states of them, by field.

    An option that is off (false, zero or empty) is left out where the original does not state it.
    """
    values = {name: value for name, value in vars(recipe).items()
              if name in stated or _is_on(recipe, name)}  # fmt: skip
    rows = [
        (code(name), _word(stated[name]) if name in stated else "not stated", _word(value),
         "changed" if stated.get(name, value) != value else "")
        for name, value in values.items()
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["hyperparameter", "original", "this run", "difference"])
    caption = (
        "The recipe: what the original states, and this run's hyperparameters. Options that are "
        "off and that the original does not state are left out."
    )
    return Table(frame.set_index("hyperparameter"), caption, "tab-recipe")


def _is_on(recipe: Recipe, name: str) -> bool:
    """Whether a field of a recipe has an effect; those of an option that is off have none."""
    if name == "lr_warmup_fraction":
        return recipe.schedule == "cosine"
    return name not in _NAMES and bool(getattr(recipe, _OPTIONS.get(name, name)))


def _word(value: Any) -> str:
    """A value of a recipe as a reader writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else _WORDS.get(value, str(value))


def parameter_table(parameters: Mapping[str, Mapping[str, int]]) -> Table:
    """Parameters of each backbone with the seven-class head, computed from the built models."""
    columns = {"total": "parameters", "trainable": "trainable", "multiply_adds": "multiply-adds"}
    named = {names.network_name(name): counts for name, counts in parameters.items()}
    frame = pd.DataFrame(named).T.rename_axis("network")[list(columns)].rename(columns=columns)
    caption = (
        "Parameters, those trainable in phase 2 (batch normalization frozen), and multiply-adds "
        "per image; seven classes and 48 pixels unless the name says another size or ImageNet."
    )
    return Table(frame, caption, "tab-parameters", dict.fromkeys(frame, ",d"))
