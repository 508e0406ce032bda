"""The table of the field: each accuracy with its protocol, ours and the original's beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from ferbook.claims.field import IMAGES, Method
from ferbook.claims.published import FOLDER_TEST
from ferbook.core.predictions import Predictions
from ferbook.core.recipe import Recipe
from ferbook.paper.table import Markup, Table, cited, linked, together
from ferbook.results.metrics import accuracy, named_test_sets
from ferbook.results.run import Answers, Run

_COLUMNS = (
    "method", "accuracy", "measured on", "chosen on", "averaged", "other data",
    "parameters, millions", "others measured",
)  # fmt: skip
Row = tuple[str | Markup | int | None, ...]


def comparison_table(
    runs: Iterable[Run],
    original: Mapping[str, Any],
    field: Iterable[Method],
    views: Mapping[str, Answers],
) -> Table:
    """The field, the original's Table III and our runs, one row an accuracy.

    `views` are the answers of a run over several views; see `store.load_answers`.
    """
    rows = [_method_row(method) for method in _best_first(field)]
    rows += [_original_row(row) for row in original["table_3"]]
    rows += [row for run in runs for row in _run_rows(run, views)]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS), dtype=object).set_index("method")
    caption = (
        "Published accuracies on FER-2013: the test images, what the checkpoint was chosen on, "
        "what is averaged for an answer, and data beside FER-2013; then the rows of the original's "
        "Table III, then this book's. Others measured: from the lowest to the highest on the same "
        "images. A dash stands for what was not found."
    )
    return Table(frame, caption, "tab-comparison")


def sources_table(field: Iterable[Method]) -> Table:
    """Where each fact of the field was read: files of the released code, and threads."""
    rows = [
        (_with_code(method), _places(method), _repeated(method)) for method in _best_first(field)
    ]
    columns = ["method", "read in", "what others measured"]
    frame = pd.DataFrame(rows, columns=columns, dtype=object).set_index("method")
    caption = "Where the facts of the field were read: files of the released code, and its threads."
    return Table(frame, caption, "tab-field-sources")


def _best_first(field: Iterable[Method]) -> list[Method]:
    return sorted(field, key=lambda method: -method.value)


def _method_row(method: Method) -> Row:
    printed = list(method.by_others.values())
    spread = " to ".join(dict.fromkeys((printed[0], printed[-1]))) if printed else None
    if method.instead:
        spread = f"{spread} ({method.instead})"
    return (
        together(f"{method.model}, ", cited(method.key)), method.accuracy, IMAGES[method.images],
        method.chosen_on or None, method.views or None, method.extra or None,
        _millions(method.parameters), spread,
    )  # fmt: skip


def _with_code(method: Method) -> Markup | str:
    address = f"https://github.com/{method.code}"
    return together(f"{method.model}, ", linked("code", address)) if method.code else method.model


def _places(method: Method) -> str | None:
    facts = {
        "checkpoint": method.chosen_in, "views": method.views_in, "data": method.extra_in,
    }  # fmt: skip
    return "; ".join(f"{name}: {place}" for name, place in facts.items() if place) or None


def _repeated(method: Method) -> Markup | None:
    parts: list[str | Markup] = []
    for found in method.repeated:
        parts += ["; " if parts else "", f"{found.accuracy}: {found.how} ("]
        for i, number in enumerate(found.threads):
            address = f"https://github.com/{method.code}/issues/{number}"
            parts += [", " if i else "", linked(f"issue {number}", address)]
        parts.append(")")
    return together(*parts) if parts else None


def _original_row(row: Mapping[str, Any]) -> Row:
    """A row of the original's Table III, with its own figures."""
    is_own = row["split"] == "test"
    return (
        f"the original's Table III: {row['model']}", row["accuracy"],
        _measured_on(row["split"]), "validation (its text)" if is_own else None,
        None, "ImageNet" if is_own else None, _millions(row["parameters"]), None,
    )  # fmt: skip


def _measured_on(split: str) -> str:
    """The images of an accuracy of Table III; only the original's own are known from its text."""
    named = {"test": FOLDER_TEST, "validation": "validation, by its source's abstract"}
    return named.get(split, split)


def _run_rows(run: Run, views: Mapping[str, Answers]) -> Iterator[Row]:
    """All test images as the original has them, and PrivateTest as most of the field, by view."""
    yield _run_row(run, "one", run.test, FOLDER_TEST)
    parts = {"one": run.test}
    if run.test.augmented is not None:
        parts["with its mirror image"] = run.test.with_augmentation()
    ten = views.get("ten_crops")
    if ten is not None and ten.info["run"] == f"{run.study}/{run.name}":
        parts["ten crops"] = ten.test
    for name, answers in parts.items():
        private = named_test_sets(answers, frozenset())["private"]
        yield _run_row(run, name, private, "PrivateTest")


def _run_row(run: Run, views: str, answers: Predictions, images: str) -> Row:
    return (
        f"this book: {run.label}", f"{accuracy(answers):.2%}" if len(answers) else None, images,
        "validation", views, _learned_from(run.recipe),
        _millions(run.info["parameters"]["total"]), None,
    )  # fmt: skip


def _millions(parameters: float | str | None) -> str | None:
    if isinstance(parameters, str):
        return parameters.removesuffix(" million")  # such as "4 to 20 million"
    return None if parameters is None else f"{parameters / 1e6:.3g}"


def _learned_from(recipe: Recipe) -> str:
    used = {"ImageNet": recipe.weights == "imagenet", "FER+": recipe.ferplus_loss_weight > 0}
    return " and ".join(name for name, is_used in used.items() if is_used) or "nothing"
