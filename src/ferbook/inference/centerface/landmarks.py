"""Eyes, tip of the nose and corners of the mouth, as CenterFace sees them in images of one face."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ferbook.inference.centerface.network import CELL, maps_of
from ferbook.inference.centerface.search import turned

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

BATCH = 64
PIXELS, SIDES = 160, 1.5  # of a view of the image, its border drawn out, and how many of its sides
LEAST_SCORE = 0.25  # of a face


def find_landmarks(images: UInt8[np.ndarray, "n s s"]) -> Float[np.ndarray, "n 5 2"]:
    """x and y, in px from the middle of the first pixel, of faces that fill their images.

    Left eye, right eye, nose, left and right corner of the mouth, as the image has left and right;
    NaN where no face is seen.
    """
    parts = (images[at : at + BATCH] for at in range(0, len(images), BATCH))
    return np.concatenate([np.zeros((0, 5, 2)), *map(_of_batch, parts)])


def _of_batch(images: UInt8[np.ndarray, "n s s"]) -> Float[np.ndarray, "n 5 2"]:
    side = images.shape[1]
    middle = ((side - 1) / 2, (side - 1) / 2)
    views = np.stack([turned(image, middle, SIDES * side, 0, PIXELS) for image in images])
    seen = np.stack([_of_view(*maps) for maps in zip(*maps_of(views), strict=True)])
    return (seen - (PIXELS - 1) / 2) * SIDES * side / PIXELS + middle


def _of_view(heatmap, size, offset, landmarks) -> Float[np.ndarray, "5 2"]:
    """The landmarks of the likeliest face, in px of the view."""
    row, column = np.unravel_index(heatmap[0].argmax(), heatmap[0].shape)
    if heatmap[0, row, column] < LEAST_SCORE:
        return np.full((5, 2), np.nan)
    y, x = CELL * (np.array([row, column]) + 0.5 + offset[:, row, column])
    height, width = CELL * np.exp(size[:, row, column])
    shares = landmarks[:, row, column].reshape(5, 2)[:, ::-1]  # the first of each pair is of y
    return (x - width / 2, y - height / 2) + shares * (width, height)
