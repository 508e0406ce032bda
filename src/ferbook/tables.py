"""Facts to the tables of the book, one function each; `run_tables` has those of runs.

A table is a `Table`: a DataFrame with a caption and a label. JupyterLab shows its HTML, the book
its MyST form, which Sphinx numbers and `{numref}` can cite.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import pandas as pd
from IPython.display import HTML
from pandas.api.types import is_numeric_dtype

from ferbook.arithmetic import Finding, Published, solve, span
from ferbook.claims import GRADES, Claim, Verdict
from ferbook.schema import CLASSES, Recipe

SYNTHETIC_NOTICE = "Smoke run on synthetic faces: nothing here is a result."


@dataclass(frozen=True)
class Table:
    """A DataFrame as a numbered table; `formats` maps columns to format strings."""

    frame: pd.DataFrame
    caption: str
    label: str
    formats: Mapping[str, str] | None = None

    def __repr__(self) -> str:
        return f"{self.caption}\n{self.formatted().to_string(index=False)}"

    def _repr_html_(self) -> str:
        frame = self.formatted()
        return f"<p>{self.caption}</p>{frame.to_html(index=False, border=0)}"

    def _repr_markdown_(self) -> str:
        frame = self.formatted()
        head, rule = list(frame.columns), ["---", *map(self._alignment, frame.columns[1:])]
        rows = "\n".join(_markdown_row(row) for row in [head, rule, *frame.to_numpy().tolist()])
        return f":::{{table}} {self.caption}\n:name: {self.label}\n\n{rows}\n:::\n"

    def _alignment(self, column: str) -> str:
        """Numbers to the right, words to the left."""
        numeric = column in (self.formats or {}) or is_numeric_dtype(self.frame[column])
        return "---:" if numeric else ":---"

    def formatted(self) -> pd.DataFrame:
        """All cells as text, the index as first column; missing values as a dash."""
        frame = self.frame.reset_index()
        formats = self.formats or {}
        text = {name: [_cell(v, formats.get(name)) for v in frame[name]] for name in frame}
        return pd.DataFrame(text, columns=frame.columns, dtype=object)


@dataclass(frozen=True)
class Notice:
    """A warning box where what follows comes from synthetic faces; nothing otherwise."""

    synthetic: bool

    def __repr__(self) -> str:
        return SYNTHETIC_NOTICE if self.synthetic else "Real data."

    def _repr_html_(self) -> str:
        return f"<p><strong>{SYNTHETIC_NOTICE}</strong></p>" if self.synthetic else ""

    def _repr_markdown_(self) -> str:
        return f":::{{warning}}\n{SYNTHETIC_NOTICE}\n:::\n" if self.synthetic else ""


def interval(scores: Mapping[str, Any]) -> str:
    """The interval of an accuracy, `accuracy_low` and `accuracy_high`, in percent."""
    return f"{100 * scores['accuracy_low']:.2f} to {scores['accuracy_high']:.2%}"


def count_table(dataset: Mapping[str, Any]) -> Table:
    """Images per class and part of the data set, with totals."""
    frame = pd.DataFrame(dataset["counts"]).loc[list(CLASSES)]
    frame.loc["all"] = frame.sum()
    frame["all"] = frame.sum(axis=1)
    caption = f"Images per class and part of {_dataset_name(dataset)}."
    return Table(frame.rename_axis("class"), caption, "tab-counts", dict.fromkeys(frame, ",d"))


def weight_table(labels_count: Iterable[int], weights: Iterable[float], clip: float) -> Table:
    """Class weights before and after clipping."""
    counts = pd.Series(list(labels_count), index=CLASSES, name="images")
    frame = pd.DataFrame({"training images": counts})
    frame["n / (7 n_c)"] = counts.sum() / (len(CLASSES) * counts)
    frame["weight used"] = list(weights)
    formats = {"training images": ",d", "n / (7 n_c)": ".3f", "weight used": ".3f"}
    caption = f"Class weights of the training split, clipped at {clip:g}."
    return Table(frame.rename_axis("class"), caption, "tab-weights", formats)


def leak_table(frame: pd.DataFrame) -> Table:
    """Test images with a byte-identical copy in the training folder; see audit.leak_table."""
    shown = frame.rename(
        columns={"leaked_fraction": "share", "same_label": "copy has the same label"}
    )
    formats = {"images": ",d", "leaked": ",d", "share": ".1%", "copy has the same label": ".1%"}
    return Table(shown, "Test images with a byte-identical training image.", "tab-leaks", formats)


def copies_table(frame: pd.DataFrame) -> Table:
    """Copies planted to justify the thresholds of near duplicates; see copies.planted_copies."""
    caption = "Altered copies of real images, and the share that each threshold recognises."
    return Table(frame, caption, "tab-copies", dict.fromkeys(frame, ".1%"))


def certainty_table(dataset: Mapping[str, Any]) -> Table:
    """Agreement of FER's labels with FER+ by the number of taggers behind the plurality."""
    rows = {int(k): row for k, row in dataset["ferplus"]["by_votes"].items()}
    frame = pd.DataFrame.from_dict(rows, "index", columns=["images", "same label"])
    formats = {"images": ",d", "same label": ".1%"}
    caption = "Images by the number of FER+ taggers behind the plurality, and how many of them " \
        "carry that label in FER-2013."  # fmt: skip
    return Table(frame.rename_axis("taggers of ten"), caption, "tab-certainty", formats)


def recipe_table(recipe: Recipe, original: Recipe) -> Table:
    """Every hyper-parameter of a run beside the original's."""
    names = [name for name in vars(recipe) if name not in ("name", "train_images")]
    rows = [
        (f"`{name}`", getattr(original, name), getattr(recipe, name),
         "" if getattr(recipe, name) == getattr(original, name) else "changed")
        for name in names
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["hyper-parameter", "original", "this run", "difference"])
    for column in ("original", "this run"):
        frame[column] = frame[column].replace({"": None})  # no teachers
    caption = "The recipe: the original's hyper-parameters and this run's."
    return Table(frame.set_index("hyper-parameter"), caption, "tab-recipe")


def parameter_table(parameters: Mapping[str, Mapping[str, int]]) -> Table:
    """Parameters of each backbone with the seven-class head, computed from the built models."""
    columns = {"total": "parameters", "trainable": "trainable", "multiply_adds": "multiply-adds"}
    frame = pd.DataFrame(parameters).T.rename_axis("network")[list(columns)].rename(columns=columns)
    caption = (
        "Parameters, those trainable in phase 2 (BatchNorm frozen), and multiply-adds per image; "
        "seven classes and 48 pixels unless the name says another size or ImageNet."
    )
    return Table(frame, caption, "tab-parameters", dict.fromkeys(frame, ",d"))


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


def _dataset_name(dataset: Mapping[str, Any]) -> str:
    return "FER-2013" if dataset["name"] == "fer2013" else "the synthetic faces"


def _cell(value: Any, spec: str | None) -> str:
    if value is None or value != value:  # NaN differs from itself
        return "-"
    return format(value, spec) if spec and not isinstance(value, str) else str(value)


def _markdown_row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
