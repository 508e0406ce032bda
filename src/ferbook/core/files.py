"""Files: read with a bound on their size, written whole or not at all."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ferbook.core.errors import FerbookError

MAX_TEXT_BYTES = 10_000_000  # of a YAML or JSON file; the largest of the project has 45,000


class FileError(FerbookError, ValueError):
    """A file is too large, not text, or not of the form that it should have."""


class StoreError(FerbookError, ValueError):
    """A run in the store is damaged or contradicts itself."""


class _Loader(yaml.SafeLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:
        # A few nested aliases stand for more text than any memory holds.
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not read; write the value again")
        return super().compose_node(parent, index)


def read_text(path: str | Path) -> str:
    """A text file of bounded size. Raises FileError when it is larger or not UTF-8."""
    with open(path, "rb") as file:
        content = file.read(MAX_TEXT_BYTES + 1)
    if len(content) > MAX_TEXT_BYTES:
        raise FileError(f"{path}: more than {MAX_TEXT_BYTES / 1e6:.0f} MB.")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise FileError(f"{path}: not UTF-8 ({error}).") from error


def read_yaml(path: str | Path) -> dict[str, Any]:
    """A YAML file whose top level is a mapping.

    Raises FileError when it is not YAML or not a mapping, FileNotFoundError when it is absent.
    """
    text = read_text(path)
    try:
        content = yaml.load(text, _Loader)
    except Exception as error:  # PyYAML raises many kinds for a tag, a date or a deep nest
        raise FileError(f"{path}: not a YAML file: {error}") from error
    if not isinstance(content, dict):
        raise FileError(f"{path}: expected a mapping. Received: {type(content).__name__}.")
    return content


def write_atomically(path: Path, content: bytes) -> None:
    """Write to a temporary file beside `path`, flush to disk, rename."""
    _sweep(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _sweep(path: Path) -> None:
    """Remove what killed writers of `path` left behind; the temporary name holds their process."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        try:
            os.kill(int(left.suffixes[-2][1:]), 0)
        except ProcessLookupError:
            left.unlink(missing_ok=True)
        except (ValueError, IndexError, OverflowError, OSError):  # not ours, or somebody else's
            pass


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """JSON, indented, sorted as given, without NaN."""
    write_atomically(path, (json.dumps(value, indent=1, allow_nan=False) + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. Raises StoreError when the file holds anything else."""
    try:
        value = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path}: not JSON ({error}).") from error
    if not isinstance(value, dict):
        raise StoreError(f"{path}: expected an object. Received: {type(value).__name__}.")
    return value


def require(path: Path, value: Any, shape: Any, where: str = "") -> Any:
    """`value` if it has the kinds of `shape`: a type, several, [type], or a mapping of such."""
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
        fits = type(value) in kinds
    if not fits:
        words = {dict: "a mapping", list: f"a list of {shape}", tuple: f"one of {shape}"}
        kind = words.get(type(shape), getattr(shape, "__name__", ""))
        raise StoreError(f"{path}: {where}expected {kind}. Received: {value!s:.80}.")
    return value
