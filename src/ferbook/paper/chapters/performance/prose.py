"""Numbers in the prose of the chapter on speed and memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ferbook.paper.chapters.performance.detection import detection_numbers
from ferbook.paper.chapters.performance.ratios import (
    copies_held,
    growth_exponent,
    ratio,
    share_of_peak,
)
from ferbook.results.names import hardware_name, network_name


def bench_numbers(measured: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """`bench_*`: ratios with their spread in words, as text; see `ratios.Ratio`."""
    step, first = measured["step"], measured["first_step"]["rounds"]
    rounds, plain = step["rounds"], step["rounds"]["constant batch"]
    large, small = measured["input"]["sizes"].values()
    torch = rounds.get("PyTorch")
    ratios = {
        **{f"input_{name}_{source}": ratio(part["ours, arrays"], part[f"generator, {source}"])
           for name, part in (("large", large), ("small", small))
           for source in ("folder", "arrays")},
        "fed": ratio(rounds["fit on our input"], plain),
        "epoch": ratio(rounds["fit on the generator"], rounds["fit on our input"]),
        "kerass": ratio(rounds["Keras's layers"], plain),
        "kerass_trained": ratio(
            rounds["BatchNorm trained, Keras's layers"], rounds["BatchNorm trained"]
        ),
        "kerass_phase_1": ratio(rounds["phase 1, Keras's layers"], rounds["phase 1"]),
        "phase_1": ratio(rounds["phase 1"], plain),
        "forward": ratio(rounds["phase 1"], rounds["forward alone"]),
        "stem": ratio(rounds["one-channel stem"], plain),
        "peak": share_of_peak(step),
        "first_step": ratio(first["traced twice"], first["traced once"]),
        "torch": ratio(torch, plain) if torch else "not run",
    }  # fmt: skip
    sizes = dict(zip(("large", "small"), measured["input"]["sizes"], strict=True))
    return {
        **{f"bench_{key}": str(value) for key, value in ratios.items()},
        **{f"bench_size_{key}": value for key, value in sizes.items()},
        "bench_backbone": network_name(step["backbone"]),
        "bench_first_backbone": network_name(measured["first_step"]["backbone"]),
        "bench_copies_held": copies_held(measured["memory"]),
        "bench_hashes": measured["audit"]["growth"][-1]["n"],
        "bench_growth": growth_exponent(measured["audit"]["growth"]),
        "bench_hardware": hardware_name(step),
        "bench_rounds": len(plain),
        **detection_numbers(measured["detection"]),
    }
