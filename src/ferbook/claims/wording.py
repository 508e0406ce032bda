"""Networks and recipes in a reader's words."""

from __future__ import annotations

from ferbook.core.recipe import Recipe


def network_name(network: str) -> str:
    """A backbone, or a key of parameters.json, as a reader knows it."""
    if network == "vgg16":
        return "VGG16 at 48 px"
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
