"""Where ferbook works: from a wheel in an empty folder, and in a checkout that others unpacked."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from conftest import OFFLINE, ROOT

# Carries out one command line a line of its input, in one process: each start costs seconds.
# What the package itself does not bring is hidden.
COMMANDS = """
import json, sys
sys.modules |= dict.fromkeys(("tensorflow", "keras", "onnx", "snakemake", "jupyter_book"))
import ferbook
from ferbook.cli import app
from typer.testing import CliRunner
for line in sys.stdin.read().splitlines():
    shown = CliRunner().invoke(app, json.loads(line))
    print(json.dumps([shown.exit_code, shown.output or repr(shown.exception)]))
print(json.dumps(ferbook.__file__))
"""


def carry_out(commands, *, cwd, source, command=(sys.executable,), **environment):
    """(status, output) of each of `commands`, told to the ferbook in the folder `source`."""
    places = os.pathsep.join([OFFLINE, str(source)])
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    shown = subprocess.run(
        [*command, "-c", COMMANDS], cwd=cwd, capture_output=True, text=True,
        input="\n".join(map(json.dumps, commands)),
        env=kept | {"PYTHONPATH": places, "PYTHONDONTWRITEBYTECODE": "1"} | environment,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr[-3000:]
    *answers, place = map(json.loads, shown.stdout.splitlines())
    assert place.startswith(str(source)), "another ferbook answered"
    return [tuple(answer) for answer in answers]


@pytest.fixture(scope="module")
def picture(tmp_path_factory, faces):
    from PIL import Image

    path = tmp_path_factory.mktemp("pictures") / "face.png"
    Image.fromarray(faces.images[0]).save(path)
    return str(path)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder into which the wheel of this checkout was installed."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    shutil.unpack_archive(wheel, folder / "site", "zip")  # which is what an installer does
    return folder / "site"


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_package_and_its_notebooks(installed):
    package = contents(installed / "ferbook")
    notebooks = {f"notebooks/{name}": text for name, text in contents(ROOT / "notebooks").items()
                 if not name.startswith(".")}  # fmt: skip
    assert package == contents(ROOT / "src/ferbook") | notebooks
    assert "notebooks/03_results.py" in package and "data/official.csv.gz" in package


TABLE = "name: mine\naccuracy: 0.5\ntest_sets: {three: {all: 3}}\n"
NEEDS_CHECKOUT = (["claims"], ["runs"], ["verify"], ["audit", "book/original.yml"],
                  ["train", "configs/quick.yml"])  # fmt: skip


def test_from_a_wheel_in_an_empty_folder(installed, tmp_path, picture):
    """What promises to work does; what needs the checkout, or an extra, says so in one line."""
    (tmp_path / "mine.yml").write_text(TABLE)
    promised = (["--help"], ["predict", picture], ["audit", "mine.yml"],
                ["data", "check", "synthetic"], ["any-size", "model.onnx"])  # fmt: skip
    answers = carry_out((*promised, *NEEDS_CHECKOUT), cwd=tmp_path, source=installed)
    expected = ((0, "Usage"), (0, "it looks"), (2, "On no test set possible"),
                (0, "not FER-2013"), (1, "pip install '.[export]'"))  # fmt: skip
    for (status, output), (wanted, words) in zip(answers[:5], expected, strict=True):
        assert status == wanted and words in output, output
    for status, output in answers[5:]:
        assert status == 1 and output.count("\n") == 1, output
        assert output.startswith("error: ") and "no checkout of" in output
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yml"]


# Another user, who may read everything and write nothing; permissions alone stop no root.
STRANGER = (
    "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=+dac_read_search",
    "--ambient-caps=+dac_read_search",
)  # fmt: skip


def as_stranger():
    """The start of a command that another user carries out; empty where that cannot be."""
    setpriv = shutil.which("setpriv")
    if setpriv is None or os.getuid() != 0:
        return ()
    start = (setpriv, *STRANGER)
    return start if subprocess.run([*start, "true"], check=False).returncode == 0 else ()


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The checkout as GitHub's "Download ZIP" gives it, in a path with spaces, read-only."""
    place = tmp_path_factory.mktemp("a folder with spaces") / "ferbook-main"
    left = (".*", "_build", "runs", "exports", "__pycache__", "node_modules", "archive.zip")
    shutil.copytree(ROOT, place, ignore=shutil.ignore_patterns(*left))
    folders = [place, *(path for path in place.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    yield place
    for folder in folders:
        folder.chmod(0o755)


def test_in_an_unpacked_checkout_that_may_only_be_read(unpacked, picture):
    """Without .git, git and npm, as another user without a home, under LC_ALL=C."""
    before = contents(unpacked)
    commands = (["claims"], ["runs"], ["audit", "book/original.yml"], ["predict", picture],
                ["data", "check", "synthetic"], ["train", "configs/quick.yml"])  # fmt: skip
    command = (*as_stranger(), sys.executable)
    hostile = {"LC_ALL": "C", "PYTHONUTF8": "0", "PATH": "/nowhere", "HOME": "/nowhere"}
    *answers, (status, output) = carry_out(
        commands, cwd=unpacked, source=unpacked / "src", command=command, **hostile
    )
    expected = ("parameters-total", "paper_changes/base-efficientnet_lite0-96-s42",
                "4,937 of 7,178", "it looks", "not FER-2013")  # fmt: skip
    for (good, shown), words in zip(answers, expected, strict=True):
        assert good == 0 and words in shown, shown
    assert status == 1 and "needs TensorFlow" in output
    assert contents(unpacked) == before
