"""Does the book show what the arrays say? Everything recomputed from `results/`, and compared.

Without TensorFlow and without the data set: files against their manifests, runs, answers and
measurements against their arrays and each other, numbers in prose, and every output of the
executed notebooks against the same cell made anew, pixels of figures included. What an executed
notebook holds is never carried out: the cells made anew are those of the checkout that this package
belongs to.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from ferbook.data.sources import NAMED
from ferbook.paper.verification import notebooks, prose, release, runs
from ferbook.paper.verification.verified import Verified
from ferbook.results import manifest

__all__ = ["Verified", "verify"]
FOLDERS = ("results", "book/executed", "book/_static")  # each with a manifest of its own


def verify(
    project: str | Path = ".", *, data: str = "", tell: Callable[[str], object] = lambda what: None
) -> Verified:
    """Check manifests, runs, answers, measurements, prose and executed notebooks of a checkout.

    With `data`, a source of FER-2013, also what the notebooks show of the images. It takes up to a
    minute; `tell` is called with what is checked next.
    Raises FileNotFoundError where there is no checkout; anything else that is wrong is a finding.
    """
    if not Path(project, "_toc.yml").is_file():
        raise FileNotFoundError(f"{project}: no checkout of this book (no _toc.yml in it).")
    if data not in ("", *NAMED):
        data = str(Path(os.path.expanduser(data)).resolve())
    found = Verified()
    layers: tuple[tuple[str, Callable[[Verified], None]], ...] = (
        ("files", _check_files),
        ("runs", runs.check),
        ("answers", runs.check_answers),
        ("measurements", runs.check_measurements),
        ("release", release.check),
        ("prose", prose.check),
        ("notebooks", lambda found: notebooks.check(found, data, tell)),
    )
    with contextlib.chdir(project):
        for name, layer in layers:
            tell(name)
            try:
                layer(found)
            except Exception as error:  # of what a hostile store may hold, too
                found.findings.append(f"{name}: {type(error).__name__}: {error}")
    return found


def _check_files(found: Verified) -> None:
    for folder in FOLDERS:
        where = "" if folder == "results" else f"{folder}: "
        try:
            found.findings += [where + line for line in manifest.check(folder)]
            found.compared["files"] += len(manifest.read(folder))
        except manifest.ManifestError as error:
            found.findings.append(f"files: ManifestError: {error}")
