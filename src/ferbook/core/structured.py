"""YAML and JSON of bounded size, without what their standards leave open, and of a known shape."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import yaml

from ferbook.core.files import FileError, StoreError, quoted, read_text

MAX_YAML_BYTES = 300_000  # the largest has 45,000; PyYAML takes seconds for this many
MAX_INTEGER_BITS = 1024  # of a whole number in YAML, as large as a float can be


class _Loader(yaml.SafeLoader):
    """YAML without aliases, repeated keys, NaN and infinity."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        # A few nested aliases stand for more text than any memory holds.
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not read; write the value again")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        _refuse_repeated(keys)
        return super().construct_mapping(node, deep)

    def construct_finite(self, node: Any) -> float:
        return _finite(self.construct_yaml_float(node))

    def construct_short(self, node: Any) -> int:
        # Python prints no whole number of thousands of digits, so that no message could name it.
        if (value := self.construct_yaml_int(node)).bit_length() > MAX_INTEGER_BITS:
            raise yaml.YAMLError(f"a whole number of more than {MAX_INTEGER_BITS:,} bits")
        return value


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_short)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_finite)


def read_yaml(path: str | Path) -> dict[str, Any]:
    """A YAML file whose top level is a mapping.

    Raises FileError when it is not YAML, not a mapping, names a key twice or holds a number that
    is none (.nan, .inf); FileNotFoundError when it is absent.
    """
    text = read_text(path, MAX_YAML_BYTES)
    try:
        content = yaml.load(text, _Loader)
    except Exception as error:  # PyYAML raises many kinds for a tag, a date or a deep nest
        raise FileError(f"{path}: not a YAML file: {_trouble(error):.300}") from error
    if not isinstance(content, dict):
        raise FileError(f"{path}: expected a mapping. Received: {type(content).__name__}.")
    return content


def _trouble(error: Exception) -> str:
    """What the YAML reader says, in one line."""
    mark, problem = (getattr(error, name, None) for name in ("problem_mark", "problem"))
    return f"line {mark.line + 1}: {problem}" if mark else " ".join(str(error).split())


def read_json(path: str | Path) -> dict[str, Any]:
    """A JSON object.

    Raises StoreError when the file holds anything else, a key twice, NaN or an infinite number.
    """
    try:
        value = parse_json(read_text(path))
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path}: not JSON ({error!s:.200}).") from error
    if not isinstance(value, dict):
        raise StoreError(f"{path}: expected an object. Received: {type(value).__name__}.")
    return value


def parse_json(text: str) -> Any:
    """JSON as its standard has it. Raises ValueError for a key twice, NaN or infinity."""
    return json.loads(
        text, object_pairs_hook=_unique, parse_constant=_finite, parse_float=_finite
    )  # fmt: skip


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    _refuse_repeated([key for key, _ in pairs])
    return dict(pairs)


def _refuse_repeated(keys: list[Any]) -> None:
    seen = set()
    for key in keys:
        if key in seen:
            raise ValueError(f"the key {quoted(key)} stands twice")
        seen.add(key)


def _finite(number: str | float) -> float:
    if not math.isfinite(float(number)):
        raise ValueError(f"{number} is not a finite number")
    return float(number)


def require(path: Path, value: Any, shape: Any, where: str = "") -> Any:
    """`value` if it has the kinds of `shape`: a type, several, [type], or a mapping of such.

    Numbers count or last: none may be negative.
    """
    if isinstance(shape, dict):
        fits = isinstance(value, dict)
        for key in shape if fits else ():
            if key not in value:
                raise StoreError(f"{path}: {where}no {key}.")
            require(path, value[key], shape[key], f"{where}{key}: ")
    elif isinstance(shape, list):
        fits = isinstance(value, list) and all(type(item) is shape[0] for item in value)
    else:
        kinds = shape if isinstance(shape, tuple) else (shape, int) if shape is float else (shape,)
        fits = type(value) in kinds and not (type(value) in (int, float) and value < 0)
    if not fits:
        words = {dict: "a mapping", list: f"a list of {shape}", tuple: f"one of {shape}"}
        kind = words.get(type(shape), getattr(shape, "__name__", ""))
        raise StoreError(f"{path}: {where}expected {kind}. Received: {value!s:.80}.")
    return value
