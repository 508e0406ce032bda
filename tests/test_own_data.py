"""A data set of one's own, and every command of the page on it."""

import re
import shlex

import numpy as np
import pytest
import yaml
from conftest import ROOT
from PIL import Image
from typer.testing import CliRunner

import ferbook
from ferbook.cli import app
from ferbook.core.classes import CLASSES
from ferbook.data.faces import DataError
from ferbook.inference import own_data
from ferbook.paper.chapters import CHAPTERS

pytestmark = pytest.mark.filterwarnings("ignore:.*FER-2013 has 35,887")
PAGE = (ROOT / "book/your_own.md").read_text()


def put(folder, label, count, start=0):
    """Pictures of several sizes in color, no two alike."""
    (folder / label).mkdir(parents=True, exist_ok=True)
    for i in range(start, start + count):
        random = np.random.default_rng([*label.encode(), i])
        pixels = random.integers(0, 256, (50 + i, 50 + i, 3), np.uint8)
        Image.fromarray(pixels).save(folder / label / f"{i}.png")


@pytest.fixture
def photos(tmp_path):
    for label in CLASSES:
        put(tmp_path / "photos", label.replace("happy", "joy"), 15)
    return tmp_path / "photos"


def test_pixels_are_gray_and_averaged(photos, tmp_path):
    """Each pixel of 48 x 48 is the mean of 2 x 2; gray is 0.299 R + 0.587 G + 0.114 B."""
    block = np.array([[10, 20], [30, 40]], np.uint8)
    Image.fromarray(np.tile(block, (48, 48))).save(photos / "sad/0.png")
    Image.new("RGB", (100, 100), (200, 100, 50)).save(photos / "sad/1.png")
    found = own_data.convert(photos, tmp_path / "mine", renamed={"joy": "happy"})
    faces = ferbook.load(tmp_path / "mine", subset=True)
    assert found.written == len(faces) == 7 * 15 and found.left_out == []
    plain = {int(image[0, 0]) for image in faces.images if image.min() == image.max()}
    assert plain == {25, 124}  # 59.8 + 58.7 + 5.7


def test_a_fifth_of_each_class_is_for_testing(photos, tmp_path):
    for name in ("a", "b"):
        own_data.convert(photos, tmp_path / name, renamed={"joy": "happy"})
    faces, again = (ferbook.load(tmp_path / name, subset=True) for name in ("a", "b"))
    for label in range(7):
        usages = faces.usages[faces.labels == label].tolist()
        assert [usages.count(u) for u in ("Training", "PublicTest", "PrivateTest")] == [12, 2, 1]
    assert faces.fingerprint == again.fingerprint and faces.leaked.sum() == 0


def test_parts_that_are_there_stay(tmp_path):
    for label in CLASSES:
        put(tmp_path / "photos/train", label, 11)
        put(tmp_path / "photos/validation", label, 4, start=11)
    own_data.convert(tmp_path / "photos", tmp_path / "mine")
    faces = ferbook.load(tmp_path / "mine", subset=True)
    assert (faces.usages == "Training").sum() == 7 * 11
    assert (faces.usages == "PublicTest").sum() == 7 * 2


def test_a_target_inside_the_source_is_refused(photos):
    with pytest.raises(DataError, match=r"mine: lies in .*photos"):
        own_data.convert(photos, photos / "mine")
    assert not (photos / "mine").exists()


def test_pictures_to_validate_on_are_no_test_images_beside_others(tmp_path):
    for label in CLASSES:
        for part, count, start in (("train", 8, 0), ("val", 3, 8), ("test", 2, 11)):
            put(tmp_path / "photos" / part, label, count, start=start)
    own_data.convert(tmp_path / "photos", tmp_path / "mine")
    faces = ferbook.load(tmp_path / "mine", subset=True)
    assert (faces.usages == "Training").sum() == 7 * 11
    assert (faces.usages != "Training").sum() == 7 * 2


def test_copies_and_broken_files_are_left_out_and_told(photos, tmp_path):
    (photos / "sad/copy.png").write_bytes((photos / "sad/3.png").read_bytes())
    (photos / "sad/broken.png").write_bytes(b"\x89PNG no picture")
    found = own_data.convert(photos, tmp_path / "mine", renamed={"joy": "happy"})
    assert found.written == 7 * 15
    broken, copy = found.left_out
    assert "broken.png" in broken and "not a readable picture" in broken
    assert copy.endswith("copy.png: a copy of another, pixel by pixel")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({}, "'joy' is no class.*--rename joy=happy"),
        ({"renamed": {"joy": ""}}, "happy has 0 images to train on"),
        ({"renamed": {"joy": "happy"}, "test_share": 0.9}, "angry has 1 images to train on"),
        ({"renamed": {"joy": "smug"}}, "joy is to be renamed: 'smug' is no class"),
        ({"renamed": {"joi": "happy"}}, "no folder joi in it, which is to be renamed"),
        ({"test_share": 1.5}, "test share: expected a fraction"),
        ({"seed": -1}, "seed: expected a whole number from 0 on"),
    ],
)
def test_what_cannot_be_a_data_set_is_told(photos, tmp_path, how, message):
    with pytest.raises(DataError, match=message):
        own_data.convert(photos, tmp_path / "mine", **how)
    assert not (tmp_path / "mine").exists()


def test_what_is_no_picture_is_told_and_clutter_is_not(photos, tmp_path):
    for name in ("a.heic", "b.mp4", "c.jp2", ".git/d.png", "__MACOSX/e.png", "Thumbs.db"):
        (photos / "sad" / name).parent.mkdir(exist_ok=True)
        (photos / "sad" / name).write_bytes(b"\0\0\0\x18ftypheic" if "heic" in name else b"x")
    found = own_data.convert(photos, tmp_path / "mine", renamed={"joy": "happy"})
    told = [line.removeprefix(f"{photos}/sad/") for line in found.left_out]
    assert [line.split(": ")[0] for line in told] == ["b.mp4", "c.jp2", "a.heic"]
    assert "not a picture of BMP" in told[0] and "HEIC is not read" in told[2]
    with pytest.raises(DataError, match=r"happy has 0 .* Left out: .*b\.mp4: not a picture"):
        own_data.convert(photos, tmp_path / "other", renamed={"joy": ""})


def test_a_picture_lies_in_a_folder_that_says_its_class(photos, tmp_path):
    Image.new("L", (60, 60)).save(photos / "loose.png")
    with pytest.raises(DataError, match=r"loose\.png: in no folder that says its class"):
        own_data.convert(photos, tmp_path / "mine", renamed={"joy": "happy"})


def test_a_source_is_a_folder(tmp_path):
    (tmp_path / "a.png").touch()
    with pytest.raises(DataError, match=r"a\.png: not a folder"):
        own_data.convert(tmp_path / "a.png", tmp_path / "mine")


def test_nothing_is_replaced(photos):
    with pytest.raises(DataError, match="is there already"):
        own_data.convert(photos, photos, renamed={"joy": "happy"})


def commands():
    """(command line, what the page shows of its output) in the order of the page."""
    for block in re.findall(r"(?ms)^```console\n(.*?)^```", PAGE):
        for command, shown in re.findall(r"(?m)^\$ ferbook (.+)\n((?:[^$].*\n)*)", block):
            yield shlex.split(command), shown


def test_the_commands_of_the_page_do_what_it_shows(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(photos, "contempt", 2)
    for name, text in re.findall(r"(?ms)^```yaml\n# (\w+\.yml)\n(.*?)^```", PAGE):
        (tmp_path / name).write_text(text)
    assert yaml.safe_load((tmp_path / "mine.yml").read_text())["study"] == "mine"
    told = list(commands())
    assert [command[0] for command, _ in told] == [
        "data",
        "data",
        "data",
        "train",
        "network",
        "audit",
    ]
    for command, shown in told:
        found = CliRunner().invoke(app, command)
        words = [re.escape(part.strip()) for part in " ".join(shown.split()).split("...")]
        assert re.search(".*".join(words), " ".join(found.output.split())), found.output
        assert found.exit_code == (1 if shown.startswith("error") else 0), found.output
    run = ferbook.load_run("my_results/mine/first-tiny-48-s42")
    assert len(run.test.files) == 7 * 3
    assert run.info["dataset"]["name"] == "other" and run.label.endswith("(other data)")


def test_the_page_names_what_is_there():
    for path in re.findall(r"`((?:book|src|notebooks|configs)/[\w/.]+)`", PAGE):
        assert (ROOT / path).exists(), path
    assert "CHAPTERS" in PAGE and "06_claims" in {chapter.name for chapter in CHAPTERS}


def test_a_class_is_named_in_any_case_and_a_linked_folder_is_told(photos, tmp_path):
    own_data.convert(photos, tmp_path / "new", renamed={"joy": "Happy"})
    (photos / "joy").rename(tmp_path / "elsewhere")
    (photos / "happy").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"happy has 0 images .* a link to a folder"):
        own_data.convert(photos, tmp_path / "other")
    with pytest.raises(DataError, match="a link to a folder, which is not followed"):
        ferbook.load(photos, subset=True)
