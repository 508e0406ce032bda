"""Tables of the chapter on speed and memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ferbook.paper.chapters.performance.ratios import Measured, ratio
from ferbook.paper.table import Table
from ferbook.results.names import network_name, processor_name


def input_table(measured: Measured) -> Table:
    """Images per second of each way to feed the training, and how many times the generator's."""
    rows = []
    for size, rounds in measured["input"]["sizes"].items():
        folder, arrays = rounds["generator, folder"], rounds["generator, arrays"]
        for name, values in rounds.items():
            rows.append((size, name, np.median(values), str(ratio(values, folder)),
                         str(ratio(values, arrays))))  # fmt: skip
    columns = ["size", "input", "images per second", "times folder", "times arrays"]
    frame = pd.DataFrame(rows, columns=columns).set_index("size")
    caption = (
        "Augmented images per second, in batches of thirty-two, and how many times as many as with "
        f"the generator on a folder and on arrays. {where(measured['input'])}"
    )
    return Table(frame, caption, "tab-input", {"images per second": ",.0f"})


def step_table(measured: Measured) -> Table:
    """Milliseconds of a training step under each condition, and as a share of the plain one."""
    step = measured["step"]
    plain = step["rounds"]["constant batch"]
    rows = {
        name: (1000 * np.median(values), str(ratio(values, plain)))
        for name, values in step["rounds"].items()
        if name != "matrix product"
    }
    if "not_run" in step["torch"]:
        rows[f"PyTorch: not run ({step['torch']['not_run']})"] = (None, "")
    columns = ["milliseconds", "times constant batch"]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("step")
    caption = (
        f"One step of {network_name(step['backbone'])} on {step['batch_size']} images of "
        f"{step['image_size']} px. Ratios are medians over rounds, and need not be those of the "
        "medians in milliseconds. PyTorch: "
        f"{step['torch'].get('versions', 'not run')}. {where(step)}"
    )
    return Table(frame, caption, "tab-step", {"milliseconds": ".1f"})


def operation_table(measured: Measured) -> Table:
    """Where a training step spends its processor time."""
    found = measured["step"]["operations"]
    frame = pd.DataFrame({"milliseconds": found})
    frame["share"] = frame["milliseconds"] / frame["milliseconds"].sum()
    caption = f"The costliest kinds of operation of a step, all threads. {where(measured['step'])}"
    formats = {"milliseconds": ".1f", "share": ".0%"}
    return Table(frame.rename_axis("operation"), caption, "tab-operations", formats)


def seconds_table(measured: Measured) -> Table:
    """Seconds of start-up, of a first step, of the audit and of the book's pages."""
    first, audit = measured["first_step"], measured["audit"]
    named = {
        **measured["startup"]["rounds"],
        **{f"{network_name(first['backbone'])}, first step {k}": v
           for k, v in first["rounds"].items()},
        **{f"near duplicates among {row['n']:,} random hashes": row["seconds"]
           for row in audit["growth"]},
        **{f"execution of {name}": values
           for name, values in audit["rounds"].items() if name != "near copies"},
        f"near duplicates among {audit['images']:,} images": audit["rounds"]["near copies"],
    }  # fmt: skip
    rows = {name: (*(_digits(of(v)) for of in (np.median, min, max)), len(v))
            for name, v in named.items()}  # fmt: skip
    for line in measured["startup"].get("not_run", ()):
        rows[f"first answer of {line.partition(':')[0]}: not run"] = ("", "", "", 0)
    columns = ["seconds", "lowest", "highest", "rounds"]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("operation")
    caption = (
        "Times of start-up, of the first training step, of the search for near duplicates and of "
        f"executing chapters. {where(first)}"
    )
    return Table(frame, caption, "tab-seconds", {"rounds": "d"})


def _digits(seconds: float) -> str:
    """Three of them, or all before the point."""
    return f"{seconds:.0f}" if seconds >= 100 else f"{seconds:#.3g}"


def memory_table(measured: Measured) -> Table:
    """Peak resident memory of a training by the number of images."""
    found = measured["memory"]
    rows = {f"{int(n):,}": (np.median(values) / 2**20, int(n) * found["image_bytes"] / 2**20)
            for n, values in found["rounds"].items()}  # fmt: skip
    columns = ["peak, MiB", "pixels, MiB"]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("images")
    caption = f"Peak resident memory of a training, TensorFlow included. {where(found)}"
    return Table(frame, caption, "tab-memory", dict.fromkeys(columns, ",.0f"))


def where(piece: Mapping[str, Any]) -> str:
    """The hardware of a measurement, and whether it was cut short."""
    hardware = piece["hardware"]
    smoke = " A smoke run: too short to say anything." if piece["budget"] == "smoke" else ""
    return f"{processor_name(hardware)}.{smoke}"
