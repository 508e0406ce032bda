"""Files written whole or not at all; nothing that is read is written over."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ferbook.core.files import FileError, quoted


def write_atomically(path: Path, content: bytes) -> None:
    """Write to a temporary file near `path`, flush to disk, rename.

    A killed writer leaves the old file as it was. A symbolic link at `path` is replaced, not
    written through.
    """
    with whole_file(path) as temporary, _of(path), open(temporary, "xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A name at which a library writes a file, which takes the place of `path` after the block.

    If the block ends with an error, or nothing was written, `path` stays as it was. Raises
    FileError as `check_place` does.
    """
    check_place(path)
    with _workshop(path) as folder:
        yield folder / path.name  # its own name: some libraries choose a format by the suffix
        if (folder / path.name).exists():
            os.replace(folder / path.name, path)


@contextlib.contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A new folder to fill, which takes the place of `folder` if the block ends without an error.

    So a set of files is either the old or the new one. Raises FileError, and changes nothing, when
    `folder` holds something that the new one does not, or is the current folder or one above it.
    """
    if folder.resolve() in (Path.cwd(), *Path.cwd().parents):
        raise FileError(f"{folder}: you are in this folder. Give another one.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _workshop(folder) as workshop:
        new = workshop / folder.name
        new.mkdir()
        yield new
        if folder.exists():
            refuse_strangers(folder, [path.name for path in new.iterdir()])
            os.replace(folder, _old(workshop, folder))
        os.replace(new, folder)


def check_place(path: Path, *suffixes: str) -> None:
    """Raises FileError for a folder, a device, a pipe, and a file in a folder that does not exist.

    Of these, /dev/stdout is one even where a file is behind it: a rename would replace the link.
    With `suffixes`, such as ".csv", also for a file that is there and has none of them.
    """
    if path.is_dir():
        raise FileError(f"{path}: a folder. Give a file's name.")
    if _is_stream(path) or (path.exists() and not path.is_file()):
        raise FileError(f"{path}: no file. Give a file's name.")
    if not path.parent.is_dir():
        raise FileError(f"{path}: there is no folder {path.parent}.")
    if suffixes and path.is_file() and path.suffix.lower() not in suffixes:
        raise FileError(
            f"{path}: is there already, and its name does not end with {' or '.join(suffixes)}. "
            "Give another name."
        )


def _is_stream(path: Path) -> bool:
    return path.is_symlink() and os.readlink(path).startswith(("/dev/", "/proc/"))


def refuse_filled(folder: Path) -> None:
    """Raises FileError for a folder that is there and holds anything."""
    if folder.is_dir() and any(folder.iterdir()):
        raise FileError(f"{folder}: is there already. Give a new folder.")


def check_writable(path: Path) -> None:
    """Raises OSError where `path` and the folders above it could not be made; leaves nothing."""
    above = path.parent
    while not above.exists() and above != above.parent:
        above = above.parent
    with _of(path), tempfile.TemporaryFile(dir=above):
        pass


@contextlib.contextmanager
def _of(path: Path) -> Iterator[None]:
    """An error of the system is about `path`, and not about a temporary file for it."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def refuse_strangers(folder: Path, names: Collection[str]) -> None:
    """Raises FileError for what `folder` holds beside `names`, or somebody's photographs go."""
    own = {left.name for name in names for left in _workshops(folder / name)}
    if strangers := sorted({path.name for path in folder.iterdir()} - {*names} - own):
        raise FileError(
            f"{folder}: holds {quoted(strangers[0])}, which would be lost. "
            "Move it away, or give another folder."
        )


def refuse_sources(targets: Iterable[Path], sources: Iterable[str | Path]) -> None:
    """Raise FileError when a file to be written is one of those to be read, by whatever name."""
    taken = {_identity(Path(source)) for source in sources if Path(source).exists()}
    for target in targets:
        if target.exists() and _identity(target) in taken:
            raise FileError(f"{target}: is to be read and to be written. Give another target.")


def _identity(path: Path) -> tuple[int, int]:
    facts = path.stat()
    return facts.st_dev, facts.st_ino


@contextlib.contextmanager
def _workshop(path: Path) -> Iterator[Path]:
    """A folder beside `path`, on the same file system, for what is to take its place.

    Its lock ends with its writer, however that ends; the next writer of `path` then removes it.
    """
    for left in _workshops(path):
        if left.is_dir() and not left.is_symlink():
            with _locked(left, wait=False) as abandoned:
                if abandoned:
                    _remove(left, path)
    with contextlib.ExitStack() as lock:
        folder = None
        while folder is None or not folder.exists():  # one taken for abandoned before its lock
            with _of(path):
                folder = Path(tempfile.mkdtemp(".tmp", _prefix(path), path.parent))
            lock.enter_context(_locked(folder, wait=True))
        try:
            yield folder
        finally:
            _remove(folder, path)


def _prefix(path: Path) -> str:
    """What the names of temporary folders for `path` begin with."""
    return f".{_short(path.name)}."


def _short(name: str) -> str:
    """`name`, or what leaves room beside it in the 255 bytes of a file's name."""
    encoded = os.fsencode(name)
    return name if len(encoded) <= 200 else hashlib.sha256(encoded).hexdigest()


def _workshops(path: Path) -> list[Path]:
    """The temporary folders for `path`, which end in eight characters by chance."""
    return list(path.parent.glob(f"{glob.escape(_prefix(path))}????????.tmp"))


@contextlib.contextmanager
def _locked(folder: Path, wait: bool) -> Iterator[bool]:
    """Whether `folder` is locked for the block: never on a system where folders have no locks."""
    from filelock import lock_descriptor  # late: it takes as long to import as all else here

    with contextlib.ExitStack() as stack:
        held = False
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            held = lock_descriptor(descriptor, blocking=wait)
        yield held


def _remove(workshop: Path, path: Path) -> None:
    """Remove a temporary folder; an old `path` in it goes back if no new one replaced it."""
    if _old(workshop, path).exists() and not path.exists():
        os.replace(_old(workshop, path), path)
    shutil.rmtree(workshop, ignore_errors=True)


def _old(workshop: Path, folder: Path) -> Path:
    """Where `whole_folder` keeps what it replaces, between its two renames."""
    return workshop / f"{_short(folder.name)}.old"


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """JSON, indented, sorted as given, without NaN."""
    write_atomically(path, (json.dumps(value, indent=1, allow_nan=False) + "\n").encode())
