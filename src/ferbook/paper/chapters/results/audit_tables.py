"""Tables of the chapter Results: published numbers under arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from ferbook.claims.feasibility import READINGS, solve, span
from ferbook.claims.published import FOLDER_TEST, Published
from ferbook.claims.table_audit import HARMONIC, Finding, readings_that_fit
from ferbook.paper.table import Table

_SHORT = {FOLDER_TEST: "Public + Private"}  # in the head of a column
_TICKS = {True: "✓", False: "✗"}


def audit_table(findings: Iterable[Finding]) -> Table:
    """Published results under arithmetic: a row per check, a tick per test set and reading.

    The detail is that of the first combination that is possible, and that of notes.
    """
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for f in findings:
        row = rows.setdefault((f.result, f.check), {"detail": ""})
        if f.possible is not None:
            row[_column(f.test_set, f.reading)] = _TICKS[f.possible]
        if f.possible is not False and not row["detail"]:
            row["detail"] = f.detail
    frame = pd.DataFrame([{"result": r, "check": c, **row} for (r, c), row in rows.items()])
    frame["detail"] = frame.pop("detail")  # last
    if frame["result"].nunique() == 1:
        del frame["result"]
    caption = (
        "Arithmetic checks of the printed numbers: possible (✓) or impossible (✗) on each set of "
        "images they may come from, as rounded and as truncated numbers."
    )
    return Table(frame.set_index(frame.columns[0]), caption, "tab-audit")


def audit_summary(findings: Sequence[Finding], *, source: str, label: str) -> Table:
    """One row per published result, a tick per test set and reading; then whether F1 is harmonic.

    That is, whether the printed F1 is 2PR / (P + R) of the printed averages; see table_audit.
    `source` names the publication.
    """
    fits = readings_that_fit(findings)
    noted = {f.result for f in findings if f.check == HARMONIC}
    rows: dict[str, dict[str, str]] = {}
    for (name, test_set), readings in fits.items():
        ticks = {_column(test_set, how): _TICKS[how in readings] for how in READINGS}
        rows.setdefault(name, {}).update(ticks)
    for name, row in rows.items():
        row["F1 of averages"] = "yes" if name in noted else "no"
    shown = pd.DataFrame.from_dict(rows, "index")
    caption = (
        f"The same checks on another paper's results, {source}: possible (✓) or impossible (✗); in "
        "the last column, results whose F1 is 2PR / (P + R) of the averaged precision and recall."
    )
    return Table(shown.rename_axis("result"), caption, label)


def _column(test_set: str, reading: str) -> str:
    return f"{_SHORT.get(test_set, test_set)}, {reading}"


def homeless_results(findings: Iterable[Finding]) -> list[str]:
    """Results that fail some check on every test set, rounded and truncated."""
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
        "What follows from the original's rounded cells: the right answers of each class, and how "
        "often the class was predicted."
    )
    return Table(frame, caption, "tab-hits", {"test images": ",d"})
