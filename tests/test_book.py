"""The book: a smoke run is labeled, a broken notebook is refused, the published one renders."""

import io
import json
import os
import resource
import shutil
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import jupytext
import numpy as np
import pytest
from conftest import ROOT

from ferbook.core.files import FileError
from ferbook.core.structured import read_json, read_yaml
from ferbook.paper import chapters, freshness, staging, table
from ferbook.paper.table import SYNTHETIC_NOTICE
from ferbook.results import manifest, metrics, store
from ferbook.results.run import run_scores
from ferbook.results.study import largest_input

PUBLISHED = ROOT / "book" / "executed"
needs_published = pytest.mark.skipif(
    not (PUBLISHED / "03_results.ipynb").exists(), reason="no published notebooks yet"
)


def executed(folder, *, said="real", status="completed", names=chapters.NOTEBOOKS):
    folder.mkdir()
    for name in names:
        tags = ["injected-parameters"]
        cell = {"cell_type": "code", "source": said, "outputs": [],
                "metadata": {"tags": tags, "papermill": {"status": status}}}  # fmt: skip
        began = {"papermill": {"start_time": datetime.now(UTC).isoformat()}}
        notebook = {"cells": [cell], "metadata": began, "nbformat": 4, "nbformat_minor": 5}
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook))
    return folder


def test_a_folder_of_other_things_is_not_staged_over(tmp_path):
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "photo.jpg").touch()
    with pytest.raises(FileError, match="holds something else"):
        staging.stage(executed(tmp_path / "e"), tmp_path / "t", project=ROOT)
    assert (tmp_path / "t" / "photo.jpg").exists()


def test_smoke_run_gets_a_banner_on_every_page(tmp_path):
    target = tmp_path / "t"
    assert staging.stage(executed(tmp_path / "e", said=SYNTHETIC_NOTICE), target, project=ROOT)
    config = read_yaml(target / "_config.yml")
    banner = config["sphinx"]["config"]["html_theme_options"]["announcement"]
    assert SYNTHETIC_NOTICE in banner and "smoke run" in config["title"]


def test_real_run_gets_none_and_prose_is_copied(tmp_path):
    target = tmp_path / "t"
    assert not staging.stage(executed(tmp_path / "e"), target, project=ROOT)
    assert "announcement" not in (target / "_config.yml").read_text()
    page = Path("book", "method.md")
    assert (target / page).read_text() == (ROOT / page).read_text()
    staged = json.loads((target / "book/executed/01_data.ipynb").read_text())
    assert "hide-cell" in staged["cells"][0]["metadata"]["tags"]


def test_injected_parameters_are_shown_like_the_cell_before_them():
    def cell(*tags):
        return {"metadata": {"tags": list(tags)}}

    for own, shown in (("hide-cell", "hide-cell"), ("remove-cell", "remove-cell")):
        notebook = {"cells": [cell("parameters", own), cell("injected-parameters")]}
        staging._fold_injected_cell(notebook)
        assert notebook["cells"][1]["metadata"]["tags"] == ["injected-parameters", shown]


def test_outputs_that_show_nothing_are_dropped():
    notice, shown, number = (
        {"data": {"text/markdown": ""}}, {"data": {"text/markdown": ["a"]}}, {"data": {"a/b": "1"}}
    )  # fmt: skip
    notebook = {"cells": [{"outputs": [notice, shown, number]}, {"source": "prose"}]}
    staging._drop_empty_outputs(notebook)
    assert notebook["cells"] == [{"outputs": [shown, number]}, {"source": "prose"}]


def test_folded_code_says_what_it_does():
    def cell(source, *tags, **mystnb):
        about = {"tags": list(tags), "mystnb": mystnb}
        return {"cell_type": "code", "source": source, "outputs": [], "metadata": about}

    cells = [cell("seed = 1", "parameters"), cell("seed = 2", "injected-parameters"),
             cell("faces = load(data)\ntable.Notice(synthetic=False)"),
             cell("figures.bars(faces)", figure={"name": "fig-bars"}), cell("x = 1")]  # fmt: skip
    staging._label_code({"cells": cells})
    assert [c["metadata"]["mystnb"].get("code_prompt_show") for c in cells] == [
        "Parameters and their defaults", "Parameters of this execution",
        "Code that reads the data", "Code of this figure", None,
    ]  # fmt: skip


def test_refuses_what_is_missing_broken_or_mixed(tmp_path):
    with pytest.raises(staging.StaleError, match="no executed notebook"):
        staging.stage(
            executed(tmp_path / "a", names=chapters.NOTEBOOKS[:2]), tmp_path / "t", project=ROOT
        )
    with pytest.raises(staging.StaleError, match="not executed to its end"):
        staging.stage(executed(tmp_path / "b", status="failed"), tmp_path / "t", project=ROOT)
    mixed = executed(tmp_path / "c")
    shutil.copy(executed(tmp_path / "d", said=SYNTHETIC_NOTICE) / "01_data.ipynb", mixed)
    with pytest.raises(staging.StaleError, match="some notebooks are of synthetic faces"):
        staging.stage(mixed, tmp_path / "t", project=ROOT)


def test_synthetic_notebooks_are_never_published(tmp_path):
    with pytest.raises(staging.StaleError, match="never published"):
        staging.publish(executed(tmp_path / "e", said=SYNTHETIC_NOTICE), tmp_path / "published")
    assert not (tmp_path / "published").exists()
    staging.publish(executed(tmp_path / "real"), tmp_path / "published")
    found = {path.name for path in (tmp_path / "published").iterdir()}
    notebooks = {f"{name}.ipynb" for name in chapters.NOTEBOOKS}
    assert found == {manifest.NAME, staging.ALL_RUNS, *notebooks}
    assert list(manifest.check(tmp_path / "published")) == []


def test_a_full_disk_leaves_the_published_notebooks_as_they_were(tmp_path):
    published, new = tmp_path / "published", executed(tmp_path / "new", said="x" * 5000)
    staging.publish(executed(tmp_path / "old"), published)
    command = [sys.executable, "-m", "ferbook.paper.staging", "publish", new, published]
    shown = subprocess.run(
        command, capture_output=True, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)),
    )  # fmt: skip
    assert shown.returncode == 1 and "File too large" in shown.stderr
    assert "Traceback" not in shown.stderr and list(manifest.check(published)) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "old", "published"]


def test_the_packed_store_has_the_same_bytes_whenever_it_is_made(tmp_path):
    for name in ("b", "a/c"):
        (tmp_path / "s" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "s" / name).write_text(name)
    before = staging.packed(tmp_path / "s")
    os.utime(tmp_path / "s/b", (1e9, 1e9))
    (tmp_path / "s/b").chmod(0o600)
    assert staging.packed(tmp_path / "s") == before
    assert zipfile.ZipFile(io.BytesIO(before)).namelist() == ["a/c", "b"]


def test_committed_runs_are_real_and_small():
    for path in (ROOT / "results").glob("*/*/run.json"):
        assert not store.load_run(path.parent).is_synthetic
        assert sum(file.stat().st_size for file in path.parent.iterdir()) < 2_000_000


@needs_published
def test_scores_of_committed_runs_follow_from_their_predictions():
    dataset = store.load_dataset(ROOT / "results")
    for run in store.load_study(ROOT / "results", "reference"):
        assert run_scores(run, dataset) == run.info["metrics"]
        assert len(run.test) == 7178 and len(run.val) == 3589
        # The label is in the file's name too, so labels cannot have been shuffled.
        folders = np.array([file.split("/")[1] for file in run.test.files])
        assert (np.array(metrics.CLASSES)[run.test.labels] == folders).all()


@needs_published
@pytest.mark.parametrize(
    ("study", "profile", "row"),
    [
        ("reference", "laptop", "| its recipe, our run |"),
        ("ours", "laptop_ours", "| our recipe with FER+ labels |"),
    ],
)
def test_readme_and_head_comments_give_the_committed_numbers(study, profile, row):
    run = store.load_study(ROOT / "results", study)[0]
    text, scores = (ROOT / "README.md").read_text(), run.info["metrics"]
    line = next(line for line in text.splitlines() if line.startswith(row)).replace("*", "")
    cells = [f"{100 * scores[name]['accuracy']:.2f}%" for name in ("test", "private", "clean")]
    assert " | ".join([*cells, f"`{run.info['git_commit'][:7]}`"]) in line
    assert f"{100 * scores['leaked']['accuracy']:.2f}%" in text
    comment, minutes = (ROOT / "configs" / f"{profile}.yml").read_text(), run.info["seconds"] / 60
    assert cells[0] in comment.replace(" %", "%")
    for page in (comment, text):
        assert f"{minutes:.0f} minutes" in page


def test_readme_gives_what_several_looks_are_worth():
    run = store.load_study(ROOT / "results", "ours")[0]
    crops = store.load_answers(ROOT / "results", "test_time_augmentation")["ten_crops"]
    text = " ".join((ROOT / "README.md").read_text().split())
    mirrored, cropped = map(metrics.accuracy, (run.test.with_augmentation(), crops.test))
    words = f"gives {mirrored:.2%} for the run with FER+ labels, ten crops {cropped:.2%}."
    assert words in text


def glued(name):
    notebook = json.loads((PUBLISHED / f"{name}.ipynb").read_text())
    outputs = [o for cell in notebook["cells"] for o in cell.get("outputs", [])]
    marked = [o for o in outputs if "scrapbook" in o.get("metadata", {})]
    prefix = "application/papermill.record/text/plain"
    return {o["metadata"]["scrapbook"]["name"]: "".join(o["data"][prefix]) for o in marked}


@needs_published
def test_published_numbers_are_those_of_the_committed_run():
    values = glued("03_results")
    run = largest_input(store.load_study(ROOT / "results", "reference"))
    correct = int((run.test.probabilities.argmax(1) == run.test.labels).sum())
    assert int(values["reference_correct"]) == correct
    assert float(values["reference_accuracy_test"]) == pytest.approx(100 * correct / 7178)
    assert int(values["data_n_clean"]) == 6610


@needs_published
def test_published_book_renders_without_a_warning(built_book):
    html, shown = built_book
    assert shown.returncode == 0, shown.stdout[-3000:] + shown.stderr[-3000:]
    page = (html / "book/executed/00_overview.html").read_text()
    assert f"{float(glued('03_results')['original_accuracy']):.2f}" in page
    assert SYNTHETIC_NOTICE not in page
    for path in (html / "book").rglob("*.html"):
        assert "{glue" not in path.read_text(), f"{path.name}: a role that was not carried out"


def _stale(folder, project):
    """Notebook -> what has changed since it was executed, of those that are not fresh."""
    found = {
        n: freshness.changed(folder / f"{n}.ipynb", project=project) for n in chapters.NOTEBOOKS
    }
    return {name: what for name, what in found.items() if what}


@needs_published
def test_published_notebooks_are_fresh():
    """Executed from these sources, modules, parameters and results; else: make paper, publish."""
    assert _stale(PUBLISHED, ROOT) == {}


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
        freshness.stamp(path, "laptop", "results", project=folder)
    assert _stale(folder / "done", folder) == {}
    return folder


ALL = chapters.NOTEBOOKS
FROM_STORE = ("00_overview", *ALL[3:])
GRADED = ["00_overview", "06_claims"]
FROM_RUNS = ("03_results", "04_ablations", "06_claims", "09_leak")


@pytest.mark.parametrize(
    ("path", "addition", "what", "stale"),
    [
        ("notebooks/02_training.py", "# %%\n1 + 1\n", "source", ["02_training"]),
        ("src/ferbook/training/train.py", "X = 1\n", "modules", ["02_training"]),
        ("src/ferbook/training/train.py", "# a comment\n", "modules", []),
        ("src/ferbook/claims/ledger.py", "X = 1\n", "modules", GRADED),
        ("src/ferbook/claims/checks/curves.py", "X = 1\n", "modules", GRADED),
        ("src/ferbook/claims/feasibility.py", "X = 1\n", "modules", ["03_results", *GRADED]),
        ("src/ferbook/claims/__init__.py", "X = 1\n", "modules", ["03_results", *GRADED]),
        ("src/ferbook/inference/classifier.py", "X = 1\n", "modules", ["05_deployment"]),
        ("src/ferbook/export/deploy.py", "X = 1\n", "modules", []),
        ("src/ferbook/paper/verification/runs.py", "X = 1\n", "modules", []),
        ("src/ferbook/paper/table.py", "X = 1\n", "modules", ALL),
        ("src/ferbook/core/files.py", "X = 1\n", "modules", ALL),
        *(
            (f"src/ferbook/paper/chapters/{name[3:]}/tables.py", "X = 1\n", "modules", [name])
            for name in ALL
        ),
        ("configs/laptop.yml", "seed: 1\n", "parameters", ALL),
        ("configs/ours_changes.yml", "# changed\n", "inputs", ["04_ablations"]),
        ("configs/ten_epoch_paper_changes.yml", "# changed\n", "inputs", ["04_ablations"]),
        ("configs/ours.yml", "# changed\n", "inputs", ["02_training"]),
        ("book/claims.yml", "# changed\n", "inputs", GRADED),
        ("book/sentences.yml", "# changed\n", "inputs", GRADED),
        ("book/second.yml", "# changed\n", "inputs", ["03_results"]),
        ("book/original_references.yml", "# changed\n", "inputs", ["06_claims"]),
        ("book/field.yml", "# changed\n", "inputs", ["00_overview", "03_results", "06_claims"]),
        ("results/dataset.json", "\n", "inputs", FROM_STORE),
        ("results/bench/step.json", "\n", "inputs", [n for n in FROM_STORE if n[:2] != "08"]),
        ("results/parameters.json", "\n", "inputs", ["00_overview", *FROM_RUNS[:2],
                                                     "05_deployment", *FROM_RUNS[2:]]),
    ],
)  # fmt: skip
def test_what_has_changed_since_is_named(project, path, addition, what, stale):
    """The chapters that are made from a file go stale when it changes, and no other."""
    before = (project / path).read_bytes()
    (project / path).write_bytes(before + addition.encode())
    try:
        found = _stale(project / "done", project)
        assert found == {name: [what] for name in stale}
    finally:
        (project / path).write_bytes(before)


@pytest.mark.parametrize("name", ALL)
def test_what_a_notebook_loads_is_among_its_modules(name):
    """The imports of its cells, carried out: each file of ferbook that this loads is watched."""
    cells = jupytext.read(ROOT / "notebooks" / f"{name}.py").cells
    source = next(cell.source for cell in cells if "from ferbook" in cell.source)
    lines = source.partition("os.chdir")[0].splitlines()
    code = "\n".join(line for line in lines if not line.startswith("%"))  # magics are IPython's
    code += """
import sys
print(*(m.__file__ for n, m in sys.modules.items() if n.split(".")[0] == "ferbook"))
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {Path(path).resolve() for path in shown.stdout.split()}
    watched = {path.resolve() for path in freshness.modules(name, project=ROOT)}
    assert loaded and loaded <= watched


def test_a_stamp_is_given_once_and_only_to_what_ran_on_the_files_of_today(project, tmp_path):
    path = executed(tmp_path / "e") / "06_claims.ipynb"
    claims = project / "book/claims.yml"
    before = claims.stat().st_mtime
    os.utime(claims, (4e9, 4e9))
    with pytest.raises(staging.StaleError, match=r"claims\.yml changed while it ran"):
        freshness.stamp(path, "laptop", "results", project=project)
    os.utime(claims, (before, before))
    freshness.stamp(path, "laptop", "results", project=project)
    assert freshness.changed(path, project=project) == []
    with pytest.raises(staging.StaleError, match="stamped already; execute it again"):
        freshness.stamp(path, "laptop", "results", project=project)
    path.write_text(path.read_text().replace('"real"', '"forged"'))
    assert freshness.changed(path, project=project) == ["outputs"]


def test_folders_of_the_machine_are_not_published(project, tmp_path):
    data, name = "/home/somebody/archive.zip", "06_claims"
    path = executed(tmp_path / "e", said=f'data = "{data}"', names=[name]) / f"{name}.ipynb"
    notebook = json.loads(path.read_text())
    notebook["metadata"]["papermill"]["parameters"] = {"data": data, "seed": 1}
    path.write_text(json.dumps(notebook))
    freshness.stamp(path, "laptop", "results", project=project)
    found = json.loads(path.read_text())
    assert found["cells"][0]["source"] == 'data = "archive.zip"'
    assert found["metadata"]["papermill"]["parameters"] == {"data": "archive.zip", "seed": 1}


def test_what_ran_is_what_the_text_says(tmp_path):
    """Papermill carries out the notebook; an edit of the text alone would not be in it."""
    (tmp_path / "notebooks").mkdir()
    text = (ROOT / "notebooks/06_claims.py").read_text(encoding="utf-8")
    ran = json.loads((ROOT / "book/executed/06_claims.ipynb").read_text(encoding="utf-8"))
    (tmp_path / "06_claims.ipynb").write_text(json.dumps(ran), encoding="utf-8")
    half = tmp_path / "notebooks/06_claims.py"
    half.write_text(text, encoding="utf-8")
    freshness.check_source(tmp_path / "06_claims.ipynb", project=tmp_path)
    half.write_text(text.replace("# # Claims", "# # Claims, edited"), encoding="utf-8")
    with pytest.raises(staging.StaleError, match=r"its cells are not those of .*jupytext --sync"):
        freshness.check_source(tmp_path / "06_claims.ipynb", project=tmp_path)


def test_a_notice_names_what_is_synthetic_and_another_recipe():
    assert repr(table.Notice(synthetic=False)) == "Real data."
    notice = table.Notice(synthetic=False, recipe="mine")._repr_markdown_()
    assert notice.startswith(":::{warning}") and 'is "mine", not the original' in notice
    assert SYNTHETIC_NOTICE in repr(table.Notice(synthetic=True, recipe="mine"))


def test_what_libraries_and_trainings_print_is_not_kept(project, tmp_path):
    path = executed(tmp_path / "e") / "06_claims.ipynb"
    notebook = json.loads(path.read_text())
    notebook["cells"][0]["outputs"] = [
        {"output_type": "stream", "name": name, "text": []} for name in ("stderr", "stdout")
    ]
    path.write_text(json.dumps(notebook))
    freshness.stamp(path, "laptop", "results", project=project)
    (cell,) = json.loads(path.read_text())["cells"]
    assert cell["outputs"] == []


def test_a_notebook_without_a_stamp_is_stale(tmp_path):
    found = _stale(executed(tmp_path / "e"), ROOT)
    assert set(found) == set(chapters.NOTEBOOKS)


def test_synthetic_runs_never_enter_the_published_book(tmp_path):
    """Neither through a notebook nor through a run in results/."""
    notebooks = executed(tmp_path / "e", said=SYNTHETIC_NOTICE)
    command = [
        sys.executable,
        "-m",
        "ferbook.paper.staging",
        "publish",
        str(notebooks),
        str(tmp_path / "p"),
    ]
    shown = subprocess.run(command, capture_output=True, text=True)
    assert shown.returncode == 1 and "never published" in shown.stderr
    assert not (tmp_path / "p").exists()
    for path in (ROOT / "results").rglob("run.json"):
        assert read_json(path)["dataset"]["name"] == "fer2013"


def test_pages_that_are_made_hold_all_runs_a_row_a_chapter_and_the_changelog(tmp_path):
    staging.stage(executed(tmp_path / "e"), tmp_path / "t", project=ROOT)
    made = tmp_path / "t/book/made"
    table = (made / "status.txt").read_text()
    assert all(f"| [](executed/{name}.ipynb) |" in table for name in chapters.NOTEBOOKS)
    rows = (made / "all_runs.txt").read_text().splitlines()
    trials = store.load_all(ROOT / "results", trials=True)
    listed = [row for row in rows if ", seed " in row]
    assert len(listed) == len(store.load_all(ROOT / "results")) + len(trials) > 10
    assert len([row for row in listed if " (trial)" in row]) == len(trials) > 1
    assert (made / staging.ALL_RUNS).read_text() == (PUBLISHED / staging.ALL_RUNS).read_text()
    changes = (made / "changelog.txt").read_text()
    assert not changes.startswith("#") and "\n## 0.1.0\n" in changes
