"""Numbers in the prose of the chapter Data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ferbook.core.classes import CLASSES


def class_numbers(dataset: Mapping[str, Any]) -> dict[str, str | float]:
    """`data_*`: the largest and the smallest class of all parts, and the ratio of their images."""
    totals = pd.DataFrame(dataset["counts"]).loc[list(CLASSES)].sum(axis=1)
    return {
        "data_largest_class": str(totals.idxmax()),
        "data_smallest_class": str(totals.idxmin()),
        "data_largest_ratio": float(totals.max() / totals.min()),
    }
