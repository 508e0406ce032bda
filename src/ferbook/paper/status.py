"""When, where and on what each chapter was executed, for the page "Execution status"."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from ferbook.paper.executed import are_synthetic
from ferbook.paper.table import Markup, Table
from ferbook.results.names import hardware_name


def status_table(notebooks: Mapping[str, dict]) -> Table:
    """A row per executed notebook, by what papermill and the stamp recorded in it.

    `notebooks` maps names of chapters to notebooks, as `executed.read_all` gives them.
    """
    rows = {Markup(f"[](executed/{name}.ipynb)"): _row(each) for name, each in notebooks.items()}
    columns = ["executed (UTC)", "seconds", "machine", "profile", "images"]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("chapter")
    caption = "Execution of each chapter of this book."
    return Table(frame, caption, "tab-status", {"seconds": ",.0f"})


def _row(notebook: Mapping[str, Any]) -> tuple[Any, ...]:
    about, stamp = (notebook["metadata"].get(name, {}) for name in ("papermill", "ferbook"))
    machine = stamp.get("machine")
    return (
        f"{datetime.fromisoformat(about['start_time']):%Y-%m-%d %H:%M}",
        about.get("duration"),
        hardware_name({"hardware": machine}) if machine else "not recorded",
        stamp.get("profile", "not recorded"),
        "synthetic" if are_synthetic([notebook]) else "FER-2013",
    )
