"""What was measured besides accuracy, one JSON file a job, as the result store keeps it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ferbook.core.files import StoreError, read_text
from ferbook.core.provenance import provenance
from ferbook.core.structured import read_json
from ferbook.core.writing import write_json


def write_facts(results_dir: str | Path, group: str, name: str, facts: Mapping[str, Any]) -> None:
    """Write what was measured, with its provenance.

    A group is "bench", "deployment" or "reliability". Raises ValueError for facts of the names that
    provenance has.
    """
    folder, origin = Path(results_dir) / group, provenance()
    if twice := facts.keys() & origin.keys():
        raise ValueError(f"{group}/{name}: {', '.join(sorted(twice))} would be replaced.")
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / f"{name}.json", {**facts, **origin})


def load_facts(results_dir: str | Path, group: str) -> dict[str, dict[str, Any]]:
    """Name -> what was measured, of all in `group`; empty when there is nothing.

    Asked for another name, it raises StoreError.
    """
    folder = Path(results_dir, group)
    return _Facts(folder, {path.stem: read_json(path) for path in sorted(folder.glob("*.json"))})


_MEASURED_BY = {"bench": "make bench", "deployment": "ferbook export"}


class _Facts(dict):
    """Measurements, which say what is missing among them and what measures it."""

    def __init__(self, folder: Path, facts: Mapping[str, Any]):
        super().__init__(facts)
        self.folder = folder

    def __missing__(self, name: str) -> None:
        how = _MEASURED_BY.get(self.folder.name)
        more = f" To measure it: {how}." if how else ""
        raise StoreError(f"{self.folder}: no measurements of {name}.{more}")


def load_licences(results_dir: str | Path) -> pd.DataFrame:
    """`package`, `version`, `licence` and `kind` of every locked package."""
    path = Path(results_dir) / "reliability" / "licences.csv"
    return pd.read_csv(io.StringIO(read_text(path)), keep_default_na=False)
