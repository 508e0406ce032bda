"""Numbers in the prose of the chapter The leak."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ferbook.paper.key_numbers import mean
from ferbook.results.metrics import accuracy, named_test_sets
from ferbook.results.run import Run
from ferbook.results.seeds import compared
from ferbook.results.study import Study, finals, of_study, paired


def twin_numbers(dataset: Mapping[str, Any]) -> dict[str, int | float]:
    """`data_*`: validation and test images with a byte-identical image among those that train."""
    twins, val = dataset["twins"], dataset["splits"]["val"]
    return {
        "data_n_val_twins": twins["val"],
        "data_val_twins_percent": 100 * twins["val"] / val,
        "data_n_val_clean": val - twins["val"],
        "data_n_leaked_train": twins["leaked_train"],
        "data_n_leaked_val_only": len(dataset["leaked_files"]) - twins["leaked_train"],
    }


def copies_numbers(
    plan: Study, runs: Iterable[Run], leaked_files: frozenset[str]
) -> dict[str, float | str]:
    """`copies_*`: points that the copies among the training images are worth, mean over seeds.

    `copies_gain_<set>` for the test images with a copy ("leaked"), without ("clean"), and all;
    `copies_part_leaked`: the points of the latter that the images with a copy contribute;
    `copies_gain_<set>_seeds`: the same of each seed, in words; `copies_gap_with`, `_without`: by
    how many points accuracy on the images with a copy is higher than on the others, after training
    with the copies and without; `copies_gap_finals`: the same of the runs that trained a complete
    recipe, from the lowest to the highest, in words; `copies_gain_leaked_error`: half of Student's
    95% interval; `copies_removed`: training images that the smaller training lacks,
    of each seed, in words; `copies_seeds`: how many seeds were trained in both ways;
    `copies_image_size` (px) and `copies_epochs`: the scale.
    """
    runs = list(runs)
    pairs = paired(of_study(plan, runs), "distinct", "base")
    sets = [[named_test_sets(run.test, leaked_files) for run in pair] for pair in pairs]
    of_seeds = {
        part: [100 * (accuracy(base[part]) - accuracy(distinct[part])) for distinct, base in sets]
        for part in ("test", "clean", "leaked")
    }
    gains = {f"copies_gain_{part}": mean(points) for part, points in of_seeds.items()}
    words = {
        f"copies_gain_{part}_seeds": ", ".join(f"{point:.1f}" for point in points)
        for part, points in of_seeds.items()
    }
    gaps = [[_gap(run, leaked_files) for run in pair] for pair in pairs]
    whole = [_gap(run, leaked_files) for run in finals(runs)] or [whole for _, whole in gaps]
    on_copies = {
        name: [100 * accuracy(pair[at]["leaked"]) for pair in sets]
        for at, name in enumerate(("distinct", "base"))
    }
    error = compared(on_copies, "distinct")["base"].error if sets else math.nan
    shares = [len(base["leaked"]) / len(base["test"]) for _, base in sets]
    removed = (f"{b.training_images - d.training_images:,}" for d, b in pairs)
    return (
        gains
        | words
        | {
            "copies_part_leaked": gains["copies_gain_leaked"] * mean(shares),
            "copies_gap_without": mean([without for without, _ in gaps]),
            "copies_gap_with": mean([whole for _, whole in gaps]),
            "copies_gap_finals": f"{min(whole):.0f} to {max(whole):.0f}" if whole else "",
            "copies_gain_leaked_error": error,
            "copies_removed": ", ".join(removed),
            "copies_seeds": len(pairs),
            "copies_image_size": plan.base.image_size,
            "copies_epochs": plan.base.finetune_epochs,
        }
    )


def _gap(run: Run, leaked_files: frozenset[str]) -> float:
    """Points by which accuracy is higher on the images with a copy than on the others."""
    parts = named_test_sets(run.test, leaked_files)
    return 100 * (accuracy(parts["leaked"]) - accuracy(parts["clean"]))
