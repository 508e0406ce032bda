"""Answers for a program: pictures in any form that Python has them in."""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Iterable, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ferbook.inference import pixels
from ferbook.inference.classifier import RELEASED, Classifier, classify
from ferbook.inference.collecting import collect
from ferbook.inference.detector import MIN_FACE, Search, faces_in
from ferbook.inference.face import Box, Face, InputError
from ferbook.inference.formats import kind_of
from ferbook.inference.gathering import Found, ahead, gather
from ferbook.inference.media import decode, read_picture
from ferbook.inference.moving import never, stopped_by_key


def predict(
    pictures: Any,
    *,
    whole: bool = False,
    boxes: Sequence | None = None,
    min_face: int = MIN_FACE,
    faces: int | None = None,
    every: int = 10,
    smooth: float = 0.0,
    model: str | Path | None = None,
    providers: Sequence[str] | None = None,
) -> list[Face] | list[list[Face]]:
    """The faces of one picture or of several, each with what the model says of it.

    `pictures` is one picture, which gives a list of its faces, or a list, a tuple or an array
    (n, h, w, channels) of pictures, which gives such a list for each. A picture is
    - a path, or the bytes of a file: BMP, GIF, JPEG, PNG, TIFF, WebP, AVIF;
    - a PIL image;
    - an array (h, w) or (h, w, 1) of grays, (h, w, 3) RGB or (h, w, 4) RGBA: uint8, uint16 from 0
      to 65,535, or floating-point numbers from 0 to 1. OpenCV's are BGR: give `array[..., ::-1]`.

    A folder, a video or "camera:0" gives one list of all faces, of a video in `every` so many
    frames, with `smooth` as the half-life (s) of smoothed probabilities: see
    `ferbook.inference.tracking`. A camera ends with Ctrl-C. Transparent pixels lie on white.

    A picture of at most 64 px a side is one face, others are searched for faces of
    `min_face` px or more; `faces`, a number, keeps only so many of each picture, the largest. With
    `whole` every picture is one face; with `boxes`, a list of (left, top, width, height) in px for
    a picture, or one such list for each of several, nothing is searched.

    `model` is a file that `ferbook export` wrote, and `providers` are ONNX Runtime's, such as
    ["CUDAExecutionProvider"]. A model that has been read is kept for the next call.

    Raises InputError for a picture that cannot be used; one among several only warns, and has no
    faces. A video that ends too early warns.

    >>> import numpy as np
    >>> from skimage import data  # with public-domain pictures, such as NASA's of Eileen Collins
    >>> import ferbook
    >>> [face] = ferbook.predict(data.astronaut())
    >>> face.expression, len(face.box), round(sum(face.probabilities.values()), 2)
    ('happy', 4, 1.0)
    >>> " ".join(sorted(face.to_dict()))
    'box confidence expression frame probabilities seconds source track turn_degrees unsmoothed'
    >>> batch = np.zeros((3, 100, 90, 1), np.uint8)
    >>> [[face.box for face in faces] for faces in ferbook.predict(batch, whole=True)]
    [[(0, 0, 90, 100)], [(0, 0, 90, 100)], [(0, 0, 90, 100)]]
    >>> ferbook.predict(np.zeros((100, 90)), boxes=[(10, 10, 50, 60)])[0].box
    (10, 10, 50, 60)
    """
    if isinstance(providers, str):
        raise InputError(f"providers: expected a list of names. Received: {providers}.")
    if boxes is not None and whole:
        raise InputError("boxes: say where the faces are, so whole cannot be given as well.")
    classifier = _classifier(model, tuple(providers or ()))
    search = Search(whole, min_face, most=faces)
    if not isinstance(pictures, (str, os.PathLike, bytes, Image.Image, list, tuple)):
        pictures = _array(pictures)
    if isinstance(pictures, (list, tuple)) or getattr(pictures, "ndim", 0) == 4:
        return _several(pictures, classifier, search, boxes)
    if isinstance(pictures, (str, os.PathLike)) and not _is_picture(pictures):
        if boxes is not None:
            collect(pictures)  # tells of what is not there
            raise InputError(f"boxes: expected one picture. Received: {pictures}.")
        return _many(pictures, classifier, search, every, smooth)
    return list(classify(_look(pictures, _with_boxes(search, boxes)), classifier))


def _classifier(model: str | Path | None, providers: tuple[str, ...]) -> Classifier:
    path = Path(os.path.expanduser(model or RELEASED / "model-int8.onnx"))
    changed = path.stat().st_mtime_ns if path.is_file() else 0
    return _loaded(path, changed, providers)


@functools.lru_cache(maxsize=4)
def _loaded(path: Path, changed: int, providers: tuple[str, ...]) -> Classifier:
    return Classifier(path, providers or ("CPUExecutionProvider",))


def _array(picture: Any) -> np.ndarray | bytes:
    """What is neither path nor image nor list: bytes, or an array of NumPy, PyTorch and others."""
    if isinstance(picture, (bytearray, memoryview)):
        return bytes(picture)
    if not hasattr(picture, "__array__"):
        raise InputError(
            "pictures: expected a path, bytes, an array, a PIL image or a list of such. "
            f"Received: {type(picture).__name__}."
        )
    return np.asarray(picture)


def _is_picture(path: str | os.PathLike[str]) -> bool:
    """Not a folder, a video, a camera or a pipe."""
    path = Path(os.path.expanduser(path))
    return os.path.isfile(path) and kind_of(path) != "video"


def _many(
    path: Any, classifier: Classifier, search: Search, every: int, smooth: float
) -> list[Face]:
    """All faces of a folder, a video or a camera."""
    live = str(path).startswith("camera:")  # only Ctrl-C ends it, and is no error
    with stopped_by_key() if live else nullcontext(never) as stop:
        report = gather(path, classifier, every=every, search=search, smooth=smooth, stop=stop)
    if len(report.problems) == 1 and not (report.faces or report.empty):  # of the only source
        raise InputError(report.problems[0])
    for problem in [*report.problems, *report.skipped]:
        warnings.warn(problem, stacklevel=3)
    return report.faces


def _several(
    pictures: Sequence, classifier: Classifier, search: Search, boxes: Sequence | None
) -> list[list[Face]]:
    each = _listed(boxes) if boxes is not None else (None,) * len(pictures)
    if len(each) != len(pictures):
        raise InputError(f"boxes: expected {len(pictures)} lists, one for each picture.")
    searches = [_with_boxes(search, some) for some in each]
    names = [f"pictures[{i}]" for i in range(len(pictures))]
    pairs = list(zip(pictures, searches, names, strict=True))
    found: list[list[Found]] = []
    for picture in pictures:
        if isinstance(picture, Image.Image):
            with suppress(Exception):  # it is told of below
                picture.load()  # two threads that do so at once destroy it
    with ahead(lambda pair: _look(*pair), pairs) as looked:
        for i, call in enumerate(looked):
            try:
                found.append(call())
            except Exception as error:  # one bad picture must not cost the answers of the others
                warnings.warn(f"pictures[{i}]: {error}", stacklevel=3)
                found.append([])
    answers = classify((pair for pairs in found for pair in pairs), classifier)
    return [[next(answers) for _ in pairs] for pairs in found]


def _with_boxes(search: Search, boxes: Iterable[Box] | None) -> Search:
    return search if boxes is None else Search(boxes=_listed(boxes))


def _listed(boxes: Any) -> tuple:
    try:
        return tuple(boxes)
    except TypeError:
        raise InputError(f"boxes: expected a list. Received: {boxes!r:.80}.") from None


def _look(picture: Any, search: Search, name: str = "picture") -> list[Found]:
    """The faces of one picture of any form with their cut-outs."""
    source = str(picture) if isinstance(picture, (str, os.PathLike)) else ""
    opened = _opened(picture)
    if opened.info.get("several"):
        warnings.warn(f"{source or name}: only the first of several was looked at", stacklevel=3)
    gray = np.asarray(opened.convert("L"))
    return faces_in(gray, source, search=search)


def _opened(picture: Any) -> Image.Image:
    if isinstance(picture, (str, os.PathLike)):
        if not str(picture):
            raise InputError("an empty name. Expected a picture.")
        path = Path(os.path.expanduser(picture))
        if os.path.isdir(path):
            raise InputError(f"{picture}: a folder in a list. Give it alone.")
        if str(picture).startswith("camera:") or (path.is_file() and kind_of(path) == "video"):
            raise InputError(f"{picture}: a video or a camera in a list. Give it alone.")
        return read_picture(path)
    if isinstance(picture, Image.Image):
        return _decoded(picture)
    picture = picture if isinstance(picture, bytes) else _array(picture)
    return decode(picture, "bytes") if isinstance(picture, bytes) else pixels.from_array(picture)


def _decoded(image: Image.Image) -> Image.Image:
    """An opened image may still be on the disk, and damaged."""
    try:
        return pixels.upright(image)
    except InputError:
        raise
    except Exception as error:  # Pillow raises many kinds
        raise InputError(f"PIL image: not readable ({error}).") from error
