"""Pyodide and the stored predictions for the lines of Python in the page "Reproducibility".

Run as `python -m ferbook.paper.recompute <staged book>`. Pyodide is fetched with the runtime of the
page "Try it"; without npm the book is built all the same, and the page says what is missing. Its
package has no NumPy, and no index has a wheel of it for Pyodide; hence plain Python.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

from ferbook.paper.try_it import PYTHON, runtime, write_about

PAGE = Path("book") / "_static" / "python"  # in the staged book
RUNS = ("ours/ours-efficientnet_lite2-96-s42", "reference/paper-efficientnet_lite2-260-s42")


def add(page: Path, *, project: Path = Path(".")) -> dict[str, Any]:
    """Write what run.js fetches to `page`; the last file, about.json, is also returned.

    It holds paths of stored files and the bytes of all, or the reason under `missing`.
    """
    return write_about(page, lambda: _add_all(page, runtime(project), project))


def _add_all(page: Path, runtime: Path, project: Path) -> dict[str, Any]:
    stored = [f"results/{run}/predictions.npz" for run in RUNS]
    for name in PYTHON:
        shutil.copy(runtime / name, page)
    for path in stored:
        (page / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project / path, page / path)
    return {"stored": stored, "bytes": sum((page / f).stat().st_size for f in (*PYTHON, *stored))}


def main(arguments: list[str] | None = None) -> None:
    """The command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m ferbook.paper.recompute", description=__doc__)
    parser.add_argument("book", type=Path, help="the folder that ferbook.paper.staging staged")
    about = add(parser.parse_args(arguments).book / PAGE)
    if "missing" in about:
        print(f"No Python will run in the book: {about['missing']}")


if __name__ == "__main__":
    main()
