"""Where a checkout may lie and what it may be opened with: line endings, Binder, dev containers."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT
from typer.testing import CliRunner

from ferbook.cli import app
from ferbook.core.parameters import defaults
from ferbook.results import manifest


def test_files_that_differ_in_line_endings_alone_are_told_so(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"x\ny\n")
    manifest.renew(tmp_path)
    (tmp_path / "a.csv").write_bytes(b"x\r\ny\r\n")
    (found,) = manifest.check(tmp_path)
    assert found.startswith("altered in its line endings alone (git config core.autocrlf false")
    (tmp_path / "a.csv").write_bytes(b"x\r\nz\r\n")
    assert list(manifest.check(tmp_path)) == ["altered: a.csv"]
    (tmp_path / "two\nlines").touch()
    with pytest.raises(manifest.ManifestError, match="a file's name has a line break"):
        manifest.renew(tmp_path)


def test_git_converts_no_line_ending(tmp_path):
    """A clone with core.autocrlf, as Git for Windows sets it, has the bytes of the manifest."""
    if shutil.which("git") is None:
        pytest.skip("no git")
    (tmp_path / "a").mkdir()
    shutil.copy(ROOT / ".gitattributes", tmp_path / "a")
    (tmp_path / "a/run.json").write_bytes(b'{\n "x": 1\n}\n')
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=tmp_path / "a", check=True)
    clone = ["git", "clone", "-q", "-c", "core.autocrlf=true", "a", "b"]
    subprocess.run(clone, cwd=tmp_path, check=True)
    assert b"\r" not in (tmp_path / "b/run.json").read_bytes()


def versions(lock):
    text = (ROOT / lock).read_text()
    return dict(re.findall(r"(?m)^([\w.-]+)==([^ ;\\]+)", text))


def test_the_four_locks_agree_and_differ_in_what_they_are_for():
    kinds = ("", "-gpu", "-read", "-book")
    full, gpu, read, book = (versions(f"requirements{kind}.lock") for kind in kinds)
    assert {name: full[name] for name in read} == read
    assert {name: read[name] for name in book} == book
    assert not read.keys() & {"opencv-python-headless", "onnxruntime", "kagglehub"}
    assert not book.keys() & {"scipy", "scikit-learn", "onnxruntime", "matplotlib", "jupyterlab"}
    assert {name: gpu[name] for name in full} == full
    assert "tensorflow" not in read and "tensorflow" in full
    extra = gpu.keys() - full.keys()
    assert "nvidia-cudnn-cu12" in extra and all(name.startswith("nvidia-") for name in extra)


def test_every_package_of_every_lock_has_a_hash():
    for lock in ("requirements-gpu.lock", "requirements-read.lock", "requirements-book.lock"):
        entries = (ROOT / lock).read_text().replace("\\\n", " ").splitlines()
        assert all("--hash=sha256:" in entry for entry in entries if "==" in entry)


# Imported and carried out as `make book` does, where nothing else is installed.
RENDER = """
import sys
sys.modules |= dict.fromkeys(sys.argv[1].split(","))
sys.path.insert(0, ".")  # as the Snakefile does
from pathlib import Path
from benchmarks import runner
from ferbook.core import lock
from ferbook.paper import chapters, freshness, staging, steps, try_it
from ferbook.results import study
target = Path(sys.argv[2])
staging.stage(Path("book/executed"), target)
try_it.shutil.which = lambda _: None  # no npm
try_it.add(target / try_it.PAGE, project=Path(sys.argv[2]).parent)
"""


def test_the_book_is_rendered_with_what_its_lock_holds(tmp_path):
    """Every package that a module of ferbook imports and that this lock leaves out is hidden."""
    hidden = ("scipy", "sklearn", "statsmodels", "cv2", "matplotlib", "seaborn", "onnxruntime",
              "skimage", "cleanlab", "kagglehub", "mlscorecheck", "typer", "keras")  # fmt: skip
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / name, tmp_path)
    command = [sys.executable, "-c", RENDER, ",".join(hidden), str(tmp_path / "source")]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr[-3000:]


def test_binder_and_the_dev_container_install_the_light_lock():
    assert "-r ../requirements-read.lock" in (ROOT / "binder/requirements.txt").read_text()
    assert (ROOT / "binder/postBuild").stat().st_mode & 0o111
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    assert container["postCreateCommand"] == "make .venv/ready-read"


def test_make_help_names_every_target():
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    text = (ROOT / "Makefile").read_text()
    named = re.findall(r"(?m)^([a-z]+):.*## (.+)$", text)
    assert len(named) > 15
    for target, purpose in named:
        assert re.search(rf"(?m)^{target} +{re.escape(purpose)}$", shown.stdout), target
    (phony,) = re.findall(r"(?ms)^\.PHONY: (.*?)\n(?:\n|\Z)", text + "\n")
    assert set(phony.replace("\\", "").split()) == {target for target, _ in named}


PAGE = (ROOT / "book/run_and_edit.md").read_text()


def test_the_page_names_targets_and_options_that_exist():
    targets = set(re.findall(r"\bmake ([a-z]+)\b", PAGE))
    text = (ROOT / "Makefile").read_text()
    assert {"paper", "lab", "publish", "book", "manifest", "verify"} <= targets
    assert all(re.search(rf"(?m)^{target}:", text) for target in targets)
    runner = CliRunner()
    for command, options in (("device", ["--memory"]), ("train", ["--allow-cpu", "--weights"])):
        shown = runner.invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
        assert all(option in shown and option in PAGE for option in options)


def test_the_page_s_own_recipe_is_known_to_the_notebook():
    """`-p finetune_epochs 2 -r name mine` beside a configuration, as the page has it."""
    (line,) = re.findall(r"papermill notebooks/02_training\.ipynb out\.ipynb \\\n(.+)", PAGE)
    names = re.findall(r"-[pr] (\w+)", line)
    assert names == ["config", "finetune_epochs", "name"]
    assert set(names) <= defaults(ROOT / "notebooks/02_training.py").keys()


def test_without_tensorflow_the_commands_that_need_it_say_so(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("ferbook.training")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "keras", None)  # as if it were not installed
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    shown = CliRunner().invoke(app, ["device", str(ROOT / "configs/quick.yml")])
    assert shown.exit_code == 1
    assert (
        shown.output == "error: needs TensorFlow: pip install '.[train]' in a checkout, or [gpu].\n"
    )


@pytest.mark.parametrize(
    ("marker", "arguments", "anew"),
    [("ready-gpu", [], False), ("ready", [], False), ("ready", ["GPU=1"], True)],
)
def test_what_was_installed_for_a_gpu_is_left_for_what_needs_none(
    tmp_path, marker, arguments, anew
):
    (tmp_path / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    names = "requirements.lock", "requirements-gpu.lock", "pyproject.toml", f".venv/{marker}"
    (tmp_path / ".venv").mkdir()
    for time, name in enumerate(names):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time, time))
    command = ["make", "--dry-run", "manifest", *arguments]
    here = {k: v for k, v in os.environ.items() if k not in ("GPU", "MAKEFLAGS", "MAKEOVERRIDES")}
    shown = subprocess.run(
        command, cwd=tmp_path, env=here, capture_output=True, text=True, check=True
    )
    assert ("uv pip" in shown.stdout) == anew, shown.stdout
