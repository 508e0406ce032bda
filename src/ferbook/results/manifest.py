"""SHA-256 of every file in a folder, in the form that `sha256sum -c` reads.

make manifest                                   # after a run was added on purpose
cd results && sha256sum -c MANIFEST.sha256      # without ferbook
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from ferbook.core.errors import FerbookError
from ferbook.core.files import FileError, quoted, read_bytes, read_text, sha256
from ferbook.core.writing import write_atomically

NAME = "MANIFEST.sha256"
MAX_FILE_BYTES = 1_000_000_000
_LEFT = re.compile(r"\.tmp(/|$)")  # by a killed write
_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")


class ManifestError(FerbookError, ValueError):
    """The manifest is missing or not of the form that `sha256sum` writes."""


def renew(folder: str | Path) -> Path:
    """Write the manifest of what is in `folder` now; leftovers of killed writes stay out.

    Raises ManifestError for a name that a manifest cannot hold, as one with a line break.
    """
    path = Path(folder) / NAME
    digests = {name: digest for name, digest in _digests(Path(folder)).items()
               if not digest.startswith("unreadable") and not _LEFT.search(name)}  # fmt: skip
    if broken := [name for name in digests if not _can_be_listed(name)]:
        raise ManifestError(
            f"{folder}: a file's name has a line break, a blank before it or no UTF-8: "
            f"{quoted(broken[0])}."
        )
    write_atomically(path, "".join(f"{d}  {n}\n" for n, d in digests.items()).encode())
    return path


def _can_be_listed(name: str) -> bool:
    is_text = name.encode("utf-8", "ignore").decode() == name
    return is_text and name.splitlines() == [name] and not name[0].isspace()


def check(folder: str | Path) -> Iterator[str]:
    """A line for each file that was altered, is missing, or is in no line of the manifest.

    Raises ManifestError when there is no readable manifest.
    """
    listed, found = read(folder), _digests(Path(folder))
    for name in sorted(listed.keys() | found.keys()):
        if name not in found:
            yield f"missing: {name}"
        elif name not in listed:
            yield f"not in {NAME}: {name}"
        elif listed[name] != found[name]:
            yield f"altered{_how(Path(folder, name), listed[name])}: {name}"


def read(folder: str | Path) -> dict[str, str]:
    """File, relative to `folder` -> SHA-256, as the manifest says."""
    path = Path(folder) / NAME
    try:
        lines = read_text(path).splitlines()
    except (OSError, FileError) as error:
        raise ManifestError(
            f"{path}: not readable ({error}). Write it by make manifest."
        ) from error
    listed: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise ManifestError(f"{path}: line {number} is not '<SHA-256>  <file>'.")
        if match[2] in listed:
            raise ManifestError(f"{path}: line {number} names {quoted(match[2])} again.")
        listed[match[2]] = match[1]
    return listed


def _how(path: Path, listed: str) -> str:
    """That only line endings differ, as after a clone that converts them; else nothing."""
    with contextlib.suppress(FileError, OSError):
        content = read_bytes(path, MAX_FILE_BYTES).replace(b"\r\n", b"\n")
        if hashlib.sha256(content).hexdigest() == listed:
            return " in its line endings alone (git config core.autocrlf false, and clone anew)"
    return ""


def _digests(folder: Path) -> dict[str, str]:
    """File -> SHA-256; what is neither a file nor a folder has none."""
    found = (p for p in folder.rglob("*") if p.is_symlink() or not p.is_dir())
    files = [path for path in found if path != folder / NAME]
    return {name: _digest(folder / name)
            for name in sorted(path.relative_to(folder).as_posix() for path in files)}  # fmt: skip


def _digest(path: Path) -> str:
    try:
        return sha256(path, MAX_FILE_BYTES)
    except (FileError, OSError) as error:
        return f"unreadable: {error}"
