"""Where the faces are in a picture.

A picture of at most 64 px a side is taken for a face that is already cut out, as those of
FER-2013 are. In larger ones OpenCV's Haar cascade (Viola & Jones, CVPR 2001), which comes with
its package, looks for upright frontal faces, as it did when FER-2013 was gathered.
"""

from __future__ import annotations

import functools
import threading
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from ferbook.data.faces import SIDE
from ferbook.inference.face import Face

LARGEST_CUT_OUT = 64  # px


def faces_in(
    picture: UInt8[np.ndarray, "h w"], source: str, frame: int = 0
) -> list[tuple[Face, np.ndarray]]:
    """The faces of a grey picture, each with its cut-out of 48 x 48 px."""
    import cv2

    h, w = picture.shape
    boxes = [(0, 0, w, h)] if max(h, w) <= LARGEST_CUT_OUT else _detect(picture)
    cut = [picture[y : y + dy, x : x + dx] for x, y, dx, dy in boxes]
    small = [cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for face in cut]
    return [(Face(source, frame, box), face) for box, face in zip(boxes, small, strict=True)]


def _detect(picture: np.ndarray) -> list[tuple[int, int, int, int]]:
    side = max(30, min(picture.shape) // 12)
    boxes = _cascade(threading.get_ident()).detectMultiScale(picture, 1.1, 5, minSize=(side, side))
    return sorted(tuple(map(int, box)) for box in boxes)


@functools.cache
def _cascade(thread: int) -> Any:
    """One for each thread: a classifier keeps what it looks at."""
    import cv2

    return cv2.CascadeClassifier(str(cascade_file()))


def cascade_file() -> Path:
    """The face detector, as OpenCV's package holds it."""
    import cv2

    return Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"
