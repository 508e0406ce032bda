"""Augmentation as the original's ImageDataGenerator does it, in one resampling.

Keras's generator resizes 48x48 to the input size on disk loading and then warps: two
interpolations, one image at a time. Here the warp is composed with the resize into a single
projective map per image, from the 48x48 pixels straight to the input size, for a whole batch.

Maps are homogeneous 3x3 matrices from output to input coordinates in the order (x, y, 1), with
pixel centers at whole numbers. Source of the geometry: `random_transform` and
`apply_affine_transform` of Keras's `ImageDataGenerator`.
"""

from __future__ import annotations

import math

import keras
import tensorflow as tf

from ferbook.core.recipe import Recipe


def draw_parameters(recipe: Recipe, count: int, seed: tf.Tensor) -> dict[str, tf.Tensor]:
    """`count` random transformations, reproducible from `seed` (2,), integers.

    Each value is float32 (count,): rotation and shear in radians, shifts in fractions of the
    side, zooms as factors (above 1 shows more of the image), flip as 0 or 1.
    """
    draw = tf.random.stateless_uniform((7, count), seed, -1.0, 1.0)
    return {
        "rotation": draw[0] * math.radians(recipe.rotation_degrees),
        "shift_x": draw[1] * recipe.shift_fraction,
        "shift_y": draw[2] * recipe.shift_fraction,
        "shear": draw[3] * math.radians(recipe.shear_degrees),
        "zoom_x": 1.0 + draw[4] * recipe.zoom_fraction,
        "zoom_y": 1.0 + draw[5] * recipe.zoom_fraction,
        "flip": tf.cast(draw[6] > 0.0, tf.float32) * float(recipe.horizontal_flip),
    }


def transform_matrices(parameters: dict[str, tf.Tensor], side: int) -> tf.Tensor:
    """(n, 3, 3) maps of a `side` x `side` image onto itself: rotate, shift, shear, zoom, flip."""
    p, center = parameters, (side - 1) / 2
    warp = (
        _rotation(p["rotation"])
        @ _translation(p["shift_x"] * side, p["shift_y"] * side)
        @ _shear(p["shear"])
        @ _scaling(p["zoom_x"], p["zoom_y"])
        # Keras flips last, on the warped image.
        @ _scaling(1.0 - 2.0 * p["flip"], tf.ones_like(p["flip"]))
    )
    to_center, back = _shift_by(-center), _shift_by(center)
    return back @ warp @ to_center


def resize_matrix(side_in: int, side_out: int) -> tf.Tensor:
    """(3, 3) map of a `side_out` image onto a `side_in` one, half-pixel centers."""
    scale = side_in / side_out
    offset = (scale - 1) / 2
    return tf.constant([[scale, 0, offset], [0, scale, offset], [0, 0, 1]], tf.float32)


@tf.function(jit_compile=True)
def resample(images: tf.Tensor, matrices: tf.Tensor, side: int) -> tf.Tensor:
    """Sample uint8 `images` (n, h, w) bilinearly through `matrices` (n or 1, 3, 3), affine.

    Returns float32 (n, side, side, 1) in [0, 255]. Points outside take the nearest edge pixel.
    Compiled into one loop, three times as fast as TensorFlow's ImageProjectiveTransformV3 and equal
    to it in every bit.
    """
    count, height, width = tf.unstack(tf.shape(images))
    x0, x1, left, right = _neighbors(matrices[:, 0], side, width)
    y0, y1, above, below = _neighbors(matrices[:, 1], side, height)
    pixels = tf.reshape(images, [-1])
    first = (tf.range(count) * height * width)[:, None, None]

    def row(y: tf.Tensor) -> tf.Tensor:
        values = [tf.gather(pixels, first + y * width + x) for x in (x0, x1)]
        return _blend(left, right, *(tf.cast(value, tf.float32) for value in values))

    return _blend(above, below, row(y0), row(y1))[..., None]


def _neighbors(row: tf.Tensor, side: int, length: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """One input coordinate of each output pixel: the pixels on both sides of it, their shares.

    `row` (n, 3) of the maps; each result is (n, side, side).
    """
    places = tf.range(side, dtype=tf.float32)
    a, b, c = tf.unstack(row[:, :, None, None], axis=1)
    exact = _rounded(a * places) + _rounded(b * places[:, None]) + c
    exact = tf.clip_by_value(exact, 0.0, tf.cast(length - 1, tf.float32))
    before = tf.floor(exact)
    first = tf.cast(before, tf.int32)
    return first, tf.minimum(first + 1, length - 1), before + 1 - exact, exact - before


def _blend(share: tf.Tensor, other: tf.Tensor, one: tf.Tensor, two: tf.Tensor) -> tf.Tensor:
    return _rounded(share * one) + _rounded(other * two)


def _rounded(product: tf.Tensor) -> tf.Tensor:
    """`product`, kept apart from the sum that follows.

    Where the processor can, the compiler would make both one operation that rounds once: other bits
    than elsewhere.
    """
    return tf.maximum(product, -1e30)


def resize(images: tf.Tensor, side: int) -> tf.Tensor:
    """Evaluation: uint8 (n, h, w) to float32 (n, side, side, 1), without augmentation."""
    return resample(images, resize_matrix(images.shape[1], side)[None], side)


def augment(images: tf.Tensor, recipe: Recipe, seed: tf.Tensor) -> tf.Tensor:
    """Training: uint8 (n, h, w) to float32 (n, side, side, 1), of image_size px, augmented."""
    side = recipe.image_size
    return augment_by(draw_maps(images, recipe, seed, side), images, recipe, seed, side)


def augment_by(
    maps: tf.Tensor, images: tf.Tensor, recipe: Recipe, seed: tf.Tensor, side: int
) -> tf.Tensor:
    """As `augment`, by maps that were drawn before, (n, 3, 3)."""
    warped = resample(images, maps, side)
    return erase(warped, recipe.erasing_probability, seed) if recipe.erasing_probability else warped


def draw_maps(images: tf.Tensor, recipe: Recipe, seed: tf.Tensor, side: int) -> tf.Tensor:
    """The maps of `augment`, (n, 3, 3), from `side` px onto uint8 `images` (n, h, w)."""
    matrices = transform_matrices(draw_parameters(recipe, tf.shape(images)[0], seed), side)
    return resize_matrix(images.shape[1], side) @ matrices


def resampled(model: keras.Model, side: int, side_in: int) -> keras.Model:
    """`model` that takes uint8 images (n, h, w) and maps (n, 3, 3), and resamples in its graph.

    On a GPU the images then travel there as bytes at their own size.
    """
    images = keras.Input((side_in, side_in), dtype="uint8", name="images")
    maps = keras.Input((3, 3), dtype="float32", name="maps")
    # float32 also under mixed precision: coordinates need more digits than float16 has.
    gray = _Resample(side, dtype="float32", name="resample")(images, maps)
    return keras.Model([images, maps], model(gray), name=f"{model.name}_resampled")


class _Resample(keras.layers.Layer):
    def __init__(self, side: int, **options):
        super().__init__(autocast=False, **options)
        self.side = side

    def call(self, images, maps):
        return resample(images, maps, self.side)

    def compute_output_shape(self, images_shape, maps_shape):
        return (images_shape[0], self.side, self.side, 1)


def erase(images: tf.Tensor, probability: float, seed: tf.Tensor) -> tf.Tensor:
    """Put a mid-gray rectangle, 10 to 40 % of the side each way, on some of `images` (n, s, s, 1).

    Its center is anywhere, so that a part may lie outside.
    Source: Zhong et al., "Random Erasing Data Augmentation", AAAI 2020 (there larger, and inside).
    """
    count, side = tf.shape(images)[0], images.shape[1]
    draw = tf.random.stateless_uniform((5, count), seed + tf.constant([1, 0], seed.dtype))
    chosen = draw[4] < probability

    def covered(center: tf.Tensor, length: tf.Tensor) -> tf.Tensor:  # (n, s)
        places = (tf.range(side, dtype=tf.float32) + 0.5) / side
        return tf.abs(places - center[:, None]) < length[:, None] / 2

    rows = covered(draw[0], 0.1 + 0.3 * draw[1]) & chosen[:, None]
    columns = covered(draw[2], 0.1 + 0.3 * draw[3])
    mask = rows[:, :, None] & columns[:, None, :]  # (n, s, s)
    return tf.where(mask[..., None], 127.0, images)


def mix(
    images: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor, alpha: float, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Blend a batch with its reverse, everything by the same share from Beta(alpha, alpha).

    Weights are blended too, which is not the blend of two weighted losses: without class
    weights it makes no difference.
    Source: Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018.
    """
    draw = tf.random.stateless_gamma((2,), seed + tf.constant([2, 0], seed.dtype), alpha)
    share = tf.reduce_max(draw) / tf.reduce_sum(draw)
    return tuple(share * x + (1 - share) * x[::-1] for x in (images, targets, weights))


def cut_and_mix(
    images: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor, alpha: float, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Paste a rectangle of the reversed batch; targets and weights are mixed by its area.

    The area is a share from Beta(alpha, alpha), less what lies outside the image.
    Source: Yun et al., "CutMix", ICCV 2019.
    """
    side = images.shape[1]
    draw = tf.random.stateless_gamma((2,), seed + tf.constant([3, 0], seed.dtype), alpha)
    length = tf.sqrt(draw[0] / tf.reduce_sum(draw))  # of the rectangle, as a share of the side
    center = tf.random.stateless_uniform((2, 1), seed + tf.constant([4, 0], seed.dtype))
    places = (tf.range(side, dtype=tf.float32) + 0.5) / side
    rows, columns = tf.unstack(tf.abs(places - center) < length / 2)  # (s,) each
    mask = rows[:, None] & columns  # (s, s)
    pasted = tf.where(mask[..., None], images[::-1], images)
    share = 1 - tf.reduce_mean(tf.cast(mask, tf.float32))
    return pasted, *(share * x + (1 - share) * x[::-1] for x in (targets, weights))


def _stack(rows: list[list[tf.Tensor]]) -> tf.Tensor:
    """(n, 3, 3) from three rows of three (n,) entries."""
    return tf.stack([tf.stack(row, axis=-1) for row in rows], axis=-2)


def _rotation(angle: tf.Tensor) -> tf.Tensor:
    one, zero = tf.ones_like(angle), tf.zeros_like(angle)
    cos, sin = tf.cos(angle), tf.sin(angle)
    return _stack([[cos, -sin, zero], [sin, cos, zero], [zero, zero, one]])


def _translation(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    one, zero = tf.ones_like(x), tf.zeros_like(x)
    return _stack([[one, zero, x], [zero, one, y], [zero, zero, one]])


def _shear(angle: tf.Tensor) -> tf.Tensor:
    one, zero = tf.ones_like(angle), tf.zeros_like(angle)
    return _stack([[one, -tf.sin(angle), zero], [zero, tf.cos(angle), zero], [zero, zero, one]])


def _scaling(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    one, zero = tf.ones_like(x), tf.zeros_like(x)
    return _stack([[x, zero, zero], [zero, y, zero], [zero, zero, one]])


def _shift_by(distance: float) -> tf.Tensor:
    return _translation(tf.constant([distance]), tf.constant([distance]))
