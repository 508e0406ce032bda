"""FER+: the package's copy against the facts measured on the sources."""

import numpy as np
import pytest

from ferbook.core.classes import CLASSES
from ferbook.core.predictions import Predictions
from ferbook.data import audit, ferplus
from ferbook.data.sources.table import archive_names
from ferbook.results import label_issues


def test_crosswalk_is_one_to_one_and_complete():
    table = ferplus.crosswalk()
    assert len(table) == 35_710 and table.index.is_unique and table["fer2013_row"].is_unique
    assert table["fer2013_row"].between(0, 35_886).all()
    assert (table[list(ferplus.VOTES)].sum(axis=1) >= 9).all()


def test_votes_shares_and_pluralities():
    table = ferplus.crosswalk()
    file = table.index[table["happiness"] == 10][0]
    files = np.array([file, "test/angry/unknown.jpg"])
    assert ferplus.votes(files).tolist() == [[0, 10] + [0] * 8, [0] * 10]
    assert ferplus.expression_shares(files).sum(axis=1).tolist() == [1, 0]
    assert ferplus.pluralities(files).tolist() == [1, -1]
    assert ferplus.certainty(files).tolist() == [10, 0]
    classes = ferplus.as_class(np.arange(-1, 10))
    assert classes.tolist() == [-1, 4, 3, 6, 5, 0, 1, 2, -1, -1, -1]


def test_a_tie_has_no_plurality():
    table = ferplus.crosswalk()
    counts = np.sort(table[list(ferplus.VOTES)].to_numpy(), axis=1)
    tied = table.index[counts[:, -1] == counts[:, -2]]
    assert (ferplus.pluralities(tied.to_numpy()) == -1).all() and len(tied) > 1000


def test_agreement_on_the_real_data(fer2013):
    summary = audit.summarize_ferplus(fer2013)
    assert summary["known"] == 35_710 and round(summary["agreement"], 2) == 0.65
    assert round(summary["by_class"]["fear"], 2) == 0.14
    assert round(summary["by_class"]["happy"], 2) == 0.93
    assert sum(map(sum, summary["confusion"].values())) == summary["untied"]


def test_synthetic_faces_have_no_second_opinion(faces):
    summary = audit.summarize_ferplus(faces)
    assert summary["known"] == 0 and summary["agreement"] is None


def test_a_swapped_label_is_doubted():
    random = np.random.default_rng(0)
    labels = random.integers(0, 7, 700)
    probabilities = np.full((700, 7), 0.02)
    probabilities[np.arange(700), labels] = 0.88
    given = labels.copy()
    given[:10] = (given[:10] + 1) % 7
    files = np.array([f"test/{CLASSES[y]}/PublicTest_{i}.jpg" for i, y in enumerate(given)])
    issues = label_issues.label_issues(Predictions(files, given.astype(np.uint8), probabilities))
    assert set(issues["file"]) == set(files[:10])
    first = issues.iloc[0]
    assert first["suggested"] == CLASSES[labels[files.tolist().index(first["file"])]]
    assert first["ferplus"] is None


def test_the_contests_rows_get_the_archive_names_when_every_row_agrees():
    rows = ferplus.crosswalk()["fer2013_row"]
    names = [f"train/angry/Training_row{i:05d}" for i in range(35_887)]
    for file, row in rows.items():
        names[row] = f"{file.rpartition('_')[0]}_row{row:05d}"
    found = archive_names(tuple(names))
    assert all(found[row] == file for file, row in rows.items())
    assert len(set(found)) == len(found) == 35_887
    unknown = set(range(35_887)) - set(rows)
    assert {found[row] for row in unknown} == {names[row] for row in unknown}
    first = names.index(next(n for n in names if n.startswith("train/happy")))
    names[0], names[first] = names[first], names[0]  # one pair swapped
    assert archive_names(tuple(names)) == tuple(names)


def test_votes_are_uint8_and_shares_are_fractions():
    files = ferplus.crosswalk().index[:50].to_numpy()
    assert ferplus.votes(files).dtype == np.uint8
    assert ferplus.expression_shares(files).max() <= 1
    assert pytest.approx(1) == ferplus.expression_shares(files)[0].sum()
