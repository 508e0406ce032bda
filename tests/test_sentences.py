"""The original's text against the ledger: verbatim quotes, and no sentence passed over."""

import pytest
from conftest import ROOT

from ferbook.claims import sentences
from ferbook.claims.ledger import read_claims
from ferbook.core.structured import read_yaml

MAP = ROOT / "book" / "sentences.yml"


@pytest.fixture(scope="module")
def ledger():
    return read_claims(ROOT / "book" / "claims.yml")


def test_every_quote_is_verbatim_and_every_sentence_is_mapped(text, ledger):
    quotes = [(claim.id, claim.section, claim.quote) for claim in ledger]
    for claim in ledger:
        others = claim.check.get("elsewhere", [])
        quotes += [(claim.id, other["section"], other["quote"]) for other in others]
    assert sentences.problems(text, sentences.read_map(MAP), quotes) == []


def test_titles_of_references_are_verbatim(text, ledger):
    listed = {s.text.split()[0]: s.text for s in text if s.section == "References"}
    for claim in ledger:
        titles = claim.check.get("titles", {}) | claim.check.get("instead", {})
        for number, title in titles.items():
            assert f"“{title}," in listed[number]


def test_the_map_and_the_ledger_name_the_same_claims(ledger):
    answers = sentences.read_map(MAP).values()
    cited = {name for answer in answers if isinstance(answer, list) for name in answer}
    assert cited == {claim.id for claim in ledger}


def test_no_long_words_of_the_original_are_in_the_map():
    rows = [row for part in read_yaml(MAP)["claims"].values() for row in part]
    assert all(len(row["words"].split()) <= 6 and len(row["sha256"]) == 64 for row in rows)


PAPER = """
A Title

Ann Author

Abstract—First. Second by Doe et al. in 2.5 lines,

broken by a page.

I. INTRODUCTION

One vs. two. It is so:

- an item
- an item of
two lines

A. A Part (new)

Text before.

TABLE I: Scores

| A | B |
|---|---|
| x | 1 |

Text after.

Fig. 2: A curve. It falls.

REFERENCES

- [1] A. Author, “Title,” *Journal*, 2020.
"""


def test_sentences(tmp_path):
    path = tmp_path / "paper.txt"
    path.write_text(PAPER)
    assert sentences.read_sentences(path) == [
        ("Title", "A Title"),
        ("Title", "Ann Author"),
        ("Abstract", "Abstract—First."),
        ("Abstract", "Second by Doe et al. in 2.5 lines, broken by a page."),
        ("I", "I. INTRODUCTION"),
        ("I", "One vs. two."),
        ("I", "It is so:"),
        ("I", "an item"),
        ("I", "an item of two lines"),
        ("I.A", "A. A Part (new)"),
        ("I.A", "Text before."),
        ("Table I", "TABLE I: Scores"),
        ("Table I", "| A | B |"),
        ("Table I", "| x | 1 |"),
        ("I.A", "Text after."),
        ("Fig. 2", "Fig. 2: A curve."),
        ("Fig. 2", "It falls."),
        ("References", "REFERENCES"),
        ("References", "[1] A. Author, “Title,” *Journal*, 2020."),
    ]


def test_what_is_missing_is_named():
    one, two = sentences.Sentence("I", "It is 3."), sentences.Sentence("II", "It is 4.")
    known = {("I", one.sha256): ["a"], ("I", "0" * 64): "a heading"}
    quotes = [("a", "I", "is\n3"), ("b", "I", "is 4"), ("c", "III", "is")]
    assert sentences.problems([one, two], known, quotes) == [
        "not in the map: II: It is 4.",
        f"in the map, not in the text: I: {'0' * 64}",
        "b: not verbatim in I: is 4",
        "c: not verbatim in III: is",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("claims: {I: [{sha256: a, claims: [x]}]}\nno_claim: {none: {I: [a]}}", "there twice"),
        ("claims: {I: [{claims: [x]}]}\nno_claim: {}", "not a map of sentences"),
        ("claims: {}", "not a map of sentences"),
        ("claims: {}\nno_claim: 3", "not a map of sentences"),
    ],
)
def test_wrong_maps_are_refused(tmp_path, text, message):
    path = tmp_path / "map.yml"
    path.write_text(text)
    with pytest.raises(sentences.MapError, match=message):
        sentences.read_map(path)
