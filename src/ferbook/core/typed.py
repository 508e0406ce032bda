"""Whether a value that was read from YAML or a command line is of the kind that it should be."""

from __future__ import annotations

import re
from typing import Any


def unlike(kind: type, value: Any) -> str:
    """What was received in place of a `kind`, and what YAML makes of 1e-4; empty if it fits.

    A whole number fits where a float is expected.
    """
    if type(value) is kind or (kind is float and type(value) is int):
        return ""
    received = f"Received: {value!r} ({type(value).__name__})."
    written = re.fullmatch(r"(\d+)(?:\.0)?e(([+-])?\d+)", str(value)) if kind is float else None
    if not written:
        return received
    number = f"{written[1]}.0e{'' if written[3] else '+'}{written[2]}"
    return f"{received} In YAML, such a number has a point and a sign: {number}."
