"""The faces of a whole picture: a first look at several scales, then closer ones.

The network sees a turned or small face with little confidence, and much else as well. What it may
be is looked at again as if it were upright and of the size that the network knows best: twice, and
in a mirror, where what was seen by chance is not seen. The geometric mean of these three scores
decides. All constants were chosen on synthetic scenes made from training images and on
photographs of scikit-image.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from ferbook.inference.centerface.network import best, look, nearness

if TYPE_CHECKING:
    from jaxtyping import UInt8

    from ferbook.inference.centerface.network import Spots

    Gray = UInt8[np.ndarray, "h w"]

FIRST_SCORE = 0.01  # for a second look
LIKELY_SCORE = 0.1  # for a second look even if there are more than
PLACES = 24  # for a second look at least
PLACES_OF_LARGE = 16  # for each million pixels begun
MOST_LIKELY = 2000  # for a second look: a stand of spectators has some hundreds, noise has more
LAST_SCORE = 0.1  # of a face
MOST_OVERLAP = 0.3  # of the union of two places of the first look, which are else one
MOST_ALIKE = 0.7  # of that of two places between closer looks, of which the likelier may be lost
MOST_NEAR = 0.41  # of two faces, which are else one: no middle in the cut-out of the other
LEAST_SEEN = 20  # px, of a face in the first look
LEVEL, TILE, SHARED = 160, 1024, 128  # px: the smallest scale, a tile, what neighbors share
BATCH = 16  # closer looks at once, of up to 8 MB each
CLOSER = ((112, 2.0), (160, 1.25))  # px of a closer look, and how many sides of a face it shows
LOOKS = len(CLOSER) + 1  # with the one in a mirror
MOST_WARPED = 32766  # px a side that OpenCV turns at once
MOST_TURN = 60  # degrees; more is an error of the first look


class Frame(NamedTuple):
    """A turned square of a picture: its middle, its side (px) and degrees, clockwise."""

    x: float
    y: float
    side: float
    turn: float


def find(picture: Gray, min_face: int) -> Spots:
    """The faces, the most certain first; those much smaller than `min_face` px may be missed."""
    levels = _pyramid(picture, min_face)
    spots = best(np.concatenate([_first(*level) for level in levels]), MOST_OVERLAP)
    places = max(PLACES, PLACES_OF_LARGE * math.ceil(picture.size / 1e6))
    likely = min(int((spots[:, 0] > LIKELY_SCORE).sum()), MOST_LIKELY)
    spots = spots[: max(places, likely)]
    spots[:, 0] = 1  # from here on a product of scores
    for look_closer in CLOSER:
        seen = _closer(levels, spots, *look_closer)
        for found, before in zip(seen, spots, strict=True):
            found[:, 0] *= before[0]
        spots = best(np.concatenate([spots[:0], *seen]), MOST_ALIKE)
        spots = spots[spots[:, 0] > LAST_SCORE**LOOKS]  # others cannot become a face
    mirrored = [one[:, 0].sum() for one in _closer(levels, spots, *CLOSER[-1], mirrored=True)]
    spots[:, 0] = (spots[:, 0] * mirrored) ** (1 / LOOKS)
    return best(spots[spots[:, 0] > LAST_SCORE], MOST_NEAR, nearness)


def _pyramid(picture: Gray, min_face: int) -> list[tuple[float, Gray]]:
    """The picture at half the scale of before each, the largest first."""
    levels = [(1.0, picture)]
    while max(levels[-1][1].shape) > LEVEL and min(levels[-1][1].shape) > 1:
        scale, level = levels[-1]
        h, w = (length // 2 for length in level.shape)
        half = cv2.resize(level[: 2 * h, : 2 * w], (w, h), interpolation=cv2.INTER_AREA)
        levels.append((scale / 2, half))
    enough = [level for level in levels if min_face * level[0] < 2 * LEAST_SEEN]
    return enough or levels[-1:]


def _first(scale: float, level: Gray) -> Spots:
    """Where to look again, in px of the picture."""
    found = [np.zeros((0, 5))]
    for left, top, tile in _tiles(level):
        (spots,) = look(tile[None], FIRST_SCORE)
        spots = best(spots, MOST_OVERLAP)
        spots[:, 1:4] = (spots[:, 1:4] + (left, top, 0)) / scale
        found.append(spots)
    return np.concatenate(found)


def _tiles(level: Gray) -> Iterator[tuple[int, int, Gray]]:
    """Left, top and pixels of parts that overlap: the network's memory grows with its picture."""
    height, width = level.shape
    for top in range(0, max(1, height - SHARED), TILE - SHARED):
        for left in range(0, max(1, width - SHARED), TILE - SHARED):
            yield left, top, level[top : top + TILE, left : left + TILE]


def _closer(
    levels: list[tuple[float, Gray]],
    spots: Spots,
    pixels: int,
    sides: float,
    *,
    mirrored: bool = False,
) -> list[Spots]:
    """Each spot as it looks from near, or none if nothing is seen there.

    Of mirror images only the score is of use.
    """
    frames = [Frame(x, y, sides * side, turn if abs(turn) < MOST_TURN else 0.0)
              for _, x, y, side, turn in spots]  # fmt: skip
    found = []
    for at in range(0, len(frames), BATCH):
        views = np.stack([_view(levels, frame, pixels) for frame in frames[at : at + BATCH]])
        found += look(views[:, :, ::-1] if mirrored else views, FIRST_SCORE)
    return [_in_picture(frame, pixels, seen) for frame, seen in zip(frames, found, strict=True)]


def _view(levels: list[tuple[float, Gray]], frame: Frame, pixels: int) -> Gray:
    """A frame from the scale at which it has no more than about `pixels` px a side."""
    fits = (one for one in levels if frame.side * one[0] < 1.5 * pixels)
    scale, level = next(fits, levels[-1])
    middle = (frame.x * scale - 0.5, frame.y * scale - 0.5)
    return turned(level, middle, frame.side * scale, frame.turn, pixels)


def turned(
    picture: Gray, middle: tuple[float, float], side: float, degrees: float, pixels: int
) -> Gray:
    """A square of `side` px about `middle`, turned clockwise, as `pixels` x `pixels`; bilinear.

    Outside of the picture its border goes on.
    """
    if max(picture.shape) > MOST_WARPED:
        picture, middle = _about(picture, middle, side)
    step, half = side / pixels, (pixels - 1) / 2
    cos, sin = step * np.cos(np.radians(degrees)), step * np.sin(np.radians(degrees))
    x, y = middle
    back = np.array([[cos, -sin, x - half * (cos - sin)], [sin, cos, y - half * (cos + sin)]])
    return cv2.warpAffine(picture, back, (pixels, pixels), borderMode=cv2.BORDER_REPLICATE,
                          flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)  # fmt: skip


def _about(
    picture: Gray, middle: tuple[float, float], side: float
) -> tuple[Gray, tuple[float, float]]:
    """As much of a picture as a turned square may show, and where its middle is in it."""
    (x, left, right), (y, top, bottom) = (
        _along(place, side, length)
        for place, length in zip(middle, picture.shape[::-1], strict=True)
    )
    return picture[top:bottom, left:right], (x, y)


def _along(place: float, side: float, length: int) -> tuple[float, int, int]:
    """Of one axis: the middle in the part, and where the part begins and ends."""
    reach = math.ceil(side) + 2  # more than half the diagonal and a pixel beside it
    begin = min(max(0, math.floor(place) - reach), length - 1)
    return place - begin, begin, max(begin + 1, math.ceil(place) + reach)


def _in_picture(frame: Frame, pixels: int, seen: Spots) -> Spots:
    """The likeliest spot about the middle of a view, as the picture has it."""
    u, v = (seen[:, 1:3] - pixels / 2).T
    near = seen[np.hypot(u, v) < pixels / 4]
    if not len(near):
        return near
    score, u, v, size, more = near[near[:, 0].argmax()]
    step, angle = frame.side / pixels, np.radians(frame.turn)
    cos, sin = step * np.cos(angle), step * np.sin(angle)
    u, v = u - pixels / 2, v - pixels / 2
    x, y = frame.x + cos * u - sin * v, frame.y + sin * u + cos * v
    return np.array([[score, x, y, step * size, frame.turn + more]])
