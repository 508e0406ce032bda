"""The images of Kaggle's archive, known by their pixels.

`official.csv.gz` has a row for each of the 35,887: its file name in the archive, and the first
twelve hexadecimal digits of the SHA-256 of its 48 x 48 decoded gray values. A name alone proves
nothing: images with a name of the archive and other pixels would be given the wrong votes.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
from collections import Counter
from dataclasses import dataclass
from importlib import resources

import numpy as np

from ferbook.data.faces import DataError, Faces

SHA256 = "0a0fcf81ad7408fbbc0c1ae7a63f1aa7571f533163c8131d6e4645ee88811db6"
DIGITS = 12


@functools.cache
def digests() -> dict[str, str]:
    """The digest of each file of Kaggle's archive."""
    content = resources.files(__package__).joinpath("official.csv.gz").read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise DataError("official.csv.gz: altered (SHA-256). Install ferbook again.")
    rows = gzip.decompress(content).decode().splitlines()[1:]
    return dict(row.split(",") for row in rows)


def named(faces: Faces) -> Faces:
    """`faces` with names of the archive exactly where the pixels are those of the archive.

    Pixels that the archive holds once, with this label in this part, get its name, whatever theirs
    was, unless all are equal. A name of the archive above other pixels is taken away. All other
    names stay.
    """
    known, only = digests(), _only_files()
    names = faces.files.tolist()
    short = [digest[:DIGITS] for digest in faces.digests]
    right = [known.get(name) == digest for name, digest in zip(names, short, strict=True)]
    taken = {name for name, kept in zip(names, right, strict=True) if kept}
    found = []
    for name, digest, kept, constant in zip(names, short, right, faces.constant, strict=True):
        if not kept:
            likely = None if constant else only.get((_place(name), digest))
            name = _new_name(name, likely, taken)
        found.append(name)
    part = Faces(faces.images, faces.labels, np.array(found, dtype=str), faces.name)
    vars(part)["digests"] = faces.digests
    return part


def _new_name(name: str, official: str | None, taken: set[str]) -> str:
    if official and official not in taken:
        taken.add(official)
        return official
    if name not in digests():
        return name
    stem, _, suffix = name.rpartition(".")
    return f"{stem}-other.{suffix}"


def _place(name: str) -> str:
    """Part and class, and the contest's part of the set: what stands before the number."""
    return name.rpartition("_")[0]


@functools.cache
def _only_files() -> dict[tuple[str, str], str]:
    """The file of each place and digest that occur once."""
    count = Counter((_place(name), digest) for name, digest in digests().items())
    return {
        (_place(name), digest): name
        for name, digest in digests().items()
        if count[_place(name), digest] == 1
    }


@dataclass(frozen=True)
class Membership:
    """Which images of Kaggle's archive a source holds, by their pixels."""

    there: int
    missing: tuple[str, ...]  # files of the archive
    foreign: tuple[str, ...]  # files of the source


def membership(faces: Faces) -> Membership:
    """Every image of the archive is counted as often as it occurs there."""
    left: dict[str, list[str]] = {}
    for name, digest in digests().items():
        left.setdefault(digest, []).append(name)
    foreign = []
    for name, digest in zip(faces.files.tolist(), faces.digests, strict=True):
        same = left.get(digest[:DIGITS])
        if not same:
            foreign.append(name)
        else:
            same.remove(name) if name in same else same.pop()
    missing = sorted(name for names in left.values() for name in names)
    return Membership(len(digests()) - len(missing), tuple(missing), tuple(foreign))
