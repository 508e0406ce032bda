"""A face that was found in a picture, and what the model says of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from ferbook.core.errors import FerbookError


class InputError(FerbookError, ValueError):
    """A picture, video or model file cannot be used; the message says why."""


@dataclass(frozen=True)
class Face:
    """One face and what the model says of it."""

    source: str  # file, or "camera:0"; "" for a picture that was no file
    frame: int  # 0 for a picture
    box: tuple[int, int, int, int]  # left, top, width, height in px
    turn_degrees: float = 0.0  # clockwise, by which it was turned back about the box's middle
    expression: str = ""
    confidence: float = float("nan")
    probabilities: dict[str, float] = dataclasses.field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain Python values, ready for JSON."""
        return dataclasses.asdict(self)
