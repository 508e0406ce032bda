"""Whether an executed notebook still shows what its sources, modules and inputs give."""

from __future__ import annotations

import ast
import functools
import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from ferbook.core.files import MAX_TEXT_BYTES, read_bytes, read_text
from ferbook.core.provenance import hardware
from ferbook.core.structured import read_yaml
from ferbook.core.writing import write_atomically
from ferbook.paper.chapters import chapter
from ferbook.paper.executed import StaleError, read

MAX_INPUT_BYTES = 500_000_000  # the largest, a released model, has 10 million


def modules(name: str, *, project: Path = Path(".")) -> list[Path]:
    """The files of ferbook that a notebook imports, directly or not, at any level of its code."""
    found: set[Path] = set()
    waiting = [project / "notebooks" / f"{name}.py"]
    while waiting:
        names = _imported(read_text(waiting.pop()))
        for path in {file for one in names for file in _files(one, project / "src")} - found:
            found.add(path)
            waiting.append(path)
    return sorted(found)


def inputs(name: str, results: str = "results", *, project: Path = Path(".")) -> list[Path]:
    """The files of the project that a notebook reads; the data set is not among them."""
    paths = [project / path.format(results=results) for path in chapter(name).inputs]
    files = [[path] if path.is_file() else sorted(path.rglob("*.*")) for path in paths]
    # The manifest says nothing that the files themselves do not.
    return [f for group in files for f in group if f.is_file() and f.name != "MANIFEST.sha256"]


def stamp(executed: Path, profile: str, results: str, *, project: Path = Path(".")) -> None:
    """Write into an executed notebook what it was made from and where.

    `changed` compares what it was made from. What it printed is left out: greetings of libraries,
    the progress and pace of a training; and of the parameters, the folders of this machine.
    Raises StaleError for a notebook that has a stamp already, or when something that it is made
    from was written after its execution began: only an execution makes a notebook fresh.
    """
    notebook = read(executed)
    if "ferbook" in notebook["metadata"]:
        raise StaleError(f"{executed}: stamped already; execute it again.")
    name = executed.stem
    if later := sorted(_later(name, notebook, profile, results, project)):
        raise StaleError(f"{executed}: {', '.join(later)} changed while it ran; execute it again.")
    for cell in notebook["cells"]:
        if "outputs" in cell:
            cell["outputs"] = [o for o in cell["outputs"] if o["output_type"] != "stream"]
    notebook = _without_folders(notebook)
    facts = {"profile": profile, "results": results, "machine": hardware()}
    facts |= _digests(name, profile, results, project)
    notebook["metadata"]["ferbook"] = facts | {"outputs": digest_of_outputs(notebook)}
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    write_atomically(executed, text.encode())


def _without_folders(notebook: dict) -> dict:
    """The same with the name alone of each file that its parameters give with a whole path."""
    text = json.dumps(notebook)
    for value in notebook["metadata"]["papermill"].get("parameters", {}).values():
        if isinstance(value, str) and Path(value).is_absolute():
            text = text.replace(json.dumps(value)[1:-1], json.dumps(Path(value).name)[1:-1])
    return json.loads(text)


def check_source(executed: Path, *, project: Path = Path(".")) -> None:
    """Raises StaleError for an executed notebook whose cells are not those of its text half.

    Papermill carries out the other half, which may have been left behind by an edit.
    """
    import jupytext  # late: to verify a book takes none

    source = project / "notebooks" / f"{executed.stem}.py"
    written = [(cell.cell_type, cell.source) for cell in jupytext.read(source).cells]
    ran = [(cell["cell_type"], "".join(cell["source"])) for cell in read(executed)["cells"]
           if "injected-parameters" not in cell["metadata"].get("tags", [])]  # fmt: skip
    if ran != written:
        raise StaleError(
            f"{executed}: its cells are not those of {source}. Run jupytext --sync on the half "
            "that you edited, and execute it again."
        )


def changed(executed: Path, *, project: Path = Path(".")) -> list[str]:
    """What has changed since a notebook was executed.

    Its source, modules, parameters or inputs, or its own cells. Raises StaleError as `read`.
    """
    notebook = read(executed)
    facts = notebook["metadata"].get("ferbook", {})
    profile, results = str(facts.get("profile", "")), str(facts.get("results", "results"))
    now = _digests(executed.stem, profile, results, project)
    now["outputs"] = digest_of_outputs(notebook)
    return [what for what, digest in now.items() if facts.get(what) != digest]


def digest_of_outputs(notebook: dict) -> str:
    """Digest of all cells with what they show."""
    return _digest([json.dumps(notebook["cells"], sort_keys=True).encode()])


def _halves(name: str, project: Path) -> list[Path]:
    """The text and the notebook of a pair."""
    return [project / "notebooks" / f"{name}{suffix}" for suffix in (".py", ".ipynb")]


def _later(name: str, notebook: dict, profile: str, results: str, project: Path) -> Iterator[str]:
    """What a notebook is made from and was written after its execution began."""
    began = datetime.fromisoformat(notebook["metadata"]["papermill"]["start_time"]).timestamp()
    paths = [*_halves(name, project), project / "configs" / f"{profile}.yml"]
    paths += [*modules(name, project=project), *inputs(name, results, project=project)]
    return (str(path) for path in paths if path.is_file() and path.stat().st_mtime > began)


# Of a text, not of a path: nearly all modules are those of several notebooks.
@functools.cache
def _imported(code: str) -> set[str]:
    """The modules of ferbook, and the names in them, that the code imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            # `from a import b`: b is a module of the package a, or a name in it.
            names |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in names if name.partition(".")[0] == "ferbook"}


def _files(module: str, source: Path) -> Iterable[Path]:
    """The file of `module`, if it is one, and those of the packages that it lies in."""
    parts = module.split(".")
    packages = (source.joinpath(*parts[:i], "__init__.py") for i in range(1, len(parts) + 1))
    file = source.joinpath(*parts).with_suffix(".py")
    return [path for path in (*packages, file) if path.is_file()]


def _digests(name: str, profile: str, results: str, project: Path) -> dict[str, str]:
    config = project / "configs" / f"{profile}.yml"
    trees = (_tree(read_text(path)) for path in modules(name, project=project))
    return {
        "source": _digest(read_bytes(half, MAX_TEXT_BYTES) for half in _halves(name, project)),
        "modules": _digest(tree.encode() for tree in trees),
        "parameters": _digest([repr(read_yaml(config) if config.is_file() else None).encode()]),
        "inputs": _digest(
            read_bytes(path, MAX_INPUT_BYTES) for path in inputs(name, results, project=project)
        ),
    }


@functools.cache
def _tree(code: str) -> str:
    """The syntax tree of a module, since comments, layout and docstrings change no result."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        documented = isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        if documented and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)


def _digest(parts: Iterable[bytes]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()
