"""Grades of claims as colored HTML: a badge, and a bar of all of them."""

from __future__ import annotations

from IPython.display import HTML

from ferbook.claims.grading import Graded, counted


def badge(grade: str) -> str:
    """The classes of a grade's badge; their colors are in `book/_static/custom.css`."""
    return f"grade grade-{grade.replace(' ', '-')}"


def grade_bar(graded: Graded) -> HTML:
    """The grades as one bar, each as wide as its share of the claims."""
    counts = {name: n for name, n in counted(graded).items() if n}
    words = ", ".join(f"{n} {name}" for name, n in counts.items())
    parts = "".join(
        f'<span class="{badge(name)}" style="flex: {n}" title="{name}">{n}</span>'
        for name, n in counts.items()
    )
    key = " ".join(f'<span class="{badge(name)}">{name}</span>' for name in counts)
    return HTML(
        f'<div class="grade-bar" role="img" aria-label="{words}">{parts}</div>'
        f'<p class="grade-key">{key}</p>'
    )
