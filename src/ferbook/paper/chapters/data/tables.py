"""Tables of the chapter Data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from ferbook.core.classes import CLASSES
from ferbook.paper.table import Table


def count_table(dataset: Mapping[str, Any]) -> Table:
    """Images per class and part of the data set, with totals."""
    frame = pd.DataFrame(dataset["counts"]).loc[list(CLASSES)]
    frame.loc["all"] = frame.sum()
    frame["all"] = frame.sum(axis=1)
    caption = f"Images per class and part of {_dataset_name(dataset)}."
    return Table(frame.rename_axis("class"), caption, "tab-counts", dict.fromkeys(frame, ",d"))


def weight_table(labels_count: Iterable[int], weights: Iterable[float], clip: float) -> Table:
    """Class weights before and after clipping."""
    counts = pd.Series(list(labels_count), index=CLASSES, name="images")
    frame = pd.DataFrame({"training images": counts})
    frame["weight"] = counts.sum() / (len(CLASSES) * counts)
    frame["clipped weight"] = list(weights)
    formats = {"training images": ",d", "weight": ".3f", "clipped weight": ".3f"}
    caption = f"Class weights of the training split before and after clipping at {clip:g}."
    return Table(frame.rename_axis("class"), caption, "tab-weights", formats)


def certainty_table(dataset: Mapping[str, Any]) -> Table:
    """Agreement of FER's labels with FER+ by the number of taggers behind the plurality."""
    rows = {int(k): row for k, row in dataset["ferplus"]["by_votes"].items()}
    frame = pd.DataFrame.from_dict(rows, "index", columns=["images", "same label"])
    formats = {"images": ",d", "same label": ".1%"}
    caption = "Images by the number of FER+ taggers behind the plurality, and how many of them " \
        "carry that label in FER-2013."  # fmt: skip
    return Table(frame.rename_axis("taggers of ten"), caption, "tab-certainty", formats)


def _dataset_name(dataset: Mapping[str, Any]) -> str:
    known = {"fer2013": "FER-2013", "synthetic": "the synthetic faces"}
    return known.get(dataset["name"], "data not proven to be FER-2013")
