"""A DataFrame as a numbered table of the book.

JupyterLab shows its HTML, the book its MyST form, which Sphinx numbers and `{numref}` can cite.
Cells and captions are text: much of it comes from files of others, and none of it is markup,
unless it was made by `code`, `cited`, `linked` or `together`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype

from ferbook.core.errors import FerbookError
from ferbook.core.recipe import Recipe

MINUS = "\u2212"
P_VALUE = "p"  # a format: two digits, or less than LEAST_P
LEAST_P = 0.0001
SYNTHETIC_NOTICE = "Smoke run on synthetic faces: nothing here is a result."


# Whatever begins or ends markup in MyST; an underscore within a word does not.
_MARKUP = re.compile(r"[\\`*{}\[\]<>$&~^#|!]|(?<!\w)_|_(?!\w)")

# Cells of a column of numbers: "61.03% (60.89 to 61.17%)", "<0.0001", "618 to 627", "5.3 ± 2.1".
_NUMBER = rf"[<+{MINUS}-]?\d[\d,.]*(?:e[+-]?\d+)?%?"
_RANGE = rf"{_NUMBER}(?:\sto\s{_NUMBER})?"
_NUMERIC = re.compile(rf"{_RANGE}(?:\s\({_RANGE}\)|\s±\s{_NUMBER})?")
_NOTHING = ("", "-", "not run")


@dataclass(frozen=True)
class Markup:
    """MyST that a table shows as such; its parts that come from files are escaped."""

    text: str

    def __str__(self) -> str:
        return self.text


def code(text: str) -> Markup:
    """`text` as code, whatever it holds."""
    text = " ".join(text.split())
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    return Markup(f"{fence}{space}{text}{space}{fence}".replace("|", "\\|"))


def cited(key: str) -> Markup:
    """A citation of the source `key` of references.bib, as part of a sentence."""
    if not re.fullmatch(r"[\w-]+", key):
        raise TableError(f"key: expected letters, digits and hyphens. Received: {key!r:.80}.")
    return Markup(f"{{cite:t}}`{key}`")


def linked(text: str, address: str) -> Markup:
    """`text` as a link to a page on GitHub."""
    if not re.fullmatch(r"https://github\.com/[\w./-]+", address):
        raise TableError(f"address: expected a page on GitHub. Received: {address!r:.80}.")
    return Markup(f"[{_escaped(text)}]({address})")


def together(*parts: str | Markup) -> Markup:
    """Text and markup in one cell; what is no markup yet is escaped."""
    return Markup("".join(map(_escaped, parts)))


def _escaped(text: str | Markup) -> str:
    """Text that MyST shows as it is, on one line."""
    if isinstance(text, Markup):
        return text.text
    return _MARKUP.sub(r"\\\g<0>", re.sub(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+", " ", text))


class TableError(FerbookError, ValueError):
    """A table cannot be made of what it was given."""


@dataclass(frozen=True)
class Table:
    """A DataFrame as a numbered table; `formats` maps columns to format strings or P_VALUE."""

    frame: pd.DataFrame
    caption: str
    label: str
    formats: Mapping[str, str] | None = None

    def __repr__(self) -> str:
        return f"{self.caption}\n{self.formatted().to_string(index=False)}"

    def _repr_html_(self) -> str:
        frame = self.formatted()
        return f"<p>{html.escape(self.caption)}</p>{frame.to_html(index=False, border=0)}"

    def _repr_markdown_(self) -> str:
        frame = self.formatted()
        head, rule = list(frame.columns), ["---", *map(self._alignment, frame.columns[1:])]
        rows = "\n".join(_markdown_row(row) for row in [head, rule, *frame.to_numpy().tolist()])
        return f":::{{table}} {_escaped(self.caption)}\n:name: {self.label}\n\n{rows}\n:::\n"

    def _alignment(self, column: str) -> str:
        """Numbers to the right, words to the left."""
        cells = self.frame.reset_index()[column]
        numeric = column in (self.formats or {}) or is_numeric_dtype(cells) or _are_numbers(cells)
        return "---:" if numeric else ":---"

    def formatted(self) -> pd.DataFrame:
        """All cells as text, the index as first column; missing values as a dash."""
        frame = self.frame.reset_index()
        formats = self.formats or {}
        text = {name: [_cell(v, formats.get(name)) for v in frame[name]] for name in frame}
        return pd.DataFrame(text, columns=frame.columns, dtype=object)


@dataclass(frozen=True)
class Notice:
    """A warning box where what follows comes from synthetic faces, or from another recipe.

    `recipe` is the name of that which a chapter about the original's shows; nothing of that itself.
    """

    synthetic: bool
    recipe: str = Recipe.name

    @property
    def _text(self) -> str:
        other = f'The recipe of this execution is "{self.recipe}", not the original\u2019s.'
        said = {SYNTHETIC_NOTICE: self.synthetic, other: self.recipe != Recipe.name}
        return " ".join(text for text, holds in said.items() if holds)

    def __repr__(self) -> str:
        return self._text or "Real data."

    def _repr_html_(self) -> str:
        return f"<p><strong>{html.escape(self._text)}</strong></p>" if self._text else ""

    def _repr_markdown_(self) -> str:
        return f":::{{warning}}\n{self._text}\n:::\n" if self._text else ""


def _are_numbers(cells: Iterable[Any]) -> bool:
    """Whether text that is no number stands only for a missing one."""
    some = [text for text in (str(_cell(cell, None)) for cell in cells) if text not in _NOTHING]
    return bool(some) and all(map(_NUMERIC.fullmatch, some))


def interval(scores: Mapping[str, Any]) -> str:
    """The interval of an accuracy, `accuracy_low` and `accuracy_high`, in percent."""
    low, high = (100 * scores[f"accuracy_{end}"] for end in ("low", "high"))
    return f"{low:.2f}\u00a0to\u00a0{high:.2f}%"  # stays on one line


def _cell(value: Any, spec: str | None) -> str | Markup:
    if value is None or value != value:  # NaN differs from itself
        return "-"
    if isinstance(value, Markup):
        return value
    if isinstance(value, str):
        return with_minus(value)
    if spec == P_VALUE:
        return p_text(value)
    return with_minus(format(value, spec or ""))


def p_text(value: float, least: float = LEAST_P) -> str:
    """A p-value with two digits, or as less than `least`."""
    return f"{value:#.2g}" if value >= least else f"<{least}"


def with_minus(text: str) -> str:
    """Text whose negative numbers have a minus sign; hyphens within words and ranges stay."""
    return re.sub(r"(?<![^\s(])-(?=\d)", MINUS, text)


def _markdown_row(cells: Iterable[str | Markup]) -> str:
    return "| " + " | ".join(map(_escaped, cells)) + " |"
