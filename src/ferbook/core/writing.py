"""Files written whole or not at all; nothing that is read is written over."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ferbook.core.files import FileError, quoted


def write_atomically(path: Path, content: bytes) -> None:
    """Write to a temporary file beside `path`, flush to disk, rename.

    A killed writer leaves the old file as it was. A symbolic link at `path` is replaced, not
    written through.
    """
    _sweep(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.unlink(missing_ok=True)
        with open(temporary, "xb") as file:  # x: never through a link that lies there
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A name at which a library writes a file, which takes the place of `path` after the block.

    If the block ends with an error, or nothing was written, `path` stays as it was.
    """
    _sweep(path)
    folder = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder / path.name  # its own name: some libraries choose a format by the suffix
        if (folder / path.name).exists():
            os.replace(folder / path.name, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A new folder to fill, which takes the place of `folder` if the block ends without an error.

    So a set of files is either the old or the new one. Raises FileError, and changes nothing, when
    `folder` holds something that the new one does not.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        if folder.exists():
            _refuse_strangers(folder, temporary)
            os.replace(folder, old)
        os.replace(temporary, folder)
    finally:
        if old.exists() and not folder.exists():
            os.replace(old, folder)
        shutil.rmtree(old, ignore_errors=True)
        shutil.rmtree(temporary, ignore_errors=True)


def _refuse_strangers(folder: Path, new: Path) -> None:
    """What is replaced must be of the same kind, or a folder of somebody's photographs goes."""
    names = {path.name for path in folder.iterdir() if not path.name.endswith(".tmp")}
    if strangers := sorted(names - {path.name for path in new.iterdir()}):
        raise FileError(
            f"{folder}: holds {quoted(strangers[0])}, which would be lost. "
            "Move it away, or give another folder."
        )


def refuse_sources(targets: Iterable[Path], sources: Iterable[str | Path]) -> None:
    """Raise FileError when a file to be written is one of those to be read, by whatever name."""
    taken = [Path(source) for source in sources if Path(source).exists()]
    for target in targets:
        if target.exists() and any(target.samefile(source) for source in taken):
            raise FileError(f"{target}: is to be read and to be written. Give another target.")


def _sweep(path: Path) -> None:
    """Remove what killed writers of `path` left behind; the temporary name holds their process."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        process = left.name.removeprefix(f".{path.name}.").split(".")[0]
        try:
            os.kill(int(process), 0)
        except ProcessLookupError:
            _put_away(left, path)
        except (ValueError, OverflowError, OSError):  # not ours, or somebody else's
            pass


def _put_away(left: Path, path: Path) -> None:
    if left.name.endswith(".old.tmp") and not path.exists():
        os.replace(left, path)  # killed between the two renames of `whole_folder`
    elif left.is_dir() and not left.is_symlink():
        shutil.rmtree(left, ignore_errors=True)
    else:
        left.unlink(missing_ok=True)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """JSON, indented, sorted as given, without NaN."""
    write_atomically(path, (json.dumps(value, indent=1, allow_nan=False) + "\n").encode())
