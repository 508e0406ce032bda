"""The archive: its formats by their own validators, its identifiers, and what is not in it."""

import hashlib
import json
import logging
import subprocess
import zipfile
from pathlib import Path

import mlcroissant
import pytest
import yaml
from conftest import ROOT

from ferbook.core.structured import read_json
from ferbook.paper import archive, citation, freshness, metadata, ro_crate, sources
from ferbook.paper.chapters import NOTEBOOKS
from ferbook.paper.executed import read_all
from ferbook.results import manifest, store

FACES = {"fig-montage", "fig-twins", "fig-augmentation", "fig-failures", "fig-evidence"}
TREE = "swh:1:dir:" + "0" * 40


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What `make` says, and the unpacked folder."""
    if not (ROOT / ".git").exists():
        pytest.skip("no git repository")
    folder = tmp_path_factory.mktemp("archive")
    found = archive.make(ROOT, folder)
    with zipfile.ZipFile(found["archive"]) as zipped:
        for entry in zipped.infolist():  # zipfile forgets which files are programs
            Path(zipped.extract(entry, folder)).chmod(entry.external_attr >> 16)
    return found, folder / f"ferbook-{citation.read(ROOT / 'CITATION.cff')['version']}"


def test_the_same_commit_gives_the_same_bytes(made, tmp_path):
    again = archive.make(ROOT, tmp_path)
    assert {**again, "archive": ""} == {**made[0], "archive": ""}


def test_the_identifiers_are_those_of_what_is_unpacked_and_of_git(made, tmp_path):
    found, folder = made
    assert archive.swhid(folder) == found["directory"]
    archive._extract(ROOT, tmp_path / "source")
    assert archive.swhid(tmp_path / "source") == found["source"]
    head = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD^{tree}", "HEAD"],
                          capture_output=True, text=True, check=True).stdout.split()  # fmt: skip
    assert [found["source"], found["revision"]] == [f"swh:1:dir:{head[0]}", f"swh:1:rev:{head[1]}"]


def test_an_identifier_by_hand(tmp_path):
    (tmp_path / "a").write_bytes(b"hello\n")
    blob = hashlib.sha1(b"blob 6\0hello\n").digest()
    tree = hashlib.sha1(b"tree 29\x00100644 a\0" + blob).hexdigest()
    assert archive.swhid(tmp_path) == f"swh:1:dir:{tree}"


def test_no_image_of_the_data_set_is_in_it(made):
    _, folder = made
    with zipfile.ZipFile(made[0]["archive"]) as zipped:
        pictures = [n for n in zipped.namelist() if n.endswith((".jpg", ".jpeg", ".png"))]
        assert [name.rpartition("/")[2] for name in pictures] == ["lab.png"]  # of JupyterLab
    executed, left_out = folder / "book/executed", set()
    for name, notebook in read_all(executed).items():
        before = read_json(ROOT / f"book/executed/{name}.ipynb")
        found = list(sources.find(notebook))
        assert with_pictures(notebook) <= {source.cell for source in found}  # none without source
        for source in found:
            now, then = (n["cells"][source.cell - 1]["outputs"] for n in (notebook, before))
            left_out |= {source.label} if now != then else set()
        assert "outputs" not in freshness.changed(executed / f"{name}.ipynb", project=folder)
    assert left_out >= FACES and "fig-confusion" not in left_out
    assert list(manifest.check(executed)) == []


def with_pictures(notebook):
    """Numbers of the cells that show one, from 1."""
    return {
        number
        for number, cell in enumerate(notebook["cells"], 1)
        if any(f"{kind}/" in json.dumps(cell.get("outputs", [])) for kind in ("image", "video"))
    }


def test_croissant_is_valid_and_reads_every_image(made, caplog):
    _, folder = made
    with caplog.at_level(logging.WARNING):
        data = mlcroissant.Dataset(jsonld=folder / "croissant.json")
    assert data.metadata.ctx.issues.errors == data.metadata.ctx.issues.warnings == set()
    assert "not standard" not in caplog.text
    rows = list(data.records("images"))
    dataset = store.load_dataset(ROOT / "results")
    leaked = {row["images/file"].decode() for row in rows if row["images/leaked"]}
    assert len(rows) == dataset["splits"]["test"] and leaked == set(dataset["leaked_files"])
    assert {len(row["images/sha256"]) for row in rows} == {64}


def test_the_crate_is_closed_and_its_files_are_there(made):
    _, folder = made
    graph = read_json(folder / ro_crate.NAME)["@graph"]
    known = {entity["@id"]: entity for entity in graph}
    assert len(known) == len(graph)
    assert {each for each in references(graph) if not each.startswith("https://")} <= set(known)
    parts = [known[part["@id"]] for part in known["./"]["hasPart"]]
    assert all((folder / part["@id"]).exists() for part in parts)
    hashed = [part for part in parts if "sha256" in part]
    assert len(hashed) == len(NOTEBOOKS) + 1
    for part in hashed:
        digest = hashlib.sha256((folder / part["@id"]).read_bytes()).hexdigest()
        assert part["sha256"] == digest


def references(value):
    """Every `@id` below the entities of a graph, as in {"license": {"@id": ...}}."""
    if isinstance(value, list):
        return set().union(*map(references, value))
    if not isinstance(value, dict):
        return set()
    inner = set().union(*(references(v) for k, v in value.items() if k != "@id"))
    return inner | ({value["@id"]} if value.keys() == {"@id"} else set())


def test_the_crate_has_an_action_for_each_notebook_and_training(made):
    _, folder = made
    actions = [e for e in read_json(folder / ro_crate.NAME)["@graph"]
               if e["@type"] == "CreateAction"]  # fmt: skip
    results = {action["result"]["@id"]: action for action in actions}
    runs = {f"{p.parent.relative_to(folder)}/" for p in folder.glob("results/*/*/run.json")}
    assert set(results) == runs | {f"book/executed/{name}.ipynb" for name in NOTEBOOKS}
    times = read_json(folder / "book/executed/03_results.ipynb")["metadata"]["papermill"]
    began = results["book/executed/03_results.ipynb"]["startTime"]
    assert began == f"{times['start_time'][:23]}+00:00"  # milliseconds
    run = read_json(folder / "results/ours/ours-efficientnet_lite2-96-s42/run.json")
    action = results["results/ours/ours-efficientnet_lite2-96-s42/"]
    assert run["git_commit"] in action["name"] and action["endTime"] == run["finished"]


def test_what_a_person_must_supply_is_said_to_be_missing(made):
    _, folder = made
    for name in ("codemeta.json", "codecheck.yml", ro_crate.NAME):
        assert metadata.UNASSIGNED in (folder / name).read_text()
    check = yaml.safe_load((folder / "codecheck.yml").read_text())
    assert check["certificate"] == check["report"] == metadata.UNASSIGNED
    assert all((folder / entry["file"]).is_file() for entry in check["manifest"])


def test_what_a_person_supplied_is_in_every_format():
    cff = citation.read(ROOT / "CITATION.cff") | {
        "doi": "10.5281/zenodo.1", "repository-code": "https://example.org/book",
        "authors": [{"given-names": "Ada", "family-names": "L", "orcid": "https://orcid.org/0"}],
    }  # fmt: skip
    meta, check = metadata.codemeta(cff, TREE, "2026-11-28"), metadata.codecheck(cff)
    assert meta["author"] == [{"@type": "Person", "@id": "https://orcid.org/0", "name": "Ada L"}]
    assert meta["identifier"][1]["value"] == "https://doi.org/10.5281/zenodo.1"
    assert meta["codeRepository"] == check["repository"] == "https://example.org/book"
    assert check["paper"]["authors"] == [{"name": "Ada L", "ORCID": "https://orcid.org/0"}]
    crate = ro_crate.describe(cff, ROOT, TREE, "2026-11-28")
    assert {"@id": "https://orcid.org/0"} in [e.get("author") for e in crate["@graph"]]
    assert metadata.UNASSIGNED not in json.dumps([meta, crate])
    program = next(e for e in crate["@graph"] if e["@id"] == "workflow/Snakefile")
    assert program["url"] == "https://example.org/book/blob/main/workflow/Snakefile"
    assert program["version"] == cff["version"]


def test_without_a_commit_there_is_nothing_to_archive(tmp_path):
    with pytest.raises(archive.ArchiveError, match="no commit to archive"):
        archive.make(tmp_path, tmp_path)
