"""Videos and cameras, frame by frame: of what was looked at, only the answers are kept."""

from __future__ import annotations

import dataclasses
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from types import FrameType

import numpy as np
from PIL import Image

from ferbook.inference import marking
from ferbook.inference.collecting import Item
from ferbook.inference.face import Face, InputError, whole_number
from ferbook.inference.media import announced, frames
from ferbook.inference.report import EmptyFrame, Report
from ferbook.inference.tracking import Tracker

LONGEST_HALF_LIFE = 3600  # s
Show = Callable[[Image.Image], None]
Track = Callable[[Iterable, int | None, str], Iterable]


def never() -> bool:
    """Whether to stop: go on to the end."""
    return False


@dataclass(frozen=True)
class Watching:
    """How videos and cameras are looked at. Raises InputError for a value out of range."""

    every: int = 10  # so many frames one is looked at
    half_life: float = 0.0  # s, of the smoothing; 0 for none
    show: Show | None = None  # is given each frame, marked
    stop: Callable[[], bool] = never  # asked after each frame

    def __post_init__(self) -> None:
        whole_number("every", self.every, 1)
        if not isinstance(self.half_life, Real) or not 0 <= self.half_life <= LONGEST_HALF_LIFE:
            raise InputError(
                f"smooth: expected 0 to {LONGEST_HALF_LIFE:,} s. Received: {self.half_life}."
            )


class Watch:
    """One video or camera; `answers` gives the faces of a gray picture with its number."""

    def __init__(
        self,
        item: Item,
        answers: Callable[[np.ndarray, int], list[Face]],
        how: Watching,
        report: Report,
    ):
        self._name, self._answers, self._how, self._report = item.name, answers, how, report
        self._source = str(item.path) if item.path else int(item.name.removeprefix("camera:"))
        self._tracker = Tracker(how.half_life)
        self._found = 0

    def run(self, target: Path | None, track: Track) -> None:
        """Look at all of it, or until it is stopped; `target` is where a marked copy goes.

        What has been seen when it ends, for whatever reason, is in the report and in the copy.
        """
        count, rate = announced(self._source)
        with marking.video_copy(target, rate) as add:
            takers = [taker for taker in (add, self._how.show) if taker]
            step = 1 if takers else self._how.every
            with self._report.noting(self._name):
                seen = frames(self._source, step)
                self._go_through(track(seen, count // step or None, self._name), takers)
                if not self._found:
                    self._report.empty.append(self._name)

    def _go_through(self, seen: Iterable[tuple], takers: list[Show]) -> None:
        faces: list[Face] = []
        for number, seconds, frame in seen:
            picture = marking.from_video(frame)
            if number % self._how.every == 0:
                faces = self._look(picture, number, round(seconds, 3))
            if takers:
                self._mark(picture, faces, takers)
            if self._how.stop():
                self._stopped(number, seconds)
                return

    def _look(self, picture: Image.Image, number: int, seconds: float) -> list[Face]:
        found = self._answers(np.asarray(picture.convert("L")), number)
        found = [dataclasses.replace(face, seconds=seconds) for face in found]
        found = self._tracker.follow(found, seconds)
        self._report.faces += found
        self._found += len(found)
        if not found:
            self._report.frames_without_face.append(EmptyFrame(self._name, number, seconds))
        return found

    def _mark(self, picture: Image.Image, faces: list[Face], takers: list[Show]) -> None:
        marked = None  # drawn once, whoever takes it
        for taker in list(takers):
            try:
                marked = marked or marking.annotated(picture, faces)
                taker(marked)
            except Exception as error:  # the answers go on, and so does the other taker
                takers.remove(taker)
                self._report.problems.append(f"{self._name}: marked no further ({error}).")

    def _stopped(self, number: int, seconds: float) -> None:
        if isinstance(self._source, str):  # a camera has no other end
            line = f"{self._name}: stopped after frame {number:,} ({seconds:.1f} s)."
            self._report.problems.append(line)


@contextmanager
def stopped_by_key() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed in the block; pressed again, it ends the program as ever.

    So work ends between two frames or pictures, and not amid the writing of a file.
    """
    asked = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    if threading.current_thread() is not threading.main_thread():  # which alone gets signals
        yield asked.is_set
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)
