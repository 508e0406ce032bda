"""What the audit finds: the copies that were planted, the facts of the real data."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from ferbook.core.classes import CLASSES
from ferbook.core.predictions import Predictions
from ferbook.data import audit, duplicates, ferplus, splits
from ferbook.data import faces as data_faces
from ferbook.data.faces import Faces
from ferbook.data.synthetic import draw_faces
from ferbook.results import label_issues, store


def test_duplicates_are_those_that_were_planted():
    faces, planted = draw_faces(200, 100)
    found = duplicates.duplicate_groups(faces)
    originals: dict[str, set[str]] = {}
    for original, copy in planted.duplicates:
        originals.setdefault(original, {original}).add(copy)
    assert {frozenset(g) for g in found} == {frozenset(g) for g in originals.values()}
    summary = audit.summarize_duplicates(duplicates.duplicate_groups(faces))
    assert summary["surplus"] == len(planted.duplicates)
    assert 0 < summary["conflicting_groups"] <= summary["groups"]
    assert set(faces.files[faces.constant]) == set(planted.constant)


def test_leak_table_counts_the_leaked_files(faces):
    table, facts = audit.leak_table(faces), audit.describe_dataset(faces)
    assert table["leaked"].sum() == len(facts["leaked_files"])
    assert ((0 <= table["same_label"]) & (table["same_label"] <= 1)).all()
    assert facts["name"] == "synthetic"


def test_real_data_holds_what_was_measured_before(fer2013):
    facts = audit.describe_dataset(fer2013)
    assert facts["fingerprint"] == data_faces.OFFICIAL_FINGERPRINT
    assert facts["splits"] == {"train": 25120, "val": 3589, "test": 7178}
    assert facts["duplicates"] == {
        "groups": 1516,
        "images": 3369,
        "surplus": 1853,
        "conflicting_groups": 57,
    }
    assert len(facts["leaked_files"]) == 568 and len(facts["constant_files"]) == 12
    assert sum("PrivateTest" in file for file in facts["leaked_files"]) == 288
    assert sum(facts["counts"]["Training"].values()) == pytest.approx(28709)
    # The committed facts are these, to the last entry.
    assert json.loads(json.dumps(facts)) == store.load_dataset(ROOT / "results")


NAMES = (
    "train/fear/Training_0.jpg", "train/fear/Training_1.jpg", "train/sad/Training_2.jpg",
    "test/fear/PublicTest_3.jpg", "test/sad/PrivateTest_4.jpg", "test/fear/PrivateTest_5.jpg",
)  # fmt: skip


def hand_made(equal=()):
    """Six images of noise; `equal` pairs of rows are the same image."""
    images = np.random.default_rng(0).integers(0, 256, (6, 48, 48), np.uint8)
    for first, second in equal:
        images[second] = images[first]
    labels = np.array([CLASSES.index(name.split("/")[1]) for name in NAMES], np.uint8)
    return Faces(images, labels, np.array(NAMES), "fer2013")


def test_leaks_and_conflicts_by_hand():
    """1 and 3 agree, 0 and 4 do not; 5 has its twin in the test alone."""
    faces = hand_made([(1, 3), (0, 4), (3, 1)])
    table = audit.leak_table(faces)
    assert table.loc["PublicTest"].tolist() == [1, 1, 1.0, 1.0]
    assert table.loc["PrivateTest"].tolist() == [2, 1, 0.5, 0.0]
    assert list(table.index) == ["PublicTest", "PrivateTest"]
    summary = audit.summarize_duplicates(duplicates.duplicate_groups(faces))
    assert summary == {"groups": 2, "images": 4, "surplus": 2, "conflicting_groups": 1}


@pytest.mark.filterwarnings("error")
def test_a_test_twin_is_no_leak():
    table = audit.leak_table(hand_made([(4, 5)]))
    assert table["leaked"].tolist() == [0, 0] and table["leaked_fraction"].tolist() == [0, 0]


def test_near_copies_by_hand():
    rows = [  # first, second, mirrored, identical
        (0, 1, False, False),  # both train
        (1, 3, True, False),  # a leak with the same label
        (2, 5, True, False),  # a leak with another label
        (0, 4, False, True),  # identical: counted elsewhere
    ]
    pairs = pd.DataFrame(rows, columns=["first", "second", "mirrored", "identical"])
    found = audit.summarize_near_duplicates(hand_made([(0, 4)]), pairs)
    assert found == {
        "pairs": 3, "mirrored": 2, "same_label": pytest.approx(2 / 3),
        "leaked_files": [NAMES[3], NAMES[5]],
    }  # fmt: skip
    # A test image with an identical training image is no near leak as well.
    found = audit.summarize_near_duplicates(hand_made([(0, 3)]), pairs)
    assert found["leaked_files"] == [NAMES[5]]
    swapped = pairs.assign(first=pairs["second"], second=pairs["first"])
    found = audit.summarize_near_duplicates(hand_made(), swapped)
    assert found["leaked_files"] == [NAMES[3], NAMES[5]]
    assert audit.summarize_near_duplicates(hand_made(), pairs[:0])["same_label"] is None


def test_near_twins_of_validation_images():
    """0 and 1 train, 2 and 5 are for validation; 5 is identical with 0."""
    faces = hand_made([(0, 5)])
    parts = splits.Split(*(faces.select(np.array(rows)) for rows in ([0, 1], [2, 5], [3, 4])))
    groups = duplicates.duplicate_groups(faces)
    rows = [(0, 5), (2, 1), (0, 1), (3, 2), (2, 5)]
    pairs = pd.DataFrame(rows, columns=["first", "second"])
    assert audit.near_twins(faces, pairs, parts, groups) == {NAMES[2]}
    assert audit.near_twins(faces, pairs[2:], parts, groups) == frozenset()
    turned = pairs.rename(columns={"first": "second", "second": "first"})
    assert audit.near_twins(faces, turned, parts, groups) == {NAMES[2]}


def test_leaked_pairs_put_the_test_image_first():
    """0 to 2 train, 3 to 5 test: a pair within either part leaks nothing."""
    pairs = pd.DataFrame({"first": [0, 1, 5, 3, 0], "second": [1, 3, 2, 4, 4],
                          "identical": [False, False, False, True, True]})  # fmt: skip
    found = audit.leaked_pairs(hand_made(), pairs)
    assert found.values.tolist() == [[3, 1, False], [5, 2, False], [4, 0, True]]
    assert list(found) == ["test", "training", "identical"]


def test_second_opinions_by_hand(monkeypatch):
    votes = np.zeros((6, 10), np.uint8)
    fear, sadness, no_face = (ferplus.VOTES.index(name) for name in ("fear", "sadness", "NF"))
    votes[0, fear], votes[1, sadness], votes[2, sadness] = 10, 6, 10
    votes[3, [fear, sadness]], votes[4, no_face] = 5, 8  # a tie; no face
    votes[5, ferplus.VOTES.index("neutral")] = 1  # one vote is known too
    monkeypatch.setattr(ferplus, "votes", lambda files: votes)
    found = audit.summarize_ferplus(hand_made())
    assert (found["known"], found["untied"], found["agreement"]) == (6, 5, 0.4)
    assert found["by_class"]["fear"] == pytest.approx(1 / 3) and found["by_class"]["sad"] == 0.5
    assert found["by_class"]["happy"] is None
    assert found["by_votes"] == {1: [1, 0.0], 6: [1, 0.0], 8: [1, 0.0], 10: [2, 1.0]}
    row = found["confusion"]["fear"]
    assert row[fear] == 1 and row[sadness] == 1 and row[0] == 1 and sum(row) == 3
    assert found["no_face_files"] == [NAMES[4]]
    votes[2] = 0
    assert audit.summarize_ferplus(hand_made())["known"] == 5  # without a vote it is not in FER+


def test_twins_of_validation_and_of_leaked_images_are_counted():
    faces = hand_made()
    parts = splits.Split(*(faces.select(np.array(rows)) for rows in ([0, 1], [2, 3], [4, 5])))
    a, b, c, d, x, y = NAMES
    groups = [[a, c], [b, x], [d, y]]  # y has its twin in validation alone
    assert audit.summarize_twins(parts, [x, y], groups) == {"val": 1, "leaked_train": 1}


def test_brightness_and_sharpness_by_hand():
    faces = hand_made()
    faces.images[0], faces.images[1] = 100, 0
    faces.images[1, 24, 24] = 48  # one point: its Laplacian is -4 and four times 1, times 48
    table = audit.describe_images(faces, [NAMES[2]])
    assert table["sha256"].iloc[0] == hashlib.sha256(bytes([100]) * 48 * 48).hexdigest()
    assert table["leaked"].tolist() == [name == NAMES[2] for name in NAMES]
    assert table.index.tolist() == list(NAMES) and table.index.name == "file"
    assert table["brightness"].tolist()[0] == 100 and table["sharpness"].tolist()[0] == 0
    assert table["sharpness"].tolist()[1] == pytest.approx(20 * 48**2 / 48**2, abs=0.05)
    assert table["brightness"].tolist()[1] == 0.0 and table["brightness"].iloc[2] > 100
    tenths = 10 * table["sharpness"].iloc[2:].to_numpy()
    np.testing.assert_allclose(tenths, tenths.round(), rtol=0, atol=0.1)  # float32
    scaled = faces.images[2].astype(float).mean()
    assert table["brightness"].iloc[2] == pytest.approx(scaled, abs=0.051)


def test_what_is_said_of_a_data_set():
    faces, planted = draw_faces(200, 100)
    facts = audit.describe_dataset(faces)
    assert facts["images"] == 300
    assert facts["usages"] == {"Training": 200, "PublicTest": 50, "PrivateTest": 50}
    assert facts["splits"] == {"train": 175, "val": 25, "test": 100}
    assert set(facts["constant_files"]) == set(planted.constant)
    assert facts["fingerprint"] == faces.fingerprint
    assert set(facts["leaked_files"]) == set(faces.files[faces.leaked])


def test_doubts_name_label_suggestion_and_second_opinion(monkeypatch):
    labels = np.arange(70) % 7
    probabilities = np.full((70, 7), 0.02)
    probabilities[np.arange(70), labels] = 0.88
    labels[0] = 1
    files = np.array([f"test/{CLASSES[y]}/PublicTest_{i}.jpg" for i, y in enumerate(labels)])
    part = Predictions(files, labels.astype(np.uint8), probabilities)
    monkeypatch.setattr(ferplus, "pluralities", lambda files: np.full(len(files), -1))
    (row,) = label_issues.label_issues(part).to_dict("records")
    assert row == {"file": files[0], "label": "disgust", "suggested": "angry", "ferplus": None}
