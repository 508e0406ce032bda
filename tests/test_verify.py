"""`ferbook verify`: what agrees passes, and whatever is altered is found and named."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT
from typer.testing import CliRunner

from ferbook.cli import app
from ferbook.core.files import write_json
from ferbook.paper import verify
from ferbook.results import manifest

RUN = "results/reference/paper-efficientnet_lite2-96-s42"
needs_published = pytest.mark.skipif(
    not (ROOT / "book/executed/06_claims.ipynb").exists(), reason="no published notebooks yet"
)


@pytest.fixture
def project(tmp_path):
    """A copy of what verify reads, with a manifest of its own."""
    for name in ("results", "book", "configs", "notebooks"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "_toc.yml", tmp_path)
    manifest.renew(tmp_path / "results")
    return tmp_path


def kinds():
    """One file of each name that occurs in results/."""
    files = (p.relative_to(ROOT) for p in (ROOT / "results").rglob("*") if p.is_file())
    one = {path.name: path.as_posix() for path in sorted(files) if path.name != manifest.NAME}
    return sorted(one.values())


def findings(monkeypatch, project, *notebooks):
    monkeypatch.setattr(verify.chapters, "NOTEBOOKS", notebooks)
    return verify.verify(project).findings


@needs_published
def test_the_committed_book_shows_what_the_arrays_say():
    found = verify.verify(ROOT)
    assert found.findings == []
    assert found.compared["tables"] >= 20 and found.compared["numbers"] >= 200
    assert all(line.startswith("01_data") for line in found.skipped)


@pytest.mark.parametrize("path", kinds())
def test_an_altered_byte_is_found_in_each_kind_of_file(project, path):
    content, random = bytearray((project / path).read_bytes()), np.random.default_rng(0)
    content[random.integers(len(content))] ^= 1 << random.integers(8)
    (project / path).write_bytes(content)
    name = path.removeprefix("results/")
    assert list(manifest.check(project / "results")) == [f"altered: {name}"]


def test_missing_and_added_files_are_found(project, monkeypatch):
    (project / RUN / "history.csv").unlink()
    (project / "results/.run.json.1.tmp").touch()
    name = RUN.removeprefix("results/")
    found = findings(monkeypatch, project)
    assert f"missing: {name}/history.csv" in found
    assert f"not in {manifest.NAME}: .run.json.1.tmp" in found
    assert any("history.csv" in line and line.startswith("results/") for line in found)
    manifest.renew(project / "results")  # blesses what is gone, but no leftover of a write
    found = list(manifest.check(project / "results"))
    assert found == [f"not in {manifest.NAME}: .run.json.1.tmp"]


def test_sha256sum_reads_the_manifest(project):
    if shutil.which("sha256sum") is None:
        pytest.skip("no sha256sum here")
    command = ["sha256sum", "--check", "--strict", "--quiet", manifest.NAME]
    subprocess.run(command, cwd=project / "results", check=True)
    (project / "results/dataset.json").write_text("{}")
    shown = subprocess.run(command, cwd=project / "results", capture_output=True, text=True)
    assert shown.returncode != 0 and "dataset.json: FAILED" in shown.stdout


@pytest.mark.parametrize("content", [None, b"\xff", b"no digest  a.json\n"])
def test_an_unreadable_manifest_is_a_finding(project, monkeypatch, content):
    path = project / "results" / manifest.NAME
    path.unlink() if content is None else path.write_bytes(content)
    (found,) = findings(monkeypatch, project)
    assert found.startswith("files: ManifestError: ") and manifest.NAME in found


def rewrite(path, change):
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def test_scores_that_do_not_follow_from_the_arrays_are_found(project, monkeypatch):
    rewrite(project / RUN / "run.json", lambda v: v["metrics"]["clean"].update(log_loss=1.0))
    manifest.renew(project / "results")  # the forger's manifest agrees
    (found,) = findings(monkeypatch, project)
    assert "metrics: clean: log_loss: shown 1.0, recomputed 1." in found


def test_arrays_that_do_not_give_the_scores_are_found(project, monkeypatch):
    path = project / RUN / "predictions.npz"
    with np.load(path) as arrays:
        content = dict(arrays)
    content["test_prob"][:50] = np.eye(7)[content["test_label"][:50]]  # 50 answers made right
    np.savez_compressed(path, **content)
    manifest.renew(project / "results")
    found = findings(monkeypatch, project)
    assert any("metrics: test: correct: shown" in line for line in found)


def test_labels_that_disagree_with_their_folders_are_found(project, monkeypatch):
    path = project / RUN / "predictions.npz"
    with np.load(path) as arrays:
        content = dict(arrays)
    content["val_label"] = (content["val_label"] + 1) % 7
    np.savez_compressed(path, **content)
    found = findings(monkeypatch, project)
    assert any("a label disagrees with the folder of its file" in line for line in found)


def test_a_run_of_other_images_and_a_wrong_share_are_found(project, monkeypatch):
    rewrite(project / RUN / "run.json", lambda v: v["dataset"].update(fingerprint="0"))
    edge = next((project / "results/deployment").iterdir())
    rewrite(edge, lambda v: v["exports"]["onnx-int8"].update(accuracy=0.7))
    manifest.renew(project / "results")
    found = findings(monkeypatch, project)
    assert any("dataset: fingerprint: shown '0'" in line for line in found)
    assert any("onnx-int8: accuracy: shown 0.7, recomputed 0.69" in line for line in found)


def edit(project, name, old, new):
    path = project / "book/executed" / f"{name}.ipynb"
    text = path.read_text()
    changed, n = re.subn(old, new, text, count=1)
    assert n == 1
    path.write_text(changed)


@needs_published
@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("06_claims", r"\| not run \| (?=\d)", "| not run | 1", "shown '| not run | 1"),
        ("06_claims", r">contradicted<", ">fact confirmed<", "06_claims, cell 5: shown"),
        ("02_training", r"\| efficientnet_b2 \| 7", "| efficientnet_b2 | 9", "02_training, cell"),
        (
            "06_claims",
            "Which statements of the original hold",
            "Which statements of the original fail",
            "its cells are not those of notebooks/06_claims",
        ),
        ("06_claims", '"cells"', '"cels"', "06_claims.ipynb: KeyError: 'cells'"),
    ],
)
def test_what_a_notebook_shows_wrongly_is_found(project, monkeypatch, name, old, new, message):
    edit(project, name, old, new)
    found = findings(monkeypatch, project, name)
    assert any(message in line for line in found)


@needs_published
def test_a_glued_number_is_compared(project, monkeypatch):
    path = project / "book/executed/06_claims.ipynb"
    notebook = json.loads(path.read_text())
    outputs = [o for c in notebook["cells"] for o in c.get("outputs", [])]
    total = next(o for o in outputs if o["metadata"].get("scrapbook", {}).get("name")
                 == "claims_total")  # fmt: skip
    total["data"][verify._SCRAP] = "1"
    path.write_text(json.dumps(notebook))
    (found,) = findings(monkeypatch, project, "06_claims")
    assert found.startswith("06_claims: claims_total: shown 1, recomputed ")


def test_the_command_names_findings_and_fails(project, monkeypatch):
    monkeypatch.setattr(verify.chapters, "NOTEBOOKS", ())
    arguments = ["verify", "--project", str(project)]
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 0 and "0 findings" in shown.output
    write_json(project / "results/parameters.json", {})
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 1 and "altered: parameters.json" in shown.output
    assert CliRunner().invoke(app, [*arguments, "--renew-manifest"]).exit_code == 0
    assert CliRunner().invoke(app, arguments).exit_code == 0


def test_outside_a_checkout_it_says_so(tmp_path):
    shown = CliRunner().invoke(app, ["verify", "--project", str(tmp_path)])
    assert shown.exit_code == 1 and "no checkout of this book" in shown.output


def test_verifying_leaves_tensorflow_out():
    code = "import sys; from ferbook.paper import verify; print('tensorflow' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert shown.stdout == "False\n"
