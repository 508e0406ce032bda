"""ImageNet weights of Keras's networks: from Keras's servers, or from a file that was brought.

Keras keeps them in `~/.keras/models` (or `$KERAS_HOME/models`) and downloads what is missing there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras

from ferbook.core.files import read_bytes
from ferbook.training.lite_weights import WeightsError

if TYPE_CHECKING:
    from ferbook.core.recipe import Recipe

# The file without the ImageNet head, and its MD5. Source: keras.applications, which publishes MD5
# alone; a test compares the table with the installed Keras.
KERAS_FILES = {
    "efficientnet_b0": ("efficientnetb0_notop.h5", "50bc09e76180e00e4465e1a485ddc09d"),
    "efficientnet_b2": ("efficientnetb2_notop.h5", "111f8e2ac8aa800a7a99e3239f7bfb39"),
    "efficientnet_b3": ("efficientnetb3_notop.h5", "af6d107764bb5b1abb91932881670226"),
    "vgg16": (
        "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "6d6bbae143d832006294945121d1f1fc",
    ),
}
SOURCE = "https://storage.googleapis.com/keras-applications/"
_SOURCES = {"vgg16": "https://storage.googleapis.com/tensorflow/keras-applications/vgg16/"}
_MAX_BYTES = 1_000_000_000


def bring(backbone: str, file: str | Path) -> Path:
    """Copy the weights of `backbone` in `file` to where Keras looks for them, and return the place.

    Raises WeightsError for a network that is not Keras's and for a file that is not the published
    one, OSError when it cannot be read.
    """
    if backbone not in KERAS_FILES:
        raise WeightsError(
            f"--weights: expected one of {', '.join(KERAS_FILES)} as backbone. "
            f"Received: {backbone}, whose weights come with a package or do not exist."
        )
    name, md5 = KERAS_FILES[backbone]
    found = hashlib.md5(read_bytes(file, _MAX_BYTES), usedforsecurity=False).hexdigest()
    if found != md5:
        raise WeightsError(f"{file}: its MD5 is {found}. Expected {md5}, as of {_url(backbone)}.")
    origin = Path(file).absolute().as_uri()
    return Path(keras.utils.get_file(name, origin, cache_subdir="models", file_hash=md5))


def bring_for(recipes: Sequence[Recipe], file: str | Path) -> Path:
    """`bring` for the first recipe that starts from weights of Keras, else for the first."""
    loads = [r.backbone for r in recipes if r.weights == "imagenet" and r.backbone in KERAS_FILES]
    return bring((loads or [recipes[0].backbone])[0], file)


def loaded(backbone: str, build: Callable[..., keras.Model], **options: Any) -> keras.Model:
    """The network that `build` makes without a head. Raises WeightsError without its weights.

    Keras raises bare exceptions for a server out of reach and for a file cut short.
    """
    try:
        return build(include_top=False, **options)
    except Exception as error:
        if "URL fetch failure" not in str(error) and "corrupted" not in str(error):
            raise
        raise WeightsError(
            f"{backbone}: no ImageNet weights ({error!s:.200}). Download {_url(backbone)} where "
            'there is a network, and give the file as --weights FILE; or choose weights="none".'
        ) from error


def _url(backbone: str) -> str:
    return _SOURCES.get(backbone, SOURCE) + KERAS_FILES[backbone][0]
