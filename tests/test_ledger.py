"""The ledger of claims as a file, and what a printed number means."""

import json
from collections import Counter

import numpy as np
import pytest
from conftest import ROOT

from ferbook.claims import feasibility
from ferbook.claims.checks import CHECKS
from ferbook.claims.ledger import QUESTIONS, Claim, ClaimError, read_claims
from ferbook.claims.published import SCORES
from ferbook.core.classes import CLASSES
from ferbook.core.structured import read_yaml
from ferbook.paper.chapters import NOTEBOOKS

LEDGER = ROOT / "book" / "claims.yml"
ENTRY = {
    "id": "a", "group": "g", "section": "I", "quote": "q", "statement": "s", "page": "p",
    "check": {"kind": "dataset", "path": "images"},
}  # fmt: skip


def read(path, *entries):
    path.write_text(json.dumps({"claims": list(entries)}))
    return read_claims(path)


def test_every_cell_of_table_2_is_a_claim_with_the_value_of_the_audit():
    ledger = {claim.id: claim for claim in read_claims(LEDGER)}
    table = read_yaml(ROOT / "book" / "original.yml")["table_2"]
    for name in (*CLASSES, "overall"):
        for score in SCORES:
            claim = ledger[f"{name}-{score}"]
            assert (claim.value, claim.last_digit) == (table[name][score], 0.01)


def test_every_claim_has_a_known_check_and_recommendations_are_questions():
    ledger = read_claims(LEDGER)
    assert {claim.check["kind"] for claim in ledger} == set(CHECKS)
    assert {c.id for c in ledger if c.is_question} == {
        c.id for c in ledger if c.check["kind"] == "question"
    }
    assert sum(claim.group == QUESTIONS for claim in ledger) == 5


def test_a_comparison_is_quoted_whole():
    of_rare = [c for c in read_claims(LEDGER) if "underrepresented" in c.quote]
    assert of_rare and all("than the neutral ones or happy face" in c.quote for c in of_rare)


def test_a_fact_is_named_only_where_several_statements_rest_on_it():
    named = Counter(claim.fact for claim in read_claims(LEDGER) if claim.fact)
    assert named and min(named.values()) > 1


def test_named_numbers_make_a_claim_each(tmp_path):
    entry = ENTRY | {
        "statement": "The {name} of sad.", "printed": {"recall": 56, "f1": 57}, "printed_to": 1,
        "unit": "%",
    }  # fmt: skip
    recall, f1 = read(tmp_path / "l.yml", entry)
    assert (recall.id, recall.statement, recall.value) == ("a-recall", "The recall of sad.", 0.56)
    assert (f1.id, f1.statement, f1.value) == ("a-f1", "The F1 of sad.", 0.57)
    assert f1.check == {"kind": "dataset", "path": "images", "name": "f1"}


@pytest.mark.parametrize(
    ("printed", "printed_to", "unit", "measured", "readings"),
    [
        (68.78, 0.01, "%", 4937 / 7178, ["rounded"]),  # 0.687796
        (68.78, 0.01, "%", 0.68784, ["rounded", "truncated"]),
        (68.78, 0.01, "%", 0.68786, ["truncated"]),
        (68.78, 0.01, "%", 0.6879, []),
        (35000, 1000, "images", 35887, ["truncated"]),
        (35887, 1, "images", 35887, ["rounded", "truncated"]),
        (35887, 1, "images", 35888, []),
        (9.2e6, 1e5, "parameters", 9177569, ["rounded"]),
        (9.2e6, 1e5, "parameters", 7778432, []),
    ],
)
def test_readings_of_a_printed_number(printed, printed_to, unit, measured, readings):
    parts = ENTRY | {"printed": printed, "printed_to": printed_to, "unit": unit}
    assert Claim(**parts).readings(measured) == readings


def test_both_ends_of_rounding_and_the_lower_of_truncation_count():
    claim = Claim(**ENTRY | {"printed": 0.5, "printed_to": 0.25, "unit": ""})
    low, high = feasibility.printed_range(0.5, 0.25)
    assert claim.readings(low) == claim.readings(0.375) == ["rounded"]
    assert claim.readings(high) == ["rounded", "truncated"]
    assert claim.readings(np.nextafter(low, 0)) == claim.readings(0.75) == []


def test_tolerances_say_where_they_come_from(tmp_path):
    entries = [
        ENTRY | {"tolerance": {"value": 0.05, "ours": True}},
        ENTRY | {"id": "c", "tolerance": {"value": 3, "from": "three pairs"}},
    ]
    ours, quote = (claim.tolerance for claim in read(tmp_path / "l.yml", *entries))
    assert str(ours) == "limit 0.05, ours" and str(quote) == "limit 3, three pairs"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"check": 3}, "not a claim"),
        ({"check": {}}, "not a claim"),
        ({"check": {"kind": 3}}, "kind: expected text. Received: 3"),
        ({"statement": None}, "statement: expected text"),
        ({"fact": 3}, "fact: expected text"),
        ({"printed": "many"}, "not a claim"),
        ({"printed": 3}, "not a claim"),  # to which digit?
        ({"extra": 1}, "not a claim"),
        ({"tolerance": 0.05}, "expected a value with"),
        ({"tolerance": {"value": 3}}, "Received: {'value': 3}"),
    ],
)
def test_wrong_entries_are_refused(tmp_path, change, message):
    with pytest.raises(ClaimError, match=message):
        read(tmp_path / "l.yml", ENTRY | change)


def test_wrong_ledgers_are_refused(tmp_path):
    path = tmp_path / "l.yml"
    with pytest.raises(ClaimError, match="given twice"):
        read(path, ENTRY, ENTRY)
    with pytest.raises(ClaimError, match="empty"):
        read(path)
    path.write_text("claims: 3")
    with pytest.raises(ClaimError, match="expected a list"):
        read_claims(path)


def test_every_page_and_label_that_a_claim_leads_to_exists():
    for page in {claim.page for claim in read_claims(LEDGER)}:
        name, _, label = page.partition("#")
        if name.startswith("../"):
            assert (ROOT / "book" / f"{name[3:]}.md").is_file() and not label
            continue
        assert name in NOTEBOOKS
        assert label in (ROOT / "book" / "executed" / f"{name}.ipynb").read_text(encoding="utf-8")
