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


class InputError(FerbookError, ValueError):
    """A picture, video or model file cannot be used; the message says why."""


def whole_number(name: str, value: Any, least: int) -> None:
    """Raise InputError unless an option is a whole number of at least `least`."""
    if not isinstance(value, Integral) or value < least:
        raise InputError(f"{name}: expected a whole number, {least} or more. Received: {value!r}.")


@dataclass(frozen=True)
class Face:
    """One face and what the model says of it."""

    source: str  # file, or "camera:0"; "" for a picture that was no file
    frame: int  # 0 for a picture
    box: tuple[int, int, int, int]  # left, top, width, height in px
    turn_degrees: float = 0.0  # clockwise, by which it was turned back about the box's middle
    seconds: float | None = None  # since the first frame of a video; None for a picture
    track: int | None = None  # a number for each face that a video follows; None for a picture
    expression: str = ""
    confidence: float = float("nan")
    probabilities: dict[str, float] = dataclasses.field(default_factory=dict)
    unsmoothed: dict[str, float] = dataclasses.field(default_factory=dict)  # the frame's own

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
