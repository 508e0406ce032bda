"""`ferbook predict`: sources to a report, and the report to JSON, CSV and marked pictures."""

from __future__ import annotations

import dataclasses
import json
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from rich.console import Console
from rich.progress import Progress

from ferbook.core.classes import CLASSES
from ferbook.core.files import write_atomically
from ferbook.inference.classifier import RELEASED, Classifier, classify
from ferbook.inference.detector import faces_in
from ferbook.inference.face import Face, InputError
from ferbook.inference.media import VIDEOS, annotated, collect, frame_count, frames, read_picture


@dataclass
class Report:
    """What was found: the faces, and what could not be read or held no face."""

    model: str
    faces: list[Face] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)  # sources that could not be read
    empty: list[str] = field(default_factory=list)  # sources without a face


def gather(
    sources: list[str], model: Path | None = None, annotate: Path | None = None, every: int = 10
) -> Report:
    """Answers for every face of `sources`; unreadable pictures are noted and passed over.

    Pictures are read and searched on all cores. Raises InputError for a missing source, an empty
    folder or an unusable model.
    """
    classifier = Classifier(model or RELEASED / "model-int8.onnx")
    report = Report(classifier.path.name)
    cameras = [source for source in sources if source.startswith("camera:")]
    files = collect(source for source in sources if source not in cameras)
    report.faces = list(classify(_look([*files, *cameras], report, every), classifier))
    if annotate:
        _annotate(report, annotate)
    return report


def check_targets(*files: Path | None) -> None:
    """Before hours of looking: raises InputError when a report could not be written."""
    for file in filter(None, files):
        if file.is_dir() or not file.parent.is_dir():
            raise InputError(f"{file}: not a file in a folder that exists.")


def write(report: Report, json_file: Path | None, csv_file: Path | None) -> None:
    """The report as JSON, with everything, and as CSV, a row per face."""
    if json_file:
        content = json.dumps(dataclasses.asdict(report), indent=1)
        write_atomically(json_file, content.encode())
    if csv_file:
        write_atomically(csv_file, frame(report).to_csv(index=False).encode())


def frame(report: Report) -> pd.DataFrame:
    """A row per face: source, frame, box, expression, confidence, seven probabilities."""
    rows = [
        (f.source, f.frame, *f.box, f.expression, f.confidence, *f.probabilities.values())
        for f in report.faces
    ]
    names = ["source", "frame", "left", "top", "width", "height", "expression", "confidence"]
    return pd.DataFrame(rows, columns=[*names, *CLASSES])


def summary(report: Report) -> pd.DataFrame:
    """A row per face, short enough for a terminal: where it is, the likeliest two expressions."""
    rows = []
    for face in report.faces:
        left, top, width, height = face.box
        ranked = sorted(face.probabilities.items(), key=lambda item: -item[1])
        frame = f", frame {face.frame}" if face.frame else ""
        place = f"{width}x{height} at {left},{top}{frame}"
        rows.append((face.source, place, *(f"{name} {share:.0%}" for name, share in ranked[:2])))
    return pd.DataFrame(rows, columns=["source", "face", "it looks", "or"])


def _look(
    sources: list[Path | str], report: Report, every: int
) -> Iterator[tuple[Face, np.ndarray]]:
    """The faces of all sources with their cut-outs; notes what fails and what is empty."""
    looked = _ahead(_picture, [source for source in sources if _is_picture(source)])
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for source in progress.track(sources, description="looking"):
            number = 0
            try:
                still = _is_picture(source)
                for pair in next(looked)() if still else _moving(source, every, progress):
                    number += 1
                    yield pair
            except InputError as error:
                report.problems.append(str(error))
            except KeyboardInterrupt:  # how one leaves a camera
                return
            else:
                if number == 0:
                    report.empty.append(str(source))


def _ahead(
    work: Callable[[Path], list], sources: list[Path]
) -> Iterator[Callable[[], list[tuple[Face, np.ndarray]]]]:
    """Calls that wait for `work` on each source, in order; some are done ahead, on all cores."""
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        waiting = deque(pool.submit(work, source) for source in sources[: 4 * workers])
        for source in sources[4 * workers :]:
            yield waiting.popleft().result
            waiting.append(pool.submit(work, source))
        for future in waiting:
            yield future.result


def _is_picture(source: Path | str) -> bool:
    return isinstance(source, Path) and source.suffix.lower() not in VIDEOS


def _picture(source: Path) -> list[tuple[Face, np.ndarray]]:
    return faces_in(np.asarray(read_picture(source).convert("L")), str(source))


def _moving(
    source: Path | str, every: int, progress: Progress
) -> Iterator[tuple[Face, np.ndarray]]:
    """The faces of a video or before a camera."""
    video, name = _video(source), Path(source).name
    total = frame_count(video) // every or None  # a camera has no end
    for index, frame in progress.track(frames(video, every), total, description=name):
        yield from faces_in(np.asarray(_from_video(frame).convert("L")), str(source), index)


def _video(source: Path | str) -> str | int:
    """What OpenCV opens: a file's name or a camera's number."""
    if isinstance(source, Path):
        return str(source)
    number = source.removeprefix("camera:")
    if not number.isdecimal():
        raise InputError(f"{source}: expected camera:0, camera:1 and so on.")
    return int(number)


def _from_video(frame: np.ndarray) -> Image.Image:
    return Image.fromarray(frame[..., ::-1])  # OpenCV has blue first


def _annotate(report: Report, folder: Path) -> None:
    """Marked copies of all pictures, and of the frames of videos, in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    by_source: dict[str, dict[int, list[Face]]] = {}
    for face in report.faces:
        by_source.setdefault(face.source, {}).setdefault(face.frame, []).append(face)
    for source, found in by_source.items():
        path = Path(source)
        if path.suffix.lower() in VIDEOS:
            for index, frame in frames(source):
                if index in found:
                    marked = annotated(_from_video(frame), found[index])
                    marked.save(folder / f"{path.stem}-{index:06d}.jpg")
        elif path.is_file():
            annotated(read_picture(path), found[0]).save(folder / f"{path.stem}.png")
