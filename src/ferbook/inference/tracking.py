"""One face from frame to frame of a video, and its probabilities smoothed over time.

Two frames show the same face where boxes share at least SAME of their union; the most overlapping
pair is matched first. A face that is missing in more than MISSED frames in a row, of those looked
at, has left.
Smoothing is a weighted mean of all that was seen of the face since it is followed: what was seen a
half-life ago weighs half as much as what is seen now. It uses no later frames, so that it serves
before a camera too.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from ferbook.inference.face import Box, Face

SAME = 0.3  # as Bewley et al., Simple Online and Realtime Tracking, ICIP 2016
MISSED = 3


@dataclass
class _Track:
    number: int
    box: Box
    seconds: float
    smoothed: np.ndarray  # (7,)
    weight: float = 0.0  # of all that is in it, where what is seen now has one
    missed: int = 0


class Tracker:
    """Follows the faces of one video; `half_life` in seconds, 0 for no smoothing."""

    def __init__(self, half_life: float = 0.0):
        self._half_life, self._tracks, self._begun = half_life, [], 0

    def follow(self, faces: list[Face], seconds: float) -> list[Face]:
        """The faces of the next frame, each with the number of its track, and smoothed."""
        before = self._matched(faces)
        for track in self._tracks:
            track.missed += 1
        shown = [self._seen(face, before.get(i), seconds) for i, face in enumerate(faces)]
        self._tracks = [track for track in self._tracks if track.missed <= MISSED]
        return shown

    def _matched(self, faces: list[Face]) -> dict[int, _Track]:
        """The track of each face that has one, by the face's place in the list."""
        pairs = [
            (overlap(face.box, track.box), i, j)
            for i, face in enumerate(faces)
            for j, track in enumerate(self._tracks)
        ]
        found: dict[int, _Track] = {}
        taken: set[int] = set()
        for share, i, j in sorted(pairs, key=lambda pair: -pair[0]):
            if share >= SAME and i not in found and j not in taken:
                found[i] = self._tracks[j]
                taken.add(j)
        return found

    def _seen(self, face: Face, track: _Track | None, seconds: float) -> Face:
        now = np.array(list(face.probabilities.values()))
        if track is None:
            self._begun += 1
            track = _Track(self._begun, face.box, seconds, now)
            self._tracks.append(track)
        kept = 0.5 ** ((seconds - track.seconds) / self._half_life) if self._half_life else 0.0
        track.weight = kept * track.weight + 1
        track.smoothed = track.smoothed + (now - track.smoothed) / track.weight
        track.box, track.seconds, track.missed = face.box, seconds, 0
        face = dataclasses.replace(face, track=track.number)
        if not self._half_life:
            return face
        return dataclasses.replace(face.answered(track.smoothed), unsmoothed=face.probabilities)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes."""
    across, down = (
        max(0, min(one[i] + one[i + 2], other[i] + other[i + 2]) - max(one[i], other[i]))
        for i in (0, 1)
    )
    return across * down / (one[2] * one[3] + other[2] * other[3] - across * down)
