"""From gray pictures to where CenterFace sees faces in them, at one scale.

A spot is where a face may be: score, x and y of its middle, side (px; the mean of the network's
height and width) and how far it is turned (degrees, clockwise).
"""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ferbook.inference import centerface
from ferbook.inference.face import InputError
from ferbook.inference.session import open_session

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

    Spots = Float[np.ndarray, "n 5"]

CELL = 4  # px of a picture to a cell of the maps
MULTIPLE = 32  # of px, to which a picture is filled up with black
_building = threading.Lock()


def look(pictures: UInt8[np.ndarray, "n h w"], least_score: float) -> list[Spots]:
    """The spots above the score in each picture; neighbors show the same face."""
    return [decode(*maps, least_score) for maps in zip(*maps_of(pictures), strict=True)]


def maps_of(pictures: UInt8[np.ndarray, "n h w"]) -> list[Float[np.ndarray, "n c rows columns"]]:
    """What `decode` takes, each for all pictures; a cell is of CELL x CELL px."""
    height, width = pictures.shape[1:]
    fill = [(0, 0), (0, 0), (0, -height % MULTIPLE), (0, -width % MULTIPLE)]
    filled = np.pad(pictures[:, None].astype(np.float32), fill)
    return _session().run(["heatmap", "size", "offset", "landmarks"], {"pictures": filled})


def decode(
    heatmap: Float[np.ndarray, "1 r c"],
    size: Float[np.ndarray, "2 r c"],
    offset: Float[np.ndarray, "2 r c"],
    landmarks: Float[np.ndarray, "10 r c"],
    least_score: float,
) -> Spots:
    """The spots of all cells above the score, row by row.

    Of each pair of maps the first is of y. Sizes are logarithms of cells, landmarks are shares of
    the box from its corner; the first two are the eyes, from left to right.
    """
    at = heatmap[0] > least_score
    row, column = np.nonzero(at)
    height, width = CELL * np.exp(size[:, at])
    y, x = CELL * (np.stack([row, column]) + 0.5 + offset[:, at])
    eyes = landmarks[:4, at]
    turn = np.arctan2(height * (eyes[2] - eyes[0]), width * (eyes[3] - eyes[1]))
    side = np.sqrt(height * width)
    return np.stack([heatmap[0, at], x, y, side, np.degrees(turn)], axis=1).astype(float)


def of_union(one: Float[np.ndarray, "5"], spots: Spots) -> Float[np.ndarray, " n"]:
    """Of one square and each of several, as if upright: the share of their union in both."""
    shared = _shared(one, spots)
    return shared / (one[3] ** 2 + spots[:, 3] ** 2 - shared)


def nearness(one: Float[np.ndarray, "5"], spots: Spots) -> Float[np.ndarray, " n"]:
    """1 where two middles are one, 0.5 where one lies on the edge of the larger square."""
    away = np.abs(one[1:3] - spots[:, 1:3]).max(axis=1)
    return 1 - away / np.maximum(one[3], spots[:, 3])


def _shared(one: np.ndarray, spots: Spots) -> Float[np.ndarray, " n"]:
    reach = (one[3] + spots[:, 3:4]) / 2 - np.abs(one[1:3] - spots[:, 1:3])
    return np.clip(reach, 0, np.minimum(one[3], spots[:, 3:4])).prod(axis=1)


def best(spots: Spots, most: float, share: Callable[..., np.ndarray] = of_union) -> Spots:
    """Of spots that share more than `most`, the one of highest score; the highest comes first."""
    spots = spots[np.argsort(-spots[:, 0], kind="stable")]
    kept = []
    while len(spots):
        kept.append(spots[0].copy())  # a view would keep all others of its round in memory
        spots = spots[1:][share(spots[0], spots[1:]) <= most]
    return np.array(kept).reshape(-1, 5)


def _session() -> Any:
    with _building:  # several threads may ask at once
        return _built()


@functools.cache
def _built() -> Any:
    content = centerface.MODEL.read_bytes()
    if hashlib.sha256(content).hexdigest() != centerface.SHA256:
        raise InputError(f"{centerface.MODEL.name}: altered (SHA-256). Install ferbook again.")
    return open_session(content)
