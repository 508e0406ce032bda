"""From faces to the batches that a network learns from or is judged on, and its answers.

Order and augmentation are functions of (seed, epoch, batch), never of when a run was resumed.
"""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import tensorflow as tf
from jaxtyping import Float

from ferbook.core.classes import CLASSES
from ferbook.core.predictions import Predictions
from ferbook.core.recipe import Recipe, RecipeError
from ferbook.data import ferplus, splits
from ferbook.data.faces import Faces
from ferbook.training import augment, auxiliary, optimization

EVALUATION_BATCH = 128


def training_dataset(
    train: Faces,
    recipe: Recipe,
    epochs: range,
    *,
    taught: Float[np.ndarray, "n 7"] | None = None,
    landmarks: Float[np.ndarray, "n 5 2"] | None = None,
    augment_in_model: bool = False,
) -> tf.data.Dataset:
    """Augmented batches of `epochs`, which see images of one size; see `by_size`.

    With `augment_in_model`, images as they are and their maps, for `augment.resampled`; else it
    yields float32 images (n, side, side, 1), targets (n, outputs) and weights (n,): see `targets`.
    `taught` are the answers of other runs on the same images, see `targets`; `landmarks`, in
    px, those of the images, for a recipe that learns them.
    """
    ((side, _),) = by_size(recipe, epochs)
    images, wanted = tf.constant(train.images), tf.constant(targets(train, recipe, taught))
    weights = splits.class_weights(train.labels, recipe.class_weight_clip)[train.labels]
    weights = tf.constant(weights, tf.float32)
    points = None if landmarks is None else tf.constant(landmarks, tf.float32)

    def load(step: tf.Tensor, rows: tf.Tensor):
        seed = tf.stack([tf.constant(recipe.seed, tf.int64), step])
        batch, answers = tf.gather(images, rows), tf.gather(wanted, rows)
        maps = augment.draw_maps(batch, recipe, seed, side)
        if points is not None:
            places = auxiliary.moved(tf.gather(points, rows), maps, side)
            answers = tf.concat([answers[:, : -places.shape[1]], places], axis=1)
        if augment_in_model:
            shown = batch, maps
        else:
            shown = augment.augment_by(maps, batch, recipe, seed, side)
        batch = shown, answers, tf.gather(weights, rows)
        if recipe.mixup_alpha:
            batch = augment.mix(*batch, recipe.mixup_alpha, seed)
        if recipe.cutmix_alpha:
            batch = augment.cut_and_mix(*batch, recipe.cutmix_alpha, seed)
        return batch

    batches = _shuffled(len(train), recipe, epochs)
    return batches.map(load, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def _shuffled(count: int, recipe: Recipe, epochs: range) -> tf.data.Dataset:
    """Step and rows (batch,) of each batch; the steps of an epoch count from 2**32 times it."""

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        seed = tf.stack([tf.constant(recipe.seed, tf.int64), epoch])
        order = tf.random.experimental.stateless_shuffle(tf.range(count), seed)
        batches = tf.data.Dataset.from_tensor_slices(order).batch(recipe.batch_size)
        return batches.enumerate(start=epoch * 2**32)

    return tf.data.Dataset.range(epochs.start, epochs.stop).flat_map(one_epoch)


def check_resampling_is_all(recipe: Recipe) -> None:
    """Raise RecipeError where `augment_in_model` cannot do what the recipe does to images."""
    for name in ("erasing_probability", "mixup_alpha", "cutmix_alpha", "small_epochs"):
        if getattr(recipe, name):
            raise RecipeError(
                f"augment_in_model: needs {name} 0, since the model's graph resamples to one size "
                f"and no more. Received: {name} {getattr(recipe, name)}."
            )


def targets(
    faces: Faces, recipe: Recipe, taught: Float[np.ndarray, "n 7"] | None = None
) -> Float[np.ndarray, "n outputs"]:
    """One-hot labels, float32 (n, 7); with a votes head, followed by the shares of FER+ (n, 8).

    `taught` takes the recipe's share of the labels' place. With a head for landmarks, ten NaNs
    follow: where they are is up to the augmentation.
    """
    wanted = np.eye(len(CLASSES), dtype=np.float32)[faces.labels]
    if taught is not None:
        share = recipe.distillation_share
        wanted = ((1 - share) * wanted + share * taught).astype(np.float32)
    parts = [wanted]
    if recipe.ferplus_loss_weight:
        parts.append(ferplus.expression_shares(faces.files).astype(np.float32))
    if recipe.landmark_loss_weight:
        parts.append(np.full((len(faces), 2 * auxiliary.LANDMARKS), np.nan, np.float32))
    return np.hstack(parts)


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
    model.jit_compile = optimization.uses_xla()  # else Keras decides for a network never compiled
    mirrored = dataclasses.replace(faces, images=faces.images[:, :, ::-1])
    once, again = (
        model.predict(evaluation_dataset(part, recipe), verbose=0) for part in (faces, mirrored)
    )
    return Predictions(faces.files, faces.labels, once, (once + again) / 2)


def by_size(recipe: Recipe, epochs: range) -> list[tuple[int, range]]:
    """`epochs`, of one phase, by the side of their images in px: the small ones come first.

    Raises ValueError for epochs of both phases.
    """
    if epochs.start < recipe.warmup_epochs < epochs.stop:
        raise ValueError(f"epochs: expected those of one phase. Received: {epochs}.")
    warmup = epochs.start < recipe.warmup_epochs
    edge = 0 if warmup else recipe.warmup_epochs + recipe.small_epochs
    edge = min(max(edge, epochs.start), epochs.stop)
    small, full = range(epochs.start, edge), range(edge, epochs.stop)
    sizes = (recipe.small_image_size, small), (recipe.image_size, full)
    return [(side, part) for side, part in sizes if part]
