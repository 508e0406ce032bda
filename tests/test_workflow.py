"""Snakemake: the plan of every profile, here and on a cluster; a notebook that fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from ferbook.paper.chapters import NOTEBOOKS
from ferbook.results.study import read_study

BIN = Path(sys.executable).parent


def snakemake(*arguments, cwd=ROOT):
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    command = [str(BIN / "snakemake"), "--nolock", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


PROJECT = (
    "workflow", "benchmarks", "configs", "notebooks", "src", "book", "_toc.yml", "_config.yml",
)  # fmt: skip
RULES = (*NOTEBOOKS, "book")


@pytest.mark.parametrize("profile", ["quick", "laptop", "gpu"])
def test_plan_of_a_profile(profile):
    shown = snakemake(
        "--dry-run", "--forceall", "--printshellcmds", "--cores", "2",
        "--config", f"profile={profile}",
    )  # fmt: skip
    plan = shown.stdout + shown.stderr
    assert shown.returncode == 0, plan
    assert all(f"rule {rule}:" in plan for rule in RULES)
    assert all(f"notebooks/{name}.ipynb" in plan for name in NOTEBOOKS)
    results = "_build/quick/results" if profile == "quick" else "results"
    assert f"-r results_dir {results} " in plan


def test_plan_of_the_published_book_executes_nothing():
    shown = snakemake("--dry-run", "--forceall", "--cores", "1", "published")
    text = shown.stdout + shown.stderr
    if not (ROOT / "book/executed/03_results.ipynb").exists():
        pytest.skip("no published notebooks yet")
    assert shown.returncode == 0, text
    assert "rule book:" in text and "papermill" not in text


def test_the_book_is_rendered_anew_when_what_it_shows_has_changed():
    shown = snakemake("--dry-run", "--forceall", "--cores", "1", "published")
    inputs = next(line for line in shown.stdout.splitlines() if line.strip().startswith("input:"))
    for path in ("results/MANIFEST.sha256", "src/ferbook/inference/released/model-int8.onnx",
                 "src/ferbook/paper/chapters/results/tables.py", "book/method.md"):  # fmt: skip
        assert f" {path}," in inputs, path


TAUGHT = "results/short_ours_changes/distilled-efficientnet_lite0-48-s42/run.json"
TEACHERS = [TAUGHT.replace("distilled", name)
            for name in ("double_rate", "frozen_batch_norm", "no_smoothing")]  # fmt: skip


def link_sources(folder):
    """What the workflow reads, without results."""
    sources = ("workflow", "benchmarks", "configs", "notebooks", "src", "book", "_toc.yml",
               "_config.yml")  # fmt: skip
    for name in sources:
        (folder / name).symlink_to(ROOT / name)


def test_teachers_are_trained_before_who_learns_from_them():
    shown = snakemake(
        "--dry-run", "--forceall", "--config", "study=short_ours_changes", "--", TAUGHT
    )
    plan = shown.stdout + shown.stderr
    assert shown.returncode == 0, plan
    places = [plan.index(f"output: {path}") for path in (*TEACHERS, TAUGHT)]
    assert max(places) == places[-1]


@pytest.mark.parametrize("name", ["ours_scratch", "reference_128", "short_ours_changes"])
def test_a_run_is_trained_by_the_configuration_that_was_given(name):
    """Whose name need not be that of its study."""
    study = read_study(ROOT / f"configs/{name}.yml")
    shown = snakemake(
        "--dry-run", "--forceall", "--printshellcmds", "--config", f"study={name}", "--", "study"
    )
    plan = shown.stdout + shown.stderr
    assert shown.returncode == 0, plan
    for run in study.recipes:
        assert f"output: results/{study.name}/{run}/run.json" in plan
        assert f"ferbook train configs/{name}.yml --run {run} --data kaggle --final" in plan


def test_trials_never_see_test_images():
    how = ("--dry-run", "--forceall", "--printshellcmds")
    shown = snakemake(*how, "--config", "study=paper_rates", "--", "study")
    plan = shown.stdout + shown.stderr
    assert "ferbook train configs/paper_rates.yml --run " in plan and "--final" not in plan


def test_synthetic_faces_are_no_study():
    shown = snakemake("--dry-run", "--config", "study=quick", "--", "study")
    assert shown.returncode != 0 and "Give DATA=archive.zip" in shown.stdout + shown.stderr


def test_newer_teachers_are_no_reason_to_train_again(tmp_path):
    """A checkout gives files the times of its writing, and Snakemake deletes what it makes anew."""
    link_sources(tmp_path)
    for age, path in enumerate((TAUGHT, *TEACHERS)):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text("{}")
        os.utime(tmp_path / path, (1e9 + age, 1e9 + age))
    how = ("--dry-run", "--rerun-triggers", "mtime", "params")
    shown = snakemake(*how, "--config", "study=short_ours_changes", "--", TAUGHT, cwd=tmp_path)
    assert "Nothing to be done" in shown.stdout + shown.stderr


CLUSTERS = {
    "slurm": (),
    "kubernetes": ("--default-storage-provider", "fs", "--default-storage-prefix", str(ROOT)),
}


@pytest.mark.parametrize("executor", CLUSTERS)
def test_plan_on_a_cluster(executor):
    pytest.importorskip(f"snakemake_executor_plugin_{executor}", reason="needs ferbook[cluster]")
    shown = snakemake(
        "--dry-run", "--forceall", "--executor", executor, "--jobs", "2", *CLUSTERS[executor],
        "--config", "profile=gpu", "data=archive.zip",
    )  # fmt: skip
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "rule 02_training:" in shown.stdout + shown.stderr


def test_missing_data_stops_with_the_reason(tmp_path):
    """Before anything is executed; and a notebook that fails keeps its half-done copy."""
    link_sources(tmp_path)
    (tmp_path / "bad.csv").write_text("emotion,pixels\n")
    for data, reason in (
        ("nowhere.zip", "no file or folder at nowhere.zip"),
        ("bad.csv", "bad.csv"),
    ):
        assert not (tmp_path / "_build/laptop/partial").exists()
        shown = snakemake(
            "--cores", "1", "--config", "profile=laptop", f"data={data}", "--",
            "_build/laptop/executed/01_data.ipynb", cwd=tmp_path,
        )  # fmt: skip
        assert shown.returncode != 0 and reason in shown.stdout + shown.stderr
    assert (tmp_path / "_build/laptop/partial/01_data.ipynb").exists()
    assert not (tmp_path / "_build/laptop/executed/01_data.ipynb").exists()
    assert not (tmp_path / "results").exists()


def test_data_at_another_place_are_no_reason_to_train_again(tmp_path):
    """Snakemake deletes a finished run before it makes it anew."""
    link_sources(tmp_path)
    (tmp_path / TAUGHT).parent.mkdir(parents=True)
    (tmp_path / TAUGHT).write_text("{}")
    for path in TEACHERS:
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text("{}")
    study = "study=short_ours_changes"
    done = snakemake("--touch", "--config", study, "data={a} b.zip", "--", TAUGHT, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    shown = snakemake("--dry-run", "--config", study, "data=c.zip", "--", TAUGHT, cwd=tmp_path)
    assert "Nothing to be done" in shown.stdout + shown.stderr


def test_a_study_without_a_name_says_which_there_are():
    shown = snakemake("--dry-run", "--", "study")
    said = shown.stdout + shown.stderr
    assert shown.returncode == 1 and "STUDY: give one with --config study=NAME" in said
    assert "ours_changes" in said
