"""Published scores on the test set of FER-2013, as data.

A table is a YAML file (`book/original.yml` is one):

    title, source: of the paper
    test_sets: {name: {class: images}}    optional; else the three readings of FER-2013's test
    printed_to: {accuracy: 0.0001, classes: 0.01, overall: 0.01, recalls: 0.001}
    results:                              or the keys of one result at the top level
      - name: ...
        accuracy: 0.6878
        table_2: {class: {precision: 0.59, recall: 0.65, f1: 0.62}, overall: {...}}
        text_recalls: {class: 0.881}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ferbook.core.classes import CLASSES
from ferbook.core.errors import FerbookError
from ferbook.core.files import read_yaml
from ferbook.data.faces import OFFICIAL_COUNTS

SCORES = ("precision", "recall", "f1")
# Beyond these a file is no table of a paper, and deciding about it could take forever.
MAX_IMAGES, MAX_CLASSES, MAX_RESULTS = 10_000_000, 32, 100
_PRINTED_TO = {"accuracy": 1e-4, "classes": 1e-2, "overall": 1e-2, "recalls": 1e-3}


def _official(*usages: str) -> dict[str, int]:
    return {c: sum(OFFICIAL_COUNTS[u][i] for u in usages) for i, c in enumerate(CLASSES)}


FOLDER_TEST = "PublicTest + PrivateTest"
TEST_SETS = {
    FOLDER_TEST: _official("PublicTest", "PrivateTest"),
    "PublicTest": _official("PublicTest"),
    "PrivateTest": _official("PrivateTest"),
}
"""Images per class in what papers call the test set of FER-2013."""


class TableError(FerbookError, ValueError):
    """A file is not a table as this module describes it."""


@dataclass(frozen=True)
class Published:
    """One row of results as a paper prints it: fractions, and the unit of their last digit."""

    name: str
    accuracy: float | None
    classes: Mapping[str, Mapping[str, float]]
    overall: Mapping[str, float]
    recalls: Mapping[str, float]
    printed_to: Mapping[str, float]


def read_table(path: str | Path) -> tuple[list[Published], dict[str, dict[str, int]]]:
    """The results of a table file, and the test sets they may come from.

    Raises TableError when the file holds no result or a value that is no fraction.
    """
    content = read_yaml(path)
    rows = content.get("results", [content])
    try:
        printed_to = _units(_PRINTED_TO | content.get("printed_to", {}))
        if len(rows) > MAX_RESULTS:
            raise ValueError(f"expected at most {MAX_RESULTS} results, received {len(rows):,}")
        results = [_published(row, content.get("title", ""), printed_to) for row in rows]
        sets = _test_sets(content["test_sets"]) if "test_sets" in content else TEST_SETS
    except (TypeError, ValueError, AttributeError) as error:
        raise TableError(f"{path}: not a table of results ({error}).") from error
    if not any(r.accuracy or r.classes or r.overall for r in results):
        raise TableError(f"{path}: expected an accuracy, a table_2 or an overall row.")
    return results, sets


def _units(printed_to: Mapping[str, Any]) -> Mapping[str, float]:
    for name, unit in printed_to.items():
        if not 0 < unit < 1:
            raise ValueError(f"printed_to: {name}: expected a unit below 1, received {unit!r}")
    return printed_to


def _test_sets(content: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    sets = {str(name): dict(counts) for name, counts in content.items()}
    for name, counts in sets.items():
        if not counts or not all(type(n) is int and 0 < n <= MAX_IMAGES for n in counts.values()):
            raise ValueError(
                f"test_sets: {name}: expected 1 to {MAX_IMAGES:,} images per class, "
                f"received {counts!r:.80}"
            )
    return sets


def _published(row: Mapping[str, Any], title: str, printed_to: Mapping[str, float]) -> Published:
    table = {name: dict(scores) for name, scores in row.get("table_2", {}).items()}
    overall = table.pop("overall", row.get("overall", {}))
    result = Published(
        str(row.get("name", title)), row.get("accuracy"), table, overall,
        row.get("text_recalls", {}), printed_to,
    )  # fmt: skip
    for value in _values(result):
        if not 0 <= value <= 1:
            raise ValueError(f"expected fractions from 0 to 1, received {value!r}")
    if len(table) > MAX_CLASSES:
        raise ValueError(f"expected at most {MAX_CLASSES} classes, received {len(table):,}")
    for name, scores in table.items():
        if set(scores) != set(SCORES):
            raise ValueError(f"{name}: expected {', '.join(SCORES)}, received {list(scores)}")
    return result


def _values(result: Published) -> Iterator[float]:
    yield 0 if result.accuracy is None else result.accuracy
    yield from (*result.overall.values(), *result.recalls.values())
    yield from (value for scores in result.classes.values() for value in scores.values())
