"""The archive as an RO-Crate 1.1, with what its executed notebooks and trainings recorded.

It is a Process Run Crate: papermill and `ferbook train` recorded each execution. It is no Workflow
Run Crate, since Snakemake's run as a whole was not recorded; the workflow is the main entity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ferbook.core.files import sha256
from ferbook.core.structured import read_json
from ferbook.paper import citation, metadata
from ferbook.paper.chapters import NOTEBOOKS
from ferbook.paper.metadata import KAGGLE, Json
from ferbook.results.names import hardware_name

NAME = "ro-crate-metadata.json"
_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_WORKFLOW = "workflow/Snakefile"
_TRAIN = "src/ferbook/cli/runs.py"
_CONTEXT = ["https://w3id.org/ro/crate/1.1/context", {"sha256": "https://schema.org/sha256"}]
_FORMATS = {".ipynb": "application/x-ipynb+json", ".py": "text/x-python", ".gz": "application/gzip"}


def describe(cff: Mapping[str, Any], project: Path, tree: str, date: str) -> Json:
    """The graph of `project`, a folder of all that is archived. Arguments as in metadata."""
    authors = [{"@id": f"#author-{n}", **author}
               for n, author in enumerate(metadata.authors(cff), 1)]  # fmt: skip
    trainings = list(_trainings(project))
    actions = [*_executions(project), *trainings]
    parts = [*_parts(project, cff), *(_folder(run["result"]["@id"]) for run in trainings)]
    root = {
        "@id": "./",
        "@type": "Dataset",
        **metadata.about(cff, tree),
        "datePublished": date,
        "license": {"@id": metadata.licence(cff)},
        "author": _references(authors),
        "conformsTo": {"@id": _PROFILE},
        "mainEntity": {"@id": _WORKFLOW},
        "hasPart": _references(parts),
        "mentions": _references(actions),
    }
    graph = [_descriptor(), _flat(root), *map(_flat, authors), *parts, *actions, *_others(cff)]
    values = [value for entity in (root, *authors) for value in _values(entity)]
    return {"@context": _CONTEXT, "@graph": [*graph, *values]}


def _executions(project: Path) -> Iterator[Json]:
    """Each notebook by papermill, as it wrote into the executed one."""
    for name in NOTEBOOKS:
        executed = f"book/executed/{name}.ipynb"
        facts = read_json(project / executed)["metadata"]
        times, stamp = facts["papermill"], facts["ferbook"]
        yield {
            **_action(f"#execution-{name}", f"notebooks/{name}.ipynb", executed, stamp["machine"]),
            "name": f"papermill notebooks/{name}.ipynb, profile {stamp['profile']}",
            "object": [{"@id": "results/"}, {"@id": KAGGLE}],
            "startTime": _time(times["start_time"]),
            "endTime": _time(times["end_time"]),
        }


def _time(stamp: str) -> str:
    """ISO 8601 with milliseconds, as the profile's validator expects it."""
    return datetime.fromisoformat(stamp).isoformat(timespec="milliseconds")


def _trainings(project: Path) -> Iterator[Json]:
    """Each finished run of the store, as its run.json has it."""
    for path in sorted((project / "results").glob("*/*/run.json")):
        run, folder = read_json(path), f"{path.parent.relative_to(project).as_posix()}/"
        yield {
            **_action(f"#training-{folder}", _TRAIN, folder, run["hardware"]),
            "name": f"ferbook train, commit {run['git_commit']}",
            "object": {"@id": KAGGLE},
            "endTime": run["finished"],
        }


def _action(name: str, instrument: str, result: str, machine: Mapping[str, Any]) -> Json:
    return {
        "@id": name,
        "@type": "CreateAction",
        "description": f"on {hardware_name({'hardware': machine})}",
        "instrument": {"@id": instrument},
        "result": {"@id": result},
        "actionStatus": "http://schema.org/CompletedActionStatus",
        "agent": {"@id": "#author-1"},
    }


def _parts(project: Path, cff: Mapping[str, Any]) -> list[Json]:
    workflow = _program(cff, _WORKFLOW, "ComputationalWorkflow")
    return [
        workflow | {"programmingLanguage": {"@id": "#snakemake"}},
        _program(cff, _TRAIN),
        *(_program(cff, f"notebooks/{name}.ipynb") for name in NOTEBOOKS),
        *(_file(f"book/executed/{name}.ipynb", project) for name in NOTEBOOKS),
        _file(metadata.IMAGES, project),
        _folder("results/"),
    ]


def _program(cff: Mapping[str, Any], path: str, *kinds: str) -> Json:
    """A script or notebook; without an address until `repository-code` has one."""
    address = citation.repository(cff)
    return {"@id": path, "@type": ["File", "SoftwareSourceCode", *kinds], "name": path,
            "version": cff["version"], "encodingFormat": _format(path),
            **({"url": f"{address}/blob/main/{path}"} if address else {})}  # fmt: skip


def _file(path: str, project: Path) -> Json:
    size = str((project / path).stat().st_size)
    return {"@id": path, "@type": "File", "name": path, "contentSize": size,
            "encodingFormat": _format(path),
            "sha256": sha256(project / path, metadata.MAX_FILE_BYTES)}  # fmt: skip


def _format(path: str) -> str:
    return _FORMATS.get(Path(path).suffix, "text/plain")


def _folder(path: str) -> Json:
    return {"@id": path, "@type": "Dataset", "name": path}


def _descriptor() -> Json:
    return {"@id": NAME, "@type": "CreativeWork", "about": {"@id": "./"},
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"}}  # fmt: skip


def _others(cff: Mapping[str, Any]) -> list[Json]:
    name = f"{cff['license']} license"
    return [
        {"@id": metadata.licence(cff), "@type": "CreativeWork", "name": name},
        {"@id": _PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"},
        {"@id": "#snakemake", "@type": "ComputerLanguage", "name": "Snakemake",
         "url": {"@id": "https://snakemake.github.io"}},
        {"@id": "https://snakemake.github.io", "@type": "WebSite", "name": "Snakemake"},
        {"@id": KAGGLE, "@type": "CreativeWork", "name": "FER-2013, of which no image is here"},
    ]  # fmt: skip


def _references(entities: Iterable[Json]) -> Json | list[Json]:
    """One reference, or a list of several: RO-Crate wants no list of one."""
    found = [{"@id": entity["@id"]} for entity in entities]
    return found[0] if len(found) == 1 else found


def _values(entity: Json) -> list[Json]:
    """The identifiers of an entity with names of their own, since a crate is flat."""
    found = entity.get("identifier", [])
    found = found if isinstance(found, list) else [found]
    return [{"@id": f"{entity['@id']}#{each['propertyID'].lower()}".removeprefix("./"), **each,
             "name": each["propertyID"]} for each in found]  # fmt: skip


def _flat(entity: Json) -> Json:
    return entity | ({"identifier": _references(_values(entity))} if _values(entity) else {})
