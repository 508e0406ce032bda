"""Every claim of the ledger to its grade. Nobody gives a grade by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from ferbook.claims.checks import BY_A_RUN, CHECKS
from ferbook.claims.evidence import Evidence, gather
from ferbook.claims.ledger import Claim, ClaimError, read_claims
from ferbook.claims.verdict import GRADES, Verdict

Graded = list[tuple[Claim, Verdict]]


def grade(claim: Claim, evidence: Evidence) -> Verdict:
    """Carry out the claim's check.

    Raises ClaimError when the ledger or the evidence does not hold what the check asks for.
    """
    arguments = {name: value for name, value in claim.check.items() if name != "kind"}
    kind = claim.check["kind"]
    if kind not in CHECKS:
        raise ClaimError(
            f"{claim.id}: expected a kind of check among {', '.join(sorted(CHECKS))}. "
            f"Received: {kind!r}."
        )
    try:
        verdict = CHECKS[kind](claim, evidence, **arguments)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise ClaimError(f"{claim.id}: {claim.check} cannot be carried out ({error!r}).") from error
    return verdict._replace(page=verdict.page or claim.page)


def grade_all(results_dir: str | Path, ledger: str | Path, original: str | Path) -> Graded:
    """Every claim of the ledger with its verdict, by the evidence of a result store."""
    evidence = gather(results_dir, original)
    return [(claim, grade(claim, evidence)) for claim in read_claims(ledger)]


def counted(graded: Iterable[tuple[Claim, Verdict]]) -> dict[str, int]:
    """How many claims got each grade; questions are no claims."""
    found = Counter(verdict.grade for claim, verdict in graded if not claim.is_question)
    return {name: found[name] for name in GRADES}


def facts(graded: Iterable[tuple[Claim, Verdict]], name: str) -> int:
    """On how many distinct facts the claims with the grade `name` rest."""
    return len({
        claim.fact or claim.id
        for claim, verdict in graded
        if verdict.grade == name and not claim.is_question
    })  # fmt: skip


def by_a_run(graded: Iterable[tuple[Claim, Verdict]], grade: str) -> int:
    """How many claims have this grade by runs of the original's recipe, or for want of one."""
    return sum(
        verdict.grade == grade and claim.check["kind"] in BY_A_RUN for claim, verdict in graded
    )
