"""The original's text, sentence by sentence, and the map from each sentence to its claims.

The text itself is not part of the repository. `book/sentences.yml` identifies each sentence by its
section and the SHA-256 of its words, so that whoever has the text can prove that no sentence was
passed over.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ferbook.core.errors import FerbookError
from ferbook.core.files import read_text
from ferbook.core.structured import read_yaml

_CHAPTER = re.compile(r"([IVX]+)\. [A-Z ]+$")  # "IV. METHODOLOGY"
_PART = re.compile(r"([A-Z])\. .*[a-z)]$")  # "A. Model Architecture"
_UNNUMBERED = {"ACKNOWLEDGMENT": "Acknowledgment", "REFERENCES": "References"}
_CAPTION = re.compile(r"(TABLE [IV]+|Fig\. \d+):")
_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z“*])")  # "et al. indicated", "vs. validation" go on
_ITEM = re.compile(r"^- ", re.MULTILINE)
_LONGEST_HEADING = 8  # words


class Sentence(NamedTuple):
    """A sentence and where it stands: "Abstract", "VI.B", "Table II", "References"."""

    section: str
    text: str  # blanks and line ends as single blanks

    @property
    def sha256(self) -> str:
        """Its name in the map."""
        return hashlib.sha256(self.text.encode()).hexdigest()


class MapError(FerbookError, ValueError):
    """The map of sentences is not as it should be."""


Known = Mapping[tuple[str, str], list[str] | str]
"""(section, SHA-256) -> the ids of a sentence's claims, or the reason why it has none."""


def read_sentences(path: str | Path) -> list[Sentence]:
    """Every sentence of the text at `path`; headings, items, table rows and references count."""
    section = place = "Title"
    found = []
    for block in _blocks(read_text(path)):
        heading = _heading(block, section)
        section = "Abstract" if block.startswith("Abstract") else heading or section
        if caption := _CAPTION.match(block):
            place = caption[1].replace("TABLE", "Table")
        elif not block.startswith("|"):  # the rows of a table belong to its caption
            place = section
        texts = [normalized(block)] if heading else _split(block, section)
        found += [Sentence(place, text) for text in texts]
    return found


def normalized(text: str) -> str:
    """Blanks and line ends as single blanks."""
    return " ".join(text.split())


def read_map(path: str | Path) -> dict[tuple[str, str], list[str] | str]:
    """The map of sentences; see Known.

    Raises MapError, naming the entry, when one is incomplete or stands there twice.
    """
    content, found = read_yaml(path), {}
    try:
        for key, answer in _entries(content):
            if key in found:
                raise ValueError(f"{key[0]}: {key[1]} stands there twice")
            found[key] = answer
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise MapError(f"{path}: not a map of sentences ({error!r}).") from error
    return found


def problems(
    sentences: Iterable[Sentence], known: Known, quotes: Iterable[tuple[str, str, str]]
) -> list[str]:
    """What the ledger and its map miss of the text, a line each; empty when nothing.

    `quotes` are the id, the section and the words of each quote of the ledger.
    """
    present, texts = {}, {}
    for sentence in sentences:
        present[sentence.section, sentence.sha256] = sentence.text
        texts.setdefault(sentence.section, []).append(sentence.text)
    return [
        *(f"not in the map: {section}: {text}"
          for (section, digest), text in present.items() if (section, digest) not in known),
        *(f"in the map, not in the text: {section}: {digest}"
          for section, digest in known if (section, digest) not in present),
        *(f"{name}: not verbatim in {section}: {quote}" for name, section, quote in quotes
          if not any(normalized(quote) in text for text in texts.get(section, []))),
    ]  # fmt: skip


def _entries(content: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], list[str] | str]]:
    for section, rows in content["claims"].items():
        for row in rows:
            yield (section, row["sha256"]), list(row["claims"])
    for reason, sections in content["no_claim"].items():
        for section, digests in sections.items():
            yield from (((section, digest), reason) for digest in digests)


def _blocks(text: str) -> list[str]:
    """Paragraphs; one that a page break cut in two is joined again."""
    blocks: list[str] = []
    for block in map(str.strip, re.split(r"\n\s*\n", text)):
        if block and block[0].islower() and blocks:
            blocks[-1] += f" {block}"
        elif block:
            blocks.append(block)
    return blocks


def _heading(block: str, section: str) -> str:
    """The section that the heading `block` opens; empty where it is none."""
    if block in _UNNUMBERED:
        return _UNNUMBERED[block]
    if found := _CHAPTER.match(block):
        return found[1]
    found = _PART.match(block)
    short = "\n" not in block and len(block.split()) <= _LONGEST_HEADING
    return f"{section.split('.')[0]}.{found[1]}" if found and short else ""


def _split(block: str, section: str) -> Iterator[str]:
    if block.startswith("|"):
        rows = (normalized(line) for line in block.splitlines())
        yield from (row for row in rows if row.strip("|- "))
        return
    for item in filter(None, map(normalized, _ITEM.split(block))):
        yield from [item] if section == "References" else _END.split(item)
