"""EfficientNet-Lite: no squeeze-and-excitation, ReLU6, stem and head of fixed width."""

from __future__ import annotations

import math

import keras
import numpy as np
from keras import layers

from ferbook.core.recipe import Recipe
from ferbook.training.fast_layers import (
    FastDepthwiseConv2D,
    FusedBatchNormalization,
    PointwiseConv2D,
)

# (width, depth) multipliers. Source: the EfficientNet-Lite release of TensorFlow's TPU models.
SCALES = {
    "efficientnet_lite0": (1.0, 1.0),
    "efficientnet_lite1": (1.0, 1.1),
    "efficientnet_lite2": (1.1, 1.2),
}
# (repeats, kernel, stride, expansion, filters) of EfficientNet's seven stages.
# Source: Tan & Le, ICML 2019, Table 1.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
EPSILON = 1e-3


def features(recipe: Recipe, inputs: keras.KerasTensor) -> keras.KerasTensor:
    """EfficientNet-Lite: no squeeze-and-excitation, ReLU6, stem and head of fixed width."""
    x = layers.Rescaling(1 / 128, offset=-127 / 128)(inputs)
    x = _convolution(x, 32, 3, recipe.stem_stride, name="stem")
    blocks = _lite_blocks(*SCALES[recipe.backbone])
    for index, (kernel, stride, expansion, filters) in enumerate(blocks):
        rate = recipe.drop_path_rate * index / len(blocks)
        x = _block(x, index, kernel, stride, expansion, filters, rate, recipe.seed)
    return _convolution(x, 1280, 1, 1, name="head")


def _lite_blocks(width: float, depth: float) -> list[tuple[int, int, int, int]]:
    """(kernel, stride, expansion, filters) of every block."""
    blocks = []
    for stage, (repeats, kernel, stride, expansion, filters) in enumerate(_STAGES):
        # Lite keeps the first and the last stage at their depth.
        if 0 < stage < len(_STAGES) - 1:
            repeats = math.ceil(repeats * depth)
        filters = _round_filters(filters * width)
        blocks += [(kernel, stride if i == 0 else 1, expansion, filters) for i in range(repeats)]
    return blocks


def _round_filters(filters: float) -> int:
    """To the nearest multiple of 8, but never down by more than a tenth (as in MobileNet)."""
    rounded = max(8, int(filters + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * filters else rounded


def _block(x, index, kernel, stride, expansion, filters, drop_rate, seed) -> keras.KerasTensor:
    """MBConv without squeeze-and-excitation: expand, filter depthwise, project, add."""
    name, shortcut = f"block{index}", x
    if expansion > 1:
        x = _convolution(x, x.shape[-1] * expansion, 1, 1, name=f"{name}_expand")
    x = FastDepthwiseConv2D(
        kernel, stride, padding="same", use_bias=False, name=f"{name}_depthwise_conv"
    )(x)
    x = FusedBatchNormalization(epsilon=EPSILON, name=f"{name}_depthwise_bn")(x)
    x = layers.ReLU(6.0, name=f"{name}_depthwise_relu")(x)
    x = _convolution(x, filters, 1, 1, name=f"{name}_project", activate=False)
    if stride > 1 or shortcut.shape[-1] != filters:
        return x
    if drop_rate > 0:  # stochastic depth: the whole branch of an image is dropped
        drop = layers.Dropout(drop_rate, (None, 1, 1, 1), seed=seed + index, name=f"{name}_drop")
        x = drop(x)
    return layers.Add(name=f"{name}_add")([shortcut, x])


def _convolution(x, filters, kernel, stride, *, name, activate=True) -> keras.KerasTensor:
    layer = PointwiseConv2D if kernel == stride == 1 else layers.Conv2D
    x = layer(filters, kernel, stride, padding="same", use_bias=False, name=f"{name}_conv")(x)
    x = FusedBatchNormalization(epsilon=EPSILON, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x) if activate else x


def assign(backbone: keras.Model, state: dict[str, np.ndarray]) -> None:
    """Put a torch state dict into the Lite backbone, by order of layers and check of shapes."""
    convolutions = [v for k, v in state.items() if v.ndim == 4]
    norms = [k.removesuffix(".running_mean") for k in state if k.endswith(".running_mean")]
    kernels = iter(convolutions)
    prefixes = iter(norms)
    for layer in backbone.layers:
        if isinstance(layer, layers.DepthwiseConv2D):
            layer.set_weights([next(kernels).transpose(2, 3, 0, 1)])  # (c, 1, h, w)
        elif isinstance(layer, layers.Conv2D):
            layer.set_weights([next(kernels).transpose(2, 3, 1, 0)])  # (out, in, h, w)
        elif isinstance(layer, layers.BatchNormalization):
            prefix = next(prefixes)
            names = ("weight", "bias", "running_mean", "running_var")
            layer.set_weights([state[f"{prefix}.{name}"] for name in names])
