"""What the audit finds: the copies that were planted, the facts of the real data."""

import json

import pytest
from conftest import ROOT

from ferbook import audit, data, store
from ferbook.synthetic import draw_faces


def test_duplicates_are_those_that_were_planted():
    faces, planted = draw_faces(200, 100)
    found = audit.duplicate_groups(faces)
    originals: dict[str, set[str]] = {}
    for original, copy in planted.duplicates:
        originals.setdefault(original, {original}).add(copy)
    assert {frozenset(faces.files[g]) for g in found} == {frozenset(g) for g in originals.values()}
    summary = audit.summarize_duplicates(faces)
    assert summary["surplus"] == len(planted.duplicates)
    assert 0 < summary["conflicting_groups"] <= summary["groups"]
    assert set(faces.files[audit.constant_mask(faces)]) == set(planted.constant)


def test_leak_table_counts_the_leaked_files(faces):
    table, facts = audit.leak_table(faces), audit.describe_dataset(faces)
    assert table["leaked"].sum() == len(facts["leaked_files"])
    assert ((0 <= table["same_label"]) & (table["same_label"] <= 1)).all()
    assert facts["name"] == "synthetic"


def test_real_data_holds_what_was_measured_before(archive):
    facts = audit.describe_dataset(data.load(archive))
    assert facts["fingerprint"] == data.OFFICIAL_FINGERPRINT
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
