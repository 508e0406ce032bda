"""What was measured on exports to tables; see `deploy` for the measurements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ferbook.paper.table import Table, interval
from ferbook.results.metrics import accuracy, accuracy_interval
from ferbook.results.run import Answers

_MILLISECONDS = {"ms, one image": ".1f", "ms, in a batch of 32": ".1f"}


def exports_table(measured: Mapping[str, Any]) -> Table:
    """Each file: size, accuracy, agreement with Keras, latency."""
    rows = {
        name: (
            row["bytes"] / 1e6, row["accuracy"],
            interval(row),
            row["same_answer"], row["ms_single"], row["ms_batch"],
        )
        for name, row in measured["exports"].items()
    }  # fmt: skip
    columns = ["MB", "accuracy", "95 % interval", "same answer as Keras", *_MILLISECONDS]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("file")
    formats = {"MB": ".1f", "accuracy": ".2%", "same answer as Keras": ".1%", **_MILLISECONDS}
    caption = (
        f"Exports of {measured['run']} on all test images. Latency per image, median of twenty "
        "rounds on the processor named above."
    )
    return Table(frame, caption, "tab-exports", formats)


def peers_table(measured: Mapping[str, Any], peers: Mapping[str, Answers]) -> Table:
    """Peers and two of our files: accuracy on all test images, size, latency."""
    rows = {}
    for name in ("onnx-float32", "onnx-int8"):
        row = measured["exports"][name]
        rows[f"ours, {name}"] = (
            row["accuracy"], row["bytes"] / 1e6, row["ms_single"], row["ms_batch"],
        )  # fmt: skip
    for name, row in measured["peers"].items():
        if name in peers:
            peer = peers[name]
            rows[f"{name}, {peer.info['package']}"] = (
                accuracy(peer.test), peer.info["megabytes"],
                row["ms_single"], row["ms_batch"],
            )  # fmt: skip
    columns = ["accuracy", "MB", *_MILLISECONDS]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("model")
    caption = "Ours and the packaged models of others, measured in one session on one machine."
    formats = {"accuracy": ".2%", "MB": ".1f", **_MILLISECONDS}
    return Table(frame, caption, "tab-deployment-peers", formats)


def pruning_table(measured: Mapping[str, Any]) -> Table:
    """Accuracy by the share of weights set to zero."""
    rows = {}
    for row in measured["pruning"]:
        low, high = accuracy_interval(row["correct"], row["total"])
        bounds = interval({"accuracy_low": low, "accuracy_high": high})
        share = row["correct"] / row["total"]
        rows[f"{row['share']:.0%}"] = (row["total"], share, bounds)
    frame = pd.DataFrame.from_dict(rows, "index", columns=["images", "accuracy", "95 % interval"])
    caption = "Accuracy after global magnitude pruning, without training again."
    formats = {"images": ",d", "accuracy": ".2%"}
    return Table(frame.rename_axis("weights set to zero"), caption, "tab-pruning", formats)
