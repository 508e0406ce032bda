"""From files, folders, videos and cameras to a report of all faces in them."""

from __future__ import annotations

import functools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np

from ferbook.inference import marking
from ferbook.inference.classifier import RELEASED, Classifier, classify
from ferbook.inference.collecting import Item, collect
from ferbook.inference.detector import SEARCH, Search, faces_in
from ferbook.inference.face import Face, InputError
from ferbook.inference.media import decode, frame_count, frames, read_picture
from ferbook.inference.report import Report, check_targets

Found = tuple[Face, np.ndarray]  # and its cut-out (48, 48)
T, R = TypeVar("T"), TypeVar("R")
Track = Callable[[Iterable, int | None, str], Iterable]


def _untracked(items: Iterable, total: int | None, description: str) -> Iterable:
    return items


def gather(
    sources: str | Path | Iterable[str | Path],
    model: Path | Classifier | None = None,
    annotate: Path | None = None,
    every: int = 10,
    *,
    search: Search = SEARCH,
    replace: bool = False,
    reports: Iterable[Path | None] = (),
    track: Track = _untracked,
) -> Report:
    """Answers for every face of `sources`; what fails is noted, and the rest is answered.

    Pictures are read and searched on all cores. `annotate` is a folder for marked copies, which
    `replace` lets overwrite earlier ones; `reports` are files to be written afterwards, none of
    which may be a source; `track` shows how far the work is. Raises InputError, before anything
    is looked at, for a missing source, an empty folder, an unusable model or such a file.
    """
    collected = collect(sources, leave_out=annotate)
    items = collected.items
    check_targets(*reports, sources=[item.path for item in items if item.path])
    targets = marking.plan(items, annotate, replace=replace) if annotate else {}
    ready = isinstance(model, Classifier)
    classifier = model if ready else Classifier(model or RELEASED / "model-int8.onnx")
    report = Report(classifier.path.name, skipped=collected.skipped)
    look = _Look(report, every, search, track)
    report.faces = list(classify(look.at(items), classifier))
    _mark(report, items, targets)
    return report


class _Look:
    """Goes through pictures, videos and cameras; notes what fails and what is empty."""

    def __init__(self, report: Report, every: int, search: Search, track: Track):
        self._report, self._every, self._search, self._track = report, every, search, track

    def at(self, items: list[Item]) -> Iterator[Found]:
        """The faces of all items with their cut-outs."""
        looked = ahead(self._picture, [item for item in items if _is_still(item)])
        for item in self._track(items, len(items), "looking"):
            number = 0
            try:
                for pair in next(looked)() if _is_still(item) else self._moving(item):
                    number += 1
                    yield pair
            except InputError as error:
                self._report.problems.append(str(error))
            except KeyboardInterrupt:  # how one leaves a camera
                return
            except Exception as error:  # one bad file must not cost the answers of the others
                self._report.problems.append(f"{item.name}: {type(error).__name__}: {error}")
            else:
                if number == 0:
                    self._report.empty.append(item.name)

    def _picture(self, item: Item) -> list[Found]:
        if item.content is None:
            picture = read_picture(item.path)
        else:
            picture = decode(item.content, item.name)
        if picture.info["pictures"] > 1:
            line = f"{item.name}: only the first of {picture.info['pictures']:,} pictures in it."
            self._report.skipped.append(line)
        return faces_in(np.asarray(picture.convert("L")), item.name, search=self._search)

    def _moving(self, item: Item) -> Iterator[Found]:
        """The faces of a video or before a camera."""
        video = str(item.path) if item.path else int(item.name.removeprefix("camera:"))
        total = frame_count(video) // self._every or None  # a camera has no end
        for index, frame in self._track(frames(video, self._every), total, item.name):
            grey = np.asarray(marking.from_video(frame).convert("L"))
            yield from faces_in(grey, item.name, index, self._search)


def _is_still(item: Item) -> bool:
    return item.kind not in ("video", "camera")


def ahead(work: Callable[[T], R], items: list[T]) -> Iterator[Callable[[], R]]:
    """Calls that wait for `work` on each item, in order; some are done ahead, on all cores."""
    workers = os.cpu_count() or 1
    if len(items) < 2:  # no threads for one picture
        yield from (functools.partial(work, item) for item in items)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting = deque(pool.submit(work, item) for item in items[: 4 * workers])
        for item in items[4 * workers :]:
            yield waiting.popleft().result
            waiting.append(pool.submit(work, item))
        for future in waiting:
            yield future.result


def _mark(report: Report, items: list[Item], targets: dict[str, Path]) -> None:
    by_source: dict[str, list[Face]] = {}
    for face in report.faces:
        by_source.setdefault(face.source, []).append(face)
    for item in items:
        if item.name in targets and item.name in by_source:
            try:
                marking.mark(item, by_source[item.name], targets[item.name])
            except Exception as error:  # the answers are there, and are to be written
                report.problems.append(f"{targets[item.name]}: not marked ({error}).")
