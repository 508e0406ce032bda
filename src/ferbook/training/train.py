"""The original's two-phase training, made to survive being killed.

Everything random is a function of (seed, epoch, batch), and a checkpoint after each epoch holds
every variable of model and optimizer; so a resumed run is the run that was never interrupted.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import keras
import pandas as pd
import tensorflow as tf

from ferbook.core.lock import alone
from ferbook.core.recipe import Recipe, RecipeError
from ferbook.core.run import Run
from ferbook.data import splits
from ferbook.data.faces import Faces
from ferbook.results import store
from ferbook.training import augment, distillation, input_pipeline, models, optimization
from ferbook.training.checkpoint import Checkpoint, EpochEnd

PHASES = ("warmup", "finetune")


def train(
    recipe: Recipe,
    faces: Faces,
    *,
    study: str,
    results_dir: str | Path = "results",
    runs_dir: str | Path = "runs",
    verbose: int = 2,
    deterministic: bool = False,
    augment_in_model: bool = False,
) -> Path:
    """Train `recipe` on `faces`, or resume, and write the run to the result store.

    Returns the run's folder; a run that is finished there is not trained again.
    `runs_dir` keeps the checkpoints of unfinished runs. `verbose` as in `keras.Model.fit`.
    `deterministic` makes every op give the same bits each time, on a GPU too, and takes longer.
    With `augment_in_model`, images are resampled in the model's graph, on a GPU by the GPU, to the
    same end. Raises RecipeError when the recipe does more to images than that, or when a run or
    checkpoint of another recipe or data set is in the way, BusyError when another process trains
    the same run.
    """
    folder, own = store.run_folder(results_dir, study, recipe), Path(runs_dir) / study
    with alone(own / f"{recipe.run_name}.lock", f"{study}/{recipe.run_name}"):
        own /= recipe.run_name
        _train(recipe, faces, folder, own, verbose, deterministic, augment_in_model)
    return folder


def _train(
    recipe: Recipe,
    faces: Faces,
    folder: Path,
    own: Path,
    verbose: int,
    deterministic: bool,
    augment_in_model: bool,
) -> None:
    dataset = {"name": faces.name, "fingerprint": faces.fingerprint}
    if (folder / "run.json").exists():
        _check_same(store.load_run(folder), recipe, dataset)
        (own / "state.npz").unlink(missing_ok=True)  # killed after run.json was written
        return
    if augment_in_model:
        _check_resampling_is_all(recipe)
    parts = splits.split(faces, seed=recipe.seed)
    training = splits.training_subset(parts, recipe)
    # Before the seed is set: the network then starts as it would without teachers.
    taught = distillation.answers(recipe, training, dataset, folder.parent, own.parent)
    set_up(recipe, deterministic)
    where = {"augment_in_model": augment_in_model}
    feed = functools.partial(
        input_pipeline.training_dataset, training, recipe, taught=taught, **where
    )
    val = input_pipeline.evaluation_dataset(parts.val, recipe, **where)
    checkpoint = Checkpoint(own, recipe, dataset)
    strategy = _strategy()
    if recipe.sam_radius and strategy.num_replicas_in_sync > 1:
        raise RecipeError(
            f"sam_radius: on one device only. Received: {strategy.num_replicas_in_sync} devices."
        )
    with strategy.scope():
        model = models.build_model(recipe)
        trained = models.add_votes_head(model, recipe)
        fitted = trained
        if augment_in_model:
            fitted = augment.resampled(fitted, recipe.image_size, training.images.shape[1])
        if recipe.sam_radius:
            fitted = optimization.SharpnessAware(fitted, recipe.sam_radius)
        for phase in PHASES:
            (models.freeze_backbone if phase == "warmup" else models.unfreeze)(trained, recipe)
            steps = -(-len(training) // recipe.batch_size)
            _fit_phase(phase, fitted, recipe, feed, steps, val, checkpoint, verbose)
        checkpoint.restore_best(trained)
    facts = {
        "dataset": dataset,
        "parameters": models.count_parameters(model, recipe),
        **checkpoint.provenance,
        "deterministic": deterministic,
        "seconds": sum(row["seconds"] for row in checkpoint.history),
        "cpu_seconds": sum(row["cpu_seconds"] for row in checkpoint.history),
        "images_seen": len(training) * len(checkpoint.history),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    store.write_run(
        folder,
        recipe,
        pd.DataFrame(checkpoint.history),
        input_pipeline.predict(model, parts.val, recipe),
        input_pipeline.predict(model, parts.test, recipe),
        frozenset(faces.files[faces.leaked].tolist()),
        facts,
    )
    checkpoint.finish()


def _fit_phase(
    phase: str,
    model: keras.Model,
    recipe: Recipe,
    feed: Callable[[range], tf.data.Dataset],
    steps: int,
    val: tf.data.Dataset,
    checkpoint: Checkpoint,
    verbose: int,
) -> None:
    epochs = recipe.warmup_epochs if phase == "warmup" else recipe.finetune_epochs
    if epochs == 0 or checkpoint.has_finished(phase):
        return
    done = len(checkpoint.rows(phase))
    optimization.compile_model(model, recipe, optimization.optimizer(phase, recipe, steps))
    stateful = optimization.stoppers(recipe) if recipe.schedule == "plateau" else []
    averaging = [keras.callbacks.SwapEMAWeights()] if recipe.ema_momentum else []
    # Epochs count over both phases in the data's seed, so that no two epochs are alike.
    first = 0 if phase == "warmup" else recipe.warmup_epochs
    model.fit(
        feed(range(first + done, first + epochs)),
        validation_data=val,
        shuffle=False,  # the dataset shuffles
        steps_per_epoch=steps,
        initial_epoch=done,
        epochs=epochs,
        callbacks=[*averaging, *stateful, EpochEnd(phase, checkpoint, stateful)],
        verbose=verbose,
    )


def _check_resampling_is_all(recipe: Recipe) -> None:
    for name in ("erasing_probability", "mixup_alpha", "cutmix_alpha", "small_epochs"):
        if getattr(recipe, name):
            raise RecipeError(
                f"augment_in_model: needs {name} 0, since the model's graph resamples to one size "
                f"and no more. Received: {name} {getattr(recipe, name)}."
            )


def _strategy() -> tf.distribute.Strategy:
    """Several GPUs share each batch; one GPU or a processor has it for itself."""
    several = len(tf.config.list_logical_devices("GPU")) > 1
    return tf.distribute.MirroredStrategy() if several else tf.distribute.get_strategy()


def set_up(recipe: Recipe, deterministic: bool = False) -> None:
    """Seeds and precision of a training; a GPU computes in float16 where that is safe."""
    keras.utils.set_random_seed(recipe.seed)
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.config.set_dtype_policy("mixed_float16" if optimization.has_gpu() else "float32")


def _check_same(run: Run, recipe: Recipe, dataset: dict[str, str]) -> None:
    for what, found, wanted in (
        ("recipe", run.recipe, recipe),
        ("data set", run.info["dataset"], dataset),
    ):
        if found != wanted:
            raise RecipeError(
                f"{run.study}/{run.name}: a finished run of another {what} ({found}) stands in the "
                f"result store. Give yours ({wanted}) another name or study."
            )
