"""What learns beside the classifier and is left out of it later: heads, and a second network.

The answers of all stand in one row: seven expressions, eight shares of FER+'s votes, the ten
coordinates of five landmarks, each if the recipe has it; then the same of the second network.
"""

from __future__ import annotations

import dataclasses

import keras
import tensorflow as tf
from keras import layers

from ferbook.core.classes import CLASSES
from ferbook.core.recipe import Recipe
from ferbook.data.ferplus import EXPRESSIONS
from ferbook.training import models

VOTES = slice(len(CLASSES), len(CLASSES) + len(EXPRESSIONS))
LANDMARKS = 5  # eyes, tip of the nose, corners of the mouth
PLACES = slice(-2 * LANDMARKS, None)
RISE = 0.25  # of a phase's steps, in which the share that co-teaching leaves out rises from none


def with_auxiliaries(model: keras.Model, recipe: Recipe) -> keras.Model:
    """`model` as the recipe trains it, itself if it has nothing more to learn.

    The heads share all layers but their last; a second network shares none.
    """
    trained = _with_heads(model, recipe)
    if recipe.co_teaching_share == 0:
        return trained
    other = dataclasses.replace(recipe, seed=(recipe.seed + 1) % 2**32)  # another dropout
    other = _with_heads(models.build_model(other), other)
    twin = keras.Model(other.input, other.output, name=models.TWIN)
    both = layers.Concatenate(dtype="float32", name="both_networks")(
        [trained.output, twin(trained.input)]
    )
    return keras.Model(model.input, both, name=f"{model.name}_co_teaching")


def _with_heads(model: keras.Model, recipe: Recipe) -> keras.Model:
    dropped, answers = model.get_layer("dropout").output, [model.output]
    if recipe.ferplus_loss_weight:
        votes = layers.Dense(len(EXPRESSIONS), "softmax", dtype="float32", name="votes")
        answers.append(votes(dropped))
    if recipe.landmark_loss_weight:
        answers.append(layers.Dense(2 * LANDMARKS, dtype="float32", name="landmarks")(dropped))
    if len(answers) == 1:
        return model
    together = layers.Concatenate(dtype="float32", name="heads")(answers)
    return keras.Model(model.input, together, name=f"{model.name}_heads")


def loss(wanted: tf.Tensor, answers: tf.Tensor, recipe: Recipe) -> tf.Tensor:
    """The loss of each image (n,) of one network.

    An image without votes adds none for them, nor a landmark that is not known.
    """
    n = len(CLASSES)
    value = keras.losses.categorical_crossentropy(
        wanted[:, :n], answers[:, :n], label_smoothing=recipe.label_smoothing
    )
    if recipe.ferplus_loss_weight:
        votes = keras.losses.categorical_crossentropy(wanted[:, VOTES], answers[:, VOTES])
        value += recipe.ferplus_loss_weight * votes
    if recipe.landmark_loss_weight:
        places, found = wanted[:, PLACES], answers[:, PLACES]
        known = tf.where(tf.math.is_nan(places), found, places)
        distance = keras.losses.mean_absolute_error(known, found)
        value += recipe.landmark_loss_weight * distance
    return value


def co_teaching_loss(
    one: tf.Tensor, two: tf.Tensor, share: tf.Tensor, progress: tf.Tensor
) -> tf.Tensor:
    """The loss of each image (n,) of two networks that choose for each other what to learn from.

    Each leaves out the `share` of the batch of which the other has the highest losses; during the
    first RISE of the training (`progress`, 0 to 1), fewer.
    Source: Han et al., "Co-teaching", NeurIPS 2018.
    """
    count = tf.cast(tf.size(one), tf.float32)
    kept = tf.math.ceil(count * (1 - share * tf.minimum(progress / RISE, 1.0)))

    def chosen(losses: tf.Tensor) -> tf.Tensor:
        highest = tf.sort(losses)[tf.cast(kept, tf.int32) - 1]
        return tf.cast(losses <= highest, losses.dtype)

    return (one * chosen(two) + two * chosen(one)) * count / kept


def moved(points: tf.Tensor, maps: tf.Tensor, side: int) -> tf.Tensor:
    """Landmarks (n, 5, 2) in px of an image, as an augmented one shows them: (n, 10).

    `maps` (n, 3, 3) lead from `side` px to the image, as `augment.draw_maps` draws them. The result
    is in shares of the side from the middle; in a mirror image, left and right change places.
    """
    ones = tf.ones_like(points[..., :1])
    there = tf.linalg.solve(maps, tf.linalg.matrix_transpose(tf.concat([points, ones], -1)))
    there = tf.linalg.matrix_transpose(there)[..., :2]
    mirrored = tf.linalg.det(maps)[:, None, None] < 0
    there = tf.where(mirrored, tf.gather(there, [1, 0, 2, 4, 3], axis=1), there)
    return tf.reshape((there + 0.5) / side - 0.5, [-1, 2 * LANDMARKS])
