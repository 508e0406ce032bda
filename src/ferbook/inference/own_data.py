"""A data set of one's own in the form of FER-2013: faces of 48 x 48 px in gray, in seven classes.

Pictures lie in folders by class, such as `angry/1.jpg`, or below `train/` and `test/` as well.
They become gray and small exactly as `ferbook predict` makes them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from ferbook.core.classes import CLASSES
from ferbook.core.files import walk
from ferbook.core.writing import check_writable, whole_folder
from ferbook.data.faces import DataError
from ferbook.data.sources import explanations
from ferbook.inference import formats
from ferbook.inference.detector import Search, faces_in
from ferbook.inference.face import InputError
from ferbook.inference.media import read_picture

_PARTS = {"train": "train", "training": "train", "test": "test", "testing": "test",
          "val": "val", "validation": "val"}  # fmt: skip
_TESTS = ("PublicTest", "PrivateTest")
_EXPECTED = f"Expected {', '.join(CLASSES)}."


@dataclass
class Converted:
    """How many pictures were written, and which were left out, each with its reason."""

    written: int = 0
    left_out: list[str] = field(default_factory=list)


def convert(
    source: Path,
    target: Path,
    *,
    test_share: float = 0.2,
    seed: int = 42,
    renamed: Mapping[str, str] | None = None,
    crop: bool = False,
) -> Converted:
    """Write the pictures below `source` as a folder that `ferbook.load` reads with subset=True.

    Without train/ and test/ in `source`, `test_share` of each class is drawn for testing with
    `seed`. Pictures below val/ are test images where there is no test/, and else training images,
    of which a training draws its own validation images. Test images go to PublicTest and
    PrivateTest in turn. `renamed` maps the name of a folder to a class, or to "" to leave it out.
    With `crop`, the largest face of a picture above 64 px is taken, else the whole picture. Copies
    with the same pixels are written once.

    Raises DataError for a folder of no known class, for a class with too few pictures, for a
    `source` that is no folder, and for a `target` that exists or lies in `source`.
    """
    if not 0 < test_share < 1:
        raise DataError(f"test share: expected a fraction between 0 and 1. Received: {test_share}.")
    if seed < 0:
        raise DataError(f"seed: expected a whole number from 0 on. Received: {seed}.")
    _check_folders(source, target)
    for folder, label in (renamed or {}).items():
        if label.lower() not in (*CLASSES, ""):
            raise DataError(f"{folder} is to be renamed: {label!r} is no class. {_EXPECTED}")
    result = Converted()
    found = _find(source, renamed or {}, result)
    faces = list(_small_faces(found, crop, result))
    usages = _usages([(label, part) for label, part, _ in faces], test_share, seed)
    _check(source, [label for label, _, _ in faces], usages, result.left_out)
    with whole_folder(target) as folder:
        for number, ((label, _, face), usage) in enumerate(zip(faces, usages, strict=True)):
            part = "train" if usage == "Training" else "test"
            path = folder / part / label / f"{usage}_{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(face).save(path)
    result.written = len(faces)
    return result


def _check_folders(source: Path, target: Path) -> None:
    if not source.is_dir():
        raise DataError(f"{source}: not a folder. Give one with pictures in folders by class.")
    if target.exists():
        raise DataError(f"{target}: is there already. Give a new folder.")
    if target.resolve().is_relative_to(source.resolve()):
        raise DataError(f"{target}: lies in {source}. Give a folder elsewhere.")
    check_writable(target)


def _find(
    source: Path, renamed: Mapping[str, str], result: Converted
) -> list[tuple[Path, str, str]]:
    """(path, class, "train", "test" or "") of each picture below `source`."""
    found = []
    files, unseen = walk(source)
    result.left_out += unseen
    if unknown := sorted(set(renamed) - {path.parent.name for path in files}):
        raise DataError(f"{source}: no folder {unknown[0]} in it, which is to be renamed.")
    for path in files:
        inside = path.relative_to(source)
        if formats.kind_of(path) not in ("picture", "HEIC"):
            result.left_out.append(f"{path}: not a picture of {', '.join(formats.READ)}")
        elif label := _label(path, inside.parts, renamed):
            parts = [_PARTS[name.lower()] for name in inside.parts if name.lower() in _PARTS]
            found.append((path, label, parts[0] if parts else ""))
    parts = {part for _, _, part in found}
    if "" in parts and len(parts) > 1:
        raise DataError(f"{source}: some pictures are below train/ or test/ and some are not.")
    val = "train" if "test" in parts else "test"
    return [(path, label, val if part == "val" else part) for path, label, part in found]


def _label(path: Path, inside: tuple[str, ...], renamed: Mapping[str, str]) -> str:
    """The class of the folder that `path` lies in; "" where it is to be left out."""
    if len(inside) == 1:
        raise DataError(f"{path}: in no folder that says its class. {_EXPECTED}")
    folder = inside[-2]
    label = renamed.get(folder, folder).lower()
    if label in CLASSES or (folder in renamed and label == ""):
        return label
    raise DataError(
        f"{path}: {folder!r} is no class. {_EXPECTED} Say what "
        f"it means, --rename {folder}=happy, or leave it out, --rename {folder}=. "
        f"{explanations.of_class(folder)}".rstrip()
    )


def _small_faces(
    found: Iterable[tuple[Path, str, str]], crop: bool, result: Converted
) -> Iterator[tuple[str, str, np.ndarray]]:
    """(class, part, 48 x 48 px) of each picture that can be read; the first of its copies."""
    seen = set()
    for path, label, part in found:
        try:
            gray = np.asarray(read_picture(path).convert("L"))
            faces = faces_in(gray, str(path), search=Search(whole=not crop))
        except (InputError, OSError) as error:
            result.left_out.append(str(error))
            continue
        if not faces:
            result.left_out.append(f"{path}: no face found")
            continue
        small = max(faces, key=lambda face: face[0].box[2] * face[0].box[3])[1]
        digest = hashlib.sha256(small.tobytes()).hexdigest()
        if digest in seen:
            result.left_out.append(f"{path}: a copy of another, pixel by pixel")
            continue
        seen.add(digest)
        yield label, part, small


def _usages(kinds: list[tuple[str, str]], test_share: float, seed: int) -> list[str]:
    """FER-2013's name of the part that each picture goes to, by its class and part."""
    usages = np.full(len(kinds), "Training", dtype=object)
    random = np.random.default_rng(seed)
    for label in CLASSES:
        own = [i for i, kind in enumerate(kinds) if kind[0] == label]
        test = [i for i in own if kinds[i][1] == "test"]
        if not any(kinds[i][1] for i in own):
            test = sorted(random.permutation(own)[: round(test_share * len(own))].tolist())
        for place, row in enumerate(test):
            usages[row] = _TESTS[place % 2]
    return usages.tolist()


def _check(source: Path, labels: list[str], usages: list[str], left_out: list[str]) -> None:
    """Each class needs an image in each part, and ten to train and validate on."""
    pairs = list(zip(labels, usages, strict=True))
    lost = "".join(f" Left out: {line.rstrip('.')}." for line in left_out[:3])
    for label in CLASSES:
        train, *tests = (pairs.count((label, usage)) for usage in ("Training", *_TESTS))
        if train < 10 or min(tests) < 1:
            raise DataError(
                f"{source}: {label} has {train} images to train on and {sum(tests)} to test on. "
                f"Expected at least 10 and 2; all seven classes are needed.{lost}"
            )
