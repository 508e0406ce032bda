"""The command line as a newcomer meets it."""

import subprocess
import sys

import pytest
import yaml
from conftest import ROOT
from typer.testing import CliRunner

from ferbook.cli import app, output
from ferbook.core.files import read_yaml


def run(*arguments, monkeypatch):
    monkeypatch.chdir(ROOT)
    return CliRunner().invoke(app, list(arguments))


def test_help_names_every_command(monkeypatch):
    shown = run("--help", monkeypatch=monkeypatch)
    assert shown.exit_code == 0 and "claims" in shown.output and "audit" in shown.output


def test_claims_prints_the_ledger(monkeypatch):
    shown = run("claims", monkeypatch=monkeypatch)
    assert shown.exit_code == 0, shown.output
    assert "parameters-total" in shown.output and "contradicted" in shown.output


def test_audit_of_both_examples(monkeypatch):
    shown = run("audit", "book/original.yml", monkeypatch=monkeypatch)
    assert shown.exit_code == 0 and "4,937 of 7,178 right" in shown.output
    shown = run("audit", "book/second.yml", monkeypatch=monkeypatch)
    assert shown.exit_code == 0 and "2,367 of 7,178 right" in shown.output  # if truncated


def test_audit_of_an_accuracy_that_no_test_set_allows(monkeypatch, tmp_path):
    table = tmp_path / "table.yml"
    table.write_text("name: mine\naccuracy: 0.5\ntest_sets: {three: {all: 3}}\n")
    shown = run("audit", str(table), monkeypatch=monkeypatch)
    assert shown.exit_code == 2 and "On no test set possible: mine" in shown.output


def test_options_are_taken_from_home_where_a_shell_does_not(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    shown = run("claims", "--results=~/nowhere", monkeypatch=monkeypatch)
    assert f"{tmp_path / 'nowhere'}: " in shown.output.replace("\n", "")


def test_a_terminal_gets_text_and_nothing_that_steers_it():
    assert output.plain("2\u00a0to\u00a03%\n") == "2\u00a0to\u00a03%\n"
    assert output.plain("a\x1b[31m\u202eb") == r"a\x1b[31m\u202eb"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["audit", "nowhere.yml"], "nowhere.yml"),
        (["audit", "README.md"], "not a YAML file"),
        (["claims", "--results", "nowhere"], "nowhere"),
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
    places = ("no checkout", "no file or folder", "folder that exists")
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


def test_markup_in_names_is_text_on_a_terminal(tmp_path, monkeypatch):
    """A result called like a style of rich, a link of a terminal, a tag."""
    name = "[/red] [bold]x[/] \x1b]8;;http://evil\x07 \u202e <b>"
    published = read_yaml(ROOT / "book/second.yml")
    published["results"][0]["name"] = name
    (tmp_path / "t.yml").write_text(yaml.safe_dump(published))
    shown = run("audit", str(tmp_path / "t.yml"), monkeypatch=monkeypatch)
    assert shown.exit_code in (0, 2) and "[/red] [bold]x[/]" in " ".join(shown.output.split())
    assert "\x1b]8" not in shown.output and "\u202e" not in shown.output
