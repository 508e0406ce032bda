"""Zips, tar archives and folders, one interface: names and sizes first, contents on demand.

Nothing is extracted to disk, and every size is bounded before it is read.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import BufferedIOBase
from pathlib import Path

from ferbook.core.files import open_zip, walk
from ferbook.data.faces import DataError

MAX_BYTES = 1_000_000_000  # unpacked; the contest's csv has 301,072,766
MAX_MEMBERS = 200_000  # the official archive has 35,887; a Mac's zip has as many shadows

MAX_HEADER_BYTES = 1_000_000  # of a tar's entry, such as a long name

Opened = Iterator[tuple[str, BufferedIOBase]]


class Container(ABC):
    """A source of files."""

    @abstractmethod
    def sizes(self) -> list[tuple[str, int]]:
        """(name, announced size) of each file."""

    @abstractmethod
    def opened(self, names: Collection[str]) -> Opened:
        """(name, file) of each of `names`, in the container's order; valid until the next."""


def clean(name: str) -> str:
    """The name with forward slashes, whatever system packed it, and without a leading ./"""
    return name.replace("\\", "/").removeprefix("./")


class Zip(Container):
    """A zip; a reader of its entries takes no more than it asks for."""

    def __init__(self, path: Path):
        self._path = path

    def sizes(self) -> list[tuple[str, int]]:
        """See Container."""
        with self._archive() as archive:
            return [(e.filename, e.file_size) for e in archive.infolist() if not e.is_dir()]

    def opened(self, names: Collection[str]) -> Opened:
        """See Container. Raises DataError for a compression that no such archive has."""
        with self._archive() as archive:
            for entry in archive.infolist():
                if entry.filename in names:
                    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                        raise DataError(
                            f"{self._path}: {entry.filename} is compressed by method "
                            f"{entry.compress_type}. Expected a stored or deflated entry, as in "
                            "Kaggle's archive."
                        )
                    with archive.open(entry) as file:
                        yield entry.filename, file

    def _archive(self) -> AbstractContextManager[zipfile.ZipFile]:
        return open_zip(self._path, MAX_BYTES, max_unpacked=MAX_BYTES, max_entries=MAX_MEMBERS)


class Folder(Container):
    """A folder with all that lies below it."""

    def __init__(self, path: Path):
        self._path = path

    def _files(self) -> Iterable[tuple[str, Path]]:
        files, unseen = walk(self._path)
        if unseen:
            raise DataError(f"{unseen[0]}. Give a folder that holds all of it.")
        for path in files:
            yield path.relative_to(self._path).as_posix(), path

    def sizes(self) -> list[tuple[str, int]]:
        """See Container."""
        return [(name, path.stat().st_size) for name, path in self._files()]

    def opened(self, names: Collection[str]) -> Opened:
        """See Container."""
        for name, path in self._files():
            if name in names:
                with path.open("rb") as file:
                    yield name, file


class Tar(Container):
    """A tar archive, with gzip or without, read from front to end each time."""

    def __init__(self, name: str, open_file: Callable[[], BufferedIOBase]):
        self._name, self._open_file = name, open_file

    def sizes(self) -> list[tuple[str, int]]:
        """See Container."""
        with self._archive() as archive:
            return [(member.name, member.size) for member in self._members(archive)]

    def opened(self, names: Collection[str]) -> Opened:
        """See Container."""
        with self._archive() as archive:
            for member in self._members(archive):
                if member.name in names:
                    yield member.name, archive.extractfile(member)

    def _members(self, archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
        for number, member in enumerate(archive):
            if number > MAX_MEMBERS:
                raise DataError(f"{self._name}: more than {MAX_MEMBERS:,} files.")
            if member.isreg():
                yield member
            archive.members = []  # or it would remember each

    @contextmanager
    def _archive(self) -> Iterator[tarfile.TarFile]:
        with self._open_file() as packed:
            is_gzip = packed.read(2) == b"\x1f\x8b"
            packed.seek(0)
            bounded = _Bounded(gzip.GzipFile(fileobj=packed) if is_gzip else packed, self._name)
            with tarfile.open(fileobj=bounded, mode="r|", tarinfo=_Entry) as archive:
                yield archive


class _Entry(tarfile.TarInfo):
    """An entry of a tar; tarfile reads a long name, or what else describes one, in one piece."""

    @classmethod
    def frombuf(cls, buf: bytes, encoding: str, errors: str) -> _Entry:
        """See TarInfo. Raises DataError for a description that is too long."""
        entry = super().frombuf(buf, encoding, errors)
        if not entry.isreg() and entry.size > MAX_HEADER_BYTES:
            raise DataError(
                f"{entry.name}: a header of {entry.size:,} bytes in a tar archive. "
                f"Expected at most {MAX_HEADER_BYTES:,}."
            )
        return entry


class _Bounded(io.RawIOBase):
    """Ends in an error where a few megabytes would unpack to more than any such archive has."""

    def __init__(self, file: BufferedIOBase, name: str):
        self._file, self._name, self._left = file, name, MAX_BYTES

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise DataError(f"{self._name}: unpacks to more than {MAX_BYTES:,} bytes.")
        return data
