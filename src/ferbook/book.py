"""From executed notebooks to the folder that jupyter-book renders.

Run as `python -m ferbook.book stage|publish <folder of executed notebooks> <target>`, or
`python -m ferbook.book stamp <executed notebook> <profile> <result store>`.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import yaml

from ferbook.schema import read_yaml
from ferbook.tables import SYNTHETIC_NOTICE

NOTEBOOKS = (
    "01_data",
    "02_training",
    "03_results",
    "04_ablations",
    "05_edge",
    "06_claims",
    "07_performance",
    "08_holds",
)
# What a notebook reads besides modules; {results} is a result store.
_INPUTS = {
    "01_data": (),
    "02_training": ("book/original.yml",),
    "03_results": ("book/original.yml", "book/second.yml", "{results}"),
    "04_ablations": (
        "book/original.yml",
        *(f"configs/{name}.yml" for name in ("ablations", "variants", "scratch", "leak")),
        "{results}",
    ),
    "05_edge": ("src/ferbook/released", "{results}"),
    "06_claims": ("book/original.yml", "book/claims.yml", "{results}"),
    "07_performance": ("{results}/bench", "{results}/dataset.json"),
    "08_holds": ("configs/ablations.yml", "results/holds", "{results}"),
}


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
    _add_made(target / "book", config, _results_of(notebooks), project)
    (target / "_config.yml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return synthetic


def _read_all(executed: Path) -> dict[str, dict]:
    return {name: _read(executed / f"{name}.ipynb") for name in NOTEBOOKS}


def _read(path: Path) -> dict:
    if not path.is_file():
        raise StaleError(f"{path}: no executed notebook; run make paper first.")
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        metadata = [cell["metadata"] for cell in notebook["cells"]]
        statuses = {about.get("papermill", {}).get("status") for about in metadata}
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise StaleError(f"{path}: not a notebook ({error!r}); run make paper again.") from error
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


def _results_of(notebooks: dict[str, dict]) -> str:
    """The result store that the notebooks were executed with."""
    facts = (notebook["metadata"].get("ferbook", {}) for notebook in notebooks.values())
    return next((fact["results"] for fact in facts if "results" in fact), "results")


def _add_made(book: Path, config: dict, results: str, project: Path) -> None:
    """What pages take from elsewhere: citations, launch buttons, answers, the store to download."""
    from ferbook import citation, explorer

    made, cff = book / "made", citation.read(project / "CITATION.cff")
    made.mkdir()
    (made / "citation.bib").write_text(citation.bibtex(cff), encoding="utf-8")
    (made / "citation.txt").write_text(citation.apa(cff), encoding="utf-8")
    (made / "launch.txt").write_text(citation.launching(cff), encoding="utf-8")
    _set_repository(config, citation.repository(cff))
    explorer.write(book / "_static" / "answers.js", project / results)
    shutil.make_archive(str(made / "results"), "zip", project / results)


def _set_repository(config: dict, address: str) -> None:
    """Launch buttons lead to this repository; without one there are none."""
    if address:
        config["repository"]["url"] = address
    else:
        del config["repository"], config["launch_buttons"]


def publish(executed: Path, published: Path) -> None:
    """Copy `executed` notebooks to where `make book` finds them.

    Raises StaleError for notebooks that failed or that saw synthetic faces.
    """
    if _is_synthetic(_read_all(executed).values()):
        raise StaleError(f"{executed}: synthetic faces; a smoke run is never published.")
    published.mkdir(parents=True, exist_ok=True)
    for name in NOTEBOOKS:
        shutil.copy(executed / f"{name}.ipynb", published)


def modules(name: str, *, project: Path = Path(".")) -> list[Path]:
    """The modules of ferbook that a notebook imports, directly or not."""
    package, found = project / "src" / "ferbook", set()
    waiting = [project / "notebooks" / f"{name}.py"]
    while waiting:
        for path in _imported(waiting.pop(), package) - found:
            found.add(path)
            waiting.append(path)
    return sorted(found)


def inputs(name: str, results: str = "results", *, project: Path = Path(".")) -> list[Path]:
    """The files of the project that a notebook reads; the data set is not among them."""
    paths = [project / path.format(results=results) for path in _INPUTS[name]]
    files = [[path] if path.is_file() else sorted(path.rglob("*.*")) for path in paths]
    # The manifest says nothing that the files themselves do not.
    return [f for group in files for f in group if f.is_file() and f.name != "MANIFEST.sha256"]


def stamp(executed: Path, profile: str, results: str, *, project: Path = Path(".")) -> None:
    """Write into an executed notebook what it was made from, for `stale` to compare."""
    notebook = json.loads(executed.read_text(encoding="utf-8"))
    facts = {"profile": profile, "results": results}
    facts |= _digests(executed.stem, profile, results, project)
    notebook["metadata"]["ferbook"] = facts
    executed.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def stale(published: Path, *, project: Path = Path(".")) -> dict[str, list[str]]:
    """Notebook -> what has changed since it was executed: source, modules, parameters, inputs."""
    found = {}
    for name, notebook in _read_all(published).items():
        facts = notebook["metadata"].get("ferbook", {})
        now = _digests(name, facts.get("profile", ""), facts.get("results", "results"), project)
        changed = [what for what, digest in now.items() if facts.get(what) != digest]
        if changed:
            found[name] = changed
    return found


def _imported(path: Path, package: Path) -> set[Path]:
    """The files of ferbook's modules that the code at `path` names in its imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "ferbook":
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ferbook."):
            names.add(node.module.split(".")[1])
    return {file for name in names if (file := package / f"{name}.py").is_file()}


def _digests(name: str, profile: str, results: str, project: Path) -> dict[str, str]:
    source = project / "notebooks" / f"{name}.py"
    config = project / "configs" / f"{profile}.yml"
    # Comments and line breaks of modules change no result, so their syntax trees are compared.
    trees = [ast.dump(ast.parse(path.read_text())) for path in modules(name, project=project)]
    return {
        "source": _digest([source.read_bytes()]),
        "modules": _digest(tree.encode() for tree in trees),
        "parameters": _digest([repr(read_yaml(config) if config.is_file() else None).encode()]),
        "inputs": _digest(path.read_bytes() for path in inputs(name, results, project=project)),
    }


def _digest(parts: Iterable[bytes]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()


def main(arguments: list[str] | None = None) -> None:
    """The command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m ferbook.book", description=stage.__doc__)
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
            stamp(given.executed, given.profile, given.results)
        else:
            {"stage": stage, "publish": publish}[given.command](given.executed, given.target)
    except StaleError as error:
        parser.exit(1, f"error: {error}\n")


if __name__ == "__main__":
    main()
