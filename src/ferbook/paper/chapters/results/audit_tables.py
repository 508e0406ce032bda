"""Tables of the chapter Results: published numbers under arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from ferbook.claims.feasibility import READINGS, ROUNDED, solve, span
from ferbook.claims.published import Published
from ferbook.claims.table_audit import Finding, readings_that_fit
from ferbook.paper.table import Table

_HOW = {"rounded": "if rounded", "truncated": "if cut off"}
_WORDS = {True: "possible", False: "impossible", None: "note"}


def audit_table(findings: Iterable[Finding]) -> Table:
    """What arithmetic says of published results, check by check and test set by test set.

    Both readings of a printed number stand side by side; the detail is that of the first that is
    possible, else of rounding.
    """
    rows: dict[tuple[str, str, str], dict[str, Finding]] = {}
    for f in findings:
        rows.setdefault((f.result, f.check, f.test_set), {})[f.reading] = f
    columns = ["result", "check", "test set", *_HOW.values(), "detail"]
    frame = pd.DataFrame([(*key, *_verdicts(row)) for key, row in rows.items()], columns=columns)
    caption = (
        "Published numbers under arithmetic, for each set of images they may come from: as if they "
        "were rounded, and as if they were cut off after their last digit."
    )
    return Table(frame.set_index("result"), caption, "tab-audit")


def audit_summary(findings: Sequence[Finding], *, label: str) -> Table:
    """One row per published result: the test sets it is possible on, and what was noted."""
    fits = readings_that_fit(findings)
    rows = {
        name: (
            *(", ".join(s for (n, s), r in fits.items() if n == name and reading in r) or "none"
              for reading in READINGS),
            "; ".join(f.detail for f in findings if f.result == name and f.possible is None),
        )
        for name in dict.fromkeys(name for name, _ in fits)
    }  # fmt: skip
    columns = [*(f"possible on, {how}" for how in _HOW.values()), "note"]
    shown = pd.DataFrame.from_dict(rows, "index", columns=columns)
    caption = "Another paper's results under the same arithmetic."
    return Table(shown.rename_axis("result"), caption, label)


def homeless_results(findings: Iterable[Finding]) -> list[str]:
    """Results that fail some check on every test set, rounded and cut off."""
    fits = readings_that_fit(findings)
    homes = {name: any(r for (n, _), r in fits.items() if n == name) for name, _ in fits}
    return [name for name, home in homes.items() if not home]


def hits_table(published: Published, supports: Mapping[str, int]) -> Table:
    """Right answers and predictions of each class that the original's Table II forces."""
    bounds = solve(published, supports)
    rows = {
        name: (supports[name], *(span(*bounds[name][key]) for key in ("hits", "predicted")))
        for name in bounds
    }
    columns = ["test images", "right answers", "predicted"]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("class")
    caption = (
        "What the original's rounded cells force: the right answers of each class, and how often "
        "the class was predicted at all."
    )
    return Table(frame, caption, "tab-hits", {"test images": ",d"})


def _verdicts(row: Mapping[str, Finding]) -> tuple[str, ...]:
    """The verdict under each reading, and a detail; a note has one reading, "any"."""
    shown = next((f for f in row.values() if f.possible), row.get(ROUNDED) or row.get("any"))
    verdicts = (_WORDS[row[r].possible if r in row else None] for r in READINGS)
    return *verdicts, shown.detail
