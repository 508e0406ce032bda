"""The networks: a backbone, global average pooling, dropout, seven probabilities."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable

import keras
import numpy as np
from keras import layers

from ferbook.core.classes import CLASSES
from ferbook.core.recipe import BACKBONES, Recipe, RecipeError
from ferbook.training import keras_weights, lite_network, lite_weights
from ferbook.training.fast_layers import (
    FusedBatchNormalization,
    fold_batch_norms,
    with_fast_layers,
)

KERAS_BACKBONES = {
    "efficientnet_b0": keras.applications.EfficientNetB0,
    "efficientnet_b2": keras.applications.EfficientNetB2,
    "efficientnet_b3": keras.applications.EfficientNetB3,
    "vgg16": keras.applications.VGG16,
}
# (3x3 convolutions, filters) of each stage before a pooling; with BatchNorm. The first is
# configuration D of Simonyan & Zisserman, ICLR 2015. No ImageNet weights are packaged.
_VGG = {
    "vgg16_bn": (
        (2, 64),
        (2, 128),
        (3, 256),
        (3, 512),
        (3, 512),
    ),
    "vgg_small": ((2, 32), (2, 64), (2, 128), (2, 256)),
    "vgg_medium": ((2, 48), (2, 96), (2, 192), (2, 384)),
}

TWIN = "twin"  # a second network that learns beside the first


def build_model(recipe: Recipe) -> keras.Model:
    """The classifier of `recipe`.

    Input: float32 (n, image_size, image_size, 1), gray in [0, 255]. Output: float32 (n, 7),
    probabilities in the order of CLASSES. Each backbone scales its input inside the graph.
    Raises lite_weights.WeightsError when packaged weights are missing.
    """
    side = _input_side(recipe)
    inputs = keras.Input((side, side, 1), name="grey")
    rgb = layers.Concatenate(name="rgb")([inputs, inputs, inputs])
    features = build_backbone(recipe)(rgb)
    pooled = _pool(features, recipe)
    dropped = layers.Dropout(recipe.dropout, seed=recipe.seed, name="dropout")(pooled)
    # float32 also under mixed precision: a softmax in float16 loses small probabilities.
    outputs = layers.Dense(len(CLASSES), "softmax", dtype="float32", name="expression")(dropped)
    return keras.Model(inputs, outputs, name=recipe.run_name.replace("-", "_"))


def build_backbone(recipe: Recipe, *, channels: int = 3) -> keras.Model:
    """The feature extractor, RGB in [0, 255] to a feature map, named "backbone"."""
    side = _input_side(recipe)
    inputs = keras.Input((side, side, channels))
    if recipe.backbone in KERAS_BACKBONES:
        outputs = _keras_features(recipe, inputs)
    elif recipe.backbone in lite_network.SCALES:
        outputs = lite_network.features(recipe, inputs)
    elif recipe.backbone in _VGG:
        outputs = _vgg_features(recipe, inputs)
    else:
        outputs = _tiny_features(inputs)
    backbone = keras.Model(inputs, outputs, name="backbone")
    fold_batch_norms(backbone)
    if recipe.backbone in lite_network.SCALES and recipe.weights == "imagenet":
        lite_network.assign(backbone, lite_weights.read_lite_weights(recipe.backbone))
    if recipe.backbone in ("tiny", *_VGG) and recipe.weights == "imagenet":
        raise lite_weights.WeightsError(
            f'{recipe.backbone}: no ImageNet weights exist; choose weights="none".'
        )
    return backbone


def resized(image: keras.KerasTensor, side: int) -> keras.KerasTensor:
    """float32 (n, side, side, c), bilinear.

    Keras's layer Resizing does the same, but lets every layer behind it believe that the model is
    in training unless its caller says that it is not.
    """
    return keras.ops.image.resize(keras.ops.cast(image, "float32"), (side, side))


def freeze_backbone(model: keras.Model) -> None:
    """Phase 1: only the heads learn."""
    for backbone in _backbones(model):
        backbone.trainable = False


def unfreeze(model: keras.Model, recipe: Recipe) -> None:
    """Phase 2: all layers learn; BatchNorm keeps its statistics unless `train_batch_norm`."""
    for backbone in _backbones(model):
        backbone.trainable = True
        _freeze_batch_norms(backbone.layers, frozen=not recipe.train_batch_norm)


def _freeze_batch_norms(some: Iterable[keras.Layer], *, frozen: bool) -> None:
    for layer in some:
        if isinstance(layer, layers.BatchNormalization):
            layer.trainable = not frozen


def _backbones(model: keras.Model) -> list[keras.Model]:
    """The backbone of `model`, and that of the network that learns beside it, if any."""
    twins = [layer for layer in model.layers if layer.name == TWIN]
    return [network.get_layer("backbone") for network in (model, *twins)]


def fold_gray(backbone: keras.Model, recipe: Recipe) -> keras.Model:
    """The same function of a gray picture (n, h, w, 1) as of its threefold repetition.

    The first kernel is summed over its three input channels. Also worth doing before quantization:
    kernels that compare colors cancel on gray, but their rounded weights do not.
    Raises RecipeError for a network of Keras's, which scales each color in its own way.
    """
    if recipe.backbone in KERAS_BACKBONES:
        raise RecipeError(f"backbone: {recipe.backbone} cannot be folded; its inputs differ.")
    folded = build_backbone(dataclasses.replace(recipe, weights="none"), channels=1)
    arrays = backbone.get_weights()
    arrays[0] = arrays[0].sum(axis=2, keepdims=True)  # (h, w, 3, filters)
    folded.set_weights(arrays)
    return folded


def count_parameters(model: keras.Model, recipe: Recipe) -> dict[str, int]:
    """{"total", "trainable"} in phase 2, computed from the weights of the built model."""
    unfreeze(model, recipe)
    return _counted(model)


def _counted(model: keras.Model) -> dict[str, int]:
    return {
        "total": sum(math.prod(w.shape) for w in model.weights),
        "trainable": sum(math.prod(w.shape) for w in model.trainable_weights),
    }


def count_multiply_adds(model: keras.Model) -> int:
    """Multiply-adds of one image's forward pass in convolutions and dense layers."""
    total = 0
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D, layers.Dense)):
            places = math.prod(layer.output.shape[1:-1])  # 1 for a dense layer
            total += places * math.prod(layer.kernel.shape)
    return total


def without_loading(recipe: Recipe) -> Recipe:
    """The recipe of the same network whose weights come from elsewhere.

    Keras builds an EfficientNet for ImageNet with a layer more, which has no weights.
    """
    if recipe.backbone in KERAS_BACKBONES and recipe.backbone != "vgg16":
        return recipe
    return dataclasses.replace(recipe, weights="none")


def count_all_parameters() -> dict[str, dict[str, int]]:
    """{"total", "trainable", "multiply_adds"} of every backbone at 48 px with random weights.

    Three networks that the original's Table III speaks of follow under names of their own.
    """
    recipes = {name: Recipe(backbone=name, weights="none", image_size=48) for name in BACKBONES}
    recipes["efficientnet_b2_260"] = Recipe(weights="none")
    with keras.device("cpu:0"):  # not in the memory of a GPU, which a training needs next
        built = {name: build_model(recipe) for name, recipe in recipes.items()}
        # As published for ImageNet, with their thousand classes.
        built["efficientnet_b2_imagenet"] = keras.applications.EfficientNetB2(weights=None)
        built["vgg16_imagenet"] = keras.applications.VGG16(weights=None)
    counts = {name: count_parameters(built[name], recipe) for name, recipe in recipes.items()}
    for name in ("efficientnet_b2_imagenet", "vgg16_imagenet"):
        _freeze_batch_norms(built[name].layers, frozen=True)
        counts[name] = _counted(built[name])
    for name, model in built.items():
        counts[name]["multiply_adds"] = count_multiply_adds(model)
    return counts


def _pool(features: keras.KerasTensor, recipe: Recipe) -> keras.KerasTensor:
    """(n, h, w, c) to (n, c): the mean over all places, or one weighted by learned attention."""
    if recipe.pooling == "attention":
        scores = layers.Conv2D(1, 1, name="attention_scores")(features)
        weights = layers.Softmax(axis=(1, 2), name="attention")(scores)
        return keras.ops.sum(features * weights, axis=(1, 2))
    return layers.GlobalAveragePooling2D(name="pool")(features)


def _input_side(recipe: Recipe) -> int | None:
    """The side of the input; None where the recipe trains on two sizes."""
    return None if recipe.small_epochs else recipe.image_size


def _keras_features(recipe: Recipe, inputs: keras.KerasTensor) -> keras.KerasTensor:
    # "imagenet" at construction: loading the weights later would leave out a 1/sqrt(std) scaling.
    named = None if recipe.weights == "none" else recipe.weights
    build = KERAS_BACKBONES[recipe.backbone]
    if recipe.backbone == "vgg16":  # the only one whose preprocessing is not in its graph
        blue_green_red = inputs[..., ::-1] - np.array([103.939, 116.779, 123.68], "float32")
        shape = tuple(inputs.shape[1:])
        network = keras_weights.loaded(recipe.backbone, build, weights=named, input_shape=shape)
        return network(blue_green_red)
    network = keras_weights.loaded(recipe.backbone, build, weights=named, input_tensor=inputs)
    return with_fast_layers(network, stem_stride=recipe.stem_stride).output


def _vgg_features(recipe: Recipe, inputs: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.Rescaling(1 / 128, offset=-127 / 128)(inputs)
    for stage, (repeats, filters) in enumerate(_VGG[recipe.backbone]):
        for index in range(repeats):
            name = f"stage{stage}_{index}"
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"{name}_conv")(x)
            x = FusedBatchNormalization(epsilon=lite_network.EPSILON, name=f"{name}_bn")(x)
            x = layers.ReLU(name=f"{name}_relu")(x)
        x = layers.MaxPooling2D(name=f"stage{stage}_pool")(x)
    return x


def _tiny_features(inputs: keras.KerasTensor) -> keras.KerasTensor:
    """Three small convolutions, for smoke runs and tests."""
    x = layers.Rescaling(1 / 128, offset=-127 / 128)(inputs)
    for filters in (16, 32, 64):
        x = layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(epsilon=lite_network.EPSILON)(x)
        x = layers.ReLU(6.0)(x)
    return x
