"""Which pictures and videos the arguments of a user name, and what else lies beside them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ferbook.core.files import is_address, walk
from ferbook.inference.face import InputError
from ferbook.inference.formats import Kind, kind_of
from ferbook.inference.media import MAX_FILE_BYTES

_STANDARD_INPUT = ("-", "/dev/stdin")


@dataclass(frozen=True)
class Item:
    """One picture, video or camera."""

    name: str  # as the report calls it
    kind: Kind | str  # or "camera"
    path: Path | None = None
    content: bytes | None = None  # of what came through standard input


@dataclass
class Collected:
    """What is to be looked at, and the files of folders that are neither picture nor video."""

    items: list[Item] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    _seen: set[Path] = field(default_factory=set, repr=False)

    def is_new(self, path: Path) -> bool:
        """Whether no source named this file before: it is looked at once."""
        before = len(self._seen)
        self._seen.add(real(path))
        return len(self._seen) > before


def collect(
    sources: str | Path | Iterable[str | Path], *, leave_out: Path | None = None
) -> Collected:
    """What `sources` name: files, folders with all that is in them, "camera:0", "-" for a pipe.

    Files are told apart by content. Of a folder, `leave_out` is not looked at: marked copies of
    an earlier run are no sources. Raises InputError for a missing source or one that cannot be
    opened, an empty name, an address of the network, or a folder with nothing to look at.
    """
    found = Collected()
    for source in [sources] if isinstance(sources, (str, os.PathLike)) else sources:
        try:
            _add(str(source), found, leave_out)
        except OSError as error:  # of the system, as for a name that is too long
            name = printable(str(source))
            raise InputError(f"{name}: not readable ({error.strerror}).") from error
    return found


def printable(name: str) -> str:
    """`name` as text that every report can hold; bytes that are no UTF-8 as \\udcXX."""
    return name.encode("utf-8", "backslashreplace").decode()


def real(path: Path) -> Path:
    """`path` by its own name in the folder that holds it, without `..` and links to folders."""
    return path.parent.resolve() / path.name


def _add(source: str, found: Collected, leave_out: Path | None) -> None:
    if not source:
        raise InputError("an empty name. Expected a file, a folder (. for this one) or camera:0.")
    if source.startswith("camera:"):
        found.items.append(_camera(source))
    elif source in _STANDARD_INPUT:
        if sys.stdin is None:
            raise InputError("standard input: closed.")
        content = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise InputError(f"standard input: more than {MAX_FILE_BYTES:,} bytes.")
        found.items.append(Item("standard input", "picture", content=content))
    elif is_address(source):
        raise InputError(f"{source}: nothing is fetched from the network. Save it as a file first.")
    else:
        _add_path(Path(os.path.expanduser(source)), found, leave_out)


def _camera(source: str) -> Item:
    if not source.removeprefix("camera:").isdecimal():
        raise InputError(f"{source}: expected camera:0, camera:1 and so on.")
    return Item(source, "camera")


def _add_path(path: Path, found: Collected, leave_out: Path | None) -> None:
    name = printable(str(path))
    if path.is_dir():
        files, unseen = walk(path)
        found.skipped += [f"{printable(line)}." for line in unseen]
        there = False
        for inside in files:
            if not (leave_out and _is_copy(inside, path, leave_out.resolve())):
                there |= _add_file(inside, found)
        if not there:
            reasons = "".join(f" {line}" for line in found.skipped[-3:])
            raise InputError(f"{name}: no picture or video in this folder.{reasons}")
    elif path.is_file():
        if found.is_new(path):
            found.items.append(Item(name, kind_of(path), path))
    elif path.exists():
        raise InputError(f"{name}: neither a file nor a folder. For a pipe give - as its name.")
    else:
        raise InputError(f"{name}: no such file or folder.")


def _is_copy(file: Path, folder: Path, copies: Path) -> bool:
    return folder.resolve() in copies.parents and copies in real(file).parents


def _add_file(path: Path, found: Collected) -> bool:
    """Whether the file of a folder is a picture or a video."""
    kind = kind_of(path)
    if found.is_new(path):
        if kind == "other":
            found.skipped.append(f"{printable(str(path))}: neither a picture nor a video.")
        else:
            found.items.append(Item(printable(str(path)), kind, path))
    return kind != "other"
