"""Videos and cameras: time, faces that are followed, marked copies, memory, and how they end."""

import csv
import io
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data as pictures
from typer.testing import CliRunner

from ferbook.cli import app
from ferbook.core.classes import CLASSES
from ferbook.core.writing import whole_file
from ferbook.inference import detector, formats, gathering, marking, media, moving, tracking, window
from ferbook.inference.face import Face, InputError

ASTRONAUT = pictures.astronaut()  # Eileen Collins, NASA, public domain
SMALL = np.ascontiguousarray(ASTRONAUT[30:270, 90:410, ::-1])  # (240, 320, 3), as OpenCV has it
EMPTY = np.full_like(SMALL, 128)


def run(*arguments):
    return CliRunner().invoke(app, ["predict", *map(str, arguments)])


def video(path, frames, *, code="MJPG", rate=5.0):
    """A file of these BGR frames; None where this OpenCV cannot write its kind."""
    frames = iter(frames)
    first = next(frames)
    fourcc = cv2.VideoWriter.fourcc(*code)
    out = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, fourcc, rate, first.shape[1::-1])
    for frame in itertools.chain([first], frames):
        out.write(frame)
    there = out.isOpened()
    out.release()
    return path if there else None


def report_of(path):
    return json.loads(path.read_text())


# Time


def test_seconds_stand_beside_frames_and_frames_without_a_face_are_kept(tmp_path, monkeypatch):
    """Six frames, five a second, every third looked at: 0 s with a face, 0.6 s without."""
    monkeypatch.chdir(tmp_path)
    video("v.avi", [SMALL] * 3 + [EMPTY] * 3)
    shown = run("v.avi", "--every", 3, "--json", "a.json", "--csv", "a.csv")
    assert shown.exit_code == 0, shown.output
    report = report_of(tmp_path / "a.json")
    (face,) = report["faces"]
    assert (face["frame"], face["seconds"], face["track"]) == (0, 0.0, 1)
    assert report["frames_without_face"] == [{"source": "v.avi", "frame": 3, "seconds": 0.6}]
    (row,) = csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text()))
    assert (row["frame"], row["seconds"], row["track"]) == ("0", "0.0", "1")
    assert "frame 0 (0.0 s)" in run("v.avi", "--every", 6).output


def test_of_a_picture_there_is_neither_time_nor_track(tmp_path):
    Image.fromarray(ASTRONAUT).save(tmp_path / "a.png")
    (face,) = gathering.gather(tmp_path / "a.png").faces
    assert (face.seconds, face.track, face.unsmoothed) == (None, None, {})


class Stamped:
    """As much of an OpenCV capture as the clock asks for."""

    def __init__(self, stamps, rate=10.0):
        self.stamps, self.rate = iter(stamps), rate

    def get(self, property):
        return {cv2.CAP_PROP_FPS: self.rate, cv2.CAP_PROP_FRAME_COUNT: 4}.get(
            property, None
        ) or next(self.stamps)


@pytest.mark.parametrize(
    ("stamps", "seconds"),
    [([0, 100, 250, 300], [0, 0.1, 0.25, 0.3]),  # uneven, as of phones
     ([80, 180, 280, 0], [0, 0.1, 0.2, 0.3]),  # begins late, and the last has none
     ([0, 0, 0, 0], [0, 0.1, 0.2, 0.3])],
)  # fmt: skip
def test_seconds_are_those_of_time_stamps_and_never_go_back(stamps, seconds):
    clock = media._Clock(Stamped(stamps), live=False)
    assert [clock.seconds() for _ in stamps] == pytest.approx(seconds)


CONTAINERS = [
    ("avi", "MJPG"), ("mp4", "mp4v"), ("mov", "mp4v"), ("mkv", "mp4v"), ("webm", "VP80"),
    ("flv", "FLV1"), ("wmv", "WMV2"), ("mpg", "mpg2"), ("ts", "mpg2"), ("m2ts", "mpg2"),
    ("m2v", "mpg2"), ("mxf", "mpg2"), ("nut", "mp4v"), ("ivf", "VP80"), ("y4m", "I420"),
    ("3gp", "mp4v"), ("swf", "FLV1"), ("rm", "RV10"), ("wtv", "mpg2")
]  # fmt: skip


@pytest.mark.parametrize(("suffix", "code"), CONTAINERS)
def test_containers_are_known_by_content(tmp_path, suffix, code):
    """Twenty frames, 25 a second, under a name that says nothing."""
    size = (576, 720) if suffix == "mxf" else (288, 352)
    frames = [np.full((*size, 3), 10 * i, np.uint8) for i in range(20)]
    if not video(tmp_path / f"v.{suffix}", frames, code=code, rate=25):
        pytest.skip(f"this OpenCV writes no {suffix} of {code}")
    path = (tmp_path / f"v.{suffix}").rename(tmp_path / "neutral")
    assert formats.kind_of(path) == "video"
    seen = list(media.frames(str(path), 9))
    assert [number for number, _, _ in seen] == [0, 9, 18]
    assert [seconds for _, seconds, _ in seen] == pytest.approx([0, 0.36, 0.72], abs=0.05)
    assert [frame.mean() for _, _, frame in seen] == pytest.approx([0, 90, 180], abs=12)


# Faces that are followed


def face(left, *shares, side=10):
    """A face at `left`; the remaining classes have probability 0."""
    found = Face("v", 0, (left, 0, side, side))
    return found.answered([*shares, *[0.0] * (len(CLASSES) - len(shares))])


def test_boxes_overlap():
    """Ten px wide and moved by 5: 50 of 150; one within another: 25 of 100."""
    assert tracking.overlap((0, 0, 10, 10), (5, 0, 10, 10)) == pytest.approx(1 / 3)
    assert tracking.overlap((0, 0, 10, 10), (5, 5, 5, 5)) == pytest.approx(1 / 4)
    assert tracking.overlap((0, 0, 10, 10), (20, 0, 10, 10)) == 0


def test_a_face_keeps_its_number_while_it_moves_and_until_it_was_missed_four_times():
    tracker = tracking.Tracker()
    numbers = lambda *faces: [f.track for f in tracker.follow(list(faces), 0.0)]  # noqa: E731
    assert numbers(face(0, 1), face(100, 1)) == [1, 2]
    assert numbers(face(97, 1), face(4, 1)) == [2, 1]
    assert numbers(face(8, 1), face(50, 1)) == [1, 3]  # 2 is missed for the first time
    assert numbers() == [] and numbers() == []
    assert numbers(face(97, 1)) == [2]
    assert numbers() == [] and numbers(face(50, 1)) == [4]  # 3 was missed four times


def test_the_closest_pair_is_matched_first():
    """A face at 6 overlaps those at 0 and at 8; at 1 there is one that is nearer to 0."""
    tracker = tracking.Tracker()
    tracker.follow([face(0, 1), face(8, 1)], 0.0)
    assert [f.track for f in tracker.follow([face(4, 1), face(1, 1)], 0.0)] == [2, 1]


def test_smoothing_by_hand():
    """Half-life 2 s: weights 1/2 and 1 after 2 s, 1/8, 1/4 and 1 after 4 s more."""
    tracker = tracking.Tracker(half_life=2.0)
    (first,) = tracker.follow([face(0, 1.0, 0.0)], 0.0)
    (second,) = tracker.follow([face(0, 0.0, 1.0)], 2.0)
    (third,) = tracker.follow([face(0, 0.0, 1.0)], 6.0)
    shares = [list(f.probabilities.values())[:2] for f in (first, second, third)]
    np.testing.assert_allclose(shares, [[1, 0], [1 / 3, 2 / 3], [1 / 11, 10 / 11]], atol=1e-4)
    assert [list(f.unsmoothed.values())[:2] for f in (second, third)] == [[0, 1], [0, 1]]
    assert (third.expression, third.confidence) == (CLASSES[1], pytest.approx(10 / 11, abs=1e-4))


def test_smoothing_is_of_one_face_and_off_unless_asked_for():
    tracker = tracking.Tracker(half_life=2.0)
    tracker.follow([face(0, 1.0, 0.0)], 0.0)
    (other,) = tracker.follow([face(100, 0.0, 1.0)], 0.1)
    assert other.probabilities == other.unsmoothed and other.track == 2
    plain = tracking.Tracker()
    plain.follow([face(0, 1.0, 0.0)], 0.0)
    (same,) = plain.follow([face(0, 0.0, 1.0)], 0.1)
    assert list(same.probabilities.values())[:2] == [0, 1] and same.unsmoothed == {}


def test_smoothed_answers_of_a_video(tmp_path):
    """Frames 0.2 s apart and a half-life of 0.2 s: what the first says weighs half as much."""
    path = video(tmp_path / "v.avi", [SMALL, SMALL // 4])
    first, second = gathering.gather(path, every=1, smooth=0.2).faces
    alone = gathering.gather(path, every=1).faces
    assert [f.track for f in (first, second)] == [1, 1]
    assert second.unsmoothed == alone[1].probabilities != second.probabilities
    for name in CLASSES:
        mean = (alone[0].probabilities[name] + 2 * alone[1].probabilities[name]) / 3
        assert second.probabilities[name] == pytest.approx(mean, abs=2e-4)


def test_only_the_largest_faces(tmp_path):
    gray = np.asarray(Image.fromarray(ASTRONAUT).convert("L"))
    scene = np.full((512, 1300), 128, np.uint8)
    scene[:512, 700:1212] = gray
    scene[100:356, 200:456] = cv2.resize(gray, (256, 256), interpolation=cv2.INTER_AREA)
    two = detector.faces_in(scene, "", search=detector.Search(min_face=40, most=2))
    one = detector.faces_in(scene, "", search=detector.Search(min_face=40, most=1))
    assert [f.box[0] > 700 for f, _ in two] == [False, True]
    assert [f.box for f, _ in one] == [two[1][0].box]
    Image.fromarray(scene).save(tmp_path / "two.png")
    assert "1 face" in run(tmp_path / "two.png", "--faces", 1).output


# Marked copies


def test_a_marked_video_holds_every_frame(tmp_path):
    """Seven frames, every third looked at; the box is blue at its left edge until the next look."""
    path = video(tmp_path / "v.avi", [SMALL] * 4 + [EMPTY] * 3)
    shown = run(path, "--every", 3, "--json", tmp_path / "a.json", "--annotate", tmp_path / "out")
    assert shown.exit_code == 0, shown.output
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["v.avi.mp4"]
    copy = str(tmp_path / "out/v.avi.mp4")
    assert media.announced(copy) == (7, 5.0)
    first, second = report_of(tmp_path / "a.json")["faces"]
    assert (first["frame"], second["frame"]) == (0, 3)
    frames = [frame for _, _, frame in media.frames(copy)]
    assert [_is_marked(frame, first) for frame in frames[:3]] == [True] * 3
    assert [_is_marked(frame, second) for frame in frames[3:]] == [True] * 3 + [False]


def _is_marked(frame, face):
    """Bluish: the file has colors at half the resolution, so a line at an odd column is paler."""
    left, top, _, height = face["box"]
    blue, green, red = frame[top + height // 2, left].astype(int)
    return blue > green + 20 > red + 40


def test_a_marked_video_keeps_the_name_of_an_mp4_and_never_replaces_its_source(tmp_path):
    path = video(tmp_path / "in.mp4", [EMPTY] * 3, code="mp4v")
    before = path.read_bytes()
    shown = run(path, "--annotate", tmp_path, "--replace")
    assert shown.exit_code == 1 and "to be read and to be written" in shown.output
    assert path.read_bytes() == before
    assert run(path, "--annotate", tmp_path / "out").exit_code == 0
    assert media.announced(str(tmp_path / "out/in.mp4")) == (3, 5.0)
    assert "exists already" in run(path, "--annotate", tmp_path / "out").output


@pytest.mark.parametrize("rate", [23.976, 59.94, 119.923, 999.9])
def test_a_marked_video_has_the_rate_that_mpeg_4_can_state(tmp_path, rate):
    with marking.video_copy(tmp_path / "v.mp4", rate) as add:
        add(Image.fromarray(EMPTY))
    assert media.announced(str(tmp_path / "v.mp4")) == (1, pytest.approx(rate, rel=1e-3))


def test_a_copy_that_cannot_be_opened_is_told_as_such(tmp_path):
    with marking.video_copy(tmp_path / "v.mp4", 1e-3) as add:
        with pytest.raises(InputError, match=r"320 x 240 px and 0.001 frames a second"):
            add(Image.fromarray(EMPTY))
    assert not (tmp_path / "v.mp4").exists()


def test_what_half_a_video_shows_is_marked(tmp_path):
    path = video(tmp_path / "v.avi", [SMALL] * 20)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    report = gathering.gather(path, annotate=tmp_path / "out")
    assert "announces 20" in report.problems[0] and report.faces
    assert 5 < media.announced(str(tmp_path / "out/v.avi.mp4"))[0] < 15


def test_a_copy_that_fails_costs_no_answers(tmp_path, monkeypatch):
    path = video(tmp_path / "v.avi", [SMALL] * 3)
    monkeypatch.setattr(marking, "annotated", lambda *_: 1 / 0)
    report = gathering.gather(path, every=1, annotate=tmp_path / "out")
    assert len(report.faces) == 3 and "marked no further" in report.problems[0]


def test_a_copy_that_lacks_frames_is_not_left_behind(tmp_path, monkeypatch):
    path = video(tmp_path / "v.avi", [EMPTY] * 3)
    monkeypatch.setattr(marking, "announced", lambda _: (2, 5.0))
    report = gathering.gather(path, annotate=tmp_path / "out")
    assert "of 3 marked frames 2 were written" in report.problems[0]
    assert list((tmp_path / "out").iterdir()) == []


def test_a_whole_file_appears_at_the_end_or_not_at_all(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), whole_file(target) as path:
        path.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    with whole_file(target) as path:
        assert path.name == "a.txt" and path.write_text("new") and target.read_text() == "old"
    assert target.read_text() == "new" and list(tmp_path.iterdir()) == [target]


PEAK = """
import resource, sys
from ferbook.inference.gathering import gather
gather(sys.argv[1], every=int(sys.argv[2]), annotate=__import__('pathlib').Path(sys.argv[3]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="measured in kilobytes, as Linux counts")
def test_memory_does_not_grow_with_length(tmp_path):
    """Both are looked at five times; the longer one's 1,350 frames more would take 311 MB."""
    peaks = []
    for frames in (150, 1500):
        path = video(tmp_path / f"{frames}.avi", itertools.repeat(SMALL, frames), rate=25)
        command = [sys.executable, "-c", PEAK, path, str(frames // 5), tmp_path / "out"]
        shown = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks.append(int(shown.stdout) / 1024)
    assert peaks[1] < peaks[0] + 30, peaks


# Cameras, windows and Ctrl-C


class Camera:
    """A camera as OpenCV's captures are: it gives the same frame without end."""

    def __init__(self, frame):
        self.frame = frame

    def isOpened(self):
        return True

    def grab(self):
        return True

    def retrieve(self):
        return True, self.frame

    def get(self, property):
        return 0.0

    def release(self):
        pass


opened = []


class Screen:
    """A window that the user closes after six frames."""

    def __init__(self, title):
        self.closed, self.shown = False, []
        opened.append(self)

    def show(self, picture):
        self.shown.append(np.asarray(picture))
        self.closed = len(self.shown) == 6

    def close(self):
        self.closed = True


def test_a_camera_is_shown_until_its_window_is_closed(tmp_path, monkeypatch):
    monkeypatch.setattr(media.cv2, "VideoCapture", lambda source: Camera(SMALL))
    monkeypatch.setattr(window, "Window", Screen)
    shown = run("camera:0", "--show", "--every", 4, "--json", tmp_path / "a.json")
    assert shown.exit_code == 0, shown.output
    report = report_of(tmp_path / "a.json")
    assert [f["frame"] for f in report["faces"]] == [0, 4] and report["problems"] == []
    assert report["faces"][1]["seconds"] > 0 and report["faces"][1]["track"] == 1
    assert len(opened[-1].shown) == 6
    assert all((frame != SMALL[..., ::-1]).any() for frame in opened[-1].shown)


def test_a_text_named_like_a_video_never_reaches_ffmpeg(tmp_path, monkeypatch):
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile secret.mp4\n")
    monkeypatch.setattr(media.cv2, "VideoCapture", None)  # calling it would be another problem
    report = gathering.gather(tmp_path / "list.mp4")
    assert report.problems == [f"{tmp_path / 'list.mp4'}: no video to be read."]


def test_a_name_is_never_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    video(tmp_path / "v.avi", [SMALL]).rename("12:30:45.avi")
    report = gathering.gather("12:30:45.avi", annotate=Path())
    assert len(report.faces) == 1 and not report.problems
    assert Path("12:30:45.avi.mp4").exists()


def test_without_a_display_no_window_is_said(monkeypatch):
    tkinter = pytest.importorskip("tkinter")

    def failing(*_):
        raise tkinter.TclError("no display name and no $DISPLAY environment variable")

    monkeypatch.setattr(tkinter, "Tk", failing)
    with pytest.raises(InputError, match="no window can be opened here"):
        window.Window("x")


def test_the_window_shows_and_closes():
    try:
        opened = window.Window("test")
    except InputError as error:
        pytest.skip(str(error))
    opened.show(Image.fromarray(ASTRONAUT))
    assert not opened.closed
    opened._root.event_generate("<Escape>", when="now")
    opened.close()
    opened.show(Image.fromarray(ASTRONAUT))  # nothing more, and no error
    assert opened.closed


def test_what_is_left_when_stopped_is_told(tmp_path):
    paths = [tmp_path / "a.png", video(tmp_path / "b.avi", [SMALL] * 9), tmp_path / "c.png"]
    for path in (paths[0], paths[2]):
        Image.fromarray(ASTRONAUT).save(path)
    asked = iter([False, False, False, False, True, True])  # a, b, and three of its frames
    report = gathering.gather(paths, every=1, stop=lambda: next(asked))
    assert [(f.source[-5:], f.frame) for f in report.faces] == [
        ("a.png", 0), ("b.avi", 0), ("b.avi", 1), ("b.avi", 2)
    ]  # fmt: skip
    assert [p.removeprefix(f"{tmp_path}/") for p in report.problems] == [
        "b.avi: stopped after frame 2 (0.4 s).", "stopped: 1 of 3 sources not looked at."
    ]  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
def test_ctrl_c_leaves_a_report_and_a_marked_video(tmp_path):
    """1,000 frames, each looked at, take longer than it takes to interrupt them."""
    path = video(tmp_path / "v.avi", itertools.repeat(SMALL, 1000))
    out = tmp_path / "out"
    code = "from ferbook.cli import app; app()"
    command = [sys.executable, "-c", code, "predict", path, "--every", "1", "--annotate", out,
               "--json", tmp_path / "a.json", "--csv", tmp_path / "a.csv"]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    _wait_for(lambda: any(p.stat().st_size > 0 for p in out.rglob("*.mp4")) if out.exists() else 0)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1 and "Traceback" not in errors, errors
    report = report_of(tmp_path / "a.json")
    assert "stopped after frame" in report["problems"][0]
    last = report["faces"][-1]["frame"]
    assert 0 < last < 999
    assert media.announced(str(out / "v.avi.mp4"))[0] == last + 1
    assert (tmp_path / "a.csv").read_text().count("\n") == len(report["faces"]) + 1
    assert [p.name for p in out.iterdir()] == ["v.avi.mp4"]


def _wait_for(happened):
    end = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_second_ctrl_c_ends_at_once_and_the_old_handler_comes_back():
    before = signal.getsignal(signal.SIGINT)
    with moving.stopped_by_key() as asked:
        assert not asked()
        signal.raise_signal(signal.SIGINT)
        assert asked()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("name", ["caf\udce9.avi", "p%03d.png", "http:"])
def test_ffmpeg_sees_no_meaning_in_a_name(tmp_path, name):
    """OpenCV crashes on a name that is not UTF-8; a pattern would open the pictures beside it."""
    folder = tmp_path / name.replace(".", "-")
    folder.mkdir()
    os.rename(video(tmp_path / "v.avi", [SMALL] * 3), folder / name)
    for i in range(2):
        Image.fromarray(EMPTY).save(folder / f"p00{i}.png")
    code = "import sys; from ferbook.cli import app; app(['predict', *sys.argv[1:]])"
    how = ["--every", "1", "--json", "a.json", "--annotate", "out\udce9"]
    command = [sys.executable, "-c", code, folder / name, *how]  # a crash would end the tests
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True)
    assert shown.returncode == 0, shown.stderr.decode()
    assert len(report_of(tmp_path / "a.json")["faces"]) == 3
    (copy,) = (tmp_path / "out\udce9").iterdir()
    assert media.announced(str(copy)) == (3, 5.0)


def test_a_copy_that_fails_leaves_the_window_its_frames(tmp_path, monkeypatch):
    path, shown = video(tmp_path / "v.avi", [SMALL] * 3), []

    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(marking._Video, "add", full)
    report = gathering.gather(path, every=1, annotate=tmp_path / "out", show=shown.append)
    assert len(shown) == 3 and "marked no further" in report.problems[0]
