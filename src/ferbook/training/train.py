"""The original's two-phase training, made to survive being killed.

Everything random is a function of (seed, epoch, batch), and a checkpoint after each epoch holds
every variable of model and optimizer; so a resumed run is the run that was never interrupted.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import pandas as pd
import tensorflow as tf

from ferbook.core.lock import alone
from ferbook.core.recipe import Recipe, RecipeError
from ferbook.data import ferplus, splits
from ferbook.data.duplicates import duplicate_groups, validation_twins
from ferbook.data.faces import Faces
from ferbook.inference.centerface.landmarks import find_landmarks
from ferbook.results import store
from ferbook.results.run import LIFTED, Run
from ferbook.results.study import checked_name
from ferbook.training import (
    augment,
    auxiliary,
    device,
    input_pipeline,
    models,
    optimization,
    pruning,
)
from ferbook.training.checkpoint import Checkpoint, CheckpointError, load_network
from ferbook.training.earlier import Earlier
from ferbook.training.identity import check_same
from ferbook.training.phases import PHASES, fit_phase


@dataclass(frozen=True)
class _How:
    """What a training's caller chooses and its answers do not depend on, but for their bits."""

    verbose: int
    deterministic: bool
    augment_in_model: bool


def train(
    recipe: Recipe,
    faces: Faces,
    *,
    study: str,
    results_dir: str | Path = "results",
    runs_dir: str | Path = "runs",
    final: bool = True,
    verbose: int = 2,
    deterministic: bool = False,
    augment_in_model: bool = False,
) -> Path:
    """Train `recipe` on `faces`, or resume, and write the run to the result store.

    Returns the run's folder; a run that is finished there is not trained again.
    `runs_dir` keeps the checkpoints of unfinished runs and the best epoch of finished ones. Without
    `final`, the run is a trial: it predicts validation images alone, and can be made final later.
    `verbose` as in `keras.Model.fit`. `deterministic` makes every op give the same bits each time,
    on a GPU too, and takes longer. With `augment_in_model`, images are resampled in the model's
    graph, on a GPU by the GPU, to the same end.
    Raises StudyError for a study that cannot be a folder of runs, RecipeError when the recipe does
    more to images than that, or when a run of another recipe or data set is in the way,
    CheckpointError for such a checkpoint, BusyError when another process trains the same run.
    """
    folder = store.run_folder(results_dir, checked_name(study), recipe)
    own = Path(runs_dir) / study
    how = _How(verbose, deterministic, augment_in_model)
    with _policy_restored(), alone(own / f"{recipe.run_name}.lock", f"{study}/{recipe.run_name}"):
        own /= recipe.run_name
        if not (folder / "run.json").exists():
            _train(recipe, faces, folder, own, how, final=final)
            return folder
        run = store.load_run(folder)
        check_same(run, recipe, _about(faces))
        _tidy(own, recipe, _about(faces))
        if final and not run.is_final:
            _finish(run, faces, folder, own)
    return folder


@contextlib.contextmanager
def _policy_restored() -> Iterator[None]:
    """What is built afterward, as for an export, has the precision that it would have had.

    What was built before leaves the memory of the device, where the next training needs it.
    """
    before = keras.config.dtype_policy()
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
        gc.collect()


def _tidy(own: Path, recipe: Recipe, dataset: dict[str, str]) -> None:
    """Delete what a training leaves that is killed after run.json was written; no other's state."""
    if not (own / "state.npz").exists():
        return
    with contextlib.suppress(CheckpointError):
        checkpoint = Checkpoint(own, recipe, dataset)
        if checkpoint.has_finished(PHASES[-1]):
            checkpoint.finish()


def _train(
    recipe: Recipe, faces: Faces, folder: Path, own: Path, how: _How, *, final: bool
) -> None:
    if how.augment_in_model:
        input_pipeline.check_resampling_is_all(recipe)
    parts = splits.split_for(faces, recipe)
    training = splits.training_subset(parts, recipe)
    # Before the seed is set: the network then starts as it would without teachers.
    earlier = Earlier(folder.parent, own.parent, _about(faces))
    taught = earlier.answers(recipe, training)
    steps = _steps(recipe, training)
    points = find_landmarks(training.images) if recipe.landmark_loss_weight else None
    set_up(recipe, how.deterministic)
    where = {"augment_in_model": how.augment_in_model}
    feed = functools.partial(
        input_pipeline.training_dataset, training, recipe, taught=taught, landmarks=points, **where
    )
    val = input_pipeline.evaluation_dataset(parts.val, recipe, **where)
    checkpoint = Checkpoint(own, recipe, _about(faces), deterministic=how.deterministic)
    strategy = optimization.strategy()
    device.check_replicas(recipe, strategy.num_replicas_in_sync, len(training), len(parts.val))
    with strategy.scope():
        model = models.build_model(recipe)
        trained = auxiliary.with_auxiliaries(model, recipe)
        earlier.start(trained, recipe)
        if recipe.pruned_share:
            pruning.prune(model, recipe.pruned_share)
        fitted = _wrapped(trained, recipe, training.images.shape[1], how)
        for phase in PHASES:
            if phase == "warmup":
                models.freeze_backbone(trained)
            else:
                models.unfreeze(trained, recipe)
            fit_phase(phase, fitted, recipe, feed, steps, val, checkpoint, how.verbose)
        checkpoint.restore_best(trained)
    facts = _facts(faces, model, recipe, checkpoint, len(training))
    history = pd.DataFrame(checkpoint.history)
    _write(folder, recipe, history, model, parts, faces, facts, final=final)
    checkpoint.finish()


def _steps(recipe: Recipe, training: Faces) -> int:
    """The batches of an epoch; what would train nothing is told."""
    if recipe.ferplus_loss_weight and not (ferplus.pluralities(training.files) >= 0).any():
        warnings.warn("ferplus_loss_weight: no training image has votes in FER+.", stacklevel=3)
    steps = -(-len(training) // recipe.batch_size)
    if recipe.accumulate > steps:
        raise RecipeError(
            f"accumulate: expected at most {steps}, the batches of an epoch. "
            f"Received: {recipe.accumulate}."
        )
    return steps


def _facts(
    faces: Faces, model: keras.Model, recipe: Recipe, checkpoint: Checkpoint, images: int
) -> dict[str, Any]:
    """What run.json says of a training on so many images."""
    return {
        "dataset": _about(faces),
        "parameters": models.count_parameters(model, recipe),
        **checkpoint.provenance,
        "seconds": sum(row["seconds"] for row in checkpoint.history),
        "cpu_seconds": sum(row["cpu_seconds"] for row in checkpoint.history),
        "images_seen": images * len(checkpoint.history),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _wrapped(model: keras.Model, recipe: Recipe, side: int, how: _How) -> keras.Model:
    """`model` with what the recipe puts around it while it is fitted."""
    if how.augment_in_model:
        model = augment.resampled(model, recipe.image_size, side)
    return optimization.SharpnessAware(model, recipe.sam_radius) if recipe.sam_radius else model


def _write(
    folder: Path,
    recipe: Recipe,
    history: pd.DataFrame,
    model: keras.Model,
    parts: splits.Split,
    faces: Faces,
    facts: dict[str, Any],
    *,
    final: bool,
) -> None:
    """Predict and write the run; the test images of a trial are never looked at."""
    store.write_run(
        folder,
        recipe,
        history,
        input_pipeline.predict(model, parts.val, recipe),
        input_pipeline.predict(model, parts.test, recipe) if final else None,
        facts,
        leaked_files=frozenset(faces.files[faces.leaked].tolist()),
        val_twins=validation_twins(parts.val.files, duplicate_groups(faces)),
    )


def _finish(run: Run, faces: Faces, folder: Path, own: Path) -> None:
    """Make a trial final: its best epoch, kept by the training, predicts the test images."""
    device.set_precision()
    model, parts = load_network(run, own / "best.npz"), splits.split_for(faces, run.recipe)
    written = {"recipe", "final", "metrics", *LIFTED}
    facts = {name: value for name, value in run.info.items() if name not in written}
    _write(folder, run.recipe, run.history, model, parts, faces, facts, final=True)


def _about(faces: Faces) -> dict[str, str]:
    return {"name": faces.name, "fingerprint": faces.fingerprint}


def set_up(recipe: Recipe, deterministic: bool = False) -> None:
    """Seeds and precision of a training; a GPU computes in float16 where that is safe."""
    keras.utils.set_random_seed(recipe.seed)
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    device.set_precision()
