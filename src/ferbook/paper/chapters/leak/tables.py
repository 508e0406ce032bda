"""Tables of the chapter The leak."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ferbook.paper.chapters.leak.prose import PARTS
from ferbook.paper.table import Table, with_minus
from ferbook.results import names
from ferbook.results.metrics import accuracy, sets_by_copy
from ferbook.results.run import Run
from ferbook.results.study import Study, of_study


def leak_table(frame: pd.DataFrame) -> Table:
    """Test images with a pixel-identical copy in the training folder; see audit.leak_table."""
    shown = frame.rename(
        columns={"leaked_fraction": "share", "same_label": "copy has the same label"}
    )
    formats = {"images": ",d", "leaked": ",d", "share": ".1%", "copy has the same label": ".1%"}
    return Table(shown, "Test images with a pixel-identical training image.", "tab-leaks", formats)


def altered_table(frame: pd.DataFrame) -> Table:
    """Copies planted to justify the thresholds of near duplicates; see `planted_copies`."""
    caption = (
        f"{frame['pairs'].iloc[0]:,} altered copies of real images in each row, and the share that "
        "each threshold recognizes."
    )
    shown = frame.drop(columns="pairs")
    return Table(shown, caption, "tab-copies", dict.fromkeys(shown, ".1%"))


def grid_table(study: Study, runs: Iterable[Run], dataset: Mapping[str, Any]) -> Table:
    """Recipes with and without copies among the training images, on test images of each kind."""
    rows = {}
    for name in ("base", *study.changes):
        some = [run for run in of_study(study, runs) if run.recipe.name == name]
        if some:
            sets = [sets_by_copy(run.test, dataset) for run in some]
            images = dict.fromkeys(f"{run.training_images:,}" for run in some)
            rows[names.change_name(name)] = ("; ".join(images), len(some), *(
                _spread([100 * accuracy(s[part]) for s in sets if len(s[part])])
                for part in ("test", "leaked", "near", "neither")
            ))  # fmt: skip
    columns = [
        "training images",
        "seeds",
        "test",
        "with a copy",
        "with a near duplicate",
        "neither",
    ]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("recipe")
    caption = (
        "The same recipe with all training images, without those that have a copy elsewhere, and "
        "with as many drawn at random; test images with a pixel-identical copy in the training "
        "folder, with a near duplicate, and with neither. Mean and range. "
        f"{names.grid_words(study.name, study.base)}"
    )
    return Table(frame, caption, f"tab-{study.name}")


def losses_table(numbers: Mapping[str, Any]) -> Table:
    """Points that training without copies costs; `numbers` are those of `prose.copies_numbers`."""
    heads = {
        "alone": "against as many images of each class",
        "drawn": "against as many, drawn at random",
        "gain": "against all images",
    }
    rows = {
        head: [_loss(numbers, f"copies_{comparison}_{part}") for comparison in heads]
        for part, head in PARTS.items()
    }
    frame = pd.DataFrame.from_dict(rows, "index", columns=list(heads.values()))
    caption = (
        "Points of accuracy that training without copies loses against three other ways to train, "
        "on test images of each kind: mean over seeds, with the 95% interval over seeds and test "
        "images."
    )
    return Table(frame.rename_axis("test images"), caption, "tab-losses")


def _loss(numbers: Mapping[str, Any], key: str) -> str:
    if np.isnan(numbers[key]):
        return "not run"
    mean, both = with_minus(f"{numbers[key]:.1f}"), numbers[f"{key}_both"]
    return f"{mean}\u00a0±\u00a0{both:.1f}"


def _spread(percents: Sequence[float]) -> str:
    """Mean, with the range where there are several; a dash for none."""
    if not percents:
        return "-"
    mean = f"{np.mean(percents):.2f}%"
    several = f" ({min(percents):.1f}\u00a0to\u00a0{max(percents):.1f})"
    return mean + several * (len(percents) > 1)
