"""Figures of the chapter on speed and memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from ferbook.paper.plots import finished


def growth(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Seconds of the search for near copies against n, beside n log n through the last point."""
    n = np.array([row["n"] for row in rows])
    found = np.array([np.median(row["seconds"]) for row in rows])
    figure, axes = plt.subplots()
    axes.plot(n, found, "o-", label="measured")
    axes.plot(n, found[-1] * n * np.log(n) / (n[-1] * np.log(n[-1])), ":", label="n log n")
    axes.plot(n, found[-1] * (n / n[-1]) ** 2, "--", label="n squared")
    axes.set(xscale="log", yscale="log", xlabel="hashes", ylabel="seconds")
    axes.legend()
    return finished(figure)
