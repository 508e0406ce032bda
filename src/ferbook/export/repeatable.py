"""An ONNX graph whose bytes depend on the network alone, so that its SHA-256 can be rebuilt.

Converters number tensors by how many they have made before, and keep their constants in the order
of a dictionary. Here names follow from the place in the graph.
"""

from __future__ import annotations

from typing import Any


def renamed(model: Any) -> Any:
    """`model`, an onnx.ModelProto without subgraphs, with names and order by place; in place.

    Names of inputs and outputs stay. Raises ValueError when a node holds a graph of its own.
    """
    graph = model.graph
    names = {value.name: value.name for value in (*graph.input, *graph.output)}
    constants = {constant.name: constant for constant in graph.initializer}
    for number, node in enumerate(graph.node):
        if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            raise ValueError(f"{node.op_type}: expected a node without a graph of its own.")
        for place, name in enumerate(node.input):
            if name in constants:
                names.setdefault(name, f"{node.op_type}_{number}_constant_{place}")
        for place, name in enumerate(node.output):
            names.setdefault(name, f"{node.op_type}_{number}_{place}")
        node.name, node.doc_string = f"{node.op_type}_{number}", ""
    _rename(graph, names)
    _name_sizes(graph)
    kept = sorted((c for c in graph.initializer if c.name in names.values()), key=lambda c: c.name)
    del graph.initializer[:], graph.value_info[:]
    graph.initializer.extend(kept)
    graph.name, graph.doc_string, model.doc_string = "ferbook", "", ""
    return model


def _rename(graph: Any, names: dict[str, str]) -> None:
    for node in graph.node:
        for ends in (node.input, node.output):
            ends[:] = [names.get(name, name) if name else "" for name in ends]
    for constant in graph.initializer:
        constant.name = names.get(constant.name, constant.name)


def _name_sizes(graph: Any) -> None:
    """Sizes that a caller chooses, such as that of the batch, are numbered by the converter too."""
    known: dict[str, str] = {}
    for value in (*graph.input, *graph.output):
        for size in value.type.tensor_type.shape.dim:
            if size.dim_param:
                size.dim_param = known.setdefault(size.dim_param, f"n{len(known)}")
