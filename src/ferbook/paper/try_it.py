"""The models of the page "Try it": runtime, models and examples, beside its scripts.

Run as `python -m ferbook.paper.try_it <staged book>`. The runtime is onnxruntime-web, fetched by
npm as `package-lock.json` pins it by hash; the part used is kept in `_build/browser`. Without npm
the book is built all the same, and the page says what is missing.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from ferbook.core.classes import CLASSES
from ferbook.core.errors import FerbookError
from ferbook.core.structured import read_json
from ferbook.core.writing import whole_folder
from ferbook.data.synthetic import draw_faces
from ferbook.inference import centerface
from ferbook.inference.classifier import RELEASED

PAGE = Path("book") / "_static" / "try"  # in the staged book
RUNTIME, BINARY, MODEL = "ort.min.mjs", "ort.wasm.gz", "model.onnx.gz"
FINDER, FINDER_LICENCE = "centerface.onnx.gz", "centerface-licence.txt"
TABLES = "dataTables.min.js"  # sorts the list of all runs: see all_runs.js
AXE = "axe.min.js"  # checks pages in the tests; no part of the book
# Pyodide, which runs Python in a page: see ferbook.paper.recompute.
PYTHON = (
    "pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json", "python_stdlib.zip",
)  # fmt: skip
_DIST = Path("node_modules") / "onnxruntime-web" / "dist"
_SECONDS = 300  # for npm: its package is large, lines may be slow


class MissingRuntime(FerbookError, RuntimeError):
    """npm or its registry is not there; the message is for readers of the page."""


def add(page: Path, *, project: Path = Path(".")) -> dict[str, Any]:
    """Write what the page fetches to `page`; the last file, about.json, is also returned.

    It holds file names and sizes, or the reason under `missing`.
    """
    return write_about(page, lambda: _add_all(page, runtime(project)))


def write_about(page: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Fill `page` by `make`; what that returns, or why it could not, goes to about.json."""
    page.mkdir(parents=True, exist_ok=True)
    try:
        about = make()
    except MissingRuntime as error:
        about = {"missing": str(error)}
    (page / "about.json").write_text(json.dumps(about, indent=1), encoding="utf-8")
    return about


def _add_all(page: Path, runtime: Path) -> dict[str, Any]:
    for name in (RUNTIME, BINARY, TABLES):
        shutil.copy(runtime / name, page)
    _pack(RELEASED / "model-int8.onnx", page / MODEL)
    _pack(centerface.MODEL, page / FINDER)
    shutil.copy(centerface.MODEL.with_name("LICENSE"), page / FINDER_LICENCE)
    files = {"runtime": RUNTIME, "binary": BINARY, "model": MODEL, "finder": FINDER}
    sizes = [(page / name).stat().st_size for name in files.values()]
    card = read_json(RELEASED / "card.json")["files"]["model-int8.onnx"]
    return {
        "files": files,
        "correct": card["correct"],
        "total": card["total"],
        "bytes": sum(sizes),
        "classes": list(CLASSES),
        "examples": _draw_examples(page),
    }


def runtime(project: Path) -> Path:
    """The folder of all that pages run with; fetched once for each content of the lock file."""
    lock = project / "package-lock.json"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    folder = project / "_build" / "browser" / digest
    if not (folder / BINARY).is_file():
        shutil.rmtree(folder, ignore_errors=True)  # what an older version began
        with whole_folder(folder) as new:
            _fetch(lock, new)
    return folder


def _fetch(lock: Path, folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise MissingRuntime(
            "npm was not there when this book was built. Install Node.js and run make book again."
        )
    for name in ("package.json", lock.name):
        shutil.copy(lock.with_name(name), folder)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", None) or b"").decode(errors="replace")
        reason = next(iter(said.strip().splitlines()), str(error))
        raise MissingRuntime(
            f"npm could not fetch its packages when this book was built ({reason})."
        ) from error
    shutil.copy(folder / _DIST / "ort.wasm.bundle.min.mjs", folder / RUNTIME)
    shutil.copy(folder / "node_modules" / "axe-core" / AXE, folder)
    shutil.copy(folder / "node_modules" / "datatables.net" / "js" / TABLES, folder)
    for name in PYTHON:
        shutil.copy(folder / "node_modules" / "pyodide" / name, folder)
    _pack(folder / _DIST / "ort-wasm-simd-threaded.wasm", folder / BINARY)
    shutil.rmtree(folder / "node_modules")  # of 160 MB nine files are used


def _pack(source: Path, target: Path) -> None:
    """Plain servers do not compress; the page unpacks by itself."""
    target.write_bytes(gzip.compress(source.read_bytes(), mtime=0))


def _draw_examples(page: Path) -> list[dict[str, str]]:
    """One drawn face for each class that was drawn as it is labeled."""
    faces, planted = draw_faces(400, 50, seed=1)
    no_use = {*planted.constant, *(file for file, _ in planted.wrong_labels)}
    examples = []
    for label, name in enumerate(CLASSES):
        rows = [i for i in (faces.labels == label).nonzero()[0] if faces.files[i] not in no_use]
        Image.fromarray(faces.images[rows[0]]).save(page / f"drawn-{name}.png")
        examples.append({"file": f"drawn-{name}.png", "drawn": name})
    return examples


def main(arguments: list[str] | None = None) -> None:
    """The command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m ferbook.paper.try_it", description=add.__doc__)
    parser.add_argument("book", type=Path, help="the folder that ferbook.paper.staging staged")
    about = add(parser.parse_args(arguments).book / PAGE)
    if "missing" in about:
        print(f'The page "Try it" will not work: {about["missing"]}')


if __name__ == "__main__":
    main()
