"""Does the book show what the arrays say? Everything recomputed from `results/`, and compared.

Three layers, each without TensorFlow and without the data set: the files against their manifest,
the scores in `run.json` against the stored probabilities, and the tables, grades and numbers in
the executed notebooks against the same calls made anew. Figures are not compared.
"""

from __future__ import annotations

import ast
import contextlib
import itertools
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ferbook.core.classes import CLASSES
from ferbook.core.files import read_json, read_yaml
from ferbook.data.duplicates import validation_twins
from ferbook.paper import chapters, key_numbers
from ferbook.paper import table as paper_table
from ferbook.paper.chapters.data import tables as data_tables
from ferbook.paper.chapters.deployment import prose
from ferbook.paper.chapters.deployment import tables as deployment_tables
from ferbook.paper.chapters.training import tables as training_tables
from ferbook.results import manifest, store
from ferbook.results.metrics import accuracy_interval, score_sets
from ferbook.results.run import Run

_TOLERANCE = 1e-9  # relative: libraries may sum in another order
_SCRAP = "application/papermill.record/text/plain"


@dataclass
class Verified:
    """What was compared and what disagrees; `skipped` could not be recomputed from the store."""

    findings: list[str] = field(default_factory=list)
    compared: Counter[str] = field(default_factory=Counter)
    skipped: list[str] = field(default_factory=list)


def verify(project: str | Path = ".") -> Verified:
    """Check the manifest, all runs and all executed notebooks of a checkout.

    Raises FileNotFoundError where there is none; anything else that is wrong is a finding.
    """
    if not Path(project, "_toc.yml").is_file():
        raise FileNotFoundError(f"{project}: no checkout of this book (no _toc.yml in it).")
    found = Verified()
    with contextlib.chdir(project):
        for layer in (_check_files, _check_runs, _check_measurements, _check_notebooks):
            try:
                layer(found)
            except (ValueError, OSError, KeyError, TypeError, AttributeError) as error:
                found.findings.append(f"{layer.__name__[7:]}: {type(error).__name__}: {error}")
    return found


def differences(shown: Any, computed: Any, where: str) -> Iterator[str]:
    """A line for each leaf in which two JSON-like values differ by more than rounding."""
    if isinstance(shown, Mapping) and isinstance(computed, Mapping):
        for key in [*computed, *(key for key in shown if key not in computed)]:
            yield from differences(shown.get(key), computed.get(key), f"{where}: {key}")
    elif not _equal(shown, computed):
        yield f"{where}: shown {shown!r}, recomputed {computed!r}"


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=_TOLERANCE) or (a != a and b != b)
    return type(a) is type(b) and a == b


def _check_files(found: Verified) -> None:
    found.findings += manifest.check("results")
    found.compared["files"] += len(manifest.read("results"))


def _check_runs(found: Verified) -> None:
    dataset = store.load_dataset("results")
    for path in sorted(Path("results").glob("*/*/run.json")):
        try:
            found.findings += _check_run(store.load_run(path.parent), dataset)
            found.compared["runs"] += 1
        except (ValueError, KeyError, TypeError, FileNotFoundError) as error:
            found.findings.append(f"{path.parent}: {error}")


def _check_run(run: Run, dataset: Mapping[str, Any]) -> Iterator[str]:
    where = f"{run.study}/{run.name}"
    twins = validation_twins(run.val.files, dataset["duplicate_groups"])
    scores = score_sets(run.val, run.test, frozenset(dataset["leaked_files"]), twins)
    yield from differences(run.info["metrics"], scores, f"{where}: metrics")
    images = {name: dataset[name] for name in ("name", "fingerprint")}
    yield from differences(run.info["dataset"], images, f"{where}: dataset")
    for part in (run.val, run.test):  # the label is in the file's name too
        folders = [file.split("/")[1] for file in part.files]
        if folders != [CLASSES[label] for label in part.labels]:
            yield f"{where}: a label disagrees with the folder of its file"


def _check_measurements(found: Verified) -> None:
    """Accuracies that stand beside the counts they come from."""
    for path in sorted(Path("results").rglob("*.json")):
        for where, row in _counted(read_json(path), str(path)):
            found.findings += differences(row, {**row, **_shares(row)}, where)
            found.compared["counts"] += 1


def _counted(value: Any, where: str) -> Iterator[tuple[str, dict]]:
    if isinstance(value, dict) and {"correct", "total", "accuracy"} <= value.keys():
        yield where, value
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        if isinstance(inner, (dict, list)):
            yield from _counted(inner, f"{where}: {key}")


def _shares(row: Mapping[str, Any]) -> dict[str, float]:
    low, high = accuracy_interval(row["correct"], row["total"])
    values = {"accuracy": row["correct"] / row["total"], "accuracy_low": low, "accuracy_high": high}
    return {name: value for name, value in values.items() if name in row}


def _check_notebooks(found: Verified) -> None:
    for name in chapters.NOTEBOOKS:
        path = Path("book/executed") / f"{name}.ipynb"
        try:
            notebook = json.loads(path.read_text(encoding="utf-8"))
            if _sources(notebook) != _sources(_source_of(name)):
                found.findings.append(f"{path}: its cells are not those of notebooks/{name}.ipynb")
            cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
            recompute = _known if _needs_images(cells) else _replay
            recompute(name, cells, found)
        except Exception as error:  # a cell may raise anything when its inputs were altered
            found.findings.append(f"{path}: {type(error).__name__}: {error}")


def _source_of(name: str) -> dict:
    return json.loads(Path("notebooks", f"{name}.ipynb").read_text(encoding="utf-8"))


def _sources(notebook: dict) -> list[str]:
    """Text of all cells but the parameters that papermill injects."""
    cells = notebook["cells"]
    own = [c for c in cells if "injected-parameters" not in c["metadata"].get("tags", [])]
    return ["".join(cell["source"]) for cell in own]


def _needs_images(cells: list[dict]) -> bool:
    """Whether the notebook takes the data set or measures; the others only read the store."""
    code = ["".join(cell["source"]) for cell in cells]
    return any(text.startswith("data =") or ".write_" in text for text in code)


def _replay(name: str, cells: list[dict], found: Verified) -> None:
    """Carry out every cell of a notebook but its figures, and compare what it leaves."""
    space: dict[str, Any] = {}
    for number, cell in enumerate(cells, 1):
        space["glue"] = glued = _Glue()
        value = _execute("".join(cell["source"]), space, f"{name}, cell {number}")
        _compare_numbers(name, _scraps(cell), glued.values, found)
        _compare_output(f"{name}, cell {number}", cell, value, found)


class _Glue:
    """Takes the place of myst_nb's `glue`."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def __call__(self, key: str, value: Any, **_: Any) -> None:
        self.values[key] = value


def _execute(source: str, space: dict[str, Any], where: str) -> Any:
    """Run one cell; returns the value of its last expression."""
    value = None
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.ImportFrom) and statement.module == "myst_nb":
            continue
        if isinstance(statement, ast.Expr):
            if not ast.unparse(statement).startswith(("figures.", "plots.")):
                value = eval(compile(ast.Expression(statement.value), where, "eval"), space)
        else:
            exec(compile(ast.Module([statement], []), where, "exec"), space)
    return value


def _known(name: str, cells: list[dict], found: Verified) -> None:
    """Compare those tables and numbers of a notebook that follow from the store alone."""
    computed, values = _from_store()
    for number, cell in enumerate(cells, 1):
        shown = _shown(cell, "text/markdown")
        label = next((key for key in computed if f":name: {key}\n" in shown), None)
        if label:
            _compare_output(f"{name}, cell {number}", cell, computed[label], found)
        elif ":name: " in shown:
            found.skipped.append(f"{name}: {shown.split(':name: ')[1].split()[0]}")
        glued = _scraps(cell)
        found.skipped += [f"{name}: {key}" for key in glued if key not in values]
        known = {key: values[key] for key in glued if key in values}
        _compare_numbers(name, {k: glued[k] for k in known}, known, found)


def _from_store() -> tuple[dict[str, paper_table.Table], dict[str, Any]]:
    """Tables by label and numbers by key of the notebooks that see the images."""
    dataset, parameters = store.load_dataset("results"), store.load_parameters("results")
    original, run = read_yaml("book/original.yml"), store.load_study("results", "reference")[0]
    made = [
        data_tables.count_table(dataset), data_tables.certainty_table(dataset),
        training_tables.recipe_table(run.recipe, original["recipe"]),
        training_tables.parameter_table(parameters),
    ]  # fmt: skip
    values = key_numbers.dataset_numbers(dataset) | key_numbers.parameter_numbers(parameters)
    values |= key_numbers.claimed_parameters(original)
    released = store.load_study("results", "ours")[0].name
    if measured := store.load_facts("results", "deployment").get(released):
        peers = deployment_tables.peers_table(measured, store.load_answers("results", "peers"))
        made += [
            deployment_tables.exports_table(measured),
            peers,
            deployment_tables.pruning_table(measured),
        ]
        values |= prose.deployment_numbers(measured)
    return {table.label: table for table in made}, values


def _compare_output(where: str, cell: dict, value: Any, found: Verified) -> None:
    """A table as the book shows it, in MyST, and as JupyterLab does, in HTML."""
    for kind in ("markdown", "html"):
        shown = _shown(cell, f"text/{kind}").strip()
        make = getattr(value, f"_repr_{kind}_", None)
        computed = make().strip() if make else ""
        found.compared["tables"] += bool(shown) and kind == "html"
        if shown != computed:
            a, b = _first_difference(shown, computed)
            found.findings.append(f"{where}: shown {a!r}, recomputed {b!r}")


def _first_difference(shown: str, computed: str) -> tuple[str, str]:
    lines = itertools.zip_longest(shown.splitlines(), computed.splitlines(), fillvalue="")
    return next((a, b) for a, b in lines if a != b)


def _compare_numbers(
    name: str, shown: Mapping[str, Any], computed: Mapping[str, Any], found: Verified
) -> None:
    found.compared["numbers"] += len(shown)
    found.findings += differences(shown, computed, name)


def _scraps(cell: dict) -> dict[str, Any]:
    """What the cell glued, as Python values."""
    outputs = [o for o in cell["outputs"] if "scrapbook" in o.get("metadata", {})]
    return {
        o["metadata"]["scrapbook"]["name"]: _literal("".join(o["data"][_SCRAP])) for o in outputs
    }


def _literal(text: str) -> Any:
    return float(text) if text in ("nan", "inf", "-inf") else ast.literal_eval(text)


def _shown(cell: dict, kind: str) -> str:
    outputs = [o for o in cell["outputs"] if o["output_type"] == "execute_result"]
    return "".join("".join(output["data"].get(kind, "")) for output in outputs)
