"""Kill -9 at random moments, restart, compare with what was left alone: `make faults`.

    python -m trials.faults [--only STAGE ...] [--kills N] [--seed 0] [--into results]

A trial starts a stage of a tiny pipeline, kills it with all its children at a random moment, once
or twice, checks that the result store holds no half-written run, starts it again and compares the
outcome with that of an undisturbed start. A test of the suite carries out a handful of kills.
"""

import argparse
import contextlib
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ferbook.results import history, measurements, store

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
TRAIN = """
import sys
from ferbook.training import train
from ferbook.core.recipe import Recipe
from ferbook.data.synthetic import draw_faces
recipe = Recipe(name="t", backbone="tiny", weights="none", image_size=48, warmup_epochs=2,
                finetune_epochs=6, finetune_learning_rate=1e-3, plateau_patience=1)
train.train(recipe, draw_faces(300, 100)[0], study="s", results_dir="results", verbose=0)
"""
# Many small runs, so that most kills hit a write.
WRITE = """
import dataclasses, sys
sys.path.insert(0, sys.argv[1])
import test_store
from ferbook.results import store
for seed in range(40):
    recipe = dataclasses.replace(test_store.RECIPE, seed=seed)
    folder = store.run_folder("results", "s", recipe)
    if not (folder / "run.json").exists():
        parts = test_store.made_up("train", "Training", 700), test_store.made_up("test", "x", 700)
        store.write_run(folder, recipe, test_store.history(), *parts, test_store.FACTS,
                        leaked_files=frozenset(), val_twins=frozenset())
"""
PROSE = {
    "_config.yml": "title: two pages\nexecute:\n  execute_notebooks: 'off'\n",
    "_toc.yml": "format: jb-book\nroot: one\nchapters:\n  - file: two\n",
    "one.md": "# One\n\n" + "A page that takes a while to write. " * 3000,
    "two.md": "# Two\n\n" + "Another one, with $x^2$ and a [link](one). " * 3000,
}


class Stage(NamedTuple):
    """A command that runs in a folder of its own, what it leaves there, and kills in the job."""

    command: str
    outcome: Callable[[Path], Any]
    kills: int
    earliest: float  # share of the undisturbed time before which nothing is at stake
    folder: Callable[[Path], None] = lambda folder: None  # what to put there first


def outcome_of_runs(folder):
    """Everything in the store that does not depend on the clock."""
    found = {}
    for run in store.load_study(folder / "results", "s"):
        columns = [name for name in history.HISTORY_COLUMNS if name != "seconds"]
        content = (folder / "results/s" / run.name / "predictions.npz").read_bytes()
        found[run.name] = (
            hashlib.sha256(content).hexdigest(), run.info["metrics"],
            run.history[columns].to_csv(),
        )  # fmt: skip
    left = [str(path) for path in folder.rglob("*.tmp")]
    states = [str(path) for path in folder.rglob("state.npz")]
    return found, left, states


def outcome_of_notebook(folder):
    notebook = json.loads((folder / "executed.ipynb").read_text())
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    return [output.get("data") for output in outputs], list(notebook["metadata"]["ferbook"])


def outcome_of_book(folder):
    pages = {path.name: path.read_text() for path in (folder / "html").glob("*.html")}
    return pages, len([path for path in (folder / "html").rglob("*") if path.is_file()])


def put_prose(folder):
    for name, text in PROSE.items():
        (folder / name).write_text(text)


def put_project(folder):
    for name in ("notebooks", "src", "configs", "book", "results", "_toc.yml"):
        (folder / name).symlink_to(ROOT / name)


# The commands of the workflow's rules, with nothing but the folders exchanged.
STAGES = {
    "training": Stage(f"{sys.executable} -c '{TRAIN}'", outcome_of_runs, 12, 0.3),
    "store": Stage(f"{sys.executable} -c '{WRITE}' {ROOT / 'tests'}", outcome_of_runs, 16, 0.3),
    "notebook": Stage(
        f"mkdir -p partial && {BIN}/papermill --no-request-save-on-cell-execute "
        "notebooks/07_performance.ipynb partial/07_performance.ipynb -r results_dir results && "
        f"{sys.executable} -m ferbook.paper.staging stamp partial/07_performance.ipynb laptop "
        "results && mv partial/07_performance.ipynb executed.ipynb",
        outcome_of_notebook, 10, 0.0, put_project,
    ),
    "book": Stage(
        f"rm -rf render && {BIN}/jupyter-book build -W --keep-going --path-output render . && "
        "rm -rf html && mv render/_build/html html",
        outcome_of_book, 12, 0.2, put_prose,
    ),
}  # fmt: skip


def start(stage, folder):
    return subprocess.Popen(
        stage.command, shell=True, cwd=folder, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finish(stage, folder):
    process = start(stage, folder)
    _, said = process.communicate()
    if process.returncode:
        raise RuntimeError(f"exit {process.returncode}: {said[-500:]}")
    return stage.outcome(folder)


def half_written(folder):
    """Runs that claim to be finished and are not."""
    found = []
    for path in (folder / "results").glob("*/*/run.json"):
        try:
            store.load_run(path.parent)
        except (ValueError, OSError) as error:
            found.append(str(error))
    return found


def trial(stage, moments, wanted):
    """One start killed at each of `moments` (seconds); what went wrong, in words."""
    with new_folder(stage) as folder:
        killed = 0
        for moment in moments:
            process = start(stage, folder)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(moment)
            killed += process.poll() is None
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            if stage.outcome is outcome_of_runs and (wrong := half_written(folder)):
                return killed, f"half-written: {wrong}"
        try:
            same = finish(stage, folder) == wanted
        except (RuntimeError, ValueError, OSError) as error:
            return killed, f"did not finish: {error}"
        return killed, "" if same else "another result than the undisturbed one"


@contextlib.contextmanager
def new_folder(stage):
    folder = Path(tempfile.mkdtemp())
    try:
        stage.folder(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def torment(stage, kills, seed):
    """Undisturbed once, then trials of one or two kills each, until `kills` have hit."""
    begin = time.monotonic()
    with new_folder(stage) as folder:
        wanted = finish(stage, folder)
    seconds, chance = time.monotonic() - begin, random.Random(seed)
    trials, hit, wrong = 0, 0, []
    while hit < kills:
        number = min(chance.choice([1, 2]), kills - hit)
        moments = [seconds * chance.uniform(stage.earliest, 1.0) for _ in range(number)]
        killed, problem = trial(stage, moments, wanted)
        trials, hit = trials + 1, hit + killed
        wrong += [f"killed after {[round(m, 2) for m in moments]} s: {problem}"] if problem else []
    return {"kills": hit, "trials": trials, "survived": trials - len(wrong), "problems": wrong,
            "seconds_undisturbed": round(seconds, 1), "seed": seed}  # fmt: skip


def disk_full(limit=40_000):
    """Training where no file may grow beyond `limit` bytes: it stops in words, goes on later."""
    stage = STAGES["training"]
    with new_folder(stage) as folder:
        limited = subprocess.run(
            stage.command, shell=True, cwd=folder, capture_output=True, text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        )  # fmt: skip
        said, wrong = limited.stderr.strip().splitlines()[-1:], half_written(folder)
        again = finish(stage, folder)
    with new_folder(stage) as folder:
        same = again == finish(stage, folder)
    stopped = limited.returncode != 0 and "File too large" in " ".join(said)
    return {"stopped": stopped, "said": said, "half_written": wrong, "same_result_later": same}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="*", choices=[*STAGES, "disk full"])
    parser.add_argument("--kills", type=int, help="per stage; else as many as the stage says")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--into", type=Path, help="result store for reliability/faults.json")
    given = parser.parse_args()
    rows = {}
    if given.into:
        jobs = measurements.load_facts(given.into, "reliability")
        rows = jobs.get("faults", {}).get("stages", {})
    for name in given.only or [*STAGES, "disk full"]:
        if name == "disk full":
            rows[name] = disk_full()
        else:
            rows[name] = torment(STAGES[name], given.kills or STAGES[name].kills, given.seed)
        print(json.dumps({name: rows[name]}), flush=True)
        if given.into:
            measurements.write_facts(given.into, "reliability", "faults", {"stages": rows})
    sys.exit(any(row.get("problems") or row.get("half_written") for row in rows.values()))


if __name__ == "__main__":
    main()
