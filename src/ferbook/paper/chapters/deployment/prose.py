"""Numbers in the prose of the chapter on deployment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ferbook.results.names import hardware_name


def deployment_numbers(measured: Mapping[str, Any]) -> dict[str, Any]:
    """`deployment_*`: what prose says of the exports."""
    float32, int8 = (measured["exports"][f"onnx-{p}"] for p in ("float32", "int8"))
    return {
        "deployment_hardware": hardware_name(measured),
        "deployment_ms_single": float32["ms_single"],
        "deployment_frames": 1000 / float32["ms_single"],
        "deployment_int8_points": 100 * (int8["accuracy"] - float32["accuracy"]),
        "deployment_int8_same": 100 * int8["same_answer"],
        "deployment_int8_megabytes": int8["bytes"] / 1e6,
        "deployment_robustness_images": measured["robustness"][0]["total"],
    }
