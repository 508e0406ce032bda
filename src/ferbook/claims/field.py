"""Published accuracies on FER-2013 with their protocol, as `book/field.yml` holds them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ferbook.claims.published import FOLDER_TEST
from ferbook.core.errors import FerbookError
from ferbook.core.structured import read_yaml

PRIVATE, ALL, UNSTATED = "PrivateTest", "all test images", "not stated"
IMAGES = {PRIVATE: PRIVATE, ALL: FOLDER_TEST, UNSTATED: UNSTATED}
"""What a method was measured on, as the file says it -> as tables say it."""

ONE_VIEW = "one"  # answer of a network to an image is its answer

MAX_METHODS = 200
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_PERCENT = re.compile(r"\d{1,2}(\.\d{1,2})?%")


class FieldError(FerbookError, ValueError):
    """A file is not a list of methods as `book/field.yml` is one."""


@dataclass(frozen=True)
class Repetition:
    """What someone else measured, and the numbers of the threads that say so."""

    accuracy: str
    how: str
    threads: tuple[int, ...]
    other_images: bool = False  # than those of the published accuracy
    other_model: bool = False  # or training, which `how` names


@dataclass(frozen=True)
class Method:
    """One published accuracy; empty text and None stand for what was not found."""

    model: str
    key: str
    accuracy: str
    images: str
    code: str = ""
    chosen_on: str = ""
    chosen_in: str = ""
    on_test: bool = False
    views: str = ""
    views_in: str = ""
    extra: str = ""
    extra_in: str = ""
    parameters: int | None = None
    repeated: tuple[Repetition, ...] = ()

    @property
    def by_others(self) -> dict[float, str]:
        """What others measured on the same images, as fractions and as printed, lowest first."""
        found = {fraction(r.accuracy): r.accuracy for r in self.repeated if not r.other_images}
        return dict(sorted(found.items()))

    @property
    def instead(self) -> str:
        """Models or trainings other than the published one that `by_others` is of, in words."""
        return "; ".join(dict.fromkeys(r.how for r in self.repeated if r.other_model))

    @property
    def is_plain(self) -> bool:
        """Whether it is of all test images, one view of each, and was not chosen on them."""
        return self.images == FOLDER_TEST and self.views == ONE_VIEW and not self.on_test

    @property
    def value(self) -> float:
        """Its accuracy as a fraction."""
        return fraction(self.accuracy)


def fraction(percent: str) -> float:
    """ "68.78%" as 0.6878. Raises ValueError for what is no percentage below 100 %."""
    if not isinstance(percent, str) or not _PERCENT.fullmatch(percent):
        raise ValueError(f"expected a percentage such as 68.78%. Received: {percent!r:.80}")
    return float(percent.rstrip("%")) / 100


def read_field(path: str | Path) -> list[Method]:
    """The methods of a file. Raises FieldError, naming the entry, when one is incomplete."""
    entries = read_yaml(path).get("methods")
    if not isinstance(entries, list) or not 0 < len(entries) <= MAX_METHODS:
        raise FieldError(f"{path}: expected 1 to {MAX_METHODS} methods. Received: {entries!r:.80}.")
    return [_method(entry, path) for entry in entries]


def _method(entry: Any, path: str | Path) -> Method:
    try:
        parts = dict(entry)
        repeated = tuple(map(_repetition, parts.pop("repeated", [])))
        method = Method(**parts, repeated=repeated)
        _check(method)
    except (TypeError, ValueError) as error:
        raise FieldError(f"{path}: {entry!r:.80}: not a method ({error}).") from error
    return method


def _check(method: Method) -> None:
    for name, value in vars(method).items():
        wanted = Method.__annotations__[name]
        if wanted == "str" and not isinstance(value, str):
            raise TypeError(f"{name}: expected text. Received: {value!r:.80}")
    fraction(method.accuracy)
    if method.images not in IMAGES:
        raise ValueError(f"images: expected {', '.join(IMAGES)}. Received: {method.images!r:.80}")
    if method.code and not _REPOSITORY.fullmatch(method.code):
        raise ValueError(f"code: expected owner/name on GitHub. Received: {method.code!r:.80}")
    if method.repeated and not method.code:
        raise ValueError("repeated: threads without the repository that they are of")
    if method.parameters is not None and not _is_count(method.parameters):
        raise ValueError(f"parameters: expected a number. Received: {method.parameters!r:.80}")
    if type(method.on_test) is not bool:
        raise ValueError(f"on_test: expected true or false. Received: {method.on_test!r:.80}")
    for fact, place in (("chosen_on", "chosen_in"), ("views", "views_in"), ("extra", "extra_in")):
        if bool(getattr(method, fact)) != bool(getattr(method, place)):
            raise ValueError(f"{fact}, {place}: expected both or neither")


def _is_count(value: Any) -> bool:
    return type(value) is int and value > 0


def _repetition(entry: Any) -> Repetition:
    found = Repetition(**entry)
    fraction(found.accuracy)
    if not isinstance(found.how, str) or not isinstance(found.threads, list) or not found.threads:
        raise TypeError(f"repeated: expected how and threads. Received: {entry!r:.80}")
    for flag in ("other_images", "other_model"):
        if type(getattr(found, flag)) is not bool:
            raise TypeError(f"{flag}: expected true or false. Received: {entry!r:.80}")
    if not all(map(_is_count, found.threads)):
        raise TypeError(f"threads: expected numbers. Received: {found.threads!r:.80}")
    return replace(found, threads=tuple(found.threads))
