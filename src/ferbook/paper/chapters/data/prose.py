"""Numbers in the prose of the chapter Data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ferbook.data.duplicates import validation_twins, with_twin
from ferbook.data.splits import Split


def split_numbers(parts: Split, dataset: Mapping[str, Any]) -> dict[str, int | float]:
    """`data_*`: validation and test images with a byte-identical image in the other parts."""
    groups, leaked = dataset["duplicate_groups"], dataset["leaked_files"]
    twins = validation_twins(parts.val.files, groups)
    in_train = with_twin(leaked, groups, parts.train.files)
    return {
        "data_n_val_twins": len(twins),
        "data_val_twins_percent": 100 * len(twins) / len(parts.val),
        "data_n_val_clean": len(parts.val) - len(twins),
        "data_n_leaked_train": len(in_train),
        "data_n_leaked_val_only": len(leaked) - len(in_train),
    }
