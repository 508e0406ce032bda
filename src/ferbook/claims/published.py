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

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ferbook.core.classes import CLASSES
from ferbook.core.errors import FerbookError
from ferbook.core.structured import read_yaml
from ferbook.data.faces import OFFICIAL_COUNTS

SCORES = ("precision", "recall", "f1")
# Beyond these a file is no table of a paper, and deciding about it could take forever.
MAX_IMAGES, MAX_CLASSES, MAX_RESULTS, MAX_SETS = 10_000_000, 32, 100, 10
_FILE = ("title", "authors", "source", "test_sets", "printed_to", "results")
_RESULT = ("name", "accuracy", "table_2", "overall", "text_recalls")
_OTHER = ("parameters_claimed", "recipe", "table_3")  # of book/original.yml, which others read
_KEYS = (*_FILE, *_RESULT, *_OTHER)
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

    Raises TableError when the file holds no result, a value that is no fraction, or a key that is
    not known.
    """
    content = read_yaml(path)
    rows = content.get("results", [content])
    try:
        _known(content, _KEYS if "results" not in content else (*_FILE, *_OTHER))
        printed_to = _units(content.get("printed_to", {}))
        if len(rows) > MAX_RESULTS:
            raise ValueError(f"expected at most {MAX_RESULTS} results, received {len(rows):,}")
        if "results" in content:
            for row in rows:
                _known(row, _RESULT)
        name = content.get("title", Path(path).stem)
        results = [_published(row, name, printed_to) for row in rows]
        sets = _test_sets(content["test_sets"]) if "test_sets" in content else TEST_SETS
        _check_names(results, sets)
    except (TypeError, ValueError, AttributeError) as error:
        raise TableError(f"{path}: not a table of results ({error}).") from error
    if not any(r.accuracy is not None or r.classes or r.overall or r.recalls for r in results):
        raise TableError(
            f"{path}: expected an accuracy, a table_2, an overall row or text_recalls."
        )
    return results, sets


def _known(content: Mapping[str, Any], names: Collection[str]) -> None:
    """Raise ValueError for a key that would be passed over, such as a misspelled one."""
    for key in content:
        if key not in names:
            near = difflib.get_close_matches(str(key), names, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ValueError(f"unknown key {key!r}.{hint}")


def _units(given: Any) -> Mapping[str, float]:
    if not isinstance(given, Mapping):
        raise ValueError(f"printed_to: expected {{accuracy: 0.01}} or the like, received {given!r}")
    _known(given, _PRINTED_TO)
    for name, unit in given.items():
        if not _is_number(unit) or not 0 < unit < 1:
            raise ValueError(f"printed_to: {name}: expected a unit below 1, received {unit!r}")
    return _PRINTED_TO | given


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _check_names(results: list[Published], sets: Mapping[str, Mapping[str, int]]) -> None:
    """Results have names of their own, and recalls those of classes."""
    names = [result.name for result in results]
    if len(set(names)) < len(names):
        raise ValueError(f"expected a name of its own for each result, received {names!r:.80}")
    for result in results:
        for counts in sets.values():
            _known(result.recalls, counts)


def _test_sets(content: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    sets = {str(name): dict(counts) for name, counts in content.items()}
    if not 1 <= len(sets) <= MAX_SETS:
        raise ValueError(f"test_sets: expected 1 to {MAX_SETS}, received {len(sets):,}")
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
    _known(overall, SCORES)
    result = Published(
        str(row.get("name", title)), row.get("accuracy"), table, overall,
        row.get("text_recalls", {}), printed_to,
    )  # fmt: skip
    for kind, where, value in _values(result):
        place = f"{result.name}: {where}"
        if not _is_number(value) or not 0 <= value <= 1:
            percent = ", which looks like percent" if _is_number(value) and 1 < value <= 100 else ""
            raise ValueError(
                f"{place}: expected fractions from 0 to 1, received {value!r}{percent}"
            )
        if not _fits(value, printed_to[kind]):
            raise ValueError(
                f"{place}: {value!r} has more digits than printed_to says, {printed_to[kind]:g}"
            )
    if len(table) > MAX_CLASSES:
        raise ValueError(f"expected at most {MAX_CLASSES} classes, received {len(table):,}")
    for name, scores in table.items():
        if set(scores) != set(SCORES):
            raise ValueError(f"{name}: expected {', '.join(SCORES)}, received {list(scores)}")
    return result


def _values(result: Published) -> Iterator[tuple[str, str, float]]:
    """(key of printed_to, place in the file, value) of each number."""
    if result.accuracy is not None:
        yield "accuracy", "accuracy", result.accuracy
    for kind, values in (("overall", result.overall), ("recalls", result.recalls)):
        yield from ((kind, f"{kind}: {name}", value) for name, value in values.items())
    for name, scores in result.classes.items():
        yield from (("classes", f"table_2: {name}: {key}", value) for key, value in scores.items())


def _fits(value: float, unit: float) -> bool:
    """Whether a number with `unit` in its last digit can be `value`."""
    return abs(value / unit - round(value / unit)) < 1e-6


def coarser(results: Iterable[Published]) -> dict[str, float]:
    """Keys of `printed_to` whose usual unit no number needs, with ten times this unit.

    YAML loses zeros at the end, so that 0.86 may have been printed as 0.86 or as 0.8600.
    """
    found: dict[str, list[float]] = {}
    for result in results:
        for kind, _, value in _values(result):
            if result.printed_to[kind] == _PRINTED_TO[kind]:
                found.setdefault(kind, []).append(value)
    wider = {kind: 10 * _PRINTED_TO[kind] for kind in found}
    return {k: wider[k] for k, values in found.items() if all(_fits(v, wider[k]) for v in values)}
