"""Weights set to zero by magnitude, for good.

Source: Han et al., "Learning both Weights and Connections for Efficient Neural Networks", NeurIPS
2015, whose threshold is a multiple of each layer's standard deviation; here one multiple for all.
"""

from __future__ import annotations

import keras
import numpy as np


def kernels(model: keras.Model) -> list[keras.Variable]:
    """What can be pruned: the trained weights of convolutions and dense layers."""
    return [weight for weight in model.trainable_weights if len(weight.shape) > 1]


def pruned(arrays: list[np.ndarray], share: float) -> list[np.ndarray]:
    """`arrays` with `share` of all their entries set to zero, those that are smallest.

    An entry's size is its magnitude in standard deviations of its array: else a layer of small
    weights, which batch normalization scales up again, would go as a whole.
    """
    if not 0 <= share < 1:
        raise ValueError(f"share: expected 0 <= share < 1. Received: {share}.")
    if share == 0:
        return arrays
    sizes = [np.abs(a) / max(a.std(), np.finfo(a.dtype).tiny) for a in arrays]
    threshold = np.quantile(np.concatenate([size.ravel() for size in sizes]), share)
    return [
        np.where(size > threshold, a, 0).astype(a.dtype)
        for a, size in zip(arrays, sizes, strict=True)
    ]


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
