"""Numbers in the prose of the chapter Claims, and of the abstract."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ferbook.claims.grading import Graded, counted
from ferbook.claims.references import Reference


def claim_numbers(graded: Graded) -> dict[str, int]:
    """`claims_total`, `claims_<grade>`: how many claims got each grade; `claims_questions`."""
    counts = counted(graded)
    return {
        "claims_total": sum(counts.values()),
        "claims_questions": sum(claim.is_question for claim, _ in graded),
        **{f"claims_{re.sub('[ -]', '_', grade)}": n for grade, n in counts.items()},
    }


def reference_numbers(references: Iterable[Reference]) -> dict[str, int]:
    """`references_total`, `references_cited`: by the text, and `references_corrected`."""
    references = list(references)
    return {
        "references_total": len(references),
        "references_cited": sum(bool(reference.cited) for reference in references),
        "references_corrected": sum(bool(reference.corrected) for reference in references),
    }
