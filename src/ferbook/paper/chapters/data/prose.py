"""Numbers in the prose of the chapter Data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def twin_numbers(dataset: Mapping[str, Any]) -> dict[str, int | float]:
    """`data_*`: validation and test images with a byte-identical image among those that train."""
    twins, val = dataset["twins"], dataset["splits"]["val"]
    return {
        "data_n_val_twins": twins["val"],
        "data_val_twins_percent": 100 * twins["val"] / val,
        "data_n_val_clean": val - twins["val"],
        "data_n_leaked_train": twins["leaked_train"],
        "data_n_leaked_val_only": len(dataset["leaked_files"]) - twins["leaked_train"],
    }
