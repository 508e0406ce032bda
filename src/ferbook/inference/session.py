"""ONNX Runtime as the classifier and the detector use it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def open_session(
    content: bytes,
    providers: Sequence[str] = ("CPUExecutionProvider",),
    unused: Sequence[str] = (),
) -> Any:
    """A session of the model in `content`, which logs errors alone.

    `unused` are optimizers of ONNX Runtime that are left out.

    Its threads sleep while they wait. By default they spin, which takes processor time from whoever
    reads the next pictures, and from other programs.
    """
    import onnxruntime  # late: an import of this package is to cost little

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        content, options, providers=list(providers), disabled_optimizers=list(unused)
    )
