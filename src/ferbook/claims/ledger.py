"""The ledger: every checkable statement of the original, as `book/claims.yml` holds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ferbook.claims.feasibility import READINGS, printed_range
from ferbook.core.errors import FerbookError
from ferbook.core.structured import read_yaml

QUESTIONS = "questions that the paper raises"  # the group of recommendations, which claim nothing
_WORDS = ("id", "group", "section", "quote", "statement", "page", "unit", "fact")


class ClaimError(FerbookError, ValueError):
    """The ledger of claims is not as it should be."""


@dataclass(frozen=True)
class Tolerance:
    """A limit and where it comes from."""

    value: float
    source: str

    @classmethod
    def from_entry(cls, entry: Any) -> Tolerance:
        """`{value: 0.05, ours: true}` or `{value: 3, from: words of the text}`.

        Raises ValueError for anything else.
        """
        if isinstance(entry, Mapping) and entry.keys() in ({"value", "ours"}, {"value", "from"}):
            return cls(float(entry["value"]), "ours" if "ours" in entry else str(entry["from"]))
        raise ValueError(
            f"tolerance: expected a value with `ours: true` or `from`. Received: {entry!r}"
        )

    def __str__(self) -> str:
        return f"limit {self.value:g}, {self.source}"


@dataclass(frozen=True)
class Claim:
    """One checkable statement of the original.

    `printed` and `printed_to` are in `unit`, as in the quote; both are None where it has no number.
    `fact` is shared by statements that one and the same fact decides.
    """

    id: str
    group: str
    section: str
    quote: str
    statement: str
    check: Mapping[str, Any]
    page: str
    printed: float | None = None
    printed_to: float | None = None
    unit: str = ""
    tolerance: Tolerance | None = None
    fact: str = ""

    @property
    def is_question(self) -> bool:
        """Whether it is a recommendation of the original, which nothing can contradict."""
        return self.group == QUESTIONS

    @property
    def value(self) -> float:
        """The printed number; a percentage as a fraction."""
        return self.printed / self._scale

    @property
    def last_digit(self) -> float:
        """The unit of its last digit, on the scale of `value`."""
        return self.printed_to / self._scale

    def readings(self, measured: float) -> list[str]:
        """ "rounded", "truncated" or both: how `measured` would be printed as it is."""
        ranges = {r: printed_range(self.value, self.last_digit, r) for r in READINGS}
        return [name for name, (low, high) in ranges.items() if low <= measured <= high]

    @property
    def _scale(self) -> float:
        return 100.0 if self.unit == "%" else 1.0


def read_claims(path: str | Path) -> list[Claim]:
    """The ledger. Raises ClaimError, naming the entry, when one is incomplete or given twice."""
    entries = read_yaml(path).get("claims")
    if entries is None:
        raise ClaimError(f"{path}: no ledger of claims (no key claims in it).")
    if not isinstance(entries, list):
        raise ClaimError(f"{path}: expected a list of claims. Received: {entries!r:.80}.")
    claims = [claim for entry in entries for claim in _claims(entry, path)]
    twice = {c.id for c in claims if [d.id for d in claims].count(c.id) > 1}
    if twice or not claims:
        raise ClaimError(
            f"{path}: ids given twice: {sorted(twice)}." if twice else f"{path}: empty."
        )
    return claims


def _claims(entry: Any, path: str | Path) -> Iterator[Claim]:
    """One claim, or one for each of the named numbers of `printed`."""
    try:
        for parts in _named(dict(entry)):
            if "tolerance" in parts:
                parts["tolerance"] = Tolerance.from_entry(parts["tolerance"])
            claim = Claim(**parts)
            words = {name: getattr(claim, name) for name in _WORDS}
            for name, text in (*words.items(), ("kind", claim.check["kind"])):
                if not isinstance(text, str):
                    raise TypeError(f"{name}: expected text. Received: {text!r:.80}")
            if claim.printed is not None:
                claim.readings(float(claim.printed))
            yield claim
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise ClaimError(f"{path}: not a claim: {entry!r:.300} ({error}).") from error


def _named(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    printed = entry.get("printed")
    if not isinstance(printed, Mapping):
        yield entry
        return
    for name, value in printed.items():
        yield entry | {
            "id": f"{entry['id']}-{name}",
            "printed": value,
            "statement": entry["statement"].replace("{name}", "F1" if name == "f1" else str(name)),
            "check": {**entry["check"], "name": name},
        }
