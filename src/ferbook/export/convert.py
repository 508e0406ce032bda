"""A trained run as single files: ONNX and LiteRT, which need none of our code, and Keras.

Preprocessing and calibration are inside the graph. Input `image`: uint8 (n, 48, 48, 1), gray.
Outputs: `probabilities`, float32 (n, 7) in the order of CLASSES, after the temperature found on
validation; `evidence`, float32 (n, h, w, 7), the logits of each place of the last feature map.
Their mean over all places is the logit of each class, so for these networks (average pooling, one
dense layer) they are the class activation maps, and Grad-CAM up to a factor.
Sources: Zhou et al., CVPR 2016; Selvaraju et al., ICCV 2017.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from jaxtyping import UInt8
from keras import layers

from ferbook.core.classes import CLASSES, SIDE
from ferbook.core.errors import FerbookError
from ferbook.export import measure, repeatable
from ferbook.results.run import Run
from ferbook.training import checkpoint, models
from ferbook.training.fast_layers import with_plain_layers

OPSET = 17  # of ONNX; onnxruntime-web and every onnxruntime since 1.12 read it
CALIBRATION_BATCH = 32
LABELS = "labels.txt"  # the classes in the order of the output, which LiteRT's files do not name


class ExportError(FerbookError, ValueError):
    """A run cannot be exported, or its weights are not those of the run."""


def deployable(run: Run, weights: str | Path) -> keras.Model:
    """The run's network with its best `weights`, `runs/<study>/<run>/best.npz`; see above.

    Raises ExportError when its pooling is not the average, CheckpointError when the weights are not
    of this run.
    """
    recipe = run.recipe
    if recipe.pooling != "average":
        raise ExportError(f"{run.name}: exports average over places; this run pools by attention.")
    model = checkpoint.load_network(run, Path(weights))
    temperature = run.temperature
    head = model.get_layer("expression")
    dense = layers.Dense(len(CLASSES), name="evidence")

    image = keras.Input((SIDE, SIDE, 1), dtype="uint8", name="image")
    gray = models.resized(image, recipe.image_size)
    backbone = model.get_layer("backbone")
    if recipe.backbone in models.KERAS_BACKBONES:  # each color has a scale of its own
        gray = layers.Concatenate(name="rgb")([gray, gray, gray])
    else:
        backbone = models.fold_gray(backbone, recipe)
    features = with_plain_layers(_without_dropout(backbone))(gray)
    evidence = dense(features)
    dense.set_weights([array / temperature for array in head.get_weights()])
    logits = layers.GlobalAveragePooling2D(name="pool")(evidence)
    outputs = {"probabilities": layers.Softmax(name="probabilities")(logits), "evidence": evidence}
    return keras.Model(image, outputs, name=run.recipe.name)


def _without_dropout(backbone: keras.Model) -> keras.Model:
    """Stochastic depth switched off, or some converters would keep its random numbers."""
    for layer in backbone.layers:
        if isinstance(layer, layers.Dropout):
            layer.rate = 0.0
    return backbone


def write_all(
    model: keras.Model, images: UInt8[np.ndarray, "n 48 48"], folder: Path, about: dict[str, Any]
) -> dict[str, Path]:
    """Every format and precision into `folder`; int8 is calibrated on `images`, of training.

    Returns name -> file; the classes are written beside them. `about` becomes the metadata of the
    ONNX files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LABELS).write_text("\n".join(CLASSES) + "\n", encoding="utf-8")
    files = {"keras-float32": folder / "model.keras"}
    model.save(files["keras-float32"])
    for precision in ("float32", "float16", "int8"):
        files[f"onnx-{precision}"] = folder / f"model-{precision}.onnx"
        files[f"litert-{precision}"] = folder / f"model-{precision}.tflite"
        content = _litert(model, precision, images)
        files[f"litert-{precision}"].write_bytes(content)
    _write_onnx(model, files, images, about)
    return files


def _write_onnx(
    model: keras.Model, files: dict[str, Path], images: np.ndarray, about: dict[str, Any]
) -> None:
    import onnx
    import tf2onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    signature = [tf.TensorSpec((None, SIDE, SIDE, 1), tf.uint8, name="image")]
    call = tf.function(lambda image: model(image, training=False), input_signature=signature)
    graph, _ = tf2onnx.convert.from_function(call, input_signature=signature, opset=OPSET)
    onnx.save(_labeled(repeatable.renamed(graph), about), files["onnx-float32"])
    half = convert_float_to_float16(onnx.load(files["onnx-float32"]), keep_io_types=True)
    onnx.save(_labeled(half, about), files["onnx-float16"])
    _quantize(files["onnx-float32"], files["onnx-int8"], images)
    onnx.save(_labeled(onnx.load(files["onnx-int8"]), about), files["onnx-int8"])


def _labeled(graph: Any, about: dict[str, Any]) -> Any:
    """`graph` with class names and `about` in its metadata."""
    import onnx

    onnx.helper.set_model_props(
        graph, {"classes": json.dumps(CLASSES), **{k: json.dumps(v) for k, v in about.items()}}
    )
    return graph


def _litert(model: keras.Model, precision: str, images: np.ndarray) -> bytes:
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    return _litert_int8(converter, images) if precision == "int8" else converter.convert()


def _litert_int8(converter: tf.lite.TFLiteConverter, images: np.ndarray) -> bytes:
    """As `_quantize`: the converter's debugger knows the layers by name and can leave some out."""
    converter.representative_dataset = lambda: ([image[None, ..., None]] for image in images)
    tools = tf.lite.experimental
    some = {"converter": converter, "debug_dataset": lambda: ([images[:1, ..., None]],)}
    debugger = tools.QuantizationDebugger(**some)
    debugger.run()
    statistics = io.StringIO()
    debugger.layer_statistics_dump(statistics)
    rows = csv.DictReader(io.StringIO(statistics.getvalue()))
    convolutions = [row["tensor_name"] for row in rows if "CONV" in row["op_name"]]
    options = tools.QuantizationDebugOptions(
        denylisted_nodes=convolutions[: _kept_in_float(convolutions)]
    )
    return tools.QuantizationDebugger(**some, debug_options=options).get_nondebug_quantized_model()


def _quantize(source: Path, target: Path, images: np.ndarray) -> None:
    """int8 weights by channel and uint8 activations, with their ranges seen on `images`."""
    import onnx
    from onnxruntime import quantization

    class Reader(quantization.CalibrationDataReader):
        batches = iter(_batches(images))

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self.batches, None)

    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quantization.quant_pre_process(source, prepared, skip_symbolic_shape=True)
        convolutions = [n.name for n in onnx.load(prepared).graph.node if n.op_type == "Conv"]
        quantization.quantize_static(
            prepared,
            target,
            Reader(),
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            reduce_range=True,  # or sums of products overflow on processors without VNNI
            op_types_to_quantize=["Conv", "Gemm"],
            nodes_to_exclude=convolutions[: _kept_in_float(convolutions)],
        )


def _kept_in_float(convolutions: Sequence[str]) -> int:
    """How many of the first convolutions stay in float.

    They hold few weights and many activations; in int8 they cost Lite2 two points on validation,
    the rest of the network none.
    """
    return min(11, len(convolutions) // 2)


def _batches(images: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
    for i in range(0, len(images), CALIBRATION_BATCH):
        yield {"image": images[i : i + CALIBRATION_BATCH, ..., None]}


def answerer(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """A function from faces, uint8 (n, 48, 48), to probabilities (n, 7), for any exported file."""
    if path.suffix == ".onnx":
        from ferbook.inference.classifier import Classifier

        return Classifier(path).probabilities
    if path.suffix == ".tflite":
        call = measure.litert(path.read_bytes())
        return lambda faces: call(faces[..., None])
    model = keras.models.load_model(path)
    call = tf.function(lambda faces: model(faces, training=False)["probabilities"])
    return lambda faces: call(tf.constant(faces[..., None])).numpy()
