"""What a verification found, and how two values are compared."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_TOLERANCE = 1e-9  # relative: libraries may sum in another order


@dataclass
class Verified:
    """What was compared and what disagrees; `skipped` could not be recomputed from the store."""

    findings: list[str] = field(default_factory=list)
    compared: Counter[str] = field(default_factory=Counter)
    skipped: list[str] = field(default_factory=list)


def differences(shown: Any, computed: Any, where: str) -> Iterator[str]:
    """A line for each leaf in which two JSON-like values differ by more than rounding."""
    if isinstance(shown, Mapping) and isinstance(computed, Mapping):
        for key in [*computed, *(key for key in shown if key not in computed)]:
            yield from differences(shown.get(key), computed.get(key), f"{where}: {key}")
    elif not equal(shown, computed):
        yield f"{where}: shown {shown!r:.200}, recomputed {computed!r:.200}"


def equal(a: Any, b: Any) -> bool:
    """Whether two values are of one type and the same but for rounding; NaN is NaN."""
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=_TOLERANCE) or (a != a and b != b)
    return type(a) is type(b) and a == b
