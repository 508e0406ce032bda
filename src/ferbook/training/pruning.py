"""Weights set to zero by magnitude, for good.

Source: Han et al., "Learning both Weights and Connections for Efficient Neural Networks", NeurIPS
2015; here over all kernels at once.
"""

from __future__ import annotations

import keras
import numpy as np


def kernels(model: keras.Model) -> list[keras.Variable]:
    """What can be pruned: the trained weights of convolutions and dense layers."""
    return [weight for weight in model.trainable_weights if len(weight.shape) > 1]


def pruned(arrays: list[np.ndarray], share: float) -> list[np.ndarray]:
    """`arrays` with the smallest `share` of all their entries, by magnitude, set to zero."""
    if not 0 <= share < 1:
        raise ValueError(f"share: expected 0 <= share < 1. Received: {share}.")
    if share == 0:
        return arrays
    threshold = np.quantile(np.abs(np.concatenate([a.ravel() for a in arrays])), share)
    return [np.where(np.abs(a) > threshold, a, 0).astype(a.dtype) for a in arrays]


def prune(model: keras.Model, share: float) -> None:
    """Set the smallest `share` of all kernels' entries to zero and keep them there in training."""
    variables = kernels(model)
    before = [keras.ops.convert_to_numpy(variable) for variable in variables]
    for variable, array in zip(variables, pruned(before, share), strict=True):
        variable.assign(array)
        variable.constraint = _Kept(array != 0)  # which the optimizer applies after each step


class _Kept(keras.constraints.Constraint):
    def __init__(self, kept: np.ndarray):
        self.kept = kept.astype(np.float32)

    def __call__(self, kernel):
        return kernel * keras.ops.cast(self.kept, kernel.dtype)
