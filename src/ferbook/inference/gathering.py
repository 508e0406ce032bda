"""From files, folders, videos and cameras to a report of all faces in them."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np

from ferbook.inference import marking
from ferbook.inference.classifier import RELEASED, Classifier, classify
from ferbook.inference.collecting import Collected, Item, collect, real
from ferbook.inference.detector import SEARCH, Search, faces_in
from ferbook.inference.face import Face, InputError
from ferbook.inference.media import decode, read_picture
from ferbook.inference.moving import Show, Track, Watch, Watching, never
from ferbook.inference.report import Report, check_targets

Found = tuple[Face, np.ndarray]  # and its cut-out (48, 48)
T, R = TypeVar("T"), TypeVar("R")


def _untracked(items: Iterable, total: int | None, description: str) -> Iterable:
    return items


def gather(
    sources: str | Path | Iterable[str | Path] | Collected,
    model: Path | Classifier | None = None,
    annotate: Path | None = None,
    every: int = 10,
    *,
    search: Search = SEARCH,
    smooth: float = 0.0,
    replace: bool = False,
    reports: Iterable[Path | None] = (),
    track: Track = _untracked,
    show: Show | None = None,
    stop: Callable[[], bool] = never,
) -> Report:
    """Answers for every face of `sources`; what fails is noted, and the rest is answered.

    Pictures are read and searched on all cores. `annotate` is a folder for marked copies, which
    `replace` lets overwrite earlier ones; `reports` are files to be written afterward, none of
    which may be a source. `every` and `smooth` (half-life, s) are of videos: see `moving`, also for
    `show` and `stop`; `track` shows how far the work is. Raises InputError, before anything is
    looked at, for a missing source, an empty folder, an unusable model or such a file.
    """
    known = isinstance(sources, Collected)
    collected = sources if known else collect(sources, leave_out=annotate)
    items = collected.items
    check_targets(*reports, sources=[item.path for item in items if item.path])
    targets = marking.plan(items, annotate, replace=replace) if annotate else {}
    if both := set(map(real, filter(None, reports))) & set(map(real, targets.values())):
        raise InputError(f"{both.pop()}: would be a report and a marked copy. Rename the report.")
    ready = isinstance(model, Classifier)
    classifier = model if ready else Classifier(model or RELEASED / "model-int8.onnx")
    report = Report(classifier.path.name, skipped=collected.skipped)
    how = Watching(every, smooth, show, stop)
    _Look(report, classifier, search, how).at(items, targets, track)
    return report


class _Look:
    """Goes through pictures, videos and cameras; notes what fails and what is empty."""

    def __init__(self, report: Report, classifier: Classifier, search: Search, how: Watching):
        self._report, self._classifier, self._search, self._how = report, classifier, search, how
        self._left = 0  # items that were not looked at, since it was stopped before

    def at(self, items: list[Item], targets: dict[str, Path], track: Track) -> None:
        """Add the faces of all items to the report, and write the marked copies."""
        stills = [item for item in items if _is_still(item)]
        with ahead(self._picture, stills) as looked:
            for still, run in itertools.groupby(track(items, len(items), "looking"), _is_still):
                if not still:
                    self._moving(run, targets, track)
                    continue
                try:
                    found = classify(self._found(run, looked), self._classifier)
                    self._report.faces.extend(found)
                except InputError as error:  # of the model, which will not answer the rest either
                    self._report.problems.append(f"{error} Nothing was looked at from here on.")
                    break
        if self._left:
            line = f"stopped: {self._left:,} of {len(items):,} sources not looked at."
            self._report.problems.append(line)
        _mark(self._report, stills, targets)

    def _moving(self, items: Iterable[Item], targets: dict[str, Path], track: Track) -> None:
        for item in filter(self._goes_on, items):
            with self._report.noting(item.name):
                watch = Watch(item, self._answers(item), self._how, self._report)
                watch.run(targets.get(item.name), track)

    def _goes_on(self, item: Item) -> bool:
        stopped = self._how.stop()
        self._left += stopped
        return not stopped

    def _found(self, items: Iterable[Item], looked: Iterator) -> Iterator[Found]:
        """The faces of pictures with their cut-outs."""
        for item in filter(self._goes_on, items):
            with self._report.noting(item.name):
                several, pairs = next(looked)()
                if several:
                    self._report.skipped.append(f"{item.name}: all but the first picture in it.")
                if not pairs:
                    self._report.empty.append(item.name)
                yield from pairs

    def _picture(self, item: Item) -> tuple[bool, list[Found]]:
        """Whether the file holds several pictures, and the faces of the first."""
        if item.content is None:
            picture = read_picture(item.path)
        else:
            picture = decode(item.content, item.name)
        gray = np.asarray(picture.convert("L"))
        return picture.info["several"], faces_in(gray, item.name, search=self._search)

    def _answers(self, item: Item) -> Callable[[np.ndarray, int], list[Face]]:
        """The classified faces of a gray frame with its number."""

        def answers(gray: np.ndarray, number: int) -> list[Face]:
            found = faces_in(gray, item.name, number, self._search)
            return list(classify(found, self._classifier))

        return answers


def _is_still(item: Item) -> bool:
    return item.kind not in ("video", "camera")


@contextlib.contextmanager
def ahead(work: Callable[[T], R], items: list[T]) -> Iterator[Iterator[Callable[[], R]]]:
    """Calls that wait for `work` on each item, in order; some are done ahead, on all cores.

    The threads end with the block. Left to the garbage collector, which may come along while a
    thread starts, their end could wait forever.
    """
    if len(items) < 2:  # no threads for one picture
        yield (functools.partial(work, item) for item in items)
        return
    workers = os.cpu_count() or 1
    pool = ThreadPoolExecutor(workers)
    try:
        yield _results(pool, work, items, 4 * workers)
    finally:
        pool.shutdown(cancel_futures=True)


def _results(
    pool: ThreadPoolExecutor, work: Callable[[T], R], items: list[T], most: int
) -> Iterator[Callable[[], R]]:
    """With at most so many in work or done and not yet asked for."""
    waiting = deque(pool.submit(work, item) for item in items[:most])
    for item in items[most:]:
        yield waiting.popleft().result
        waiting.append(pool.submit(work, item))
    for future in waiting:
        yield future.result


def _mark(report: Report, items: list[Item], targets: dict[str, Path]) -> None:
    by_source: dict[str, list[Face]] = {}
    for face in report.faces:
        by_source.setdefault(face.source, []).append(face)
    for item in items:
        if item.name in targets and (item.name in by_source or item.name in report.empty):
            try:
                marking.mark(item, by_source.get(item.name, []), targets[item.name])
            except Exception as error:  # the answers are there, and are to be written
                report.problems.append(f"{targets[item.name]}: not marked ({error}).")
