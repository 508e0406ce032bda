"""Marked copies of what was looked at; no file is replaced unless that was asked for."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw

from ferbook.core.writing import check_writable, refuse_sources, whole_file
from ferbook.inference.collecting import Item, real
from ferbook.inference.face import Face, InputError
from ferbook.inference.media import USUAL_RATE, announced, neutral_name, read_picture

_WRITTEN = (".bmp", ".jpeg", ".jpg", ".png", ".webp")  # in which a marked copy keeps its format


def plan(items: Iterable[Item], folder: Path, *, replace: bool = False) -> dict[str, Path]:
    """Where in `folder` the marked copy of each item goes, by name.

    Below `folder` a copy lies as its source lies below the folder that all sources share.
    Raises FileError when a copy would take the place of a source, InputError when it would take
    that of another copy or, without `replace`, of another file, and for what is no file.
    """
    files = list(items)
    for item in files:
        if item.path is None:
            raise InputError(f"{item.name}: no marked copy is made of it. Leave out --annotate.")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: not a folder.")
    shared = _shared_folder(files)
    targets = {item.name: folder / _below(item, shared) for item in files}
    refuse_sources(targets.values(), (item.path for item in files))
    _refuse_shared(files, targets)
    taken = [target for target in targets.values() if target.exists()]
    more = len(taken) - 1
    if taken and not replace:
        raise InputError(
            f"{taken[0]}: exists already{f', as do {more:,} more' if more else ''}. Give "
            "--annotate another folder, or --replace."
        )
    check_writable(folder / "marked")
    return targets


def _refuse_shared(files: list[Item], targets: dict[str, Path]) -> None:
    """`a.gif` becomes `a.gif.png`, and another source may have that name."""
    first: dict[Path, Item] = {}
    for item in files:
        other = first.setdefault(targets[item.name], item)
        if not other.path.samefile(item.path):
            raise InputError(
                f"{targets[item.name]}: would be the marked copy of {other.name} and of "
                f"{item.name}. Look at them one after the other, with two folders."
            )


def _shared_folder(files: list[Item]) -> str:
    folders = [str(real(item.path).parent) for item in files]
    try:
        return os.path.commonpath(folders) if folders else ""
    except ValueError as error:  # two drives of Windows
        raise InputError(f"--annotate: the sources share no folder ({error}).") from error


def _below(item: Item, shared: str) -> Path:
    target = real(item.path).relative_to(shared)
    written, other = ((".mp4",), ".mp4") if item.kind == "video" else (_WRITTEN, ".png")
    known = target.suffix.lower() in written
    return target if known else target.with_name(f"{target.name}{other}")


def mark(item: Item, faces: list[Face], target: Path) -> None:
    """Write the marked copy of a picture."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(target) as unfinished:
        annotated(read_picture(item.path), faces).save(unfinished)


@contextmanager
def video_copy(target: Path | None, rate: float) -> Iterator[Callable[[Image.Image], None] | None]:
    """A function that adds a frame to an MP4 file at `target`, of so many frames a second.

    MPEG-4 Part 2, since every OpenCV can write it; without sound. The file is there after the
    block. Raises InputError when frames are missing in it then, as when the disk is full.
    """
    if target is None:
        yield None
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(target) as unfinished, neutral_name(unfinished, ".mp4") as name:
        video = _Video(name, rate or USUAL_RATE)
        yield video.add
        video.close(target.name)


def _for_mpeg(rate: float) -> float:
    """`rate` with as many decimals as MPEG-4 has room for: it is a fraction of two bytes."""
    return round(rate, int(math.log10(65535 / rate)))


class _Video:
    def __init__(self, path: str, rate: float):
        self._path, self._rate, self._frames = path, _for_mpeg(rate), 0
        self._writer: Any = None

    def add(self, picture: Image.Image) -> None:
        if self._writer is None:
            self._writer = self._opened(*picture.size)
        self._writer.write(np.ascontiguousarray(np.asarray(picture)[..., ::-1]))
        self._frames += 1

    def _opened(self, width: int, height: int) -> Any:
        code = cv2.VideoWriter.fourcc(*"mp4v")
        writer = cv2.VideoWriter(self._path, cv2.CAP_FFMPEG, code, self._rate, (width, height))
        if not writer.isOpened():
            raise InputError(
                f"no MPEG-4 video of {width} x {height} px and {self._rate:g} frames a second "
                "can be written here"
            )
        return writer

    def close(self, name: str) -> None:
        if self._writer is not None:
            self._writer.release()
        written = 0
        with suppress(InputError):  # cut short, it may be no video
            written = announced(self._path)[0] if self._frames else 0
        if written != self._frames:
            raise InputError(
                f"{name}: of {self._frames:,} marked frames {written:,} were "
                "written. Is the disk full?"
            )


def from_video(frame: np.ndarray) -> Image.Image:
    """A frame (h, w, 3) as OpenCV gives it, blue first."""
    return Image.fromarray(frame[..., ::-1])


def annotated(picture: Image.Image, faces: Iterable[Face]) -> Image.Image:
    """A copy of `picture` with a box and the answer at each face."""
    shown = picture.copy()
    draw = ImageDraw.Draw(shown)
    size = max(12, picture.width // 60)
    for face in faces:
        x, y, w, h = face.box
        draw.rectangle((x, y, x + w - 1, y + h - 1), outline="#0072B2", width=max(2, size // 8))
        text = f"{face.expression} {face.confidence:.0%}"
        place = (x, max(0, y - size - 4))
        draw.rectangle(draw.textbbox(place, text, font_size=size), fill="#0072B2")
        draw.text(place, text, fill="white", font_size=size)
    return shown
