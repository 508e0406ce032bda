"""Pictures, videos and cameras, read with bounds on their size."""

from __future__ import annotations

import io
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2  # here, and not in a function: its first import fails in two threads at once
import numpy as np
from PIL import Image, UnidentifiedImageError

from ferbook.core.files import FileError, read_bytes
from ferbook.inference import pixels
from ferbook.inference.face import InputError
from ferbook.inference.formats import HEAD_BYTES, READ, kind_of_bytes

MAX_PIXELS = 50_000_000
_TOO_LARGE = f"more than {MAX_PIXELS / 1e6:.0f} million pixels. Scale it down."
MAX_FILE_BYTES = 100_000_000
USUAL_RATE, HIGHEST_RATE = 25.0, 1000.0  # frames a second: if none is told; more is no rate
FEWEST_LOST, LARGEST_LOSS = 3, 0.03  # a container's count of frames is often an estimate


def read_picture(path: str | Path) -> Image.Image:
    """A picture in 8-bit RGB, upright, of bounded size.

    Of several in one file it is the first; `info["several"]` says whether there are.
    Raises InputError when it is broken, too large or of another format.
    """
    try:
        content = read_bytes(path, MAX_FILE_BYTES)
    except FileError as error:
        raise InputError(str(error)) from error
    except OSError as error:
        raise InputError(f"{path}: not readable ({error.strerror}).") from error
    return decode(content, str(path))


def decode(content: bytes, name: str) -> Image.Image:
    """`read_picture` for the bytes of a file; errors call it `name`."""
    if not content:
        raise InputError(f"{name}: empty.")
    if kind_of_bytes(content[:HEAD_BYTES]) == "HEIC":
        raise InputError(f"{name}: HEIC is not read. Convert it to JPEG or PNG.")
    try:
        with Image.open(io.BytesIO(content), formats=READ) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InputError(_TOO_LARGE)
            image.load()
            picture = pixels.upright(image)
            picture.info = {"several": _holds_several(image)}
            return picture
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    except Image.DecompressionBombError as error:  # before its size can be asked for
        raise InputError(f"{name}: {_TOO_LARGE}") from error
    except UnidentifiedImageError as error:
        raise InputError(
            f"{name}: not a readable picture; formats are {', '.join(READ)}."
        ) from error
    except Exception as error:  # Pillow raises many kinds for damaged files
        raise InputError(f"{name}: not a readable picture ({error}).") from error


def _holds_several(image: Image.Image) -> bool:
    """A moving GIF or a TIFF of pages; a JPEG's others are maps of depth or gain.

    They are not counted: of n pages that takes n^2 steps.
    """
    if image.format in ("JPEG", "MPO"):
        return False
    try:
        image.seek(1)
    except Exception:  # none, or a damaged one that nobody looks at
        return False
    return True


def frames(source: str | int, every: int = 1) -> Iterator[tuple[int, float, np.ndarray]]:
    """(number, seconds, BGR frame) of every so many frames of a video file or of camera `source`.

    Seconds count from the first frame, by a file's time stamps or, before a camera, by the clock.
    Raises InputError when it cannot be opened or holds no frame, and at its end when frames that
    its container announces are not there.
    """
    with _opened(source) as video:
        _check_size(video, source)
        (claimed, _), number, clock = _claims(video), 0, _Clock(video, isinstance(source, int))
        while video.isOpened() and video.grab():
            seconds = clock.seconds()
            if number % every == 0:
                there, frame = video.retrieve()
                if not there:
                    break
                yield number, seconds, frame
            number += 1
    if number == 0 and isinstance(source, int):
        raise InputError(f"camera:{source}: it gives no picture. Is it there, and free?")
    if number == 0:
        raise InputError(f"{source}: no video to be read. Is the file complete?")
    if isinstance(source, str) and claimed - number > max(FEWEST_LOST, LARGEST_LOSS * claimed):
        raise InputError(
            f"{source}: it ends after {number:,} frames, but announces {claimed:,}. "
            "Is the file complete?"
        )


def announced(source: str | int) -> tuple[int, float]:
    """Frames, and frames a second, that a video file claims; 0 where unknown or of a camera.

    Raises InputError when the file is no video.
    """
    if isinstance(source, int):
        return 0, 0.0
    with _opened(source) as video:
        return _claims(video)


class _Clock:
    """Seconds since the first frame; where time stamps fail, a frame's usual time is added."""

    def __init__(self, video: Any, live: bool):
        self._now = time.monotonic if live else lambda: video.get(cv2.CAP_PROP_POS_MSEC) / 1000
        self._step = 1 / (_claims(video)[1] or USUAL_RATE)
        self._first: float | None = None
        self._last = -1.0

    def seconds(self) -> float:
        """Of the frame that was just grabbed; asked once for each."""
        now = self._now()
        self._first = now if self._first is None else self._first
        later = now - self._first > self._last
        self._last = now - self._first if later else self._last + self._step
        return self._last


def _check_video(path: str) -> None:
    """FFmpeg opens text that names other files and addresses; it is shown known containers only."""
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise InputError(f"{path}: not readable ({error.strerror}).") from error
    if kind_of_bytes(head) != "video":
        raise InputError(f"{path}: no video to be read.")


def _check_size(video: Any, source: str | int) -> None:
    width, height = (video.get(p) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    if width * height > MAX_PIXELS:
        raise InputError(f"{source}: frames of more than {MAX_PIXELS / 1e6:.0f} million pixels.")


def _claims(video: Any) -> tuple[int, float]:
    count, rate = video.get(cv2.CAP_PROP_FRAME_COUNT), video.get(cv2.CAP_PROP_FPS)
    # Some files give the ticks of a clock for a rate, 60,000 a second, and count them too.
    return (max(0, int(count)), float(rate)) if 0 < rate <= HIGHEST_RATE else (0, 0.0)


@contextmanager
def _opened(source: str | int) -> Iterator[Any]:
    """OpenCV's reader of a video file or of a camera; the one place where files reach FFmpeg."""
    # Messages of OpenCV and FFmpeg name their backends, not what to do.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    if isinstance(source, int):
        video = cv2.VideoCapture(source)
    else:
        _check_video(source)
        with neutral_name(source) as name:
            # With several threads, how the decoding of a damaged file ends depends on their timing.
            video = cv2.VideoCapture(name, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    try:
        yield video
    finally:
        video.release()


@contextmanager
def neutral_name(path: str | Path, suffix: str = "") -> Iterator[str]:
    """Another name of a file for the block, in which FFmpeg sees nothing but a name.

    It takes `http:/a.mp4` for an address and `%03d.png` for a series, and OpenCV crashes on what is
    not UTF-8. Where the system makes no links, the name is the file's own.
    """
    with tempfile.TemporaryDirectory() as folder:
        name = os.path.join(folder, f"video{suffix}")
        try:
            os.symlink(os.path.abspath(path), name)
        except OSError:  # on Windows, without the right to
            name = os.path.abspath(path)
        yield name
