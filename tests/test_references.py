"""The original's references: the file, its agreement with the text, the table made of it."""

import re

import pytest
import yaml
from conftest import ROOT
from pybtex.database import parse_file

from ferbook.claims.references import (
    Citation,
    Reference,
    ReferencesError,
    read_references,
)
from ferbook.paper.chapters.claims import prose, tables

LIST = ROOT / "book" / "original_references.yml"
ONE = {"number": 1, "key": "doe2020"}


@pytest.fixture(scope="module")
def bibliography():
    return parse_file(str(ROOT / "book" / "references.bib")).entries


def read(tmp_path, *entries):
    path = tmp_path / "r.yml"
    path.write_text(yaml.safe_dump({"references": list(entries)}))
    return read_references(path)


def test_a_reference_is_read(tmp_path):
    cited = [{"section": "II", "for": "x", "says": False, "why": "y"}]
    first, second = read(tmp_path, ONE, {"number": 2, "key": "roe", "cited": cited})
    assert first == Reference(1, "doe2020")
    assert second.cited == (Citation("II", "x", False, "y"),)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"number": 2}, "expected number 1. Received: 2"),
        ({"number": "1"}, "number: expected a whole number"),
        ({"key": 5}, "key: expected text"),
        ({"sure": 1}, "sure: true or false"),
        ({"color": "red"}, "color"),
        ({"cited": [{"section": "II"}]}, "purpose: expected text"),
        ({"cited": [{"section": "II", "for": "x", "says": "yes"}]}, "says: expected true, false"),
        ({"cited": ["II"]}, "not a reference"),
        ({"cited": 3}, "not a reference"),
    ],
)
def test_what_is_no_reference_is_refused(tmp_path, change, message):
    with pytest.raises(ReferencesError, match=message):
        read(tmp_path, ONE | change)


def test_an_empty_list_is_refused(tmp_path):
    with pytest.raises(ReferencesError, match="expected 1 to 500"):
        read(tmp_path)


def test_the_bibliography_marks_the_originals_entries_and_no_other(bibliography):
    marked = {
        int(found[1]): (key, "likely" not in entry.fields["note"])
        for key, entry in bibliography.items()
        if (found := re.search(r"original's \[(\d+)\]", entry.fields.get("note", "")))
    }
    assert marked == {r.number: (r.key, r.sure) for r in read_references(LIST)}


def test_every_entry_has_a_stable_address_but_the_one_not_verified(bibliography):
    bare = {
        k for k, e in bibliography.items() if not {"doi", "url"} & set(map(str.lower, e.fields))
    }
    assert bare == {"savran2012"}


def test_the_list_agrees_with_the_text(text):
    numbers = [int(s.text[1:].split("]")[0]) for s in text
               if s.section == "References" and s.text.startswith("[")]  # fmt: skip
    references = read_references(LIST)
    assert [r.number for r in references] == numbers
    places = {
        (int(n), s.section)
        for s in text
        if s.section != "References"
        for n in re.findall(r"\[(\d+)\]", s.text)
    }
    assert {n for n, _ in places} == {r.number for r in references if r.cited}
    assert {(r.number, c.section) for r in references for c in r.cited} <= places


REFERENCES = [
    Reference(1, "doe2020", "another year"),
    Reference(2, "roe", sure=False, cited=(Citation("II", "a", True, "b"), Citation("V", "c"))),
]


def test_a_row_per_place_that_cites():
    rows = tables.references_table(REFERENCES).formatted().to_numpy().tolist()
    assert [list(map(str, row)) for row in rows] == [
        ["1", "{cite:t}`doe2020`", "another year", "nowhere", "-", "-"],
        ["2", "most likely {cite:t}`roe`", "-", "II", "a", "yes; b"],
        ["", "", "", "V", "c", "text not available to us"],
    ]


def test_numbers_of_the_prose():
    assert prose.reference_numbers(REFERENCES) == {
        "references_total": 2, "references_cited": 1, "references_corrected": 1,
    }  # fmt: skip
