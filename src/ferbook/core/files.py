"""Files, read with a bound on their size.

Whatever a path names is opened once, without waiting, and refused unless it is a regular file of
at most the bytes that its reader allows: a FIFO, a device or a sparse file of terabytes ends in a
FileError and not in a hang. Messages quote at most `MAX_QUOTED` characters of a file.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ferbook.core.errors import FerbookError

MAX_TEXT_BYTES = 10_000_000  # of a text file; the largest of the project, a notebook, has 565,000
MAX_DIRECTORY_BYTES = 20_000_000  # of a zip; Kaggle's archive has 3 million for 35,887 images
MAX_QUOTED = 200  # characters of a file in a message
_CLUTTER = ("__macosx", "thumbs.db", "desktop.ini")


class FileError(FerbookError, ValueError):
    """A file is too large, not a regular one, not text, or not of the form that it should have."""


class StoreError(FerbookError, ValueError):
    """A run in the store is damaged or contradicts itself."""


def quoted(value: Any) -> str:
    """`value` for a message: on one line, as text and never as markup, cut when it is long."""
    text = repr(value) if len(str(value)) <= MAX_QUOTED else repr(str(value)[:MAX_QUOTED])[:-1]
    return text if len(text) <= MAX_QUOTED else text[: MAX_QUOTED - 1] + "…"


def is_address(name: str) -> bool:
    """Whether `name` is an address of the network, such as https://example.org/archive.zip."""
    return bool(re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", name))


def is_clutter(name: str) -> bool:
    """Whether a file, by its name from a folder on, is hidden or what a Mac or Windows adds."""
    parts = name.replace("\\", "/").lower().split("/")
    hidden = any(part.startswith(".") and part not in (".", "..") for part in parts)
    return hidden or not set(_CLUTTER).isdisjoint(parts)


def walk(folder: Path) -> tuple[list[Path], list[str]]:
    """The files below `folder` in order of name, and why what else is there is left out.

    Links to folders are not followed, since they may lead anywhere. Left out without a word is
    what `is_clutter` names.
    """
    files, unseen = [], []

    def failed(error: OSError) -> None:
        unseen.append(f"{error.filename}: not readable ({error.strerror})")

    for place, folders, names in os.walk(folder, onerror=failed):
        folders[:] = [name for name in folders if not is_clutter(name)]
        paths = [Path(place, name) for name in names if not is_clutter(name)]
        files += [path for path in paths if path.is_file()]
        unseen += [f"{path}: not a file" for path in paths if not path.is_file()]
        links = [Path(place, name) for name in folders if Path(place, name).is_symlink()]
        unseen += [f"{link}: a link to a folder, which is not followed" for link in links]
    return sorted(files), sorted(unseen)


@contextlib.contextmanager
def open_regular(path: str | Path, max_bytes: int) -> Iterator[BinaryIO]:
    """`path` opened for reading, if it is a regular file of at most `max_bytes`.

    Raises FileError when it is not, OSError when it cannot be opened. A file may still grow while
    it is read: read no more than `max_bytes` from it.
    """
    # A FIFO would otherwise wait for its writer.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise FileError(f"{path}: expected a regular file.")
        if facts.st_size > max_bytes:
            raise FileError(f"{path}: {facts.st_size:,} bytes. Expected at most {max_bytes:,}.")
        with open(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)


def read_bytes(path: str | Path, max_bytes: int) -> bytes:
    """The content of a regular file of at most `max_bytes`. Raises as `open_regular`."""
    with open_regular(path, max_bytes) as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise FileError(f"{path}: more than {max_bytes:,} bytes.")
    return content


def sha256(path: str | Path, max_bytes: int) -> str:
    """Of a file's bytes, in hexadecimal. Raises as `open_regular`."""
    with open_regular(path, max_bytes) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_text(path: str | Path, max_bytes: int = MAX_TEXT_BYTES) -> str:
    """A text file of bounded size. Raises FileError when it is larger, no file, or not UTF-8."""
    try:
        return read_bytes(path, max_bytes).decode()
    except UnicodeDecodeError as error:
        raise FileError(f"{path}: not UTF-8 ({error!s:.200}).") from error


@contextlib.contextmanager
def open_zip(
    path: str | Path, max_bytes: int, *, max_unpacked: int, max_entries: int = 100_000
) -> Iterator[zipfile.ZipFile]:
    """A zip (or npz) whose entries announce at most `max_unpacked` bytes in all.

    An entry is read no further than it announces, so that is also the bound on what comes out.
    Raises FileError, zipfile.BadZipFile or another error of zipfile for what is none.
    """
    with open_regular(path, max_bytes) as file, zipfile.ZipFile(_Directory(file, path)) as archive:
        archive.fp = file  # what follows the directory has bounds of its own
        entries = archive.infolist()
        if len(entries) > max_entries:
            raise FileError(f"{path}: {len(entries):,} entries. Expected at most {max_entries:,}.")
        if (size := sum(entry.file_size for entry in entries)) > max_unpacked:
            raise FileError(f"{path}: unpacks to {size:,} bytes, more than {max_unpacked:,}.")
        yield archive


class _Directory:
    """A zip while its directory is read, which zipfile does in one piece and first of all."""

    def __init__(self, file: BinaryIO, path: str | Path):
        self._file, self._path = file, path

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def read(self, size: int = -1) -> bytes:
        if size > MAX_DIRECTORY_BYTES:
            raise FileError(
                f"{self._path}: a directory of {size:,} bytes. Expected at most "
                f"{MAX_DIRECTORY_BYTES:,}."
            )
        return self._file.read(size)


@contextlib.contextmanager
def open_arrays(path: str | Path, max_bytes: int) -> Iterator[Any]:
    """The arrays of an npz of at most `max_bytes`, packed and unpacked; no pickles.

    Raises FileError, or whatever zipfile, zlib and NumPy raise for a damaged file.
    """
    with open_zip(path, max_bytes, max_unpacked=max_bytes) as archive:
        archive.fp.seek(0)
        with np.load(archive.fp, allow_pickle=False) as arrays:
            yield arrays
