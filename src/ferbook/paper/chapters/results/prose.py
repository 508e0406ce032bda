"""Numbers in the prose of the chapter Results."""

from __future__ import annotations

from ferbook.claims.feasibility import possible_hits
from ferbook.claims.published import TEST_SETS, Published


def audit_numbers(published: Published) -> dict[str, int]:
    """`original_hits_*`: right answers per class where the printed recalls leave one number."""
    hits = possible_hits(published, TEST_SETS["PublicTest + PrivateTest"])
    return {f"original_hits_{name}": k[0] for name, k in hits.items() if len(k) == 1}
