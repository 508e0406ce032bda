"""FER-2013 in the forms it is handed around in, as uint8 arrays.

Sources: the Kaggle `archive.zip` (msambare/fer2013) or its extracted folder; the contest's
`fer2013.csv`, `icml_face_data.csv` or `fer2013.tar.gz`, also inside a zip or a folder; a Kaggle
download; or the synthetic faces. Other people's files are hostile until checked: nothing is
extracted to disk, every size is bounded before it is read.
"""

from __future__ import annotations

import dataclasses
import os
import tarfile
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ferbook.core.classes import CLASSES
from ferbook.core.files import is_address, is_clutter, quoted
from ferbook.data import official
from ferbook.data.faces import (
    OFFICIAL_COUNTS,
    OFFICIAL_FINGERPRINT,
    USAGES,
    DataError,
    Faces,
    count_table,
)
from ferbook.data.sources import explanations
from ferbook.data.sources.containers import Container, Folder, Tar, Zip, clean
from ferbook.data.sources.images import read_images
from ferbook.data.sources.table import MAX_CSV_BYTES, read_table

NAMED = ("synthetic", "kaggle")  # sources that are no path
KAGGLE_HANDLE = "msambare/fer2013"
_WHOLE_TABLES = ("fer2013.csv", "icml_face_data.csv")  # in the order of preference
_TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz")
_DAMAGE = (zipfile.BadZipFile, zipfile.LargeZipFile, tarfile.TarError, EOFError, OSError,
           NotImplementedError, RuntimeError, UnicodeDecodeError, zlib.error)  # fmt: skip


@dataclass(frozen=True)
class Loaded:
    """What a source holds, and which file of the contest it is, byte for byte."""

    faces: Faces
    known: str = ""  # such as "fer2013.csv"; "" for an archive and for other files


def load(source: str | os.PathLike[str], *, subset: bool = False) -> Faces:
    """Load FER-2013 from `source`: images (n, 48, 48) and labels (n,), uint8, and files (n,).

    >>> load("synthetic").labels.shape
    (3000,)

    `source` is "synthetic", "kaggle", or the path of an `archive.zip`, an extracted folder, a
    `fer2013.csv`, an `icml_face_data.csv` or a `fer2013.tar.gz`. With `subset`, counts other than
    the official ones only warn; so do official counts with pixels that are not those of Kaggle's
    archive. Images get the archive's names, and with them the votes of FER+, where their pixels
    or the digest of the whole csv prove what they are.

    Raises DataError for anything that is not the data set, FileNotFoundError for a missing path.
    """
    faces = examine(source).faces
    if source != "synthetic":
        check_counts(faces, source, subset=subset)
    return faces


def examine(source: str | os.PathLike[str]) -> Loaded:
    """What `load` reads, whatever its counts, with what else is known of the source."""
    if source == "synthetic":
        from ferbook.data.synthetic import draw_faces

        return Loaded(draw_faces()[0])
    path = _download() if source == "kaggle" else _path(source)
    loaded = _read(path)
    faces = _sorted_by_file(loaded.faces)
    if not loaded.known:
        faces = _identified(faces, path)
    return Loaded(faces, loaded.known)


def find(source: str | os.PathLike[str]) -> None:
    """Without reading it: raises FileNotFoundError or DataError where `load` could not start."""
    if source not in NAMED:
        _check_kind(_path(source))


def _path(source: str | os.PathLike[str]) -> Path:
    if not os.fspath(source):  # Path would take the current folder
        raise DataError('data: expected a path, "kaggle" or "synthetic". Received an empty name.')
    if is_address(os.fspath(source)):
        raise DataError(
            f"data: {source}: nothing is fetched from the network, but for Kaggle's archive under "
            'the name "kaggle". Save it as a file first.'
        )
    return Path(os.path.expanduser(source))  # Path's own fails for a user who does not exist


def _check_kind(path: Path) -> None:
    if not path.exists():
        raise FileNotFoundError(
            f"data: no file or folder at {path}. Give the Kaggle archive.zip, its extracted "
            'folder, the contest\'s fer2013.csv, "kaggle" or "synthetic".'
        )
    read = path.name.lower().endswith((".zip", ".csv", *_TAR_SUFFIXES))
    if not (path.is_dir() or (path.is_file() and read)):
        raise DataError(
            f"data: expected a .zip, a .csv, a .tar.gz or a folder. Received: {path}. "
            f"{explanations.of_name(path.name.lower())}".rstrip()
        )


def _download() -> Path:
    import kagglehub

    try:
        return Path(kagglehub.dataset_download(KAGGLE_HANDLE))
    except Exception as error:  # kagglehub raises many kinds: network, credentials, quota
        absent = isinstance(error, OSError) and "Connection" in type(error).__name__
        reason = "no connection to it" if absent else f"{type(error).__name__}: {error!s:.120}"
        raise DataError(
            f"data: Kaggle gave no {KAGGLE_HANDLE} ({reason}). Download archive.zip by hand and "
            "give its path, or put your API token into ~/.kaggle/kaggle.json."
        ) from error


def _read(path: Path) -> Loaded:
    _check_kind(path)
    name = path.name.lower()
    if not os.access(path, os.R_OK):
        raise DataError(f"{path}: you are not allowed to read it.")
    if path.is_file() and name.endswith(".csv"):
        with path.open("rb") as file:
            return Loaded(*read_table(path, file))
    if (packed := path / "archive.zip").is_file() and not (path / "train").exists():
        raise DataError(f"{path}: the archive lies in it; give the zip itself, {packed}.")
    container = Folder(path) if path.is_dir() else Zip(path) if name.endswith(".zip") else None
    try:
        return _read_container(path, container or Tar(str(path), lambda: path.open("rb")))
    except PermissionError as error:  # of a file in a folder
        raise DataError(f"{error.filename}: you are not allowed to read it.") from error
    except _DAMAGE as error:
        kind = "zip" if name.endswith(".zip") else "folder" if path.is_dir() else "tar archive"
        raise DataError(
            f"{path}: not a readable {kind} ({error}). Is the download complete? Fetch it again."
        ) from error


def _read_container(source: Path, container: Container, *, is_nested: bool = False) -> Loaded:
    """The whole table, or else a tar archive with it, or else the images.

    Each level of nesting takes memory, so that there is one.
    """
    sizes = [(name, size) for name, size in container.sizes() if not is_clutter(name)]
    if not sizes:
        raise DataError(f"{source}: no images. Expected train/<class>/ and test/<class>/ in it.")
    files = [(clean(name).rpartition("/")[2].lower(), name) for name, _ in sizes]
    for whole in _WHOLE_TABLES:
        if found := [name for file, name in files if file == whole]:
            return _table_in(source, container, _only(source, found))
    if found := [name for file, name in files if file.endswith(_TAR_SUFFIXES)]:
        packed = _only(source, found)
        if is_nested:
            raise DataError(f"{source}: {quoted(packed)} lies in an archive in an archive.")
        return _read_container(source, _nested(source, packed, container), is_nested=True)
    if len(files) == 1 and files[0][0].endswith(".csv"):  # under a name of its owner's
        return _table_in(source, container, files[0][1])
    return Loaded(read_images(source, container, sizes))


def _only(source: Path, names: list[str]) -> str:
    if len(names) > 1:
        shown = " and ".join(map(quoted, names[:2]))
        raise DataError(f"{source}: holds {shown}. Give the path of one, or take the other out.")
    return names[0]


def _table_in(source: Path, container: Container, name: str) -> Loaded:
    for _, file in container.opened({name}):
        return Loaded(*read_table(source, file))


def _nested(source: Path, packed: str, container: Container) -> Tar:
    """A tar archive in another container. Its bytes fit into memory: the contest's are 92 MB."""
    import io

    for _, file in container.opened({packed}):
        content = file.read(MAX_CSV_BYTES // 2)
    return Tar(str(source), lambda: io.BytesIO(content))


def _sorted_by_file(faces: Faces) -> Faces:
    return faces.select(np.argsort(faces.files, kind="stable"))


def _identified(faces: Faces, source: Path) -> Faces:
    """`faces` with names that their pixels prove; warns where those of a whole set are others."""
    if len(faces) == sum(map(sum, OFFICIAL_COUNTS.values())):
        if faces.fingerprint == OFFICIAL_FINGERPRINT:
            return faces
        warnings.warn(
            f"{source}: the counts are official, but the pixels are not those of {KAGGLE_HANDLE} "
            f"(SHA-256 {faces.fingerprint}, expected {OFFICIAL_FINGERPRINT}). Results may differ, "
            "and images that differ have no votes of FER+.",
            stacklevel=4,
        )
    elif official.membership(faces).there < len(faces) / 2:
        faces = dataclasses.replace(faces, name="other")
    return _sorted_by_file(official.named(faces))


def check_counts(faces: Faces, source: str | os.PathLike[str], *, subset: bool = False) -> None:
    """Raises DataError unless every class is there and, without `subset`, as often as it should."""
    counts = count_table(faces)
    absent = [f"{label} in {u}" for u in USAGES for label in CLASSES if not counts.loc[label, u]]
    if absent:
        raise DataError(f"{source}: no image of {'; '.join(absent)}. Every class must be there.")
    expected = np.array([OFFICIAL_COUNTS[usage] for usage in USAGES]).T  # (class, usage)
    if (counts.to_numpy() == expected).all():
        return
    row, column = np.unravel_index(np.abs(counts.to_numpy() - expected).argmax(), expected.shape)
    message = (
        f"{source}: {len(faces):,} images, but FER-2013 has {expected.sum():,}. The largest "
        f"difference: {CLASSES[row]} in {USAGES[column]} {counts.iat[row, column]:,}, there "
        f"{expected[row, column]:,}."
    )
    if not subset:
        raise DataError(
            f"{message} If a subset is meant, say so: subset=True in Python, --subset for "
            "ferbook data check, train and export."
        )
    warnings.warn(message, stacklevel=3)
