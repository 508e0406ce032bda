"""Pictures, folders, videos and cameras, read with bounds on their size."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from ferbook.inference.face import Face, InputError

MAX_PIXELS = 50_000_000
MAX_FILE_BYTES = 100_000_000
PICTURES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
VIDEOS = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".webm")


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
