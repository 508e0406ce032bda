"""Executed notebooks as papermill would leave them, made without a kernel, to be forged."""

import base64
import json
import os
from pathlib import Path

import matplotlib
from IPython.core.pylabtools import print_figure
from matplotlib.figure import Figure

from ferbook.core.provenance import hardware
from ferbook.core.structured import read_json, read_yaml
from ferbook.paper import chapters, freshness
from ferbook.paper.verification import form, outputs, remake

ROOT = Path(__file__).parents[1]
TIME = "2026-01-01T00:00:00.000000+00:00"
PAPERMILL = {"duration": 0.1, "end_time": TIME, "exception": False, "start_time": TIME,
             "status": "completed"}  # fmt: skip


def write(name, project):
    """Write `book/executed/<name>.ipynb` of `project`, whose files are those of the repository."""
    source = read_json(ROOT / "notebooks" / f"{name}.ipynb")
    profile = read_yaml(ROOT / "configs/laptop.yml")
    values = form.expected_parameters(chapters.chapter(name), profile)
    before = os.getcwd()
    os.chdir(project)
    try:
        with matplotlib.rc_context():
            matplotlib.use("agg")
            matplotlib.rcdefaults()
            made = list(remake.cells(source, values))
    finally:
        os.chdir(before)
    notebook = _notebook(source, values, made)
    path = project / "book/executed" / f"{name}.ipynb"
    path.write_text(json.dumps(notebook))
    restamp(path, project)
    return path


def restamp(path, project):
    """The stamp that a forger gives a notebook, by the functions of the project."""
    notebook = json.loads(path.read_text())
    digests = freshness._digests(path.stem, "laptop", "results", project)
    notebook["metadata"]["ferbook"] = {
        "profile": "laptop", "results": "results", "machine": hardware(), **digests,
        "outputs": freshness.digest_of_outputs(notebook),
    }  # fmt: skip
    path.write_text(json.dumps(notebook))


def _notebook(source, values, made):
    cells, made, number = [], iter(made), 0
    for cell in source["cells"]:
        metadata = {"tags": [], **cell["metadata"], "papermill": PAPERMILL}
        cells.append({**cell, "metadata": metadata})
        if cell["cell_type"] == "code":
            number += 1
            cells[-1] |= {"execution_count": number, "outputs": _outputs(next(made), number)}
        if "parameters" in metadata["tags"]:
            number += 1
            cells.append(_injected(values, number))
    language = {**form._LANGUAGE, "version": "3.11.7"}
    about = dict.fromkeys(form._PAPERMILL) | {"parameters": values, "start_time": TIME}
    metadata = {**source["metadata"], "language_info": language, "papermill": about}
    return {**source, "cells": cells, "metadata": metadata}


def _injected(values, number):
    lines = [f"{name} = {form._written(value)}\n" for name, value in values.items()]
    metadata = {"tags": form.INJECTED, "papermill": PAPERMILL}
    return {"cell_type": "code", "id": "injected", "metadata": metadata, "outputs": [],
            "execution_count": number, "source": ["# Parameters\n", *lines]}  # fmt: skip


def _outputs(made, number):
    found = [glued(key, value) for key, value in made.glued]
    if made.value is not None:
        data = _data(made.value)
        found.append({"output_type": "execute_result", "metadata": outputs._shown_size(data),
                      "execution_count": number, "data": data})  # fmt: skip
    return found


def glued(key, value):
    return {"output_type": "display_data", "data": {f"{outputs.PREFIX}text/plain": repr(value)},
            "metadata": {"scrapbook": {"mime_prefix": outputs.PREFIX, "name": key}}}  # fmt: skip


def _data(value):
    if isinstance(value, remake.Missing):
        table = ":::{table} Copies.\n:name: tab-copies\n\n| a |\n| --- |\n| 1 |\n:::\n"
        return {"text/plain": "", "text/markdown": table, "text/html": "<p>Copies.</p>"}
    if isinstance(value, Figure):
        png = base64.b64encode(print_figure(value, "retina")).decode()
        return {"image/png": png, "text/plain": outputs.described(value)}
    forms = {kind: getattr(value, f"_repr_{kind}_", None) for kind in ("markdown", "html")}
    shown = {f"text/{kind}": make() for kind, make in forms.items() if make}
    return {"text/plain": repr(value), **shown}
