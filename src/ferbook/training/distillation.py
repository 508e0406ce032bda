"""Learning from the mean answers of other runs, an ensemble, beside the labels.

Source: Hinton, Vinyals & Dean, "Distilling the Knowledge in a Neural Network", 2015; here without
a temperature.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float

from ferbook.core.recipe import Recipe, RecipeError
from ferbook.data.faces import Faces
from ferbook.results import store
from ferbook.training import checkpoint, input_pipeline


def answers(
    recipe: Recipe, faces: Faces, dataset: dict[str, str], results: Path, runs: Path
) -> Float[np.ndarray, "n 7"] | None:
    """What the recipe's teachers say of `faces`, averaged over them and both mirrors; None without.

    `results` and `runs` are the folders of the study in the result store and among the checkpoints.
    Raises RecipeError when a teacher is missing there or learned from another `dataset`.
    """
    found = [_answers(run_name, faces, dataset, results, runs) for run_name in recipe.teacher_runs]
    return np.mean(found, axis=0, dtype=np.float32) if found else None


def _answers(
    run_name: str, faces: Faces, dataset: dict[str, str], results: Path, runs: Path
) -> np.ndarray:
    try:
        run = store.load_run(results / run_name)
        model = checkpoint.load_network(run, runs / run_name / "best.npz")
    except (FileNotFoundError, ValueError) as error:
        raise RecipeError(
            f"teachers: {run_name} is not trained, or its weights are not kept ({error}). "
            f"Delete {results / run_name} and train it first."
        ) from error
    if run.info["dataset"] != dataset:
        raise RecipeError(
            f"teachers: {run_name} learned from {run.info['dataset']}, not {dataset}."
        )
    return input_pipeline.predict(model, faces, run.recipe).augmented
