"""Runs and facts to the tables of the book, one function each.

A table is a `Table`: a DataFrame with a caption and a label. JupyterLab shows its HTML, the book
its MyST form, which Sphinx numbers and `{numref}` can cite.
"""

from __future__ import annotations

import html
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import itables
import pandas as pd
from IPython.display import HTML

from ferbook.arithmetic import Finding, Published, solve
from ferbook.claims import GRADES, Claim, Verdict
from ferbook.metrics import (
    calibration,
    fit_temperature,
    paired_test,
    score,
    score_sets,
    with_temperature,
)
from ferbook.schema import CLASSES, Recipe, Run

SET_NAMES = {
    "val": "validation",
    "test": "test (Public + Private)",
    "private": "PrivateTest",
    "clean": "test without copies",
    "leaked": "test copies only",
}
SYNTHETIC_NOTICE = "Smoke run on synthetic faces: nothing here is a result."


@dataclass(frozen=True)
class Table:
    """A DataFrame as a numbered table; `formats` maps columns to format strings."""

    frame: pd.DataFrame
    caption: str
    label: str
    formats: Mapping[str, str] | None = None

    def __repr__(self) -> str:
        return f"{self.caption}\n{self._formatted().to_string(index=False)}"

    def _repr_html_(self) -> str:
        frame = self._formatted()
        return f"<p>{self.caption}</p>{frame.to_html(index=False, border=0)}"

    def _repr_markdown_(self) -> str:
        frame = self._formatted()
        head, rule = list(frame.columns), ["---"] + ["---:"] * (len(frame.columns) - 1)
        rows = "\n".join(_markdown_row(row) for row in [head, rule, *frame.to_numpy().tolist()])
        return f":::{{table}} {self.caption}\n:name: {self.label}\n\n{rows}\n:::\n"

    def _formatted(self) -> pd.DataFrame:
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


def recipe_table(recipe: Recipe, original: Recipe) -> Table:
    """Every hyper-parameter of a run beside the original's."""
    names = [name for name in vars(recipe) if name not in ("name", "train_images")]
    rows = [
        (f"`{name}`", getattr(original, name), getattr(recipe, name),
         "" if getattr(recipe, name) == getattr(original, name) else "changed")
        for name in names
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["hyper-parameter", "original", "this run", "difference"])
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


def accuracy_table(run: Run, leaked_files: frozenset[str]) -> Table:
    """Accuracy of a run on validation and on each reading of the test set."""
    scores = score_sets(run.val, run.test, leaked_files)
    rows = {
        SET_NAMES[name]: (s["total"], s["correct"], s["accuracy"], _interval(s), s["macro"]["f1"])
        for name, s in scores.items()
    }
    columns = ["images", "correct", "accuracy", "95 % interval", "macro F1"]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("evaluated on")
    formats = {"images": ",d", "correct": ",d", "accuracy": ".2%", "macro F1": ".3f"}
    return Table(frame, f"Accuracy of {run.label}, Wilson intervals.", "tab-accuracy", formats)


def class_table(run: Run, original: Mapping[str, Any]) -> Table:
    """The original's Table II beside the same scores of a run on all test images."""
    scores = score(run.test)
    rows = {}
    for name in (*CLASSES, "overall"):
        theirs = original["table_2"][name]
        ours = scores["classes"][name] if name in CLASSES else scores["weighted"]
        support = ours.get("support", scores["total"])
        pairs = [(theirs[key], ours[key]) for key in ("precision", "recall", "f1")]
        rows[name] = [value for pair in pairs for value in pair] + [support]
    columns = [f"{key} {who}" for key in ("P", "R", "F1") for who in ("orig.", "ours")]
    frame = pd.DataFrame.from_dict(rows, "index", columns=[*columns, "images"])
    caption = (
        f"Precision P, recall R and F1 in the original's Table II and for {run.label}; "
        "the last row is weighted by class size."
    )
    formats = dict.fromkeys(columns, ".2f") | {"images": ",d"}
    return Table(frame.rename_axis("class"), caption, "tab-classes", formats)


def comparison_table(runs: Iterable[Run], original: Mapping[str, Any]) -> Table:
    """Ours, the original and the field, each with the images it was measured on."""
    rows = [_original_row(original), *(_peer_row(peer) for peer in original["peers"])]
    rows += [_run_row(run) for run in runs]
    columns = ["model", "accuracy", "measured on", "parameters", "source"]
    frame = pd.DataFrame(rows, columns=columns).set_index("model")
    caption = "Accuracies on FER-2013 and the images that each was measured on."
    return Table(frame, caption, "tab-comparison", {"parameters": ",.0f"})


def audit_table(findings: Iterable[Finding]) -> Table:
    """What arithmetic says of published results, check by check and test set by test set."""
    words = {True: "possible", False: "impossible", None: "note"}
    rows = [(f.result, f.check, f.test_set, words[f.possible], f.detail) for f in findings]
    frame = pd.DataFrame(rows, columns=["result", "check", "test set", "verdict", "detail"])
    caption = "Published numbers under arithmetic, for each set of images they may come from."
    return Table(frame.set_index("result"), caption, "tab-audit")


def homeless_results(findings: Iterable[Finding]) -> list[str]:
    """Results for which every test set fails some check."""
    frame = pd.DataFrame([f for f in findings if f.possible is not None])
    if frame.empty:
        return []
    fits = frame.groupby(["result", "test_set"], sort=False)["possible"].all()
    homeless = ~fits.groupby("result", sort=False).any()
    return homeless.index[homeless].tolist()


def hits_table(published: Published, supports: Mapping[str, int]) -> Table:
    """Right answers and predictions of each class that the original's Table II forces."""
    bounds = solve(published, supports)
    rows = {
        name: (supports[name], *(_between(*bounds[name][key]) for key in ("hits", "predicted")))
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
    """The ledger as a table to search, sort and filter; evidence links into the book.

    The script is part of the page: it works without a network.
    """
    frame = claims_frame(graded).map(html.escape)
    pages = [verdict.page.partition("#") for _, verdict in graded]
    frame["evidence"] = [
        f'<a href="{page}.html{mark}{label}">{text}</a>'
        for text, (page, mark, label) in zip(frame["evidence"], pages, strict=True)
    ]
    return HTML(
        itables.to_html_datatable(
            frame, connected=False, allow_html=True, showIndex=False, paging=False,
            column_filters="header", classes="display compact", layout={"topStart": "info"},
        )
    )  # fmt: skip


def grade_table(verdicts: Iterable[Verdict]) -> Table:
    """How many claims got each grade."""
    counts = pd.Series([v.grade for v in verdicts]).value_counts().reindex(GRADES, fill_value=0)
    frame = counts.rename_axis("grade").to_frame("claims")
    return Table(frame, "Grades of the original's claims.", "tab-grades")


def pairs_table(runs: list[Run]) -> Table:
    """McNemar's test for each pair of runs on all test images."""
    rows = []
    for first, second in itertools.combinations(runs, 2):
        test = paired_test(first.test, second.test)
        gain = (test["only_second"] - test["only_first"]) / test["total"]
        rows.append((first.label, second.label, test["only_first"], test["only_second"],
                     f"{100 * gain:+.2f}", f"{test['p_value']:.2g}"))  # fmt: skip
    columns = ["first run", "second run", "only first right", "only second right",
               "difference, points", "p"]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns).set_index("first run")
    caption = "Pairs of runs on the same test images, McNemar's exact test, two-sided."
    return Table(frame, caption, "tab-pairs")


def calibration_table(run: Run) -> Table:
    """Calibration on all test images, as trained and with the temperature found on validation."""
    temperature = fit_temperature(run.val)
    rows = {}
    for name, t in (("as trained", 1.0), ("temperature from validation", temperature)):
        part = with_temperature(run.test, t)
        found = calibration(part)
        rows[name] = (t, found["ece"], found["mean_confidence"], score(part)["log_loss"])
    columns = ["temperature", "ECE", "mean confidence", "log loss"]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("probabilities")
    formats = dict.fromkeys(columns, ".3f") | {"ECE": ".2%", "mean confidence": ".1%"}
    caption = f"Calibration of {run.label} on all test images; ECE with 15 bins."
    return Table(frame, caption, "tab-calibration", formats)


def _measured(claim: Claim, verdict: Verdict) -> str:
    if verdict.measured is None:
        return "-"
    if claim.unit == "yes/no":
        return "yes" if verdict.measured else "no"
    return f"{verdict.measured:,.0f}" if verdict.measured > 1 else f"{verdict.measured:.4g}"


def _between(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _original_row(original: Mapping[str, Any]) -> tuple[Any, ...]:
    accuracy = f"{original['accuracy']:.2%}"
    return ("EfficientNetB2, original", accuracy, "test (Public + Private)",
            original["parameters_claimed"], "the original")  # fmt: skip


def _peer_row(peer: Mapping[str, Any]) -> tuple[Any, ...]:
    source = f"{{cite:t}}`{peer['key']}`" if peer.get("key") else peer.get("source", "")
    return peer["model"], peer["accuracy"], peer["split"], peer.get("parameters"), source


def _run_row(run: Run) -> tuple[Any, ...]:
    scores = score(run.test)
    accuracy, parameters = f"{scores['accuracy']:.2%}", run.info["parameters"]["total"]
    return run.label, accuracy, "test (Public + Private)", parameters, "this book"


def _interval(scores: Mapping[str, Any]) -> str:
    return f"{scores['accuracy_low']:.2%} to {scores['accuracy_high']:.2%}"


def _dataset_name(dataset: Mapping[str, Any]) -> str:
    return "FER-2013" if dataset["name"] == "fer2013" else "the synthetic faces"


def _cell(value: Any, spec: str | None) -> str:
    if value is None or value != value:  # NaN differs from itself
        return "-"
    return format(value, spec) if spec and not isinstance(value, str) else str(value)


def _markdown_row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
