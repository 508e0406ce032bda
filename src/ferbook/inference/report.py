"""What was found, as JSON, CSV and rows of a table."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ferbook.core.classes import CLASSES
from ferbook.core.writing import check_place, check_writable, refuse_sources, write_atomically
from ferbook.inference.face import Face, InputError

_PLACE = ("source", "frame", "seconds", "track", "left", "top", "width", "height")
COLUMNS = (*_PLACE, "expression", "confidence")


@dataclass(frozen=True)
class EmptyFrame:
    """A frame of a video that was looked at and holds no face."""

    source: str
    frame: int
    seconds: float


@dataclass
class Report:
    """The faces, and what could not be read, held no face or was not looked at."""

    model: str
    faces: list[Face] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)  # what failed, a line each
    empty: list[str] = field(default_factory=list)  # sources without a face
    frames_without_face: list[EmptyFrame] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)  # what was not looked at, a line each

    @contextlib.contextmanager
    def noting(self, name: str) -> Iterator[None]:
        """What fails in the block becomes a problem of `name`; the program goes on after it."""
        try:
            yield
        except InputError as error:
            self.problems.append(str(error))
        except Exception as error:
            self.problems.append(f"{name}: {type(error).__name__}: {error}")


def check_targets(*files: Path | None, sources: Iterable[Path] = ()) -> None:
    """Before hours of looking: whether reports can be written, and none replaces a source.

    Raises FileError for a folder, for what lies in none, for a source, and for a file that is there
    and is named neither .json nor .csv; InputError for what else is no file that can be written,
    and for two reports of one name.
    """
    targets = list(filter(None, files))
    for file in targets:
        _check_target(file)
    if len({file.parent.resolve() / file.name for file in targets}) < len(targets):
        raise InputError(f"{targets[0]}: is to be written twice. Give each report its own name.")
    refuse_sources(targets, sources)


def _check_target(file: Path) -> None:
    if _is_printed(file):
        return
    check_place(file, ".json", ".csv")
    try:
        check_writable(file)
    except OSError as error:
        raise InputError(f"{file}: cannot be written ({error.strerror}).") from error


def write(report: Report, json_file: Path | None, csv_file: Path | None) -> None:
    """The report as JSON, with everything, and as CSV, a row per face; `-` prints it."""
    if json_file:
        _put(json_file, json.dumps(dataclasses.asdict(report), indent=1, allow_nan=False) + "\n")
    if csv_file:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([(*COLUMNS, *CLASSES), *rows(report)])
        _put(csv_file, text.getvalue())


def _put(file: Path, text: str) -> None:
    if _is_printed(file):
        sys.stdout.write(text)
    else:
        write_atomically(file, text.encode())


def _is_printed(file: Path) -> bool:
    return str(file) == "-"


def rows(report: Report) -> list[tuple]:
    """A row per face: COLUMNS, and seven probabilities."""
    return [
        (f.source, f.frame, f.seconds, f.track, *f.box, f.expression, f.confidence,
         *f.probabilities.values())
        for f in report.faces
    ]  # fmt: skip


def summary(report: Report) -> list[tuple[str, str, str, str]]:
    """A row per face, short enough for a terminal: where it is, the likeliest two expressions."""
    found = []
    for face in report.faces:
        left, top, width, height = face.box
        ranked = sorted(face.probabilities.items(), key=lambda item: -item[1])
        frame = f", frame {face.frame} ({face.seconds:.1f} s)" if face.seconds is not None else ""
        place = f"{width}x{height} at {left},{top}{frame}"
        found.append((face.source, place, *(f"{name} {share:.0%}" for name, share in ranked[:2])))
    return found
