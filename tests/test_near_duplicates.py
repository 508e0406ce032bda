"""Near copies: planted ones are found, other faces are not."""

import dataclasses
import math

import numpy as np
import pytest
from conftest import ROOT

from ferbook.core.structured import read_yaml
from ferbook.data import audit, duplicates, near_duplicates
from ferbook.data import faces as data_faces


def noise(n, seed=0):
    """Smooth random pictures, no two alike."""
    small = np.random.default_rng(seed).integers(0, 256, (n, 6, 6), np.uint8)
    return np.kron(small, np.ones((8, 8), np.uint8))


def faces_of(images, usages):
    labels = (np.arange(len(images)) % 7).astype(np.uint8)
    names = {"Training": "train", "PublicTest": "test"}
    files = [f"{names[u]}/angry/{u}_{i:03d}.jpg" for i, u in enumerate(usages)]
    return data_faces.Faces(images, labels, np.array(files), "fer2013")


@pytest.mark.parametrize("count", [1, 200, 1500])
@pytest.mark.parametrize("limit", [0, 6, 8])
def test_close_pairs_are_those_that_brute_force_finds(count, limit):
    random = np.random.default_rng(0)
    base = random.integers(0, 2**64, count, dtype=np.uint64)
    flips = np.uint64(1) << random.integers(0, 64, (count, 5)).astype(np.uint64)
    hashes = np.concatenate([base, base ^ np.bitwise_xor.reduce(flips, axis=1), base[:20]])
    distance = np.bitwise_count(hashes[:, None] ^ hashes[None])
    expected = np.argwhere(np.triu(distance <= limit, 1))
    np.testing.assert_array_equal(near_duplicates.close_pairs(hashes, limit), expected)
    assert len(expected) >= (min(count, 20) if limit == 0 else count)


def test_equal_bright_and_mirrored_copies_are_found_and_constant_images_are_not():
    images = noise(20)
    images[5] = images[4]
    images[7] = np.clip(images[6].astype(int) // 2 + 40, 0, 255)
    images[9] = images[8][:, ::-1]
    images[10] = images[11] = 128
    images[12] = images[13] = (images[13] // 2) + (images[13, :, ::-1] // 2)  # symmetric
    pairs = near_duplicates.near_duplicates(faces_of(images, ["Training"] * 20))
    found = {(p.first, p.second): (p.mirrored, p.identical) for p in pairs.itertuples()}
    assert found == {
        (4, 5): (False, True), (6, 7): (False, False), (8, 9): (True, False),
        (12, 13): (False, True),
    }  # fmt: skip
    assert len(pairs) == 4


def test_the_order_of_the_files_decides_nothing():
    images = noise(300)
    noisy = images[:100, :, ::-1] + np.random.default_rng(1).normal(0, 30, (100, 48, 48))
    images = np.concatenate([images, np.clip(noisy, 0, 255).astype(np.uint8)])
    forward = near_duplicates.near_duplicates(faces_of(images, ["Training"] * 400))
    backward = near_duplicates.near_duplicates(faces_of(images[::-1], ["Training"] * 400))
    pairs = {(399 - p.second, 399 - p.first, p.mirrored) for p in backward.itertuples()}
    assert pairs == {(p.first, p.second, p.mirrored) for p in forward.itertuples()}
    assert len(forward) > 30 and forward["mirrored"].all()


def test_pictures_without_any_copy():
    assert near_duplicates.near_duplicates(faces_of(noise(5), ["Training"] * 5)).empty


def test_a_near_copy_across_the_split_is_a_leak():
    images = noise(6)
    images[5] = np.clip(images[0].astype(int) + 5, 0, 255)  # near
    images[4] = images[1]  # exact: counted elsewhere
    faces = faces_of(images, ["Training"] * 3 + ["PublicTest"] * 3)
    summary = audit.summarize_near_duplicates(faces, near_duplicates.near_duplicates(faces))
    assert summary["leaked_files"] == ["test/angry/PublicTest_005.jpg"]
    assert summary["pairs"] == 1 and summary["same_label"] == 0.0


def test_thresholds_recognize_planted_copies():
    table = near_duplicates.planted_copies(noise(300))
    assert table.loc["recompressed (JPEG quality 30)", "both"] > 0.8  # hard edges
    assert table.loc["with noise (8 gray values)", "both"] > 0.7
    assert table.loc["another image", "both"] == 0


def test_on_the_real_data(fer2013):
    table = near_duplicates.planted_copies(fer2013.images)
    assert (table["both"].iloc[:3] > 0.98).all()
    assert table.loc["another image", "both"] < 0.002
    pairs = near_duplicates.near_duplicates(fer2013)
    shades = set(fer2013.files[fer2013.constant])
    groups = [set(group) - shades for group in duplicates.duplicate_groups(fer2013)]
    assert pairs["identical"].sum() == sum(math.comb(len(group), 2) for group in groups)
    assert not fer2013.constant[pairs[["first", "second"]].to_numpy()].any()
    seen = read_yaml(ROOT / "book/near_pairs.yml")
    near = pairs[~pairs["identical"]].reset_index(drop=True)
    rows = np.random.default_rng(0).choice(
        np.flatnonzero(~near["mirrored"]), seen["drawn"], replace=False
    )
    for name, some in (("others", near.loc[rows]), ("mirrored", near[near["mirrored"]])):
        known = {frozenset(fer2013.files[pair].tolist())
                 for pair in some[["first", "second"]].to_numpy()}  # fmt: skip
        assert {*map(frozenset, seen[name])} <= known


def test_images_are_described():
    flat = np.full((2, 48, 48), 100, np.uint8)
    flat[1, 10, 10] = 255
    faces = dataclasses.replace(faces_of(noise(2), ["Training"] * 2), images=flat)
    measures = audit.describe_images(faces)
    assert measures["brightness"].tolist() == pytest.approx([100, 100 + 155 / 2304], abs=0.05)
    assert measures["sharpness"].iloc[0] == 0 < measures["sharpness"].iloc[1]
