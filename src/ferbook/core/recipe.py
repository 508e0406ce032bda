"""A recipe: everything that decides a training run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ferbook.core import recipe_checks
from ferbook.core.recipe_checks import BACKBONES, OF_WHOLE_BATCHES, RecipeError

__all__ = ["BACKBONES", "Recipe", "RecipeError"]


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
    # Recipes whose runs of the same study and seed teach, between spaces; NAME@128: at 128 px.
    teachers: str = ""
    distillation_share: float = 0.5  # of the teachers' mean answer in a target, beside the label

    def __post_init__(self) -> None:
        recipe_checks.check_types(self)
        recipe_checks.check_values(self)

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
        return not any(getattr(self, name) for name in OF_WHOLE_BATCHES)

    @property
    def teacher_runs(self) -> list[str]:
        """The runs of `teachers`: of the same backbone and seed, and so of the same split.

        Raises RecipeError for one that can be no run.
        """
        return [self._teacher_run(*word.partition("@")) for word in self.teachers.split()]

    def _teacher_run(self, name: str, at: str, size: str) -> str:
        if at and not (size.isascii() and size.isdigit()):
            raise RecipeError(f"teachers: expected NAME@PIXELS. Received: {name}@{size:.20}.")
        size = int(size) if at else self.image_size
        return dataclasses.replace(self, name=name, image_size=size, teachers="").run_name

    @property
    def start_runs(self) -> list[str]:
        """The run of `start_from`, if any: of the same backbone, size and seed."""
        return [dataclasses.replace(self, name=name).run_name for name in self.start_from.split()]
