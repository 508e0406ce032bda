"""Checks against sources, the field and the text; grading as a whole."""

import dataclasses
import re
from collections import Counter

import pytest
from conftest import ROOT
from made_claims import FIELD, ORIGINAL, a_run, evidence, judge

from ferbook.claims import grading
from ferbook.claims.evidence import gather
from ferbook.claims.field import Method
from ferbook.claims.ledger import Claim, ClaimError, read_claims
from ferbook.claims.published import FOLDER_TEST
from ferbook.claims.verdict import (
    ANSWERED,
    CONSISTENT,
    CONTRADICTED,
    FACT,
    GRADES,
    NOT_RUN,
    NOT_TESTABLE,
)
from ferbook.results import store

LEDGER, TABLE = ROOT / "book" / "claims.yml", ROOT / "book" / "original.yml"


def test_source_says():
    arguments = {"source": "its abstract", "says": "a validation accuracy of 3 %"}
    verdict = judge("source_says", words=["accuracy", "3 %"], **arguments)
    assert verdict[:3] == (FACT, "“a validation accuracy of 3 %”", "Its abstract.")
    for words in (["test accuracy"], ["accuracy", "test"]):
        assert judge("source_says", words=words, **arguments).grade == CONTRADICTED
    for without in (["accuracy"], ["test", "accuracy"]):
        assert judge("source_says", without=without, **arguments).grade == CONTRADICTED
    assert judge("source_says", without=["test"], **arguments).grade == FACT


def test_reference_title():
    title = {"[8]": "Faces by deep networks"}
    verdict = judge("reference_title", titles=title, word="Deep")
    assert verdict[:2] == (FACT, "[8] “Faces by deep networks”")  # read, no arithmetic
    for titles in (title, title | {"[9]": "Residual networks"}):
        assert judge("reference_title", titles=titles, word="residual").grade == NOT_TESTABLE
    better = {"[4]": "Residual learning"}
    verdict = judge("reference_title", titles=title, word="residual", instead=better)
    assert verdict.grade == CONTRADICTED
    assert verdict.evidence == "The original's own list has [4] “Residual learning”."


def test_section_exists():
    assert judge("section_exists", section="Appendix").grade == NOT_TESTABLE
    without = evidence(sections=frozenset({"I", "References"}))
    assert judge("section_exists", without, section="Appendix")[:2] == (NOT_TESTABLE, "none")
    with_one = evidence(sections=frozenset({"I", "Appendix A"}))
    assert judge("section_exists", with_one, section="Appendix")[:2] == (FACT, "Appendix A")


def test_stated():
    verdict = judge("stated", fields=["dropout"])
    assert verdict[:2] == (NOT_TESTABLE, "") and verdict.evidence.endswith("the same values.")
    other = evidence(original=ORIGINAL | {"recipe": {"dropout": 0.4}})
    verdict = judge("stated", other, fields=["dropout"])
    assert verdict.evidence.endswith("Our profile differs in dropout.")
    assert judge("stated", fields=[]).evidence == "Stated, but the code that ran is not published."


def test_restated():
    place = {"section": "V", "quote": "seed=42", "numbers": ["42"]}
    verdict = judge("restated", quote="(seed 42)", elsewhere=[place])
    assert verdict[:3] == (FACT, "1 of 1 places agree", "Read in sections V and s.")
    verdict = judge("restated", quote="(seed 43)", elsewhere=[place])
    assert verdict[:2] == (CONTRADICTED, "0 of 1 places agree")
    other = place | {"quote": "seed=43"}
    assert judge("restated", quote="(seed 42)", elsewhere=[other]).grade == CONTRADICTED
    verdict = judge("restated", quote="(seed 42)", elsewhere=[place, other])
    assert verdict[:2] == (CONTRADICTED, "1 of 2 places agree")
    more = place | {"quote": "seed=42, batch 32", "numbers": ["42", "32"]}
    assert judge("restated", quote="(seed 42)", elsewhere=[more]).grade == CONTRADICTED


def test_the_field():
    verdict = judge("prior_generally", family="Net")
    assert verdict.grade == NOT_TESTABLE
    assert verdict.evidence.endswith(
        "Net-A 70.80% on PrivateTest (in its code); Net-B 60.00% on PrivateTest; "
        "Net-C 72.00% on PrivateTest that it was chosen on."
    )
    assert judge("field_above").found == "3 of 4 published accuracies are higher"  # than 68.78 %
    equal = evidence(field=[*FIELD, dataclasses.replace(PLAIN, accuracy="68.78%")])
    assert judge("field_above", equal).found == "3 of 5 published accuracies are higher"


ROW = {"model": "B2", "accuracy": "68.78%", "source": "us", "split": "test"}
PLAIN = Method("Net-D", "d", "68.79%", FOLDER_TEST, views="one")


@pytest.mark.parametrize(
    ("change", "grade", "found"),
    [
        ({}, CONTRADICTED, "68.79%"),
        ({"accuracy": "68.78%"}, NOT_TESTABLE, ""),  # as good, not better
        ({"images": "PrivateTest"}, NOT_TESTABLE, ""),
        ({"views": "ten crops"}, NOT_TESTABLE, ""),
        ({"views": ""}, NOT_TESTABLE, ""),
        ({"on_test": True}, NOT_TESTABLE, ""),
        ({"model": "Other-D"}, NOT_TESTABLE, ""),
    ],
)
def test_only_what_was_measured_alike_is_better_than_a_row_of_table_3(change, grade, found):
    original = ORIGINAL | {"table_3": [ROW]}
    field = [*FIELD, dataclasses.replace(PLAIN, **change)]
    arguments = {"family": "Net", "model": "B2"}
    verdict = judge("prior_best", evidence(original=original, field=field), **arguments)
    assert verdict[:2] == (grade, found)
    best = evidence(original=original, field=[*field, dataclasses.replace(PLAIN, accuracy="70%")])
    assert judge("prior_best", best, **arguments)[:2] == (CONTRADICTED, "70%")


def test_a_validation_accuracy_is_beaten_by_nothing_that_was_tested():
    found = evidence(field=[PLAIN])
    verdict = judge("prior_best", found, family="Net", model="VGG16")
    assert verdict[:2] == (NOT_TESTABLE, "")
    assert verdict.evidence == (
        "Not alike: the 67.23% of VGG16 is a validation accuracy, by its source J. 2024. "
        f"Known to us: Net-D 68.79% on {FOLDER_TEST}."
    )


def test_beats():
    verdict = judge("beats", model="VGG16")
    assert verdict[:2] == (NOT_TESTABLE, "+1.55 points")
    assert verdict.evidence == (
        "Not alike: the 67.23% of VGG16 is a validation accuracy, by its source J. 2024."
    )
    row = ORIGINAL["table_3"][0] | {"split": "test"}
    alike = evidence(original=ORIGINAL | {"table_3": [row]})
    assert judge("beats", alike, model="VGG16").grade == CONSISTENT
    for accuracy, grade, found in (
        ("68.28%", CONSISTENT, "+0.50 points"),
        ("68.78%", CONTRADICTED, "+0.00 points"),
        ("70%", CONTRADICTED, "-1.22 points"),
    ):
        alike = evidence(original=ORIGINAL | {"table_3": [row | {"accuracy": accuracy}]})
        assert judge("beats", alike, model="VGG16")[:2] == (grade, found)


def test_reasons():
    verdict = judge("not_testable", reason="no logs")
    assert verdict[:3] == (NOT_TESTABLE, "", "No logs.")
    assert judge("not_run", reason="no GPU")[:3] == (NOT_RUN, "", "No GPU.")


@pytest.fixture(scope="module")
def graded():
    return {c.id: v for c, v in grading.grade_all(ROOT / "results", LEDGER, TABLE)}


def test_every_grade_is_computed_and_says_why(graded):
    assert {v.grade for v in graded.values()} <= {*GRADES, ANSWERED}
    assert all(verdict.evidence and verdict.page for verdict in graded.values())


@pytest.mark.parametrize(
    ("name", "grade", "found"),
    [
        ("images", FACT, "35,887"),
        ("parameters-trainable", CONTRADICTED, "7,643,289"),
        ("official-test", CONSISTENT, "4,937 of 7,178"),
        ("rarer-than-neutral-and-happy", FACT, "disgust 436, fear 4,097, neutral 4,965, happy"),
        ("citation-scaling", FACT, "[5]"),
        ("recipe-twice", FACT, "7 of 7 places agree"),
        ("all-layers", NOT_TESTABLE, ""),
        ("vgg16-parameters-here", NOT_TESTABLE, "33.6 million at 48 px"),
        ("b2-input", FACT, "260 px"),
        ("script-in-appendix", NOT_TESTABLE, "none"),
        ("vgg16-test", CONTRADICTED, "“training VGG16 from scratch achieved a validation accuracy"),
        ("weight-decay", NOT_TESTABLE, "3e-09 a step in Keras"),
    ],
)
def test_what_does_not_hang_on_a_run(graded, name, grade, found):
    assert graded[name].grade == grade and graded[name].found.startswith(found)


def test_statements_about_accuracies_that_are_not_alike_are_all_not_testable(graded):
    sisters = ("beats-vgg16", "gap", "surpasses-prior", "prior-efficientnets", "competitive")
    assert {graded[name].grade for name in sisters} == {NOT_TESTABLE}


def test_what_is_consistent_by_arithmetic_is_so_by_numbers(graded):
    for claim in read_claims(LEDGER):
        if graded[claim.id].grade == CONSISTENT:
            assert re.search(r"\d", graded[claim.id].found) or claim.check["kind"] in (
                "table_possible", "average",
            )  # fmt: skip
            assert claim.check["kind"] not in ("reference_title", "restated", "source_says")


def test_effects_name_the_recipe_and_agree_about_adam(graded):
    kinds = ("ablation", "question")
    for claim in (c for c in read_claims(LEDGER) if c.check["kind"] in kinds):
        assert "the original's recipe" in graded[claim.id].evidence
    claimed, asked = graded["adamw-stabilises"], graded["question-adam"]
    same = [v.evidence.startswith("The same answers bit for bit") for v in (claimed, asked)]
    assert same[0] == same[1]
    assert not same[0] or claimed.found == asked.found == "+0.00 points"


def test_what_contradicts_is_counted_once_a_fact(graded):
    both = [(claim, graded[claim.id]) for claim in read_claims(LEDGER)]
    contradicted = [claim for claim, verdict in both if verdict.grade == CONTRADICTED]
    shared = Counter(claim.fact for claim in contradicted if claim.fact)
    assert shared == {"parameters of the built network": 2, "ratio to VGG16": 2}
    repeated = sum(shared.values()) - len(shared)
    assert grading.facts(both, CONTRADICTED) == len(contradicted) - repeated


def test_which_statements_wait_for_the_original_configuration(graded):
    both = [(claim, graded[claim.id]) for claim in read_claims(LEDGER)]
    waiting = {c.id for c, v in both if v.grade == NOT_RUN and "It takes a GPU and" in v.evidence}
    assert {"accuracy", "reproducible"} < waiting
    assert grading.by_a_run(both, NOT_RUN) == len(waiting)


def test_counts_leave_out_questions(graded):
    both = [(claim, graded[claim.id]) for claim in read_claims(LEDGER)]
    counts = grading.counted(both)
    assert list(counts) == list(GRADES)
    assert sum(counts.values()) == len(both) - sum(claim.is_question for claim, _ in both)


def test_checks_that_cannot_be_carried_out_are_named():
    claim = Claim("c", "g", "I", "q", "s", {"kind": "dataset", "path": "nowhere"}, "p")
    with pytest.raises(ClaimError, match=r"c: .* cannot be carried out \(KeyError"):
        grading.grade(claim, evidence())
    with pytest.raises(ClaimError, match=r"c: expected a kind of check among .*Received: 'wish'"):
        grading.grade(dataclasses.replace(claim, check={"kind": "wish"}), evidence())
    with pytest.raises(ClaimError, match="cannot be carried out"):
        grading.grade(dataclasses.replace(claim, check={"kind": "fewer", "extra": 1}), evidence())


NO_TWINS = {"leaked_files": frozenset(), "val_twins": frozenset()}


def test_only_runs_on_fer2013_are_evidence(tmp_path):
    for name in ("dataset", "parameters"):
        (tmp_path / f"{name}.json").write_bytes((ROOT / "results" / f"{name}.json").read_bytes())
    facts = {
        "parameters": {"total": 1, "trainable": 1}, "hardware": {"cpu": "A", "cores": 1},
        "seconds": 1.0, "images_seen": 1,
    }  # fmt: skip
    history = store.load_study(ROOT / "results", "reference")[0].history
    for name in ("fer2013", "synthetic", "other"):
        run = a_run(name=name)
        folder = store.run_folder(tmp_path, "s", run.recipe)
        facts["dataset"] = {"name": name, "fingerprint": "0"}
        store.write_run(folder, run.recipe, history, run.val, run.test, facts, **NO_TWINS)
        store.write_answers(
            tmp_path / "baselines" / name, {"parameters": 1, "dataset": name}, run.test
        )
    found = gather(tmp_path, TABLE)
    assert [run.recipe.name for run in found.runs] == ["fer2013"] == [*found.baselines]


def test_the_sections_of_the_text_come_from_its_map():
    assert {"Abstract", "VI.B", "Table II", "References"} <= gather(
        ROOT / "results", TABLE
    ).sections
