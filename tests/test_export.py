"""Exports answer as the run did; what they cost is measured; altered files are refused."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")
pytest.importorskip("tf2onnx", reason="needs ferbook[export]")

from ferbook.core.classes import CLASSES  # noqa: E402
from ferbook.core.recipe import Recipe  # noqa: E402
from ferbook.data import splits  # noqa: E402
from ferbook.export import convert, corruptions, deploy  # noqa: E402
from ferbook.inference import classifier, face  # noqa: E402
from ferbook.results import measurements, metrics, store  # noqa: E402
from ferbook.training import models, train  # noqa: E402

# Two input sizes and a second head, as in our recipe.
RECIPE = Recipe(
    name="e", backbone="tiny", weights="none", image_size=64, warmup_epochs=0, finetune_epochs=4,
    finetune_learning_rate=3e-3, train_batch_norm=True, small_epochs=1, small_image_size=32,
    ferplus_loss_weight=0.5, schedule="cosine", class_weight_clip=0,
)  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory, faces):
    folder = tmp_path_factory.mktemp("export")
    places = {"study": "s", "results_dir": folder / "results", "runs_dir": folder / "runs"}
    run = store.load_run(train.train(RECIPE, faces, verbose=0, **places))
    return run, folder / "runs" / "s" / run.name / "best.npz"


@pytest.fixture(scope="module")
def deployed(trained, faces, tmp_path_factory):
    """The folder of the exports and what was measured."""
    folder, (run, weights) = tmp_path_factory.mktemp("deployed"), trained
    released = folder / "released"
    deploy.RELEASED, before = released, deploy.RELEASED
    try:
        places = {"weights": weights, "folder": folder / "x", "results_dir": folder / "results"}
        deploy.deploy(run, faces, release=True, **places)
    finally:
        deploy.RELEASED = before
    return folder, json.loads((folder / "results/deployment" / f"{run.name}.json").read_text())


def test_every_format_answers_as_the_run_did(deployed, trained, faces):
    folder, found = deployed
    run, _ = trained
    test = splits.split(faces).test
    fitted = metrics.with_temperature(run.test, metrics.fit_temperature(run.val))
    assert set(found["exports"]) == {
        "keras-float32", *(f"{kind}-{p}" for kind in ("onnx", "litert")
                           for p in ("float32", "float16", "int8"))
    }  # fmt: skip
    for name, row in found["exports"].items():
        answers = convert.answerer(folder / "x" / row["file"])(test.images)
        np.testing.assert_allclose(answers.sum(axis=1), 1, atol=0.02)
        # float16 rounds what the run stored; int8 rounds every weight and activation.
        atol = 0.15 if "int8" in name else 0.02
        np.testing.assert_allclose(answers, fitted.probabilities, atol=atol, err_msg=name)
        assert row["correct"] == int((answers.argmax(axis=1) == test.labels).sum())
        assert row["total"] == len(test) and row["ms_single"] > 0


@pytest.mark.parametrize(
    ("backbone", "side"),
    [("vgg_small", 48), ("efficientnet_lite0", 33), ("efficientnet_b0", 48), ("vgg16", 48)],
)
def test_every_backbone_is_written_as_keras_alone(backbone, side, faces, tmp_path, monkeypatch):
    recipe = Recipe(name="x", backbone=backbone, weights="none", image_size=side)
    model = models.build_model(recipe)
    for array in model.weights:  # BatchNorm with statistics of its own
        if "moving" in array.path:
            array.assign(array + 0.1)
    monkeypatch.setattr(convert.checkpoint, "load_network", lambda *_: model)
    run = SimpleNamespace(recipe=recipe, name="x", temperature=2.0)
    images = faces.images[:4, ..., None]
    written = convert.deployable(run, tmp_path)
    found = np.asarray(written(images, training=False)["probabilities"])
    resized = tf.image.resize(images, (side, side)).numpy()
    logits = np.log(np.asarray(model(resized, training=False))) / 2
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    written.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert {type(layer).__module__.split(".")[0] for layer in again._flatten_layers()} == {"keras"}
    np.testing.assert_allclose(np.asarray(again(images)["probabilities"]), found, atol=1e-6)


def test_the_order_of_the_answers_is_beside_them(deployed):
    assert (deployed[0] / "x" / "labels.txt").read_text().split() == list(CLASSES)


def test_smaller_precision_is_a_smaller_file(deployed):
    rows = deployed[1]["exports"]
    sizes = [rows[f"onnx-{p}"]["bytes"] for p in ("float32", "float16")]
    assert sizes[1] < sizes[0]


def test_evidence_averages_to_the_logits(deployed, faces):
    model = classifier.Classifier(deployed[0] / "x" / "model-float32.onnx")
    images = faces.images[:5]
    evidence, probabilities = model.evidence(images), model.probabilities(images)
    assert evidence.shape == (5, 8, 8, 7)
    logits = evidence.mean(axis=(1, 2))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, probabilities, atol=1e-4)


def test_model_names_its_classes_and_its_run(deployed, trained):
    model = classifier.Classifier(deployed[0] / "x" / "model-int8.onnx")
    assert model.about["classes"] == list(CLASSES)
    assert model.about["run"] == f"s/{trained[0].name}"


def test_card_pins_the_released_files(deployed, monkeypatch):
    released = deployed[0] / "released"
    monkeypatch.setattr(classifier, "RELEASED", released)
    card = json.loads((released / "card.json").read_text())
    assert set(card["files"]) == {"model-int8.onnx", "model-float16.onnx"}
    path = released / "model-float16.onnx"
    classifier.Classifier(path)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    monkeypatch.chdir(released)
    for altered in (path, "model-float16.onnx", "../released/model-float16.onnx"):
        with pytest.raises(face.InputError, match="altered since its release"):
            classifier.Classifier(altered)


def test_weights_of_another_run_are_refused(trained, faces, tmp_path):
    run, weights = trained
    with pytest.raises(ValueError, match="no weights of"):
        convert.deployable(run, tmp_path / "nowhere.npz")
    with np.load(weights) as arrays:
        other = {k: np.flip(a) if a.ndim == 4 else a for k, a in arrays.items()}
    np.savez(tmp_path / "other.npz", **other)
    with pytest.raises(ValueError, match="they are of another run"):
        other = tmp_path / "other.npz"
        deploy.deploy(run, faces, weights=other, folder=tmp_path, results_dir=tmp_path)
    trial = dataclasses.replace(run, info=run.info | {"final": False})
    with pytest.raises(convert.ExportError, match="is a trial"):
        deploy.deploy(trial, faces, weights=weights, folder=tmp_path, results_dir=tmp_path)
    fewer = faces.select(np.arange(1, len(faces)))  # the first is one of test
    with pytest.raises(convert.ExportError, match="answered 100 test images, and the data hold 99"):
        deploy.deploy(run, fewer, weights=weights, folder=tmp_path, results_dir=tmp_path)
    measurements.write_facts(tmp_path, "deployment", run.name, {"run": f"another/{run.name}"})
    with pytest.raises(convert.ExportError, match=f"json is of another/{run.name}"):
        deploy.deploy(run, faces, weights=weights, folder=tmp_path, results_dir=tmp_path)
    attention = dataclasses.replace(run, info={**run.info, "recipe": {
        **run.info["recipe"], "pooling": "attention"}})  # fmt: skip
    with pytest.raises(ValueError, match="pools by attention"):
        convert.deployable(attention, weights)


@pytest.mark.parametrize("name", corruptions.SEVERITIES)
def test_corruptions_grow_with_severity(name, faces):
    images = faces.images[:40]
    distances = [
        np.abs(corruptions.corrupt(images, name, level).astype(int) - images).mean()
        for level in (1, 3, 5)
    ]
    assert 0 < distances[0] < distances[1] < distances[2]
    np.testing.assert_array_equal(
        corruptions.corrupt(images, name, 2), corruptions.corrupt(images, name, 2)
    )


def test_unknown_corruption_says_what_there_is():
    with pytest.raises(ValueError, match=r"Gaussian noise.*Received: 'fog', 1"):
        corruptions.corrupt(np.zeros((1, 48, 48), np.uint8), "fog", 1)


def test_onnx_files_have_the_same_bytes_each_time(deployed, trained, faces, tmp_path):
    run, weights = trained
    again = convert.write_all(
        convert.deployable(run, weights), faces.images[:64], tmp_path / "y", {"run": "x"}
    )
    third = convert.write_all(
        convert.deployable(run, weights), faces.images[:64], tmp_path / "z", {"run": "x"}
    )
    for name in ("onnx-float32", "onnx-float16", "onnx-int8"):
        assert again[name].read_bytes() == third[name].read_bytes(), name


def test_a_weak_run_is_exported_and_other_weights_are_not(trained, faces):
    """A network that answers nearly one seventh everywhere: classes are ties, probabilities not."""
    run, weights = trained
    test = splits.split(faces).test
    weak, other = convert.deployable(run, weights), convert.deployable(run, weights)
    dense = weak.get_layer("evidence")
    dense.set_weights([array * 1e-4 for array in dense.get_weights()])
    answers = weak.predict(test.images[..., None], verbose=0)["probabilities"].astype(np.float16)
    flat = dataclasses.replace(
        run, test=dataclasses.replace(run.test, probabilities=answers, augmented=None)
    )
    deploy._check_same_answers(weak, flat, test)
    with pytest.raises(convert.ExportError, match="they are of another run"):
        deploy._check_same_answers(other, flat, test)


def test_an_export_never_takes_away_what_else_a_folder_holds(trained, faces, tmp_path):
    (tmp_path / "photographs").mkdir()
    (tmp_path / "photographs/a.jpg").write_text("precious")
    run, weights = trained
    with pytest.raises(ValueError, match=r"holds 'a\.jpg', which would be lost"):
        deploy.deploy(run, faces, weights=weights, folder=tmp_path / "photographs",
                      results_dir=tmp_path / "results")  # fmt: skip
    assert (tmp_path / "photographs/a.jpg").read_text() == "precious"
    assert not (tmp_path / "results").exists()
