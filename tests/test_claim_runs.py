"""Checks that a training run decides: worked out on runs made by hand."""

import dataclasses
import math

import numpy as np
import pytest
from conftest import ROOT
from made_claims import PLACE, STAND_IN, TABLE, a_run, baseline, curves, evidence, judge

from ferbook.claims.checks import scores
from ferbook.claims.effects import MEASURES, effect, greatest_rise, scales
from ferbook.claims.evidence import Evidence, Spread
from ferbook.claims.ledger import read_claims
from ferbook.claims.verdict import (
    ANSWERED,
    CONTRADICTED,
    FACT,
    NOT_REPLICATED,
    NOT_RUN,
    NOT_SEEN,
    NOT_TESTABLE,
    REPLICATED,
    SEEN,
    UNDECIDED,
)
from ferbook.results.metrics import accuracy
from ferbook.results.study import read_study

SEEDS = [a_run(wrong, seed=seed, **STAND_IN) for seed, wrong in enumerate((2, 3, 4))]


def test_which_run_stands_in():
    changed = a_run(dropout=0.1)  # another recipe, on the original's network
    small, large = (a_run(**STAND_IN | {"image_size": size}, seed=7) for size in (48, 64))
    assert evidence(changed).stand_ins() == [] and evidence(changed).exact() is None
    assert evidence(small, large, changed).stand_ins() == [large, small]
    again = a_run(**STAND_IN | {"image_size": 64})
    assert evidence(large, again).stand_ins()[0] is again  # with the original's seed
    exact = a_run(name="x", seed=3)
    assert evidence(exact).exact() is exact
    few = a_run(train_images=70, **STAND_IN)
    assert evidence(few).stand_ins() == []
    assert evidence(a_run(weights="none", **STAND_IN)).stand_ins() == []


def test_where_runs_of_the_recipe_disagree_nothing_is_decided():
    """Right answers of each class: all of sad in one run, none in another."""
    good, bad = (a_run(answers=np.full(70, i), **STAND_IN | {"seed": i}) for i in (5, 4))
    asked = {"score": "recall", "highest": ["sad"]}
    assert judge("extremes", evidence(good), **asked).grade == SEEN
    assert judge("extremes", evidence(bad), **asked).grade == NOT_SEEN
    verdict = judge("extremes", evidence(good, bad), **asked)
    assert verdict.grade == UNDECIDED
    assert verdict.evidence.endswith("It holds in 1 of 2 runs of the recipe.")


def test_of_several_networks_the_originals_gives_the_spread():
    """Whatever the order of the runs; one run that two studies hold counts once."""
    place = {"image_size": 260, "weights": "imagenet"}
    runs = [
        a_run(wrong, backbone=backbone, seed=seed, **place)
        for backbone, errors in (("efficientnet_b2", (2, 3, 4)), ("efficientnet_lite2", (2, 2, 2)))
        for seed, wrong in enumerate(errors)
    ]
    for some in (runs, runs[::-1], [*runs, *runs[:2]]):
        found = evidence(*some).spread(MEASURES["accuracy"].of)
        assert found.value == pytest.approx(4.302653 * 0.1 * 2**0.5)
        assert "3 seeds of EfficientNetB2" in found.source


def test_spread_over_seeds():
    """Accuracies 0.8, 0.7, 0.6: deviation 0.1; t of two degrees is 4.303; times the root of 2."""
    found = evidence(*SEEDS).spread(MEASURES["accuracy"].of)
    assert found.value == pytest.approx(4.3027 * 0.1 * 2**0.5, abs=1e-4)
    assert found.source == "from 3 seeds of EfficientNet-Lite0 at 48 px"
    assert evidence(*SEEDS[:2]).spread(MEASURES["accuracy"].of) is None
    few = [a_run(seed=s, train_images=70, **STAND_IN) for s in range(5)]
    for runs in ([*few, *SEEDS], [*SEEDS, *few]):  # all images before few
        assert evidence(*runs).spread(MEASURES["accuracy"].of) == found
    large = [a_run(2, seed=s, **STAND_IN | {"image_size": 64}) for s in range(3)]
    spread = evidence(*large, *SEEDS).spread(MEASURES["accuracy"].of)
    assert spread.value == pytest.approx(0) and " at 64 px" in spread.source
    assert evidence(*few).spread(MEASURES["accuracy"].of).value == 0
    other = [a_run(seed=s, dropout=0.1, **STAND_IN) for s in range(5)]
    assert evidence(*other).spread(MEASURES["accuracy"].of) is None


def test_any_run_of_the_same_recipe_would_replicate_any_other():
    spread = evidence(*SEEDS).spread(MEASURES["accuracy"].of).value
    accuracies = [MEASURES["accuracy"].of(run) for run in SEEDS]
    assert max(accuracies) - min(accuracies) <= spread


ACCURACY = {"unit": "%", "to": 0.01, "of": "accuracy"}


def test_a_score_without_a_run_of_its_configuration_is_not_run():
    assert judge("score", printed=69, **ACCURACY)[:2] == (NOT_RUN, "")
    verdict = judge("score", evidence(a_run(3, **STAND_IN)), printed=70, **ACCURACY)
    assert verdict[:2] == (NOT_RUN, "stand-in: 70.00%")
    assert verdict.evidence.endswith("stand-in: EfficientNet-Lite0 at 48 px, seed 42.")


@pytest.mark.parametrize(
    ("printed", "grade"),
    [(70, REPLICATED), (70.01, NOT_REPLICATED), (70.004, REPLICATED), (69.5, NOT_REPLICATED)],
)
def test_a_score_to_the_printed_digit(printed, grade):
    verdict = judge("score", evidence(a_run(3)), printed=printed, **ACCURACY)
    assert verdict[:2] == (grade, "70.00%")
    assert verdict.evidence.endswith("too few seeds for a tolerance.")


def test_a_score_within_what_seeds_change(monkeypatch):
    """0.608 of spread and half a digit: 0.1 + 0.6085 passes, 0.71 does not."""
    wide = judge("score", evidence(a_run(9), *SEEDS), printed=70.8, **ACCURACY)
    assert wide.grade == UNDECIDED  # seeds that far apart replicate anything
    monkeypatch.setattr("ferbook.claims.checks.scores.WIDEST", 1)
    found = evidence(a_run(9), *SEEDS)  # 10 % right
    assert judge("score", found, printed=70.8, **ACCURACY).grade == REPLICATED
    verdict = judge("score", found, printed=70.9, **ACCURACY)
    assert verdict.grade == NOT_REPLICATED
    assert "0.609 off, 0.609 allowed, from 3 seeds" in verdict.evidence
    whole = ACCURACY | {"to": 1}  # of which half is 0.005
    assert judge("score", found, printed=71.2, **whole)[:2] == (REPLICATED, "10%")
    recall = {"of": "classes.sad", "name": "recall", "to": 0.01}
    assert judge("score", evidence(a_run(3)), printed=0.7, **recall)[:2] == (REPLICATED, "0.70")
    text = {"of": "classes", "name": "sad", "column": "recall", "to": 0.1, "unit": "%"}
    assert judge("score", evidence(a_run(3)), printed=70, **text)[:2] == (REPLICATED, "70.0%")
    mean = {"of": "macro", "name": "recall", "to": 0.1}  # of classes, which no whole number forbids
    assert judge("score", evidence(a_run(3)), printed=0.7, **mean)[:2] == (REPLICATED, "0.7")


def test_a_score_exactly_as_far_off_as_allowed_is_replicated(monkeypatch):
    monkeypatch.setattr(Evidence, "spread", lambda *_: Spread(0.25, "from here"))
    monkeypatch.setattr(scores, "WIDEST", 1)
    for measured, grade in ((0.125, REPLICATED), (0.124, NOT_REPLICATED)):
        monkeypatch.setattr(scores, "value_at", lambda *_, value=measured: value)
        verdict = judge("score", evidence(a_run()), printed=0.5, to=0.25, of="accuracy")
        assert verdict.grade == grade  # 0.375 off, 0.125 of them half a digit
    assert scores._impossible(evidence(a_run()), ["accuracy"]) == ""


def test_a_score_that_arithmetic_excludes():
    """0.705 of the 111 images of disgust: neither 78 nor 79."""
    off = dataclasses.replace(TABLE, recalls=TABLE.recalls | {"disgust": 0.705})
    verdict = judge("score", evidence(a_run(), published=off), printed=0.7, to=0.01,
                    of="classes.disgust", name="recall")  # fmt: skip
    assert verdict == (CONTRADICTED, "", "No whole number of 111 images gives this recall.",
                       "03_results#tab-audit")  # fmt: skip


def confused():
    """Of fear one is right, nine are sad; of sad eight are right, two fear; the rest is right."""
    answers = np.repeat(np.arange(7), 10)
    answers[20:29], answers[50:52] = 5, 2
    return a_run(answers=answers, **STAND_IN)


def test_extremes():
    found = evidence(confused())
    verdict = judge("extremes", found, score="recall", lowest=["fear"])
    assert verdict[:3] == (SEEN, "fear 0.10", f"The lowest on all test images {PLACE}")
    verdict = judge("extremes", found, score="recall", lowest=["sad", "fear"])
    assert verdict[:2] == (SEEN, "fear 0.10, sad 0.80")
    verdict = judge("extremes", found, score="f1", highest=["sad"])
    assert verdict.grade == NOT_SEEN
    nothing = judge("extremes", score="f1", lowest=["fear"])
    assert nothing[:3] == (NOT_RUN, "", "No run of this recipe in the store.")
    exact = evidence(dataclasses.replace(confused(), info=a_run().info))
    assert judge("extremes", exact, score="recall", lowest=["fear"]).grade == REPLICATED
    assert judge("extremes", exact, score="recall", lowest=["sad"]).grade == NOT_REPLICATED


def test_recalls_above():
    found = evidence(confused())
    verdict = judge("recalls_above", found, limit=0.5, expressions=["sad", "happy"])
    assert verdict[:3] == (SEEN, "sad 0.80, happy 1.00", f"Recalls; limit 0.5, ours {PLACE}")
    for expressions in (["sad"], ["sad", "happy"]):
        assert judge("recalls_above", found, limit=0.8, expressions=expressions).grade == NOT_SEEN


def test_beats_baselines():
    found = evidence(a_run(2, **STAND_IN), baselines=baseline(3) | baseline(4, "lbp_hog"))
    verdict = judge("beats_baselines", found)
    assert verdict[:3] == (SEEN, "80.0% against 70.0%", f"The best of 2 baselines, HOG {PLACE}")
    equal = evidence(a_run(3, **STAND_IN), baselines=baseline(3))
    assert judge("beats_baselines", equal).grade == NOT_SEEN
    assert judge("beats_baselines", evidence(a_run(**STAND_IN))).grade == NOT_RUN


def test_confusion_rank():
    answers = np.repeat(np.arange(7), 10)
    answers[20:23], answers[60:62] = 6, 2  # fear and surprise: 3 + 2
    answers[50:54] = 4  # sad for neutral: 4
    found = evidence(a_run(answers=answers, **STAND_IN))
    verdict = judge("confusion_rank", found, limit=1, pair=["surprise", "fear"])
    assert verdict[:3] == (SEEN, "rank 1", f"Of 21 pairs, 5 errors; limit 1, ours {PLACE}")
    verdict = judge("confusion_rank", found, limit=1, pair=["neutral", "sad"])
    assert verdict[:2] == (NOT_SEEN, "rank 2") and "4 errors" in verdict.evidence
    assert judge("confusion_rank", found, limit=2, pair=["neutral", "sad"]).grade == SEEN


def test_errors_plausible(monkeypatch):
    """Of three errors, FER+ has no opinion on one and gives one answer itself."""
    answers = np.repeat(np.arange(7), 10)
    answers[:3] = 2
    second = np.repeat(np.arange(7), 10)
    second[0], second[1] = -1, 2
    monkeypatch.setattr("ferbook.claims.checks.errors.ferplus.pluralities", lambda files: second)
    monkeypatch.setattr("ferbook.claims.checks.errors.ferplus.as_class", lambda plural: plural)
    verdict = judge("errors_plausible", evidence(a_run(answers=answers, **STAND_IN)))
    assert verdict[:2] == (SEEN, "1 of 2 errors")
    assert judge("errors_plausible", evidence(a_run(**STAND_IN))).grade == NOT_SEEN


def on(history, kind, **arguments):
    return judge(kind, evidence(a_run(history=history, **STAND_IN)), **arguments)


def test_trend():
    """Validation accuracy: 0.4, 0.3 in warm-up; 0.5, 0.6, 0.59, 0.7 after it."""
    history = curves([0.1] * 6, [0.4, 0.3, 0.5, 0.6, 0.59, 0.7], warmup=2)
    verdict = on(history, "trend", limit=0.02, column="val_accuracy", phase="finetune")
    assert verdict[:2] == (SEEN, "rises")
    assert verdict.evidence == (
        "Validation accuracy 0.500 to 0.700; 1 of 3 steps the other way, the worst by 1.0%; "
        f"limit 0.02, ours {PLACE}"
    )
    strict = on(history, "trend", limit=0.0, column="val_accuracy", phase="finetune")
    assert strict[:2] == (NOT_SEEN, "rises")
    warm = on(history, "trend", limit=0.2, column="val_accuracy", phase="warmup")
    assert warm[:2] == (NOT_SEEN, "falls")
    both = on(history, "trend", limit=0.2, column="val_accuracy", phase="all")
    assert both[:2] == (NOT_SEEN, "falls, then rises")


def test_trend_of_a_loss_is_relative():
    """2.0, 1.0, 1.5, 0.9: a rise by half."""
    history = curves([0.1] * 5, [0.1] * 5, loss=[9, 2.0, 1.0, 1.5, 0.9])
    assert on(history, "trend", limit=0.5, column="loss", phase="finetune")[:2] == (SEEN, "falls")
    assert on(history, "trend", limit=0.49, column="loss", phase="finetune").grade == NOT_SEEN


def test_curve_gap_and_overfitting():
    """Training less validation accuracy in phase 2: -0.125 and +0.0625."""
    history = curves([0.9, 0.5, 0.6875], [0.1, 0.625, 0.625])
    verdict = on(history, "curve_gap", limit=0.125)
    assert verdict[:2] == (SEEN, "-12.5 points")
    assert on(history, "curve_gap", limit=0.12).grade == NOT_SEEN
    verdict = on(history, "overfitting", limit=0.0625)
    assert verdict[:2] == (SEEN, "+6.2 points")
    assert on(history, "overfitting", limit=0.06).grade == NOT_SEEN


def test_schedule_acted():
    rates = [1e-3, 3e-5, 3e-5, 9e-6]
    history = curves([0.1] * 4, [0.1] * 4, rates=rates)
    assert on(history, "schedule_acted")[:2] == (SEEN, "in 1 of 3 epochs")
    history = curves([0.1] * 4, [0.1] * 4, rates=rates[:3] + rates[2:3])
    verdict = on(history, "schedule_acted")
    assert verdict[:3] == (NOT_SEEN, "in 0 of 3 epochs", f"Learning rate lowered {PLACE}")


def two(whole, without, seed=1, **more):
    """A run of the recipe and one without label smoothing, with so many errors a class."""
    made = STAND_IN | {"seed": seed} | more
    return a_run(whole, name="base", **made), a_run(without, name="w", label_smoothing=0.0, **made)


WITHOUT = {"label_smoothing": 0}


def pairs(*how, **more):
    """Those of the most telling scale."""
    return next(iter(scales(*how, **more)), [])


def test_pairs_are_found_by_recipe_seed_and_study():
    first, other = two(2, 3)
    assert pairs([other, first], WITHOUT) == [(first, other)]
    reached = accuracy(first.test)
    assert pairs([other, first], WITHOUT, reached) == [(first, other)]
    assert pairs([other, first], WITHOUT, reached + 1e-9) == []
    apart = [two(2, 3, seed=2)[1], two(2, 3, study="t")[1], two(2, 3, backbone="tiny")[1]]
    assert pairs([first, *apart], WITHOUT) == []
    assert pairs([first, a_run(3, name="w", dropout=0.1, label_smoothing=0.0, seed=1, **STAND_IN)],
                 WITHOUT) == []  # fmt: skip
    far = [tuple(two(2, 3, seed=s, finetune_epochs=9)) for s in (1, 2)]
    one = [run for pair in (*far, (first, other)) for run in pair]
    assert pairs(one, WITHOUT) == far  # the only ones with several seeds
    more = two(2, 3, seed=2)  # now nearest to the original's recipe
    assert pairs([*one, *more], WITHOUT) == [(first, other), tuple(more)]
    assert len(pairs(one[:4], WITHOUT)) == 2
    twice = [two(2, 3, seed=s, study="t") for s in (1, 2)]
    for runs in ([first, other, *sum(twice, ())], [*sum(twice, ()), first, other]):
        assert pairs(runs, WITHOUT) == twice  # of equals, those with more seeds
    thrice = [*twice, two(2, 3, seed=3, study="t")]
    for runs in ([first, other, *more, *sum(thrice, ())], [*sum(thrice, ()), first, other, *more]):
        assert pairs(runs, WITHOUT) == thrice


def test_below_the_least_accuracy_only_pairs_that_are_all_the_same_count():
    same = [two(9, 9, seed=s, study="t") for s in (1, 2)]
    assert pairs(sum(same, ()), WITHOUT) == same
    assert pairs([*two(9, 9), *two(9, 8, seed=2)], WITHOUT) == []
    first = two(2, 3)  # reaches the limit exactly, and comes before several seeds that do not
    assert pairs([*sum(same, ()), *first], WITHOUT, accuracy(first[0].test)) == [first]


def test_answers_are_the_same_if_those_on_validation_are_too():
    whole, without = two(2, 2)
    other = dataclasses.replace(without, val=two(2, 3)[1].val)
    assert effect([whole, without], WITHOUT, MEASURES["accuracy"]).identical
    assert not np.array_equal(other.val.probabilities, whole.val.probabilities)
    assert not effect([whole, other], WITHOUT, MEASURES["accuracy"]).identical


OURS = {"weights": "none", "dropout": 0.3, "schedule": "cosine", "finetune_optimizer": "adam",
        "class_weight_clip": 0.0, "ferplus_loss_weight": 1.0, "batch_size": 64}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), OURS.items())
def test_only_the_original_recipe_speaks_of_the_original(name, value):
    runs = [run for seed in (1, 2) for run in two(2, 9, seed=seed, **{name: value})]
    assert pairs(runs, WITHOUT, least=0) == []
    verdict = judge("ablation", evidence(*runs), without=WITHOUT, measure="accuracy")
    assert verdict[:3] == (
        NOT_RUN, "", "No runs of the original's recipe that differ in this alone.",
    )  # fmt: skip
    assert judge("question", evidence(*runs), change=WITHOUT).grade == NOT_RUN


SCALES = {"backbone": "efficientnet_lite2", "image_size": 96, "train_images": 70,
          "grouped_split": True, "finetune_learning_rate": 2e-4, "finetune_epochs": 10}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), SCALES.items())
def test_another_scale_of_the_original_recipe_speaks_of_it(name, value):
    pair = two(2, 9, **{name: value})
    assert pairs(pair, WITHOUT) == [pair]


def test_a_change_is_of_the_value_that_the_original_has():
    """Ten times another learning rate says nothing of ten times the original's."""
    faster = [a_run(name=n, finetune_learning_rate=r) for n, r in (("b", 2e-4), ("w", 3e-4))]
    assert pairs(faster, {"finetune_learning_rate": 3e-4}) == []
    base = a_run(name="base")
    assert pairs([base, *faster], {"finetune_learning_rate": 3e-4}) == [(base, faster[1])]


def test_a_change_by_a_factor_is_of_whatever_value_there_is():
    base, twice = (a_run(name=f"e{n}", finetune_epochs=n) for n in (10, 20))
    assert pairs([base, twice], {"finetune_epochs": {"times": 2}}) == [(base, twice)]
    assert pairs([base, twice], {"finetune_epochs": {"times": 3}}) == []


def test_networks_that_did_not_learn_show_identity_alone():
    """Nine of ten wrong: no effect is graded. If all answers agree, the effect is exactly zero."""
    short = [run for seed in (1, 2) for run in two(9, 8, seed=seed, train_images=70)]
    assert effect(short, WITHOUT, MEASURES["accuracy"]) is None
    verdict = judge("ablation", evidence(*short), without=WITHOUT, measure="accuracy")
    assert verdict[:3] == (
        UNDECIDED, "", "Of the runs of the original's recipe that differ in this alone none "
        "reached an accuracy of 50%.",
    )  # fmt: skip
    same = [run for seed in (1, 2) for run in two(9, 9, seed=seed, train_images=70)]
    found = effect(same, WITHOUT, MEASURES["accuracy"])
    assert found.identical and found.difference == 0
    learned = two(2, 4, seed=3, finetune_epochs=10)
    assert pairs([*same, *learned], WITHOUT) == [learned]  # however near the others are
    assert pairs([*same, *learned], WITHOUT, least=0) == [tuple(same[:2]), tuple(same[2:])]


def test_the_grid_around_the_recipe_is_picked_up_when_its_runs_arrive():
    grid = read_study(ROOT / "configs" / "paper_changes.yml")
    found = evidence(*(a_run(2, study=grid.name, **vars(r)) for r in grid.recipes.values()))
    waiting = set()
    for claim in read_claims(ROOT / "book" / "claims.yml"):
        change = claim.check.get("without", claim.check.get("change"))
        if claim.check["kind"] in ("ablation", "question") and not pairs(found.runs, change):
            waiting.add(claim.id)
    same_steps = {"adamw-stabilises", "question-adam"}  # see `short_paper_changes`
    never = {"small-rate", "gain-pretraining", "question-b0", "question-b3"}
    assert waiting == never | same_steps


def test_an_effect_names_the_recipe_and_its_scale():
    def where(**scale):
        return effect(two(2, 4, **scale), WITHOUT, MEASURES["accuracy"]).where

    assert where() == "the original's recipe on EfficientNet-Lite0 at 48 px"
    assert where(finetune_learning_rate=2e-4, finetune_epochs=10, train_images=70) == (
        "the original's recipe on EfficientNet-Lite0 at 48 px, 70 training images, "
        "learning rate 2e-4, 10 epochs of phase 2"
    )


def test_effect():
    """Accuracies 0.8, 0.7 with and 0.6, 0.5 without.

    Each recipe varies by 0.1 over two seeds: variance 0.005 with one degree each, together two.
    Half the interval: 4.3027 * sqrt(0.005) * sqrt(2 / 2).
    """
    runs = [*two(2, 4), *two(3, 5, seed=2)]
    found = effect(runs, WITHOUT, MEASURES["accuracy"])
    assert found[:3] == ("s", "the original's recipe on EfficientNet-Lite0 at 48 px", 2)
    assert (found.whole, found.without) == pytest.approx((0.75, 0.55))
    assert found.error == pytest.approx(4.3027 * 0.005**0.5, abs=1e-4) and not found.identical
    # One pair, and another seed of the whole recipe alone: one degree, 0.75 against 0.6.
    one = effect([*two(2, 4), two(3, 5, seed=2)[0]], WITHOUT, MEASURES["accuracy"])
    assert one.seeds == 1 and one.error == pytest.approx(12.7062 * 0.0075**0.5, abs=1e-3)
    assert one.difference == pytest.approx(0.15)
    assert math.isnan(effect(two(2, 4), WITHOUT, MEASURES["accuracy"]).error)
    twice = [dataclasses.replace(run, name=f"{run.name}-copy") for run in two(2, 4)]
    for copy, name in zip(twice, ("again", "too"), strict=True):
        vars(copy)["recipe"] = dataclasses.replace(copy.recipe, name=name)
    single = effect([*two(2, 4), *twice], WITHOUT, MEASURES["accuracy"])
    assert single.seeds == 1 and math.isnan(single.error)  # one training with two names
    same = effect([*two(2, 2), *two(3, 3, seed=2)], WITHOUT, MEASURES["accuracy"])
    assert same.identical and same.difference == 0
    more = effect([*two(2, 2), two(3, 3, seed=2)[0]], WITHOUT, MEASURES["accuracy"])
    assert more.identical and more.difference == 0 and more.seeds == 1
    # Two recipes that are the same bit for bit tell of one spread, with one degree of freedom.
    assert same.error == pytest.approx(12.7062 * 0.005**0.5, abs=1e-3)


def test_ablation():
    arguments = {"without": WITHOUT, "measure": "accuracy"}
    assert judge("ablation", **arguments)[:2] == (NOT_RUN, "")
    verdict = judge("ablation", evidence(*two(2, 5)), **arguments)
    assert verdict[:2] == (UNDECIDED, "+30.00 points") and "error unknown" in verdict.evidence
    single = evidence(*two(2, 5), *(two(2, 5, seed=s)[0] for s in (2, 3)))  # sure, but one seed
    assert judge("ablation", single, **arguments).grade == UNDECIDED
    clear = evidence(*two(2, 5), *two(2, 5, seed=2))  # no spread at all
    verdict = judge("ablation", clear, **arguments)
    assert verdict[:2] == (SEEN, "+30.00 points") and verdict.page == "../all_runs#tab-ledger"
    assert verdict.evidence == (
        "Accuracy 80.0% with, 50.0% without (the original's recipe on EfficientNet-Lite0 at 48 px, "
        "2 seeds; 95% error 0.0 points, uncorrected)."
    )
    failed = evidence(*two(2, 6), *two(2, 6, seed=2))  # without the part, most answers are wrong
    assert judge("ablation", failed, **arguments)[:2] == (UNDECIDED, "+40.00 points")
    scales = evidence(*clear.runs, *two(2, 3, image_size=96))
    assert judge("ablation", scales, **arguments).evidence.endswith(
        "2 seeds; 95% error 0.0 points, uncorrected). "
        "Elsewhere +10.0 points (the original's recipe on EfficientNet-Lite0 at 96 px, 1 seed)."
    )
    grid = evidence(*(dataclasses.replace(run, study="paper_changes") for run in clear.runs))
    assert judge("ablation", grid, **arguments).page == "04_ablations#fig-paper_changes"
    within = evidence(*two(2, 4), *two(3, 5, seed=2))  # 0.2 against 0.304
    assert judge("ablation", within, **arguments).grade == NOT_SEEN
    worse = evidence(*two(5, 2), *two(5, 2, seed=2))
    assert judge("ablation", worse, **arguments).grade == NOT_SEEN
    same = judge("ablation", evidence(*two(2, 2)), **arguments)
    assert same.grade == NOT_TESTABLE and same.evidence.startswith("The same answers bit for bit")
    contrary = evidence(*clear.runs, *two(3, 2, image_size=96))
    assert judge("ablation", contrary, **arguments).grade == UNDECIDED
    contrary = evidence(*worse.runs, *two(2, 5, image_size=96))
    assert judge("ablation", contrary, **arguments).grade == NOT_SEEN


def test_ablation_of_what_prevents():
    """The gap of the last epoch: -0.1 with; 0.2 or -0.05 without, over two seeds alike."""

    def runs(gap):
        pair = (curves([0.5], [0.6]), curves([0.5 + gap], [0.5]))
        names = ({"name": "base"}, {"name": "w", "label_smoothing": 0.0})
        return [a_run(wrong, history=history, seed=seed, **STAND_IN | name)
                for seed in (1, 2)
                for wrong, (history, name) in enumerate(zip(pair, names, strict=True))]  # fmt: skip

    arguments = {"without": WITHOUT, "measure": "gap"}
    assert judge("ablation", evidence(*runs(0.2)), **arguments)[:2] == (SEEN, "-30.00 points")
    verdict = judge("ablation", evidence(*runs(-0.05)), **arguments)
    assert verdict[:2] == (UNDECIDED, "-5.00 points")
    assert verdict.evidence.endswith("Nothing to prevent.")


def test_which_measures_a_part_should_raise():
    assert [name for name, m in MEASURES.items() if m.more] == [
        "accuracy", "mean_recall", "second_truth",
    ]  # fmt: skip


def test_measures(monkeypatch):
    history = curves([0.5, 0.75], [0.5, 0.5], loss=[2.0, 3.0], warmup=0)
    run = a_run(5, sure=0.8, history=history, **STAND_IN)
    values = {name: measure.of(run) for name, measure in MEASURES.items() if name != "second_truth"}
    assert values == pytest.approx(
        {"accuracy": 0.5, "mean_recall": 0.5, "gap": 0.25, "overconfidence": 0.3, "loss_rise": 0.5}
    )
    second = np.where(np.arange(70) < 10, -1, 0)  # an opinion on sixty, always "angry"
    monkeypatch.setattr("ferbook.claims.effects.ferplus.pluralities", lambda files: second)
    monkeypatch.setattr("ferbook.claims.effects.ferplus.as_class", lambda plural: plural)
    assert MEASURES["second_truth"].of(run) == pytest.approx(5 / 60)  # surprise taken for angry
    phases = curves([0.5] * 3, [0.5] * 3, loss=[2.0, 3.0, 4.0])  # the first is warm-up
    assert MEASURES["loss_rise"].of(a_run(history=phases, **STAND_IN)) == pytest.approx(1 / 3)
    assert greatest_rise([4, 5, 4, 2]) == 0.25 and greatest_rise([4, 3, 1.5]) == -0.25


def test_question():
    assert judge("question", change=WITHOUT).grade == NOT_RUN
    verdict = judge("question", evidence(*two(4, 2), *two(4, 2, seed=2)), change=WITHOUT)
    assert verdict[:2] == (ANSWERED, "+20.00 points")
    assert verdict.evidence.startswith("Accuracy 60.0% as it is, 80.0% with the change (")
    more = evidence(*two(4, 2), *two(4, 2, seed=2), *two(5, 4, image_size=96))
    assert "Elsewhere +10.0 points" in judge("question", more, change=WITHOUT).evidence


def adam(wrong, base):
    made = STAND_IN | {"seed": 1}
    return [
        a_run(base, name="base", **made),
        a_run(wrong, name="a", finetune_optimizer="adam", **made),
    ]


def test_weight_decay():
    """float32 keeps 24 binary digits: 1 - x differs from 1 only if x > 2^-25 = 2.98e-8."""
    verdict = judge("weight_decay", rate=3e-5, decay=1e-4)
    assert verdict[:2] == (NOT_TESTABLE, "3e-09 a step in Keras")
    assert "An AdamW that takes 1e-04 whatever the rate" in verdict.evidence
    assert judge("weight_decay", rate=3e-4, decay=1e-4).grade == FACT  # 3.0e-8
    assert judge("weight_decay", rate=1, decay=1e-8).grade == CONTRADICTED  # in either way
    weights = np.float32([1, 1.9999999, -0.7, 1e-30, 3e38])
    assert (weights - weights * np.float32(1e-4) * np.float32(3e-5) == weights).all()
    same = judge("weight_decay", evidence(*adam(2, 2)), rate=3e-5, decay=1e-4)
    assert "Adam and AdamW gave the same bits in 1 pairs of runs." in same.evidence


def test_deterministic():
    assert judge("deterministic").grade == NOT_RUN
    verdict = judge("deterministic", evidence(*adam(2, 2)))
    assert verdict[:2] == (SEEN, "the same bits") and verdict.page == "../all_runs#tab-ledger"
    assert judge("deterministic", evidence(*adam(2, 3)))[:2] == (NOT_SEEN, "other bits")
    assert judge("deterministic", evidence(*adam(8, 9)))[:2] == (NOT_SEEN, "other bits")


def test_seeds_far_further_apart_than_others_decide_nothing():
    """Seeds of the recipe and of others are 10 points apart; without the part 80 or 10."""
    others = [
        a_run(errors, name=f"dropout_{i}", dropout=i / 10, seed=seed, **STAND_IN)
        for i, pair in enumerate([(3, 2), (1, 2), (2, 1), (3, 4), (2, 3)], 1)
        for seed, errors in enumerate(pair, 1)
    ]
    for last, found, grade in ((10, "+35.00 points", UNDECIDED), (4, "+5.00 points", NOT_SEEN)):
        runs = evidence(*two(2, 2), *two(3, last, seed=2), *others)
        verdict = judge("ablation", runs, without=WITHOUT, measure="accuracy")
        assert verdict[:2] == (grade, found)
        assert effect(runs.runs, WITHOUT, MEASURES["accuracy"]).uneven == (grade == UNDECIDED)


def test_adam_in_place_of_adamw_has_one_answer_in_all_rows():
    """Networks that did not learn, the same bit for bit: the effect is zero, not unknown."""
    found, change = evidence(*adam(9, 9)), {"finetune_optimizer": "adam"}
    verdict = judge("ablation", found, without=change, measure="accuracy")
    assert verdict[:2] == (NOT_TESTABLE, "+0.00 points")
    answer = judge("question", found, change=change)
    assert answer[:2] == (ANSWERED, "+0.00 points")
    same = "The same answers bit for bit (the original's recipe on EfficientNet-Lite0 at 48 px, "
    assert answer.evidence == same + "1 seed)."
    assert verdict.evidence == answer.evidence + " The original does not name its implementation."
    assert judge("deterministic", found)[:2] == (SEEN, "the same bits")
