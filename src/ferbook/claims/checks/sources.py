"""Checks against sources, the field and the text itself, and claims that nothing here decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ferbook.claims.evidence import Evidence
from ferbook.claims.field import ONE_VIEW, Method, fraction
from ferbook.claims.ledger import Claim
from ferbook.claims.verdict import (
    CONSISTENT,
    CONTRADICTED,
    FACT,
    NOT_RUN,
    NOT_TESTABLE,
    Verdict,
)
from ferbook.core.recipe import Recipe


def source_says(
    claim: Claim,
    evidence: Evidence,
    source: str,
    says: str,
    words: list[str] | None = None,
    without: list[str] | None = None,
) -> Verdict:
    """Whether a source, quoted in `says`, holds all of `words` and none of `without`."""
    holds = all(word in says for word in words or ()) and not any(w in says for w in without or ())
    return Verdict(FACT if holds else CONTRADICTED, f"“{says}”", _sentence(source))


def reference_title(
    claim: Claim,
    evidence: Evidence,
    titles: Mapping[str, str],
    word: str,
    instead: Mapping[str, str] | None = None,
) -> Verdict:
    """Whether the titles of the references cited have `word` in them.

    A title that lacks it proves nothing, unless the original itself lists a work, `instead`, whose
    title has it.
    """
    found = "; ".join(f"{number} “{title}”" for number, title in titles.items())
    if all(word.lower() in title.lower() for title in titles.values()):
        return Verdict(FACT, found, "Read in the titles of the original's own list.")
    if instead:
        better = "; ".join(f"{number} “{title}”" for number, title in instead.items())
        return Verdict(CONTRADICTED, found, f"The original's own list has {better}.")
    return Verdict(
        NOT_TESTABLE, found, f"Its title does not speak of {word}; we have no more of it."
    )


def section_exists(claim: Claim, evidence: Evidence, section: str) -> Verdict:
    """Whether the text has such a section."""
    if not evidence.sections:
        return Verdict(NOT_TESTABLE, "", "The sections of the text are not known.")
    found = sorted(name for name in evidence.sections if name.startswith(section))
    text = (
        "The text that we have ends with its references; no appendix and no code come with it. "
        "Another version of it may have them."
    )
    return Verdict(FACT, ", ".join(found), "") if found else Verdict(NOT_TESTABLE, "none", text)


def stated(claim: Claim, evidence: Evidence, fields: list[str]) -> Verdict:
    """What the original says that it did. Without its code only the words are known."""
    recipe, ours = evidence.original["recipe"], vars(Recipe())
    other = [name for name in fields if ours[name] != recipe[name]]
    text = "Stated, but the code that ran is not published."
    if fields:
        same = "Our profile of the original has the same values."
        text += f" Our profile differs in {', '.join(other)}." if other else f" {same}"
    return Verdict(NOT_TESTABLE, "", text)


def restated(claim: Claim, evidence: Evidence, elsewhere: list[Mapping[str, Any]]) -> Verdict:
    """Whether the numbers of other sentences stand in the claim's own."""
    agree = [
        all(n in claim.quote and n.split()[0] in place["quote"] for n in place["numbers"])
        for place in elsewhere
    ]
    sections = ", ".join(dict.fromkeys(place["section"] for place in elsewhere))
    found = f"{sum(agree)} of {len(agree)} places agree"
    text = f"Read in sections {sections} and {claim.section}."
    return Verdict(FACT if all(agree) else CONTRADICTED, found, text)


def prior_best(claim: Claim, evidence: Evidence, family: str, model: str) -> Verdict:
    """Whether a published network of that family beats a row of Table III, like for like.

    That is: a test accuracy on all official test images, of one answer to each, by a network that
    was not chosen on them. The literature was not counted: that none is known proves nothing.
    """
    row, known = _row(evidence, model), _family(evidence, family)
    if row["split"] != "test":
        return Verdict(NOT_TESTABLE, "", f"{_not_alike(row)} {_known(known)}")
    higher = [method for method in known
              if method.is_plain and method.value > fraction(row["accuracy"])]  # fmt: skip
    if higher:
        best = max(higher, key=lambda method: method.value)
        return Verdict(CONTRADICTED, best.accuracy, f"{best.model}, measured alike.")
    text = (
        "None that we know of is both higher and alike: on all test images, one answer to each, "
        f"not chosen on them. {_known(known)}"
    )
    return Verdict(NOT_TESTABLE, "", text)


def prior_generally(claim: Claim, evidence: Evidence, family: str) -> Verdict:
    """What is known of a family; "generally" is a statement about the literature as a whole."""
    text = f"The literature was not counted. {_known(_family(evidence, family))}"
    return Verdict(NOT_TESTABLE, "", text)


def field_above(claim: Claim, evidence: Evidence) -> Verdict:
    """How many of the published accuracies are higher; they are of other test images."""
    above = [method for method in evidence.field if method.value > evidence.published.accuracy]
    found = f"{len(above)} of {len(evidence.field)} published accuracies are higher"
    text = "They were measured on other test images, and the words give no limit."
    return Verdict(NOT_TESTABLE, found, text)


def beats(claim: Claim, evidence: Evidence, model: str) -> Verdict:
    """Whether the original's accuracy is higher than that of a row of its Table III, like for
    like."""
    row = _row(evidence, model)
    difference = 100 * (evidence.published.accuracy - fraction(row["accuracy"]))
    found = f"{difference:+.2f} points"
    if row["split"] != "test":
        return Verdict(NOT_TESTABLE, found, _not_alike(row))
    return Verdict(CONSISTENT if difference > 0 else CONTRADICTED, found, "Read off Table III.")


def not_testable(claim: Claim, evidence: Evidence, reason: str) -> Verdict:
    """Nothing that we have could decide it."""
    return Verdict(NOT_TESTABLE, "", _sentence(reason))


def not_run(claim: Claim, evidence: Evidence, reason: str) -> Verdict:
    """An experiment could decide it, and was not made."""
    return Verdict(NOT_RUN, "", _sentence(reason))


CHECKS = (
    source_says, reference_title, section_exists, stated, restated, prior_best, prior_generally,
    field_above, beats, not_testable, not_run,
)  # fmt: skip


def _sentence(reason: str) -> str:
    return f"{reason[0].upper()}{reason[1:]}."


def _row(evidence: Evidence, model: str) -> Mapping[str, Any]:
    """A row of the original's Table III."""
    (row,) = (row for row in evidence.original["table_3"] if row["model"] == model)
    return row


def _not_alike(row: Mapping[str, Any]) -> str:
    return (
        f"Not alike: the {row['accuracy']} of {row['model']} is a {row['split']} accuracy, by its "
        f"source {row['source']}."
    )


def _known(methods: Iterable[Method]) -> str:
    """What was measured on which images, in how many views."""
    known = [
        f"{m.model} {m.accuracy} on {m.images}{' that it was chosen on' if m.on_test else ''}"
        f"{f' ({m.views})' if m.views not in ('', ONE_VIEW) else ''}"
        for m in methods
    ]
    return f"Known to us: {'; '.join(known)}."


def _family(evidence: Evidence, family: str) -> list[Method]:
    return [method for method in evidence.field if method.model.startswith(family)]
