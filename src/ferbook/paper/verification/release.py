"""The released model: its files, their card, and the measurements that chose them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ferbook.core.classes import CLASSES
from ferbook.core.files import sha256
from ferbook.core.structured import read_json
from ferbook.paper.verification.runs import TIES
from ferbook.paper.verification.verified import Verified, differences
from ferbook.results import measurements, store

RELEASED = Path("src/ferbook/inference/released")  # in the checkout that is verified
_MAX_MODEL_BYTES = 500_000_000
_KEPT = ("bytes", "sha256", "correct", "total")


def check(found: Verified) -> None:
    """Every measured deployment against its run; card and files against the deployment."""
    measured = measurements.load_facts("results", "deployment")
    for name, facts in measured.items():
        found.findings += _against_run(f"deployment/{name}", facts)
        found.compared["deployments"] += 1
    if RELEASED.is_dir():
        found.findings += _card(measured)


def _against_run(where: str, facts: dict) -> Iterator[str]:
    run, rows = store.load_run(Path("results", facts["run"])), facts["exports"]
    yield from differences(facts["temperature"], run.temperature, f"{where}: temperature")
    keras = rows["keras-float32"]["correct"]
    right = int((run.test.answers == run.test.labels).sum())
    if abs(keras - right) > TIES:
        yield f"{where}: keras-float32: {keras} right, the run has {right}"
    for name, row in rows.items():
        yield from differences(row["total"], len(run.test), f"{where}: {name}: total")
        others = round((1 - row["same_answer"]) * row["total"])
        if abs(row["correct"] - keras) > others:
            yield f"{where}: {name}: {row['correct']} right, {others} answers differ from Keras"


def _card(measured: dict[str, dict]) -> Iterator[str]:
    card = read_json(RELEASED / "card.json")
    facts = measured[Path(card["run"]).name]
    for key in ("run", "git_commit", "temperature"):
        yield from differences(card[key], facts[key], f"card.json: {key}")
    yield from differences(card["classes"], list(CLASSES), "card.json: classes")
    rows = {row["file"]: {key: row[key] for key in _KEPT} for row in facts["exports"].values()}
    present = {path.name for path in RELEASED.iterdir() if path.name != "card.json"}
    if present != card["files"].keys():
        yield f"card.json: lists {sorted(card['files'])}, the folder holds {sorted(present)}"
    for name, row in card["files"].items():
        yield from differences(row, rows.get(name), f"card.json: {name}")
        if sha256(RELEASED / name, _MAX_MODEL_BYTES) != row["sha256"]:
            yield f"{RELEASED / name}: not the file of its card"
