"""The contest's csv: emotion, pixels, Usage, in any order of columns."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from ferbook.core.classes import CLASSES, SIDE
from ferbook.data.faces import CSV_CLASSES, OFFICIAL_COUNTS, USAGES, DataError, Faces
from ferbook.data.sources import explanations

MAX_CSV_BYTES = 1_000_000_000  # the contest's file has 301,072,766
MAX_ROWS = 100_000  # the contest's file has 35,887
MAX_LINE = 100_000  # characters; 48 x 48 pixels take at most 9,216
COLUMNS = ("emotion", "pixels", "Usage")
PUBLISHED_MD5 = {
    "f8428a1edbd21e88f42c73edd2a14f95": "fer2013.csv",
    "b114b9e04e6949e5fe8b6a98b3892b1d": "icml_face_data.csv",
}
"""MD5 of the contest's files. Source: pytorch/vision, torchvision/datasets/fer2013.py."""


def read_table(source: Path, file: BufferedIOBase) -> tuple[Faces, str]:
    """The rows of a csv, and which file of the contest it is, byte for byte; "" for another.

    Only rows of such a file get the names of Kaggle's archive: in any other, a row's number proves
    nothing.
    """
    counted = _Counted(source, file)
    text = io.TextIOWrapper(io.BufferedReader(counted, 1 << 20), "utf-8-sig", newline="")
    try:
        parsed = list(_rows(source, _lines(source, text)))
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{source}: not a readable csv ({error}).") from error
    if not parsed:
        raise DataError(f"{source}: expected 1 to {MAX_ROWS:,} rows. Received: none.")
    images, labels, files = zip(*parsed, strict=True)
    known = PUBLISHED_MD5.get(counted.md5.hexdigest(), "")
    if known and len(files) == sum(map(sum, OFFICIAL_COUNTS.values())):
        files = archive_names(files)
    return Faces(
        np.stack(images), np.array(labels, np.uint8), np.array(files, dtype=str), "fer2013"
    ), known


def archive_names(files: tuple[str, ...]) -> tuple[str, ...]:
    """The names that Kaggle's archive gives to the contest's rows; `files` when one disagrees.

    A name tells part and class of its image. By chance about one row in six would agree.
    """
    from ferbook.data.ferplus import crosswalk

    names = list(files)
    for name, row in crosswalk()["fer2013_row"].items():
        if name.rpartition("_")[0] != files[row].rpartition("_")[0]:
            return files
        names[row] = name
    return tuple(names)


class _Counted(io.RawIOBase):
    """Passes a file on, bounds it, and takes its MD5."""

    def __init__(self, source: Path, file: BufferedIOBase):
        self._source, self._file, self._left = source, file, MAX_CSV_BYTES
        self.md5 = hashlib.md5(usedforsecurity=False)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        data = self._file.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise DataError(f"{self._source}: more than {MAX_CSV_BYTES:,} bytes. Not fer2013.csv.")
        self.md5.update(data)
        buffer[: len(data)] = data
        return len(data)


def _lines(source: Path, text: io.TextIOWrapper) -> Iterator[str]:
    """The lines of `text`; one that is too long is not read to its end."""
    while line := text.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise DataError(
                f"{source}: not a readable csv (a line of more than {MAX_LINE:,} characters)."
            )
        yield line


def _rows(source: Path, lines: Iterator[str]) -> Iterator[tuple[np.ndarray, int, str]]:
    """(image, label, name) of each row; the name is made of its number, from 0."""
    reader = csv.reader(lines)
    header = [name.strip() for name in next(reader, [])]
    places = _places(source, header)
    number = 0
    for row in reader:
        if not row:  # a blank line
            continue
        if number == MAX_ROWS:
            raise DataError(f"{source}: expected 1 to {MAX_ROWS:,} rows.")
        where = f"{source}: line {reader.line_num}"
        if len(row) < len(header) or row[places[0]].strip() not in tuple("0123456"):
            _refuse(where, header, row, places)
        yield _parse(where, number, *(row[place].strip() for place in places))
        number += 1


def _places(source: Path, header: list[str]) -> list[int]:
    if not header:
        raise DataError(f"{source}: not a readable csv (it is empty).")
    missing = sorted(set(COLUMNS) - set(header))
    if missing:
        shown = ", ".join(header[:8])
        raise DataError(
            f"{source}: no column {', '.join(missing)}. Expected emotion,pixels,Usage; found "
            f"{shown:.200}. {explanations.of_columns(header)}".rstrip()
        )
    return [header.index(name) for name in COLUMNS]


def _refuse(where: str, header: list[str], row: list[str], places: list[int]) -> None:
    if len(row) < len(header):
        raise DataError(
            f"{where} has {len(row)} of {len(header)} columns: {','.join(row)!r:.60}. Something "
            "was cut off or appended there; fetch the file again."
        )
    raise DataError(f"{where}: emotion is {row[places[0]]!r:.60}. Expected 0 to 6.")


def _parse(
    where: str, number: int, emotion: str, pixels: str, usage: str
) -> tuple[UInt8[np.ndarray, "48 48"], int, str]:
    if usage not in USAGES:
        raise DataError(f"{where}: Usage is {usage!r:.60}. Expected one of {', '.join(USAGES)}.")
    try:
        values = np.array(pixels.split(), dtype=np.int64)
    except (ValueError, OverflowError):
        raise DataError(f"{where}: pixels hold something that is not a whole number.") from None
    if len(values) != SIDE * SIDE:
        raise DataError(
            f"{where}: {len(values):,} pixels. Expected {SIDE * SIDE:,}. Is the file complete?"
        )
    if values.min() < 0 or values.max() > 255:
        bad = values[(values < 0) | (values > 255)][0]
        raise DataError(f"{where}: a pixel of value {bad}. Expected 0 to 255.")
    label = CSV_CLASSES[int(emotion)]
    folder = "train" if usage == "Training" else "test"
    file = f"{folder}/{label}/{usage}_row{number:05d}"  # like no name of Kaggle's archive
    return values.astype(np.uint8).reshape(SIDE, SIDE), CLASSES.index(label), file
