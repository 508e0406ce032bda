"""The book: a smoke run is labelled, a broken notebook is refused, the published one renders."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT

from ferbook import book, metrics, store
from ferbook.files import read_json
from ferbook.schema import read_yaml
from ferbook.tables import SYNTHETIC_NOTICE

PUBLISHED = ROOT / "book" / "executed"
needs_published = pytest.mark.skipif(
    not (PUBLISHED / "03_results.ipynb").exists(), reason="no published notebooks yet"
)


def executed(folder, *, said="real", status="completed", names=book.NOTEBOOKS):
    folder.mkdir()
    for name in names:
        tags = ["injected-parameters"]
        cell = {"cell_type": "code", "source": said, "outputs": [],
                "metadata": {"tags": tags, "papermill": {"status": status}}}  # fmt: skip
        notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook))
    return folder


def test_smoke_run_gets_a_banner_on_every_page(tmp_path):
    target = tmp_path / "t"
    assert book.stage(executed(tmp_path / "e", said=SYNTHETIC_NOTICE), target, project=ROOT)
    config = read_yaml(target / "_config.yml")
    banner = config["sphinx"]["config"]["html_theme_options"]["announcement"]
    assert SYNTHETIC_NOTICE in banner and "smoke run" in config["title"]


def test_real_run_gets_none_and_prose_is_copied(tmp_path):
    target = tmp_path / "t"
    assert not book.stage(executed(tmp_path / "e"), target, project=ROOT)
    assert "announcement" not in (target / "_config.yml").read_text()
    assert (target / "book" / "index.md").read_text() == (ROOT / "book" / "index.md").read_text()
    staged = json.loads((target / "book/executed/01_data.ipynb").read_text())
    assert "hide-cell" in staged["cells"][0]["metadata"]["tags"]


def test_refuses_what_is_missing_broken_or_mixed(tmp_path):
    with pytest.raises(book.StaleError, match="no executed notebook"):
        book.stage(executed(tmp_path / "a", names=book.NOTEBOOKS[:2]), tmp_path / "t", project=ROOT)
    with pytest.raises(book.StaleError, match="not executed to its end"):
        book.stage(executed(tmp_path / "b", status="failed"), tmp_path / "t", project=ROOT)
    mixed = executed(tmp_path / "c")
    shutil.copy(executed(tmp_path / "d", said=SYNTHETIC_NOTICE) / "01_data.ipynb", mixed)
    with pytest.raises(book.StaleError, match="some notebooks are of synthetic faces"):
        book.stage(mixed, tmp_path / "t", project=ROOT)


def test_synthetic_notebooks_are_never_published(tmp_path):
    with pytest.raises(book.StaleError, match="never published"):
        book.publish(executed(tmp_path / "e", said=SYNTHETIC_NOTICE), tmp_path / "published")
    assert not (tmp_path / "published").exists()
    book.publish(executed(tmp_path / "real"), tmp_path / "published")
    assert len(list((tmp_path / "published").iterdir())) == len(book.NOTEBOOKS)


def test_committed_runs_are_real_and_small():
    for path in (ROOT / "results").glob("*/*/run.json"):
        assert not store.load_run(path.parent).is_synthetic
        assert sum(file.stat().st_size for file in path.parent.iterdir()) < 2_000_000


@needs_published
def test_scores_of_committed_runs_follow_from_their_predictions():
    leaked = frozenset(store.load_dataset(ROOT / "results")["leaked_files"])
    for run in store.load_study(ROOT / "results", "reference"):
        assert metrics.score_sets(run.val, run.test, leaked) == run.info["metrics"]
        assert len(run.test) == 7178 and len(run.val) == 3589
        # The label is in the file's name too, so labels cannot have been shuffled.
        folders = np.array([file.split("/")[1] for file in run.test.files])
        assert (np.array(metrics.CLASSES)[run.test.labels] == folders).all()


@needs_published
@pytest.mark.parametrize(
    ("study", "profile", "row"),
    [("reference", "laptop", "| its recipe, our run |"), ("ours", "laptop_ours", "| our recipe |")],
)
def test_readme_and_head_comments_give_the_committed_numbers(study, profile, row):
    (run,) = store.load_study(ROOT / "results", study)
    text, scores = (ROOT / "README.md").read_text(), run.info["metrics"]
    line = next(line for line in text.splitlines() if line.startswith(row)).replace("*", "")
    cells = [f"{100 * scores[name]['accuracy']:.2f} %" for name in ("test", "private", "clean")]
    assert " | ".join([*cells, f"`{run.info['git_commit'][:7]}`"]) in line
    assert f"{100 * scores['leaked']['accuracy']:.2f} %" in text
    comment, minutes = (ROOT / "configs" / f"{profile}.yml").read_text(), run.info["seconds"] / 60
    assert cells[0] in comment
    for page in (comment, text):
        assert f"{minutes:.0f} minutes" in page


def test_readme_gives_what_several_looks_are_worth():
    (run,) = store.load_study(ROOT / "results", "ours")
    crops = store.load_answers(ROOT / "results", "views")["ten_crops"]
    text = " ".join((ROOT / "README.md").read_text().split())
    mirrored, cropped = map(metrics.accuracy, (run.test.with_augmentation(), crops.test))
    assert f"image it scores {100 * mirrored:.2f} %, over ten crops {100 * cropped:.2f} %" in text


def glued(name):
    notebook = json.loads((PUBLISHED / f"{name}.ipynb").read_text())
    outputs = [o for cell in notebook["cells"] for o in cell.get("outputs", [])]
    marked = [o for o in outputs if "scrapbook" in o.get("metadata", {})]
    prefix = "application/papermill.record/text/plain"
    return {o["metadata"]["scrapbook"]["name"]: "".join(o["data"][prefix]) for o in marked}


@needs_published
def test_published_numbers_are_those_of_the_committed_run():
    values, run = glued("03_results"), store.load_study(ROOT / "results", "reference")[0]
    correct = int((run.test.probabilities.argmax(1) == run.test.labels).sum())
    assert int(values["reference_correct"]) == correct
    assert float(values["reference_accuracy_test"]) == pytest.approx(100 * correct / 7178)
    assert int(values["data_n_clean"]) == 6610


@needs_published
def test_published_book_renders_without_a_warning(built_book):
    html, shown = built_book
    assert shown.returncode == 0, shown.stdout[-3000:] + shown.stderr[-3000:]
    page = (html / "book/index.html").read_text()
    assert f"{float(glued('03_results')['reference_accuracy_test']):.2f}" in page
    assert SYNTHETIC_NOTICE not in page
    for path in (html / "book").rglob("*.html"):
        assert "{glue" not in path.read_text(), f"{path.name}: a role that was not carried out"


@needs_published
def test_published_notebooks_are_fresh():
    """Executed from these sources, modules, parameters and results; else: make paper, publish."""
    assert book.stale(PUBLISHED, project=ROOT) == {}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of what notebooks are made from, with notebooks stamped in it."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("src", "notebooks", "configs", "results"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "book").mkdir()
    for path in (ROOT / "book").glob("*.yml"):
        shutil.copy(path, folder / "book")
    for path in executed(folder / "done").iterdir():
        book.stamp(path, "laptop", "results", project=folder)
    assert book.stale(folder / "done", project=folder) == {}
    return folder


@pytest.mark.parametrize(
    ("path", "addition", "stale"),
    [
        ("notebooks/02_training.py", "# %%\n1 + 1\n", {"02_training": ["source"]}),
        (
            "src/ferbook/train.py",
            "X = 1\n",
            dict.fromkeys(("02_training", "07_performance"), ("modules",)),
        ),
        ("src/ferbook/train.py", "# a comment\n", {}),
        ("src/ferbook/claims.py", "X = 1\n", dict.fromkeys(book.NOTEBOOKS, ("modules",))),
        ("configs/laptop.yml", "seed: 1\n", dict.fromkeys(book.NOTEBOOKS, ("parameters",))),
        ("book/claims.yml", "# changed\n", {"06_claims": ["inputs"]}),
        ("results/dataset.json", "\n", dict.fromkeys(book.NOTEBOOKS[2:], ("inputs",))),
    ],
)
def test_what_has_changed_since_is_named(project, path, addition, stale):
    before = (project / path).read_bytes()
    (project / path).write_bytes(before + addition.encode())
    try:
        found = book.stale(project / "done", project=project)
        assert found == {name: list(what) for name, what in stale.items()}
    finally:
        (project / path).write_bytes(before)


def test_a_notebook_without_a_stamp_is_stale(tmp_path):
    found = book.stale(executed(tmp_path / "e"), project=ROOT)
    assert set(found) == set(book.NOTEBOOKS)


def test_synthetic_runs_never_enter_the_published_book(tmp_path):
    """Neither through a notebook nor through a run in results/."""
    notebooks = executed(tmp_path / "e", said=SYNTHETIC_NOTICE)
    command = [sys.executable, "-m", "ferbook.book", "publish", str(notebooks), str(tmp_path / "p")]
    shown = subprocess.run(command, capture_output=True, text=True)
    assert shown.returncode == 1 and "never published" in shown.stderr
    assert not (tmp_path / "p").exists()
    for path in (ROOT / "results").rglob("run.json"):
        assert read_json(path)["dataset"]["name"] == "fer2013"
