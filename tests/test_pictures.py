"""Pictures as people have them: every kind of pixels, names, turns, and files that are damaged."""

import errno
import io
import itertools
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import GifImagePlugin, Image, PngImagePlugin, TiffImagePlugin
from skimage import data as pictures
from typer.testing import CliRunner

from ferbook.cli import app
from ferbook.core import writing
from ferbook.inference import classifier, collecting, detector, formats, marking, media, pixels
from ferbook.inference import report as reports
from ferbook.inference.classifier import Classifier
from ferbook.inference.face import InputError
from ferbook.inference.gathering import gather

ASTRONAUT = pictures.astronaut()  # Eileen Collins, NASA, public domain
FACE = np.ascontiguousarray(ASTRONAUT[70:160, 180:270])  # it fills the picture
GRAY = np.asarray(Image.fromarray(ASTRONAUT).convert("L"))


def run(*arguments):
    return CliRunner().invoke(app, ["predict", *map(str, arguments)])


def saved(path, array=ASTRONAUT, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return path


def started(code, *arguments, **options):
    """A fresh process: what a test has imported hides what a first import does."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, **options)


def test_two_photos_are_answered_in_every_fresh_process(tmp_path):
    """The first import of OpenCV in two threads at once failed in about half of all runs."""
    photos = [saved(tmp_path / f"{i}.png") for i in range(2)]
    code = (
        "import sys; from ferbook.inference.gathering import gather; found = gather(sys.argv[1:]); "
        "print(len(found.faces), found.problems)"
    )
    for _ in range(int(os.environ.get("FERBOOK_REPEAT", 3))):  # 3 would miss it once in 8
        shown = started(code, *photos)
        assert shown.stdout == "2 []\n", shown.stderr


def test_native_packages_are_imported_before_any_thread_starts():
    code = "import sys, ferbook.inference.gathering; print('cv2' in sys.modules)"
    assert started(code).stdout == "True\n"


# One bad item


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(tmp_path, orientation):
    array = np.asarray(Image.fromarray(ASTRONAUT[:200]))
    back = {5: 5, 6: 8, 7: 7, 8: 6}.get(orientation, orientation)
    turned = array if orientation == 1 else np.asarray(
        Image.fromarray(array).transpose(pixels._TURNS[back])
    )  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(turned).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(np.asarray(media.read_picture(tmp_path / "a.png")), array)


@pytest.mark.parametrize(
    "array", [np.dstack([FACE, np.full((90, 90), 255, np.uint8)]), FACE[..., 0] * np.uint16(257)]
)
def test_transparent_and_sixteen_bit_pictures_are_turned_too(tmp_path, array):
    exif = Image.Exif()
    exif[0x0112] = 6  # stored a quarter turn counterclockwise
    saved(tmp_path / "a.png", np.rot90(array), exif=exif)
    expected = FACE if array.ndim == 3 else np.dstack([FACE[..., 0]] * 3)
    np.testing.assert_array_equal(np.asarray(media.read_picture(tmp_path / "a.png")), expected)


def test_exif_that_cannot_be_written_anew_is_read(tmp_path):
    """Orientation 6, and an XResolution that is a text and not a fraction."""
    turn, resolution = b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0", b"\x01\x1a\0\x02\0\0\0\x04abc\0"
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x02" + turn + resolution + bytes(4)
    found = gather(saved(tmp_path / "phone.jpg", np.rot90(ASTRONAUT), exif=exif))
    assert not found.problems and found.faces[0].expression == "happy"


def test_damaged_exif_never_ends_a_run(tmp_path):
    import random

    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x011A] = 6, "maker", 72.0
    Image.fromarray(ASTRONAUT[::4, ::4]).save(path, exif=exif)
    content, chance = path.read_bytes(), random.Random(0)
    end = content.index(b"\xff\xdb")
    for _ in range(300):
        changed = bytearray(content)
        for _ in range(chance.randint(1, 4)):
            changed[chance.randrange(20, end)] = chance.randrange(256)
        try:
            assert media.decode(bytes(changed), "a.jpg").mode == "RGB"
        except InputError:
            pass


@pytest.mark.parametrize("name", ["[/z].png", "photo [final].png", "[bold]x[/bold].png", "a\\.png"])
def test_names_that_look_like_markup_are_shown_as_they_are(tmp_path, monkeypatch, name):
    saved(tmp_path / name)
    saved(tmp_path / f"empty{name}", np.full((90, 90), 128, np.uint8))
    saved(tmp_path / f"bad{name}").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    shown = run(name, f"empty{name}", f"bad{name}")
    assert shown.exit_code == 1 and "1 face" in shown.output
    for called in (name, f"no face: empty{name}", f"error: bad{name}"):
        assert called in shown.output


def test_a_video_whose_name_looks_like_markup(tmp_path):
    (tmp_path / "[").mkdir()
    path = video(tmp_path / "x.avi", 4).rename(tmp_path / "[/z].avi")
    found = run(path, "--every", 4, "--json", tmp_path / "a.json")
    assert found.exit_code == 0, found.output


def test_names_without_utf8_and_with_control_characters(tmp_path):
    odd = os.fsencode(tmp_path) + b"/caf\xe9\x1b[31m.png"
    os.rename(saved(tmp_path / "a.png"), odd)
    shown = run(tmp_path, "--json", tmp_path / "a.json", "--csv", tmp_path / "a.csv")
    assert shown.exit_code == 0, shown.output
    (face,) = json.loads((tmp_path / "a.json").read_text())["faces"]
    assert face["source"].endswith("caf\\udce9\x1b[31m.png")
    assert "caf\\udce9" in (tmp_path / "a.csv").read_text(encoding="utf-8")
    shown = run(tmp_path)
    assert "\x1b[31m" not in shown.output and "x1b[31m.png" in shown.output


def test_another_code_page_of_the_terminal(tmp_path):
    saved(tmp_path / "żółw.png")
    options = {"PYTHONIOENCODING": "cp437", "PYTHONUTF8": "0"}
    code = "import sys; from ferbook.cli import app; app(['predict', *sys.argv[1:]])"
    shown = started(code, tmp_path, env={**os.environ, **options}, encoding="cp437")
    assert shown.returncode == 0 and "happy" in shown.stdout, shown.stderr
    assert "\\u017c" in shown.stdout


def test_any_failure_of_one_item_leaves_the_others_their_answers(tmp_path, monkeypatch):
    for i in range(3):
        saved(tmp_path / f"{i}.png", FACE[:60, :60])
    read = media.read_picture

    def failing(path):
        if path.name == "1.png":
            raise ZeroDivisionError("a bug of a codec")
        return read(path)

    monkeypatch.setattr("ferbook.inference.gathering.read_picture", failing)
    shown = run(tmp_path, "--json", tmp_path / "a.json")
    report = json.loads((tmp_path / "a.json").read_text())
    assert shown.exit_code == 1 and len(report["faces"]) == 2
    (problem,) = report["problems"]
    assert problem.endswith("1.png: ZeroDivisionError: a bug of a codec")


# Marked copies


def test_a_marked_copy_never_takes_the_place_of_a_source(tmp_path):
    path = saved(tmp_path / "a.png")
    before = path.read_bytes()
    for more in ([], ["--replace"]):
        shown = run(path, "--annotate", tmp_path, *more)
        assert shown.exit_code == 1 and "to be read and to be written" in shown.output
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    assert run(path, "--annotate", tmp_path / "link").exit_code == 1
    assert path.read_bytes() == before


def test_copies_keep_their_relative_paths_and_formats(tmp_path):
    for name in ("a/x.png", "a/x.jpg", "b/x.png", "b/deep/x.gif"):
        saved(tmp_path / "in" / name)
    shown = run(tmp_path / "in", "--annotate", tmp_path / "out")
    assert shown.exit_code == 0, shown.output
    written = sorted(p.relative_to(tmp_path / "out").as_posix()
                     for p in (tmp_path / "out").rglob("*") if p.is_file())  # fmt: skip
    assert written == ["a/x.jpg", "a/x.png", "b/deep/x.gif.png", "b/x.png"]


def test_files_of_one_name_from_two_folders_both_get_a_copy(tmp_path):
    paths = [saved(tmp_path / "in" / name) for name in ("a/x.png", "b/x.png")]
    assert run(*paths, "--annotate", tmp_path / "out").exit_code == 0
    assert (tmp_path / "out/a/x.png").exists() and (tmp_path / "out/b/x.png").exists()


def test_a_copy_stays_inside_its_folder_however_its_source_is_named(tmp_path, monkeypatch):
    paths = [saved(tmp_path / name) for name in ("a.jpg", "in/a.jpg")]
    before = [path.read_bytes() for path in paths]
    monkeypatch.chdir(tmp_path / "in")
    assert run("../a.jpg", "a.jpg", "--annotate", "out", "--replace").exit_code == 0
    assert [path.read_bytes() for path in paths] == before
    assert (tmp_path / "in/out/a.jpg").exists() and (tmp_path / "in/out/in/a.jpg").exists()


def test_two_sources_never_share_a_copy(tmp_path):
    paths = [saved(tmp_path / "in" / name) for name in ("x.gif", "x.gif.png")]
    shown = run(*paths, "--annotate", tmp_path / "out", "--replace")
    assert shown.exit_code == 1 and "x.gif.png: would be the marked copy of" in shown.output
    assert not (tmp_path / "out").exists()
    assert run(paths[0], paths[0], "--annotate", tmp_path / "out").exit_code == 0


def test_other_files_are_replaced_only_when_asked(tmp_path):
    path = saved(tmp_path / "in/a.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.png").write_text("precious")
    shown = run(path, "--annotate", tmp_path / "out")
    assert shown.exit_code == 1 and "exists already" in shown.output and "--replace" in shown.output
    assert (tmp_path / "out/a.png").read_text() == "precious"
    assert run(path, "--annotate", tmp_path / "out", "--replace").exit_code == 0
    assert Image.open(tmp_path / "out/a.png").size == (512, 512)


def test_marked_copies_of_an_earlier_run_are_no_sources(tmp_path, monkeypatch):
    saved(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    assert run(".", "--annotate", "marked").exit_code == 0
    shown = run(".", "--annotate", "marked", "--replace", "--json", "a.json")
    assert shown.exit_code == 0, shown.output
    faces = json.loads((tmp_path / "a.json").read_text())["faces"]
    assert [face["source"] for face in faces] == ["a.png"]
    (tmp_path / "link").symlink_to(tmp_path / "marked", target_is_directory=True)
    for marked in ("marked/../marked", "link"):
        found = collecting.collect(tmp_path, leave_out=Path(marked))
        assert [item.path for item in found.items] == [tmp_path / "a.png"]


def test_a_report_never_takes_the_place_of_a_source(tmp_path):
    path = saved(tmp_path / "a.png")
    for option in ("--json", "--csv"):
        shown = run(path, option, path)
        assert shown.exit_code == 1 and "a.png: is there already, and its name" in shown.output
    assert Image.open(path).size == (512, 512)
    named = tmp_path / "b.csv"
    named.write_bytes(path.read_bytes())
    shown = run(named, "--csv", named)
    assert shown.exit_code == 1 and "to be read and to be written" in shown.output


@pytest.mark.parametrize(
    ("other", "message"),
    [("./a.json", "is to be written twice"), ("printed", "no file. Give a file's name")],
)
def test_reports_that_would_be_lost_are_refused_before_the_work(tmp_path, other, message,
                                                                monkeypatch):  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ferbook.inference.gathering.Classifier", None)
    saved(tmp_path / "a.png")
    (tmp_path / "printed").symlink_to("/proc/self/fd/1")
    shown = run("a.png", "--json", "a.json", "--csv", other)
    assert shown.exit_code == 1 and message in shown.output
    assert (tmp_path / "printed").is_symlink()


def test_a_report_never_takes_the_place_of_a_marked_copy(tmp_path, monkeypatch):
    monkeypatch.setattr("ferbook.inference.gathering.Classifier", None)
    path = saved(tmp_path / "a.png")
    (tmp_path / "out").mkdir()
    shown = run(path, "--annotate", tmp_path / "out", "--json", tmp_path / "out/../out/a.png")
    assert shown.exit_code == 1 and "a report and a marked copy" in shown.output


def test_a_folder_that_takes_no_file_is_told_before_the_work(tmp_path, monkeypatch):
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(writing.tempfile, "TemporaryFile", lambda **_: (_ for _ in ()).throw(full))
    with pytest.raises(InputError, match=r"a\.json: cannot be written \(No space left"):
        reports.check_targets(tmp_path / "a.json")


def test_answers_that_cannot_be_written_are_printed(tmp_path, monkeypatch):
    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(reports, "write_atomically", full)
    shown = run(saved(tmp_path / "a.png"), "--json", tmp_path / "a.json")
    assert shown.exit_code == 1 and "happy" in shown.output
    assert "a.json: No space left on device" in shown.output


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="of Linux")
def test_a_full_disk_under_the_table_is_an_error_of_one_line(tmp_path):
    code = "import sys; from ferbook.cli import app; app(['predict', *sys.argv[1:]])"
    command = [sys.executable, "-c", code, saved(tmp_path / "a.png", FACE[:60, :60])]
    with open("/dev/full", "w") as full:
        shown = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert shown.returncode == 1
    assert shown.stderr.strip() == "error: [Errno 28] No space left on device"


def test_a_picture_that_several_sources_name_is_looked_at_once(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/notes.txt").write_text("x")
    path = saved(tmp_path / "folder/a.png", FACE[:60, :60])
    again = tmp_path / "folder/../folder/a.png"
    shown = run(tmp_path / "folder", path, again, tmp_path / "folder", "--json", "-")
    report = json.loads(shown.stdout)
    assert len(report["faces"]) == len(report["skipped"]) == 1


def test_reports_are_printed(tmp_path):
    path = saved(tmp_path / "a.png", FACE[:60, :60])
    shown = run(path, "--csv", "-", "--json", tmp_path / "a.json")
    header, row = shown.stdout.splitlines()
    assert header.startswith("source,frame") and row.startswith(str(path))
    assert shown.stderr.strip() == f"{tmp_path / 'a.json'}: 1 face"


def test_an_empty_file_is_called_empty(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    assert "a.jpg: empty." in run(tmp_path / "a.jpg").output


def test_a_copy_that_cannot_be_written_is_told_after_the_report(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.png")
    monkeypatch.setattr(marking, "annotated", lambda *_: 1 / 0)
    shown = run(path, "--annotate", tmp_path / "out", "--json", tmp_path / "a.json")
    report = json.loads((tmp_path / "a.json").read_text())
    assert shown.exit_code == 1 and len(report["faces"]) == 1
    assert "not marked" in report["problems"][0]


# Pixels


def answers(path, whole=False):
    (face,) = gather(path, search=detector.Search(whole=whole)).faces
    return np.array(list(face.probabilities.values()))


def test_sixteen_bits_are_rounded_to_eight():
    values = np.array([0, 128, 129, 65_406, 65_407, 65_535], np.uint16)
    assert pixels.eight_bit(values).tolist() == [0, 0, 1, 254, 255, 255]


def test_sixteen_bits_answer_as_eight_do(tmp_path):
    saved(tmp_path / "8.png", GRAY)
    sixteen = GRAY.astype(np.uint16) * 257
    saved(tmp_path / "16.png", sixteen)
    np.testing.assert_array_equal(
        np.asarray(media.read_picture(tmp_path / "16.png").convert("L")), GRAY
    )
    np.testing.assert_allclose(answers(tmp_path / "16.png"), answers(tmp_path / "8.png"))
    saved(tmp_path / "16.tif", sixteen)
    np.testing.assert_allclose(answers(tmp_path / "16.tif"), answers(tmp_path / "8.png"))


def tiff(values, bits, photometric):
    """One strip of grays, packed to so many bits; from the least significant byte on."""
    height, width = values.shape
    bytes_of = {12: lambda a, b: (a >> 4, (a & 15) << 4 | b >> 8, b & 255),
                16: lambda a, b: (a & 255, a >> 8, b & 255, b >> 8)}[bits]  # fmt: skip
    pairs = values.ravel().tolist()
    strip = bytes(itertools.chain(*map(bytes_of, pairs[::2], pairs[1::2])))
    tags = [(256, width), (257, height), (258, bits), (259, 1), (262, photometric), (273, 8),
            (277, 1), (278, height), (279, len(strip))]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    head = b"II*\0" + struct.pack("<I", 8 + len(strip))
    return head + strip + struct.pack("<H", len(tags)) + entries + bytes(4)


@pytest.mark.parametrize(
    ("bits", "photometric", "white"), [(12, 1, 4095), (16, 1, 65535), (16, 0, 0)]
)
def test_grays_of_a_tiff_are_as_bright_as_it_states(bits, photometric, white):
    values = np.array([[white, 65535 * (1 - photometric)]] * 2)
    read = np.asarray(media.decode(tiff(values, bits, photometric), "a.tif"))[..., 0]
    assert read.tolist() == [[255, 0]] * 2


def test_a_gray_of_sixteen_bits_declared_transparent_is_white(tmp_path):
    saved(tmp_path / "a.png", np.array([[0, 257]], np.uint16), transparency=0)
    assert np.asarray(media.read_picture(tmp_path / "a.png"))[0, :, 0].tolist() == [255, 1]


def test_transparency_lies_on_white_and_hides_its_color(tmp_path):
    alpha = np.zeros((512, 512, 1), np.uint8)
    alpha[20:220, 120:340] = 255
    hidden = np.dstack([ASTRONAUT, alpha])
    shown = np.where(alpha == 255, ASTRONAUT, 255).astype(np.uint8)
    saved(tmp_path / "rgba.png", hidden)
    np.testing.assert_array_equal(np.asarray(media.read_picture(tmp_path / "rgba.png")), shown)
    saved(tmp_path / "la.png", np.dstack([GRAY, alpha]))
    la = np.asarray(media.read_picture(tmp_path / "la.png"))[..., 0]
    np.testing.assert_array_equal(la, np.where(alpha[..., 0] == 255, GRAY, 255))
    half = np.zeros((80, 80, 4), np.uint8)
    half[..., 3] = 128  # black, half of it seen
    saved(tmp_path / "half.png", half)
    assert set(np.asarray(media.read_picture(tmp_path / "half.png")).ravel()) == {127}


def test_a_color_declared_transparent_is_white(tmp_path):
    palette = Image.new("P", (80, 80))
    palette.putpalette([10, 20, 30, 200, 200, 200])
    palette.putpixel((0, 0), 1)
    palette.save(tmp_path / "p.png", transparency=0)
    read = media.read_picture(tmp_path / "p.png")
    assert read.getpixel((0, 0)) == (200, 200, 200) and read.getpixel((1, 1)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK"])
def test_plain_modes_are_read(tmp_path, mode):
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    Image.fromarray(ASTRONAUT).convert(mode).save(path)
    assert media.read_picture(path).mode == "RGB"


@pytest.mark.parametrize("mode", ["F", "I", "LAB"])
def test_modes_without_a_scale_are_refused_by_name(tmp_path, mode):
    Image.new(mode, (80, 80)).save(tmp_path / "a.tif")
    with pytest.raises(
        InputError, match=rf"a\.tif: pixels of mode {mode}\. Expected gray or color"
    ):
        media.read_picture(tmp_path / "a.tif")


# Faces that fill a picture, and small ones in a large picture


def test_whole_takes_a_picture_for_a_face(tmp_path):
    saved(tmp_path / "crop.png", FACE)
    (face,) = gather(tmp_path / "crop.png", search=detector.Search(whole=True)).faces
    assert face.box == (0, 0, 90, 90) and face.expression == "happy"
    shown = run(tmp_path / "crop.png", "--whole")
    assert shown.exit_code == 0 and "90x90 at 0,0" in shown.output


def test_the_least_size_does_not_grow_with_the_picture():
    """Twelve faces of about 110 px in 12 megapixels: a twelfth of 3,000 px would lose them all."""
    scene = np.full((3000, 4000), 90, np.uint8)
    head = GRAY[0:260, 110:370]
    for i in range(12):
        y, x = 100 + (i // 4) * 900, 100 + (i % 4) * 950
        scene[y : y + 260, x : x + 260] = head
    found = detector.faces_in(scene, "", search=detector.Search(min_face=80))
    assert len(found) == 12
    assert not detector.faces_in(scene, "", search=detector.Search(min_face=300))


def test_no_face_names_the_size_that_was_searched(tmp_path):
    path = saved(tmp_path / "gray.png", np.full((200, 300), 128, np.uint8))
    shown = run(path, "--min-face", 77)
    line = " ".join(shown.output.split())
    assert shown.exit_code == 0 and "faces of 77 px or more" in line and "--whole" in line


# What was not looked at


def video(path, frames, code="MJPG", size=(512, 480)):
    out = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), 5, size)
    for i in range(frames):
        frame = ASTRONAUT[:480, :, ::-1].copy()
        frame[:10, : 10 * i + 1] = 255
        out.write(frame)
    out.release()
    return path


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)


def test_a_folder_is_read_by_content_and_nothing_is_passed_over_in_silence(tmp_path):
    saved(tmp_path / "in/photo.txt", format="PNG")  # a picture, whatever its name
    saved(tmp_path / "in/a.gif")
    saved(tmp_path / "in/b.TIFF")
    video(tmp_path / "in/clip.avi", 1)
    (tmp_path / "in/c.heic").write_bytes(HEIC)
    (tmp_path / "in/d.jpg").write_bytes(HEIC)  # as some phones name it
    for i in range(7):
        (tmp_path / f"in/notes{i}.md").write_text("no picture")
    (tmp_path / "in/.DS_Store").write_bytes(b"x")
    shown = run(tmp_path / "in", "--json", tmp_path / "a.json")
    report = json.loads((tmp_path / "a.json").read_text())
    names = [os.path.basename(face["source"]) for face in report["faces"]]
    assert names == ["a.gif", "b.TIFF", "clip.avi", "photo.txt"]
    assert [p.split("/")[-1] for p in report["problems"]] == [
        f"{name}: HEIC is not read. Convert it to JPEG or PNG." for name in ("c.heic", "d.jpg")
    ]
    assert len(report["skipped"]) == 7 and "notes0.md" in report["skipped"][0]
    assert shown.exit_code == 1 and "2 more; --json names all" in shown.output


@pytest.mark.skipif("AVIF" not in formats.READ, reason="this Pillow reads no AVIF")
def test_avif_is_read(tmp_path):
    assert len(gather(saved(tmp_path / "a.avif")).faces) == 1


def test_of_a_moving_picture_the_first_is_answered_and_the_rest_told(tmp_path):
    images = [Image.fromarray(ASTRONAUT), Image.fromarray(ASTRONAUT[::-1].copy())]
    images[0].save(tmp_path / "a.gif", save_all=True, append_images=images[1:])
    found = gather(tmp_path / "a.gif")
    assert len(found.faces) == 1 and "all but the first picture in it" in found.skipped[0]
    several = [shutil.copy(tmp_path / "a.gif", tmp_path / f"{i}.gif") for i in range(9)]
    names = [line.partition(": ")[0] for line in gather(several).skipped]
    assert names == [*map(str, several)]  # in the order of the sources, whichever thread was first


@pytest.mark.parametrize("suffix", ["png", "webp", "gif", "tif", "bmp"])
def test_pictures_in_a_file_are_not_counted(tmp_path, suffix, monkeypatch):
    """Pillow steps through a TIFF page by page, and looks through all earlier ones at each."""
    images = [Image.new("L", (8, 8), 80 * i) for i in range(3)]
    path = tmp_path / f"a.{suffix}"
    images[0].save(path)
    assert media.read_picture(path).info == {"several": False}
    if suffix != "bmp":
        images[0].save(path, save_all=True, append_images=images[1:])
        monkeypatch.setattr(TiffImagePlugin.TiffImageFile, "n_frames", property(lambda _: 1 / 0))
        monkeypatch.setattr(GifImagePlugin.GifImageFile, "n_frames", property(lambda _: 1 / 0))
        assert media.read_picture(path).info == {"several": True}


@pytest.mark.parametrize(
    ("name", "code"), [("v.avi", "MJPG"), ("v.mp4", "mp4v"), ("v.mkv", "MJPG")]
)
def test_a_whole_video_raises_no_alarm_and_half_of_one_does(tmp_path, name, code):
    path = video(tmp_path / name, 40, code)
    assert not gather(path, every=20).problems
    content = path.read_bytes()
    if code == "mp4v":  # its table stands at the end: cut the pictures out before it
        cut = content.index(b"mdat") + 4
        moov = content.index(b"moov") - 4
        middle = cut + (moov - cut) // 2
        content = content[:middle] + bytes(moov - middle) + content[moov:]
    else:
        content = content[: len(content) // 2]
    path.write_bytes(content)
    found = gather(path, every=5)
    assert found.problems and "v." in found.problems[0]
    assert 1 <= len(found.faces) <= 5 or "no video" in found.problems[0]


def test_ffmpeg_is_shown_known_containers_only(tmp_path):
    """A playlist could name other files and addresses."""
    (tmp_path / "list.mp4").write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n")
    with pytest.raises(InputError, match="no video to be read"):
        next(media.frames(str(tmp_path / "list.mp4")))


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "picture"),
        (b"\0\0\0\x20ftypavif", "picture"),
        (b"\0\0\0\x20ftypmif1\0\0\0\0mif1avif", "picture"),
        (HEIC, "HEIC"),
        (b"\0\0\0\x20ftypisom", "video"),
        (b"\0\0\0\x08wide", "video"),
        (b"RIFF\0\0\0\0WEBP", "picture"),
        (b"RIFF\0\0\0\0AVI ", "video"),
        (b"RIFF\0\0\0\0WAVE", "other"),
        (b"G" + bytes(187) + b"G", "video"),
        (b"\0\0\0\1\x67\x42", "video"),  # H.264
        (b"\0\0\0\1Bud1", "other"),  # a Mac's .DS_Store
        (b"OggS" + bytes(24) + b"\x80theora", "video"),
        (b"OggS" + bytes(24) + b"\x01vorbis", "other"),
        (b"The free lunch", "other"),
        (b"\x20\0\0\0mdat", "video"),  # of 500 MB
        (b"\0\0\0\x20ftypM4A ", "other"),
        (b"\0\0\0\x18ftypcrx ", "other"),  # a raw photo of Canon
        (b"GG" + bytes(400), "other"),
        (b"#EXTM3U", "other"),
        (b"ffconcat version 1.0", "other"),
        (b"", "other"),
    ],
)
def test_kinds_by_their_first_bytes(head, kind):
    assert formats.kind_of_bytes(head) == kind


# Names that are no files


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("https://example.org/a.jpg", "nothing is fetched from the network"),
        ("file:///a.jpg", "Save it as a file first"),
        ("/dev/null", "neither a file nor a folder"),
        ("~/nowhere.png", "no such file or folder"),
        ("camera:front", "expected camera:0"),
    ],
)
def test_sources_that_are_no_files_are_told_what_to_do(name, message):
    with pytest.raises(InputError, match=message):
        collecting.collect(name)


def test_the_home_folder_is_known(tmp_path, monkeypatch):
    saved(tmp_path / "a.png")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(gather("~/a.png").faces) == 1


def test_a_pipe(tmp_path):
    code = "import sys; from ferbook.cli import app; app(['predict', *sys.argv[1:]])"
    for name in ("-", "/dev/stdin"):
        with open(saved(tmp_path / "a.png"), "rb") as file:
            shown = started(code, name, stdin=file)
        assert shown.returncode == 0 and "happy" in shown.stdout, shown.stderr


def test_a_pipe_that_brings_too_much_is_not_cut(monkeypatch):
    monkeypatch.setattr(collecting, "MAX_FILE_BYTES", 3)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"1234")))
    with pytest.raises(InputError, match="standard input: more than 3 bytes"):
        collecting.collect("-")


def test_without_standard_input_this_is_said(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match="standard input: closed"):
        collecting.collect("-")


def test_a_pipe_is_read_before_ctrl_c_is_heard(monkeypatch):
    heard, before = [], signal.getsignal(signal.SIGINT)

    def collect(*_, **__):
        heard.append(signal.getsignal(signal.SIGINT))
        raise InputError("enough")

    monkeypatch.setattr(collecting, "collect", collect)
    assert "enough" in run("-").output and heard == [before]


def test_a_mistyped_name_is_told_before_the_model_is_read(monkeypatch):
    monkeypatch.setattr("ferbook.inference.gathering.Classifier", None)
    with pytest.raises(InputError, match=r"nowhere\.png: no such file"):
        gather("nowhere.png")


def test_text_in_a_png_is_no_trap(tmp_path):
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "x" * 5_000_000, zip=True)
    Image.fromarray(FACE).save(tmp_path / "a.png", pnginfo=text)
    with pytest.raises(InputError, match="not a readable picture"):
        media.read_picture(tmp_path / "a.png")


def test_what_is_not_entered_is_told(tmp_path):
    """A link to a folder, which may lead anywhere, and nothing else than such a link."""
    (tmp_path / "elsewhere").mkdir()
    saved(tmp_path / "elsewhere/a.png")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/linked").symlink_to("../elsewhere")
    with pytest.raises(InputError, match="a link to a folder, which is not followed"):
        gather(tmp_path / "photos")
    saved(tmp_path / "photos/b.png")
    report = gather(tmp_path / "photos")
    assert len(report.faces) == 1
    assert report.skipped[0].endswith("linked: a link to a folder, which is not followed.")


def test_a_model_that_fails_midway_leaves_the_answers_before(tmp_path, monkeypatch):
    """Twenty pictures are two batches; what comes first is kept, and no picture is skipped over."""
    for i in range(20):
        saved(tmp_path / f"{i:02}.png")
    run, calls = Classifier._run_batch, []

    def fails_at_second(self, faces, output):
        calls.append(1)
        if len(calls) == 2:
            raise InputError("model.onnx: no answer.")
        return run(self, faces, output)

    monkeypatch.setattr(Classifier, "_run_batch", fails_at_second)
    report = gather(tmp_path)
    assert [Path(face.source).name for face in report.faces] == [f"{i:02}.png" for i in range(16)]
    assert report.problems == ["model.onnx: no answer. Nothing was looked at from here on."]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.full((1, 7), np.nan), "no number"),
        (np.zeros((2, 7)), r"shape \(2, 7\) to 1 faces"),
        (np.zeros((1, 3)), r"shape \(1, 3\)"),
        (np.float32(0), r"shape \(\)"),
    ],
)
def test_a_model_answers_in_seven_finite_numbers(monkeypatch, answer, message):
    class Session:
        def run(self, *_):
            return [answer]

    model = Classifier()
    monkeypatch.setattr(model, "_session", Session())
    with pytest.raises(InputError, match=message):
        model.probabilities(np.zeros((1, 48, 48), np.uint8))


def test_only_a_foreign_model_has_a_deadline(tmp_path, monkeypatch):
    """A stopped process or a slow machine must not cost the answers of the released one."""
    monkeypatch.setattr(classifier, "MAX_SECONDS", 0)
    face = np.zeros((1, 48, 48), np.uint8)
    assert Classifier().probabilities(face).shape == (1, 7)
    shutil.copy(classifier.RELEASED / "model-int8.onnx", tmp_path / "model.onnx")
    monkeypatch.setattr(classifier.threading, "Timer", ends_at_once)
    with pytest.raises(InputError, match="more than 0 s"):
        Classifier(tmp_path / "model.onnx").probabilities(face)


class ends_at_once:
    def __init__(self, seconds, do, arguments):
        do(*arguments)

    def start(self):
        pass

    cancel = start


def test_a_picture_without_a_face_is_copied_and_a_pipe_cannot_be(tmp_path, monkeypatch):
    Image.new("L", (200, 200)).save(tmp_path / "empty.png")
    gather(tmp_path / "empty.png", annotate=tmp_path / "out")
    assert (tmp_path / "out/empty.png").is_file()
    for source in ("camera:0", "-"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x")))
        with pytest.raises(InputError, match="no marked copy is made of it"):
            gather(source, annotate=tmp_path / "other")
