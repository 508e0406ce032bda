"""Twins among pixel-identical images, by hand and on the real data."""

import numpy as np
from conftest import ROOT

from ferbook.data import audit, duplicates, splits
from ferbook.data.faces import Faces
from ferbook.paper.chapters.leak import prose
from ferbook.results import store

GROUPS = [["train/a/1", "train/a/2", "test/a/3"], ["train/b/4", "train/b/5"], ["test/b/6", "x"]]


def test_an_image_is_no_twin_of_itself():
    found = duplicates.with_twin(["train/a/1", "train/b/4"], GROUPS, ["train/a/1", "train/b/5"])
    assert found == {"train/b/4"}
    assert duplicates.with_twin(["test/a/3"], GROUPS, ["train/a/1"]) == {"test/a/3"}
    assert duplicates.with_twin(["train/b/4", "train/b/5"], GROUPS, ["train/b/4", "train/b/5"]) == {
        "train/b/4", "train/b/5",
    }  # fmt: skip


def test_validation_images_have_their_twins_in_the_rest_of_the_folder():
    assert duplicates.validation_twins(["train/a/1"], GROUPS) == {"train/a/1"}
    # Both of the group are in validation; the third is a test image, which trains nothing.
    assert duplicates.validation_twins(["train/a/1", "train/a/2"], GROUPS) == frozenset()


def test_twin_mask():
    mask = duplicates.twin_mask(np.array(["a", "b"]), frozenset({"b"}))
    assert mask.tolist() == [False, True] and mask.dtype == bool
    assert duplicates.twin_mask(np.array([], str), frozenset()).shape == (0,)


def test_numbers_of_the_split():
    """3 is a copy of 1; of the three leaks, two have their copy in validation alone."""

    def part(*files):
        pixels = np.zeros((len(files), 1, 1), np.uint8)
        return Faces(pixels, pixels[:, 0, 0], np.array(files), "made")

    parts = splits.Split(part("train/1", "train/2"), part("train/3", "train/4"), part("test/1"))
    groups = [["train/1", "train/3", "test/1"], ["test/2", "train/4"], ["test/3", "train/4"]]
    leaked = ["test/1", "test/2", "test/3"]
    twins = audit.summarize_twins(parts, leaked, groups)
    assert twins == {"val": 1, "leaked_train": 1}
    twins |= {"val_near": 7}
    dataset = {"leaked_files": leaked, "twins": twins, "splits": {"val": 2}}
    assert prose.twin_numbers(dataset) == {
        "data_n_val_twins": 1, "data_val_twins_percent": 50.0, "data_n_val_clean": 1,
        "data_n_val_near": 7, "data_n_leaked_train": 1, "data_n_leaked_val_only": 2,
    }  # fmt: skip


def test_on_the_real_data(fer2013):
    """254 validation images have a twin in training; of 568 leaks 46 have it in validation only."""
    groups = duplicates.duplicate_groups(fer2013)
    assert groups == store.load_dataset(ROOT / "results")["duplicate_groups"]
    assert len(groups) == 1516 and sum(map(len, groups)) == 3369
    parts = splits.split(fer2013)
    twins = duplicates.validation_twins(parts.val.files, groups)
    assert len(twins) == 254
    assert twins == set(parts.val.files[parts.val.copied_in(parts.train)])
    test = fer2013.files[fer2013.leaked]
    assert len(test) - len(duplicates.with_twin(test, groups, parts.train.files)) == 46
