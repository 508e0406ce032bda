"""Each kind of check on evidence made by hand: what it measures, grades and says."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from ferbook.claims import ledger
from ferbook.claims import published as claims_published
from ferbook.claims.ledger import CONTRADICTED, NOT_REPRODUCED, NOT_RUN, REPRODUCED, WITHIN
from ferbook.claims.published import Published
from ferbook.core.classes import CLASSES
from ferbook.core.predictions import Predictions
from ferbook.core.recipe import Recipe
from ferbook.results.run import Run

N = 70  # test images of a run, ten of each class
COUNTS = {name: 100 for name in CLASSES} | {"disgust": 10, "happy": 5}
DATASET = {
    "images": 615, "counts": {"Training": COUNTS}, "splits": {"val": 7}, "leaked_files": ["a", "b"],
}  # fmt: skip
PARAMETERS = {
    "efficientnet_b2": {"total": 1_000, "trainable": 900, "multiply_adds": 50},
    "other": {"total": 1_200, "trainable": 1_200, "multiply_adds": 70},
}
ORIGINAL = {
    "table_3": [{"model": "VGG16", "source": "J. 2024", "split": "validation"}],
    "peers": [
        {"model": "Net-A", "accuracy": "70.80%", "split": "PrivateTest"},
        {"model": "Net-B", "accuracy": "60.00%", "split": "PrivateTest"},
        {"model": "Other", "accuracy": "99.00%", "split": "PrivateTest"},
    ],
}
TABLE = claims_published.read_table(ROOT / "book/original.yml")[0][0]


def a_run(wrong=0, *, answers=None, study="s", history=None, **recipe):
    """A run that confuses the first `wrong` images of each class with the next class."""
    labels = np.repeat(np.arange(7), 10).astype(np.uint8)
    if answers is None:
        answers = np.where(np.tile(np.arange(10), 7) < wrong, (labels + 1) % 7, labels)
    files = np.array([f"test/{CLASSES[y]}/PublicTest_{i}.jpg" for i, y in enumerate(labels)])
    test = Predictions(files, labels, np.eye(7)[answers])
    recipe = Recipe(**recipe)
    info = dataclasses.asdict(recipe)
    places = {k: info.pop(k) for k in ("backbone", "weights", "image_size", "seed")}
    info = {"recipe": info, **places, "dataset": {"name": "fer2013"}}
    return Run(study, recipe.run_name, info, history, test, test)


def evidence(*runs, published=TABLE, **changes):
    facts = {"dataset": DATASET, "parameters": PARAMETERS, "original": ORIGINAL} | changes
    return ledger.Evidence(list(runs), published=published, **facts)


def judge(kind, found=None, *, value=1, tolerance=0, quote="", unit="", **test):
    claim = ledger.Claim("c", "s", "", quote, value, unit, tolerance, {"kind": kind, **test})
    return ledger.grade(claim, found or evidence())


@pytest.mark.parametrize(
    ("path", "value"), [("images", 615), ("splits.val", 7), ("classes", 7), ("leaked", 2)]
)
def test_dataset(path, value):
    verdict = judge("dataset", value=value, path=path)
    assert verdict == (REPRODUCED, value, f"counted in the data: {value}", "01_data")
    assert type(verdict.measured) is float
    assert judge("dataset", value=value + 1, path=path).grade == CONTRADICTED


def test_smallest_class():
    verdict = judge("smallest_class", expression="happy")
    assert verdict[:3] == (REPRODUCED, 1.0, "happy has 5 training images")
    assert verdict.page == "01_data#tab-counts"
    wrong = judge("smallest_class", expression="disgust")
    assert wrong.grade == CONTRADICTED and wrong.measured == 0.0


def test_clipped_classes():
    """515 / (7 * 10) = 7.36 and 515 / (7 * 5) = 14.71 lie above 4; 515 / 700 does not."""
    verdict = judge("clipped_classes", value=2)
    assert verdict.grade == REPRODUCED and verdict.measured == 2
    assert verdict.evidence == "disgust (7.36 unclipped), happy (14.71 unclipped)"
    even = DATASET | {"counts": {"Training": dict.fromkeys(CLASSES, 9)}}
    verdict = judge("clipped_classes", evidence(dataset=even), value=2)
    assert verdict.grade == CONTRADICTED and verdict.evidence == "none"
    edge = DATASET | {"counts": {"Training": {"angry": 1, "fear": 7}}}  # 8 / (2 * 1) = 4
    assert judge("clipped_classes", evidence(dataset=edge), value=0).grade == REPRODUCED


@pytest.mark.parametrize(
    ("value", "grade", "text"),
    [
        (1_000, WITHIN, "1,000 counted on the built model"),
        (1_050, WITHIN, "1,000 counted on the built model"),
        (951, WITHIN, "1,000 counted on the built model"),
        (1_051, CONTRADICTED, "1,000 counted on the built model"),
        (1_150, CONTRADICTED, "1,000 counted on the built model; other has 1,200"),
        (1_250, CONTRADICTED, "1,000 counted on the built model; other has 1,200"),
    ],
)
def test_parameters(value, grade, text):
    arguments = {"backbone": "efficientnet_b2", "which": "total"}
    verdict = judge("parameters", value=value, tolerance=50, **arguments)
    assert verdict == (grade, 1_000, text, "02_training#tab-parameters")


def test_cheaper():
    arguments = {"model": "efficientnet_b2", "than": "other", "column": "multiply_adds"}
    verdict = judge("cheaper", **arguments)
    assert verdict[:3] == (REPRODUCED, 1.0, "50 against 70 (multiply-adds)")
    assert judge("cheaper", **arguments | {"than": "efficientnet_b2"}).grade == CONTRADICTED


def test_accuracy_possible():
    verdict = judge("accuracy_possible", value=0.6878, test_set="PublicTest + PrivateTest")
    assert verdict.grade == REPRODUCED and verdict.measured == pytest.approx(4937 / 7178)
    assert verdict.evidence == "4,937 of 7,178; impossible on either half"
    assert verdict.page == "03_results#tab-audit"
    verdict = judge("accuracy_possible", value=0.6878, test_set="PrivateTest")
    assert verdict[:3] == (CONTRADICTED, None, "no k of 3,589 gives it")
    verdict = judge("accuracy_possible", value=0.5, test_set="PublicTest + PrivateTest")
    assert verdict.evidence == "3,589 of 7,178; impossible on either half"
    verdict = judge("accuracy_possible", value=0.7414, test_set="PrivateTest")
    assert "also possible on PublicTest + PrivateTest, PublicTest" in verdict.evidence


def test_table_possible():
    arguments = {"test_set": "PublicTest + PrivateTest"}
    verdict = judge("table_possible", **arguments)
    assert verdict[:3] == (REPRODUCED, 1.0, "whole numbers satisfy all cells at once")
    off = dataclasses.replace(TABLE, accuracy=0.5)
    verdict = judge("table_possible", evidence(published=off), **arguments)
    assert verdict[:3] == (CONTRADICTED, 0.0, "no whole numbers satisfy all")


def test_average():
    verdict = judge("average", score="precision")
    assert verdict.grade == REPRODUCED and verdict.page == "03_results#tab-classes"
    assert verdict.measured == pytest.approx(0.6867, abs=1e-3)
    assert verdict.evidence.startswith("weighted mean of the rows 0.68")
    assert "macro mean of the rows 0.654" in verdict.evidence
    off = dataclasses.replace(TABLE, overall={"precision": 0.9})
    assert judge("average", evidence(published=off), score="precision").grade == CONTRADICTED


EXACT = {"name": "any"}
STAND_IN = {"backbone": "tiny", "weights": "none", "image_size": 48}


def test_experiment():
    arguments = {"value": 0.69, "quote": "69.00 %", "tolerance": 0.02, "score": "accuracy"}
    verdict = judge("experiment", **arguments)
    assert verdict[:3] == (NOT_RUN, None, "no run of this recipe in the store")
    near = evidence(a_run(3, **STAND_IN))
    verdict = judge("experiment", near, **arguments)
    assert verdict.grade == NOT_RUN and verdict.measured is None
    assert verdict.evidence.startswith("needs a GPU") and verdict.evidence.endswith("gives 0.700")
    exact = evidence(a_run(9, **STAND_IN), a_run(3, **EXACT))
    verdict = judge("experiment", exact, **arguments)
    assert verdict[:2] == (WITHIN, 0.7) and verdict.evidence == "any-efficientnet_b2-260-s42"
    assert judge("experiment", exact, **arguments | {"value": 0.7}).grade == REPRODUCED
    assert judge("experiment", exact, **arguments | {"value": 0.9}).grade == NOT_REPRODUCED
    assert judge("experiment", exact, value=0.7, quote="0.70", score="classes.sad.recall")[:2] == (
        REPRODUCED, 0.7,
    )  # fmt: skip


def test_experiment_that_arithmetic_excludes():
    """0.705 of the 111 images of disgust: neither 78 nor 79."""
    off = dataclasses.replace(TABLE, recalls=TABLE.recalls | {"disgust": 0.705})
    verdict = judge("experiment", evidence(a_run(**EXACT), published=off), value=0.7,
                    score="classes.disgust.recall")  # fmt: skip
    assert verdict[:2] == (CONTRADICTED, None)
    assert verdict.evidence == "no whole number of 111 images gives this recall"
    assert verdict.page == "03_results#tab-audit"


def test_which_run_stands_in():
    changed = a_run(dropout=0.1)  # another recipe, on the original's backbone
    small, large = (a_run(**STAND_IN | {"image_size": size}, seed=7) for size in (48, 64))
    assert evidence(changed).stand_in() is None and evidence(changed).exact() is None
    assert evidence(small, large, changed).stand_in() is large
    assert evidence(large, small).stand_in() is large
    exact = a_run(name="x", seed=3)
    assert evidence(large, exact).stand_in() is exact and evidence(exact).exact() is exact
    wide = a_run(**STAND_IN | {"image_size": 300})
    assert evidence(wide, exact).stand_in() is exact


def test_extreme():
    labels = np.repeat(np.arange(7), 10)
    answers = labels.copy()
    answers[20:29], answers[50:52] = 5, 2  # of fear one is right, of sad eight
    found = evidence(a_run(answers=answers, **STAND_IN))
    verdict = judge("extreme", found, expression="fear", which="lowest")
    assert verdict.grade == REPRODUCED and verdict.measured is None
    assert verdict.evidence == "lowest F1 is that of fear, 0.15 (paper-tiny-48-s42)"
    assert verdict.page == "03_results#tab-classes"
    assert judge("extreme", found, expression="sad", which="lowest").grade == NOT_REPRODUCED
    assert judge("extreme", found, expression="angry", which="highest").grade == REPRODUCED
    nothing = judge("extreme", expression="fear", which="lowest")
    assert nothing == (NOT_RUN, None, "no run of this recipe in the store", "03_results")


def test_confusion_rank():
    labels = np.repeat(np.arange(7), 10)
    answers = labels.copy()
    answers[20:23], answers[60:62] = 6, 2  # fear and surprise: 3 + 2
    answers[50:54] = 4  # sad for neutral: 4
    found = evidence(a_run(answers=answers, **STAND_IN))
    verdict = judge("confusion_rank", found, value=1, pair=["surprise", "fear"])
    assert verdict[:2] == (REPRODUCED, 1)
    assert verdict.evidence == "rank 1 of 21 with 5 errors (paper-tiny-48-s42)"
    verdict = judge("confusion_rank", found, value=1, pair=["neutral", "sad"])
    assert verdict[:2] == (NOT_REPRODUCED, 2) and "rank 2 of 21 with 4 errors" in verdict.evidence
    assert judge("confusion_rank", found, value=2, pair=["neutral", "sad"]).grade == REPRODUCED


def curves(accuracy, val_accuracy, val_loss):
    phases = ["warmup"] + ["finetune"] * (len(accuracy) - 1)
    return pd.DataFrame(
        {"phase": phases, "accuracy": accuracy, "val_accuracy": val_accuracy, "val_loss": val_loss}
    )


def test_curves():
    history = curves([0.1, 0.50, 0.60], [0.9, 0.55, 0.57], [2.0, 1.0, 1.5])
    found = evidence(a_run(history=history, **STAND_IN))
    verdict = judge("curve_gap", found, value=0.06)
    assert verdict.grade == REPRODUCED and verdict.measured == pytest.approx(0.05)
    assert verdict.evidence == "greatest gap in phase 2: 0.050 (paper-tiny-48-s42)"
    assert judge("curve_gap", found, value=0.04).grade == NOT_REPRODUCED
    verdict = judge("loss_rise", found, value=0.5)
    assert verdict[:2] == (REPRODUCED, 0.5)
    assert verdict.evidence == "greatest rise from one epoch to the next: 50.0% (paper-tiny-48-s42)"
    assert judge("loss_rise", found, value=0.49).grade == NOT_REPRODUCED
    steeper = evidence(a_run(history=curves([0.5] * 3, [0.625] * 3, [4.0, 5.0, 4.0]), **STAND_IN))
    assert judge("loss_rise", steeper, value=0.25)[:2] == (REPRODUCED, 0.25)
    assert judge("curve_gap", steeper, value=0.125)[:2] == (REPRODUCED, 0.125)
    falling = evidence(a_run(history=curves([0.1] * 3, [0.1] * 3, [3.0, 2.0, 1.0]), **STAND_IN))
    assert judge("loss_rise", falling, value=0.0)[:2] == (REPRODUCED, 0.0)


def test_baseline_split():
    verdict = judge("baseline_split", model="VGG16", split="validation")
    assert verdict[:2] == (REPRODUCED, 1.0) and verdict.page == "../related_work"
    assert verdict.evidence == "its source (J. 2024) calls it a validation accuracy"
    assert judge("baseline_split", model="VGG16", split="test").grade == CONTRADICTED


def test_beats():
    """68.78 % of 7,178 reaches down to 67.70 %; 67.23 % of 3,589 up to 68.75 %."""
    verdict = judge("beats", theirs=0.6723, images=3589)
    assert verdict[:2] == (NOT_REPRODUCED, None) and verdict.page == "03_results#tab-comparison"
    assert verdict.evidence == ("original from 67.70%, VGG16 (on 3,589 images) up to 68.75%")
    assert judge("beats", theirs=0.6, images=3589).grade == REPRODUCED


def test_prior_best():
    verdict = judge("prior_best", value=0.65, family="Net")
    assert verdict.grade == CONTRADICTED and verdict.measured == pytest.approx(0.708)
    assert verdict.evidence == "Net-A reached 70.80% on PrivateTest"
    assert judge("prior_best", value=0.708, family="Net").grade == REPRODUCED
    assert judge("prior_best", value=0.8, family="Net").grade == REPRODUCED


def test_not_measured():
    assert judge("not_measured", reason="no GPU") == (NOT_RUN, None, "no GPU", "../discussion")


def pair(base, other, seed=1, **more):
    made = STAND_IN | {"seed": seed} | more
    return [a_run(base, name="base", **made), a_run(other, name="adam", **made)]


def test_ablation():
    better = {"study": "s", "changed": "adam", "expected": "better"}
    assert judge("ablation", evidence(), **better)[:2] == (NOT_RUN, None)
    alone = evidence(pair(5, 0)[1])
    assert judge("ablation", alone, **better).grade == NOT_RUN  # no base to compare with
    verdict = judge("ablation", evidence(*pair(5, 0)), **better)  # 35 of 70 images
    assert verdict[:2] == (REPRODUCED, 0.5) and verdict.page == "04_ablations#tab-s"
    assert verdict.evidence.startswith("+50.00 points over 1 seed(s), McNemar p at most 5.8e-11")
    worse = {"study": "s", "changed": "adam", "expected": "worse"}
    assert judge("ablation", evidence(*pair(5, 0)), **worse).grade == NOT_REPRODUCED
    verdict = judge("ablation", evidence(*pair(0, 5)), **worse)
    assert verdict[:2] == (REPRODUCED, -0.5)
    # Over two seeds: the mean of the gains, the larger of the p values.
    mixed = judge("ablation", evidence(*pair(5, 0), *pair(1, 1, seed=2)), **better)
    assert mixed.measured == 0.25 and mixed.grade == NOT_REPRODUCED
    assert "over 2 seed(s)" in mixed.evidence
    both = judge("ablation", evidence(*pair(5, 0), *pair(4, 0, seed=2)), **better)
    assert both.grade == REPRODUCED and both.measured == pytest.approx(63 / 140)
    # Another seed, study or backbone is no pair.
    base, _ = pair(5, 0)
    for other in (pair(5, 0, seed=2)[1], pair(5, 0, backbone="vgg16")[1]):
        assert judge("ablation", evidence(base, other), **better).grade == NOT_RUN
    elsewhere = dataclasses.replace(pair(5, 0)[1], study="t")
    assert judge("ablation", evidence(base, elsewhere), **better).grade == NOT_RUN


@pytest.mark.parametrize(
    ("quote", "decimals"),
    [("68.78 %", 4), ("68.78%", 4), ("0.65", 2), ("9.2 M", 1), ("35,887", 0), ("", 0), ("seven", 0),
     ("5 %", 2), ("test set", 0)],
)  # fmt: skip
def test_decimals_as_printed(quote, decimals):
    claim = ledger.Claim("c", "", "", quote, 0, "", 0, {})
    assert ledger._decimals(claim) == decimals


@pytest.mark.parametrize(
    ("measured", "grade"),
    [(0.655, REPRODUCED), (0.645, REPRODUCED), (0.6551, WITHIN), (0.68, WITHIN), (0.6801, "no")],
)
def test_compare_at_the_edges(measured, grade):
    claim = ledger.Claim("c", "", "", "0.65", 0.65, "", 0.03 + 1e-12, {})
    assert ledger.compare(claim, measured) == (NOT_REPRODUCED if grade == "no" else grade)
    half = ledger.Claim("c", "", "", "0.50", 0.5, "", 0.25, {})
    assert ledger.compare(half, 0.75) == WITHIN


def test_a_result_without_recalls_excludes_nothing():
    bare = Published("x", 0.5, {}, {}, {}, TABLE.printed_to)
    verdict = judge("experiment", evidence(published=bare), value=0.5, score="accuracy")
    assert verdict.grade == NOT_RUN and not math.isnan(verdict.measured or 0)
