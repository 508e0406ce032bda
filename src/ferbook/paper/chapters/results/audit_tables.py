"""Tables of the chapter Results: published numbers under arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields

import pandas as pd

from ferbook.claims.feasibility import solve, span
from ferbook.claims.published import Published
from ferbook.claims.table_audit import Finding
from ferbook.paper.table import Table


def audit_table(findings: Iterable[Finding]) -> Table:
    """What arithmetic says of published results, check by check and test set by test set."""
    words = {True: "possible", False: "impossible", None: "note"}
    rows = [(f.result, f.check, f.test_set, words[f.possible], f.detail) for f in findings]
    frame = pd.DataFrame(rows, columns=["result", "check", "test set", "verdict", "detail"])
    caption = "Published numbers under arithmetic, for each set of images they may come from."
    return Table(frame.set_index("result"), caption, "tab-audit")


def audit_summary(findings: Sequence[Finding], *, label: str) -> Table:
    """One row per published result: the test sets it is possible on, and what was noted."""
    frame, fits = pd.DataFrame(findings), _fits(findings)
    rows = {
        name: (", ".join(part.index[part].get_level_values("test_set")) or "none",
               "; ".join(frame["detail"][(frame["result"] == name) & frame["possible"].isna()]))
        for name, part in fits.groupby("result", sort=False)
    }  # fmt: skip
    shown = pd.DataFrame.from_dict(rows, "index", columns=["possible on", "note"])
    caption = "Another paper's results under the same arithmetic."
    return Table(shown.rename_axis("result"), caption, label)


def homeless_results(findings: Iterable[Finding]) -> list[str]:
    """Results for which every test set fails some check."""
    fits = _fits(findings)
    homeless = ~fits.groupby("result", sort=False).any()
    return homeless.index[homeless].tolist()


def _fits(findings: Iterable[Finding]) -> pd.Series:
    """Whether each result passes every check, by result and test set; notes are passed over."""
    judged = [f for f in findings if f.possible is not None]
    frame = pd.DataFrame(judged, columns=[field.name for field in fields(Finding)]).astype(
        {"possible": bool}
    )
    return frame.groupby(["result", "test_set"], sort=False)["possible"].all()


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
