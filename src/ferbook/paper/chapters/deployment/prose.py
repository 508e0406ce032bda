"""Numbers in the prose of the chapter on deployment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ferbook.results.names import hardware_name


def deployment_numbers(measured: Mapping[str, Any]) -> dict[str, Any]:
    """`deployment_*`: what prose says of the exports."""
    names = ("onnx-float32", "onnx-int8", "litert-int8")
    float32, int8, lite = (measured["exports"][name] for name in names)
    return {
        "deployment_hardware": hardware_name(measured),
        "deployment_ms_single": float32["ms_single"],
        "deployment_int8_ms_single": int8["ms_single"],
        "deployment_frames": 1000 / float32["ms_single"],
        "deployment_int8_points": 100 * (int8["accuracy"] - float32["accuracy"]),
        "deployment_int8_litert_points": 100 * (lite["accuracy"] - float32["accuracy"]),
        "deployment_float32": 100 * float32["accuracy"],
        "deployment_int8_onnx": 100 * int8["accuracy"],
        "deployment_int8_litert": 100 * lite["accuracy"],
        "deployment_int8_same": 100 * int8["same_answer"],
        "deployment_int8_megabytes": int8["bytes"] / 1e6,
        "deployment_robustness_images": measured["robustness"][0]["total"],
    }
