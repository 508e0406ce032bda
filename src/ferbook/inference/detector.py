"""Where the faces are in a picture, and how each is cut out for the classifier.

A picture of at most 64 px a side is taken for a face that is already cut out, as those of
FER-2013 are. In larger ones a small network looks for faces; see `centerface`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2  # here, and not in a function: its first import fails in two threads at once
import numpy as np

from ferbook.core.classes import SIDE
from ferbook.inference.centerface.search import find, turned
from ferbook.inference.face import Box, Face, InputError, whole_number

if TYPE_CHECKING:
    from jaxtyping import UInt8

LARGEST_CUT_OUT = 64  # px
MIN_FACE = 20  # px; the same in a large picture, where a distant face is as small
# Both chosen on synthetic scenes made from training images.
CUT_OUT = 1.18  # sides of the network's square to one of FER-2013's
LEAST_TURN = 15  # degrees; less is left as it is, since the classifier was trained on it


@dataclass(frozen=True)
class Search:
    """How faces are looked for: not at all with `whole` or `boxes`.

    Raises InputError for a value out of range.
    """

    whole: bool = False  # each picture is one face
    min_face: int = MIN_FACE  # px a side
    boxes: tuple[Box, ...] | None = None  # where they are, when that is known
    most: int | None = None  # of those found, only the largest

    def __post_init__(self) -> None:
        whole_number("min_face", self.min_face, MIN_FACE)
        if self.most is not None:
            whole_number("faces", self.most, 1)


SEARCH = Search()


def faces_in(
    picture: UInt8[np.ndarray, "h w"], source: str, frame: int = 0, search: Search = SEARCH
) -> list[tuple[Face, np.ndarray]]:
    """The faces of a gray picture, each with its cut-out of 48 x 48 px.

    Raises InputError for a box that leaves the picture, and for a picture without pixels.
    """
    if not picture.size:
        raise InputError(f"a picture of {picture.shape[1]} x {picture.shape[0]} px.")
    places = _places(picture, search)
    return [(Face(source, frame, *place), _cut_out(picture, *place)) for place in places]


def _places(picture: np.ndarray, search: Search) -> list[tuple[Box, float]]:
    """Boxes and by how many degrees each face is turned."""
    h, w = picture.shape
    if search.boxes is not None:
        return [(_inside(box, w, h), 0.0) for box in search.boxes]
    if search.whole or max(h, w) <= LARGEST_CUT_OUT:
        return [((0, 0, w, h), 0.0)]
    places = detect(picture, search.min_face)
    return sorted(sorted(places, key=lambda place: -place[0][2])[: search.most])


def _inside(box: Box, width: int, height: int) -> Box:
    try:
        left, top, w, h = () if isinstance(box, str) else map(int, box)
    except (OverflowError, TypeError, ValueError):
        raise InputError(f"boxes: expected (left, top, width, height). Received: {box}.") from None
    if min(left, top) < 0 or min(w, h) < 1 or left + w > width or top + h > height:
        raise InputError(
            f"boxes: expected left, top, width, height inside {width} x {height} px. "
            f"Received: {(left, top, w, h)}."
        )
    return left, top, w, h


def detect(picture: UInt8[np.ndarray, "h w"], min_face: int = MIN_FACE) -> list[tuple[Box, float]]:
    """Squares inside the picture, from left to right, and by how many degrees each face is turned.

    A face that is turned by less than LEAST_TURN counts as upright.
    """
    places = []
    for _, x, y, side, turn in find(picture, min_face):
        box = _square(x, y, CUT_OUT * side, *picture.shape)
        if box[2] >= min_face:
            places.append((box, round(float(turn), 1) if abs(turn) >= LEAST_TURN else 0.0))
    return sorted(places)


def _square(x: float, y: float, side: float, height: int, width: int) -> Box:
    """About a middle, or beside it as far as the picture's border asks."""
    whole = min(round(side), height, width)
    left, top = round(x - whole / 2), round(y - whole / 2)
    return min(max(left, 0), width - whole), min(max(top, 0), height - whole), whole, whole


def _cut_out(picture: np.ndarray, box: Box, turn: float) -> np.ndarray:
    """The face of `box`, turned back to upright, as 48 x 48 px."""
    x, y, w, h = box
    face = picture[y : y + h, x : x + w]
    if turn:
        face = turned(picture, (x + (w - 1) / 2, y + (h - 1) / 2), w, turn, w)
    return cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
