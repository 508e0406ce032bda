"""Everything that a check may look at."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import t as student

from ferbook.claims.field import Method, read_field
from ferbook.claims.published import Published, TableError, read_table
from ferbook.claims.sentences import read_map
from ferbook.core.recipe import Recipe
from ferbook.core.structured import read_yaml
from ferbook.results import store
from ferbook.results.names import scale_words
from ferbook.results.run import Answers, Run

_PLACES = {"name", "backbone", "image_size", "seed"}  # may differ under one recipe
_SCALE = {"train_images", "grouped_split", "finetune_learning_rate", "finetune_epochs"}
_LEAST_SEEDS = 3  # that a spread is computed from


class Spread(NamedTuple):
    """How far apart two runs of one recipe may lie by their seeds alone."""

    value: float
    source: str


@dataclass(frozen=True)
class Evidence:
    """The store without its synthetic runs, the original's own numbers, its text's sections."""

    runs: list[Run]
    dataset: Mapping[str, Any]
    parameters: Mapping[str, Mapping[str, int]]
    original: Mapping[str, Any]
    published: Published = dataclasses.field(repr=False)
    baselines: Mapping[str, Answers] = dataclasses.field(default_factory=dict, repr=False)
    sections: frozenset[str] = frozenset()
    field: Sequence[Method] = ()

    def exact(self) -> Run | None:
        """A run of the original's configuration: backbone, input size, weights and recipe."""
        found = (run for run in self.runs if _differing(run.recipe) <= {"name", "seed"})
        return next(found, None)

    def stand_ins(self) -> list[Run]:
        """The original's recipe on other networks or sizes, the largest and its seed first."""
        runs = [run for run in self.runs if _differing(run.recipe) <= _PLACES]
        return sorted(runs, key=lambda r: (-r.recipe.image_size, r.recipe.seed != Recipe.seed))

    def spread(self, measure: Callable[[Run], float]) -> Spread | None:
        """What `measure` may differ by in two runs of the original's recipe; None: too few seeds.

        Student's t times the deviation over seeds times the root of two, at 95 %, of that recipe
        at the largest scale that was run with three seeds or more; of several networks there, the
        original's, or else the one with most seeds.
        """
        groups: dict[Recipe, dict[int, Run]] = {}
        for run in self.runs:
            if distance(run.recipe) == 0:
                where = replace(run.recipe, name="any", seed=0)
                groups.setdefault(where, {}).setdefault(run.recipe.seed, run)
        large = {where: runs for where, runs in groups.items() if len(runs) >= _LEAST_SEEDS}
        if not large:
            return None
        first = max(large, key=lambda r: (_scale(r), r.backbone == Recipe.backbone, len(large[r])))
        runs = list(large[first].values())
        deviation = float(np.std([measure(run) for run in runs], ddof=1))
        value = float(student.ppf(0.975, len(runs) - 1)) * deviation * 2**0.5
        return Spread(value, f"from {len(runs)} seeds of {scale_words(runs[0].recipe)}")


def gather(results_dir: str | Path, original: str | Path) -> Evidence:
    """The evidence in a result store, in the original's own file, and beside it, where they are
    there, in the map of its sentences, `sentences.yml`, and in the field's accuracies, `field.yml`.

    Only runs and baselines on FER-2013 are evidence. Raises TableError, beside what the readers
    raise, for an original of several results.
    """
    results, _ = read_table(original)
    if len(results) > 1:
        raise TableError(f"{original}: expected one result. Received: {len(results)}.")
    baselines = store.load_answers(results_dir, "baselines")
    text, field = (Path(original).with_name(f"{name}.yml") for name in ("sentences", "field"))
    return Evidence(
        [run for run in store.load_all(results_dir) if run.is_fer2013],
        store.load_dataset(results_dir),
        store.load_parameters(results_dir),
        read_yaml(original),
        results[0],
        {name: one for name, one in baselines.items() if one.is_fer2013},
        frozenset(section for section, _ in read_map(text)) if text.is_file() else frozenset(),
        read_field(field) if field.is_file() else (),
    )


def is_original(recipe: Recipe) -> bool:
    """Whether `recipe` is the original's, at whatever scale.

    Network, input size, number of images, seed, and the learning rate and epochs of phase 2 may
    differ, and which images validate; all else is as the original states it.
    """
    return _differing(recipe) <= _PLACES | _SCALE


def distance(recipe: Recipe) -> int:
    """In how many fields a recipe differs from the original's, network, sizes and seed left out."""
    return len(_differing(recipe) - _PLACES - {"train_images"})


def _differing(recipe: Recipe) -> set[str]:
    return {name for name, value in vars(recipe).items() if value != getattr(Recipe, name)}


def _scale(recipe: Recipe) -> tuple[bool, int, int]:
    """Whether it trains on all images, on how many pixels, on how many images."""
    return recipe.train_images == 0, recipe.image_size, recipe.train_images
