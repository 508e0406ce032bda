"""From pictures to answers with the released model: no TensorFlow, no network access.

A picture of at most 64 px a side is taken for a face that is already cut out, as those of
FER-2013 are. In larger ones OpenCV's Haar cascade (Viola & Jones, CVPR 2001), which comes with
its package, looks for upright frontal faces, as it did when FER-2013 was gathered.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageOps

from ferbook.data import SIDE
from ferbook.schema import CLASSES

RELEASED = Path(__file__).parent / "released"  # the models that come with the package
LARGEST_CUT_OUT = 64  # px
MAX_PIXELS = 50_000_000
MAX_FILE_BYTES = 100_000_000
PICTURES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
VIDEOS = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".webm")
BATCH = 16  # twice as fast as 1 on two cores, and as 64, which leaves their caches


class InputError(ValueError):
    """A picture, video or model file cannot be used; the message says why."""


@dataclass(frozen=True)
class Face:
    """One face and what the model says of it."""

    source: str  # file, or "camera 0"
    frame: int  # 0 for a picture
    box: tuple[int, int, int, int]  # left, top, width, height in px
    expression: str = ""
    confidence: float = float("nan")
    probabilities: dict[str, float] = dataclasses.field(default_factory=dict)


class Classifier:
    """An exported ONNX model, ready to answer.

    Raises InputError when the file is not such a model, or a released one that was altered.
    """

    def __init__(self, path: str | Path = RELEASED / "model-int8.onnx"):
        import onnxruntime

        self.path = Path(path)
        content = _read_model(self.path)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
            self.about = _metadata(self._session)
        except Exception as error:  # onnxruntime raises a kind of its own for each fault
            raise InputError(f"{path}: not a model exported by ferbook ({error}).") from error

    def probabilities(self, faces: UInt8[np.ndarray, "n 48 48"]) -> Float[np.ndarray, "n 7"]:
        """Calibrated probabilities in the order of CLASSES."""
        return self._run(faces, "probabilities", (0, len(CLASSES)))

    def evidence(self, faces: UInt8[np.ndarray, "n 48 48"]) -> Float[np.ndarray, "n h w 7"]:
        """Logits of each place of the last feature map: class activation maps."""
        return self._run(faces, "evidence", (0, 1, 1, len(CLASSES)))

    def _run(self, faces: np.ndarray, output: str, empty: tuple[int, ...]) -> np.ndarray:
        parts = [
            self._session.run([output], {"image": faces[i : i + BATCH, ..., None]})[0]
            for i in range(0, len(faces), BATCH)
        ]
        return np.concatenate(parts) if parts else np.zeros(empty, np.float32)


def classify(found: Iterable[tuple[Face, np.ndarray]], model: Classifier) -> Iterator[Face]:
    """The faces of `found`, each with its cut-out (48, 48), completed by the model's answers."""
    for group in _batched(found, BATCH):
        answers = model.probabilities(np.stack([cut_out for _, cut_out in group]))
        for (face, _), answer in zip(group, answers, strict=True):
            best = int(answer.argmax())
            shares = {name: round(float(p), 4) for name, p in zip(CLASSES, answer, strict=True)}
            yield dataclasses.replace(
                face,
                expression=CLASSES[best],
                confidence=round(float(answer[best]), 4),
                probabilities=shares,
            )


def faces_in(
    picture: UInt8[np.ndarray, "h w"], source: str, frame: int = 0
) -> list[tuple[Face, np.ndarray]]:
    """The faces of a grey picture, each with its cut-out of 48 x 48 px."""
    import cv2

    h, w = picture.shape
    boxes = [(0, 0, w, h)] if max(h, w) <= LARGEST_CUT_OUT else _detect(picture)
    cut = [picture[y : y + dy, x : x + dx] for x, y, dx, dy in boxes]
    small = [cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for face in cut]
    return [(Face(source, frame, box), face) for box, face in zip(boxes, small, strict=True)]


def read_picture(path: str | Path) -> Image.Image:
    """A picture, upright, of bounded size.

    Raises InputError when it is broken, too large or of another format.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputError(f"{path}: more than {MAX_FILE_BYTES / 1e6:.0f} MB.")
        with Image.open(path, formats=("BMP", "JPEG", "PNG", "WEBP")) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InputError(f"{path}: more than {MAX_PIXELS / 1e6:.0f} million pixels.")
            return ImageOps.exif_transpose(image).convert("RGB")
    except InputError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: not a readable picture ({error}).") from error


def frames(source: str | int, every: int = 1) -> Iterator[tuple[int, np.ndarray]]:
    """(number, BGR frame) of every so many frames of a video file or of camera `source`.

    Raises InputError when it cannot be opened or holds no frame.
    """
    video = _capture(source)
    try:
        number = 0
        while video.isOpened():
            there, frame = video.read()
            if not there:
                break
            if number % every == 0:
                yield number, frame
            number += 1
        if number == 0:
            if isinstance(source, int):
                raise InputError(f"camera {source}: it gives no picture. Is it there, and free?")
            raise InputError(f"{source}: no video to be read.")
    finally:
        video.release()


def frame_count(source: str | int) -> int:
    """How many frames a video file claims to have; 0 for a camera or where it is unknown."""
    import cv2

    if isinstance(source, int):
        return 0
    return max(0, int(_capture(source).get(cv2.CAP_PROP_FRAME_COUNT)))


def collect(sources: Iterable[str]) -> list[Path]:
    """The files that `sources` name: files as they are, folders by the pictures in them.

    Raises InputError for a missing source or a folder without pictures.
    """
    files: list[Path] = []
    for source in map(Path, sources):
        if source.is_dir():
            inside = sorted(p for p in source.rglob("*") if p.suffix.lower() in PICTURES)
            if not inside:
                raise InputError(f"{source}: no picture in this folder ({', '.join(PICTURES)}).")
            files += inside
        elif source.is_file():
            files.append(source)
        else:
            raise InputError(f"{source}: no such file or folder.")
    return files


def annotated(picture: Image.Image, faces: Iterable[Face]) -> Image.Image:
    """A copy of `picture` with a box and the answer at each face."""
    shown = picture.copy()
    draw = ImageDraw.Draw(shown)
    size = max(12, picture.width // 60)
    for face in faces:
        x, y, w, h = face.box
        draw.rectangle((x, y, x + w, y + h), outline="#0072B2", width=max(2, size // 8))
        text = f"{face.expression} {face.confidence:.0%}"
        place = (x, max(0, y - size - 4))
        draw.rectangle(draw.textbbox(place, text, font_size=size), fill="#0072B2")
        draw.text(place, text, fill="white", font_size=size)
    return shown


def _capture(source: str | int) -> Any:
    import cv2

    # Messages of OpenCV and FFmpeg name their backends, not what to do.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2.VideoCapture(source)


def _detect(picture: np.ndarray) -> list[tuple[int, int, int, int]]:
    side = max(30, min(picture.shape) // 12)
    boxes = _cascade(threading.get_ident()).detectMultiScale(picture, 1.1, 5, minSize=(side, side))
    return sorted(tuple(map(int, box)) for box in boxes)


@functools.cache
def _cascade(thread: int) -> Any:
    """One for each thread: a classifier keeps what it looks at."""
    import cv2

    return cv2.CascadeClassifier(str(cascade_file()))


def cascade_file() -> Path:
    """The face detector, as OpenCV's package holds it."""
    import cv2

    return Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"


def _read_model(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: no readable model ({error.strerror}).") from error
    if path.parent == RELEASED:
        if hashlib.sha256(content).hexdigest() != _pinned(path.name):
            raise InputError(f"{path}: altered since its release (SHA-256). Install ferbook again.")
    return content


def _pinned(name: str) -> str:
    """SHA-256 of a released model, from the card beside it."""
    try:
        return json.loads((RELEASED / "card.json").read_text(encoding="utf-8"))["files"][name][
            "sha256"
        ]
    except (OSError, ValueError, RecursionError, LookupError, TypeError) as error:
        raise InputError(f"card.json: not readable ({error!r}). Install ferbook again.") from error


def _metadata(session: Any) -> dict[str, Any]:
    about = session.get_modelmeta().custom_metadata_map
    about = {key: json.loads(value) for key, value in about.items()}
    shapes = {node.name: node.shape[1:] for node in session.get_inputs()}
    known = ([SIDE, SIDE, 1], ["height", "width", 1])  # the latter by `any_size`
    if about["classes"] != list(CLASSES) or shapes.get("image") not in known or len(shapes) > 1:
        raise ValueError("its input or its classes are others")
    return about


def _batched(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    group: list[Any] = []
    for item in items:
        group.append(item)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
