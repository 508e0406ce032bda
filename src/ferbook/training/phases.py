"""The two phases of the original's training: first the head alone, then all layers."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf

from ferbook.core.recipe import Recipe
from ferbook.training import device, input_pipeline, optimization
from ferbook.training.callbacks import EpochEnd, RawWeights
from ferbook.training.checkpoint import Checkpoint

PHASES = ("warmup", "finetune")


def fit_phase(
    phase: str,
    model: keras.Model,
    recipe: Recipe,
    feed: Callable[[range], tf.data.Dataset],
    steps: int,
    val: tf.data.Dataset,
    checkpoint: Checkpoint,
    verbose: int,
) -> None:
    """Fit what the checkpoint has not of `phase`, each part of it on images of one size.

    `feed` gives the data of some epochs, `steps` are the batches of one.
    Raises DivergedError without a finite loss, DeviceError when a batch does not fit into memory.
    """
    epochs = recipe.warmup_epochs if phase == "warmup" else recipe.finetune_epochs
    if epochs == 0 or checkpoint.has_finished(phase):
        return
    done = len(checkpoint.rows(phase))
    optimization.compile_model(model, recipe, phase, steps)
    stateful = optimization.stoppers(recipe) if recipe.schedule == "plateau" else []
    averaging = [keras.callbacks.SwapEMAWeights(), RawWeights()] if recipe.ema_momentum else []
    # Epochs count over both phases in the data's seed, so that no two epochs are alike.
    first = 0 if phase == "warmup" else recipe.warmup_epochs
    for _, part in input_pipeline.by_size(recipe, range(first + done, first + epochs)):
        model.train_function = None  # traced anew for each size of images, which is then known
        pace = [device.Pace(recipe, part.start, steps)] if verbose else []
        with device.enough_memory(recipe):
            model.fit(
                feed(part),
                validation_data=val,
                shuffle=False,  # the dataset shuffles
                steps_per_epoch=steps,
                initial_epoch=part.start - first,
                epochs=part.stop - first,
                callbacks=[
                    *averaging,
                    *stateful,
                    EpochEnd(phase, epochs, checkpoint, stateful),
                    *pace,
                ],
                verbose=verbose,
            )
