"""Numbers in the prose of the chapter Claims."""

from __future__ import annotations

from collections.abc import Iterable

from ferbook.claims.ledger import GRADES, Verdict


def claim_numbers(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """`claims_total` and `claims_<grade>`: how many claims got each grade."""
    grades = [verdict.grade for verdict in verdicts]
    counts = {f"claims_{grade.replace(' ', '_')}": grades.count(grade) for grade in GRADES}
    return {"claims_total": len(grades), **counts}
