"""Chance and trials in tables and numbers, by hand."""

import dataclasses
import json
import math

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from test_store import FACTS, history, made_up

from ferbook.core.predictions import Predictions
from ferbook.core.recipe import Recipe
from ferbook.paper.chapters.ablations import tables as ablations_tables
from ferbook.paper.chapters.reliability import prose, tables
from ferbook.results import measurements, seeds
from ferbook.results.run import Run
from trials import bounds, coverage, forgeries


def run(name, seed, right):
    """A run of the study "s" that answers `right` of 100 test images."""
    labels = np.zeros(100, np.uint8)
    answers = np.eye(7)[np.where(np.arange(100) < right, 0, 1)]
    files = np.array([f"test/angry/PublicTest_{i}.jpg" for i in range(100)])
    test = Predictions(files, labels, answers)
    recipe = Recipe(name=name, backbone="tiny", weights="none", image_size=48, seed=seed)
    info = dataclasses.asdict(recipe)
    places = {k: info.pop(k) for k in ("backbone", "weights", "image_size", "seed")}
    info = {"recipe": info, **places, **FACTS}
    return Run("s", recipe.run_name, info, history(), made_up("train", "Training"), test)


# Deviations from the mean: -2, 0, 2 and -1, 1; a recipe with one seed says nothing of chance.
RUNS = [
    run("base", 1, 50), run("base", 2, 52), run("base", 3, 54),
    run("wide", 1, 60), run("wide", 2, 62), run("once", 1, 70),
]  # fmt: skip


RIGHT = {"low": 50, "middle": 52, "high": 60}


def test_deviation_is_pooled_over_recipes_with_several_seeds():
    assert seeds.seed_noise(RUNS) == pytest.approx(math.sqrt((8 + 2) / (2 + 1)))
    assert math.isnan(seeds.seed_noise([RUNS[0], RUNS[3]]))


def test_groups_that_vary_by_far_more_than_the_others_are_left_out():
    """Variances of 80,000 and 800 beside three of 2: F is about 400 both times, first the one of
    the wider pair against four pairs, then that of the wide one against three."""
    pairs = {"a": [0, 2], "b": [1, 3], "c": [2, 4]}
    wide = {"single": [9], "wide": [0, 40], "wider": [0, 400], **pairs}
    assert seeds.of_like_spread(wide) == {"single": [9], **pairs}
    assert seeds.of_like_spread({"wide": [0, 20], "a": [0, 2]}) == {"wide": [0, 20], "a": [0, 2]}
    same = {"wide": [0, 20], "a": [1, 1]}
    assert seeds.of_like_spread(same) == same and seeds.of_like_spread({}) == {}
    twice = wide | {"wide again": [0, 40]}
    assert seeds.of_like_spread(twice) == {"single": [9], **pairs}
    noisy = [*RUNS, run("odd", 1, 10), run("odd", 2, 90), run("still", 1, 61), run("still", 2, 63)]
    assert seeds.seed_noise(noisy) == pytest.approx(math.sqrt((8 + 2 + 2) / (2 + 1 + 1)))


def test_the_border_of_another_spread_is_one_in_a_hundred_for_all_groups(monkeypatch):
    """Of four pairs, three of variance 2: p of the widest is 0.0026 at 18.68, 0.0024 at 19.20."""
    pairs = {"a": [0, 2], "b": [1, 3], "c": [2, 4], "single": [9]}
    assert "wide" in seeds.of_like_spread(pairs | {"wide": [0, 18.6]})
    assert "wide" not in seeds.of_like_spread(pairs | {"wide": [0, 19.3]})
    border = 4 * seeds._chance_of_spread([*pairs.values(), [0, 19]], 4)
    for limit, kept in ((border, True), (math.nextafter(border, 1), False)):
        monkeypatch.setattr(seeds, "OUTLYING", limit)
        assert ("wide" in seeds.of_like_spread(pairs | {"wide": [0, 19]})) == kept
    monkeypatch.undo()
    shares = {name: [first, first + 0.02] for first, name in enumerate("abc")}
    assert "wide" not in seeds.of_like_spread(shares | {"wide": [0, 0.193]})


def test_noise_is_that_of_runs_that_learned_each_counted_once():
    noise = seeds.seed_noise(RUNS)
    assert seeds.seed_noise([*RUNS, run("failed", 1, 20), run("failed", 2, 24)]) == noise
    assert seeds.seed_noise([*RUNS, run("same", 1, 60), run("same", 2, 62)]) == noise
    assert seeds.seed_noise([*RUNS, run("like", 1, 61), run("like", 2, 63)]) < noise
    assert seeds.seed_noise([*RUNS, run("half", 1, 49), run("half", 2, 51)]) < noise


def test_p_of_three_pairs_is_corrected_by_holm():
    """Of 2, 10 and 8 images that one alone has right, all are the better run's."""
    pairs = ablations_tables.paired_differences([run(name, 1, n) for name, n in RIGHT.items()])
    p = [2 / 2**2, 3 * 2 / 2**10, 2 * 2 / 2**8]
    assert pairs == {
        key: (pytest.approx(gain), pytest.approx(chance))
        for key, gain, chance in zip([(0, 1), (0, 2), (1, 2)], [2, 10, 8], p, strict=True)
    }


def test_recipes_with_several_seeds_are_shown():
    frame = ablations_tables.seeds_table(RUNS).frame
    assert frame.loc[RUNS[0].label].tolist() == [3, 52, 50, 54, pytest.approx(4)]
    assert list(frame.index) == [RUNS[0].label, RUNS[3].label]


def test_means_are_compared_by_a_pooled_deviation():
    """Variances 2 and 8, pooled 5 with 2 degrees: of two means of 2 seeds the error is root 5."""
    assert seeds.pooled_deviation([[1, 3], [5]]) == (pytest.approx(2**0.5), 1)
    found = seeds.compared({"base": [1, 3], "more": [4, 8], "once": [3]}, "base")
    more, once = found["more"], found["once"]
    t = 4 / 5**0.5
    assert more[:3] == pytest.approx((4, 4.3027 * 5**0.5, 1 - t / (2 + t**2) ** 0.5), abs=1e-3)
    assert once[:2] == pytest.approx((1, 4.3027 * (5 * 1.5) ** 0.5), abs=1e-3)
    shares = seeds.compared({"base": [0.01, 0.03], "more": [0.04, 0.08]}, "base")["more"]
    assert shares[:3] == pytest.approx((more.mean / 100, more.error / 100, more.p))
    twice = seeds.compared({"base": [1, 3], "same": [1, 3], "more": [4, 8]}, "base")
    assert twice["more"] == more  # equal groups tell of one spread
    for values in ([3], [1, 1]):
        assert math.isnan(seeds.compared({"base": values, "more": values}, "base")["more"].p)


def test_a_group_of_another_spread_is_compared_by_its_own():
    """Three pairs of variance 2; the wide one has 20,000 and one degree of freedom."""
    groups = {name: [0, 2] for name in "abc"} | {"d": [1, 3], "wide": [0, 200]}
    found = seeds.compared(groups, "a")
    assert found["b"].error == pytest.approx(4.3027 * 2**0.5, abs=1e-3)  # of two distinct groups
    assert found["wide"][:2] == pytest.approx((99, 12.7062 * 10001**0.5), abs=0.1)
    assert found["b"].alike and not found["wide"].alike


FUZZ = {"loaders": {"a": {"cases": 10, "refused": 7, "right": 2, "other": 1, "peak_megabytes": 9}}}
FAULTS = {"stages": {
    "s": {"kills": 5, "trials": 4, "survived": 3, "seconds_undisturbed": 1.5, "problems": ["x"]},
    "disk full": {"stopped": True},
}}  # fmt: skip
MUTANTS = {"modules": {"m": {
    "mutants": 9, "killed": 7, "equivalent": {"line 1: a -> b": "why"},
    "survived": ["line 2: c | d"],
}}}  # fmt: skip
ADVISORIES = {"dependencies": [
    {"name": "x", "skip_reason": "?"}, {"name": "y", "version": "1", "vulns": []},
    {"name": "z", "version": "1", "vulns": [{}]},
]}  # fmt: skip
FORGERIES = {"forgeries": [{"kind": "figure", "forgery": "a point", "found": True},
                           {"kind": "figure", "forgery": "a line", "found": True},
                           {"kind": "all", "forgery": "everything", "found": False}]}  # fmt: skip
BOUNDS = {"seconds_allowed": 3, "megabytes_allowed": 40, "inputs": {
    "a long line": {"command": "data", "seconds": 1.25, "megabytes": 50, "in_words": True},
    "a pipe": {"command": "predict", "seconds": 2.5, "megabytes": 9, "in_words": False},
}}  # fmt: skip
COVERAGE = {"by_package": {
    "core": {"statements": 8, "statements_reached": 6, "branches": 2, "branches_reached": 2},
    "cli": {"statements": 2, "statements_reached": 2, "branches": 2, "branches_reached": 0},
}}  # fmt: skip
JOBS = {"fuzz": FUZZ, "bounds": BOUNDS, "faults": FAULTS, "forgeries": FORGERIES,
        "coverage": COVERAGE, "mutants": MUTANTS, "advisories": ADVISORIES}  # fmt: skip


def test_numbers_add_up_what_the_trials_left():
    found = prose.reliability_numbers(JOBS, ["permissive", "copyleft"])
    assert {key.removeprefix("reliability_"): value for key, value in found.items()} == {
        "readers": 1, "files": 10, "files_other": 1, "bounds": 2, "bounds_seconds": 2.5,
        "bounds_megabytes": 50, "bounds_seconds_allowed": 3, "bounds_megabytes_allowed": 40,
        "kills": 5, "trials": 4,
        "trials_same": 3, "forgeries": 3, "forgeries_found": 2, "modules": 1,
        "mutants": 9, "mutants_noticed": 7,
        "packages": 2, "copyleft": 1, "advisories": "of 2 that could be looked up, 1 had one.",
    }  # fmt: skip
    nothing = prose.reliability_numbers({name: {} for name in JOBS}, [])
    assert nothing.pop("reliability_advisories").startswith("this was not run")
    assert set(nothing.values()) == {0}


def test_tables_show_what_the_trials_left_and_stand_empty_without():
    assert tables.fuzz_table(FUZZ).formatted().iloc[0].tolist() == "a 10 7 2 1 9".split()
    shown = tables.bounds_table(BOUNDS).frame.astype(str).loc["a pipe"].tolist()
    assert shown == ["`ferbook predict`", "2.5", "9", "otherwise"]
    assert tables.faults_table(FAULTS).frame.index.tolist() == ["s"]
    assert tables.mutants_table(MUTANTS).frame.loc["m"].tolist() == [9, 7, 1, 1]
    covered = tables.coverage_table(COVERAGE).frame
    assert covered.loc["core"].tolist() == [8, 0.75, 2, 1.0]
    assert covered.loc["all"].tolist() == [10, 0.8, 4, 0.5]
    text = repr(tables.survivors_table(MUTANTS))
    assert "why" in text and "line 2" in text
    # A bar in a cell of a MyST table is escaped.
    assert "c \\| d" in tables.survivors_table(MUTANTS)._repr_markdown_()
    forged = tables.forgeries_table(FORGERIES).frame
    assert forged.loc["figure"].tolist() == ["a point; a line", 2, 2]
    assert forged.loc["all"].tolist() == ["everything", 1, 0]
    for table in (tables.bounds_table, tables.forgeries_table, tables.fuzz_table,
                  tables.faults_table, tables.coverage_table, tables.mutants_table,
                  tables.survivors_table):  # fmt: skip
        assert len(table({}).frame) == 0 and table({})._repr_markdown_()


def test_licences_that_ask_for_something_are_named():
    kinds = ["permissive", "copyleft", "permissive"]
    licences = pd.DataFrame({"package": list("abc"), "kind": kinds})
    frame = tables.licence_table(licences).frame
    assert frame.loc["permissive"].tolist() == [2, ""] and frame.loc["copyleft"].tolist() == [
        1,
        "b",
    ]


def test_every_committed_forgery_ended_as_expected():
    """All are found but the one that agrees with itself throughout."""
    if not (job := measurements.load_facts(ROOT / "results", "reliability").get("forgeries")):
        pytest.skip("make forgeries has not been run")
    rows = job["forgeries"]
    assert all(row["as_expected"] for row in rows) and job["dirty"] is False
    assert {row["kind"] for row in rows if not row["found"]} == {"the whole repository"}
    assert len(rows) == len(forgeries.all_forgeries())


def test_every_committed_input_was_answered_within_its_bounds():
    if not (job := measurements.load_facts(ROOT / "results", "reliability").get("bounds")):
        pytest.skip("make bounds has not been run")
    assert job["inputs"].keys() == bounds.BOUNDS.keys()
    assert all(map(bounds.kept, job["inputs"].values()))


def test_committed_trials_are_complete_and_clean():
    jobs = measurements.load_facts(ROOT / "results", "reliability")
    for name, key in (("fuzz", "loaders"), ("faults", "stages"), ("mutants", "modules")):
        if not (job := jobs.get(name)):
            pytest.skip(f"make {name} has not been run")
        assert job[key] and job["dirty"] is False and job["git_commit"]
    loaders = jobs["fuzz"]["loaders"].values()
    assert sum(row["cases"] for row in loaders) >= 10_000
    assert all(row["other"] == 0 for row in loaders)
    stages = jobs["faults"]["stages"]
    kills = [row for row in stages.values() if "kills" in row]
    assert sum(row["kills"] for row in kills) >= (50 if "training" in stages else 30)
    assert all(row["survived"] == row["trials"] for row in kills)
    full = stages.get("disk full", {"stopped": True, "same_result_later": True})
    assert full["stopped"] and full["same_result_later"]


def test_coverage_is_added_up_by_package(tmp_path):
    def file(*counts):
        return {"summary": dict(zip(coverage.COUNTED.values(), counts, strict=True))}

    report = {"files": {
        "src/ferbook/core/a.py": file(5, 4, 2, 1), "src/ferbook/core/deep/b.py": file(1, 1, 0, 0),
        "/venv/ferbook/__init__.py": file(3, 3, 0, 0),
    }}  # fmt: skip
    found = coverage.packages(report)
    assert {name: list(row.values()) for name, row in found.items()} == {
        "core": [6, 5, 2, 1], ".": [3, 3, 0, 0],
    }  # fmt: skip
    (tmp_path / "coverage.json").write_text(json.dumps(report))
    coverage.main([str(tmp_path / "coverage.json"), "--into", str(tmp_path)])
    stored = measurements.load_facts(tmp_path, "reliability")["coverage"]
    assert stored["by_package"] == found and "git_commit" in stored
