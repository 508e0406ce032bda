"""Arithmetic on published tables, against counts made by hand and tables made from counts."""

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from ferbook.claims import feasibility, published, table_audit
from ferbook.claims.published import TEST_SETS, Published

FOLDER, PRIVATE = TEST_SETS["PublicTest + PrivateTest"], TEST_SETS["PrivateTest"]
UNITS = {"accuracy": 1e-4, "classes": 1e-2, "overall": 1e-2, "recalls": 1e-3}


def original():
    return published.read_table(ROOT / "book" / "original.yml")[0][0]


def printed(matrix, name="made", **changes):
    """What a paper would print for a confusion matrix (true in rows)."""
    hits, true, predicted = np.diag(matrix), matrix.sum(1), matrix.sum(0)
    columns = hits / predicted, hits / true, 2 * hits / (true + predicted)
    names = ["a", "b", "c"][: len(matrix)]
    classes = {
        c: dict(zip(published.SCORES, (round(float(v[i]), 2) for v in columns), strict=True))
        for i, c in enumerate(names)
    }
    accuracy = round(float(hits.sum() / matrix.sum()), 4)
    values = {"accuracy": accuracy, "classes": classes, "overall": {}, "recalls": {}}
    return Published(name, printed_to=UNITS, **(values | changes)), dict(
        zip(names, true.tolist(), strict=True)
    )


def test_test_sets_have_the_sizes_that_papers_state():
    assert [sum(n.values()) for n in TEST_SETS.values()] == [7178, 3589, 3589]
    assert FOLDER["disgust"] == 111 and PRIVATE["surprise"] == 416


@pytest.mark.parametrize(
    ("value", "total", "unit", "counts"),
    [
        (0.6878, 7178, 1e-4, [4937]),
        (0.6878, 3589, 1e-4, []),
        (0.5, 4, 1e-2, [2]),
        (0.5, 3, 1e-2, []),
        (1.0, 10, 1e-2, [10]),
        (0.0, 10, 1e-2, [0]),
        (0.685, 200, 1e-2, [136, 137, 138]),  # both ends of the rounding interval count
    ],
)
def test_possible_counts(value, total, unit, counts):
    assert list(feasibility.possible_counts(value, total, unit)) == counts


def test_the_original_fits_the_folder_and_nothing_else():
    hits = feasibility.possible_hits(original(), FOLDER)
    forced = {name: list(k) for name, k in hits.items() if len(k) == 1}
    assert forced == {"disgust": [78], "fear": [427], "happy": [1563], "surprise": [684]}
    private = feasibility.possible_hits(original(), PRIVATE)
    assert [name for name, k in private.items() if not k] == ["disgust", "surprise"]
    verdicts = {}
    for finding in table_audit.audit_result(original()):
        verdicts.setdefault(finding.test_set, []).append(finding.possible)
    assert all(verdicts["PublicTest + PrivateTest"])
    assert not all(verdicts["PublicTest"]) and not all(verdicts["PrivateTest"])


def test_overall_row_is_weighted_not_macro():
    fits = feasibility.matching_averages(original(), FOLDER)
    assert fits == {key: ["weighted"] for key in published.SCORES}
    assert feasibility.average(original(), FOLDER, "macro")["f1"] == pytest.approx(0.66)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=9, max_size=9))
def test_a_true_table_is_never_called_impossible(cells):
    matrix = np.array(cells).reshape(3, 3)
    result, supports = printed(matrix)
    assert all(f.possible for f in table_audit.audit_result(result, {"true": supports}))
    bounds = feasibility.solve(result, supports)
    for i, name in enumerate(result.classes):
        low, high = bounds[name]["hits"]
        assert low <= matrix[i, i] <= high
        low, high = bounds[name]["predicted"]
        assert low <= matrix[:, i].sum() <= high


def test_cells_that_agree_one_by_one_may_not_agree_together():
    matrix = np.array([[40, 5, 5], [4, 30, 6], [3, 7, 50]])
    result, supports = printed(matrix)
    assert feasibility.solve(result, supports)
    more, _ = printed(matrix, accuracy=0.9)  # each class is still possible by itself
    findings = {f.check: f for f in table_audit.audit_result(more, {"t": supports})}
    assert findings["precision, recall and F1 of a class agree"].possible
    assert not findings["all cells and the accuracy agree"].possible


def test_a_wrong_f1_is_found():
    result, supports = printed(np.array([[40, 5], [4, 30]]))
    result.classes["a"]["f1"] += 0.05
    findings = {f.check: f for f in table_audit.audit_result(result, {"t": supports})}
    assert findings["precision, recall and F1 of a class agree"].detail == "contradictory for a"
    assert not findings["all cells and the accuracy agree"].possible


def test_the_second_table():
    findings = table_audit.audit_table(ROOT / "book" / "second.yml")
    possible = [f.result for f in findings if f.possible]
    assert "Residual masking network" in possible
    assert "Residual masking network, scenario 1" not in possible  # 32.97 % of neither set
    notes = [f for f in findings if f.possible is None]
    assert len(notes) == 9 and "2PR / (P + R)" in notes[0].detail


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: nothing\n", "expected an accuracy"),
        ("accuracy: 68.78\n", "fractions from 0 to 1"),
        ("accuracy: high\n", "not a table"),
        ("accuracy: 0.5\ntable_2: {angry: {precision: 0.5}}\n", "angry: expected precision"),
        ("accuracy: 0.5\ntest_sets: {mine: 3}\n", "not a table"),
        ("results: 3\n", "not a table"),
        ("- a list\n", "expected a mapping"),
    ],
)
def test_wrong_tables_are_refused(tmp_path, text, message):
    path = tmp_path / "table.yml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        table_audit.audit_table(path)


def test_classes_without_a_number_of_images_are_named():
    result, _ = printed(np.array([[40, 5], [4, 30]]))
    with pytest.raises(published.TableError, match="no number of images for a, b"):
        table_audit.audit_result(result)
