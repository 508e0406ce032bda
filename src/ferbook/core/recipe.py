"""A recipe: everything that decides a training run."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ferbook.core.errors import FerbookError
from ferbook.core.typed import unlike

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


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run, with the original paper's values as defaults.

    Units stand in the names; fractions are of the image side, learning rates per step.
    Raises RecipeError, naming the field and the value received, when a value makes no sense.
    """

    name: str = "paper"
    backbone: str = "efficientnet_b2"
    weights: str = "imagenet"
    image_size: int = 260  # px
    seed: int = 42
    train_images: int = 0  # 0: all of the training split; else a stratified subset, to try things
    deduplicate_train: bool = False  # one of equal images, none with a twin in val or test
    # Its control: as many images of each class as deduplicate_train leaves, drawn at random.
    distinct_counts: bool = False
    grouped_split: bool = False  # pixel-identical images: either all train or all validate
    batch_size: int = 32
    accumulate: int = 1  # batches whose mean gradient is one step of the optimizer
    stem_stride: int = 2  # of an EfficientNet's first convolution
    pooling: str = "average"  # of the last feature map; or "attention", with learned weights
    dropout: float = 0.5
    drop_path_rate: float = 0.2  # after EfficientNet-Lite's last block; Keras's own keep 0.2
    # Phase 1: the head alone, backbone frozen, Adam.
    warmup_epochs: int = 3
    warmup_learning_rate: float = 1e-3
    # Phase 2: all layers but BatchNorm, AdamW.
    finetune_epochs: int = 7
    finetune_learning_rate: float = 3e-5
    finetune_optimizer: str = "adamw"
    weight_decay: float = 1e-4  # of AdamW
    train_batch_norm: bool = False
    schedule: str = "plateau"  # or "cosine", over all steps, without early stopping
    lr_warmup_fraction: float = 0.1  # of the cosine's steps: linear rise to the learning rate
    small_epochs: int = 0  # the first so many epochs of phase 2 see smaller images
    small_image_size: int = 64  # px
    ema_momentum: float = 0.0  # of averaged weights, which are then those evaluated; 0: none
    sam_radius: float = 0.0  # of sharpness-aware minimization, over all weights; 0: none
    label_smoothing: float = 0.06
    class_weight_clip: float = 4.0
    early_stopping_patience: int = 3  # epochs
    plateau_factor: float = 0.3
    plateau_patience: int = 2  # epochs
    # Augmentation, training images only.
    rotation_degrees: float = 25.0
    shift_fraction: float = 0.15
    zoom_fraction: float = 0.25
    shear_degrees: float = 0.1  # the paper's "0.1" is read by Keras as degrees
    horizontal_flip: bool = True
    erasing_probability: float = 0.0  # of a gray rectangle over part of an image
    mixup_alpha: float = 0.0  # Beta(alpha, alpha) blends of two images; 0: none
    cutmix_alpha: float = 0.0  # the same with a rectangle of the other image pasted in; 0: none
    ferplus_loss_weight: float = 0.0  # of a second head's loss on the FER+ votes; 0: no such head
    landmark_loss_weight: float = 0.0  # of a head's loss on eyes, nose and mouth; 0: no such head
    # Of each batch, the highest losses of one network, from which a second does not learn, and the
    # other way round; 0: no second network.
    co_teaching_share: float = 0.0
    start_from: str = ""  # recipe whose run of the same study and seed gives the first weights
    pruned_share: float = 0.0  # of all kernels' entries, the smallest at the start, kept at zero
    teachers: str = ""  # recipes whose runs of the same study and seed teach, between spaces
    distillation_share: float = 0.5  # of the teachers' mean answer in a target, beside the label

    def __post_init__(self) -> None:
        _check_types(self)
        _check_values(self)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Recipe:
        """A recipe from the fields that `values` (say, a notebook's parameters) names."""
        names = [field.name for field in dataclasses.fields(cls)]
        return cls(**{name: values[name] for name in names if name in values})

    @property
    def run_name(self) -> str:
        """`<recipe>-<backbone>-<image_size>-s<seed>`: the folder of the run in the result store."""
        return f"{self.name}-{self.backbone}-{self.image_size}-s{self.seed}"

    @property
    def may_accumulate(self) -> bool:
        """Whether a step may be the mean gradient of several batches."""
        return not any(getattr(self, name) for name in _OF_WHOLE_BATCHES)

    @property
    def teacher_runs(self) -> list[str]:
        """The runs of `teachers`: of the same backbone, size and seed, and so of the same split."""
        return [dataclasses.replace(self, name=name).run_name for name in self.teachers.split()]

    @property
    def start_runs(self) -> list[str]:
        """The run of `start_from`, if any: of the same backbone, size and seed."""
        return [dataclasses.replace(self, name=name).run_name for name in self.start_from.split()]


def _check_types(recipe: Recipe) -> None:
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
_OF_WHOLE_BATCHES = ("ema_momentum", "sam_radius", "co_teaching_share")


def _check_values(recipe: Recipe) -> None:
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
        value, own = getattr(recipe, name), getattr(Recipe, name)
        if value != own and not recipe.backbone.startswith(kind):
            raise RecipeError(
                f"{name}: only the backbones {kind}... take another than {own}. "
                f"Received: {value} for {recipe.backbone}."
            )


def _check_together(recipe: Recipe) -> None:
    for name in _OF_WHOLE_BATCHES:
        if recipe.accumulate > 1 and getattr(recipe, name):
            raise RecipeError(
                f"{name}: works on whole batches; needs accumulate 1. "
                f"Received: accumulate {recipe.accumulate}."
            )
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
