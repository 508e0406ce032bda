"""Where the faces are in a picture.

A picture of at most 64 px a side is taken for a face that is already cut out, as those of
FER-2013 are. In larger ones OpenCV's Haar cascade (Viola & Jones, CVPR 2001), which comes with
its package, looks for upright frontal faces, as it did when FER-2013 was gathered.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2  # here, and not in a function: its first import fails in two threads at once
import numpy as np
from jaxtyping import UInt8

from ferbook.data.faces import SIDE
from ferbook.inference.face import Face, InputError

LARGEST_CUT_OUT = 64  # px
MIN_FACE = 30  # px; the same in a large picture, where a distant face is as small
Box = tuple[int, int, int, int]  # left, top, width, height in px

_own = threading.local()  # a cascade keeps what it looks at, so each thread has one


@dataclass(frozen=True)
class Search:
    """How faces are looked for: not at all with `whole` or `boxes`."""

    whole: bool = False  # each picture is one face
    min_face: int = MIN_FACE  # px a side
    boxes: tuple[Box, ...] | None = None  # where they are, when that is known


SEARCH = Search()


def faces_in(
    picture: UInt8[np.ndarray, "h w"], source: str, frame: int = 0, search: Search = SEARCH
) -> list[tuple[Face, np.ndarray]]:
    """The faces of a grey picture, each with its cut-out of 48 x 48 px.

    Raises InputError for a box that leaves the picture.
    """
    boxes = _boxes(picture, search)
    cut = [picture[y : y + dy, x : x + dx] for x, y, dx, dy in boxes]
    small = [cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for face in cut]
    return [(Face(source, frame, box), face) for box, face in zip(boxes, small, strict=True)]


def _boxes(picture: np.ndarray, search: Search) -> list[Box]:
    h, w = picture.shape
    if search.boxes is not None:
        return [_inside(box, w, h) for box in search.boxes]
    if search.whole or max(h, w) <= LARGEST_CUT_OUT:
        return [(0, 0, w, h)]
    return _detect(picture, search.min_face)


def _inside(box: Box, width: int, height: int) -> Box:
    try:
        left, top, w, h = map(int, box)
    except (TypeError, ValueError):
        raise InputError(f"boxes: expected (left, top, width, height). Received: {box}.") from None
    if min(left, top) < 0 or min(w, h) < 1 or left + w > width or top + h > height:
        raise InputError(
            f"boxes: expected left, top, width, height inside {width} x {height} px. "
            f"Received: {(left, top, w, h)}."
        )
    return left, top, w, h


def _detect(picture: np.ndarray, min_face: int) -> list[Box]:
    smallest = (min_face, min_face)
    return sorted(
        tuple(map(int, box))
        for box in _cascade().detectMultiScale(picture, 1.1, 5, minSize=smallest)
    )


def _cascade() -> Any:
    if not hasattr(_own, "cascade"):
        _own.cascade = cv2.CascadeClassifier(str(cascade_file()))
    return _own.cascade


def cascade_file() -> Path:
    """The face detector, as OpenCV's package holds it."""
    return Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"
