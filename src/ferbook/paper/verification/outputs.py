"""What a cell shows, compared with what it ought to show: nothing more, and nothing else."""

from __future__ import annotations

import ast
import base64
import io
import itertools
import re
from typing import Any

import numpy as np
from IPython.core.pylabtools import print_figure
from matplotlib.figure import Figure
from PIL import Image

from ferbook.paper.verification.remake import Made, Missing
from ferbook.paper.verification.verified import Verified, equal

PREFIX = "application/papermill.record/"  # as MyST-NB's glue writes, for use in text only
_VALUE_KEYS = {"output_type", "data", "metadata", "execution_count"}
_LEVELS = 8  # of 255; antialiased edges may differ by rounding
_MAX_PICTURE = 40_000_000  # characters
# A table that cannot be made anew has this form: no markup but that of Table itself.
_TEXT = r"(?:[^\n<>{}\[\]$&\\]|\\.)*"
_TABLE = re.compile(rf":::\{{table\}} {_TEXT}\n:name: tab-[\w-]+\n\n(?:\|{_TEXT}\|\n)+:::")
_TABLE_TAG = re.compile(
    r"</?(?:p|table|thead|tbody|tr|th|td)>|<table class=\"dataframe\">"
    r"|<tr style=\"text-align: right;\">"
)


class OutputError(ValueError):
    """A cell shows something that it ought not to."""


def compare(where: str, cell: dict, made: Made, found: Verified) -> None:
    """Put what differs between a cell's outputs and `made` into `found`."""
    try:
        _compare(where, cell, made, found)
    except OutputError as error:
        found.findings.append(f"{where}: {error}")


def _compare(where: str, cell: dict, made: Made, found: Verified) -> None:
    outputs, wanted = cell["outputs"], len(made.glued) + (made.value is not None)
    if len(outputs) != wanted:
        kinds = ", ".join(str(o.get("output_type")) for o in outputs)
        raise OutputError(f"{len(outputs)} outputs ({kinds:.100}), expected {wanted}")
    for output, (key, value) in zip(outputs, made.glued, strict=False):
        _compare_glued(output, key, value)
        found.compared["numbers"] += 1
    if made.value is not None:
        found.compared[_compare_value(where, outputs[-1], cell, made.value, found)] += 1


def _compare_glued(output: dict, key: str, value: Any) -> None:
    """One number as MyST-NB reads it: under one key, in one form."""
    about = {"scrapbook": {"mime_prefix": PREFIX, "name": key}}
    data = output.get("data", {})
    fits = output.keys() == {"output_type", "data", "metadata"}
    fits = fits and output["output_type"] == "display_data" and output["metadata"] == about
    if not fits or data.keys() != {f"{PREFIX}text/plain"}:
        raise OutputError(f"{key}: not glued as expected: {output!s:.200}")
    text = "".join(data[f"{PREFIX}text/plain"])
    try:
        shown = float(text) if text in ("nan", "inf", "-inf") else ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise OutputError(f"{key}: no literal: {text:.80}") from None
    if repr(shown) != text or not equal(shown, value):
        raise OutputError(f"{key}: shown {text:.80}, recomputed {value!r:.80}")


def _compare_value(where: str, output: dict, cell: dict, value: Any, found: Verified) -> str:
    """Returns the kind of what was compared."""
    fits = output.keys() == _VALUE_KEYS and output["output_type"] == "execute_result"
    if not fits or output["execution_count"] != cell["execution_count"]:
        raise OutputError(f"not the value of a cell: {output!s:.200}")
    if isinstance(value, Missing):
        figure = cell["metadata"].get("mystnb", {}).get("figure", {})
        found.skipped.append(f"{where}: {_unmade(output['data']) or figure.get('name')}")
        kind = "forms"
    elif isinstance(value, Figure):
        _compare_figure(output["data"], value)
        kind = "figures"
    else:
        _compare_table(output["data"], value)
        kind = "tables"
    if output["metadata"] != _shown_size(output["data"]):
        raise OutputError(f"not the metadata of its value: {output['metadata']!s:.200}")
    return kind


def _shown_size(data: dict) -> dict:
    """The metadata that IPython gives a figure, which has two pixels for each that is shown."""
    if "image/png" not in data:
        return {}
    height, width, _ = _pixels(data["image/png"]).shape
    return {"image/png": {"width": width // 2, "height": height // 2}}


def _unmade(data: dict) -> str:
    """The name of a table that was not made anew, "" of a figure; only its form is checked."""
    text = "".join(data.get("text/plain", ""))
    if data.keys() == {"image/png", "text/plain"}:
        _pixels(data["image/png"])
        if not re.fullmatch(r"<Figure size \d+x\d+ with \d+ Axes>", text):
            raise OutputError(f"not a figure: {text:.80}")
        return ""
    if data.keys() != {"text/html", "text/markdown", "text/plain"}:
        raise OutputError(f"forms {', '.join(map(str, data)):.100}")
    shown, page = ("".join(data[f"text/{kind}"]) for kind in ("markdown", "html"))
    if not _TABLE.fullmatch(shown.strip()):
        raise OutputError(f"not a table: {shown:.80}")
    if re.search(r"[<>]", _TABLE_TAG.sub("", page)):
        raise OutputError("more than a table in its HTML")
    return shown.split(":name: ")[1].split()[0]


def _compare_table(data: dict, value: Any) -> None:
    forms = {f"text/{kind}": getattr(value, f"_repr_{kind}_") for kind in ("markdown", "html")
             if hasattr(value, f"_repr_{kind}_")}  # fmt: skip
    wanted = {"text/plain": repr(value), **{kind: make() for kind, make in forms.items()}}
    if data.keys() != wanted.keys():
        raise OutputError(f"forms {', '.join(map(str, data)):.100}; expected {', '.join(wanted)}")
    for kind, text in wanted.items():
        shown = "".join(data[kind])
        if shown != text:
            a, b = _first_difference(shown, text)
            raise OutputError(f"shown {a!r:.200}, recomputed {b!r:.200}")


def _compare_figure(data: dict, figure: Figure) -> None:
    if data.keys() != {"image/png", "text/plain"}:
        raise OutputError(f"forms {', '.join(map(str, data)):.100}; expected one PNG")
    if "".join(data["text/plain"]) != described(figure):
        raise OutputError(f"not the figure of its cell, {described(figure)}")
    shown, drawn = _pixels(data["image/png"]), _decoded(print_figure(figure, "retina"))
    if shown.shape != drawn.shape:
        raise OutputError(f"a picture of {shown.shape}, drawn anew {drawn.shape}; {_REMEDY}")
    if np.array_equal(shown, drawn):
        return
    unlike = int((np.abs(shown.astype(int) - drawn) > _LEVELS).any(axis=-1).sum())
    if unlike:
        raise OutputError(f"{unlike:,} pixels of its figure are not those drawn anew; {_REMEDY}")


def described(figure: Figure) -> str:
    """What IPython says of a figure in words."""
    width, height = figure.bbox.size
    return f"<Figure size {width:g}x{height:g} with {len(figure.axes)} Axes>"


_REMEDY = "if all figures differ, install the packages of requirements.lock"


def _pixels(text: Any) -> np.ndarray:
    joined = "".join(text)
    if len(joined) > _MAX_PICTURE:
        raise OutputError(f"a picture of {len(joined):,} characters")
    try:
        return _decoded(base64.b64decode("".join(joined.split()), validate=True))
    except (ValueError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise OutputError(f"not a PNG ({error!s:.80})") from None


def _decoded(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
        return np.asarray(image.convert("RGBA"))


def _first_difference(shown: str, computed: str) -> tuple[str, str]:
    lines = itertools.zip_longest(shown.split("\n"), computed.split("\n"), fillvalue="")
    return next(((a, b) for a, b in lines if a != b), (shown, computed))
