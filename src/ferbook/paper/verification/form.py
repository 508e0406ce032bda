"""What an executed notebook may hold besides its outputs: cells, metadata, parameters.

Everything is compared with the source notebook or with a list of what papermill adds. Nothing of
it is carried out: parameters are literals, and each must have the value that the profile gives.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ferbook.core.structured import read_yaml
from ferbook.paper.chapters import Chapter

INJECTED = ["injected-parameters"]
_TIME = re.compile(r"[\deTZ:+.-]{1,40}")
_TIMES = ("duration", "end_time", "exception", "start_time", "status")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NOTEBOOK = {"cells", "metadata", "nbformat", "nbformat_minor"}
_PAPERMILL = {
    "default_parameters", "duration", "end_time", "environment_variables", "exception",
    "input_path", "output_path", "parameters", "start_time", "version",
}  # fmt: skip
DIGESTS = {"source", "modules", "parameters", "inputs", "outputs"}
STAMPED = DIGESTS | {"profile", "results", "machine"}
_LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3}, "file_extension": ".py",
    "mimetype": "text/x-python", "name": "python", "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}  # fmt: skip


class FormError(ValueError):
    """An executed notebook holds what its source and papermill do not explain."""


def parameters(chapter: Chapter, executed: dict, source: dict) -> dict[str, Any]:
    """The values of the one injected cell, after all else was compared with `source`.

    Raises FormError, naming the cell, for whatever does not belong there.
    """
    _check(executed.keys() == _NOTEBOOK, "a key of the notebook is unknown or missing")
    for key in ("nbformat", "nbformat_minor"):
        _check(executed[key] == source[key], f"{key} is not that of the source")
    cells = executed["cells"]
    places = [i for i, cell in enumerate(cells) if cell["metadata"].get("tags") == INJECTED]
    _check(len(places) == 1, f"expected one cell of injected parameters, found {len(places)}")
    (place,) = places
    own = cells[:place] + cells[place + 1 :]
    _check(len(own) == len(source["cells"]), "its cells are not those of its source")
    for number, (cell, wanted) in enumerate(zip(own, source["cells"], strict=True), 1):
        _check_cell(cell, wanted, f"cell {number}")
    before = own[place - 1]["metadata"].get("tags", []) if place else []
    _check("parameters" in before, "the injected cell does not follow that of the parameters")
    values = _injected(cells[place])
    _check_notebook(executed["metadata"], source["metadata"], values)
    _check_values(chapter, values, executed["metadata"]["ferbook"])
    return values


def _check(fits: bool, what: str) -> None:
    if not fits:
        raise FormError(what)


def _check_cell(cell: dict, wanted: dict, where: str) -> None:
    _check(cell.keys() == wanted.keys(), f"{where}: a key is unknown or missing")
    for key in ("cell_type", "id"):
        _check(cell[key] == wanted[key], f"{where}: {key} is not that of the source")
    same = "".join(cell["source"]) == "".join(wanted["source"])  # lines, or one text
    _check(same, f"{where}: its text is not that of the source")
    _check_metadata(cell["metadata"], wanted["metadata"], where)


def _check_metadata(metadata: dict, wanted: dict, where: str) -> None:
    own = {k: v for k, v in metadata.items() if k not in ("papermill", "execution")}
    expected = {**wanted, "tags": wanted.get("tags", [])}
    _check(own == expected, f"{where}: its metadata are not those of the source")
    about = metadata["papermill"]
    fits = about.keys() == set(_TIMES) and about["exception"] is False
    _check(fits and about["status"] == "completed", f"{where}: not executed to its end")
    times = [about["duration"], about["start_time"], about["end_time"]]
    times += metadata.get("execution", {}).values()
    _check(all(_TIME.fullmatch(str(t)) for t in times), f"{where}: a time is none")


def _injected(cell: dict) -> dict[str, Any]:
    """name -> value of a cell that holds literals and nothing else, as papermill writes it."""
    where = "the injected cell"
    keys = {"cell_type", "id", "metadata", "source", "outputs", "execution_count"}
    _check(cell.keys() == keys and cell["cell_type"] == "code", f"{where} is not one of code")
    _check(cell["outputs"] == [], f"{where} has outputs")
    _check(re.fullmatch(r"[\w-]{1,64}", cell["id"]) is not None, f"{where} has no plain id")
    _check_metadata(cell["metadata"], {"tags": INJECTED}, where)
    first, *lines = "".join(cell["source"]).splitlines()
    _check(first == "# Parameters", f"{where} does not begin with its comment")
    values: dict[str, Any] = {}
    for line in lines:
        name, _, text = line.partition(" = ")
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            raise FormError(f"{where} holds more than literals: {line:.80}") from None
        _check(name.isidentifier() and name not in values, f"{where}: {name:.80} is no new name")
        _check(line == f"{name} = {_written(value)}", f"{where}: {line:.80} is not papermill's")
        values[name] = value
    return values


def _written(value: Any) -> str:
    """A literal as papermill writes it."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    _check(type(value) in (bool, int, float), f"a parameter is a {type(value).__name__}")
    return repr(value)


def _check_notebook(metadata: dict, wanted: dict, values: dict[str, Any]) -> None:
    own = {k: v for k, v in metadata.items() if k not in ("language_info", "papermill", "ferbook")}
    _check(own == wanted, "the notebook's metadata are not those of its source")
    language = dict(metadata["language_info"])
    version = language.pop("version")
    fits = language == _LANGUAGE and re.fullmatch(r"\d+\.\d+\.\d+", version)
    _check(bool(fits), "the notebook's language is not Python as papermill says it")
    about = metadata["papermill"]
    _check(about.keys() == _PAPERMILL and about["parameters"] == values,
           "what papermill was told is not what the injected cell holds")  # fmt: skip
    stamp = metadata.get("ferbook", {})
    _check(stamp.keys() == STAMPED, "no complete stamp; execute it by make paper")
    fits = all(_DIGEST.fullmatch(str(stamp[name])) for name in DIGESTS)
    _check(fits, "its stamp holds no digests")
    machine = stamp["machine"]
    fits = isinstance(machine, dict) and {"cpu", "cores"} <= machine.keys()
    fits = fits and all(isinstance(fact, (str, int)) for fact in machine.values())
    _check(fits and len(str(machine)) < 500, "its stamp names no machine")


def _check_values(chapter: Chapter, values: dict[str, Any], stamp: Mapping[str, str]) -> None:
    """The values that the workflow gives a chapter under the profile that the stamp names."""
    _check(re.fullmatch(r"\w+", stamp["profile"]) is not None, "its profile is no name")
    _check(stamp["results"] == "results", "it was not executed with results/")
    profile = read_yaml(Path("configs") / f"{stamp['profile']}.yml")
    expected = expected_parameters(chapter, profile)
    if "data" in expected:
        data = values.get("data")
        _check(isinstance(data, str) and data != "synthetic", "its data are not FER-2013")
        expected["data"] = data  # a place on some machine
    # What a training may compute on is no part of what it computes.
    for name in sorted((values.keys() | expected.keys()) - {"allow_cpu"}):
        fits = name in values and name in expected and values[name] == expected[name]
        _check(fits, f"parameter {name}: {values.get(name)!r:.80}, "
                     f"the profile gives {expected.get(name)!r:.80}")  # fmt: skip


def expected_parameters(chapter: Chapter, profile: Mapping[str, Any]) -> dict[str, Any]:
    """What the workflow tells a chapter under a profile of real data; see rules/chapters.smk."""
    given = {
        "config": dict(profile),
        "data": {"data": profile["data"]},
        "subset": {"subset": profile.get("subset", False)},
        "study": {"study": profile["study"]},
        "deployed": {"study": "ours"},
    }
    values = {"results_dir": "results"}
    for name in chapter.takes:
        values |= given[name]
    return values
