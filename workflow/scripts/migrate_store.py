"""Bring every run.json of a result store to today's form; predictions are not touched.

    python workflow/scripts/migrate_store.py [results]

Run once, when run.json began to hold the recipe whole, `val_clean` among its scores and whether a
run is final. Fields are called as today. Running it again changes nothing.
"""

import dataclasses
import sys
from pathlib import Path

from ferbook.core.writing import write_json
from ferbook.data.duplicates import validation_twins
from ferbook.results import store
from ferbook.results.metrics import score_sets


def main(results: Path) -> None:
    """Migrate the store in the folder `results`."""
    dataset = store.load_dataset(results)
    leaked = frozenset(dataset["leaked_files"])
    for path in sorted(results.glob("*/*/run.json")):
        run = store.load_run(path.parent)
        twins = validation_twins(run.val.files, dataset["duplicate_groups"])
        scores = score_sets(run.val, run.test, leaked, twins)
        if any(scores[name] != value for name, value in run.info["metrics"].items()):
            sys.exit(f"{path}: its scores do not follow from its predictions")
        info = {"recipe": dataclasses.asdict(run.recipe)}
        rest = {k: v for k, v in run.info.items() if k not in ("recipe", "final", "metrics")}
        lifted = {k: rest.pop(k) for k in ("backbone", "weights", "image_size", "seed")}
        write_json(path, info | lifted | {"final": run.is_final} | rest | {"metrics": scores})


if __name__ == "__main__":
    main(Path(*sys.argv[1:2] or ["results"]))
