"""Tables of the chapter Training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ferbook.core.recipe import Recipe
from ferbook.paper.table import Table, code
from ferbook.results import names


def recipe_table(recipe: Recipe, stated: Mapping[str, Any]) -> Table:
    """Every hyper-parameter of a run beside what the original states of it, by field."""
    fields = [name for name in vars(recipe) if name not in ("name", "train_images")]
    rows = [
        (code(name), stated.get(name, "not stated; ours"), getattr(recipe, name),
         "changed" if stated.get(name, getattr(recipe, name)) != getattr(recipe, name) else "")
        for name in fields
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["hyper-parameter", "original", "this run", "difference"])
    frame["this run"] = frame["this run"].replace({"": None})  # no teachers
    caption = "The recipe: what the original states, and this run's hyper-parameters."
    return Table(frame.set_index("hyper-parameter"), caption, "tab-recipe")


def parameter_table(parameters: Mapping[str, Mapping[str, int]]) -> Table:
    """Parameters of each backbone with the seven-class head, computed from the built models."""
    columns = {"total": "parameters", "trainable": "trainable", "multiply_adds": "multiply-adds"}
    named = {names.network_name(name): counts for name, counts in parameters.items()}
    frame = pd.DataFrame(named).T.rename_axis("network")[list(columns)].rename(columns=columns)
    caption = (
        "Parameters, those trainable in phase 2 (BatchNorm frozen), and multiply-adds per image; "
        "seven classes and 48 pixels unless the name says another size or ImageNet."
    )
    return Table(frame, caption, "tab-parameters", dict.fromkeys(frame, ",d"))
