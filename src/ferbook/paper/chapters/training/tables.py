"""Tables of the chapter Training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ferbook.core.recipe import BACKBONES, Recipe
from ferbook.paper.table import Table, code
from ferbook.results import names

_NAMES = ("name", "train_images")  # of the run, not of its recipe
# What has an effect only where another field has this value, or where it is on at all.
_NEEDS = {
    "small_image_size": ("small_epochs", None), "distillation_share": ("teachers", None),
    "warmup_learning_rate": ("warmup_epochs", None), "lr_warmup_fraction": ("schedule", "cosine"),
    "early_stopping_patience": ("schedule", "plateau"), "plateau_factor": ("schedule", "plateau"),
    "plateau_patience": ("schedule", "plateau"), "stem_stride": ("backbone", "efficientnet"),
    "drop_path_rate": ("backbone", "efficientnet_lite"),
}  # fmt: skip
_WORDS = {name: names.network_name(name) for name in BACKBONES} | {
    "imagenet": "ImageNet", "adamw": "AdamW", "adam": "Adam", "plateau": "on plateaus",
    "none": "random",
}  # fmt: skip


def recipe_table(recipes: Mapping[str, Recipe], stated: Mapping[str, Any]) -> Table:
    """The hyperparameters of recipes, by what to call them, beside what the original states.

    A field that is false, zero, empty, or without effect is off; one that is off in all recipes
    and that the original does not state has no row.
    """
    rows = {
        code(name): [_word(stated[name]) if name in stated else "not stated",
                     *(_beside(recipe, name, stated) for recipe in recipes.values())]
        for name in vars(Recipe()) if name not in _NAMES
        if name in stated or any(_is_on(recipe, name) for recipe in recipes.values())
    }  # fmt: skip
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["original", *recipes])
    caption = (
        "The recipes: what the original states, and what was used here. Parts that are off "
        "everywhere, or have no effect, and that the original does not state are left out. The "
        "parameters at the top of the notebook explain each."
    )
    return Table(frame.rename_axis("hyperparameter"), caption, "tab-recipe")


def _beside(recipe: Recipe, name: str, stated: Mapping[str, Any]) -> str:
    value, is_on = getattr(recipe, name), _is_on(recipe, name)
    if stated.get(name) == value and (is_on or name not in _NEEDS):
        return "same"
    return _word(value) if is_on else "off"


def _is_on(recipe: Recipe, name: str) -> bool:
    """Whether a field of a recipe has an effect; those of an option that is off have none."""
    other, value = _NEEDS.get(name, (name, None))
    found = getattr(recipe, other)
    return str(found).startswith(value) if value else bool(found)


def _word(value: Any) -> str:
    """A value of a recipe as a reader writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return names.small_number(value) if isinstance(value, float) else _WORDS.get(value, str(value))


def parameter_table(parameters: Mapping[str, Mapping[str, int]]) -> Table:
    """Parameters of each backbone with the seven-class head, computed from the built models."""
    columns = {"total": "parameters", "trainable": "trainable", "multiply_adds": "multiply-adds"}
    named = {names.network_name(name): counts for name, counts in parameters.items()}
    frame = pd.DataFrame(named).T.rename_axis("network")[list(columns)].rename(columns=columns)
    caption = (
        "Parameters, those trainable in phase 2 (batch normalization frozen), and multiply-adds "
        "per image; seven classes and 48 pixels unless the name says another size. Those for "
        "ImageNet have a thousand classes, EfficientNetB2 at 260 pixels and VGG16 at 224."
    )
    return Table(frame, caption, "tab-parameters", dict.fromkeys(frame, ",d"))
