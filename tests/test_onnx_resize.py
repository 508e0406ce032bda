"""Resizing inside the graph: OpenCV's grays, and the answers of predict."""

import numpy as np
import pytest
from typer.testing import CliRunner

from ferbook.cli import app
from ferbook.core.files import FileError
from ferbook.inference import classifier, face

onnx = pytest.importorskip("onnx", reason="needs ferbook[export]")
onnxruntime = pytest.importorskip("onnxruntime")
cv2 = pytest.importorskip("cv2")
from ferbook.inference import onnx_resize  # noqa: E402

SIZES = [
    (48, 48),
    (96, 96),
    (97, 131),
    (212, 300),
    (64, 64),
    (64, 40),
    (40, 90),
    (31, 200),
    (50, 46),
    (20, 31),
]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("any") / "model.onnx"
    shown = CliRunner().invoke(app, ["any-size", str(path)])
    assert shown.exit_code == 0, shown.output
    return path


@pytest.fixture(scope="module")
def resizer(tmp_path_factory):
    """The resizing alone."""
    graph = onnx.parser.parse_graph(onnx_resize._GRAPH)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    model.ir_version = 8
    return onnxruntime.InferenceSession(model.SerializeToString())


@pytest.mark.parametrize("shape", SIZES)
def test_grays_are_opencvs(resizer, shape):
    pictures = np.random.default_rng(0).integers(0, 256, (3, *shape), dtype=np.uint8)
    (found,) = resizer.run(None, {"image": pictures[..., None]})
    expected = [cv2.resize(p, (48, 48), interpolation=cv2.INTER_AREA) for p in pictures]
    difference = np.abs(found[..., 0].astype(int) - np.stack(expected))
    assert difference.max() <= 1
    rounds_alike = min(shape) >= 48 and shape not in [(96, 96), (64, 64)]
    assert (difference == 0).mean() > (0.99 if rounds_alike else 0.7)


def test_answers_are_those_of_predict(written, faces):
    """On drawn faces twice and four times as large, one batch for each size."""
    session = onnxruntime.InferenceSession(written)
    released = classifier.Classifier()
    for factor in (1, 2, 4):
        large = faces.images[:16].repeat(factor, axis=1).repeat(factor, axis=2)
        (found,) = session.run(["probabilities"], {"image": large[..., None]})
        assert found == pytest.approx(released.probabilities(faces.images[:16]), abs=1e-5)


def test_predict_takes_such_a_file_and_knows_its_metadata(written, faces):
    model = classifier.Classifier(written)
    assert model.about == classifier.Classifier().about
    expected = classifier.Classifier().probabilities(faces.images[:4])
    assert model.probabilities(faces.images[:4]) == pytest.approx(expected, abs=1e-5)


def test_a_file_of_any_size_and_the_source_itself_are_refused(written, tmp_path):
    with pytest.raises(face.InputError, match="takes faces of any size already"):
        onnx_resize.write(written, tmp_path / "out.onnx")
    (tmp_path / "m.onnx").write_bytes((classifier.RELEASED / "model-int8.onnx").read_bytes())
    with pytest.raises(FileError, match="is to be read and to be written"):
        onnx_resize.write(tmp_path / "m.onnx", tmp_path / "m.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["m.onnx"]


def test_a_file_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"not a model")
    with pytest.raises(face.InputError, match="not a model exported by ferbook"):
        onnx_resize.write(tmp_path / "m.onnx", tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()
