"""Who trains, who chooses, who judges: the named subsets of FER-2013."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from sklearn.model_selection import train_test_split

from ferbook.core.classes import CLASSES
from ferbook.core.recipe import Recipe
from ferbook.data.faces import DataError, Faces

VALIDATION_FRACTION = 0.125


@dataclass(frozen=True)
class Split:
    """The original's three parts. The test images choose nothing."""

    train: Faces
    val: Faces
    test: Faces


def split(faces: Faces, *, seed: int = 42, grouped: bool = False) -> Split:
    """Stratified 87.5 / 12.5 of the official training images; the official test is kept.

    The images are put in the order of their pixels' SHA-256 first, so that the split depends on
    the pixels and the seed alone, not on the order of files. The JPEG files of Kaggle's archive
    have slightly other pixels than the contest's csv, and so another split. With `grouped`,
    validation loses its images with a twin in training to the training part.

    Raises DataError unless validation can have an image of each class, and training another.
    """
    pool = faces.select(faces.usages == "Training")
    counts = np.unique(pool.labels, return_counts=True)[1]
    least, rarest = int(max(len(counts) - 1, 0) / VALIDATION_FRACTION) + 1, min(counts, default=0)
    if len(pool) < least or rarest < 2:
        raise DataError(
            f"{len(pool)} training images, {rarest} of the rarest class. "
            f"Expected at least {least}, and 2 of each class: {VALIDATION_FRACTION:.1%} validate."
        )
    order = np.lexsort((pool.labels, pool.digests))
    train, val = train_test_split(
        order, test_size=VALIDATION_FRACTION, stratify=pool.labels[order], random_state=seed
    )
    if grouped:
        twins = np.isin(pool.digests[val], pool.digests[train])
        train, val = np.concatenate([train, val[twins]]), val[~twins]
        if not len(val):
            raise DataError("all validation images have a twin in training. Expected others.")
    test = faces.select(faces.usages != "Training")
    return Split(pool.select(np.sort(train)), pool.select(np.sort(val)), test)


def split_for(faces: Faces, recipe: Recipe) -> Split:
    """The split that `recipe` asks for."""
    return split(faces, seed=recipe.seed, grouped=recipe.grouped_split)


def training_subset(parts: Split, recipe: Recipe) -> Faces:
    """The part of the training images that `recipe` asks for.

    `deduplicate_train` keeps the first of each set of pixel-identical images and none with a copy
    in validation or test; `distinct_counts` draws as many of each class as that would keep;
    `train_images` then takes a stratified subset, or all when it is 0.
    Raises DataError when a subset of that size cannot hold, or leave out, an image of each class.
    """
    train, n = parts.train, recipe.train_images
    if recipe.deduplicate_train:
        train = _distinct(parts)
    if recipe.distinct_counts:
        train = _drawn_like(_distinct(parts), train, recipe.seed)
    if n == 0 or n >= len(train):
        return train
    try:
        rows, _ = train_test_split(
            np.arange(len(train)), train_size=n, stratify=train.labels, random_state=recipe.seed
        )
    except ValueError as error:
        raise DataError(f"train_images: {n} of {len(train):,} images: {error}") from error
    return train.select(np.sort(rows))


def _distinct(parts: Split) -> Faces:
    digests = parts.train.digests
    _, first = np.unique(digests, return_index=True)
    others = [part.digests for part in (parts.val, parts.test)]
    known = np.isin(digests, np.concatenate(others))
    return parts.train.select(np.setdiff1d(first, np.flatnonzero(known)))


def _drawn_like(model: Faces, pool: Faces, seed: int) -> Faces:
    """Images of `pool` at random, as many of each class as `model` has."""
    rng, counts = np.random.default_rng(seed), np.bincount(model.labels)
    rows = [
        rng.choice(np.flatnonzero(pool.labels == label), count, replace=False)
        for label, count in enumerate(counts)
    ]
    return pool.select(np.sort(np.concatenate(rows)))


def class_weights(labels: UInt8[np.ndarray, " n"], clip: float) -> Float[np.ndarray, "7"]:
    """n / (7 n_c), clipped at `clip`; all ones when `clip` is 0.

    Source: "balanced" of scikit-learn, after King & Zeng 2001.
    """
    if clip == 0:
        return np.ones(len(CLASSES))
    counts = np.bincount(labels, minlength=len(CLASSES))
    return np.minimum(len(labels) / (len(CLASSES) * np.maximum(counts, 1)), clip)
