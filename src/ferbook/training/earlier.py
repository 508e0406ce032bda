"""What a run takes from earlier runs of its study: their weights to start from, or their answers.

Source of learning from answers: Hinton, Vinyals & Dean, "Distilling the Knowledge in a Neural
Network", 2015; here without a temperature.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from jaxtyping import Float

from ferbook.core.recipe import Recipe, RecipeError
from ferbook.data.faces import Faces
from ferbook.results import store
from ferbook.results.run import Run
from ferbook.training import checkpoint, device, input_pipeline

# What decides which images a run learns from; an earlier one may know no others.
_IMAGES = ("deduplicate_train", "distinct_counts", "grouped_split", "train_images")


@dataclass(frozen=True)
class Earlier:
    """The runs of a study on one data set: their folders in the result store and of checkpoints."""

    results: Path
    runs: Path
    dataset: dict[str, str]

    def answers(self, recipe: Recipe, faces: Faces) -> Float[np.ndarray, "n 7"] | None:
        """What the recipe's teachers say of `faces`, averaged over them and both mirrors, if any.

        Raises RecipeError when a teacher is missing or learned from other images.
        """
        found = [self._answers(name, recipe, faces) for name in recipe.teacher_runs]
        return np.mean(found, axis=0, dtype=np.float32) if found else None

    def start(self, trained: keras.Model, recipe: Recipe) -> None:
        """Give `trained` the weights of the run that the recipe starts from, if any.

        Raises RecipeError as `answers`, and CheckpointError when that run's network is another.
        """
        for name in recipe.start_runs:
            checkpoint.restore_weights(
                trained, self.runs / name / "best.npz", self._run(name, recipe)
            )

    def _answers(self, name: str, recipe: Recipe, faces: Faces) -> np.ndarray:
        run = self._run(name, recipe)
        device.set_precision()
        model = checkpoint.load_network(run, self.runs / name / "best.npz")
        return input_pipeline.predict(model, faces, run.recipe).augmented

    def _run(self, name: str, recipe: Recipe) -> Run:
        folder, weights = self.results / name, self.runs / name / "best.npz"
        if not (folder / "run.json").exists():
            raise RecipeError(
                f"{name}, from which this run learns, is not trained: it is not in {self.results}. "
                f"Train it first: --run {name}, or no --run for all of the study."
            )
        if not weights.exists():
            raise RecipeError(
                f"{name}, from which this run learns, is not here with its weights: no {weights}. "
                f"Delete {folder} and train it again."
            )
        run = store.load_run(folder)
        if run.info["dataset"] != self.dataset:
            raise RecipeError(f"{name} learned from {run.info['dataset']}, not {self.dataset}.")
        for field in _IMAGES:
            if (its := getattr(run.recipe, field)) != (own := getattr(recipe, field)):
                raise RecipeError(f"{field}: {name} learned with {its}. Received: {own}.")
        return run
