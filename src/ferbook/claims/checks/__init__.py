"""The kinds of check, by name: functions of a claim, the evidence and the check's arguments."""

from __future__ import annotations

from collections.abc import Callable

from ferbook.claims.checks import ablations, counts, curves, errors, printed, scores, sizes, sources
from ferbook.claims.verdict import Verdict

CHECKS: dict[str, Callable[..., Verdict]] = {
    check.__name__: check
    for module in (ablations, counts, curves, errors, printed, scores, sizes, sources)
    for check in module.CHECKS
}
BY_A_RUN = frozenset(
    check.__name__ for module in (curves, errors, scores) for check in module.CHECKS
)
"""The kinds that a run of the original's own configuration decides."""
