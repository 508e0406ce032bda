"""Inputs made to cost much, before the command line: `make bounds`, and some in test_bounds.py.

    python -m trials.bounds [--only NAME ...] [--into results]

Any input to a command that does not train is to be answered within 30 seconds and 1 GB, whatever
its size, and rejected in words. Each command is a process of its own; its memory is the largest
resident set that the system saw.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper

from ferbook.inference.classifier import RELEASED
from ferbook.results import measurements

RUN = "results/reference/paper-efficientnet_lite2-96-s42"
SECONDS, MEGABYTES = 30, 1000
GIVE_UP = 120  # seconds after which a command is ended
COMMAND = [sys.executable, "-c", "from ferbook.cli import app; app()"]
# A process counts the memory of the one that started it as its own: a small one stands between.
MEASURED = """
import resource, subprocess, sys
try:
    done = subprocess.run(sys.argv[2:], stderr=subprocess.STDOUT, timeout=float(sys.argv[1]))
    status = done.returncode
except subprocess.TimeoutExpired:
    status = -9
print(f"\\n{status} {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}")
"""


class Bound(NamedTuple):
    """A file that costs much to read, and the command that is given its path in place of FILE."""

    command: str
    make: Callable[[Path], object]


def repeated(text: bytes, times: int, head: bytes = b"") -> Callable[[Path], None]:
    """A file of `head`, then `times` times `text`."""

    def make(path: Path) -> None:
        with path.open("wb") as file:
            file.write(head)
            for _ in range(times // 10**5):
                file.write(text * 10**5)

    return make


def sparse(size: int) -> Callable[[Path], None]:
    """A file of `size` NULs that takes no room on the disk."""

    def make(path: Path) -> None:
        path.touch()
        os.truncate(path, size)

    return make


def long_name(path: Path) -> None:
    """A zip with one entry whose name has 60,000 digits."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("1" * 60_000, b"")


def many_classes(path: Path) -> None:
    """A published table of 400 classes."""
    row = {"precision": 0.5, "recall": 0.5, "f1": 0.5}
    table = {f"c{i}": dict(row) for i in range(400)}
    content = {"title": "many", "accuracy": 0.5, "printed_to": {"accuracy": 0.01}}
    path.write_text(yaml.safe_dump(content | {"table_2": table}))


def large_frames(path: Path) -> None:
    """A video of one frame with 16,000 pixels a side."""
    frame = np.zeros((16_000, 16_000, 3), np.uint8)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, frame.shape[:2])
    writer.write(frame)
    writer.release()


def endless_model(path: Path) -> None:
    """The released model's inputs, outputs and words, on a graph that first counts to 2^62."""
    model = onnx.load(RELEASED / "model-int8.onnx")
    graph, yes = model.graph, helper.make_tensor("yes", TensorProto.BOOL, [], [True])
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Add", ["sum", "sum"], ["more"]),
        ],
        "body",
        [value("i", TensorProto.INT64, []), value("go", TensorProto.BOOL, []),
         value("sum", TensorProto.FLOAT, [])],
        [value("go_on", TensorProto.BOOL, []), value("more", TensorProto.FLOAT, [])],
    )  # fmt: skip
    count = helper.make_tensor("count", TensorProto.INT64, [], [2**62])
    zeros = helper.make_tensor("zeros", TensorProto.FLOAT, [1, 7], [0.0] * 7)
    zero = helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0])
    del graph.node[:], graph.initializer[:], graph.output[1:], graph.value_info[:]
    graph.initializer.extend([count, yes, zeros, zero])
    graph.output[0].CopyFrom(value("probabilities", TensorProto.FLOAT, [1, 7]))
    graph.node.extend([
        helper.make_node("Loop", ["count", "yes", "zero"], ["total"], body=body),
        helper.make_node("Add", ["zeros", "total"], ["probabilities"]),
    ])  # fmt: skip
    onnx.save(model, path)


def device(name: str) -> Callable[[Path], None]:
    """A link to a file of /dev that never ends."""
    return lambda path: path.symlink_to(f"/dev/{name}")


HEAD = b"emotion,pixels,Usage\n0,"
BOUNDS = {
    "a row of 100 million pixels": Bound("data check FILE.csv", repeated(b"1 ", 10**8, HEAD)),
    "990 MB of NULs as a table": Bound("data check FILE.csv", sparse(990 * 10**6)),
    "a line of 900 MB": Bound("data check FILE.csv", repeated(b"aaaaaaaaa", 10**8)),
    "a million columns": Bound("data check FILE.csv", repeated(b"a,", 10**6)),
    "a zip entry with a name of 60,000 digits": Bound("data check FILE.zip", long_name),
    "a table of 400 classes": Bound("audit FILE.yml", many_classes),
    "a YAML list of 2 MB": Bound("audit FILE.yml", repeated(b"- a\n", 5 * 10**5)),
    "a configuration with 100,000 seeds": Bound(
        "train FILE.yml", lambda path: path.write_text(f"seeds: {list(range(100_000))}")
    ),
    "weights of 8 GB": Bound(
        f"export {RUN} --data synthetic --weights FILE.npz",
        sparse(8 * 10**9),
    ),
    "a video of 16,000 x 16,000 pixels": Bound("predict FILE.avi", large_frames),
    "a model that never ends": Bound("predict FILE.png --model FILE.onnx", endless_model),
    "a FIFO as picture": Bound("predict FILE.png", os.mkfifo),
    "a FIFO as model": Bound("predict FILE.png --model FILE.onnx", os.mkfifo),
    "/dev/zero as model": Bound("predict FILE.png --model FILE.onnx", device("zero")),
    "/dev/zero as data": Bound("data check FILE.csv", device("zero")),
    "a picture of 8 GB": Bound("predict FILE.png", sparse(8 * 10**9)),
    "a ledger of 8 GB": Bound("claims --ledger FILE.yml", sparse(8 * 10**9)),
}


def run(bound: Bound, folder: Path) -> dict:
    """Make the file and give it to the command; seconds, peak megabytes and how it ended."""
    words = bound.command.split()
    bound.make(folder / next(w for w in reversed(words) if w.startswith("FILE")))
    if "--model" in words:
        cv2.imwrite(str(folder / "FILE.png"), np.zeros((48, 48), np.uint8))
    words = [str(folder / word) if word.startswith("FILE") else word for word in words]
    start = time.monotonic()
    command = [sys.executable, "-c", MEASURED, str(GIVE_UP), *COMMAND, *words]
    done = subprocess.run(command, capture_output=True, text=True)
    seconds = time.monotonic() - start
    said, _, facts = done.stdout.rstrip().rpartition("\n")
    status, kilobytes = map(int, facts.split())
    return {
        "command": bound.command.split()[0],
        "seconds": round(seconds, 1),
        "megabytes": kilobytes // 1000,
        "said": " ".join(said.replace(str(folder), "FOLDER").split())[-200:],
        "in_words": status in (1, 2) and "Traceback" not in said,
    }


def kept(row: dict) -> bool:
    """Whether a command answered in words and within both bounds."""
    return row["in_words"] and row["seconds"] <= SECONDS and row["megabytes"] <= MEGABYTES


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="*", choices=BOUNDS, default=list(BOUNDS))
    parser.add_argument("--into", type=Path, help="result store for reliability/bounds.json")
    given = parser.parse_args()
    rows = {}
    for name in given.only:
        with tempfile.TemporaryDirectory() as folder:
            rows[name] = run(BOUNDS[name], Path(folder).resolve())
        print(json.dumps({name: rows[name]}), flush=True)
    if given.into:
        facts = {"seconds_allowed": SECONDS, "megabytes_allowed": MEGABYTES, "inputs": rows}
        measurements.write_facts(given.into, "reliability", "bounds", facts)
    sys.exit(not all(kept(row) for row in rows.values()))


if __name__ == "__main__":
    main()
