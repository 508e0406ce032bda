"""What a recipe may hold: kinds, ranges, and what makes no sense together."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

from ferbook.core.errors import FerbookError
from ferbook.core.typed import unlike

if TYPE_CHECKING:
    from ferbook.core.recipe import Recipe

BACKBONES = (
    "efficientnet_b0",
    "efficientnet_b2",
    "efficientnet_b3",
    "efficientnet_lite0",
    "efficientnet_lite1",
    "efficientnet_lite2",
    "vgg16",
    "vgg16_bn",
    "vgg_small",
    "vgg_medium",
    "tiny",
)
WEIGHTS = ("imagenet", "none")
SCHEDULES = ("plateau", "cosine")
OPTIMIZERS = ("adam", "adamw")
POOLINGS = ("average", "attention")


class RecipeError(FerbookError, ValueError):
    """A recipe asks for what makes no sense, or for what this machine or code cannot do."""


OF_WHOLE_BATCHES = ("ema_momentum", "sam_radius", "co_teaching_share")


def check_types(recipe: Recipe) -> None:
    """Raises RecipeError for a field of another kind than its default; 4 stands for 4.0."""
    for field in dataclasses.fields(recipe):
        value, kind = getattr(recipe, field.name), type(field.default)
        if trouble := unlike(kind, value):
            raise RecipeError(f"{field.name}: expected {kind.__name__}. {trouble}")
        object.__setattr__(recipe, field.name, kind(value))  # YAML writes 4.0 as 4


_CHOICES = {
    "backbone": BACKBONES, "weights": WEIGHTS, "schedule": SCHEDULES,
    "finetune_optimizer": OPTIMIZERS, "pooling": POOLINGS,
}  # fmt: skip
_SMALLEST = {"vgg_small": 16, "vgg_medium": 16, "vgg16_bn": 32, "vgg16": 32}  # px
_MORE_THAN_ZERO = (
    "image_size", "small_image_size", "batch_size", "accumulate", "warmup_learning_rate",
    "finetune_learning_rate", "stem_stride",
)  # fmt: skip
_LESS_THAN_ONE = (
    "dropout", "drop_path_rate", "ema_momentum", "label_smoothing", "shift_fraction",
    "zoom_fraction", "plateau_factor", "lr_warmup_fraction", "co_teaching_share", "pruned_share",
)  # fmt: skip
_AT_MOST_ONE = ("erasing_probability", "distillation_share")


def check_values(recipe: Recipe) -> None:
    """Raises RecipeError for a value out of range, and for values that make no sense together."""
    for name, allowed in _CHOICES.items():
        if getattr(recipe, name) not in allowed:
            raise RecipeError(
                f"{name}: expected one of {', '.join(allowed)}. "
                f"Received: {getattr(recipe, name)!r}."
            )
    if not re.fullmatch(r"[A-Za-z0-9_]{1,100}", recipe.name):
        raise RecipeError(
            "name: expected letters, digits and underscores, of ASCII and at most a hundred. "
            f"Received: {recipe.name!r:.200}."
        )
    for field in dataclasses.fields(recipe):
        _check_range(field.name, getattr(recipe, field.name))
    _check_together(recipe)


def _check_range(name: str, value: Any) -> None:
    if name in _MORE_THAN_ZERO and not value > 0:
        raise RecipeError(f"{name}: expected more than 0. Received: {value!r}.")
    if isinstance(value, (int, float)) and not 0 <= value < float("inf"):
        raise RecipeError(f"{name}: expected 0 or more and finite. Received: {value!r}.")
    if type(value) is int and name != "seed" and value >= 2**31:
        raise RecipeError(f"{name}: expected less than {2**31}. Received: {value!r:.40}.")
    if name == "seed" and value >= 2**32:  # NumPy's
        raise RecipeError(f"seed: expected less than {2**32}. Received: {value!r}.")
    if name in _LESS_THAN_ONE and not value < 1:
        raise RecipeError(f"{name}: expected less than 1. Received: {value!r}.")
    if name in _AT_MOST_ONE and value > 1:
        raise RecipeError(f"{name}: expected at most 1. Received: {value!r}.")


def _check_size(recipe: Recipe) -> None:
    """Of the input, in which the halvings of a network leave something."""
    least = _SMALLEST.get(recipe.backbone, 1)
    sizes = {"image_size": recipe.image_size}
    if recipe.small_epochs:
        sizes["small_image_size"] = recipe.small_image_size
    for name, size in sizes.items():
        if not least <= size <= recipe.image_size:
            raise RecipeError(
                f"{name}: expected at least {least}, for {recipe.backbone}, and at most "
                f"image_size, {recipe.image_size}. Received: {size}."
            )


def _check_parts(recipe: Recipe) -> None:
    """What a network does not have cannot be changed."""
    for name, kind in (("drop_path_rate", "efficientnet_lite"), ("stem_stride", "efficientnet")):
        value, own = getattr(recipe, name), getattr(type(recipe), name)
        if value != own and not recipe.backbone.startswith(kind):
            raise RecipeError(
                f"{name}: only the backbones {kind}... take another than {own}. "
                f"Received: {value} for {recipe.backbone}."
            )


def _check_together(recipe: Recipe) -> None:
    for name in OF_WHOLE_BATCHES:
        if recipe.accumulate > 1 and getattr(recipe, name):
            raise RecipeError(
                f"{name}: works on whole batches; needs accumulate 1. "
                f"Received: accumulate {recipe.accumulate}."
            )
    _check_methods(recipe)
    for name in ("mixup_alpha", "cutmix_alpha"):
        if recipe.landmark_loss_weight and getattr(recipe, name):
            raise RecipeError(
                f"landmark_loss_weight: an image of two faces has no landmarks; needs {name} 0. "
                f"Received: {name} {getattr(recipe, name)}."
            )
    if recipe.deduplicate_train and recipe.distinct_counts:
        raise RecipeError(
            "distinct_counts: is the control of deduplicate_train; one of them. Received: both."
        )
    _check_size(recipe)
    _check_parts(recipe)
    if len(set(recipe.teacher_runs)) < len(recipe.teacher_runs):
        raise RecipeError(f"teachers: expected each once. Received: {recipe.teachers!r:.200}.")
    if len(recipe.start_from.split()) > 1:
        raise RecipeError(
            f"start_from: expected one name or none. Received: {recipe.start_from!r:.200}."
        )
    if recipe.small_epochs > recipe.finetune_epochs:
        raise RecipeError(
            f"small_epochs: expected at most finetune_epochs ({recipe.finetune_epochs}). "
            f"Received: {recipe.small_epochs!r}."
        )
    if recipe.small_epochs and recipe.schedule == "plateau":
        raise RecipeError(
            "small_epochs: validation images of two sizes do not compare, and the plateau goes by "
            "them; needs schedule cosine. Received: schedule plateau."
        )
    if recipe.warmup_epochs + recipe.finetune_epochs < 1:
        raise RecipeError("warmup_epochs and finetune_epochs: expected at least one epoch in all.")


def _check_methods(recipe: Recipe) -> None:
    """What undoes another part, or the schedule."""
    for name in OF_WHOLE_BATCHES:  # they would move what pruning keeps at zero
        if recipe.pruned_share and getattr(recipe, name):
            raise RecipeError(f"pruned_share: needs {name} 0. Received: {getattr(recipe, name)}.")
    if recipe.co_teaching_share and recipe.schedule == "plateau":
        raise RecipeError(
            "co_teaching_share: leaves out losses of validation images too, ever more of them, so "
            "that a plateau means nothing; needs schedule cosine. Received: schedule plateau."
        )
