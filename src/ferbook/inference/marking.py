"""Marked copies of what was looked at; no file is replaced unless that was asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ferbook.core.writing import refuse_sources
from ferbook.inference.collecting import Item
from ferbook.inference.face import Face, InputError
from ferbook.inference.media import frames, read_picture

_WRITTEN = (".bmp", ".jpeg", ".jpg", ".png", ".webp")  # in which a marked copy keeps its format


def plan(items: Iterable[Item], folder: Path, *, replace: bool = False) -> dict[str, Path]:
    """Where in `folder` the marked copy of each item goes, by name; of a video, its frames.

    Below `folder` a copy lies as its source lies below the folder that all sources share.
    Raises FileError when a copy would take the place of a source, InputError when, without
    `replace`, it would take that of another file.
    """
    files = [item for item in items if item.path]
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: not a folder.")
    shared = _shared_folder(files)
    targets = {item.name: folder / _below(item, shared) for item in files}
    refuse_sources(targets.values(), (item.path for item in files))
    taken = [target for target in targets.values() if target.exists()]
    if taken and not replace:
        raise InputError(
            f"{taken[0]}: exists already, as {len(taken) - 1:,} others do. Give --annotate another "
            "folder, or --replace."
        )
    return targets


def _shared_folder(files: list[Item]) -> str:
    folders = [str(item.path.absolute().parent) for item in files]
    try:
        return os.path.commonpath(folders) if folders else ""
    except ValueError as error:  # two drives of Windows
        raise InputError(f"--annotate: the sources share no folder ({error}).") from error


def _below(item: Item, shared: str) -> Path:
    target = item.path.absolute().relative_to(shared)
    if item.kind == "video":
        return target.with_name(f"{target.name}.frames")
    known = target.suffix.lower() in _WRITTEN
    return target if known else target.with_name(f"{target.name}.png")


def mark(item: Item, faces: list[Face], target: Path) -> None:
    """Write the marked copy of a picture, or of each frame of a video that shows a face."""
    folder = target if item.kind == "video" else target.parent
    folder.mkdir(parents=True, exist_ok=True)
    if item.kind != "video":
        annotated(read_picture(item.path), faces).save(target)
        return
    by_frame: dict[int, list[Face]] = {}
    for face in faces:
        by_frame.setdefault(face.frame, []).append(face)
    for index, frame in frames(str(item.path)):
        if index in by_frame:
            marked = annotated(from_video(frame), by_frame[index])
            marked.save(target / f"{index:06d}.jpg")


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
        draw.rectangle((x, y, x + w, y + h), outline="#0072B2", width=max(2, size // 8))
        text = f"{face.expression} {face.confidence:.0%}"
        place = (x, max(0, y - size - 4))
        draw.rectangle(draw.textbbox(place, text, font_size=size), fill="#0072B2")
        draw.text(place, text, fill="white", font_size=size)
    return shown
