"""Executed notebooks: fresh, of the known form, and every output as it is made anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib

import ferbook
from ferbook.core.files import read_text
from ferbook.core.structured import read_json
from ferbook.paper import chapters, freshness
from ferbook.paper.verification import form, outputs, remake
from ferbook.paper.verification.verified import Verified

EXECUTED = Path("book/executed")


def check(found: Verified, data: str, tell: Callable[[str], object]) -> None:
    """All chapters of the checkout that is the working directory."""
    trusted = _trusted()
    for name in chapters.NOTEBOOKS:
        path = EXECUTED / f"{name}.ipynb"
        tell(str(path))
        try:
            _check(name, path, trusted, found, data)
        except Exception as error:  # a cell may raise anything when its inputs were altered
            found.findings.append(f"{path}: {type(error).__name__}: {error!s:.500}")


def _trusted() -> Path:
    """The source notebooks of the checkout that the running package belongs to, or its own copy.

    The text of another checkout is compared with them and never carried out.
    """
    package = Path(ferbook.__file__).parent
    beside = package.parents[1] / "notebooks"
    return beside if beside.is_dir() else package / "notebooks"


def _check(name: str, path: Path, trusted: Path, found: Verified, data: str) -> None:
    for half in (f"{name}.py", f"{name}.ipynb"):
        if read_text(trusted / half) != read_text(Path("notebooks", half)):
            found.findings.append(f"notebooks/{half}: not that of the ferbook that verifies")
            return
    if changed := freshness.changed(path):
        found.findings.append(f"{path}: changed since it was executed: {', '.join(changed)}")
    notebook, source = read_json(path), read_json(trusted / f"{name}.ipynb")
    values = form.parameters(chapters.chapter(name), notebook, source)
    own = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"
           and cell["metadata"]["tags"] != form.INJECTED]  # fmt: skip
    with matplotlib.rc_context():
        matplotlib.use("agg")
        matplotlib.rcdefaults()
        for number, (cell, made) in enumerate(
            zip(own, remake.cells(source, values, data), strict=True), 1
        ):
            outputs.compare(f"{name}, cell {number}", cell, made, found)
    found.compared["notebooks"] += 1
