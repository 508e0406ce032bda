"""No number in the book's prose is typed by hand: it is glued, cited, or a plain constant."""

import pytest
from conftest import ROOT

from ferbook.paper.verification.prose import naked_numbers, prose_of

PAGES = sorted((ROOT / "book").glob("*.md")) + sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", PAGES, ids=[path.name for path in PAGES])
def test_no_number_is_typed_into_prose(path):
    assert naked_numbers(prose_of(path)) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Our run reaches 59.32 % there.", ["59.32"]),
        ("It saw 25,120 images.", ["25,120"]),
        ("{glue:text}`executed/03_results.ipynb::reference_correct:,` are right.", []),
        ("Others reach 73.28 % {cite:p}`khaireddin2021`. We do not.", ["73.28"]),
        ("We reach seventy-two percent.", ["seventy-two percent"]),
        ("It gains Two Points.", ["Two Points"]),
        ("We reach `72 %` or ``71``.", ["72 %", "71"]),
        ("We reach $72\\%$.", ["$72\\%$."]),
        ("We reach <b>more</b>.", ["<b>", "</b>"]),
        ("```\naccuracy: 72 %\n```", ["72 %"]),
        ("```{raw} html\n<p width='3'>More</p>\n```", []),
        ("```{raw} html\n<p>72 %</p>\n```", ["72"]),
        ("`results/ours/ours-efficientnet_lite2-96-s42` and {doc}`executed/08_reliability`", []),
        ("FER-2013 has pictures of 48 by 48 pixels and $K = 7$.", []),
        ("```{admonition} Abstract\nWe reach 71 %.\n```", ["71"]),
        ("| row | 12 |", ["12"]),
    ],
)
def test_the_guard_sees_what_it_should(text, found):
    assert naked_numbers(text) == found
