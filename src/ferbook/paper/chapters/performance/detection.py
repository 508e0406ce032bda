"""Tables and numbers of how faces are found, beside OpenCV's cascade."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ferbook.paper.chapters.performance.tables import where
from ferbook.paper.table import Table
from ferbook.results.metrics import accuracy_interval

DETECTORS = ("CenterFace", "Haar")
_NAMES = {"fer2013": "FER-2013"}


def detection_table(found: Mapping[str, Any]) -> Table:
    """Of each kind of scene: faces, the percentages of them that each detector found and that have
    a box on them, and false alarms; in parentheses, how many of these lie on a face.
    """
    rows = {
        name: (
            f"{scene['faces']:,} in {scene['scenes']:,}",
            *(_percent(scene[one]["found"], scene["faces"]) for one in DETECTORS),
            *(_share(scene, one, "seen") for one in DETECTORS),
            *("{false} ({false_on_face})".format(**scene[one]) for one in DETECTORS),
        )
        for name, scene in found["conditions"].items()
    }
    seen = [f"{one}, seen, %" for one in DETECTORS]
    columns = ["faces in scenes", *(f"{one}, found, %" for one in DETECTORS), *seen,
               *(f"{one}, false alarms" for one in DETECTORS)]  # fmt: skip
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("synthetic scenes")
    caption = (
        f"Synthetic scenes: {_faces(found)} pasted onto drawn backgrounds, with 95% "
        "intervals in parentheses. A face counts as found if its square and a box share "
        f"{found['found_overlap']:.0%} of their union, and as seen if the middle of a box of "
        "whatever size lies in the square: where an image is cut loosely or off center, the face "
        "fills a part of the square alone. A box that shares as much with no face is a false "
        f"alarm; how many of these lie on a face is in parentheses. {_data(found)}"
    )
    return Table(frame, caption, "tab-detection", dict.fromkeys(seen, ".0f"))


def time_table(found: Mapping[str, Any]) -> Table:
    """Milliseconds of each detector by the size of the picture."""
    rows = {size.replace("x", "\u00d7"): [1000 * np.median(rounds[one]) for one in DETECTORS]
            for size, rounds in found["seconds"].items()}  # fmt: skip
    columns = [f"{one}, ms" for one in DETECTORS]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("pixels")
    caption = (
        "Processor time of all threads to search one picture, the median of several rounds. "
        f"{where(found)}"
    )
    return Table(frame, caption, "tab-detection-times", dict.fromkeys(columns, ",.0f"))


def turn_table(found: Mapping[str, Any]) -> Table:
    """Accuracy on faces that were found, turned back by the eyes and left as they are."""
    rows = {
        f"{turn} degrees": (
            part["faces"],
            part["found"],
            _percent(part["right_turned_back"], part["found"]),
            _percent(part["right_left_turned"], part["found"]),
        )
        for turn, part in found["turned_back"].items()
    }
    columns = ["faces", "found", "accuracy turned back, %", "accuracy left turned, %"]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("turned by")
    caption = (
        "Accuracy of the released model on faces that CenterFace found, with 95% intervals in "
        "parentheses, in synthetic scenes of several faces each, none of which is small; they are "
        f"other scenes than those of the table above. {_data(found)}"
    )
    return Table(frame, caption, "tab-turned-back")


def detection_numbers(found: Mapping[str, Any]) -> dict[str, Any]:
    """`bench_faces_*`: percentages, counts and milliseconds, as text."""
    turns = {"less": "30", "more": "45"}  # degrees
    kinds = {key: f"turned by {turn} degrees" for key, turn in turns.items()}
    numbers: dict[str, Any] = {
        f"{one.lower()}_{key}": f"{_share(found['conditions'][kind], one):.0f}%"
        for key, kind in {"upright": "upright", **kinds}.items()
        for one in DETECTORS
    }
    for one in DETECTORS:
        numbers[f"{one.lower()}_seen"] = (
            f"{_share(found['conditions']['upright'], one, 'seen'):.0f}%"
        )
        numbers[f"{one.lower()}_false"] = found["conditions"]["no face"][one]["false"]
        numbers[f"{one.lower()}_beside"] = sum(
            scene[one]["false"] - scene[one]["false_on_face"]
            for scene in found["conditions"].values()
        )
    for key, turn in turns.items():
        numbers[f"turned_{key}"] = turn
        numbers[f"gain_{key}"] = f"{_gain(found['turned_back'][turn]):+.1f}"
    upright = found["turned_back"]["0"]
    numbers["right_upright"] = _percent(upright["right_turned_back"], upright["found"])
    numbers["empty"] = found["conditions"]["no face"]["scenes"]
    numbers["first_answer"] = f"{np.median(found['first_answer_seconds']):.1f}"
    return {f"bench_faces_{key}": value for key, value in numbers.items()}


def _share(scene: Mapping[str, Any], detector: str, how: str = "found") -> float:
    return 100 * scene[detector][how] / scene["faces"] if scene["faces"] else math.nan


def _gain(part: Mapping[str, int]) -> float:
    """Points of accuracy by turning back."""
    more = part["right_turned_back"] - part["right_left_turned"]
    return 100 * more / part["found"] if part["found"] else 0.0


def _percent(count: int, total: int) -> str:
    if not total:
        return "-"
    low, high = accuracy_interval(count, total)
    return f"{100 * count / total:.0f} ({100 * low:.0f}\u00a0to\u00a0{100 * high:.0f})"


def _faces(found: Mapping[str, Any]) -> str:
    if found["data"] == "synthetic":
        return "faces drawn by a program"
    return f"test images of {_NAMES.get(found['data'], found['data'])}"


def _data(found: Mapping[str, Any]) -> str:
    smoke = " A smoke run: too short to say anything." if found["budget"] == "smoke" else ""
    if found["data"] == "synthetic":
        return f"The faces are drawn by a program.{smoke}"
    return f"The faces are those of {_NAMES.get(found['data'], found['data'])}.{smoke}"
