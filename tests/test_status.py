"""The page "Execution status": a row a chapter, of what papermill and the stamp recorded."""

from ferbook.paper.status import status_table
from ferbook.paper.table import SYNTHETIC_NOTICE

TIME = "2026-02-03T04:05:59.123456+00:00"


def notebook(*, said="real", **stamp):
    metadata = {"papermill": {"start_time": TIME, "duration": 1234.5}, "ferbook": stamp}
    return {"cells": [{"source": said}], "metadata": metadata}


def test_a_row_says_when_where_how_long_and_on_which_images():
    machine = {"cpu": "A processor", "cores": 2, "usable_cores": 2, "system": "Linux"}
    table = status_table({"01_data": notebook(profile="laptop", machine=machine)})
    cells = [cell.strip() for cell in table._repr_markdown_().splitlines()[5].split("|")[1:-1]]
    assert cells == ["[](executed/01_data.ipynb)", "2026-02-03 04:05", "1,234",
                     "A processor, 2 cores", "laptop", "FER-2013"]  # fmt: skip


def test_smoke_runs_and_what_was_not_recorded_are_named():
    frame = status_table({"06_claims": notebook(said=SYNTHETIC_NOTICE)}).frame
    assert frame.iloc[0][["machine", "profile", "images"]].tolist() == [
        "not recorded", "not recorded", "synthetic",
    ]  # fmt: skip
