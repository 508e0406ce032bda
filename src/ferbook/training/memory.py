"""How much memory a training step needs on a GPU: an estimate from the built model, not measured.

Counted are the outputs of all layers, which the backward pass needs, in two bytes; and weights,
gradients, Adam's two moments and accumulated gradients in four. XLA keeps less of the former,
cuDNN's work space and CUDA itself come on top: RESERVE_BYTES are left for them.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

from ferbook.core.recipe import Recipe
from ferbook.training import models

CARDS_GB = (6, 8, 12, 24)
RESERVE_BYTES = 1.5e9  # a guess


def step_bytes(recipe: Recipe) -> tuple[float, float]:
    """Bytes of a step for each image of a batch, and bytes that do not depend on the batch."""
    model = models.build_model(dataclasses.replace(recipe, weights="none", small_epochs=0))
    leaves = [x for x in model._flatten_layers(include_self=False) if not hasattr(x, "layers")]
    values = sum(math.prod(layer.output.shape[1:]) for layer in leaves)
    counts = models.count_parameters(model, recipe)
    # gradients, two moments, accumulated gradients, averaged weights
    copies = 3 + (recipe.accumulate > 1) + (recipe.ema_momentum > 0)
    networks = 2 if recipe.co_teaching_share else 1
    fixed = 4.0 * (counts["total"] + copies * counts["trainable"])
    return networks * 2.0 * values, networks * fixed


def advice(recipe: Recipe) -> Iterator[str]:
    """A line for each size of card: the batch that should fit, and how the recipe's is kept."""
    whole = not recipe.may_accumulate
    image, fixed = step_bytes(
        recipe if whole else dataclasses.replace(recipe, accumulate=max(2, recipe.accumulate))
    )
    for card in CARDS_GB:
        fitting = (card * 1e9 - RESERVE_BYTES - fixed) / image
        size, steps = recipe.batch_size, recipe.accumulate
        while size > max(1, fitting) and size % 2 == 0 and not whole:
            size, steps = size // 2, steps * 2
        needs = (size * image + fixed) / 1e9
        much = " (too much)" if size > fitting else ""
        yield f"{card} GB: batch_size {size}, accumulate {steps}, about {needs:.1f} GB{much}"
