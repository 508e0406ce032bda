"""The split: sizes, strata, independence of the source; weights and leaks by hand."""

import dataclasses

import numpy as np
import pytest

from ferbook.core.recipe import Recipe
from ferbook.data import splits
from ferbook.data.faces import DataError, Faces
from ferbook.data.synthetic import draw_faces


def test_split_is_stratified_and_keeps_the_test(faces):
    parts = splits.split(faces)
    assert (len(parts.train), len(parts.val), len(parts.test)) == (175, 25, 100)
    names = [set(part.files) for part in (parts.train, parts.val, parts.test)]
    assert len(set.union(*names)) == len(faces)
    assert set(parts.test.files) == {f for f in faces.files if f.startswith("test/")}
    pool = np.bincount(np.r_[parts.train.labels, parts.val.labels], minlength=7)
    assert np.abs(np.bincount(parts.val.labels, minlength=7) - pool / 8).max() < 1


def test_split_depends_on_the_seed_and_not_on_names_or_order(faces):
    renamed = np.array(
        [f"{f.rsplit('_', 1)[0]}_{len(faces) - i}.jpg" for i, f in enumerate(faces.files)]
    )
    other = Faces(faces.images[::-1], faces.labels[::-1], renamed[::-1], "fer2013")

    def pixels(part):
        return sorted(image.tobytes() for image in part.images)

    assert pixels(splits.split(other).val) == pixels(splits.split(faces).val)
    assert pixels(splits.split(faces, seed=1).val) != pixels(splits.split(faces).val)


def test_too_few_images_to_split_are_told(faces):
    pool = faces.select(np.flatnonzero(faces.usages == "Training")[:49])
    even = dataclasses.replace(pool, labels=np.arange(49, dtype=np.uint8) % 7)
    found = splits.split(even)
    assert (len(found.train), len(found.val)) == (42, 7)
    once = dataclasses.replace(even, labels=np.maximum(even.labels, np.arange(49) > 0).astype("u1"))
    twice = dataclasses.replace(once, labels=np.where(np.arange(49) == 1, 0, once.labels))
    assert 0 in splits.split(twice).train.labels
    none = even.select(np.arange(0))
    cases = [
        (even.select(np.arange(48)), "48 training", 49),
        (once, ", 1 of", 49),
        (none, "0 .*, 0 of", 1),
    ]
    for part, told, least in cases:
        with pytest.raises(DataError, match=f"{told}.*Expected at least {least}, and 2 of each"):
            splits.split(part)


def test_grouped_split_has_no_twin_in_validation():
    faces = draw_faces(1600, 100)[0]
    plain, grouped = splits.split(faces), splits.split_for(faces, Recipe(grouped_split=True))
    twins = plain.val.copied_in(plain.train)
    assert twins.any() and not grouped.val.copied_in(grouped.train).any()
    assert set(grouped.val.files) == set(plain.val.files[~twins])
    assert set(grouped.train.files) == {*plain.train.files, *plain.val.files[twins]}


def test_the_recipes_seed_decides_split_and_subset(faces):
    one, two = Recipe(seed=1, train_images=50), Recipe(seed=2, train_images=50)
    parts = [splits.split_for(faces, recipe) for recipe in (one, one, two)]
    first, again, other = [part.val.files.tolist() for part in parts]
    assert first == again == splits.split(faces, seed=1).val.files.tolist() != other
    subsets = [splits.training_subset(parts[0], recipe) for recipe in (one, one, two)]
    first, again, other = [subset.files.tolist() for subset in subsets]
    assert first == again != other


def test_training_subset(faces):
    parts = splits.split(faces)
    assert splits.training_subset(parts, Recipe()) is parts.train
    subset = splits.training_subset(parts, Recipe(train_images=50))
    assert len(subset) == 50 and set(subset.files) < set(parts.train.files)
    assert set(subset.labels) == set(parts.train.labels)


def test_distinct_images_leave_no_copy_anywhere():
    parts = splits.split(draw_faces(200, 100)[0])
    kept = splits.training_subset(parts, Recipe(deduplicate_train=True))
    assert len(kept) < len(parts.train)
    pixels = [image.tobytes() for image in kept.images]
    others = {image.tobytes() for part in (parts.val, parts.test) for image in part.images}
    assert len(set(pixels)) == len(pixels) and not set(pixels) & others
    # Nothing else is lost.
    before = {image.tobytes() for image in parts.train.images}
    assert before - others == set(pixels)


def test_the_control_of_distinct_images_has_as_many_of_each_class():
    parts = splits.split(draw_faces(200, 100)[0])
    kept = splits.training_subset(parts, Recipe(deduplicate_train=True))
    drawn = splits.training_subset(parts, Recipe(distinct_counts=True))
    assert np.array_equal(np.bincount(drawn.labels), np.bincount(kept.labels))
    assert set(drawn.files) < set(parts.train.files) and set(drawn.files) != set(kept.files)
    other = splits.training_subset(parts, Recipe(distinct_counts=True, seed=1))
    assert set(other.files) != set(drawn.files)
    again = splits.training_subset(parts, Recipe(distinct_counts=True))
    assert again.files.tolist() == drawn.files.tolist()


def test_class_weights_by_hand():
    labels = np.repeat(np.arange(7), [10, 1, 10, 10, 10, 10, 10]).astype(np.uint8)
    weights = splits.class_weights(labels, 4.0)
    assert weights[0] == pytest.approx(61 / 70)
    assert weights[1] == 4.0  # 61 / 7 before the clip
    assert (splits.class_weights(labels, 0.0) == 1).all()


def test_leaked_mask_finds_exactly_what_was_planted():
    faces, planted = draw_faces(200, 100)
    digests = dict(zip(faces.files, faces.digests, strict=True))
    training = {digest for file, digest in digests.items() if file.startswith("train/")}
    expected = {f for pair in planted.duplicates for f in pair if f.startswith("test/")}
    expected = {f for f in expected if digests[f] in training}
    assert expected and set(faces.files[faces.leaked]) == expected


def test_the_seed_is_the_originals_unless_another_is_given(faces):
    assert splits.split(faces).val.files.tolist() == splits.split(faces, seed=42).val.files.tolist()


def test_a_subset_as_large_as_all_is_all(faces):
    parts = splits.split(faces)
    n = len(parts.train)
    for images in (n, n + 1):
        assert splits.training_subset(parts, Recipe(train_images=images)) is parts.train
    assert len(splits.training_subset(parts, Recipe(train_images=n - 7))) == 168


def test_weights_of_rare_and_absent_classes():
    labels = np.repeat(np.arange(6), [10, 1, 10, 10, 10, 10]).astype(np.uint8)
    weights = splits.class_weights(labels, 100.0)
    assert weights[1] == weights[6] == pytest.approx(51 / 7)  # none at all weighs as one
