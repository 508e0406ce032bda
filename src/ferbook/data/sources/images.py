"""Images in the folders of Kaggle's archive, as arrays."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from io import BufferedIOBase
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ferbook.core.classes import CLASSES, SIDE
from ferbook.core.files import quoted
from ferbook.data.faces import DataError, Faces
from ferbook.data.sources import explanations
from ferbook.data.sources.containers import Container, clean

MAX_IMAGE_BYTES = 64 * 1024  # the largest file of the official archive has 2,483 bytes
MAX_FILES = 100_000  # the official archive has 35,887
_FILE = re.compile(
    r"(?:(?!\.{1,2}/)[^/]+/){0,3}"  # folders above, as unpacking makes them
    r"((train|test)/([^/]+)/(Training|PublicTest|PrivateTest)_(\d+)\.)((?i:jpe?g|png))"
)


def read_images(source: Path, container: Container, sizes: list[tuple[str, int]]) -> Faces:
    """The images of `container` that `sizes` names; all are judged before one is decoded."""
    names = _check(source, sizes)
    images, labels, files = [], [], []
    for name, file in container.opened(names.keys()):
        images.append(_decode(source, name, file))
        labels.append(CLASSES.index(names[name].split("/")[1]))
        files.append(names[name])
    return Faces(
        np.stack(images), np.array(labels, np.uint8), np.array(files, dtype=str), "fer2013"
    )


def _check(source: Path, sizes: Iterable[tuple[str, int]]) -> dict[str, str]:
    """Each entry's name as Kaggle's archive has it, by its name here."""
    names: dict[str, str] = {}
    seen: set[str] = set()
    for name, size in sizes:
        plain = _plain_name(source, clean(name))
        if plain in seen:
            raise DataError(f"{source}: two entries are called {plain}. Fetch the archive again.")
        if size > MAX_IMAGE_BYTES:
            raise DataError(
                f"{source}: {name} has {size:,} bytes; a {SIDE}x{SIDE} image has at most "
                f"{MAX_IMAGE_BYTES:,}. This is not the FER-2013 archive."
            )
        seen.add(plain)
        names[name] = plain
        if len(names) > MAX_FILES:
            raise DataError(f"{source}: more than {MAX_FILES:,} files; FER-2013 has 35,887.")
    return names


def _plain_name(source: Path, name: str) -> str:
    """`name` without folders above and in the archive's case; rejects all other forms."""
    match = _FILE.fullmatch(name)
    if match is None:
        raise DataError(
            f"{source}: unexpected file {quoted(name)}. Expected names such as "
            "train/angry/Training_3908.jpg or test/happy/PrivateTest_1043.jpg. "
            f"{explanations.of_name(name)}".rstrip()
        )
    folder, label, usage = match[2], match[3], match[4]
    if label not in CLASSES:
        raise DataError(
            f"{source}: unknown class folder {label!r} in {name!r}. "
            f"Expected one of {', '.join(CLASSES)}. {explanations.of_class(label)}".rstrip()
        )
    if (folder == "train") != (usage == "Training"):
        raise DataError(f"{source}: {name!r} is a {usage} image in the folder {folder!r}.")
    suffix = match[6].lower()
    return match[1] + ("jpg" if suffix == "jpeg" else suffix)


def _decode(source: Path, name: str, file: BufferedIOBase) -> UInt8[np.ndarray, "48 48"]:
    content = file.read(MAX_IMAGE_BYTES + 1)  # an announced size is the archive's word, not a fact
    if len(content) > MAX_IMAGE_BYTES:
        raise DataError(f"{source}: {name} unpacks to more than {MAX_IMAGE_BYTES:,} bytes.")
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as image:
            if image.size != (SIDE, SIDE):
                raise DataError(
                    f"{source}: {name} is {image.size[0]}x{image.size[1]} pixels. "
                    f"Expected {SIDE}x{SIDE}."
                )
            return _gray(source, name, image)
    except DataError:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{source}: {name} is not a readable JPEG or PNG ({error}).") from error


def _gray(source: Path, name: str, image: Image.Image) -> UInt8[np.ndarray, "48 48"]:
    """8-bit gray, also where it was stored as color with three equal channels."""
    if image.mode == "L":
        return np.asarray(image)
    if image.mode in ("RGB", "RGBA", "LA", "P"):
        values = np.asarray(image.convert("RGBA"))
        same = (values[..., :3] == values[..., :1]).all()
        if same and (values[..., 3] == 255).all():
            return np.ascontiguousarray(values[..., 0])
    raise DataError(
        f"{source}: {name} has pixels of mode {image.mode} that are not 8-bit gray. "
        "FER-2013 has no colors, and no transparency."
    )
