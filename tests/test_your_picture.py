"""The page "From your picture to an answer": its commands and its Python are carried out."""

import doctest
import re
import shlex

import cv2
import numpy as np
import pytest
from conftest import ROOT
from PIL import Image
from skimage import data as pictures
from typer.testing import CliRunner

from ferbook.cli import app

PAGE = ROOT / "book/your_picture.md"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """What the page speaks of."""
    monkeypatch.chdir(tmp_path)
    photo = pictures.astronaut()
    (tmp_path / "folder").mkdir()
    for name in ("photo.png", "folder/a.png", "folder/b.jpg"):
        Image.fromarray(photo).save(name)
    Image.fromarray(np.full((120, 200), 128, np.uint8)).save("blank.png")
    video = cv2.VideoWriter("clip.avi", cv2.VideoWriter_fourcc(*"MJPG"), 5, (512, 512))
    for _ in range(6):
        video.write(np.ascontiguousarray(photo[..., ::-1]))
    video.release()
    return tmp_path


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)


def test_its_python_runs(folder):
    text = "\n".join(blocks("pycon"))
    test = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), 0)
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(test)
    assert runner.failures == 0 and runner.tries >= 10


def test_its_commands_run(folder):
    checker, ran = doctest.OutputChecker(), 0
    for command, expected in re.findall(
        r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", "".join(blocks("console")), re.M
    ):
        program, *arguments = shlex.split(command)
        shown = CliRunner().invoke(app, arguments)
        assert program == "ferbook" and shown.exit_code == int("error" in expected), shown.output
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        assert not expected or checker.check_output(expected, shown.output, flags), shown.output
        ran += 1
    assert ran == 6
    assert (folder / "marked/clip.avi.mp4").exists() and (folder / "video.json").exists()
    assert (folder / "marked/photo.png").exists() and (folder / "answers.csv").exists()
