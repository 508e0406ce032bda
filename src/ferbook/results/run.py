"""Runs and the answers of other models, as the result store holds them."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ferbook.core.predictions import Predictions
from ferbook.core.recipe import Recipe, RecipeError
from ferbook.data.duplicates import validation_twins
from ferbook.results import names

LIFTED = ("backbone", "weights", "image_size", "seed")
"""Fields of a recipe that stand beside it in run.json as well, where older readers look."""


@dataclass(frozen=True)
class Run:
    """A finished run as read from the result store.

    `test` is empty for a trial: a run that was trained to choose a recipe, on validation images.
    """

    study: str
    name: str
    info: dict[str, Any]  # run.json
    history: pd.DataFrame  # one row per epoch over both phases
    val: Predictions
    test: Predictions

    @functools.cached_property
    def recipe(self) -> Recipe:
        """The recipe that the run was trained with."""
        return recipe_of(self.info)

    @functools.cached_property
    def temperature(self) -> float:
        """The temperature that fits the validation images best; see `metrics.fit_temperature`."""
        from ferbook.results.metrics import fit_temperature  # late: SciPy is for scores alone

        return fit_temperature(self.val)

    @property
    def is_final(self) -> bool:
        """Whether the run has seen the test images, after every choice was made."""
        return self.info.get("final", True)

    @property
    def val_clean_accuracy(self) -> float:
        """Accuracy on validation images without a twin in training, by which runs are chosen.

        NaN where every validation image has one.
        """
        return self.info["metrics"].get("val_clean", {"accuracy": math.nan})["accuracy"]

    @property
    def core_hours(self) -> float:
        """Processor time of training; wall time on its cores where that was not measured."""
        seconds = self.info.get("cpu_seconds")
        return (seconds or self.info["seconds"] * names.usable_cores(self.info["hardware"])) / 3600

    @property
    def training_images(self) -> int:
        """How many images an epoch showed."""
        return self.info["images_seen"] // len(self.history)

    @property
    def is_synthetic(self) -> bool:
        """Whether the run saw faces that a program drew."""
        return self.info["dataset"]["name"] == "synthetic"

    @property
    def is_fer2013(self) -> bool:
        """Whether the run saw FER-2013, and not drawn faces or images not proven to be of it."""
        return self.info["dataset"]["name"] == "fer2013"

    @property
    def label(self) -> str:
        """What figures and tables call the run; one on other data than FER-2013 says so."""
        name = names.display_name(self.study, self.recipe)
        if self.is_fer2013:
            return name
        return f"{name} ({'synthetic' if self.is_synthetic else 'other data'})"

    @property
    def actor(self) -> str:
        """Which of `names.ACTORS` the run belongs to."""
        return names.actor(self.study, self.recipe)


@dataclass(frozen=True)
class Answers:
    """What a peer's model or a classical baseline answers on the test images."""

    name: str
    info: dict[str, Any]  # about.json
    test: Predictions

    @property
    def is_fer2013(self) -> bool:
        """As of a run; answers of older versions, which do not say, are on FER-2013."""
        return self.info.get("dataset", "fer2013") == "fer2013"

    @property
    def label(self) -> str:
        """What figures and tables call it."""
        return names.model_name(self.name)


def run_scores(run: Run, dataset: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """`score_sets` of a stored run; `dataset` is the audit of the images, `dataset.json`."""
    from ferbook.results.metrics import score_sets  # late: SciPy is for scores alone

    twins = validation_twins(run.val.files.tolist(), dataset["duplicate_groups"])
    return score_sets(run.val, run.test, frozenset(dataset["leaked_files"]), twins)


def recipe_of(info: dict[str, Any]) -> Recipe:
    """The recipe in a run.json, today's or one that kept four fields beside the recipe alone.

    Raises RecipeError when what stands beside the recipe contradicts it.
    """
    values = dict(info["recipe"].items())
    for name in LIFTED:
        if values.setdefault(name, info[name]) != info[name]:
            raise RecipeError(
                f"{name}: {info[name]!r} beside the recipe, which has {values[name]!r}."
            )
    return Recipe(**values)
