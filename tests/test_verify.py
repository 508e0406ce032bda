"""`ferbook verify`: what agrees passes, and whatever is altered is found and named."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from typer.testing import CliRunner

from ferbook.cli import app
from ferbook.core.writing import write_json
from ferbook.paper import chapters, verification
from ferbook.paper.verification import prose, release, runs
from ferbook.results import manifest, measurements, store
from trials import forgeries
from trials.forgeries import LEFT_OUT, OURS, RUN, rewrite

needs_published = pytest.mark.skipif(
    not (ROOT / "book/executed/06_claims.ipynb").exists(), reason="no published notebooks yet"
)


@pytest.fixture(scope="module", autouse=True)
def _computed_once():
    """What equal bytes give is computed once: a forged run is scored, a configuration read anew."""
    score, read, known = runs.run_scores, runs.read_study, {}

    def scores(run, dataset):
        paths = (Path("results", run.study, run.name, "predictions.npz"), "results/dataset.json")
        key = (run.is_final, *(Path(path).read_bytes() for path in paths))
        if key not in known:
            known[key] = score(run, dataset)
        return known[key]

    def study(path):
        key = (Path(path).name, Path(path).read_bytes())
        if key not in known:
            known[key] = read(path)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "run_scores", scores)
        for module in (runs, prose):
            patch.setattr(module, "read_study", study)
        yield


@pytest.fixture
def project(tmp_path):
    """A copy of what verify reads but the grids, with manifests of its own."""
    return forgeries.checkout(tmp_path)


def kinds():
    """One file of each name that occurs in results/ beside the grids."""
    files = (p.relative_to(ROOT) for p in (ROOT / "results").rglob("*")
             if p.is_file() and not {*p.parts} & {*LEFT_OUT})  # fmt: skip
    one = {path.name: path.as_posix() for path in sorted(files) if path.name != manifest.NAME}
    return sorted(one.values())


def findings(monkeypatch, project, *notebooks):
    monkeypatch.setattr(chapters, "NOTEBOOKS", notebooks)
    return verification.verify(project).findings


@needs_published
def test_the_committed_book_shows_what_the_arrays_say():
    found = verification.verify(ROOT)
    assert found.findings == []
    assert found.compared["tables"] >= 20 and found.compared["numbers"] >= 200
    assert found.compared["figures"] >= 15 and len(found.skipped) <= 8
    needs_images = ("01_data", "02_training", "05_depl", "09_leak")
    assert all(line.startswith(needs_images) for line in found.skipped)


def test_data_are_a_name_or_a_path_from_where_one_stands(project, monkeypatch):
    given = []
    for layer in (verification.runs, verification.release, verification.prose):
        monkeypatch.setattr(layer, "check", lambda found: None)
    monkeypatch.setattr(
        verification.notebooks, "check", lambda found, data, tell: given.append(data)
    )
    for data in ("", "synthetic", "kaggle", "~/a.zip", "a.zip"):
        verification.verify(project, data=data)
    assert given == [
        "",
        "synthetic",
        "kaggle",
        str(Path.home() / "a.zip"),
        str(Path("a.zip").resolve()),
    ]


def test_an_altered_byte_is_found_in_each_kind_of_file(project):
    for path in kinds():
        content, random = bytearray((project / path).read_bytes()), np.random.default_rng(0)
        content[random.integers(len(content))] ^= 1 << random.integers(8)
        (project / path).write_bytes(content)
    names = sorted(path.removeprefix("results/") for path in kinds())
    assert len(names) > 20
    assert list(manifest.check(project / "results")) == [f"altered: {name}" for name in names]


def test_missing_and_added_files_are_found(project, monkeypatch):
    (project / RUN / "history.csv").unlink()
    left = ".run.json.1.tmp/run.json"
    (project / "results" / left).parent.mkdir()
    (project / "results" / left).touch()
    (project / "results/.old.tmp").touch()
    name = RUN.removeprefix("results/")
    found = findings(monkeypatch, project)
    assert f"missing: {name}/history.csv" in found
    assert f"not in {manifest.NAME}: {left}" in found
    assert any("history.csv" in line and line.startswith("results/") for line in found)
    manifest.renew(project / "results")  # blesses what is gone, but no leftover of a write
    found = list(manifest.check(project / "results"))
    assert found == [f"not in {manifest.NAME}: {name}" for name in (".old.tmp", left)]


def test_a_linked_folder_is_not_passed_over(project, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (project / "results/linked").symlink_to(tmp_path / "elsewhere")
    assert f"not in {manifest.NAME}: linked" in list(manifest.check(project / "results"))


@pytest.mark.parametrize("name", [" blank.txt", "two\nlines.txt", "\udcff.txt"])
def test_a_name_that_no_manifest_holds_is_refused(tmp_path, name):
    (tmp_path / name).write_text("")
    with pytest.raises(manifest.ManifestError, match="a line break, a blank before it or no UTF-8"):
        manifest.renew(tmp_path)


@pytest.mark.parametrize("error", [OverflowError, RecursionError])
def test_whatever_goes_wrong_is_a_finding(project, monkeypatch, error):
    def fail(found):
        raise error("too much")

    monkeypatch.setattr(verification.release, "check", fail)
    monkeypatch.setattr(verification.notebooks, "check", lambda *_: None)
    assert f"release: {error.__name__}: too much" in verification.verify(project).findings


def test_sha256sum_reads_the_manifest(project):
    if shutil.which("sha256sum") is None:
        pytest.skip("no sha256sum here")
    command = ["sha256sum", "--check", "--strict", "--quiet", manifest.NAME]
    subprocess.run(command, cwd=project / "results", check=True)
    (project / "results/dataset.json").write_text("{}")
    shown = subprocess.run(command, cwd=project / "results", capture_output=True, text=True)
    assert shown.returncode != 0 and "dataset.json: FAILED" in shown.stdout


TWICE = f"{'0' * 64}  a.json\n{'1' * 64}  a.json\n".encode()


@pytest.mark.parametrize("content", [None, b"\xff", b"no digest  a.json\n", TWICE])
def test_an_unreadable_manifest_is_a_finding(project, monkeypatch, content):
    path = project / "results" / manifest.NAME
    path.unlink() if content is None else path.write_bytes(content)
    (found,) = findings(monkeypatch, project)
    assert found.startswith("files: ManifestError: ") and manifest.NAME in found


@pytest.mark.parametrize("forgery", forgeries.STORE, ids=lambda forgery: forgery.what)
def test_each_forgery_of_the_store_is_found(project, monkeypatch, forgery):
    forgery.change(project)
    forgeries.sign(project)  # the forger's manifests agree
    found = findings(monkeypatch, project)
    assert any(forgery.message in line for line in found)
    assert not any(line.startswith("runs: ") for line in found)  # no reader failed as a whole


def test_predictions_exchanged_between_runs_contradict_the_released_model_too(project, monkeypatch):
    forgeries.exchange(project)
    forgeries.sign(project)
    found = findings(monkeypatch, project)
    for name in (RUN, OURS):
        assert any(f"{name.rpartition('/')[2]}: best epoch at " in line for line in found)
    assert any(line.startswith("deployment/") and ": temperature: shown" in line for line in found)


def test_a_run_was_tested_on_all_test_images_and_chosen_on_training_images():
    run, dataset = store.load_run(ROOT / RUN), store.load_dataset(ROOT / "results")
    images = frozenset(run.test.files.tolist())
    fewer = replace(run, val=run.val.select(np.arange(len(run.val)) > 0))
    exchanged = replace(run, val=run.test, test=run.val)
    trial = replace(exchanged, info=run.info | {"final": False})
    shown = [list(runs._images(one, dataset, images)) for one in (run, fewer, exchanged, trial)]
    of_test = f"{len(images)} test images left out, {len(run.val)} others in their place"
    of_val = ["validation images that are not of the training folder",
              f"{len(run.test)} validation images, the data set has {len(run.val)}"]  # fmt: skip
    name = RUN.removeprefix("results/")
    assert shown == [[f"{name}: {line}" for line in lines] for lines in (
        [], [f"{len(run.val) - 1} validation images, the data set has {len(run.val)}"],
        [of_test, *of_val], of_val)]  # fmt: skip


def test_damaged_answers_are_a_finding_and_the_other_groups_are_still_read(project, monkeypatch):
    next((project / "results/peers").glob("*/answers.npz")).write_bytes(b"")
    monkeypatch.chdir(project)
    runs.check_answers(found := verification.Verified())
    (finding,) = found.findings
    assert finding.startswith("peers: ") and found.compared["answers"] == 5


def test_exports_differ_from_keras_by_no_more_answers_than_they_say(monkeypatch):
    monkeypatch.chdir(ROOT)
    ((_, facts),) = measurements.load_facts("results", "deployment").items()
    assert list(release._against_run("x", facts)) == []
    row, keras = facts["exports"]["onnx-int8"], facts["exports"]["keras-float32"]["correct"]
    row["same_answer"], row["correct"] = 1 - 10 / row["total"], keras + 10
    assert list(release._against_run("x", facts)) == []
    row["correct"] += 1
    message = f"x: onnx-int8: {keras + 11} right, 10 answers differ from Keras"
    assert list(release._against_run("x", facts)) == [message]
    row.update(total=1)
    assert any("onnx-int8: total: shown 1" in line for line in release._against_run("x", facts))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"git_commit": "0" * 40}, f"its commit {'0' * 40} is not in this repository"),
        ({"git_commit": "--help"}, "its commit --help is not in this repository"),
    ],
)
def test_what_contradicts_the_history_is_found(project, monkeypatch, change, message):
    rewrite(project / RUN / "run.json", lambda v: v.update(change))
    manifest.renew(project / "results")
    if "git_commit" in change:
        if not (ROOT / ".git").exists():
            pytest.skip("no git history here")
        root = subprocess.run(["git", "rev-parse", "--absolute-git-dir"], cwd=ROOT, text=True,
                              capture_output=True, check=True)  # fmt: skip
        (project / ".git").write_text(f"gitdir: {root.stdout.strip()}\n")
    assert any(message in line for line in findings(monkeypatch, project))


def test_a_recipe_that_no_configuration_asks_for_is_found(project, monkeypatch):
    asking = [p for p in (project / "configs").glob("*.yml") if "study: reference" in p.read_text()]
    for config in asking:
        text = config.read_text()
        config.write_text(text + ("" if "dropout:" in text else "dropout: 0.4\n"))
    found = findings(monkeypatch, project)
    assert any("its recipe is not that of configs/" in line for line in found)
    for config in asking:
        config.unlink()
    found = findings(monkeypatch, project)
    assert any("no file of configs/ asks for it" in line for line in found)


def test_a_released_file_that_no_card_names_is_found(project, monkeypatch):
    (project / release.RELEASED / "model-other.onnx").write_bytes(b"another")
    assert any("model-other.onnx" in line for line in findings(monkeypatch, project))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (lambda t: t.replace('"seconds": ', '"seconds": 1e999, "s": '), "not a finite number"),
        (lambda t: t.replace('"seconds": ', '"seconds": -'), "expected float. Received: -"),
    ],
)
def test_json_is_read_strictly(project, monkeypatch, text, message):
    path = project / RUN / "run.json"
    path.write_text(text(path.read_text()))
    assert any(message in line for line in findings(monkeypatch, project))


def test_a_script_of_the_pages_that_was_altered_is_found(project, monkeypatch):
    with open(project / "book/_static/ledger.js", "a") as script:
        script.write("grades = 'reproduced';\n")
    (found,) = findings(monkeypatch, project)
    assert found == "book/_static: altered: ledger.js"


@pytest.mark.parametrize(
    ("path", "old", "new", "message"),
    [
        ("README.md", "| 69.28% | 69.55%", "| 69.55% | 69.28%", "README.md: the row"),
        ("configs/laptop.yml", "69 minutes", "9 minutes", "9 minutes is no number of the store"),
    ],
)
def test_figures_that_the_store_does_not_hold_are_found(
    project, monkeypatch, path, old, new, message
):
    text = (project / path).read_text()
    assert old in text
    (project / path).write_text(text.replace(old, new, 1))
    assert any(message in line for line in findings(monkeypatch, project))


def test_the_command_names_findings_and_fails(project, monkeypatch):
    monkeypatch.setattr(chapters, "NOTEBOOKS", ())
    arguments = ["verify", "--project", str(project)]
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 0 and "0 findings" in shown.output
    write_json(project / "results/bench/more.json", {})
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 1 and "not in MANIFEST.sha256: bench/more.json" in shown.output
    assert CliRunner().invoke(app, [*arguments, "--renew-manifest"]).exit_code == 0
    assert CliRunner().invoke(app, arguments).exit_code == 0


def test_outside_a_checkout_it_says_so(tmp_path):
    shown = CliRunner().invoke(app, ["verify", "--project", str(tmp_path)])
    assert shown.exit_code == 1 and f"{tmp_path}: no checkout of this book" in shown.output


def test_verifying_leaves_tensorflow_out():
    code = "import sys; from ferbook.paper import verification; print('tensorflow' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert shown.stdout == "False\n"
