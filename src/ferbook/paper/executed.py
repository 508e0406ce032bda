"""Executed notebooks: read with suspicion, and asked whether they show synthetic faces."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ferbook.core.errors import FerbookError
from ferbook.core.files import FileError, StoreError
from ferbook.core.structured import read_json
from ferbook.paper.chapters import NOTEBOOKS
from ferbook.paper.table import SYNTHETIC_NOTICE


class StaleError(FerbookError, ValueError):
    """An executed notebook is missing, failed, or mixes sources."""


def read_all(folder: Path) -> dict[str, dict]:
    """Name -> notebook of every chapter in `folder`. Raises StaleError as `read`."""
    return {name: read(folder / f"{name}.ipynb") for name in NOTEBOOKS}


def read(path: Path) -> dict:
    """A notebook that papermill executed to its end; else raises StaleError."""
    if not path.is_file():
        raise StaleError(f"{path}: no executed notebook; run make paper first.")
    try:
        notebook = read_json(path)
        metadata = [cell["metadata"] for cell in notebook["cells"]]
        statuses = {about.get("papermill", {}).get("status") for about in metadata}
    except (FileError, StoreError, LookupError, TypeError, AttributeError) as error:
        raise StaleError(f"{path}: not a notebook ({error!r:.300}); make paper anew.") from error
    if statuses != {"completed"}:
        raise StaleError(f"{path}: not executed to its end by papermill; run make paper again.")
    return notebook


def are_synthetic(notebooks: Iterable[dict]) -> bool:
    """Whether `notebooks` are a smoke run, by what they printed, since that is what a reader sees.

    Raises StaleError when some are and some are not.
    """
    said = {SYNTHETIC_NOTICE in json.dumps(notebook["cells"]) for notebook in notebooks}
    if len(said) > 1:
        raise StaleError("some notebooks are of synthetic faces and some are not; run all again.")
    return said.pop()


def statements(cell: Mapping[str, Any]) -> list[ast.stmt]:
    """The Python of a code cell, without IPython's own lines such as `%autoreload 2`."""
    lines = "".join(cell["source"]).splitlines()
    return ast.parse("\n".join(line for line in lines if not line.startswith("%"))).body
