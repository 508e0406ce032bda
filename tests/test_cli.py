"""The command line as a newcomer meets it."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from importlib.metadata import version

import pandas as pd
import pytest
import yaml
from conftest import ROOT
from typer.testing import CliRunner

from ferbook.cli import app, output
from ferbook.core.structured import read_yaml
from ferbook.data import splits


def run(*arguments, monkeypatch):
    monkeypatch.chdir(ROOT)
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_names_every_command(monkeypatch, option):
    shown = run(option, monkeypatch=monkeypatch)
    names = {command.name for command in app.registered_commands} | {"data"}
    assert shown.exit_code == 0 and names <= {*re.findall(r"[\w-]+", shown.output)}
    assert {"predict", "any-size", "verify", "train"} <= names


def test_the_version_is_that_of_the_package(monkeypatch):
    shown = run("--version", monkeypatch=monkeypatch)
    assert shown.output == f"ferbook {version('ferbook')}\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="of Linux")
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["data", "check", "synthetic"]])
def test_a_full_disk_under_what_is_printed_is_told_in_one_line(arguments):
    command = [sys.executable, "-m", "ferbook", *arguments]
    with open("/dev/full", "w") as full:
        shown = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert shown.returncode == 1
    (line,) = shown.stderr.splitlines()
    assert line.startswith("error: ") and "No space left on device" in line


def test_runs_are_listed_by_their_folders(monkeypatch, tmp_path):
    shown = run("runs", monkeypatch=monkeypatch)
    folders = {path.parent for path in (ROOT / "results").glob("*/*/run.json")}
    lines = [line.split() for line in shown.output.splitlines()]
    rows = {line[1] for line in lines if len(line) > 1 and "/" in line[1]}
    assert rows == {f"{folder.parent.name}/{folder.name}" for folder in folders}
    shown = run("runs", "--csv", str(tmp_path / "runs.csv"), monkeypatch=monkeypatch)
    frame = pd.read_csv(tmp_path / "runs.csv")
    assert shown.output == "" and set(frame["run"]) == rows and "images seen" in frame
    shown = run("runs", "--csv", "-", monkeypatch=monkeypatch)
    assert shown.output == (tmp_path / "runs.csv").read_text()


def test_claims_prints_the_ledger(monkeypatch):
    shown = run("claims", monkeypatch=monkeypatch)
    assert shown.exit_code == 0, shown.output
    assert "parameters-total" in shown.output and "contradicted" in shown.output


def test_audit_of_both_examples(monkeypatch):
    shown = run("audit", "book/original.yml", monkeypatch=monkeypatch)
    assert shown.exit_code == 0 and "4,937 of 7,178 right" in shown.output
    shown = run("audit", "book/second.yml", monkeypatch=monkeypatch)
    assert shown.exit_code == 0 and "2,367 of 7,178 right" in shown.output  # if truncated
    assert "nan" not in shown.output.split()


def test_audit_of_an_accuracy_that_no_test_set_allows(monkeypatch, tmp_path):
    table = tmp_path / "table.yml"
    table.write_text("name: mine\naccuracy: 0.5\ntest_sets: {three: {all: 3}}\n")
    shown = run("audit", str(table), monkeypatch=monkeypatch)
    assert shown.exit_code == 2 and "On no test set possible: mine" in shown.output
    assert "accuracy is taken as printed to 0.0001, which no number here needs" in shown.output
    table.write_text(table.read_text() + "printed_to: {accuracy: 0.1}\n")
    shown = run("audit", str(table), monkeypatch=monkeypatch)
    assert shown.exit_code == 2 and "note:" not in shown.output
    table.write_text("accuracy: 0.5\ntest_sets: {three: {all: 3}}\n")
    shown = run("audit", str(table), monkeypatch=monkeypatch)
    assert "On no test set possible: table" in shown.output  # by the name of the file


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("overall: {precision: 0.5}\n", "no number in it can be checked"),
        ("accuracy: 0.5\ntest_sets: {}\n", "test_sets: expected 1 to"),
    ],
)
def test_a_table_that_cannot_be_checked_is_no_traceback(monkeypatch, tmp_path, content, message):
    table = tmp_path / "table.yml"
    table.write_text(content)
    shown = run("audit", str(table), monkeypatch=monkeypatch)
    assert shown.exit_code == 1 and message in shown.output


def test_no_device_or_pipe_is_replaced(monkeypatch, tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "printed.csv").symlink_to("/dev/stdout")
    for name in ("pipe.csv", "printed.csv"):
        shown = run("runs", "--csv", str(tmp_path / name), monkeypatch=monkeypatch)
        assert shown.exit_code == 1 and f"{name}: no file" in shown.output.replace("\n", "")
    assert (tmp_path / "pipe.csv").is_fifo() and (tmp_path / "printed.csv").is_symlink()


def test_options_are_taken_from_home_where_a_shell_does_not(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for name in ("nowhere", "lr=3"):  # a name may hold a sign of equality itself
        shown = run("claims", f"--results=~/{name}", monkeypatch=monkeypatch)
        assert f"{tmp_path / name}: " in shown.output.replace("\n", "")


def test_a_terminal_gets_text_and_nothing_that_steers_it():
    assert output.plain("2\u00a0to\u00a03%") == "2\u00a0to\u00a03%"
    assert output.plain("a.png\nerror: b") == r"a.png\nerror: b"  # a name of a file
    assert output.plain("a\x1b[31m\u202eb") == r"a\x1b[31m\u202eb"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["audit", "nowhere.yml"], "nowhere.yml"),
        (["audit", "README.md"], "not a YAML file"),
        (["claims", "--results", "nowhere"], "nowhere"),
        (["claims", "--results", "book"], "book: no result store"),
        (["claims", "--ledger", "book/original.yml"], "book/original.yml: no ledger of claims"),
        (["claims", "--original", "book/second.yml"], "book/second.yml: expected one result"),
        (["runs", "--results", "book"], "book: no result store"),
        (["export", "results/ours", "--data", "synthetic"], "results/ours: no run"),
        (["verify", "--project", "book"], "book: no checkout of this book"),
        (["verify", "--data", "nowhere.zip"], "no file or folder at nowhere.zip"),
        (["network", "README.md"], "README.md: Not a directory"),
        (["network", "book"], "book: is there already"),
        (
            ["any-size", "README.md"],
            "README.md: is there already, and its name does not",
        ),
        (["runs", "--csv", "README.md"], "README.md: is there already, and its name does not end"),
        (["runs", "--csv", "nowhere/a.csv"], "nowhere/a.csv: there is no folder nowhere"),
        (
            ["train", "configs/leak.yml", "--run", "wrong"],
            "no wrong in configs/leak.yml, which has",
        ),
    ],
)
def test_errors_are_one_line(arguments, message, monkeypatch):
    shown = run(*arguments, monkeypatch=monkeypatch)
    assert shown.exit_code == 1
    assert "error: " in shown.output and message in shown.output
    assert "Traceback" not in shown.output


def test_data_check_of_synthetic_faces_says_so(monkeypatch):
    shown = run("data", "check", "synthetic", monkeypatch=monkeypatch)
    assert shown.exit_code == 0, shown.output
    assert "not FER-2013" in shown.output and "pixel-identical" in shown.output


def test_data_check_of_the_archive(archive, monkeypatch):
    shown = run("data", "check", str(archive), monkeypatch=monkeypatch)
    assert shown.exit_code == 0, shown.output
    assert "as Kaggle distributes it" in shown.output
    assert "training image: 568" in shown.output


@pytest.mark.parametrize(
    ("name", "message"),
    [("nowhere.zip", "no file or folder"), ("empty", "no images"), ("notes.zip", "readable zip")],
)
def test_data_check_of_something_else_is_one_line(tmp_path, name, message, monkeypatch):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.zip").write_text("no zip")
    shown = run("data", "check", str(tmp_path / name), monkeypatch=monkeypatch)
    assert shown.exit_code == 1
    assert message in " ".join(shown.output.split()) and "Traceback" not in shown.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["claims"],
        ["runs"],
        ["verify"],
        ["audit", "book/original.yml"],
        ["train", "configs/laptop.yml"],
        ["export", "results/ours/ours-efficientnet_lite2-96-s42", "--data", "archive.zip"],
        ["any-size", "nowhere/model.onnx"],
        ["data", "check", "archive.zip"],
    ],
)
def test_away_from_a_checkout_each_command_says_where_it_looked(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 1 and "Errno" not in shown.output
    places = ("no checkout", "no file or folder", "there is no folder")
    assert any(place in shown.output for place in places), shown.output


def test_mistyped_names_are_told_before_anything_slow_is_imported(tmp_path):
    code = (
        "import sys; from typer.testing import CliRunner; from ferbook.cli import app; "
        "shown = CliRunner().invoke(app, sys.argv[1:]); assert shown.exit_code == 1, shown.output; "
        "print([m for m in ('pandas', 'scipy', 'tensorflow', 'sklearn') if m in sys.modules])"
    )
    for arguments in (
        ["train", "configs/laptopp.yml"],
        ["data", "check", "nowhere.zip"],
        ["compare", "nowhere.zip"],
        ["predict", "nowhere.png"],
        ["audit", "nowhere.yml"],
        ["export", "results/ours/nowhere", "--data", "nowhere.zip"],
    ):
        command = [sys.executable, "-c", code, *arguments]
        shown = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        assert shown.stdout == "[]\n", (arguments, shown.stdout, shown.stderr)


def test_export_says_what_a_clone_lacks(monkeypatch, tmp_path):
    folder = "results/ours/ours-efficientnet_lite2-96-s42"
    shown = run(
        "export", folder, "--data", "synthetic", "--runs", str(tmp_path), monkeypatch=monkeypatch
    )
    as_listed = folder.removeprefix("results/")  # by ferbook runs
    again = run(
        "export", as_listed, "--data", "synthetic", "--runs", str(tmp_path), monkeypatch=monkeypatch
    )
    assert again.output == shown.output
    words = " ".join(shown.output.split())
    assert shown.exit_code == 1 and "best.npz: no weights there" in words
    assert "ferbook train" in words and "--weights" in words


def test_a_subset_is_taken_when_it_is_said_to_be_one(tmp_path, monkeypatch, faces):
    from PIL import Image

    for file, image in zip(faces.files, faces.images, strict=True):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(tmp_path / file, format="PNG")
    shown = run("data", "check", str(tmp_path), monkeypatch=monkeypatch)
    assert shown.exit_code == 1 and "--subset" in shown.output
    shown = run("data", "check", str(tmp_path), "--subset", monkeypatch=monkeypatch)
    assert shown.exit_code == 0 and "300 images" in shown.output


def test_control_characters_and_markup_of_others_are_text(capsys):
    output.print_rows(["[/z]", "b"], [["[bold]x", "\x1b[31mred\x07"]], "a [/title] \x1b[2J")
    shown = capsys.readouterr().out
    assert "\x1b" not in shown and "\x07" not in shown
    for text in ("[/z]", "[bold]x", "x1b[31mred", "a [/title]"):
        assert text in shown


def test_a_mistyped_profile_is_told_with_the_known_ones():
    command = [sys.executable, "-m", "snakemake", "--nolock", "--dry-run", "--cores", "1"]
    shown = subprocess.run(
        [*command, "--config", "profile=laptopp"], capture_output=True, text=True, cwd=ROOT
    )
    assert shown.returncode != 0
    assert "no configs/laptopp.yml. Known: gpu" in shown.stdout + shown.stderr
    for given, words in (
        ("profile=ours_changes", "configs/ours_changes.yml is a grid"),
        ("study=nope", "STUDY: there is no configs/nope.yml. Known: gpu"),
    ):
        shown = subprocess.run(
            [*command, "--config", given], capture_output=True, text=True, cwd=ROOT
        )
        assert shown.returncode != 0 and words in shown.stdout + shown.stderr


def test_markup_in_names_is_text_on_a_terminal(tmp_path, monkeypatch):
    """A result called like a style of rich, a link of a terminal, a tag."""
    name = "[/red] [bold]x[/] \x1b]8;;http://evil\x07 \u202e <b>"
    published = read_yaml(ROOT / "book/second.yml")
    published["results"][0]["name"] = name
    (tmp_path / "t.yml").write_text(yaml.safe_dump(published))
    shown = run("audit", str(tmp_path / "t.yml"), monkeypatch=monkeypatch)
    assert shown.exit_code in (0, 2) and "[/red] [bold]x[/]" in " ".join(shown.output.split())
    assert "\x1b]8" not in shown.output and "\u202e" not in shown.output


@pytest.mark.parametrize(
    "command", [("compare", "synthetic", "--only", "hog"), ("train", "configs/quick.yml")]
)
def test_a_result_store_has_one_data_set(command, monkeypatch, tmp_path):
    about = {"name": "fer2013", "leaked_files": [], "duplicate_groups": []}
    (tmp_path / "dataset.json").write_text(json.dumps(about))
    shown = run(*command, "--results", str(tmp_path), monkeypatch=monkeypatch)
    message = "holds results on fer2013, and these would be on synthetic. Give another"
    assert shown.exit_code == 1 and message in shown.output.replace("\n", " ")
    assert [path.name for path in tmp_path.iterdir()] == ["dataset.json"]


@pytest.mark.parametrize(
    ("missing", "said"),
    [("onnx", "needs onnx: pip install '.[export]'"), ("tensorflow", "needs TensorFlow"),
     ("", "ten crops are of this run, which is not there")],
)  # fmt: skip
def test_what_a_comparison_takes_is_looked_for_first(missing, said, monkeypatch, tmp_path):
    monkeypatch.setattr(splits, "split", lambda *_: pytest.fail("something slow was begun"))
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == missing else found(name, *a)
    )
    shown = run("compare", "synthetic", "--results", str(tmp_path), monkeypatch=monkeypatch)
    assert shown.exit_code == 1 and said in shown.output.replace("\n", " ")
