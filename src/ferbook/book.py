"""From executed notebooks to the folder that jupyter-book renders.

Run as `python -m ferbook.book [--publish] <folder of executed notebooks> <target>`.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import yaml

from ferbook.schema import read_yaml
from ferbook.tables import SYNTHETIC_NOTICE

NOTEBOOKS = ("01_data", "02_training", "03_results")


class StaleError(ValueError):
    """An executed notebook is missing, failed, or mixes sources."""


def stage(executed: Path, target: Path, *, project: Path = Path(".")) -> bool:
    """Copy configuration, prose and `executed` notebooks to `target`, ready to be rendered.

    If any notebook saw synthetic faces, every page gets a banner that says so. Returns whether.
    Raises StaleError when a notebook is missing, was not executed to its end, or when some are
    synthetic and some are not.
    """
    notebooks = _read_all(executed)
    synthetic = _is_synthetic(notebooks.values())
    shutil.rmtree(target, ignore_errors=True)
    ignore = shutil.ignore_patterns("executed")
    shutil.copytree(project / "book", target / "book", ignore=ignore)
    (target / "book" / "executed").mkdir()
    for name, notebook in notebooks.items():
        _fold_injected_cell(notebook)
        text = json.dumps(notebook, indent=1, ensure_ascii=False)
        (target / "book" / "executed" / f"{name}.ipynb").write_text(text, encoding="utf-8")
    shutil.copy(project / "_toc.yml", target)
    config = read_yaml(project / "_config.yml")
    if synthetic:
        _add_banner(config)
    (target / "_config.yml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return synthetic


def _read_all(executed: Path) -> dict[str, dict]:
    return {name: _read(executed / f"{name}.ipynb") for name in NOTEBOOKS}


def _read(path: Path) -> dict:
    if not path.is_file():
        raise StaleError(f"{path}: no executed notebook; run make paper first.")
    notebook = json.loads(path.read_text(encoding="utf-8"))
    statuses = {cell["metadata"].get("papermill", {}).get("status") for cell in notebook["cells"]}
    if statuses != {"completed"}:
        raise StaleError(f"{path}: not executed to its end by papermill; run make paper again.")
    return notebook


def _is_synthetic(notebooks: Iterable[dict]) -> bool:
    """Judged by what the notebooks printed, since that is what a reader sees."""
    said = {SYNTHETIC_NOTICE in json.dumps(notebook["cells"]) for notebook in notebooks}
    if len(said) > 1:
        raise StaleError("some notebooks are of synthetic faces and some are not; run all again.")
    return said.pop()


def _fold_injected_cell(notebook: dict) -> None:
    """papermill inserts the parameters of this execution as a cell; fold it like its neighbour."""
    for cell in notebook["cells"]:
        if "injected-parameters" in cell["metadata"].get("tags", []):
            cell["metadata"]["tags"].append("hide-cell")


def _add_banner(config: dict) -> None:
    options = config.setdefault("sphinx", {}).setdefault("config", {})
    theme = options.setdefault("html_theme_options", {})
    theme["announcement"] = f"<strong>{SYNTHETIC_NOTICE}</strong>"
    config["title"] = f"{config['title']} (smoke run)"


def publish(executed: Path, published: Path) -> None:
    """Copy `executed` notebooks to where `make book` finds them.

    Raises StaleError for notebooks that failed or that saw synthetic faces.
    """
    if _is_synthetic(_read_all(executed).values()):
        raise StaleError(f"{executed}: synthetic faces; a smoke run is never published.")
    published.mkdir(parents=True, exist_ok=True)
    for name in NOTEBOOKS:
        shutil.copy(executed / f"{name}.ipynb", published)


def main(arguments: list[str] | None = None) -> None:
    """The command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m ferbook.book", description=stage.__doc__)
    parser.add_argument("executed", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--publish", action="store_true", help="copy the notebooks to target only")
    given = parser.parse_args(arguments)
    try:
        (publish if given.publish else stage)(given.executed, given.target)
    except StaleError as error:
        parser.exit(1, f"error: {error}\n")


if __name__ == "__main__":
    main()
