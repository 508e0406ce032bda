"""Where each figure and table comes from: notebook cell, code, stored files with their hashes.

Read from the code of the executed notebooks: the names that a cell uses lead to the cells that
define them, and these to the calls that read the result store.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ferbook.core.files import sha256
from ferbook.paper.executed import statements
from ferbook.paper.table import code

# Reading function -> what it reads below the result store; {} is its last argument.
_READS = {
    "load_dataset": "dataset.json",
    "load_images": "test_images.csv.gz",
    "load_parameters": "parameters.json",
    "load_licences": "reliability/licences.csv",
    "load_facts": "{}",
    "load_answers": "{}",
    "load_study": "{}",
    "load_all": "",
    "grade_all": "",
}
_IMAGES = "load"  # sources.load: the data set itself, which is not in the repository
DATA_SET = ""  # among what a figure or table reads: the images themselves
_LABEL = re.compile(r"^:name: (tab-[\w-]+)$", re.MULTILINE)
_MAX_BYTES = 100_000_000  # of a stored file


@dataclass(frozen=True)
class Source:
    """What shows a figure or table: `cell` counts all cells of the notebook from 1."""

    label: str
    cell: int
    made_by: str
    reads: tuple[str, ...]  # paths below the project; "" stands for the data set


def find(notebook: Mapping[str, Any]) -> Iterator[Source]:
    """A source for each labeled figure and table of an executed notebook, in its order."""
    defined: dict[str, set[str]] = {}
    space = {"results_dir": "results"}
    for number, cell in enumerate(notebook["cells"], 1):
        if cell["cell_type"] != "code":
            continue
        try:
            body = statements(cell)
        except SyntaxError:  # others of IPython's commands
            continue
        for statement in body:
            _note(statement, space, defined)
        if (label := _label(cell)) and body:
            shown = body[-1]
            reads = _outermost(_reads(shown, space, defined))
            yield Source(label, number, ast.unparse(shown), reads)


def page(notebooks: Mapping[str, dict], project: Path) -> str:
    """The list of all sources in MyST; each has a target, `source-<label>`."""
    stored = functools.cache(lambda path: _stored(path, project))
    return "\n".join(
        _entry(name, source, stored) for name, each in notebooks.items() for source in find(each)
    )


def link(notebook: dict) -> None:
    """Append a link to its source to the caption of each figure and table, in place."""
    for source in find(notebook):
        cell = notebook["cells"][source.cell - 1]
        more = f" {{ref}}`Source <source-{source.label}>`"
        if source.label.startswith("fig-"):
            cell["metadata"]["mystnb"]["figure"]["caption"] += more
            continue
        for output in cell["outputs"]:
            text = "".join(output.get("data", {}).get("text/markdown", ""))
            if text:
                output["data"]["text/markdown"] = text.replace("\n", f"{more}\n", 1)


def _label(cell: Mapping[str, Any]) -> str | None:
    figure = cell["metadata"].get("mystnb", {}).get("figure", {})
    texts = ["".join(output.get("data", {}).get("text/markdown", "")) for output in cell["outputs"]]
    tables = [match[1] for text in texts if (match := _LABEL.search(text))]
    return figure.get("name") or next(iter(tables), None)


def _note(statement: ast.stmt, space: dict[str, Any], defined: dict[str, set[str]]) -> None:
    """What a statement assigns: a literal into `space`, else what it was read from."""
    if not isinstance(statement, ast.Assign | ast.AugAssign):
        return
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    names = [node.id for target in targets for node in ast.walk(target)
             if isinstance(node, ast.Name)]  # fmt: skip
    # `a |= b` still has what `a` was read from.
    source = statement if isinstance(statement, ast.AugAssign) else statement.value
    reads = _reads(source, space, defined)
    for name in names:
        defined[name] = reads
        if isinstance(statement.value, ast.Constant):
            space[name] = statement.value.value


def _reads(tree: ast.AST, space: Mapping[str, Any], defined: Mapping[str, set[str]]) -> set[str]:
    """Paths that a piece of code reads, itself or through the names it uses."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found |= defined.get(node.id, set())
        elif isinstance(node, ast.Constant) and re.fullmatch(r"book/\w+\.yml", str(node.value)):
            found.add(node.value)
        elif isinstance(node, ast.Call):
            found |= _call(node, space)
    return found


def _call(call: ast.Call, space: Mapping[str, Any]) -> set[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name == _IMAGES and isinstance(call.func, ast.Name):
        return {DATA_SET}
    if name not in _READS:
        return set()
    last = call.args[-1]
    value = last.value if isinstance(last, ast.Constant) else space.get(getattr(last, "id", ""), "")
    return {str(Path(space["results_dir"]) / _READS[name].format(value))}


def _outermost(paths: set[str]) -> tuple[str, ...]:
    """Without what lies in a folder that is among them."""
    inner = {p for p in paths if p and any(str(above) in paths for above in Path(p).parents[:-1])}
    return tuple(sorted(paths - inner))


def _entry(name: str, source: Source, stored: Callable[[str], str]) -> str:
    files = [f"- {stored(path)}" for path in source.reads] or ["- no stored file"]
    return "\n".join([
        f"(source-{source.label})=",
        f"{{numref}}`{source.label}`: cell {source.cell} of "
        f"{{download}}`{name}.ipynb <executed/{name}.ipynb>`, {code(source.made_by)}",
        "", *files, "",
    ])  # fmt: skip


def _stored(path: str, project: Path) -> str:
    """A stored file or folder with its hash; a folder's is that of the hashes of its files."""
    if not path:
        return "the images of FER-2013, which are not part of the repository"
    whole = project / path
    files = [whole] if whole.is_file() else sorted(f for f in whole.rglob("*") if f.is_file())
    digest = _digest(files)
    count = "" if whole.is_file() else f", {len(files):,} files"
    return f"`{path}`{count}, SHA-256 `{digest[:16]}`"


def _digest(files: Iterable[Path]) -> str:
    hashes = [sha256(file, _MAX_BYTES) for file in files]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()
