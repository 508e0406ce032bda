"""An exported ONNX file with the resizing of `predict` put into its graph.

ONNX has no area interpolation, but it is linear: along each axis the output is a product with the
matrix of shares that input pixels have in output pixels. The graph builds both matrices from the
input's shape, so one file takes any height and width. Where a side is below 48 px, OpenCV mixes two
pixels along each axis, the second of which stands for all that follow in the output pixel's area.
Grays are OpenCV's or differ by one: it mixes two pixels in whole numbers, and rounds some halves
another way.
"""

from __future__ import annotations

from pathlib import Path

from ferbook.core.writing import check_place, refuse_sources, whole_file
from ferbook.inference.classifier import Classifier
from ferbook.inference.face import InputError

# Of each axis: shares[i, k] = length of pixel k inside [i, i + 1] * size / 48, over size / 48.
_AXIS = """
    {a}_size = Gather <axis = 0> (shape, {at})
    {a}_length = Cast <to = 1> ({a}_size)
    {a}_scale = Div ({a}_length, side)
    {a}_places = Mul (rows, {a}_length)
    {a}_start = Div ({a}_places, side)
    {a}_end = Add ({a}_start, {a}_scale)
    {a}_pixels = Range (zero, {a}_length, one)
    {a}_next = Add ({a}_pixels, one)
    {a}_low = Max ({a}_start, {a}_pixels)
    {a}_high = Min ({a}_end, {a}_next)
    {a}_inside = Sub ({a}_high, {a}_low)
    {a}_covered = Max ({a}_inside, zero)
    {a}_shares = Div ({a}_covered, {a}_scale)
"""
# The same with two pixels.
_TWO = """
    {a}_first = Floor ({a}_start)
    {a}_second = Add ({a}_first, one)
    {a}_to = Min ({a}_end, {a}_second)
    {a}_within = Sub ({a}_to, {a}_start)
    {a}_own = Div ({a}_within, {a}_scale)
    {a}_rest = Sub (one, {a}_own)
    {a}_is_first = Equal ({a}_pixels, {a}_first)
    {a}_is_second = Equal ({a}_pixels, {a}_second)
    {a}_tail = Where ({a}_is_second, {a}_rest, zero)
    {a}_two = Where ({a}_is_first, {a}_own, {a}_tail)
    {a}_matrix = Where (enlarges, {a}_two, {a}_shares)
"""
_GRAPH = (
    """
resize (uint8[n, height, width, 1] image) => (uint8[n, 48, 48, 1] face) {
    zero = Constant <value = float {0.0}> ()
    one = Constant <value = float {1.0}> ()
    side = Constant <value = float {48.0}> ()
    white = Constant <value = float {255.0}> ()
    first = Constant <value = int64 {1}> ()
    second = Constant <value = int64 {2}> ()
    last = Constant <value = int64[1] {3}> ()
    column = Constant <value = int64[2] {48, 1}> ()
    order = Range (zero, side, one)
    rows = Reshape (order, column)
    shape = Shape (image)
"""
    + _AXIS.format(a="down", at="first")
    + _AXIS.format(a="across", at="second")
    + """
    shorter = Min (down_length, across_length)
    enlarges = Less (shorter, side)
"""
    + _TWO.format(a="down")
    + _TWO.format(a="across")
    + """
    gray = Cast <to = 1> (image)
    plane = Squeeze (gray, last)
    lower = MatMul (down_matrix, plane)
    turned = Transpose <perm = [1, 0]> (across_matrix)
    small = MatMul (lower, turned)
    whole = Round (small)
    bounded = Clip (whole, zero, white)
    bytes = Cast <to = 2> (bounded)
    face = Unsqueeze (bytes, last)
}
"""
)


def write(source: Path, target: Path) -> None:
    """Write `source`, an exported ONNX file, to `target` with input uint8 (n, height, width, 1).

    Outputs and metadata stay as they are. Raises InputError when `source` is no such file, takes
    any size already, or the package onnx is missing; FileError when `target` is `source`, lies in
    no folder, or is another file that is there and not named .onnx.
    """
    try:
        import onnx
        import onnx.parser
    except ImportError as error:
        raise InputError(
            "any-size needs the package onnx: pip install '.[export]' in a checkout."
        ) from error
    Classifier(source)  # says what is wrong with it
    refuse_sources([target], [source])
    check_place(target, ".onnx")
    model, resize = onnx.load(source), onnx.parser.parse_graph(_GRAPH)
    if not model.graph.input[0].type.tensor_type.shape.dim[1].dim_value:
        raise InputError(f"{source}: takes faces of any size already.")
    body = list(model.graph.node)
    for node in body:
        node.input[:] = ["resized_face" if name == "image" else name for name in node.input]
    for node in resize.node:  # names of their own
        node.input[:] = [name if name == "image" else f"resized_{name}" for name in node.input]
        node.output[:] = [f"resized_{name}" for name in node.output]
    del model.graph.node[:], model.graph.input[:]
    model.graph.node.extend([*resize.node, *body])
    model.graph.input.extend(resize.input)
    onnx.checker.check_model(model)
    with whole_file(target) as unfinished:
        onnx.save(model, unfinished)
