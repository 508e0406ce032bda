"""How many faces of synthetic scenes the detector finds, beside OpenCV's Haar cascade.

The scenes are made from test images; settings were chosen on others, made from training images.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from benchmarks import scenes
from benchmarks.interleaved import Budget, interleave, python
from benchmarks.scenes import LARGE, Condition, Placed
from ferbook.data import splits
from ferbook.data.faces import Faces
from ferbook.data.sources import load
from ferbook.inference import detector, tracking
from ferbook.inference.classifier import Classifier
from ferbook.inference.face import Box, Face

CONDITIONS = {
    "upright": Condition(),
    "turned by 30 degrees": Condition(30),
    "turned by 45 degrees": Condition(45),
    "dark": Condition(light=0.15),
    "half hidden": Condition(hidden=True),
    "six in a picture": Condition(count=6, sides=(24, 150)),
    "in 12 megapixels": Condition(count=10, size=LARGE),
}
TIMED = {"640 x 480": "upright", "4000 x 3000": "in 12 megapixels"}
TURNS = (0, 15, 30, 45)  # degrees
TURNED = {"count": 4, "sides": (64, 150)}  # scenes on which the classifier is measured
FOUND = 0.4  # of the union of a face's square and a box is shared, at least
SEED = 2027
COUNTED = ("found", "seen", "false", "false_on_face")  # by `hits`
Detector = Callable[[np.ndarray], list[Box]]


def detection(budget: Budget, data: str) -> dict[str, Any]:
    """Seconds, faces found and false alarms of each detector, and what turning back is worth.

    `data` is what `load` takes; `budget.scenes` faces are shown in each condition.
    """
    faces = splits.split(load(data)).test
    random = np.random.default_rng(SEED)
    times = {size: _times(CONDITIONS[name], faces, budget) for size, name in TIMED.items()}
    first_answer = _first_answers(budget.starts)
    order = random.permutation(len(faces))
    conditions = {
        name: _count(
            scenes.scenes(condition, faces.images[_some(order, i, budget.scenes)], SEED + i)
        )
        for i, (name, condition) in enumerate(CONDITIONS.items())
    }
    empty = ((scenes.background(scenes.SMALL, random), []) for _ in range(budget.scenes))
    return {
        "unit": "faces",
        "data": faces.name,
        "found_overlap": FOUND,
        "seconds": times,
        "first_answer_seconds": first_answer,
        "conditions": conditions | {"no face": _count(empty)},
        "turned_back": {str(turn): _turned_back(faces, order, turn, budget) for turn in TURNS},
    }


def _some(order: np.ndarray, part: int, count: int) -> np.ndarray:
    return order.take(range(part * count, (part + 1) * count), mode="wrap")


def _count(pictures: Iterable[tuple[np.ndarray, list[Placed]]]) -> dict[str, Any]:
    """Faces shown, scenes, and of each detector what `hits` counts."""
    counts = {name: np.zeros(len(COUNTED), int) for name in DETECTORS}
    faces = number = 0
    for picture, placed in pictures:
        faces, number = faces + len(placed), number + 1
        for name, detect in DETECTORS.items():
            counts[name] += hits(placed, detect(picture))
    return {"faces": faces, "scenes": number} | {
        name: dict(zip(COUNTED, found.tolist(), strict=True)) for name, found in counts.items()
    }


def _times(condition: Condition, faces: Faces, budget: Budget) -> dict[str, list[float]]:
    """Seconds of processor time, all threads, of each detector for one scene."""
    picture, _ = next(scenes.scenes(condition, faces.images[: condition.count], SEED))
    calls = {
        name: lambda detect=detect: _worked(lambda: detect(picture))
        for name, detect in DETECTORS.items()
    }
    return interleave(min(5, budget.rounds), calls)


def _center_face(picture: np.ndarray) -> list[Box]:
    return [box for box, _ in detector.detect(picture)]


def _haar(picture: np.ndarray) -> list[Box]:
    file = Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"
    least = (detector.MIN_FACE, detector.MIN_FACE)
    return cv2.CascadeClassifier(str(file)).detectMultiScale(picture, 1.1, 5, minSize=least)


DETECTORS: dict[str, Detector] = {"CenterFace": _center_face, "Haar": _haar}


def hits(placed: list[Placed], boxes: Sequence[Box]) -> tuple[int, int, int, int]:
    """How many faces have a box, how many have a box on them, how many boxes have no face, and how
    many of these lie on one.

    A face and a box belong together if the box and the face's square, as if upright, share FOUND
    of their union. A box of whatever size lies on a face if its middle is in the square, since in
    a loose or shifted image of FER-2013 the face itself fills a part of the square alone.
    """
    shared = np.array([[overlap(face, box) for box in boxes] for face in placed])
    shared = shared.reshape(len(placed), len(boxes)) >= FOUND
    false = [box for box, has in zip(boxes, shared.any(axis=0), strict=True) if not has]
    on_face = sum(any(_holds(face, box) for face in placed) for box in false)
    seen = sum(any(_holds(face, box) for box in boxes) for face in placed)
    return int(shared.any(axis=1).sum()), seen, len(false), on_face


def _holds(face: Placed, box: Box) -> bool:
    left, top, width, height = box
    away = max(abs(left + width / 2 - face.x), abs(top + height / 2 - face.y))
    return away <= face.side / 2


def overlap(face: Placed, box: Box) -> float:
    """Intersection over union of a face's upright square and a box."""
    left, top = face.x - face.side / 2, face.y - face.side / 2
    return tracking.overlap((left, top, face.side, face.side), box)


def _turned_back(faces: Faces, order: np.ndarray, turn: float, budget: Budget) -> dict[str, int]:
    """Of faces that were found: how many the classifier gets right, turned back and left turned."""
    rows = order[: budget.scenes]
    labels, model = faces.labels[rows], Classifier()
    shown = []
    for picture, placed in scenes.scenes(Condition(turn, **TURNED), faces.images[rows], SEED - 1):
        for face, cut_out in detector.faces_in(picture, ""):
            at = [place.index for place in placed if overlap(place, face.box) >= FOUND]
            shown += [(labels[i], cut_out, _left_turned(picture, face)) for i in at]
    if not shown:
        return {"faces": len(rows), "found": 0, "right_turned_back": 0, "right_left_turned": 0}
    truth, back, left = map(np.array, zip(*shown, strict=True))
    right = [int((model.probabilities(cut).argmax(axis=1) == truth).sum()) for cut in (back, left)]
    return {"faces": len(rows), "found": len(truth),
            "right_turned_back": right[0], "right_left_turned": right[1]}  # fmt: skip


def _left_turned(picture: np.ndarray, face: Face) -> np.ndarray:
    ((_, cut_out),) = detector.faces_in(picture, "", search=detector.Search(boxes=(face.box,)))
    return cut_out


def _first_answers(rounds: int) -> list[float]:
    """Seconds of processor time of a new process that answers to one picture of 512 x 512 px."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scene.png"
        Image.fromarray(scenes.background((512, 512), np.random.default_rng(SEED))).save(path)
        code = f"import ferbook; ferbook.predict({str(path)!r})"
        return [_worked(lambda: python("-c", code)) for _ in range(1 + rounds)][1:]


def _worked(call: Callable[[], Any]) -> float:
    """Seconds for which a call keeps processors busy, those of ended child processes included."""
    before = os.times()
    call()
    return sum(os.times()[:4]) - sum(before[:4])
