"""The front page: accuracies by recipe and input size, counted by hand on fourteen images."""

import dataclasses

import pandas as pd
import pytest
from test_tables import LEAKED, ORIGINAL, run

from ferbook.paper.chapters.ablations import prose as ablations_prose
from ferbook.paper.chapters.overview import figures, prose, tables
from ferbook.results import names
from ferbook.results.metrics import accuracy_interval
from ferbook.results.run import Run

DATASET = {"leaked_files": sorted(LEAKED), "splits": {"test": 14}}
PAPER = "original\u2019s recipe"


def final(name, wrong, *, seed=42, folder="reference", **changes):
    """A run of a recipe, on EfficientNet-Lite2 at 96 px if `changes` say nothing else."""
    made = run(name, wrong, seed=seed, folder=folder)
    changes = {"backbone": "efficientnet_lite2", "image_size": 96} | changes
    recipe = dataclasses.replace(made.recipe, **changes)
    info = {**made.info, **changes, "hardware": {"cpu": "A", "cores": 2},
            "recipe": dataclasses.asdict(recipe)}  # fmt: skip
    return Run(folder, recipe.run_name, info, made.history, made.val, made.test)


RUNS = [
    final("ours", [0], folder="ours"),
    final("ours_no_ferplus", [5, 6], folder="ours"),
    final("paper", [7, 8], image_size=260),
    final("paper", [0, 1, 4]),  # two of its errors have a copy in training
    final("paper", [4, 5, 6, 7, 8], seed=43),
]
MEDIUM = {"backbone": "vgg_medium", "image_size": 48}


@pytest.fixture(scope="module")
def frame():
    return tables.accuracy_frame(RUNS, ORIGINAL, DATASET)


def test_rows_are_recipes_and_sizes_in_the_order_of_the_story(frame):
    assert frame.index.tolist() == [
        names.ORIGINAL, f"{PAPER}, Lite2, 96 px", f"{PAPER}, Lite2, 260 px",
        "our recipe without FER+", "our recipe with FER+",
    ]  # fmt: skip


def test_a_row_is_the_mean_over_seeds(frame):
    row = frame.loc[f"{PAPER}, Lite2, 96 px"]
    assert row["seeds"] == [11 / 14, 9 / 14]
    assert row["test"] == pytest.approx(10 / 14)
    assert (row["low"], row["high"]) == accuracy_interval(10, 14)
    assert row["clean"] == pytest.approx((9 / 10 + 5 / 10) / 2)


def test_the_original_has_no_clean_score(frame):
    first = frame.iloc[0]
    assert first["test"] == ORIGINAL["accuracy"] and pd.isna(first["clean"])


def test_figure_draws_seeds_interval_clean_and_mean_of_each_row(frame):
    (axes,) = figures.accuracies(frame).axes
    drawn = [line.get_xdata() for line in axes.lines[4:8]]  # those of the second row
    low, high = accuracy_interval(10, 14)
    wanted = [[100 * low, 100 * high], [1100 / 14, 900 / 14], [70], [1000 / 14]]
    assert [pytest.approx(list(values)) for values in drawn] == wanted
    assert axes.get_yticklabels()[1].get_text() == f"{PAPER},\nLite2, 96 px\n2 seeds"
    assert axes.get_yticklabels()[4].get_text() == "our recipe with FER+\n1 seed"
    assert axes.yaxis_inverted()


def test_texts_name_what_tells_the_rows_of_a_recipe_apart(frame):
    assert prose.score_texts(frame) == {
        "overview_paper": "71.4% at 96 px (mean of 2 seeds) and 85.7% at 260 px (one seed)",
        "overview_ours": "92.9% (one seed)",
        "overview_ours_longer": "not run",
        "overview_ours_larger": "not run",
        "overview_ours_longer_no_ferplus": "not run",
        "overview_ours_no_ferplus": "85.7% (one seed)",
        "overview_ours_scratch": "not run",
    }
    assert prose.score_texts(frame.iloc[:1])["overview_ours"] == "not run"
    gpu = [final("paper", [0, 1], backbone="efficientnet_b2", image_size=260)]
    found = prose.score_texts(tables.accuracy_frame(gpu, ORIGINAL, DATASET))
    assert found["overview_paper"] == "85.7% (EfficientNetB2 at 260 px, one seed)"


def test_the_third_recipe_is_not_taken_for_the_second(monkeypatch):
    """Both train one network and share a color."""
    third, second, first = (
        final(name, wrong, folder="ours", **MEDIUM)
        for name, wrong in (("ours_dense", [0]), ("ours_scratch", [0, 5]), ("ours_no_ferplus", []))
    )
    frame = tables.accuracy_frame([third, second], ORIGINAL, DATASET)
    found = prose.score_texts(frame)["overview_ours_scratch"]
    assert found == "85.7% (medium VGG at 48 px, one seed)"
    monkeypatch.setattr(ablations_prose, "run_numbers", lambda run, *_, prefix: {prefix: run})
    numbers = ablations_prose.second_numbers([third, second, first], DATASET, ORIGINAL)
    assert numbers["second"] is second
    assert numbers["second_gain"] == pytest.approx(-200 / 14)


def test_cost_is_that_of_all_runs():
    found = prose.cost_numbers(RUNS)
    assert found["overview_runs"] == 5
    assert found["overview_core_hours"] == pytest.approx(5 * 7200 / 3600)
    assert found["overview_hardware"] == "A, 2 cores"
