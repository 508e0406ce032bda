"""The command line as a newcomer meets it."""

import pytest
import yaml
from conftest import ROOT
from typer.testing import CliRunner

from ferbook.cli import app
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
    assert shown.exit_code == 0 and "2,367 of 7,178 right" in shown.output  # if cut off


def test_audit_of_an_accuracy_that_no_test_set_allows(monkeypatch, tmp_path):
    table = tmp_path / "table.yml"
    table.write_text("name: mine\naccuracy: 0.5\ntest_sets: {three: {all: 3}}\n")
    shown = run("audit", str(table), monkeypatch=monkeypatch)
    assert shown.exit_code == 2 and "On no test set possible: mine" in shown.output


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
    assert "not FER-2013" in shown.output and "byte-identical" in shown.output


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


def test_markup_in_names_is_text_on_a_terminal(tmp_path, monkeypatch):
    """A result called like a style of rich, a link of a terminal, a tag."""
    name = "[/red] [bold]x[/] \x1b]8;;http://evil\x07 \u202e <b>"
    published = read_yaml(ROOT / "book/second.yml")
    published["results"][0]["name"] = name
    (tmp_path / "t.yml").write_text(yaml.safe_dump(published))
    shown = run("audit", str(tmp_path / "t.yml"), monkeypatch=monkeypatch)
    assert shown.exit_code in (0, 2) and "[/red] [bold]x[/]" in " ".join(shown.output.split())
    assert "\x1b]8" not in shown.output and "\u202e" not in shown.output
