"""Scores against cases computed by hand."""

import numpy as np
import pytest
import sklearn.metrics
from conftest import ROOT

from ferbook.core.classes import CLASSES
from ferbook.core.predictions import Predictions
from ferbook.results import metrics, store
from ferbook.results.run import run_scores


def predictions(labels, answers, files=None):
    probabilities = np.full((len(labels), 7), 0.05, np.float16)
    probabilities[np.arange(len(labels)), answers] = 0.7
    files = files or [f"test/{CLASSES[y]}/PublicTest_{i}.jpg" for i, y in enumerate(labels)]
    return Predictions(np.array(files), np.array(labels, np.uint8), probabilities)


def test_wilson_interval_of_the_papers_accuracy():
    # By hand: center (k + z^2/2) / (n + z^2), k = 4937, n = 7178, z = 1.959964.
    low, high = metrics.accuracy_interval(4937, 7178)
    z, k, n = 1.959963985, 4937, 7178
    center = (k + z * z / 2) / (n + z * z)
    half = z * np.sqrt(k * (n - k) / n + z * z / 4) / (n + z * z)
    assert low == pytest.approx(center - half, abs=1e-9)
    assert high == pytest.approx(center + half, abs=1e-9)


@pytest.mark.parametrize(("correct", "total"), [(1, 0), (-1, 5), (6, 5)])
def test_interval_refuses_impossible_counts(correct, total):
    with pytest.raises(ValueError, match=f"Received: {correct}, {total}"):
        metrics.accuracy_interval(correct, total)


def test_score_by_hand():
    # angry: 2 of 3 found, 1 false alarm; happy: 1 of 2 found, 1 false alarm; others absent.
    scores = metrics.score(predictions([0, 0, 0, 3, 3], [0, 0, 3, 3, 0]))
    assert (scores["correct"], scores["total"], scores["accuracy"]) == (3, 5, 0.6)
    assert scores["classes"]["angry"] == pytest.approx(
        {"precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3, "support": 3}
    )
    assert scores["classes"]["happy"]["recall"] == 0.5
    assert scores["classes"]["fear"] == {"precision": 0, "recall": 0, "f1": 0, "support": 0}
    assert scores["weighted"]["recall"] == pytest.approx(scores["accuracy"])
    assert scores["macro"]["recall"] == pytest.approx((2 / 3 + 1 / 2) / 7)
    # 3 answers with 0.7 and 2 with 0.05 on the true class.
    assert scores["log_loss"] == pytest.approx(-(3 * np.log(0.7) + 2 * np.log(0.05)) / 5, abs=2e-3)


def test_confused_pairs_are_counted_both_ways_and_equals_share_a_rank():
    """Disgust and fear three times; angry and fear twice, as are happy and sad."""
    found = metrics.confused_pairs(predictions([1, 1, 2, 0, 2, 3, 3], [2, 2, 1, 2, 0, 5, 5]))
    assert found[0] == (3, "disgust", "fear") and len(found) == 21
    assert metrics.confusion_rank(found, "fear", "angry") == (2, 2)
    assert metrics.confusion_rank(found, "happy", "sad") == (2, 2)
    assert metrics.confusion_rank(found, "angry", "disgust") == (4, 0)


def test_confusion_matrix_has_true_classes_in_rows():
    matrix = metrics.confusion_matrix(predictions([2, 2, 6], [2, 6, 6]))
    assert matrix[2, 2] == 1 and matrix[2, 6] == 1 and matrix[6, 6] == 1 and matrix.sum() == 3


def test_named_test_sets():
    files = [
        "test/angry/PrivateTest_1.jpg",
        "test/angry/PublicTest_2.jpg",
        "test/sad/PrivateTest_3.jpg",
    ]
    part = predictions([0, 0, 5], [0, 1, 5], files)
    sets = metrics.named_test_sets(part, frozenset(files[:1]))
    assert {name: len(p) for name, p in sets.items()} == {
        "test": 3,
        "private": 2,
        "clean": 2,
        "leaked": 1,
    }
    assert "leaked" not in metrics.score_sets(part, part, frozenset())
    with pytest.raises(ValueError, match="at least one image"):
        metrics.score(part.select(np.zeros(3, bool)))


def made(probabilities, labels):
    files = np.array([f"test/angry/PublicTest_{i}.jpg" for i in range(len(labels))])
    return Predictions(files, np.array(labels, np.uint8), np.array(probabilities, np.float64))


def test_paired_test_counts_who_alone_is_right():
    labels = [0] * 20
    first = made(np.eye(7)[[0] * 15 + [1] * 5], labels)
    second = made(np.eye(7)[[1] * 2 + [0] * 18], labels)
    test = metrics.paired_test(first, second)
    assert (test["only_first"], test["only_second"]) == (2, 5)
    # Exact binomial: twice the chance of at most 2 heads in 7 throws.
    assert test["p_value"] == pytest.approx(2 * (1 + 7 + 21) / 2**7)
    with pytest.raises(ValueError, match="same images"):
        metrics.paired_test(first, second.select(np.arange(20) > 0))


def test_calibration_of_a_hand_made_case():
    sure = np.full((10, 7), 0.1 / 6)
    sure[:, 0] = 0.9
    found = metrics.calibration(made(sure, [0] * 6 + [1] * 4))
    assert found["ece"] == pytest.approx(0.3) and found["rows"] == [(10, pytest.approx(0.9), 0.6)]


def test_temperature_undoes_overconfidence_and_keeps_answers():
    random = np.random.default_rng(0)
    true = random.dirichlet(np.ones(7), 4000)
    labels = (true.cumsum(1) > random.random((4000, 1))).argmax(1)
    sharpened = true**2 / (true**2).sum(1, keepdims=True)
    part = made(sharpened, labels)
    temperature = metrics.fit_temperature(part)
    assert temperature == pytest.approx(2, rel=0.05)
    cooled = metrics.with_temperature(part, temperature)
    assert metrics.calibration(cooled)["ece"] < metrics.calibration(part)["ece"] / 3
    np.testing.assert_array_equal(cooled.probabilities.argmax(1), sharpened.argmax(1))


@pytest.mark.parametrize(("correct", "total"), [(0, 1), (1, 1), (0, 5), (5, 5)])
def test_interval_takes_the_extremes(correct, total):
    low, high = metrics.accuracy_interval(correct, total)
    assert 0 <= low <= correct / total <= high <= 1
    with pytest.raises(ValueError, match="expected 0 <= correct <= total and total > 0"):
        metrics.accuracy_interval(0, 0)


def test_accuracy_is_that_of_score():
    part = predictions([0, 0, 0, 3, 3], [0, 0, 3, 3, 0])
    assert metrics.accuracy(part) == metrics.score(part)["accuracy"] == 0.6
    with pytest.raises(ValueError, match="at least one image"):
        metrics.accuracy(part.select(np.zeros(5, bool)))


def test_two_sets_as_one():
    first, second = predictions([0, 1], [0, 2]), predictions([6], [6], ["test/x/y.jpg"])
    both = metrics.merged(first, second)
    assert both.files.tolist() == [*first.files, "test/x/y.jpg"]
    assert both.labels.tolist() == [0, 1, 6] and both.augmented is None
    np.testing.assert_array_equal(both.probabilities[2], second.probabilities[0])


def test_bins_of_equal_width_and_certainty_in_the_last():
    shares = np.array([0.40, 0.49, 0.51, 0.96, 1.0])
    probabilities = np.repeat((1 - shares)[:, None] / 6, 7, axis=1)
    probabilities[:, 0] = shares
    rows = metrics.calibration(made(probabilities, [0] * 5), bins=2)["rows"]
    assert [n for n, _, _ in rows] == [2, 3]  # certainty makes no bin of its own
    rows = metrics.calibration(made(probabilities, [0] * 5))["rows"]
    assert [n for n, _, _ in rows] == [1, 2, 2]  # of fifteen: from 6/15, from 7/15 and from 14/15


def test_temperature_is_kept_within_bounds():
    half = np.full((4, 7), 0.5 / 6)
    half[:, 0] = 0.5
    assert metrics.fit_temperature(made(half, [0] * 4)) == pytest.approx(np.exp(-2), rel=1e-3)
    sure = np.full((4, 7), 1e-6)
    sure[:, 0] = 1 - 6e-6
    assert metrics.fit_temperature(made(sure, [1] * 4)) == pytest.approx(np.exp(2), rel=1e-3)


def test_stored_rows_are_brought_to_one():
    part = made(np.full((2, 7), 0.2), [0, 1])
    np.testing.assert_allclose(metrics.renormalized(part), 1 / 7)
    assert metrics.score(part)["log_loss"] == pytest.approx(np.log(7))


def test_scores_by_class_are_plain_numbers_over_all_classes():
    """Classes without an image count in the macro mean, as zero."""
    scores = metrics.score(predictions([0, 0, 1], [0, 0, 1]))
    assert list(scores["classes"]) == list(CLASSES)
    assert scores["macro"] == pytest.approx({"precision": 2 / 7, "recall": 2 / 7, "f1": 2 / 7})
    assert scores["weighted"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert type(scores["classes"]["angry"]["support"]) is int


def stored():
    """Answers on test images in the result store, and one set without most of the classes."""
    runs = [store.load_run(p.parent) for p in sorted(ROOT.glob("results/*/*/run.json"))[::50]]
    answers = store.load_answers(ROOT / "results", "peers").values()
    first = runs[0].test
    return [*(run.val for run in runs), *(run.test for run in runs if run.is_final),
            *(one.test for one in answers), first.select(first.labels < 2)]  # fmt: skip


def test_scores_of_the_store_are_those_of_scikit_learn_to_the_last_digit():
    labels = np.arange(len(CLASSES))
    sure = np.eye(7)[[0, 0]]
    for part in (*stored(), made(sure, [0, 0]), made(sure, [1, 1])):
        scores, pair = metrics.score(part), (part.labels, part.answers)
        shares = metrics.renormalized(part)
        assert scores["log_loss"] == sklearn.metrics.log_loss(part.labels, shares, labels=labels)
        *values, support = sklearn.metrics.precision_recall_fscore_support(
            *pair, labels=labels, zero_division=0.0
        )
        for name, value in zip(("precision", "recall", "f1"), values, strict=True):
            assert [row[name] for row in scores["classes"].values()] == value.tolist()
            assert scores["macro"][name] == value.mean()
            assert scores["weighted"][name] == np.average(value, weights=support)
        assert [row["support"] for row in scores["classes"].values()] == support.tolist()
        counted = sklearn.metrics.confusion_matrix(*pair, labels=labels)
        np.testing.assert_array_equal(metrics.confusion_matrix(part), counted)


def test_scores_of_a_stored_run_are_those_it_was_stored_with():
    path, *_ = sorted(ROOT.glob("results/reference/*/run.json"))
    run, dataset = store.load_run(path.parent), store.load_dataset(ROOT / "results")
    shown = run_scores(run, dataset)
    assert {name: part["correct"] for name, part in shown.items()} == {
        name: part["correct"] for name, part in run.info["metrics"].items()
    }
