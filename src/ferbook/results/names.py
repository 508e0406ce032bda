"""What a reader calls runs, recipes, changes of a recipe, networks and other models.

The one map for captions, legends, tables and the ledger.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from ferbook.core.recipe import Recipe

ORIGINAL = "original, as reported"
OTHERS = "others"
RECIPES = {
    "paper": "original\u2019s recipe",
    "ours": "our recipe with FER+",
    "ours_longer": "our recipe with FER+, longer",
    "ours_larger": "our recipe with FER+, longer and larger",
    "ours_distilled": "our recipe with FER+, longer, taught by two runs",
    "ours_longer_no_ferplus": "our recipe without FER+, longer",
    "ours_no_ferplus": "our recipe without FER+",
    "ours_scratch": "our second recipe",
    "ours_dense": "our third recipe",
    "quick": "smoke run",
}
_FAMILIES = ("paper", "ours", "ours_no_ferplus", "ours_scratch")
_KIN = {"ours_dense": "ours_scratch", "ours_longer_no_ferplus": "ours_no_ferplus"}
ACTORS = (ORIGINAL, *(RECIPES[name] for name in _FAMILIES), OTHERS)
"""Whoever a result belongs to; each has one color in the book, see `paper.plots`."""

# Study of a grid -> the recipe that it changes, and what tells it from other grids around it.
_GRIDS = {
    "paper_changes": ("paper", ""),
    "paper_rates": ("paper", "rates grid, "),
    "scratch": ("ours_no_ferplus", ""),
    "scratch_rates": ("ours_no_ferplus", "rates grid, "),
    "short_paper_changes": ("paper", "short grid, "),
    "ten_epoch_paper_changes": ("paper", "ten epochs, "),
    "ours_changes": ("ours", ""),
    "leak": ("ours", "copies grid, "),
    "remedies": ("ours", "remedies grid, "),
    "short_ours_changes": ("ours", "short grid, "),
    "short_scratch": ("ours", "short grid, "),
}
_CHANGES = {
    "base": "the recipe itself",
    "b2": "EfficientNetB2", "b3": "EfficientNetB3",
    "batch_norm": "one phase, BatchNorm learns",
    "distilled": "taught by three runs",
    "erasing": "with random erasing",
    "higher_rate": "a higher learning rate",
    "larger": "larger images",
    "schedule": "our optimizer and schedule",
    "sharpness_aware": "sharpness-aware minimization",
    "softer": "milder augmentation and dropout",
    "strong_augmentation": "stronger augmentation",
    "unweighted": "class weights left out as well",
    "vgg16": "VGG16", "vgg16_bn": "VGG16 with BatchNorm",
    "wider": "a wider network",
    "adam": "Adam in place of AdamW",
    "attention": "attention pooling",
    "co_teaching": "co-teaching",
    "bare": "one phase, no regularizers",
    "distinct": "without copies in training",
    "fewer": "as many images, drawn at random",
    "alike": "as many images of each class, drawn at random",
    "double_rate": "twice the learning rate",
    "double_rate_frozen": "twice the rate, BatchNorm frozen",
    "frozen_batch_norm": "BatchNorm frozen",
    "half_rate": "half the learning rate",
    "landmarks": "with a landmark head",
    "lite0": "EfficientNet-Lite0", "lite1": "EfficientNet-Lite1", "lite2": "EfficientNet-Lite2",
    "longer": "more epochs",
    "longer_cosine": "more epochs, cosine schedule",
    "no_clip": "class weights not clipped",
    "no_erasing": "without random erasing",
    "no_ferplus": "without FER+",
    "no_smoothing": "without label smoothing",
    "no_votes": "without FER+",
    "no_warmup": "without phase 1",
    "retrained": "trained further, nothing pruned",
    "votes": "with FER+",
}  # fmt: skip
_VGGS = {
    "vgg16": "VGG16 at 48 px",
    "vgg16_bn": "VGG16 with BatchNorm",
    "vgg_small": "small VGG",
    "vgg_medium": "medium VGG",
}
_MODELS = {
    "fer_quantized": "fer, quantized",
    "gabor": "Gabor filters",
    "hog": "HOG",
    "lbp": "LBP",
    "lbp_hog_gabor": "LBP, HOG and Gabor",
}

_ROUNDING = 0.05  # of a core: processor time is measured a little longer than a run
_RUNTIMES = {"keras": "Keras", "onnx": "ONNX", "litert": "LiteRT"}


def display_name(study: str, recipe: Recipe) -> str:
    """A run by its recipe and, where these tell it from others, its network, size and change."""
    if study not in _GRIDS:
        return ", ".join([recipe_name(recipe.name), *scale(recipe)])
    words = f"{grid_recipe(study)}, {_GRIDS[study][1]}{scale_words(recipe)}"
    change = change_name(recipe.name)
    is_told = recipe.name == "base" or change in words  # as another network is
    return words if is_told else f"{words}: {change}"


def recipe_name(name: str) -> str:
    """A recipe; one of a reader's own as `change_name` has it."""
    return RECIPES.get(name) or change_name(name)


def change_name(name: str) -> str:
    """An entry of a grid's `changes` or `steps`, or a recipe of no known family."""
    if rate := re.fullmatch(r"(?:.*_)?(\de)(\d)", name):
        return f"learning rate {rate[1]}-{rate[2]}"
    if share := re.fullmatch(r"pruned_(\d+)(_longer)?", name):
        return f"{share[1]}% of the weights pruned" + (", trained longer" if share[2] else "")
    words = name.replace("_", " ")
    return _CHANGES.get(name, f"without {words[3:]}" if words.startswith("no ") else words)


def model_name(name: str) -> str:
    """A packaged model or a classical baseline, by its folder in the store."""
    return _MODELS.get(name, name.replace("_", " "))


def file_name(export: str) -> str:
    """An exported file, by its key in the measurements: "onnx-int8" as "ONNX, int8"."""
    runtime, precision = export.split("-")
    return f"{_RUNTIMES.get(runtime, runtime)}, {precision}"


def actor(study: str, recipe: Recipe) -> str:
    """Which of ACTORS a run belongs to: a variant of a recipe to that recipe.

    Runs of no known recipe count as ours.
    """
    known, _ = _GRIDS.get(study, (recipe.name, ""))
    found = RECIPES.get(_KIN.get(known, known))
    return found if found in ACTORS else RECIPES["ours"]


def scale(recipe: Recipe) -> tuple[str, ...]:
    """Network and input size; nothing for our recipe as it is released, nor for a smoke run."""
    released = recipe.backbone == "efficientnet_lite2" and recipe.image_size == 96
    if recipe.name == "quick" or (released and recipe.name != "paper"):
        return ()
    network = network_name(recipe.backbone).split(" at ")[0].removeprefix("EfficientNet-")
    return network, f"{recipe.image_size} px"


def network_name(network: str) -> str:
    """A backbone, or a key of parameters.json, as a reader knows it."""
    if network in _VGGS:
        return _VGGS[network]
    parts = network.split("_")
    if parts[0] == "efficientnet":
        lite = parts[1].startswith("lite")
        parts[:2] = [
            f"EfficientNet-{parts[1].title()}" if lite else f"EfficientNet{parts[1].upper()}"
        ]
    name, *detail = parts
    name = name.upper() if name.startswith("vgg") else name
    if not detail:
        return name
    return f"{name} for ImageNet" if detail == ["imagenet"] else f"{name} at {detail[0]} px"


def scale_words(recipe: Recipe) -> str:
    """Network, input size, and what is unusual about the images or the weights."""
    words = [f"{network_name(recipe.backbone).split(' at ')[0]} at {recipe.image_size} px"]
    if recipe.train_images:
        words.append(f"{recipe.train_images:,} training images")
    if recipe.weights == "none":
        words.append("random weights")
    return ", ".join(words)


def grid_words(study: str, recipe: Recipe) -> str:
    """What a grid changes, as a sentence: its base and the scale that it is run at."""
    changed, rate = grid_recipe(study), small_number(recipe.finetune_learning_rate)
    epochs = recipe.warmup_epochs + recipe.finetune_epochs
    return (
        f"{changed[0].upper()}{changed[1:]} on {scale_words(recipe)}, learning rate {rate}, "
        f"{epochs} epochs{', split by groups of copies' * recipe.grouped_split}."
    )


def grid_recipe(study: str) -> str:
    """What a grid changes, one part at a time: smaller, shorter or at another rate than a recipe.

    A grid of a reader's own has its name.
    """
    if study not in _GRIDS:
        return study
    changed = RECIPES[_GRIDS[study][0]]
    return f"variant of {'the ' * changed.startswith('original')}{changed}"


def seed_count(count: int) -> str:
    """So many seeds, in words."""
    return f"{count} seed{'s' * (count != 1)}"


def seed_words(count: int) -> str:
    """Over how many seeds an accuracy is meant, in words."""
    return f"mean of {seed_count(count)}" if count > 1 else "one seed"


def small_number(value: float) -> str:
    """A number as it is; below 0.01, such as a learning rate, "3e-5"."""
    digits, power = f"{value:e}".split("e")
    return f"{float(digits):g}e{int(power)}" if 0 < abs(value) < 0.01 else f"{value:g}"


def processor_name(hardware: Mapping[str, Any]) -> str:
    """A processor and how many of its cores were used, of a run or a measurement."""
    count = usable_cores(hardware)
    return f"{hardware['cpu']}, {count} core{'s' * (count != 1)}"


def usable_cores(hardware: Mapping[str, Any]) -> int:
    """The cores that a process could use; all, where only these are recorded."""
    return hardware.get("usable_cores") or hardware["cores"]


def hardware_name(info: Mapping[str, Any]) -> str:
    """GPUs, processor and cores that `info`, of a run or a measurement, names."""
    processor = processor_name(info["hardware"] | {"usable_cores": _cores_used(info)})
    device = info.get("device", {})
    return f"{gpu_name(device)}; {processor}" if device.get("kind") == "gpu" else processor


def _cores_used(info: Mapping[str, Any]) -> int:
    """The usable cores, or as many as the processor time of a run needs: they may have changed."""
    busy = info["cpu_seconds"] / info["seconds"] if "cpu_seconds" in info else 0
    return max(usable_cores(info["hardware"]), math.ceil(busy - _ROUNDING))


def gpu_name(device: Mapping[str, Any]) -> str:
    """The GPUs of a run, as its run.json names them under "device"."""
    return f"{device['count']} x {device['names'][0]}"
