"""Numbers in the prose of the chapter Results."""

from __future__ import annotations

from collections.abc import Iterable

from ferbook.claims.feasibility import possible_hits
from ferbook.claims.field import Method, fraction
from ferbook.claims.published import TEST_SETS, Published


def audit_numbers(published: Published) -> dict[str, int]:
    """`original_hits_*`: right answers per class where the printed recalls leave one number."""
    hits = possible_hits(published, TEST_SETS["PublicTest + PrivateTest"])
    return {f"original_hits_{name}": k[0] for name, k in hits.items() if len(k) == 1}


def field_numbers(methods: Iterable[Method]) -> dict[str, int | float]:
    """`field_methods`, `field_on_test`, `field_repeated`: how many accuracies there are, how many
    have a checkpoint chosen on their own images, how many were repeated by others; and in percent
    `field_one_view`, `field_several_views`, of one network, and the range over repetitions of
    another, `field_widest_low`, `field_widest_high`.
    """
    methods = list(methods)
    repeated = {m.model: [(r.how, 100 * fraction(r.accuracy)) for r in m.repeated] for m in methods}
    views = dict(repeated["ResMaskingNet"])
    widest = [percent for _, percent in repeated["ResEmoteNet"]]
    return {
        "field_methods": len(methods),
        "field_on_test": sum(method.on_test for method in methods),
        "field_repeated": sum(bool(found) for found in repeated.values()),
        "field_one_view": views["one view"],
        "field_several_views": views["several views"],
        "field_widest_low": min(widest),
        "field_widest_high": max(widest),
    }
