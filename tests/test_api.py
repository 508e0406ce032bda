"""The public functions: what they take, what they give, what their import costs."""

import doctest
import io
import subprocess
import sys
import warnings
from importlib import import_module

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image
from skimage import data as examples

import ferbook
from ferbook.core.classes import CLASSES
from ferbook.core.errors import FerbookError
from ferbook.inference import pixels
from ferbook.inference.face import InputError

ASTRONAUT = examples.astronaut()
GRAY = np.asarray(Image.fromarray(ASTRONAUT).convert("L"))


def encoded(array=ASTRONAUT, kind="PNG"):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("module", "examples"),
    [("ferbook", 5), ("ferbook.data.sources", 1), ("ferbook.inference.pictures", 5)],
)
def test_the_examples_of_the_docstrings(module, examples, monkeypatch):
    monkeypatch.chdir(ROOT)
    failed, tried = doctest.testmod(import_module(module))
    assert failed == 0 and tried >= examples


def test_every_public_function_has_a_docstring_and_is_listed():
    for name in ferbook.__all__:
        assert getattr(ferbook, name).__doc__ and name in dir(ferbook)
    with pytest.raises(AttributeError, match="no attribute 'analyze'"):
        ferbook.analyze  # noqa: B018


def test_all_but_one_call_work_without_tensorflow():
    code = (
        "import inspect, sys; sys.modules |= {'tensorflow': None, 'keras': None}; import ferbook; "
        "from ferbook import *; inspect.getmembers(ferbook); help(ferbook.released_network); "
        "released_network()"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "in single precision" in shown.stdout
    assert "needs keras: pip install '.[train,export]'" in shown.stderr.splitlines()[-1]


def test_importing_imports_nothing_else():
    code = (
        "import sys; before = set(sys.modules); import ferbook; print(*set(sys.modules) - before)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(shown.stdout.split()) <= {
        "ferbook",
        "__future__",
        "typing",
        "collections.abc",
        "re",
    } | {name for name in shown.stdout.split() if name.split(".")[0] in sys.stdlib_module_names}


def test_predicting_needs_neither_pandas_nor_scipy_nor_a_framework():
    code = (
        "import sys, ferbook; from PIL import Image; ferbook.predict(Image.new('L', (300, 300))); "
        "slow = ('pandas', 'scipy', 'sklearn', 'matplotlib', 'skimage', 'rich', 'tensorflow'); "
        "print([name for name in slow if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"


def forms(path):
    """One photo in every form."""
    path.write_bytes(encoded())
    sixteen = GRAY.astype(np.uint16) * 257
    opaque = np.dstack([ASTRONAUT, np.full(GRAY.shape, 255, np.uint8)])
    return {
        "path": path,
        "string": str(path),
        "bytes": encoded(),
        "bytearray": bytearray(encoded()),
        "PIL": Image.fromarray(ASTRONAUT),
        "RGB": ASTRONAUT,
        "RGBA": opaque,
        "gray": GRAY,
        "gray, one channel": GRAY[..., None],
        "16 bits": sixteen,
        "floats": GRAY / 255,
        "single precision": (GRAY / 255).astype(np.float32),
        "view": np.asfortranarray(GRAY),
        "big-endian": sixteen.astype(">u2"),
    }


def test_one_photo_in_every_form_has_one_answer(tmp_path):
    found = {name: ferbook.predict(form) for name, form in forms(tmp_path / "a.png").items()}
    for name, faces in found.items():
        assert len(faces) == 1, name
        assert faces[0].box == found["path"][0].box, name
        assert faces[0].probabilities == found["path"][0].probabilities, name
    (face,) = found["path"]
    assert face.expression == "happy" and face.confidence == max(face.probabilities.values())
    assert list(face.probabilities) == list(CLASSES)
    assert face.to_dict()["source"] == str(tmp_path / "a.png")


def test_a_list_gives_a_list_for_each_and_batches_of_arrays_do_too(tmp_path):
    several = list(forms(tmp_path / "a.png").values())
    found = ferbook.predict(several)
    assert [len(faces) for faces in found] == [1] * len(several)
    empty = np.full((200, 200), 128, np.uint8)
    assert [len(faces) for faces in ferbook.predict([ASTRONAUT, empty, GRAY])] == [1, 0, 1]
    batch = np.stack([ASTRONAUT, np.full_like(ASTRONAUT, 128)])
    assert [len(faces) for faces in ferbook.predict(batch)] == [1, 0]
    assert ferbook.predict([]) == []
    many = ferbook.predict([GRAY[60:150, 180:270]] * 20, whole=True)
    assert len({faces[0].confidence for faces in many}) == 1


def test_a_folder_gives_all_its_faces(tmp_path):
    for name in ("b.png", "a.png"):
        (tmp_path / name).write_bytes(encoded())
    found = ferbook.predict(tmp_path)
    assert [face.source for face in found] == [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    (tmp_path / "c.png").write_bytes(b"broken")
    with pytest.warns(UserWarning, match=r"c\.png: not a readable picture"):
        assert len(ferbook.predict(str(tmp_path))) == 2


def test_boxes_are_taken_as_they_are():
    (found,) = ferbook.predict(ASTRONAUT)
    (again,) = ferbook.predict(ASTRONAUT, boxes=[found.box])
    assert again.probabilities == found.probabilities
    several = ferbook.predict([ASTRONAUT, GRAY], boxes=[[found.box, (0, 0, 9, 9)], []])
    assert [len(faces) for faces in several] == [2, 0] and several[0][0].box == found.box


def test_whole_and_min_face():
    crop = ASTRONAUT[60:150, 180:270]
    assert ferbook.predict(crop, whole=True)[0].box == (0, 0, 90, 90)
    assert ferbook.predict(ASTRONAUT, min_face=300) == []


@pytest.mark.parametrize(
    ("picture", "options", "message"),
    [
        (np.zeros((3, 60, 60), np.uint8), {}, r"array of shape \(3, 60, 60\): expected \(h, w\)"),
        (np.zeros((0, 60), np.uint8), {}, r"array of shape \(0, 60\)"),
        (np.zeros(60, np.uint8), {}, r"array of shape \(60,\)"),
        (np.full((60, 60), 200.0), {}, r"expected numbers of 0 to 1. Received: 200 to 200"),
        (np.full((60, 60), np.nan), {}, "expected numbers of 0 to 1"),
        (np.zeros((60, 60), np.int64), {}, "array of int64: expected uint8, uint16 or"),
        (np.zeros((60, 60), bool), {}, "array of bool"),
        (b"", {}, "bytes: empty"),
        (None, {}, "expected a path, bytes, an array, a PIL image or a list.*NoneType"),
        (np.array([[0, 1.0001]]), {}, "expected numbers of 0 to 1. Received: 0 to 1.0001"),
        ("nowhere.png", {}, r"nowhere\.png: no such file or folder"),
        ("nowhere.png", {"boxes": [(0, 0, 9, 9)]}, r"nowhere\.png: no such file or folder"),
        ("", {}, "an empty name"),
        (300 * "a", {}, "aaa: (not readable|no such file)"),
        (Image.open(io.BytesIO(encoded()[:9000])), {}, "PIL image: not readable"),
        (GRAY, {"boxes": [(0, 0, np.inf, 20)]}, r"expected \(left, top, width, height\)"),
        ("https://example.org/a.png", {}, "nothing is fetched"),
        (GRAY, {"boxes": [(500, 0, 20, 20)]}, "inside 512 x 512 px. Received: .500, 0, 20, 20"),
        (GRAY, {"boxes": [(0, 0, 0, 20)]}, "inside 512 x 512 px"),
        (GRAY, {"boxes": [(0, 0)]}, r"expected \(left, top, width, height\)"),
        ([GRAY], {"boxes": []}, "boxes: expected 1 lists"),
        ([GRAY], {"boxes": 5}, "boxes: expected a list. Received: 5"),
        (GRAY, {"boxes": 5}, "boxes: expected a list. Received: 5"),
        ("~nobody-of-this-name/a.png", {}, "no such file or folder"),
        (GRAY.astype(np.uint16), {}, "expected numbers of 0 to 65,535. Received: at most"),
        (GRAY, {"boxes": [(0, 0, 20, 20)], "whole": True}, "boxes: say where the faces are"),
        (GRAY, {"providers": "TPU"}, "providers: expected a list of names. Received: TPU"),
        (GRAY, {"providers": ["TPU"]}, "providers: expected some of .*CPUExecutionProvider.*TPU"),
        (GRAY, {"model": "nowhere.onnx"}, r"nowhere\.onnx: no readable model"),
    ],
)
def test_what_cannot_be_used_is_told(picture, options, message):
    with pytest.raises(InputError, match=message) as told:
        ferbook.predict(picture, **options)
    assert isinstance(told.value, FerbookError) and isinstance(told.value, ValueError)


@pytest.mark.parametrize(
    ("option", "value"),
    [("every", 0), ("faces", 0), ("min_face", 5), ("smooth", -1.0), ("smooth", float("nan"))],
)
def test_options_out_of_range(tmp_path, option, value):
    (tmp_path / "a.png").write_bytes(encoded())
    with pytest.raises(InputError, match=f"{option}: expected .* Received: {value}"):
        ferbook.predict(tmp_path, **{option: value})


def test_each_picture_of_several_images_is_named():
    animated = io.BytesIO()
    frames = [Image.fromarray(GRAY), Image.fromarray(GRAY[::-1])]
    frames[0].save(animated, "GIF", save_all=True, append_images=frames[1:])
    with pytest.warns(UserWarning, match="only the first of several") as told:
        ferbook.predict([animated.getvalue()] * 2, whole=True)
    assert sorted(str(one.message).split(":")[0] for one in told) == ["pictures[0]", "pictures[1]"]


def test_one_bad_picture_among_several_warns_and_the_others_are_answered(tmp_path):
    with pytest.warns(UserWarning, match=r"pictures\[1\]: nowhere\.png"):
        found = ferbook.predict([GRAY, "nowhere.png", GRAY])
    assert [len(faces) for faces in found] == [1, 0, 1]
    with pytest.warns(UserWarning, match=r"pictures\[0\]: an empty name"):
        assert ferbook.predict([""]) == [[]]


def test_one_bad_picture_of_a_folder_warns_and_the_only_one_is_an_error(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"broken")
    with pytest.raises(InputError, match=r"broken\.png: not a readable picture"):
        ferbook.predict(tmp_path)
    (tmp_path / "blank.png").write_bytes(encoded(np.full((80, 90), 128, np.uint8)))
    with pytest.warns(UserWarning, match=r"broken\.png: not a readable picture"):
        assert ferbook.predict(tmp_path) == []


def test_transparency_multiplied_into_the_grays_is_read():
    """A gray of 50 at half cover is stored as 25 and lies on white: 25 + 127 = 152."""
    image = Image.merge("LA", [Image.new("L", (8, 8), value) for value in (50, 128)])
    np.testing.assert_allclose(pixels.rgb(image.convert("La")), 152, atol=2)


def test_a_model_is_read_once_and_anew_when_its_file_changes(tmp_path):
    from ferbook.inference import pictures

    assert pictures._classifier(None, ()) is pictures._classifier(None, ())
    path = tmp_path / "m.onnx"
    path.write_bytes((pictures.RELEASED / "model-int8.onnx").read_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ferbook.predict(GRAY, model=path, providers=["CPUExecutionProvider"])
    path.write_bytes(b"no model")
    with pytest.raises(InputError, match="not a model exported by ferbook"):
        ferbook.predict(GRAY, model=path)


def test_one_opened_image_several_times(tmp_path):
    """Two threads that decode one Pillow image at once destroy it."""
    Image.fromarray(ASTRONAUT).save(tmp_path / "a.png")
    for _ in range(5):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            image = Image.open(tmp_path / "a.png")
            found = ferbook.predict([image] * 4, whole=True)
        assert [len(faces) for faces in found] == [1] * 4


@pytest.mark.parametrize("option", ["faces", "min_face", "every"])
@pytest.mark.parametrize("value", [1.5, "20"])
def test_options_of_another_kind_are_told_in_a_list_too(tmp_path, option, value):
    picture = tmp_path / "clip.avi" if option == "every" else [ASTRONAUT]
    if option == "every":
        picture.write_bytes(b"RIFF    AVI LIST")
    with pytest.raises(InputError, match=f"{option}: expected a whole number"):
        ferbook.predict(picture, **{option: value})


def test_a_text_is_no_box_and_a_video_no_picture_of_a_list(tmp_path):
    with pytest.raises(InputError, match="expected \\(left, top, width, height\\)"):
        ferbook.predict(ASTRONAUT, boxes=["1234"])
    (tmp_path / "clip.avi").write_bytes(b"RIFF    AVI LIST")
    for source in (tmp_path / "clip.avi", "camera:0"):
        with pytest.warns(UserWarning, match="a video or a camera in a list"):
            assert ferbook.predict([source]) == [[]]
