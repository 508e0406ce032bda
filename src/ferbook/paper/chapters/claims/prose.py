"""Numbers in the prose of the chapter Claims, and of the abstract."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ferbook.claims.checks.scores import WIDEST
from ferbook.claims.grading import Graded, by_a_run, counted, facts
from ferbook.claims.references import Reference
from ferbook.claims.verdict import CONTRADICTED, NOT_RUN, NOT_SEEN, SEEN


def claim_numbers(graded: Graded) -> dict[str, int | float]:
    """`claims_total`, `claims_<grade>`: how many claims got each grade; `claims_questions`.

    `claims_contradicted_facts`: on how many distinct facts the contradicted ones rest. Of those not
    run, `claims_not_run_configuration` need a run of the original's own, `claims_not_run_other`
    other experiments. `claims_seen_by_a_run` and `claims_not_seen_by_a_run` are judged in each
    stand-in. `claims_widest`: the points that a replicated score may be off at most.
    """
    counts, original = counted(graded), by_a_run(graded, NOT_RUN)
    return {
        "claims_total": sum(counts.values()),
        "claims_questions": sum(claim.is_question for claim, _ in graded),
        **{f"claims_{re.sub('[ -]', '_', grade)}": n for grade, n in counts.items()},
        "claims_contradicted_facts": facts(graded, CONTRADICTED),
        "claims_not_run_configuration": original,
        "claims_not_run_other": counts[NOT_RUN] - original,
        "claims_seen_by_a_run": by_a_run(graded, SEEN),
        "claims_not_seen_by_a_run": by_a_run(graded, NOT_SEEN),
        "claims_widest": 100 * WIDEST,
    }


def reference_numbers(references: Iterable[Reference]) -> dict[str, int]:
    """`references_total`, `references_cited`: by the text, and `references_corrected`."""
    references = list(references)
    return {
        "references_total": len(references),
        "references_cited": sum(bool(reference.cited) for reference in references),
        "references_corrected": sum(bool(reference.corrected) for reference in references),
    }
