"""The ledger of claims: every grade follows from evidence, and changes with it."""

import copy
import dataclasses

import numpy as np
import pytest
import yaml
from conftest import ROOT

from ferbook.claims import ledger as claims_ledger
from ferbook.core.classes import CLASSES
from ferbook.core.recipe import Recipe
from ferbook.results import store

LEDGER = ROOT / "book" / "claims.yml"


@pytest.fixture(scope="module")
def evidence():
    return claims_ledger.gather(ROOT / "results", ROOT / "book" / "original.yml")


@pytest.fixture(scope="module")
def ledger():
    return {claim.id: claim for claim in claims_ledger.read_claims(LEDGER)}


def with_exact_run(evidence, **changes):
    """The evidence with a made-up run of the original's own configuration."""
    run = evidence.stand_in()
    changed = {"backbone": "efficientnet_b2", "image_size": 260}
    info = run.info | changed | {"recipe": run.info["recipe"] | changed}
    run = dataclasses.replace(run, info=info, **changes)
    return dataclasses.replace(evidence, runs=[*evidence.runs, run])


def test_there_are_many_and_every_table_cell_is_among_them(ledger):
    assert len(ledger) >= 40
    for name in CLASSES:
        for column in ("precision", "recall", "f1"):
            cell = ledger[f"{name}-{column}"]
            table = claims_ledger.read_yaml(ROOT / "book" / "original.yml")["table_2"]
            assert float(cell.value) == table[name][column]


def test_every_grade_is_computed(ledger, evidence):
    verdicts = {name: claims_ledger.grade(claim, evidence) for name, claim in ledger.items()}
    assert {v.grade for v in verdicts.values()} <= set(claims_ledger.GRADES)
    assert all(v.evidence and v.page for v in verdicts.values())
    assert verdicts["images"].grade == claims_ledger.REPRODUCED
    assert verdicts["test-set"].measured == 568
    assert verdicts["parameters-total"].grade == claims_ledger.CONTRADICTED
    assert "9,177,569" in verdicts["parameters-total"].evidence


def test_without_a_run_of_its_configuration_a_score_is_not_run(ledger, evidence):
    verdict = claims_ledger.grade(ledger["accuracy"], evidence)
    if evidence.exact() is None:
        assert verdict.grade == claims_ledger.NOT_RUN and "needs a GPU" in verdict.evidence
    nothing = dataclasses.replace(evidence, runs=[])
    for name in ("accuracy", "happy-recall", "best-class", "curves-close", "ablation-cosine"):
        assert claims_ledger.grade(ledger[name], nothing).grade == claims_ledger.NOT_RUN


def test_a_run_changes_the_grades(ledger, evidence):
    """59 % by the original's own configuration would not reproduce it; 68.78 % would."""
    low = with_exact_run(evidence)
    assert claims_ledger.grade(ledger["accuracy"], low).grade == claims_ledger.NOT_REPRODUCED
    test = low.exact().test
    probabilities = np.full((len(test), 7), 0.01)
    right = np.arange(len(test)) < 4937
    answers = np.where(right, test.labels, (test.labels + 1) % 7)
    probabilities[np.arange(len(test)), answers] = 0.94
    perfect = dataclasses.replace(test, probabilities=probabilities)
    verdict = claims_ledger.grade(ledger["accuracy"], with_exact_run(evidence, test=perfect))
    assert verdict.grade == claims_ledger.REPRODUCED and verdict.measured == pytest.approx(
        4937 / 7178
    )
    close = probabilities.copy()
    close[:30] = np.roll(close[:30], 1, axis=1)
    near = dataclasses.replace(test, probabilities=close)
    verdict = claims_ledger.grade(ledger["accuracy"], with_exact_run(evidence, test=near))
    assert verdict.grade == claims_ledger.WITHIN


def test_facts_change_the_grades(ledger, evidence):
    clean = dataclasses.replace(evidence, dataset=evidence.dataset | {"leaked_files": []})
    assert claims_ledger.grade(ledger["test-set"], clean).grade == claims_ledger.REPRODUCED
    counts = evidence.parameters | {"efficientnet_b2": {"total": 9_177_569, "trainable": 9_200_000}}
    bigger = dataclasses.replace(evidence, parameters=counts)
    assert claims_ledger.grade(ledger["parameters-trainable"], bigger).grade == claims_ledger.WITHIN


def test_an_impossible_cell_is_contradicted_whatever_was_run(ledger, evidence):
    recalls = evidence.published.recalls | {"disgust": 0.705}  # between 78 and 79 of 111
    published = dataclasses.replace(evidence.published, recalls=recalls)
    changed = dataclasses.replace(evidence, published=published)
    assert (
        claims_ledger.grade(ledger["disgust-recall"], changed).grade == claims_ledger.CONTRADICTED
    )


def test_confusions_and_curves_are_read_from_the_run(ledger, evidence):
    run = evidence.stand_in()
    swapped = dict(zip(range(7), range(7), strict=True)) | {2: 6, 6: 2}  # fear and surprise
    answers = np.vectorize(swapped.get)(run.test.labels)
    confused = dataclasses.replace(run.test, probabilities=np.eye(7)[answers])
    history = run.history.assign(accuracy=run.history["val_accuracy"])
    changed = dataclasses.replace(
        evidence, runs=[dataclasses.replace(run, test=confused, history=history)]
    )
    verdict = claims_ledger.grade(ledger["confusion-fear-surprise"], changed)
    assert verdict.grade == claims_ledger.REPRODUCED and verdict.measured == 1
    assert claims_ledger.grade(ledger["curves-close"], changed).grade == claims_ledger.REPRODUCED
    assert claims_ledger.grade(ledger["worst-class"], changed).grade == claims_ledger.REPRODUCED


def test_ablations_are_compared_seed_by_seed(ledger, evidence):
    run = evidence.stand_in()

    def named(name, test):
        recipe = run.info["recipe"] | {"name": name}
        return dataclasses.replace(
            run, study="ablations", info=run.info | {"recipe": recipe}, test=test
        )

    worse = dataclasses.replace(run.test, probabilities=np.eye(7)[(run.test.labels + 1) % 7])
    pair = [named("base", run.test), named("no_smoothing", worse)]
    verdict = claims_ledger.grade(
        ledger["ablation-label-smoothing"], dataclasses.replace(evidence, runs=pair)
    )
    assert verdict.grade == claims_ledger.REPRODUCED and verdict.measured < -0.5
    same = [named("base", run.test), named("no_smoothing", run.test)]
    verdict = claims_ledger.grade(
        ledger["ablation-label-smoothing"], dataclasses.replace(evidence, runs=same)
    )
    assert verdict.grade == claims_ledger.NOT_REPRODUCED
    elsewhere = [dataclasses.replace(run, study="another") for run in pair]
    verdict = claims_ledger.grade(
        ledger["ablation-label-smoothing"], dataclasses.replace(evidence, runs=elsewhere)
    )
    assert verdict.grade == claims_ledger.NOT_RUN


def test_synthetic_runs_are_no_evidence(tmp_path, evidence):
    run = evidence.stand_in()
    for name in ("dataset", "parameters"):
        source = ROOT / "results" / f"{name}.json"
        (tmp_path / f"{name}.json").write_bytes(source.read_bytes())
    facts = {key: run.info[key] for key in ("parameters", "hardware", "seconds", "images_seen")}
    for name in ("fer2013", "synthetic"):
        recipe = dataclasses.replace(run.recipe, name=name)
        folder = store.run_folder(tmp_path, "s", recipe)
        facts["dataset"] = {"name": name, "fingerprint": "0"}
        store.write_run(folder, recipe, run.history, run.val, run.test, facts,
                        leaked_files=frozenset(), val_twins=frozenset())  # fmt: skip
    found = claims_ledger.gather(tmp_path, ROOT / "book" / "original.yml").runs
    assert [run.recipe.name for run in found] == ["fer2013"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test": {"kind": "wish"}}, "expected a kind of test among"),
        ({"value": "many"}, "not a claim"),
        ({"extra": 1}, "not a claim"),
        ({"test": 3}, "not a claim"),
    ],
)
def test_wrong_entries_are_refused(tmp_path, change, message):
    entry = yaml.safe_load(LEDGER.read_text())["claims"][0]
    path = tmp_path / "claims.yml"
    path.write_text(yaml.safe_dump({"claims": [entry | change]}))
    with pytest.raises(claims_ledger.ClaimError, match=message):
        claims_ledger.read_claims(path)
    path.write_text(yaml.safe_dump({"claims": [entry, copy.deepcopy(entry)]}))
    with pytest.raises(claims_ledger.ClaimError, match="given twice"):
        claims_ledger.read_claims(path)
    path.write_text("claims: []")
    with pytest.raises(claims_ledger.ClaimError, match="empty"):
        claims_ledger.read_claims(path)


def test_compare_goes_by_the_printed_digit(ledger):
    cell = ledger["angry-recall"]  # 0.65
    assert claims_ledger.compare(cell, 0.6549) == claims_ledger.REPRODUCED
    assert claims_ledger.compare(cell, 0.66) == claims_ledger.WITHIN
    assert claims_ledger.compare(cell, 0.7) == claims_ledger.NOT_REPRODUCED
    assert claims_ledger.compare(ledger["accuracy"], 0.68784) == claims_ledger.REPRODUCED
    assert claims_ledger.compare(ledger["accuracy"], 0.6879) == claims_ledger.WITHIN


def test_stand_in_is_the_paper_recipe_only(evidence):
    run = evidence.stand_in()
    assert claims_ledger._recipe_alone(run.recipe) == claims_ledger._recipe_alone(Recipe())
