"""Numbers and short texts of the front page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from ferbook.results.names import hardware_name, seed_words
from ferbook.results.run import Run

_KEYS = ("paper", "ours", "ours_longer", "ours_larger", "ours_no_ferplus",
         "ours_longer_no_ferplus", "ours_scratch")  # fmt: skip


def score_texts(frame: pd.DataFrame) -> dict[str, str]:
    """`overview_<recipe>`: accuracies of each recipe in words, by `tables.accuracy_frame`.

    Where that names another network than EfficientNet-Lite2 or an input size, so does the text.
    """
    return {f"overview_{key}": _texts(frame[frame["recipe"] == key]) for key in _KEYS}


def _texts(rows: pd.DataFrame) -> str:
    if rows.empty:
        return "not run"
    *front, last = (
        f"{100 * row['test']:.1f}%{_scale_and_seeds(row['seeds'], *row['scale'])}"
        for _, row in rows.iterrows()
    )
    return f"{', '.join(front)} and {last}" if front else last


def _scale_and_seeds(seeds: Sequence[float], network: str = "", size: str = "") -> str:
    many = seed_words(len(seeds))
    if network in ("", "Lite2"):
        return f" at {size} ({many})" if network else f" ({many})"
    return f" ({network} at {size}, {many})"


def cost_numbers(runs: Iterable[Run]) -> dict[str, Any]:
    """`overview_runs`, `overview_core_hours`, `overview_hardware`: of all runs together."""
    runs = list(runs)
    machines = dict.fromkeys(hardware_name(run.info) for run in runs)
    return {
        "overview_runs": len(runs),
        "overview_core_hours": sum(run.core_hours for run in runs),
        "overview_hardware": "; ".join(machines),
    }
