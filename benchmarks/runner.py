"""Which pieces of the benchmark there are, and where what they measure is kept."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from benchmarks.interleaved import BUDGETS
from ferbook.results import measurements

# Piece -> the function that measures it; those of training_step import TensorFlow.
PIECES = {
    "input": "pieces.input_rates",
    "step": "training_step.step_times",
    "first_step": "pieces.first_steps",
    "startup": "pieces.startup",
    "audit": "pieces.audit_growth",
    "memory": "pieces.memory",
    "detection": "detection.detection",
}


def missing(results_dir: str | Path, *, fresh: bool = False) -> list[str]:
    """The pieces that the result store lacks; all of them if `fresh`."""
    known = () if fresh else measurements.load_facts(results_dir, "bench")
    return [name for name in PIECES if name not in known]


def measure(
    name: str,
    budget: str,
    results_dir: str | Path,
    *,
    torch: str = "",
    peers: str = "",
    data: str = "synthetic",
) -> Path:
    """Measure the piece `name` under `budget` and write it to `results/bench/<name>.json`.

    `torch` is an interpreter with PyTorch and timm, `peers` one with packages of others that find
    expressions; by default this one, if it has them.
    `data` is where the faces of the piece "detection" come from.
    """
    module, _, function = PIECES[name].partition(".")
    call = getattr(importlib.import_module(f"benchmarks.{module}"), function)
    more = {
        "step": {"torch": torch or sys.executable},
        "startup": {"peers": peers or sys.executable},
        "detection": {"data": data},
    }
    facts = {"budget": budget, **call(BUDGETS[budget], **more.get(name, {}))}
    measurements.write_facts(results_dir, "bench", name, facts)
    return Path(results_dir) / "bench" / f"{name}.json"
