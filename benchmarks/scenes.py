"""Synthetic scenes: faces of FER-2013 pasted onto backgrounds that a program drew.

How faces lie in them is known, which is what a detector is measured against. Backgrounds are
clouds of several sizes, figures and noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import UInt8

SMALL, LARGE = (480, 640), (3000, 4000)  # px: height, width
BORDER = 0.12  # of a face's side: how wide the transition is


@dataclass(frozen=True)
class Condition:
    """How the faces of a scene look."""

    angle_degrees: float = 0.0  # to either side
    light: float = 1.0  # share of it
    hidden: bool = False  # one half of each face
    count: int = 1
    size: tuple[int, int] = SMALL
    sides: tuple[int, int] = (24, 400)  # px; logarithms are drawn evenly


class Placed(NamedTuple):
    """A face in a scene: which one, its center, side (px) and angle (degrees, clockwise)."""

    index: int
    x: float
    y: float
    side: float
    angle: float


Gray = UInt8[np.ndarray, "h w"]


def scenes(condition: Condition, faces: UInt8[np.ndarray, "n 48 48"], seed: int):
    """As many scenes as it takes for all `faces`, in order: pictures with what lies in them."""
    rng = np.random.default_rng(seed)
    for start in range(0, len(faces), condition.count):
        indices = range(start, min(start + condition.count, len(faces)))
        yield _scene(condition, faces, indices, rng)


def background(size: tuple[int, int], rng: np.random.Generator) -> Gray:
    """A picture without a face."""
    height, width = size
    picture = np.full(size, rng.uniform(60, 180), np.float32)
    for cells in (2, 5, 12, 40):
        grid = rng.normal(0, 60 / cells**0.5, (cells, cells)).astype(np.float32)
        picture += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(rng.integers(10, 40)):
        _draw_figure(picture, rng)
    picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.5, 2.0))
    picture += rng.normal(0, rng.uniform(1, 6), size).astype(np.float32)
    return picture.clip(0, 255).astype(np.uint8)


def _draw_figure(picture: np.ndarray, rng: np.random.Generator) -> None:
    """A filled or an empty rectangle, an ellipse or a line."""
    height, width = picture.shape
    center = tuple(map(int, rng.uniform(0, (width, height))))
    extent = np.exp(rng.uniform(np.log(6), np.log(height / 3), 2)).astype(int)
    gray, thickness = rng.uniform(0, 255), int(rng.choice([-1, 2, 5]))
    kind = rng.integers(3)
    if kind == 0:
        corner = tuple(int(c + e) for c, e in zip(center, extent, strict=True))
        cv2.rectangle(picture, center, corner, gray, thickness)
    elif kind == 1:
        axes = tuple(map(int, extent))
        cv2.ellipse(picture, center, axes, rng.uniform(0, 180), 0, 360, gray, thickness)
    else:
        cv2.line(picture, center, tuple(map(int, rng.uniform(0, (width, height)))), gray,
                 int(rng.integers(1, 8)))  # fmt: skip


def _scene(
    condition: Condition, faces: np.ndarray, indices: range, rng: np.random.Generator
) -> tuple[Gray, list[Placed]]:
    picture = background(condition.size, rng)
    placed: list[Placed] = []
    for index in indices:
        place = _place(index, condition, placed, rng)
        face = _half_hidden(faces[index], rng) if condition.hidden else faces[index]
        _paste(picture, face, place)
        placed.append(place)
    if condition.light < 1:
        dark = picture * condition.light + rng.normal(0, 2, picture.shape)
        picture = dark.clip(0, 255).round().astype(np.uint8)
    return picture, placed


def _place(
    index: int, condition: Condition, others: list[Placed], rng: np.random.Generator
) -> Placed:
    """Inside the picture, apart from the others; ever smaller until there is room."""
    height, width = condition.size
    least, most = np.log(condition.sides)
    angle = condition.angle_degrees * rng.choice([-1, 1])
    while True:
        side = float(np.exp(rng.uniform(least, most)))
        x, y = (rng.uniform(side / 2, length - side / 2) for length in (width, height))
        if all(np.hypot(x - o.x, y - o.y) > 0.75 * (side + o.side) for o in others):
            return Placed(index, x, y, side, angle)
        most = max(least, most - 0.02)


def _half_hidden(face: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The left, the right or the lower half of one gray with noise, as behind a hand or a scarf."""
    hidden, half = face.copy(), len(face) // 2
    part = [np.s_[:, :half], np.s_[:, half:], np.s_[half:]][rng.integers(3)]
    cover = rng.normal(rng.uniform(20, 235), 8, hidden[part].shape)
    hidden[part] = cover.clip(0, 255)
    return hidden


def _paste(picture: Gray, face: np.ndarray, place: Placed) -> None:
    """Scale, turn and blend; the border goes over softly into the background."""
    side = round(place.side)
    how = cv2.INTER_AREA if side < len(face) else cv2.INTER_CUBIC
    scaled = cv2.resize(face, (side, side), interpolation=how)
    edge = np.minimum(np.arange(side) + 0.5, side - np.arange(side) - 0.5) / (BORDER * side)
    weight = np.minimum.outer(edge, edge).clip(0, 1).astype(np.float32)
    middle = (side - 1) / 2
    turn = cv2.getRotationMatrix2D((middle, middle), -place.angle, 1.0)
    turn[:, 2] += place.x - middle, place.y - middle
    shape = picture.shape[::-1]
    moved = cv2.warpAffine(scaled, turn, shape, borderMode=cv2.BORDER_REPLICATE)
    share = cv2.warpAffine(weight, turn, shape)
    picture[:] = np.round(share * moved + (1 - share) * picture)
