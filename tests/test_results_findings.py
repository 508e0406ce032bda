"""What the chapter Results says its tables show, counted by hand on fourteen images."""

import math

import numpy as np
import pytest
from test_tables import ORIGINAL, run

from ferbook.core.classes import CLASSES
from ferbook.data import ferplus
from ferbook.paper.chapters.results import prose

# Two images a class; a wrong answer is the next class, so image 2 (fear) is taken for happy.
FEAR, SAD = CLASSES.index("fear"), CLASSES.index("sad")


def test_the_class_that_falls_furthest_below_the_original():
    found = prose.finding_numbers(run("paper", [SAD, SAD + 7, FEAR]), ORIGINAL)
    assert found["reference_fallen_class"] == "sad"
    assert found["reference_fallen_from"] == pytest.approx(56)
    assert found["reference_fallen_to"] == 0
    assert found["reference_fallen_f1_class"] == "sad" and found["reference_fallen_f1_to"] == 0
    assert found["reference_fallen_f1_from"] == pytest.approx(0.57)


def test_rank_of_fear_and_surprise_among_the_pairs():
    """Two images of sad are taken for surprise, one of fear for happy; fear/surprise has none."""
    found = prose.finding_numbers(run("paper", [SAD, SAD + 7, FEAR]), ORIGINAL)
    assert found["reference_confusion_rank_fear_surprise"] == 3
    assert found["reference_confusion_pairs"] == 21


def test_agreement_with_a_second_set_of_labels(monkeypatch):
    """Images 0 to 6 are one of each class; FER+ has a plurality for 0 to 3 and agrees on three."""
    second = np.array([0, 1, 2, 0, *[-1] * 10])
    monkeypatch.setattr(ferplus, "pluralities", lambda files: second)
    monkeypatch.setattr(ferplus, "as_class", lambda found: found)
    found = prose.finding_numbers(run("paper", [0]), ORIGINAL)
    assert found["reference_agrees_labels"] == 75  # 1, 2, 3
    assert found["reference_agrees_ferplus"] == 50  # 1, 2
    monkeypatch.setattr(ferplus, "pluralities", lambda files: np.full(14, -1))
    assert math.isnan(prose.finding_numbers(run("paper", []), ORIGINAL)["reference_agrees_ferplus"])


def test_accuracy_by_the_agreement_of_taggers(monkeypatch):
    votes = np.array([10, 10, 5, 1, 0, *[7] * 9])
    monkeypatch.setattr(ferplus, "certainty", lambda files: votes)
    found = prose.finding_numbers(run("paper", [0, 4]), ORIGINAL)
    assert found["reference_accuracy_unanimous"] == 50
    assert found["reference_accuracy_disputed"] == 100
    monkeypatch.setattr(ferplus, "certainty", lambda files: np.full(14, 7))
    found = prose.finding_numbers(run("paper", []), ORIGINAL)
    assert math.isnan(found["reference_accuracy_unanimous"])
