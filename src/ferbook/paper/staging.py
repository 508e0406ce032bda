"""From executed notebooks to the folder that jupyter-book renders.

Run as `python -m ferbook.paper.staging stage|publish <folder of executed notebooks> <target>`, or
`python -m ferbook.paper.staging stamp <executed notebook> <profile> <result store>`.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import zipfile
from pathlib import Path

import yaml

from ferbook.core.errors import FerbookError
from ferbook.core.files import FileError, read_text
from ferbook.core.structured import read_yaml
from ferbook.core.writing import whole_folder, write_atomically
from ferbook.paper import sources
from ferbook.paper.chapters import NOTEBOOKS
from ferbook.paper.executed import StaleError, are_synthetic, read_all
from ferbook.paper.freshness import check_source, stamp
from ferbook.paper.table import SYNTHETIC_NOTICE
from ferbook.results import manifest

ALL_RUNS = "all_runs.txt"  # beside the published notebooks


def stage(executed: Path, target: Path, *, project: Path = Path(".")) -> bool:
    """Copy configuration, prose and `executed` notebooks to `target`, ready to be rendered.

    If any notebook saw synthetic faces, every page gets a banner that says so. Returns whether.
    Raises StaleError when a notebook is missing, was not executed to its end, or when some are
    synthetic and some are not; FileError for a `target` that holds something else.
    """
    notebooks = read_all(executed)
    synthetic = are_synthetic(notebooks.values())
    if target.is_dir() and any(target.iterdir()) and not (target / "book" / "executed").is_dir():
        raise FileError(f"{target}: holds something else, which would be lost. Give a new folder.")
    shutil.rmtree(target, ignore_errors=True)
    ignore = shutil.ignore_patterns("executed")
    shutil.copytree(project / "book", target / "book", ignore=ignore)
    (target / "book" / "executed").mkdir()
    for name, notebook in notebooks.items():
        _fold_injected_cell(notebook)
        _drop_empty_outputs(notebook)
        _label_code(notebook)
        sources.link(notebook)
        text = json.dumps(notebook, indent=1, ensure_ascii=False)
        (target / "book" / "executed" / f"{name}.ipynb").write_text(text, encoding="utf-8")
    shutil.copy(project / "_toc.yml", target)
    config = read_yaml(project / "_config.yml")
    if synthetic:
        _add_banner(config)
    results = _results_of(notebooks)
    _add_made(target / "book", config, results, project)
    made, listed = target / "book" / "made", executed / ALL_RUNS
    _add_pages(made, notebooks, project)
    runs = read_text(listed) if listed.is_file() else _list_of_runs(project / results)
    (made / ALL_RUNS).write_text(runs, encoding="utf-8")
    (target / "_config.yml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return synthetic


def _fold_injected_cell(notebook: dict) -> None:
    """papermill inserts the parameters of this execution as a cell; show it like the one before."""
    shown = "hide-cell"
    for cell in notebook["cells"]:
        tags = cell["metadata"].get("tags", [])
        if "parameters" in tags and "remove-cell" in tags:
            shown = "remove-cell"
        if "injected-parameters" in tags:
            tags.append(shown)


def _drop_empty_outputs(notebook: dict) -> None:
    """The notice of a notebook on real data shows nothing; the theme would draw a bar for it."""
    for cell in notebook["cells"]:
        if "outputs" in cell:
            shown = (output.get("data", {}).get("text/markdown") for output in cell["outputs"])
            cell["outputs"] = [
                output for output, text in zip(cell["outputs"], shown, strict=True)
                if text is None or "".join(text)
            ]  # fmt: skip


# Tag of a cell -> what the box says that its code is folded into; others say "Code".
_BOXES = {
    "parameters": "Parameters and their defaults",
    "injected-parameters": "Parameters of this execution",
}


def _label_code(notebook: dict) -> None:
    """Each box of folded code says what its cell does."""
    made = {source.cell: source.label for source in sources.find(notebook)}
    for number, cell in enumerate(notebook["cells"], 1):
        about = cell["metadata"]
        words = next((_BOXES[tag] for tag in about.get("tags", []) if tag in _BOXES), None)
        if number in made:
            words = f"Code of this {'figure' if made[number].startswith('fig-') else 'table'}"
        elif "table.Notice(" in "".join(cell["source"]):
            words = "Code that reads the data"
        if words:
            about.setdefault("mystnb", {})["code_prompt_show"] = words


def _add_banner(config: dict) -> None:
    options = config.setdefault("sphinx", {}).setdefault("config", {})
    theme = options.setdefault("html_theme_options", {})
    theme["announcement"] = f"<strong>{SYNTHETIC_NOTICE}</strong>"
    config["title"] = f"{config['title']} (smoke run)"


def _results_of(notebooks: dict[str, dict]) -> str:
    """The result store that the notebooks were executed with."""
    facts = (notebook["metadata"].get("ferbook", {}) for notebook in notebooks.values())
    return next((fact["results"] for fact in facts if "results" in fact), "results")


def _add_made(book: Path, config: dict, results: str, project: Path) -> None:
    """What pages take from elsewhere: citations, launch buttons, answers, the store to download."""
    from ferbook.paper import citation, explorer

    made, cff = book / "made", citation.read(project / "CITATION.cff")
    made.mkdir()
    (made / "citation.bib").write_text(citation.bibtex(cff), encoding="utf-8")
    (made / "citation.txt").write_text(citation.apa(cff), encoding="utf-8")
    (made / "launch.txt").write_text(citation.launching(cff), encoding="utf-8")
    _set_repository(config, citation.repository(cff))
    explorer.write(book / "_static" / "answers.js", project / results)
    write_atomically(made / "results.zip", packed(project / results))


def _list_of_runs(results: Path) -> str:
    """The list of all runs in the store `results`, as Markdown."""
    from ferbook.paper import all_runs  # late: what only renders has no SciPy

    return all_runs.of_store(results)._repr_markdown_()


def _add_pages(made: Path, notebooks: dict[str, dict], project: Path) -> None:
    """What whole pages consist of: execution status, sources, changelog."""
    from ferbook.paper.status import status_table

    status = status_table(notebooks)._repr_markdown_()
    (made / "status.txt").write_text(status, encoding="utf-8")
    (made / "sources.txt").write_text(sources.page(notebooks, project), encoding="utf-8")
    _, _, changes = read_text(project / "CHANGELOG.md").partition("\n")
    (made / "changelog.txt").write_text(changes, encoding="utf-8")


def packed(folder: Path) -> bytes:
    """A zip of all files in `folder`: the same bytes for the same files, whenever it is made."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), (1980, 1, 1, 0, 0, 0))
            mode = 0o755 if os.access(path, os.X_OK) else 0o644
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, mode << 16
            archive.writestr(entry, path.read_bytes())
    return content.getvalue()


def _set_repository(config: dict, address: str) -> None:
    """Launch buttons lead to this repository; without one there are none."""
    if address:
        config["repository"]["url"] = address
    else:
        del config["repository"], config["launch_buttons"]


def publish(executed: Path, published: Path) -> None:
    """Copy `executed` notebooks, all or none, to where `make book` finds them, with a manifest.

    The list of all runs lies beside them, so that the book is rendered without SciPy.
    Raises StaleError for notebooks that failed or that saw synthetic faces.
    """
    notebooks = read_all(executed)
    if are_synthetic(notebooks.values()):
        raise StaleError(f"{executed}: synthetic faces; a smoke run is never published.")
    with whole_folder(published) as folder:
        for name in NOTEBOOKS:
            shutil.copy(executed / f"{name}.ipynb", folder)
        runs = _list_of_runs(Path(_results_of(notebooks)))
        (folder / ALL_RUNS).write_text(runs, encoding="utf-8")
        manifest.renew(folder)


def main(arguments: list[str] | None = None) -> None:
    """The command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="ferbook.paper.staging", description=stage.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for command in (stage, publish):
        one = commands.add_parser(command.__name__)
        one.add_argument("executed", type=Path)
        one.add_argument("target", type=Path)
    one = commands.add_parser("stamp")
    one.add_argument("executed", type=Path)
    one.add_argument("profile")
    one.add_argument("results")
    given = parser.parse_args(arguments)
    try:
        if given.command == "stamp":
            check_source(given.executed)
            stamp(given.executed, given.profile, given.results)
        else:
            {"stage": stage, "publish": publish}[given.command](given.executed, given.target)
    except (FerbookError, OSError) as error:
        parser.exit(1, f"error: {error}\n")


if __name__ == "__main__":
    main()
