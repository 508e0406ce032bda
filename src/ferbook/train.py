"""The original's two-phase training, made to survive being killed.

Everything random is a function of (seed, epoch, batch), and a checkpoint after each epoch holds
every variable of model and optimizer; so a resumed run is the run that was never interrupted.
"""

from __future__ import annotations

import dataclasses
import functools
from datetime import UTC, datetime
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from ferbook import augment, ferplus, models, splits, store
from ferbook.alone import alone
from ferbook.checkpoint import Checkpoint, EpochEnd
from ferbook.data import Faces, fingerprint
from ferbook.schema import CLASSES, Predictions, Recipe, Run

EVALUATION_BATCH = 128
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
    same end. Raises ValueError when the recipe does more to images than that, or when a run or
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
    dataset = {"name": faces.name, "fingerprint": fingerprint(faces)}
    if (folder / "run.json").exists():
        _check_same(store.load_run(folder), recipe, dataset)
        (own / "state.npz").unlink(missing_ok=True)  # killed after run.json was written
        return
    if augment_in_model:
        _check_resampling_is_all(recipe)
    _set_up(recipe, deterministic)
    parts = splits.split(faces, seed=recipe.seed)
    training = splits.training_subset(parts, recipe)
    checkpoint = Checkpoint(own, recipe, dataset)
    with _strategy().scope():
        model = models.build_model(recipe)
        trained = models.add_votes_head(model, recipe)
        for phase in PHASES:
            _fit_phase(
                phase, trained, recipe, training, parts.val, checkpoint, verbose, augment_in_model
            )
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
        predict(model, parts.val, recipe),
        predict(model, parts.test, recipe),
        frozenset(faces.files[splits.leaked_mask(faces)].tolist()),
        facts,
    )
    checkpoint.finish()


def training_dataset(
    train: Faces, recipe: Recipe, epochs: range, *, augment_in_model: bool = False
) -> tf.data.Dataset:
    """Augmented batches of `epochs`, one after the other.

    With `augment_in_model`, images as they are and their maps, for `augment.resampled`; else it
    yields float32 images (n, side, side, 1), targets (n, 7 or 15) and weights (n,): see `targets`.
    Order and augmentation depend on the seed and the epoch only, never on when a run was resumed.
    """
    images, wanted = tf.constant(train.images), tf.constant(targets(train, recipe))
    weights = splits.class_weights(train.labels, recipe.class_weight_clip)[train.labels]
    weights = tf.constant(weights, tf.float32)

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        seed = tf.stack([tf.constant(recipe.seed, tf.int64), epoch])
        order = tf.random.experimental.stateless_shuffle(tf.range(len(train)), seed)
        batches = tf.data.Dataset.from_tensor_slices(order).batch(recipe.batch_size)
        return batches.enumerate(start=epoch * 2**32)

    def batches(side: int, epochs: range) -> tf.data.Dataset:
        def load(step: tf.Tensor, rows: tf.Tensor):
            seed = tf.stack([tf.constant(recipe.seed, tf.int64), step])
            batch = tf.gather(images, rows)
            if augment_in_model:
                batch = batch, augment.draw_maps(batch, recipe, seed, side)
            else:
                batch = augment.augment(batch, recipe, seed, side)
            batch = batch, tf.gather(wanted, rows), tf.gather(weights, rows)
            if recipe.mixup_alpha:
                batch = augment.mix(*batch, recipe.mixup_alpha, seed)
            if recipe.cutmix_alpha:
                batch = augment.cut_and_mix(*batch, recipe.cutmix_alpha, seed)
            return batch

        numbers = tf.data.Dataset.range(epochs.start, epochs.stop)
        return numbers.flat_map(one_epoch).map(load, num_parallel_calls=tf.data.AUTOTUNE)

    small, full = _by_size(recipe, epochs)
    sizes = (recipe.small_image_size, small), (recipe.image_size, full)
    parts = [batches(side, part) for side, part in sizes if part]
    return functools.reduce(tf.data.Dataset.concatenate, parts).prefetch(tf.data.AUTOTUNE)


def targets(faces: Faces, recipe: Recipe) -> np.ndarray:
    """One-hot labels, float32 (n, 7); with a votes head, followed by the shares of FER+ (n, 8)."""
    one_hot = np.eye(len(CLASSES), dtype=np.float32)[faces.labels]
    if recipe.votes_weight == 0:
        return one_hot
    return np.hstack([one_hot, ferplus.expression_shares(faces.files).astype(np.float32)])


def augmentation_examples(faces: Faces, recipe: Recipe, rounds: int = 3):
    """`faces` as evaluation sees them (n, s, s), and augmented (rounds, n, s, s), in [0, 255]."""
    images = tf.constant(faces.images)
    drawn = [augment.augment(images, recipe, tf.constant([recipe.seed, i])) for i in range(rounds)]
    return augment.resize(images, recipe.image_size)[..., 0].numpy(), np.stack(drawn)[..., 0]


def evaluation_dataset(
    faces: Faces, recipe: Recipe, *, augment_in_model: bool = False
) -> tf.data.Dataset:
    """Batches in file-name order, resized only: float32 images and targets.

    With `augment_in_model`, images as they are and the map that resizes them.
    """
    side_in, side = faces.images.shape[1], recipe.image_size

    def load(images: tf.Tensor, wanted: tf.Tensor):
        if not augment_in_model:
            return augment.resize(images, side), wanted
        maps = tf.repeat(augment.resize_matrix(side_in, side)[None], tf.shape(images)[0], axis=0)
        return (images, maps), wanted

    arrays = faces.images, targets(faces, recipe)
    batches = tf.data.Dataset.from_tensor_slices(arrays).batch(EVALUATION_BATCH)
    return batches.map(load, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def predict(model: keras.Model, faces: Faces, recipe: Recipe) -> Predictions:
    """The model's answers on `faces`; with test-time augmentation, their mean over both mirrors."""
    mirrored = dataclasses.replace(faces, images=faces.images[:, :, ::-1])
    once, again = (
        model.predict(evaluation_dataset(part, recipe), verbose=0) for part in (faces, mirrored)
    )
    return Predictions(faces.files, faces.labels, once, (once + again) / 2)


def _fit_phase(
    phase: str,
    model: keras.Model,
    recipe: Recipe,
    train: Faces,
    val: Faces,
    checkpoint: Checkpoint,
    verbose: int,
    augment_in_model: bool,
) -> None:
    epochs = recipe.warmup_epochs if phase == "warmup" else recipe.finetune_epochs
    if epochs == 0 or checkpoint.has_finished(phase):
        return
    done = len(checkpoint.rows(phase))
    (models.freeze_backbone if phase == "warmup" else models.unfreeze)(model, recipe)
    if augment_in_model:
        model = augment.resampled(model, recipe.image_size, train.images.shape[1])
    steps = -(-len(train) // recipe.batch_size)
    _compile(model, recipe, _optimizer(phase, recipe, steps))
    stateful = _stoppers(recipe) if recipe.schedule == "plateau" else []
    averaging = [keras.callbacks.SwapEMAWeights()] if recipe.ema_momentum else []
    # Epochs count over both phases in the data's seed, so that no two epochs are alike.
    first = 0 if phase == "warmup" else recipe.warmup_epochs
    model.fit(
        training_dataset(
            train, recipe, range(first + done, first + epochs), augment_in_model=augment_in_model
        ),
        validation_data=evaluation_dataset(val, recipe, augment_in_model=augment_in_model),
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
            raise ValueError(
                f"augment_in_model: needs {name} 0, since the model's graph resamples to one size "
                f"and no more. Received: {name} {getattr(recipe, name)}."
            )


def _by_size(recipe: Recipe, epochs: range) -> tuple[range, range]:
    """`epochs`, divided where phase 2 goes from small images to full ones."""
    if epochs.start < recipe.warmup_epochs < epochs.stop:
        raise ValueError(f"epochs: expected those of one phase. Received: {epochs}.")
    warmup = epochs.start < recipe.warmup_epochs
    edge = 0 if warmup else recipe.warmup_epochs + recipe.small_epochs
    edge = min(max(edge, epochs.start), epochs.stop)
    return range(epochs.start, edge), range(edge, epochs.stop)


def _stoppers(recipe: Recipe) -> list[keras.callbacks.Callback]:
    patience = recipe.early_stopping_patience, recipe.plateau_patience
    return [
        keras.callbacks.EarlyStopping("val_loss", mode="min", patience=patience[0]),
        keras.callbacks.ReduceLROnPlateau(
            "val_loss", mode="min", factor=recipe.plateau_factor, patience=patience[1]
        ),
    ]


def _optimizer(phase: str, recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    average = {"use_ema": recipe.ema_momentum > 0, "ema_momentum": recipe.ema_momentum}
    if phase == "warmup":
        return keras.optimizers.Adam(recipe.warmup_learning_rate, **average)
    rate = recipe.finetune_learning_rate
    if recipe.schedule == "cosine":
        steps *= recipe.finetune_epochs
        rise = round(recipe.rise_fraction * steps)
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, steps - rise, warmup_target=rate, warmup_steps=rise
        )
    if recipe.finetune_optimizer == "adam":
        return keras.optimizers.Adam(rate, **average)
    return keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, **average)


def _compile(model: keras.Model, recipe: Recipe, optimizer: keras.optimizers.Optimizer) -> None:
    n = len(CLASSES)

    def loss(wanted: tf.Tensor, answers: tf.Tensor) -> tf.Tensor:
        value = keras.losses.categorical_crossentropy(
            wanted[:, :n], answers[:, :n], label_smoothing=recipe.label_smoothing
        )
        if recipe.votes_weight == 0:
            return value
        votes = keras.losses.categorical_crossentropy(wanted[:, n:], answers[:, n:])
        return value + recipe.votes_weight * votes  # an image without votes adds 0

    def accuracy(wanted: tf.Tensor, answers: tf.Tensor) -> tf.Tensor:
        return keras.metrics.categorical_accuracy(wanted[:, :n], answers[:, :n])

    # A bare function would become a metric within the first step, which is then traced twice.
    metric = keras.metrics.MeanMetricWrapper(accuracy, name="accuracy")
    # XLA on a CPU is several times slower.
    model.compile(optimizer, loss, metrics=[metric], jit_compile=_has_gpu())


def _has_gpu() -> bool:
    return bool(tf.config.list_physical_devices("GPU"))


def _strategy() -> tf.distribute.Strategy:
    """Several GPUs share each batch; one GPU or a processor has it for itself."""
    several = len(tf.config.list_logical_devices("GPU")) > 1
    return tf.distribute.MirroredStrategy() if several else tf.distribute.get_strategy()


def _set_up(recipe: Recipe, deterministic: bool = False) -> None:
    keras.utils.set_random_seed(recipe.seed)
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.config.set_dtype_policy("mixed_float16" if _has_gpu() else "float32")


def _check_same(run: Run, recipe: Recipe, dataset: dict[str, str]) -> None:
    for what, found, wanted in (
        ("recipe", run.recipe, recipe),
        ("data set", run.info["dataset"], dataset),
    ):
        if found != wanted:
            raise ValueError(
                f"{run.study}/{run.name}: a finished run of another {what} ({found}) stands in the "
                f"result store. Give yours ({wanted}) another name or study."
            )
