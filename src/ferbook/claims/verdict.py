"""What a check gives: a grade, what was found, and why."""

from __future__ import annotations

from typing import NamedTuple

FACT = "fact confirmed"
CONSISTENT = "consistent by arithmetic"
REPLICATED = "replicated"
SEEN = "seen on a stand-in"
NOT_SEEN = "not seen on a stand-in"
NOT_REPLICATED = "not replicated"
CONTRADICTED = "contradicted"
NOT_TESTABLE = "not testable here"
NOT_RUN = "not run"
UNDECIDED = "undecided"
GRADES = {
    FACT: "counted in the data, on a built network or read in the source named",
    CONSISTENT: "the original's own numbers and counts of images or parameters allow it",
    REPLICATED: "a run of the original's configuration gives it, within the tolerance",
    SEEN: "the original's recipe gives it with another network, input size, number of images, "
    "learning rate or number of epochs",
    NOT_SEEN: "the original's recipe does not give it there, or by less than seeds can cause; the "
    "original may still be right",
    NOT_REPLICATED: "a run of the original's configuration gives something else",
    CONTRADICTED: "counts or arithmetic exclude it, or the source named says otherwise",
    NOT_TESTABLE: "nothing that we have could decide it",
    UNDECIDED: "runs were made, but they disagree with one another, are of one seed or of seeds "
    "too far apart, or are of a network that did not learn",
    NOT_RUN: "an experiment could decide it, and was not made",
}
"""Grade -> when it is given, in the order in which the book lists them."""
ANSWERED = "answered on a stand-in"  # of questions, which are no claims


class Verdict(NamedTuple):
    """A grade, what was found (empty: nothing), why, and the page where that differs from the
    claim's."""

    grade: str
    found: str
    evidence: str
    page: str = ""
