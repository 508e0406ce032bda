"""Every test image's label, second opinion and answer, for the page "Error explorer"."""

from __future__ import annotations

import json
from collections.abc import Set
from pathlib import Path
from typing import Any

import numpy as np

from ferbook.core.classes import CLASSES
from ferbook.core.structured import read_json
from ferbook.data import ferplus
from ferbook.inference.classifier import RELEASED
from ferbook.results import store
from ferbook.results.run import Run

_OTHERS = {"contempt": "contempt", "unknown": "unknown", "NF": "no face"}
OPINIONS = (*CLASSES, *_OTHERS.values(), "none")
"""What FER+'s plurality may be; "none" is a tie, or an image that FER+ does not hold."""


def explorer_data(run: Run, leaked_files: Set[str]) -> dict[str, Any]:
    """Columns over the test images of `run`, short enough for a page.

    `second` indexes OPINIONS; `shares` holds thousandths, seven for each image in turn.
    """
    test = run.test
    shares = np.rint(1000 * test.probabilities.astype(np.float64)).astype(int)
    return {
        "run": f"{run.study}/{run.name}",
        "synthetic": run.is_synthetic,
        "classes": list(CLASSES),
        "opinions": list(OPINIONS),
        "columns": {
            "file": [Path(file).stem for file in test.files],
            "label": test.labels.tolist(),
            "answer": test.answers.tolist(),
            "second": _opinions(test.files).tolist(),
            "copy": [int(file in leaked_files) for file in test.files],
            "shares": shares.ravel().tolist(),
        },
    }


def write(target: Path, results: Path) -> None:
    """`target` as a script that defines `ferbookAnswers`: a page opened as a file may not fetch.

    The run is the released one where the store holds it, else the store's first.
    Raises FileNotFoundError when the store holds none.
    """
    folder = results / read_json(RELEASED / "card.json")["run"]
    folders = (
        [folder] if folder.is_dir() else sorted(p.parent for p in results.glob("*/*/run.json"))
    )
    if not folders:
        raise FileNotFoundError(f"{results}: no finished run; execute notebooks/02_training first.")
    run = store.load_run(folders[0])
    data = explorer_data(run, frozenset(store.load_dataset(results)["leaked_files"]))
    text = json.dumps(data, separators=(",", ":"))
    target.write_text(f"const ferbookAnswers = {text};\n", encoding="utf-8")


def _opinions(files: np.ndarray) -> np.ndarray:
    """FER+'s plurality for each file as an index into OPINIONS."""
    found = ferplus.pluralities(files)
    known = ferplus.as_class(found)
    for vote, name in _OTHERS.items():
        known = np.where(found == ferplus.VOTES.index(vote), OPINIONS.index(name), known)
    return np.where(known < 0, OPINIONS.index("none"), known)
