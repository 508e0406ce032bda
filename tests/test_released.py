"""The released model as a Keras network: the answers of the ONNX file, and training goes on."""

import doctest
import json
import re
import subprocess
import sys

import numpy as np
import pytest
import yaml
from conftest import ROOT
from test_own_data import put
from typer.testing import CliRunner

tf = pytest.importorskip("tensorflow")
onnx = pytest.importorskip("onnx", reason="needs ferbook[export]")

import onnxruntime  # noqa: E402

import ferbook  # noqa: E402
from ferbook.cli import app  # noqa: E402
from ferbook.core.classes import CLASSES  # noqa: E402
from ferbook.export import released  # noqa: E402
from ferbook.inference import own_data  # noqa: E402
from ferbook.inference.classifier import RELEASED, Classifier  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:.*FER-2013 has 35,887")


@pytest.fixture(scope="module")
def network():
    return ferbook.released_network()


def in_single_precision(path):
    """A session of the model file that computes with its weights, but not in half precision."""
    model = onnx.load(path)
    half, single = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
    for tensor in model.graph.initializer:
        if tensor.data_type == half:
            array = onnx.numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name == "to" and attribute.i == half:
                attribute.i = single
    del model.graph.value_info[:]
    return onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )


def check_same_answers(network, images):
    session = in_single_precision(released.WEIGHTS)
    (expected,) = session.run(["probabilities"], {"image": images[..., None]})
    found = network.predict(images, verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    half = Classifier(released.WEIGHTS).probabilities(images)
    np.testing.assert_allclose(found, half, atol=0.02)


def test_it_answers_as_the_model_file(network, faces):
    check_same_answers(network, faces.images[:32])


def test_it_answers_real_test_images_as_the_model_file(network, fer2013):
    test = fer2013.select(np.flatnonzero(fer2013.usages != "Training")[::100])
    check_same_answers(network, test.images)
    right = network.predict(test.images, verbose=0).argmax(axis=1) == test.labels
    row = json.loads((RELEASED / "card.json").read_text())["files"][released.WEIGHTS.name]
    assert right.mean() == pytest.approx(row["correct"] / row["total"], abs=0.12)


def test_another_architecture_is_refused(monkeypatch):
    card = {**released._card(), "run": "ours/ours-efficientnet_lite0-96-s42"}
    monkeypatch.setattr(released, "_card", lambda: card)
    with pytest.raises(released.ExportError, match=r"model-float16\.onnx: of another architecture"):
        ferbook.released_network()


def test_the_file_is_read_without_this_package_and_has_a_card(network, faces, tmp_path):
    shown = CliRunner().invoke(app, ["network", str(tmp_path / "n")])
    assert shown.exit_code == 0, shown.output
    np.save(tmp_path / "faces.npy", faces.images[:4])
    code = (
        "import sys, keras, numpy as np; model = keras.models.load_model(sys.argv[1]); "
        "np.save(sys.argv[3], model.predict(np.load(sys.argv[2]), verbose=0)); "
        "assert 'ferbook' not in sys.modules"
    )
    files = [tmp_path / name for name in ("n/model.keras", "faces.npy", "answers.npy")]
    subprocess.run([sys.executable, "-c", code, *files], check=True, capture_output=True)
    expected = network.predict(faces.images[:4], verbose=0)
    np.testing.assert_allclose(np.load(files[2]), expected, atol=1e-6)
    _, header, text = (tmp_path / "n/README.md").read_text().split("---\n", 2)
    (result,) = yaml.safe_load(header)["model-index"][0]["results"]
    assert result["metrics"][0]["value"] == 0.693  # 4,974 of 7,178
    assert "4,974 of the 7,178" in text and ", ".join(CLASSES) in text


def test_the_python_of_the_page_loads_it_and_trains_on(network, tmp_path, monkeypatch):
    """On the data set of the page: twelve images of each class for training, three for testing."""
    monkeypatch.chdir(tmp_path)
    for label in CLASSES:
        put(tmp_path / "photos", label, 15)
    own_data.convert(tmp_path / "photos", tmp_path / "my_faces")
    page = ROOT / "book/your_own.md"
    text = "\n".join(re.findall(r"(?ms)^```pycon\n(.*?)^```", page.read_text()))
    test = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(test, clear_globs=False)
    assert runner.failures == 0 and runner.tries == 8
    trained = test.globs["network"]
    pairs = zip(trained.weights, network.weights, strict=True)
    assert all(np.any(new.numpy() != old.numpy()) for new, old in pairs)
    assert len(trained.trainable_weights) == len(trained.weights)
    assert np.isfinite(test.globs["history"].history["loss"]).all()
    assert (tmp_path / "mine.keras").exists()
