"""Numbers in the prose of the chapter Claims, and of the abstract."""

from __future__ import annotations

import re

from ferbook.claims.grading import Graded, counted


def claim_numbers(graded: Graded) -> dict[str, int]:
    """`claims_total`, `claims_<grade>`: how many claims got each grade; `claims_questions`."""
    counts = counted(graded)
    return {
        "claims_total": sum(counts.values()),
        "claims_questions": sum(claim.is_question for claim, _ in graded),
        **{f"claims_{re.sub('[ -]', '_', grade)}": n for grade, n in counts.items()},
    }
