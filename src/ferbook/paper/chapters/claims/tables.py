"""Tables of the chapter Claims."""

from __future__ import annotations

import html
from collections.abc import Iterable

import pandas as pd
from IPython.display import HTML

from ferbook.claims.ledger import GRADES, Claim, Verdict
from ferbook.paper.table import Table


def claims_frame(graded: Iterable[tuple[Claim, Verdict]]) -> pd.DataFrame:
    """One row per claim: what is claimed, what was found, the grade, the evidence."""
    rows = [
        (c.id, c.section, c.statement, c.quote, _measured(c, v), v.grade, v.evidence)
        for c, v in graded
    ]
    columns = ["claim", "section", "statement", "printed", "found", "grade", "evidence"]
    return pd.DataFrame(rows, columns=columns)


def claims_table(graded: list[tuple[Claim, Verdict]]) -> HTML:
    """The ledger, each row's evidence linked into the book.

    Plain HTML; in the book, `ledger.js` adds a search field and a choice of grades.
    """
    frame = claims_frame(graded).map(html.escape)
    pages = [verdict.page.partition("#") for _, verdict in graded]
    frame["evidence"] = [
        f'<a href="{page}.html{mark}{label}">{text}</a>'
        for text, (page, mark, label) in zip(frame["evidence"], pages, strict=True)
    ]
    return HTML(frame.to_html(index=False, border=0, escape=False, classes="ledger"))


def grade_table(verdicts: Iterable[Verdict]) -> Table:
    """How many claims got each grade."""
    counts = pd.Series([v.grade for v in verdicts]).value_counts().reindex(GRADES, fill_value=0)
    frame = counts.rename_axis("grade").to_frame("claims")
    return Table(frame, "Grades of the original's claims.", "tab-grades")


def _measured(claim: Claim, verdict: Verdict) -> str:
    if verdict.measured is None:
        return "-"
    if claim.unit == "yes/no":
        return "yes" if verdict.measured else "no"
    return f"{verdict.measured:,.0f}" if verdict.measured > 1 else f"{verdict.measured:.4g}"
