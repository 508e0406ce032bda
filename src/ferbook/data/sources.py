"""FER-2013 from any of its forms, as uint8 arrays.

Sources: the Kaggle `archive.zip` (msambare/fer2013), its extracted folder, the contest's
`fer2013.csv`, a Kaggle download, or the synthetic faces. Other people's files are hostile until
checked: nothing is extracted to disk, every size is bounded before it is read.
"""

from __future__ import annotations

import io
import os
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ferbook.core.classes import CLASSES
from ferbook.data.faces import (
    CSV_CLASSES,
    OFFICIAL_COUNTS,
    OFFICIAL_FINGERPRINT,
    SIDE,
    USAGES,
    DataError,
    Faces,
    count_table,
)

MAX_IMAGE_BYTES = 64 * 1024  # the largest file of the official archive has 2,483 bytes
MAX_CSV_BYTES = 1_000_000_000  # the contest's file has 301,072,766
MAX_FILES = 100_000  # the official archive has 35,887
KAGGLE_HANDLE = "msambare/fer2013"
_FILE = re.compile(r"(train|test)/([a-z]+)/(Training|PublicTest|PrivateTest)_(\d+)\.(jpg|png)")


def load(source: str | os.PathLike[str], *, subset: bool = False) -> Faces:
    """Load FER-2013 from `source`.

    `source` is "synthetic", "kaggle", or the path of an `archive.zip`, an extracted folder or a
    `fer2013.csv`. With `subset`, counts other than the official ones only warn; so do official
    counts with pixels that are not those of Kaggle's archive.

    Raises DataError for anything that is not the data set, FileNotFoundError for a missing path.
    """
    if source == "synthetic":
        from ferbook.data.synthetic import draw_faces

        return draw_faces()[0]
    path = _download() if source == "kaggle" else Path(source).expanduser()
    faces = _sorted_by_file(_reader(path)(path))
    _check_counts(faces, path, subset=subset)
    if path.suffix.lower() != ".csv":  # whose pixels the archive's JPEGs only approximate
        _check_fingerprint(faces, path)
    return faces


def find(source: str | os.PathLike[str]) -> None:
    """Without reading it: raises FileNotFoundError or DataError where `load` could not start."""
    if source not in ("synthetic", "kaggle"):
        _reader(Path(source).expanduser())


def _reader(path: Path) -> Callable[[Path], Faces]:
    if path.is_dir():
        return _read_folder
    if not path.is_file():
        raise FileNotFoundError(
            f"data: no file or folder at {path}. Give the Kaggle archive.zip, its extracted "
            'folder, the contest\'s fer2013.csv, "kaggle" or "synthetic".'
        )
    readers = {".zip": _read_zip, ".csv": _read_csv}
    if path.suffix.lower() not in readers:
        raise DataError(f"data: expected a .zip, a .csv or a folder. Received: {path}.")
    return readers[path.suffix.lower()]


def _download() -> Path:
    import kagglehub

    try:
        return Path(kagglehub.dataset_download(KAGGLE_HANDLE))
    except Exception as error:  # kagglehub raises many kinds: network, credentials, quota
        raise DataError(
            f"data: Kaggle gave no {KAGGLE_HANDLE} ({type(error).__name__}: {error}). Put your API "
            "token into ~/.kaggle/kaggle.json, or download archive.zip by hand and give its path."
        ) from error


def _read_zip(path: Path) -> Faces:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _check_entries(path, [(entry.filename, entry.file_size) for entry in entries])
            return _decode(path, ((e.filename, _read_entry(archive, e)) for e in entries))
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        EOFError,
        NotImplementedError,
        RuntimeError,
        OSError,
        UnicodeDecodeError,
        zlib.error,
    ) as error:
        raise DataError(
            f"{path}: not a readable zip ({error}). Is the download complete? Fetch it again."
        ) from error


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(
            f"{archive.filename}: {entry.filename} is compressed by method {entry.compress_type}. "
            "Expected a stored or deflated entry, as in Kaggle's archive."
        )
    # Bounded: an entry's announced size is the archive's word, not a fact.
    with archive.open(entry) as file:
        return file.read(MAX_IMAGE_BYTES + 1)


def _read_folder(path: Path) -> Faces:
    files = sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
    names = [p.relative_to(path).as_posix() for p in files]
    _check_entries(path, zip(names, (p.stat().st_size for p in files), strict=True))
    return _decode(path, ((name, p.read_bytes()) for name, p in zip(names, files, strict=True)))


def _check_entries(source: Path, entries: Iterable[tuple[str, int]]) -> None:
    """Judge names and sizes before a single byte is decoded."""
    seen: set[str] = set()
    for name, size in entries:
        _parse_name(source, name)
        if name in seen:
            raise DataError(f"{source}: two entries are called {name}. Fetch the archive again.")
        if size > MAX_IMAGE_BYTES:
            raise DataError(
                f"{source}: {name} has {size:,} bytes; a {SIDE}x{SIDE} image has at most "
                f"{MAX_IMAGE_BYTES:,}. This is not the FER-2013 archive."
            )
        seen.add(name)
        if len(seen) > MAX_FILES:
            raise DataError(f"{source}: more than {MAX_FILES:,} files; FER-2013 has 35,887.")
    if not seen:
        raise DataError(f"{source}: no images. Expected train/<class>/ and test/<class>/ in it.")


def _parse_name(source: Path, name: str) -> tuple[str, str]:
    """(class, usage) of an entry's name; rejects paths that leave the archive."""
    match = _FILE.fullmatch(name)
    if match is None:
        raise DataError(
            f"{source}: unexpected file {name!r}. Expected names such as "
            "train/angry/Training_3908.jpg or test/happy/PrivateTest_1043.jpg."
        )
    folder, label, usage = match[1], match[2], match[3]
    if label not in CLASSES:
        raise DataError(
            f"{source}: unknown class folder {label!r} in {name!r}. "
            f"Expected one of {', '.join(CLASSES)}."
        )
    if (folder == "train") != (usage == "Training"):
        raise DataError(f"{source}: {name!r} is a {usage} image in the folder {folder!r}.")
    return label, usage


def _decode(source: Path, entries: Iterable[tuple[str, bytes]]) -> Faces:
    images, labels, files = [], [], []
    for name, content in entries:
        images.append(_decode_image(source, name, content))
        labels.append(CLASSES.index(_parse_name(source, name)[0]))
        files.append(name)
    return Faces(
        np.stack(images), np.array(labels, np.uint8), np.array(files, dtype=str), "fer2013"
    )


def _decode_image(source: Path, name: str, content: bytes) -> UInt8[np.ndarray, "48 48"]:
    if len(content) > MAX_IMAGE_BYTES:
        raise DataError(f"{source}: {name} unpacks to more than {MAX_IMAGE_BYTES:,} bytes.")
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as image:
            if image.size != (SIDE, SIDE) or image.mode != "L":
                raise DataError(
                    f"{source}: {name} is {image.size[0]}x{image.size[1]} pixels of mode "
                    f"{image.mode}. Expected {SIDE}x{SIDE} of mode L (8-bit grey)."
                )
            return np.asarray(image)
    except DataError:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{source}: {name} is not a readable JPEG or PNG ({error}).") from error


def _read_csv(path: Path) -> Faces:
    if path.stat().st_size > MAX_CSV_BYTES:
        raise DataError(f"{path}: more than {MAX_CSV_BYTES:,} bytes. This is not fer2013.csv.")
    import pandas as pd

    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, nrows=MAX_FILES + 1)
    except (ValueError, UnicodeDecodeError, pd.errors.ParserError) as error:
        raise DataError(f"{path}: not a readable csv ({error}).") from error
    missing = {"emotion", "pixels", "Usage"} - set(table.columns)
    if missing:
        raise DataError(
            f"{path}: no column {', '.join(sorted(missing))}. Expected emotion,pixels,Usage; "
            f"found {', '.join(map(str, table.columns[:8]))}."
        )
    if not 0 < len(table) <= MAX_FILES:
        raise DataError(f"{path}: expected 1 to {MAX_FILES:,} rows.")
    rows = zip(table["emotion"], table["pixels"], table["Usage"], strict=True)
    parsed = [_parse_row(path, number, *row) for number, row in enumerate(rows)]
    images, labels, files = zip(*parsed, strict=True)
    if len(files) == sum(map(sum, OFFICIAL_COUNTS.values())):
        files = _archive_names(files)
    return Faces(
        np.stack(images), np.array(labels, np.uint8), np.array(files, dtype=str), "fer2013"
    )


def _archive_names(files: tuple[str, ...]) -> list[str]:
    """The names that Kaggle's archive gives to the contest's rows, where they are known."""
    from ferbook.data.ferplus import crosswalk

    names = list(files)
    for name, row in crosswalk()["fer2013_row"].items():
        if name.rpartition("_")[0] == files[row].rpartition("_")[0]:  # same part and label
            names[row] = name
    return names


def _parse_row(path: Path, number: int, emotion: str, pixels: str, usage: str):
    """One csv row as (image, label, file); the file is named after the 0-based row."""
    where = f"{path}: row {number}"
    if emotion not in tuple("0123456"):
        raise DataError(f"{where}: emotion is {emotion!r}. Expected 0 to 6.")
    if usage not in USAGES:
        raise DataError(f"{where}: Usage is {usage!r}. Expected one of {', '.join(USAGES)}.")
    try:
        values = np.array(pixels.split(), dtype=np.int64)
    except (ValueError, OverflowError):
        raise DataError(f"{where}: pixels hold something that is not a whole number.") from None
    if len(values) != SIDE * SIDE:
        raise DataError(f"{where}: {len(values):,} pixels. Expected {SIDE * SIDE:,}.")
    if values.min() < 0 or values.max() > 255:
        bad = values[(values < 0) | (values > 255)][0]
        raise DataError(f"{where}: a pixel of value {bad}. Expected 0 to 255.")
    label = CSV_CLASSES[int(emotion)]
    folder = "train" if usage == "Training" else "test"
    file = f"{folder}/{label}/{usage}_{number:05d}.jpg"
    return values.astype(np.uint8).reshape(SIDE, SIDE), CLASSES.index(label), file


def _sorted_by_file(faces: Faces) -> Faces:
    return faces.select(np.argsort(faces.files, kind="stable"))


def _check_counts(faces: Faces, source: Path, *, subset: bool) -> None:
    counts = count_table(faces)
    absent = [f"{label} in {u}" for u in USAGES for label in CLASSES if not counts.loc[label, u]]
    if absent:
        raise DataError(f"{source}: no image of {'; '.join(absent)}. Every class must be there.")
    import pandas as pd

    official = pd.DataFrame(OFFICIAL_COUNTS, index=CLASSES)
    if (counts.to_numpy() == official.to_numpy()).all():
        return
    message = (
        f"{source}: {len(faces):,} images, but FER-2013 has {official.to_numpy().sum():,}. "
        f"Found per class:\n{counts.to_string()}\nOfficial:\n{official.to_string()}"
    )
    if not subset:
        raise DataError(
            f"{message}\nIf a subset is meant, say so: subset=True in Python, --subset for "
            "ferbook data check and ferbook train."
        )
    warnings.warn(message, stacklevel=3)


def _check_fingerprint(faces: Faces, source: Path) -> None:
    if len(faces) != sum(map(sum, OFFICIAL_COUNTS.values())):
        return
    found = faces.fingerprint
    if found != OFFICIAL_FINGERPRINT:
        warnings.warn(
            f"{source}: the counts are official, but the pixels are not those of {KAGGLE_HANDLE} "
            f"(SHA-256 {found}, expected {OFFICIAL_FINGERPRINT}). Results may differ.",
            stacklevel=3,
        )
