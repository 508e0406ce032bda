"""From a picture to an answer, with the model that comes with the package."""

import csv
import io
import json
import subprocess
import sys
import threading
import zipfile

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image
from skimage import data as pictures
from typer.testing import CliRunner

from ferbook.cli import app
from ferbook.core.classes import CLASSES
from ferbook.inference import classifier, gathering, media
from ferbook.inference import face as inference_face
from ferbook.results import store


def run(*arguments):
    return CliRunner().invoke(app, ["predict", *map(str, arguments)])


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    """Eileen Collins, NASA, public domain, as scikit-image ships it: one smiling face."""
    path = tmp_path_factory.mktemp("photo") / "astronaut.png"
    Image.fromarray(pictures.astronaut()).save(path)
    return path


def test_a_smile_is_found_and_called_happy(photo, tmp_path):
    shown = run(photo, "--json", tmp_path / "a.json", "--csv", tmp_path / "a.csv",
                "--annotate", tmp_path / "marked")  # fmt: skip
    assert shown.exit_code == 0, shown.output
    report = json.loads((tmp_path / "a.json").read_text())
    (face,) = report["faces"]
    left, top, width, height = face["box"]
    assert 150 < left + width / 2 < 300 and 50 < top + height / 2 < 200
    assert face["expression"] == "happy" and list(face["probabilities"]) == list(CLASSES)
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    (row,) = csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text()))
    assert row["expression"] == "happy" and float(row["happy"]) == face["probabilities"]["happy"]
    marked = np.asarray(Image.open(tmp_path / "marked/astronaut.png"))
    assert (marked != pictures.astronaut()).any() and marked.shape == (512, 512, 3)


def test_a_terminal_of_80_columns_shows_the_answer(photo, monkeypatch):
    monkeypatch.chdir(photo.parent)
    shown = run("astronaut.png")
    assert shown.exit_code == 0 and "happy" in shown.output and "1 face" in shown.output
    rows = [line.rstrip() for line in shown.output.splitlines() if "astronaut" in line]
    assert len(rows) == 1 and len(rows[0]) <= 80


def test_two_faces_in_one_picture(tmp_path):
    face = pictures.astronaut()
    Image.fromarray(np.hstack([face, face])).save(tmp_path / "two.jpg")
    shown = run(tmp_path / "two.jpg", "--json", tmp_path / "a.json")
    assert shown.exit_code == 0
    assert len(json.loads((tmp_path / "a.json").read_text())["faces"]) == 2


def test_images_of_the_archive(archive, tmp_path):
    """A folder cut from the archive: the accuracy that the card states, image by image."""
    released = json.loads((classifier.RELEASED / "card.json").read_text())
    with zipfile.ZipFile(archive) as zipped:
        names = sorted(n for n in zipped.namelist() if n.startswith("test/"))[::40]
        zipped.extractall(tmp_path, names)
    shown = run(tmp_path / "test", "--json", tmp_path / "a.json")
    assert shown.exit_code == 0, shown.output
    faces = json.loads((tmp_path / "a.json").read_text())["faces"]
    assert len(faces) == len(names) == 180
    right = np.mean([face["expression"] == face["source"].split("/")[-2] for face in faces])
    card = released["files"]["model-int8.onnx"]
    assert right == pytest.approx(card["correct"] / card["total"], abs=0.1)
    study, name = released["run"].split("/")
    answers = store.load_run(ROOT / "results" / study / name).test
    stored = dict(zip(answers.files, answers.probabilities.argmax(axis=1), strict=True))
    same = [CLASSES[stored[n]] == f["expression"] for n, f in zip(names, faces, strict=True)]
    assert np.mean(same) > 0.8


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "empty"), (b"\x89PNG\r\n\x1a\nbroken", "not a readable picture")],
)
def test_broken_pictures_are_named_and_the_rest_is_answered(photo, tmp_path, content, message):
    (tmp_path / "broken.png").write_bytes(content)
    shown = run(tmp_path / "broken.png", photo, "--json", tmp_path / "a.json")
    assert shown.exit_code == 1
    assert "broken.png" in shown.output and message in shown.output
    assert len(json.loads((tmp_path / "a.json").read_text())["faces"]) == 1


def test_no_face_is_said_and_is_no_error(tmp_path):
    Image.new("L", (300, 200), 128).save(tmp_path / "gray.png")
    shown = run(tmp_path / "gray.png")
    assert shown.exit_code == 0 and "no face: " in shown.output


@pytest.mark.parametrize(
    ("name", "message"),
    [("nowhere.png", "no such file or folder"), ("empty", "no picture or video in this folder"),
     ("camera:x", "expected camera:0"), ("false.mp4", "no video to be read")],
)  # fmt: skip
def test_errors_are_one_line(tmp_path, name, message, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "false.mp4").write_bytes(b"no video")
    shown = run(name)
    assert shown.exit_code == 1
    assert message in " ".join(shown.output.split()) and "Traceback" not in shown.output


def test_a_report_that_cannot_be_written_is_refused_before_the_work(photo, tmp_path, monkeypatch):
    monkeypatch.setattr(gathering, "Classifier", None)  # nothing may be looked at
    shown = run(photo, "--json", tmp_path / "nowhere" / "a.json")
    assert shown.exit_code == 1 and "there is no folder" in shown.output


def test_a_missing_camera_is_said_in_plain_words():
    with pytest.raises(inference_face.InputError, match="camera:77: it gives no picture"):
        next(media.frames(77))


def test_order_is_kept_when_pictures_are_read_ahead(tmp_path):
    """More pictures than are read ahead, two of them broken, and a missing face between."""
    images = np.random.default_rng(0).integers(0, 256, (40, 6, 6), np.uint8)
    images = images.repeat(8, axis=1).repeat(8, axis=2)
    for i, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{i:02d}.png")
    (tmp_path / "07.png").write_bytes(b"broken")
    Image.new("L", (300, 200), 128).save(tmp_path / "30.png")
    (tmp_path / "39.png").write_bytes(b"")
    found = gathering.gather([str(tmp_path)])
    seen = [int(face.source[-6:-4]) for face in found.faces]
    assert seen == [i for i in range(40) if i not in (7, 30, 39)]
    assert [p.split(":")[0][-6:] for p in found.problems] == ["07.png", "39.png"]
    assert [e[-6:] for e in found.empty] == ["30.png"]
    answers = classifier.Classifier().probabilities(images[seen])
    shown = np.array([list(face.probabilities.values()) for face in found.faces])
    nearest = np.abs(shown[:, None] - answers).max(axis=2).argmin(axis=1)
    np.testing.assert_array_equal(nearest, np.arange(len(seen)))


def test_threads_that_read_ahead_end_with_the_call(tmp_path):
    """Not when garbage is collected: that may be amid the start of a thread, and waits forever."""
    for i in range(20):
        Image.new("L", (48, 48), 6 * i).save(tmp_path / f"{i:02d}.png")
    started, calls = set(threading.enumerate()), iter([False, True, None])

    def stop():  # after one picture, and then with an error
        if (answer := next(calls, None)) is None:
            raise RuntimeError
        return answer

    with pytest.raises(RuntimeError) as kept:  # its frames hold all that was in use
        gathering.gather(tmp_path, stop=stop)
    assert kept.value.__traceback__ and set(threading.enumerate()) <= started


def test_a_file_that_is_no_model_is_refused(photo, tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"not a model")
    shown = run(photo, "--model", tmp_path / "m.onnx")
    assert shown.exit_code == 1 and "not a model exported by ferbook" in shown.output


def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path, monkeypatch):
    Image.new("L", (300, 200)).save(tmp_path / "large.png")
    monkeypatch.setattr(media, "MAX_PIXELS", 50_000)
    with pytest.raises(inference_face.InputError, match="million pixels"):
        media.read_picture(tmp_path / "large.png")


def test_predicting_leaves_tensorflow_out(photo):
    code = (
        "import sys; from ferbook.inference import gathering; "
        f"found = gathering.gather([{str(photo)!r}]); assert len(found.faces) == 1; "
        "print([m for m in ('tensorflow', 'keras', 'torch') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
