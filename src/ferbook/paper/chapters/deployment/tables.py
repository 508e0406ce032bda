"""What was measured on exports to tables; see `deploy` for the measurements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ferbook.paper.table import Table, interval
from ferbook.results import names
from ferbook.results.metrics import accuracy_interval, score
from ferbook.results.run import Answers


def cost_frame(measured: Mapping[str, Any], peers: Mapping[str, Answers]) -> pd.DataFrame:
    """A row per file, ours and those of packaged models, all measured in one session.

    `accuracy` in [0, 1] on all test images with its interval, `MB`, latency per image in ms,
    and `same_answer` as our Keras file, NaN for models of others.
    """
    ours = {
        names.file_name(name): (
            names.RECIPES["ours"], row["bytes"] / 1e6, row["accuracy"], interval(row),
            row["same_answer"], row["ms_single"], row["ms_batch"])
        for name, row in measured["exports"].items()
    }  # fmt: skip
    others = {
        f"{peers[name].label} ({peers[name].info['package'].replace('-', ' ')})": (
            names.OTHERS, peers[name].info["megabytes"], *_scores(peers[name]), np.nan,
            row["ms_single"], row["ms_batch"])
        for name, row in measured["peers"].items() if name in peers
    }  # fmt: skip
    columns = ["actor", "MB", "accuracy", "interval", "same_answer", "ms_single", "ms_batch"]
    frame = pd.DataFrame.from_dict(ours | others, "index", columns=columns)
    return frame.rename_axis("file")


def _scores(answers: Answers) -> tuple[float, str]:
    scores = score(answers.test)
    return scores["accuracy"], interval(scores)


def exports_table(measured: Mapping[str, Any], peers: Mapping[str, Answers], label: str) -> Table:
    """Each file of `cost_frame`: size, accuracy, agreement with Keras, latency.

    `label` is the name of the exported run in the book.
    """
    frame = cost_frame(measured, peers).drop(columns="actor")
    frame.columns = ["MB", "accuracy", "95% interval", "same answer as Keras", "ms, one image",
                     "ms, in a batch of 32"]  # fmt: skip
    formats = {"MB": ".1f", "accuracy": ".2%", "same answer as Keras": ".1%"}
    formats |= dict.fromkeys(frame.columns[-2:], ".1f")
    caption = (
        f"Exports of the run “{label}”, then packaged models of others, on all test "
        "images. Latency per image, median of twenty rounds on the processor named above."
    )
    return Table(frame, caption, "tab-exports", formats)


def pruning_table(measured: Mapping[str, Any]) -> Table:
    """Accuracy by the share of weights set to zero."""
    rows = {}
    for row in measured["pruning"]:
        low, high = accuracy_interval(row["correct"], row["total"])
        bounds = interval({"accuracy_low": low, "accuracy_high": high})
        share = row["correct"] / row["total"]
        rows[f"{row['share']:.0%}"] = (row["total"], share, bounds)
    frame = pd.DataFrame.from_dict(rows, "index", columns=["images", "accuracy", "95% interval"])
    caption = "Accuracy after global magnitude pruning, without training again."
    formats = {"images": ",d", "accuracy": ".2%"}
    return Table(frame.rename_axis("weights set to zero"), caption, "tab-pruning", formats)
