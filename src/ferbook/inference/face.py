"""A face that was found in a picture, and what the model says of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from ferbook.core.classes import CLASSES
from ferbook.core.errors import FerbookError

Box = tuple[int, int, int, int]  # left, top, width, height in px


class InputError(FerbookError, ValueError):
    """A picture, video or model file cannot be used; the message says why."""


def whole_number(name: str, value: Any, least: int) -> None:
    """Raise InputError unless an option is a whole number of at least `least`."""
    if not isinstance(value, Integral) or value < least:
        raise InputError(f"{name}: expected a whole number, {least} or more. Received: {value!r}.")


@dataclass(frozen=True)
class Face:
    """One face and what the model says of it.

    `source` is a file or "camera:0", and "" for a picture that was no file; `frame` is 0 for a
    picture. `box` is left, top, width and height in px, `turn_degrees` by how much the face was
    turned back about its middle, clockwise. `seconds` counts from the first frame of a video, and
    `track` is a number for each face that a video follows; both are None for a picture.
    `expression` is the likeliest of `ferbook.CLASSES`, `confidence` its probability in [0, 1], and
    `probabilities` has those of all seven, smoothed over the frames of a video where that was asked
    for; `unsmoothed` then has the frame's own.
    """

    source: str
    frame: int
    box: Box
    turn_degrees: float = 0.0
    seconds: float | None = None
    track: int | None = None
    expression: str = ""
    confidence: float = float("nan")
    probabilities: dict[str, float] = dataclasses.field(default_factory=dict)
    unsmoothed: dict[str, float] = dataclasses.field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain Python values, ready for JSON."""
        return dataclasses.asdict(self)

    def answered(self, probabilities: Sequence[float] | np.ndarray) -> Face:
        """With these probabilities, in the order of CLASSES, and the likeliest expression."""
        shares = {name: round(float(p), 4) for name, p in zip(CLASSES, probabilities, strict=True)}
        best = CLASSES[int(np.argmax(probabilities))]
        return dataclasses.replace(
            self, expression=best, confidence=shares[best], probabilities=shares
        )
