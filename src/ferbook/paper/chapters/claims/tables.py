"""Tables of the chapter Claims, as HTML: a cell of the ledger holds a badge, a link, a block.

In the book, `ledger.js` adds a search field and a choice of grades; without it all is readable.
"""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Iterable, Mapping

import pandas as pd
from IPython.display import HTML

from ferbook.claims.grading import Graded, counted, facts
from ferbook.claims.ledger import QUESTIONS, Claim
from ferbook.claims.published import SCORES
from ferbook.claims.references import Citation, Reference
from ferbook.claims.verdict import CONTRADICTED, GRADES, Verdict
from ferbook.core.classes import CLASSES
from ferbook.paper.grades import badge
from ferbook.paper.table import MINUS, Markup, Table, cited, together, with_minus

_KINDS = ("ledger-statements", "ledger-questions")  # `ledger.js` counts each kind
_COLUMNS = ("statement", "printed", "found", "grade", "evidence")


def claims_frame(graded: Graded) -> pd.DataFrame:
    """One row per claim: what is claimed, what was found, the grade, the evidence."""
    rows = [
        (c.id, c.section, c.statement, c.quote, v.found, v.grade, v.evidence) for c, v in graded
    ]
    return pd.DataFrame(rows, columns=["claim", "section", *_COLUMNS])


def grade_table(graded: Graded) -> Table:
    """How many claims got each grade, and when it is given; questions are not counted."""
    rows = {name: (n, GRADES[name]) for name, n in counted(graded).items()}
    frame = pd.DataFrame.from_dict(rows, "index", columns=["claims", "given when"])
    caption = (
        "Grades of the original's claims. Those contradicted rest on "
        f"{facts(graded, CONTRADICTED)} distinct facts."
    )
    return Table(frame.rename_axis("grade"), caption, "tab-grades")


def contradicted_table(graded: Graded) -> Table:
    """The statements that are contradicted, one for each distinct fact, with what was found."""
    rows: dict[str, tuple[str, str, str]] = {}
    for claim, verdict in graded:
        if verdict.grade == CONTRADICTED and not claim.is_question:
            row = claim.statement, verdict.found, verdict.evidence
            rows.setdefault(claim.fact or claim.id, row)
    columns = ["statement", "found", "evidence"]
    frame = pd.DataFrame(rows.values(), columns=columns).set_index("statement")
    caption = "What is contradicted, one statement for each fact."
    return Table(frame, caption, "tab-contradicted")


def claims_table(graded: Graded) -> HTML:
    """The ledger by group: what the original says, what was found, the grade and why.

    The scores of the seven classes in Table II stand in one block.
    """
    cells = {claim.id: (claim, verdict) for claim, verdict in graded if _is_cell(claim)}
    groups: dict[str, list[str]] = {}
    for claim, verdict in graded:
        rows = groups.setdefault(claim.group, [])
        if claim.id not in cells:
            rows.append(_row(claim, verdict))
        elif claim.id == next(iter(cells)):
            rows.append(_block(cells))
    head = "".join(f"<th>{column}</th>" for column in _COLUMNS)
    bodies = "".join(
        f'<tbody class="{_KINDS[name == QUESTIONS]}"><tr class="ledger-group">'
        f'<th colspan="{len(_COLUMNS)}">{html.escape(name)}</th></tr>{"".join(rows)}</tbody>'
        for name, rows in groups.items()
    )
    return HTML(f'<table class="ledger"><thead><tr>{head}</tr></thead>{bodies}</table>')


def references_table(references: Iterable[Reference]) -> Table:
    """The original's list, corrected: a row per place that cites a work, or one for the work."""
    rows = [
        (*(_work(r) if i == 0 else ("", "", "")), *_cited(citation))
        for r in references
        for i, citation in enumerate(r.cited or (None,))
    ]
    columns = ["no.", "work", "the original has", "cited in", "for", "does it say so?"]
    frame = pd.DataFrame(rows, columns=columns).set_index("no.")
    caption = (
        "The original's references, corrected: what its list has instead, what its text cites each "
        "for, and whether the work says so."
    )
    return Table(frame, caption, "tab-references")


def _work(reference: Reference) -> tuple[str | Markup | None, ...]:
    work = together("" if reference.sure else "most likely ", cited(reference.key))
    return str(reference.number), work, reference.corrected or None


def _cited(citation: Citation | None) -> tuple[str | None, ...]:
    if citation is None:
        return "nowhere", None, None
    answer = {True: "yes", False: "no", None: "text not available to us"}[citation.says]
    says = "; ".join(filter(None, (answer, citation.why)))
    return citation.section, citation.purpose, says


def _row(claim: Claim, verdict: Verdict) -> str:
    cells = (
        _words(claim.statement),
        f"“{_as_printed(html.escape(claim.quote))}” <small>{html.escape(claim.section)}</small>",
        _words(verdict.found),
        f'<span class="{badge(verdict.grade)}">{verdict.grade}</span>',
        f"{_words(verdict.evidence)} {_link(verdict.page)}",
    )
    return _grades([verdict.grade]) + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _words(text: str) -> str:
    """Text of ours as HTML, with the signs of print."""
    return with_minus(html.escape(text.replace("'", "\u2019")))


_SIGNS = {r"\approx": "≈", r"\pm": "±", r"^\circ": "°"}


def _as_printed(quote: str) -> str:
    """The original's text as its pages show it: emphasis in italics, formulas without LaTeX."""
    text = re.sub(r"(\*{1,2})(\w[^*]*)\1", r"<em>\2</em>", quote)
    return re.sub(r"\$([^$]*)\$", lambda formula: _plain(formula[1]), text)


def _plain(formula: str) -> str:
    for command, sign in _SIGNS.items():
        formula = formula.replace(command, sign)
    return with_minus(re.sub(r"\\text\{(\w+)\}", r"\1", formula).replace("e-", f"e{MINUS}"))


def _block(cells: Mapping[str, tuple[Claim, Verdict]]) -> str:
    """A row that holds the scores of the classes, one cell a score."""
    head = "".join(f"<th>{'F1' if score == 'f1' else score}</th>" for score in SCORES)
    rows = "".join(
        f"<tr><th>{name}</th>{''.join(_cell(*cells[f'{name}-{score}']) for score in SCORES)}</tr>"
        for name in CLASSES
    )
    verdicts = [verdict for _, verdict in cells.values()]
    reasons = "; ".join(dict.fromkeys(verdict.evidence for verdict in verdicts))
    return (
        f'{_grades([v.grade for v in verdicts])}<td colspan="{len(_COLUMNS)}">'
        "The scores of each class: as printed, what was found, and the grade."
        f'<table class="ledger-cells"><thead><tr><th>Table II</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table>{_words(reasons)} {_link(verdicts[0].page)}</td></tr>"
    )


def _cell(claim: Claim, verdict: Verdict) -> str:
    return (
        f"<td>{claim.printed:.2f} <small>{html.escape(verdict.found)}</small> "
        f'<span class="{badge(verdict.grade)}">{verdict.grade}</span></td>'
    )


def _is_cell(claim: Claim) -> bool:
    names = itertools.product(CLASSES, SCORES)
    return claim.check["kind"] == "score" and claim.id in {f"{c}-{s}" for c, s in names}


def _grades(grades: Iterable[str]) -> str:
    """The opening of a row that `ledger.js` finds and counts by its grades, one a claim."""
    return f'<tr data-grades="{"|".join(grades)}">'


def _link(page: str) -> str:
    name, mark, label = page.partition("#")
    anchor = label.replace("_", "-")  # as Sphinx writes it
    return f'<a href="{html.escape(name)}.html{mark}{html.escape(anchor)}">more</a>'
