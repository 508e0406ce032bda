"""Faces drawn by code, with planted defects that are all known.

They stand in for FER-2013 where it is absent: same classes, imbalance, file names and kinds of
defect (exact copies, wrong labels, constant images), so that training can be tried and audits can
be tested for what they find. They say nothing about real faces.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int, UInt8

from ferbook.core.classes import CLASSES, SIDE
from ferbook.data.drawing import draw_face
from ferbook.data.faces import OFFICIAL_COUNTS, USAGES, Faces

WRONG_FRACTION = 0.03  # of all images, beside the copies with conflicting labels
COPY_FRACTION = 0.05  # FER-2013 has 1,853 surplus copies among 35,887 images
CONFLICT_EVERY = 8  # copies; in FER-2013 57 of 1,516 groups conflict, too few to test with
CONSTANT_GRAYS = (0, 255)  # two values, lest the constant images be copies of each other
MIN_PER_CLASS = 3  # images of each class in each usage


@dataclass(frozen=True)
class Planted:
    """The truth that audits of the synthetic faces should find; all are names of files."""

    duplicates: tuple[tuple[str, str], ...]  # (original, pixel-identical copy)
    wrong_labels: tuple[tuple[str, str], ...]  # (file, class drawn), conflicting copies included
    constant: tuple[str, ...]  # one gray value, no face; their labels mean nothing


def draw_faces(
    n_train: int = 2400, n_test: int = 600, *, seed: int = 0, image_size: int = SIDE
) -> tuple[Faces, Planted]:
    """Draw `n_train` + `n_test` faces of `image_size` px, half of the test PublicTest.

    Class counts have FER-2013's proportions, with at least 3 images per class and usage; the
    labels are those of the folders, which for `Planted.wrong_labels` are not what was drawn.
    The same arguments give the same bytes.

    Raises ValueError unless n_train >= 50, n_test >= 50, seed >= 0 and image_size >= 16.
    """
    _check_least(n_train=(n_train, 50), n_test=(n_test, 50))
    _check_least(seed=(seed, 0), image_size=(image_size, 16))
    rng = np.random.default_rng(seed)
    files, labels = _name_files(rng, n_train, n_test)
    constant, wrong, copies = _plan_defects(rng, labels, np.char.startswith(files, "train/"))
    drawn = labels.copy()
    drawn[wrong] = (labels[wrong] + rng.integers(1, len(CLASSES), len(wrong))) % len(CLASSES)
    images = np.stack([draw_face(rng, CLASSES[label], image_size) for label in drawn])
    images[constant] = np.array(CONSTANT_GRAYS, np.uint8)[:, None, None]
    for original, copy in copies:
        images[copy], drawn[copy] = images[original], drawn[original]
    names, mislabeled = files.tolist(), np.flatnonzero(drawn != labels)
    planted = Planted(
        duplicates=tuple((names[original], names[copy]) for original, copy in copies),
        wrong_labels=tuple((names[row], CLASSES[drawn[row]]) for row in mislabeled),
        constant=tuple(names[row] for row in constant),
    )
    return Faces(images, labels, files, "synthetic"), planted


def _check_least(**arguments: tuple[int, int]) -> None:
    for name, (value, least) in arguments.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise ValueError(f"{name}: expected an int of {least} or more. Received: {value!r}.")


def _name_files(
    rng: np.random.Generator, n_train: int, n_test: int
) -> tuple[np.ndarray, UInt8[np.ndarray, " n"]]:
    """Sorted file names, (n,) str, and the labels that their folders give."""
    totals = (n_train, n_test // 2, n_test - n_test // 2)
    places = [
        (usage, label)
        for usage, total in zip(USAGES, totals, strict=True)
        for label, count in enumerate(_class_counts(total, OFFICIAL_COUNTS[usage]))
        for _ in range(count)
    ]
    numbers = rng.permutation(len(places))
    named = sorted(
        (f"{'train' if u == 'Training' else 'test'}/{CLASSES[k]}/{u}_{number:05d}.jpg", k)
        for (u, k), number in zip(places, numbers, strict=True)
    )
    return np.array([f for f, _ in named], dtype=str), np.array([k for _, k in named], np.uint8)


def _class_counts(total: int, official: tuple[int, ...]) -> Int[np.ndarray, " 7"]:
    """`total` shared out like `official`, each class having at least MIN_PER_CLASS."""
    counts = np.maximum(total * np.array(official) // sum(official), MIN_PER_CLASS)
    counts[np.argmax(counts)] += total - counts.sum()  # the largest class takes the rounding
    return counts


def _plan_defects(
    rng: np.random.Generator, labels: UInt8[np.ndarray, " n"], in_train: Bool[np.ndarray, " n"]
) -> tuple[np.ndarray, np.ndarray, list[tuple[int, int]]]:
    """Rows of the constant and the wrongly labeled images, and (original, copy) rows."""
    order = rng.permutation(len(labels))
    n_constant, n_wrong = len(CONSTANT_GRAYS), round(WRONG_FRACTION * len(labels))
    constant, wrong, free = np.split(order, [n_constant, n_constant + n_wrong])
    return constant, wrong, list(_plan_copies(free, labels, in_train))


def _plan_copies(
    free: Int[np.ndarray, " m"], labels: UInt8[np.ndarray, " n"], in_train: Bool[np.ndarray, " n"]
) -> Iterator[tuple[int, int]]:
    """(original, copy) rows among `free`: by turns train to test, train to train, test to test.

    An original may be copied twice, as in FER-2013, but a copy is never an original.
    """
    sources, targets = free[::2], free[1::2]
    for k in range(round(COPY_FRACTION * len(labels))):
        from_train, to_train = ((True, False), (True, True), (False, False))[k % 3]
        fitting = np.flatnonzero(in_train[targets] == to_train)
        if not len(fitting):
            continue
        copy, targets = targets[fitting[0]], np.delete(targets, fitting[0])
        conflicting = (labels[sources] != labels[copy]) == (k % CONFLICT_EVERY == 0)
        originals = np.flatnonzero(conflicting & (in_train[sources] == from_train))
        if len(originals):
            yield int(sources[originals[0]]), int(copy)
            sources = np.roll(sources, -int(originals[0]) - 1)  # take turns
