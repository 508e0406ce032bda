"""Checks against sources, the field and the text; grading as a whole."""

import dataclasses

import pytest
from conftest import ROOT
from made_claims import ORIGINAL, a_run, evidence, judge

from ferbook.claims import grading
from ferbook.claims.evidence import gather
from ferbook.claims.ledger import Claim, ClaimError, read_claims
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
    assert judge("source_says", words=["test accuracy"], **arguments).grade == CONTRADICTED
    assert judge("source_says", without=["accuracy"], **arguments).grade == CONTRADICTED
    assert judge("source_says", without=["test"], **arguments).grade == FACT


def test_reference_title():
    title = {"[8]": "Faces by deep networks"}
    verdict = judge("reference_title", titles=title, word="Deep")
    assert verdict[:2] == (CONSISTENT, "[8] “Faces by deep networks”")
    assert judge("reference_title", titles=title, word="residual").grade == NOT_TESTABLE
    better = {"[4]": "Residual learning"}
    verdict = judge("reference_title", titles=title, word="residual", instead=better)
    assert verdict.grade == CONTRADICTED
    assert verdict.evidence == "The original's own list has [4] “Residual learning”."


def test_section_exists():
    assert judge("section_exists", section="Appendix").grade == NOT_TESTABLE
    without = evidence(sections=frozenset({"I", "References"}))
    assert judge("section_exists", without, section="Appendix")[:2] == (CONTRADICTED, "none")
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
    assert verdict[:3] == (CONSISTENT, "1 of 1 places agree", "Sections V and s compared.")
    verdict = judge("restated", quote="(seed 43)", elsewhere=[place])
    assert verdict[:2] == (CONTRADICTED, "0 of 1 places agree")
    other = place | {"quote": "seed=43"}
    assert judge("restated", quote="(seed 42)", elsewhere=[other]).grade == CONTRADICTED


def test_the_field():
    best = {"to": 0.1, "unit": "%", "family": "Net", "limit": 0.02}
    verdict = judge("prior_best", printed=68.7, **best)
    assert verdict[:2] == (CONTRADICTED, "70.80%")
    assert verdict.evidence == "Net-A, on PrivateTest (in its code; limit 2.00 points, ours)."
    assert judge("prior_best", printed=68.9, **best).grade == NOT_TESTABLE
    assert judge("prior_best", printed=70.8, **best).grade == CONSISTENT
    verdict = judge("prior_generally", family="Net")
    assert verdict.grade == NOT_TESTABLE
    assert verdict.evidence.endswith(
        "Net-A 70.80% on PrivateTest; Net-B 60.00% on PrivateTest; "
        "Net-C 72.00% on PrivateTest that it was chosen on."
    )
    assert judge("field_above").found == "3 of 4 published accuracies are higher"  # than 68.78 %


def test_beats():
    verdict = judge("beats", model="VGG16")
    assert verdict[:2] == (NOT_TESTABLE, "+1.55 points")
    assert (
        verdict.evidence == "Not alike: the other is a validation accuracy, by its source J. 2024."
    )
    row = ORIGINAL["table_3"][0] | {"split": "test"}
    alike = evidence(original=ORIGINAL | {"table_3": [row]})
    assert judge("beats", alike, model="VGG16").grade == CONSISTENT
    better = evidence(original=ORIGINAL | {"table_3": [row | {"accuracy": "70%"}]})
    assert judge("beats", better, model="VGG16")[:2] == (CONTRADICTED, "-1.22 points")


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
        ("fear-rare", CONTRADICTED, "100% of an even share"),
        ("b2-input", FACT, "260 px"),
        ("script-in-appendix", CONTRADICTED, "none"),
        ("vgg16-test", CONTRADICTED, "“training VGG16 from scratch achieved a validation accuracy"),
        ("weight-decay", CONTRADICTED, "3e-09 a step"),
    ],
)
def test_what_does_not_hang_on_a_run(graded, name, grade, found):
    assert graded[name].grade == grade and graded[name].found.startswith(found)


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
        grading.grade(dataclasses.replace(claim, check={"kind": "frozen", "extra": 1}), evidence())


NO_TWINS = {"leaked_files": frozenset(), "val_twins": frozenset()}


def test_only_runs_on_fer2013_are_evidence(tmp_path):
    for name in ("dataset", "parameters"):
        (tmp_path / f"{name}.json").write_bytes((ROOT / "results" / f"{name}.json").read_bytes())
    facts = {"parameters": {"total": 1, "trainable": 1}, "hardware": {"cores": 1}, "seconds": 1.0,
             "images_seen": 1}  # fmt: skip
    history = store.load_study(ROOT / "results", "reference")[0].history
    for name in ("fer2013", "synthetic", "other"):
        run = a_run(name=name)
        folder = store.run_folder(tmp_path, "s", run.recipe)
        facts["dataset"] = {"name": name, "fingerprint": "0"}
        store.write_run(folder, run.recipe, history, run.val, run.test, facts, **NO_TWINS)
    assert [run.recipe.name for run in gather(tmp_path, TABLE).runs] == ["fer2013"]


def test_the_sections_of_the_text_come_from_its_map():
    assert {"Abstract", "VI.B", "Table II", "References"} <= gather(
        ROOT / "results", TABLE
    ).sections
