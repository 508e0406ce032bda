"""SHA-256 of every file in `results/`, in the form that `sha256sum -c` reads.

make manifest                                   # after a run was added on purpose
cd results && sha256sum -c MANIFEST.sha256      # without ferbook
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from ferbook.core.errors import FerbookError
from ferbook.core.files import write_atomically

NAME = "MANIFEST.sha256"
_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")


class ManifestError(FerbookError, ValueError):
    """The manifest is missing or not of the form that `sha256sum` writes."""


def renew(results_dir: str | Path) -> Path:
    """Write the manifest of what is in `results_dir` now; leftovers of killed writes stay out."""
    path = Path(results_dir) / NAME
    digests = {n: d for n, d in _digests(Path(results_dir)).items() if not n.endswith(".tmp")}
    write_atomically(path, "".join(f"{d}  {n}\n" for n, d in digests.items()).encode())
    return path


def check(results_dir: str | Path) -> Iterator[str]:
    """A line for each file that was altered, is missing, or is in no line of the manifest.

    Raises ManifestError when there is no readable manifest.
    """
    listed, found = read(results_dir), _digests(Path(results_dir))
    for name in sorted(listed.keys() | found.keys()):
        if name not in found:
            yield f"missing: {name}"
        elif name not in listed:
            yield f"not in {NAME}: {name}"
        elif listed[name] != found[name]:
            yield f"altered: {name}"


def read(results_dir: str | Path) -> dict[str, str]:
    """File, relative to `results_dir` -> SHA-256, as the manifest says."""
    path = Path(results_dir) / NAME
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(
            f"{path}: not readable ({error}). Write it by make manifest."
        ) from error
    matches = [_LINE.fullmatch(line) for line in lines]
    if not all(matches):
        raise ManifestError(f"{path}: line {matches.index(None) + 1} is not '<SHA-256>  <file>'.")
    return {match[2]: match[1] for match in matches}


def _digests(results: Path) -> dict[str, str]:
    files = sorted(p for p in results.rglob("*") if p.is_file() and p != results / NAME)
    names = [path.relative_to(results).as_posix() for path in files]
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in sorted(zip(names, files, strict=True))
    }
