"""The face detector: its arithmetic by hand, and faces in pictures made here."""

import hashlib
import tracemalloc

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data as pictures

from benchmarks import detection, scenes
from ferbook.inference import centerface, detector
from ferbook.inference.centerface import network, search
from ferbook.inference.face import InputError

GRAY = np.asarray(Image.fromarray(pictures.astronaut()).convert("L"))  # NASA, public domain
MIDDLE = (225, 122)  # of the face, x and y


def test_the_network_is_the_pinned_one_with_its_licence(monkeypatch, tmp_path):
    assert hashlib.sha256(centerface.MODEL.read_bytes()).hexdigest() == centerface.SHA256
    assert "MIT License" in centerface.MODEL.with_name("LICENSE").read_text()
    (tmp_path / "centerface.onnx").write_bytes(b"another")
    monkeypatch.setattr(centerface, "MODEL", tmp_path / "centerface.onnx")
    with pytest.raises(InputError, match=r"centerface\.onnx: altered \(SHA-256\)"):
        network._built.__wrapped__()


def test_a_cell_is_decoded():
    """Cell (row 1, column 2): y = 4 * (1.5 + 0.5), x = 4 * (2.5 - 0.5); 16 px high, 4 px wide.

    The eyes lie 2 px apart across (half of 4) and 2 px down (an eighth of 16): 45 degrees.
    """
    heat, size, offset, marks = (np.zeros((n, 3, 4), np.float32) for n in (1, 2, 2, 10))
    heat[0, 1, 2] = 0.5
    size[:, 1, 2] = np.log(4), np.log(1)
    offset[:, 1, 2] = 0.5, -0.5
    marks[:4, 1, 2] = 0.25, 0.25, 0.375, 0.75
    (spot,) = network.decode(heat, size, offset, marks, 0.4)
    assert spot == pytest.approx([0.5, 8, 8, 8, 45])
    assert len(network.decode(heat, size, offset, marks, 0.5)) == 0


def test_of_overlapping_spots_the_likeliest_stays():
    """Squares of 10 px: 5 px apart they share 50 of 150, 6 px apart 40 of 160."""
    spots = np.array([[0.5, 15, 5, 10, 0], [0.9, 10, 5, 10, 0], [0.7, 4, 5, 10, 0]])
    assert network.of_union(spots[1], spots) == pytest.approx([1 / 3, 1, 1 / 4])
    assert network.best(spots, 0.3)[:, 0].tolist() == [0.9, 0.7]
    assert network.best(spots, 0.4)[:, 0].tolist() == [0.9, 0.7, 0.5]
    assert network.best(spots[:0], 0.3).shape == (0, 5)


def test_a_face_whose_middle_lies_in_another_is_the_same():
    """A small square in a large one, of which it shares 100 of 1,600; and one beside it."""
    spots = np.array([[1, 50, 50, 40, 0], [1, 55, 50, 10, 0], [1, 50, 74, 10, 0]])
    assert network.of_union(spots[0], spots)[1] == pytest.approx(100 / 1600)
    assert network.nearness(spots[0], spots) == pytest.approx([1, 1 - 5 / 40, 1 - 24 / 40])
    assert len(network.best(spots, 0.3)) == 3
    assert network.best(spots, search.MOST_NEAR, network.nearness).tolist() == spots[::2].tolist()


def test_what_is_left_out_is_not_kept_in_memory():
    """A thousand spots apart from each other would be half a million in all rounds, 20 MB."""
    spots = np.array([[1 - i / 1000, 20 * i, 0, 10, 0] for i in range(1000)])
    tracemalloc.start()
    assert len(network.best(spots, 0.3)) == 1000
    assert tracemalloc.get_traced_memory()[1] < 2e6
    tracemalloc.stop()


def test_a_middle_on_the_edge_of_the_larger_square_is_half_near():
    spots = np.array([[1, 50, 50, 40, 0], [1, 70, 50, 10, 0]])
    assert network.nearness(spots[0], spots)[1] == pytest.approx(0.5)
    assert network.nearness(spots[1], spots)[0] == pytest.approx(0.5)
    cut_out = detector.CUT_OUT / 2  # of a side, from the middle to the edge
    assert pytest.approx(1 - cut_out) == search.MOST_NEAR


@pytest.mark.parametrize(
    ("place", "box"),
    [((50, 40, 20), (40, 30, 20, 20)), ((3, 77, 20), (0, 60, 20, 20)),
     ((50, 40, 300), (10, 0, 80, 80))],
)  # fmt: skip
def test_squares_stay_inside_the_picture(place, box):
    assert detector._square(*place, height=80, width=100) == box


@pytest.mark.parametrize("degrees", [0, 30, -45])
def test_a_face_is_found_however_it_is_turned(degrees):
    turn = cv2.getRotationMatrix2D(MIDDLE, -degrees, 1.0)
    picture = cv2.warpAffine(GRAY, turn, GRAY.shape[::-1], borderMode=cv2.BORDER_REFLECT)
    face, cut_out = _middle_face(picture)
    assert _from_face(face) < 20 and 90 < face.box[2] < 170
    assert face.turn_degrees == pytest.approx(degrees, abs=12)
    _, upright = _middle_face(GRAY)
    assert np.corrcoef(cut_out.ravel(), upright.ravel())[0, 1] > 0.8


def test_a_face_turned_a_little_is_left_as_it_is():
    turn = cv2.getRotationMatrix2D(MIDDLE, -9, 1.0)
    picture = cv2.warpAffine(GRAY, turn, GRAY.shape[::-1], borderMode=cv2.BORDER_REFLECT)
    face, cut_out = _middle_face(picture)
    left, top, w, h = face.box
    part = picture[top : top + h, left : left + w]
    assert face.turn_degrees == 0
    np.testing.assert_array_equal(cut_out, cv2.resize(part, (48, 48), interpolation=cv2.INTER_AREA))


def _middle_face(picture):
    """The face nearest to MIDDLE, and its cut-out, turned back."""
    found = detector.faces_in(picture, "", search=detector.Search(min_face=60))
    return min(found, key=lambda one: _from_face(one[0]))


def _from_face(face):
    left, top, w, h = face.box
    return np.hypot(left + w / 2 - MIDDLE[0], top + h / 2 - MIDDLE[1])


def test_turning_back_undoes_turning():
    middle = (255.5, 255.5)
    turn = cv2.getRotationMatrix2D(middle, -30, 1.0)  # OpenCV counts counterclockwise
    there = cv2.warpAffine(GRAY, turn, GRAY.shape[::-1])
    back = search.turned(there, middle, 200, 30, 200)
    assert np.abs(back.astype(int) - GRAY[156:356, 156:356]).mean() < 6


def test_several_faces_are_found_and_none_where_none_is():
    twice = np.hstack([GRAY, GRAY])
    lefts = [box[0] for box, _ in detector.detect(twice, min_face=60)]
    assert len(lefts) == 2 and lefts[1] - lefts[0] == pytest.approx(512, abs=4)
    assert detector.detect(np.full((300, 400), 128, np.uint8)) == []


def test_large_pictures_are_looked_at_in_tiles():
    wide = np.full((1200, 2200), 128, np.uint8)
    wide[600:1112, 1600:2112] = GRAY
    (box, _), *_ = detector.detect(wide, min_face=60)
    assert abs(box[0] + box[2] / 2 - 1825) < 20 and abs(box[1] + box[3] / 2 - 722) < 20


@pytest.mark.parametrize("shape", [(1, 400), (20, 5000), (700, 3)])
def test_thin_pictures_are_searched(shape):
    assert detector.faces_in(np.full(shape, 128, np.uint8), "") == []


def test_a_picture_without_pixels_is_refused():
    with pytest.raises(InputError, match="a picture of 5 x 0 px"):
        detector.faces_in(np.zeros((0, 5), np.uint8), "")


@pytest.mark.parametrize("middle", [(60.25, 32900.5), (10, 3), (99, 33050)])
def test_of_a_long_picture_only_a_part_is_turned(middle):
    """More than 32,766 px a side is more than OpenCV turns; a border goes on in the part too."""
    long = np.random.default_rng(0).integers(0, 255, (33000, 100)).astype(np.uint8)
    ends = {True: (long[:500], 0), False: (long[-500:], 32500)}
    part, top = ends[middle[1] < 500]
    expected = search.turned(part, (middle[0], middle[1] - top), 50, 30, 48)
    found = search.turned(long, middle, 50, 30, 48)
    np.testing.assert_allclose(found, expected, atol=1)


def test_possible_faces_are_looked_at_a_few_at_a_time_and_not_without_end(monkeypatch):
    """Of 40 that are likely, 30 are looked at twice, and then in a mirror."""
    spots = np.array([[0.5, 20 * i, 20, 10, 0] for i in range(40)])
    looked = []

    def look(views, least_score):
        looked.append(len(views))
        return [np.array([[0.9, views.shape[1] / 2, views.shape[2] / 2, 50, 0]])] * len(views)

    monkeypatch.setattr(search, "look", look)
    monkeypatch.setattr(search, "MOST_LIKELY", 30)
    monkeypatch.setattr(search, "_first", lambda scale, level: spots)
    search.find(np.zeros((40, 150), np.uint8), 20)
    assert looked == [16, 14] * 3


def test_faces_and_boxes_belong_together_by_overlap():
    """A box moved by a fifth of the side shares 0.8 / 1.2 = 2/3, by a half 1/3."""
    face = scenes.Placed(0, 50, 50, 20, 0)
    assert detection.overlap(face, (44, 40, 20, 20)) == pytest.approx(2 / 3)
    assert detection.overlap(face, (50, 40, 20, 20)) == pytest.approx(1 / 3)
    assert detection.hits([face], [(44, 40, 20, 20), (50, 40, 20, 20)]) == (1, 1, 1, 1)
    beside = (51, 40, 20, 20)  # its middle is
    assert detection.hits([face], [beside]) == (0, 0, 1, 0)
    assert detection.hits([], [(0, 0, 9, 9)]) == (0, 0, 1, 0)
    assert detection.hits([face], []) == (0, 0, 0, 0)
    assert detection.hits([face], [(45, 45, 5, 5)]) == (0, 1, 1, 1)  # too small


def test_scenes_show_every_face_once(faces):
    condition = scenes.Condition(count=3, sides=(24, 60))
    made = list(scenes.scenes(condition, faces.images[:7], seed=1))
    assert [[place.index for place in placed] for _, placed in made] == [[0, 1, 2], [3, 4, 5], [6]]
    assert all(picture.shape == (480, 640) for picture, _ in made)
