"""The original's references, as `book/original_references.yml` holds them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ferbook.core.errors import FerbookError
from ferbook.core.structured import read_yaml

MAX_REFERENCES = 500


class ReferencesError(FerbookError, ValueError):
    """A file is not a list of references as `book/original_references.yml` is one."""


@dataclass(frozen=True)
class Citation:
    """A place that cites a work, what for, and whether the work says so (None: not known)."""

    section: str
    purpose: str
    says: bool | None = None
    why: str = ""

    def __post_init__(self) -> None:
        _require_text(self, "section", "purpose", "why")
        if self.says is not None and type(self.says) is not bool:
            raise TypeError(f"says: expected true, false or nothing. Received: {self.says!r:.80}")


@dataclass(frozen=True)
class Reference:
    """An entry of the original's list; `sure` is False where the work is only the likeliest."""

    number: int
    key: str
    corrected: str = ""
    sure: bool = True
    cited: tuple[Citation, ...] = ()

    def __post_init__(self) -> None:
        _require_text(self, "key", "corrected")
        if type(self.number) is not int or type(self.sure) is not bool:
            raise TypeError("number: expected a whole number; sure: true or false")


def read_references(path: str | Path) -> list[Reference]:
    """The references in their order.

    Raises ReferencesError, naming the entry, when one is incomplete or out of its order.
    """
    entries = read_yaml(path).get("references")
    if not isinstance(entries, list) or not 0 < len(entries) <= MAX_REFERENCES:
        raise ReferencesError(f"{path}: expected 1 to {MAX_REFERENCES} references.")
    found = [_reference(entry, path) for entry in entries]
    for number, reference in enumerate(found, 1):
        if reference.number != number:
            raise ReferencesError(
                f"{path}: expected number {number}. Received: {reference.number}."
            )
    return found


def _reference(entry: Any, path: str | Path) -> Reference:
    try:
        reference = Reference(**entry)
        return replace(reference, cited=tuple(map(_citation, reference.cited)))
    except (TypeError, ValueError) as error:
        raise ReferencesError(f"{path}: {entry!r:.80}: not a reference ({error}).") from error


def _citation(entry: Any) -> Citation:
    parts = dict(entry)
    return Citation(purpose=parts.pop("for", None), **parts)


def _require_text(owner: object, *names: str) -> None:
    for name in names:
        if not isinstance(getattr(owner, name), str):
            raise TypeError(f"{name}: expected text. Received: {getattr(owner, name)!r:.80}")
