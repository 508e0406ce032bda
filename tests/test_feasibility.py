"""Which whole numbers printed scores allow, against counts made by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
from conftest import ROOT, printed_table
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ferbook.claims import feasibility
from ferbook.claims.feasibility import (
    READINGS,
    class_average,
    matching_averages,
    possible_counts,
    possible_hits,
    printed_range,
    solve,
    span,
)
from ferbook.claims.published import FOLDER_TEST, SCORES, TEST_SETS, TableError, read_table

FOLDER, PRIVATE = TEST_SETS[FOLDER_TEST], TEST_SETS["PrivateTest"]


def original():
    return read_table(ROOT / "book" / "original.yml")[0][0]


def test_test_sets_have_the_sizes_that_papers_state():
    assert [sum(n.values()) for n in TEST_SETS.values()] == [7178, 3589, 3589]
    assert FOLDER["disgust"] == 111 and PRIVATE["surprise"] == 416


def test_printed_range():
    assert printed_range(0.69, 0.01) == pytest.approx((0.685, 0.695))
    assert printed_range(0.69, 0.01, "truncated") == pytest.approx((0.69, 0.70))
    low, high = printed_range(0.69, 0.01, "truncated")
    assert low < 0.69 and high < 0.70  # what reads 0.70 is not truncated to 0.69
    with pytest.raises(ValueError, match="reading: expected one of rounded, truncated"):
        printed_range(0.69, 0.01, "cut")


@pytest.mark.parametrize(
    ("value", "total", "unit", "rounded", "truncated"),
    [
        (0.6878, 7178, 1e-4, [4937], []),  # 4,937 is 0.68780, 4,938 is 0.68794
        (0.6878, 3589, 1e-4, [], []),  # 2,468 is 0.68766, 2,469 is 0.68794
        (0.3297, 7178, 1e-4, [], [2367]),  # 0.32976, of the second example
        (0.6203, 7178, 1e-4, [], [4453]),  # 0.62037
        (0.5420, 7178, 1e-4, [], [3891]),  # 0.54207
        (0.5, 4, 1e-2, [2], [2]),
        (0.5, 3, 1e-2, [], []),
        (0.66, 3, 1e-2, [], [2]),
        (0.67, 3, 1e-2, [2], []),
        (1.0, 10, 1e-2, [10], [10]),
        (0.0, 10, 1e-2, [0], [0]),
        (0.685, 200, 1e-2, [136, 137, 138], [137, 138]),  # a rounding interval has both ends
        (0.69, 200, 1e-2, [137, 138, 139], [138, 139]),  # 140 is 0.70, truncated nothing else
    ],
)
def test_possible_counts(value, total, unit, rounded, truncated):
    assert list(possible_counts(value, total, unit)) == rounded
    assert list(possible_counts(value, total, unit, "truncated")) == truncated


def test_the_original_fits_the_folder_by_rounding_alone():
    hits = possible_hits(original(), FOLDER)
    forced = {name: list(k) for name, k in hits.items() if len(k) == 1}
    assert forced == {"disgust": [78], "fear": [427], "happy": [1563], "surprise": [684]}
    private = possible_hits(original(), PRIVATE)
    assert [name for name, k in private.items() if not k] == ["disgust", "surprise"]
    assert solve(original(), FOLDER) and not solve(original(), FOLDER, "truncated")
    for name in ("PublicTest", "PrivateTest"):
        assert not any(solve(original(), TEST_SETS[name], reading) for reading in READINGS)


def test_overall_row_is_weighted_not_macro():
    fits = matching_averages(original(), FOLDER)
    assert fits == {key: ["weighted"] for key in SCORES}
    assert class_average(original(), FOLDER, "macro")["f1"] == pytest.approx(0.66)


def test_averages_of_cut_off_cells_are_too_low():
    """Cells 0.59 and 0.59 may stand for 0.599: their mean reads 0.59 or, if rounded, 0.60."""
    result, supports = printed_table(np.array([[59, 41], [41, 59]]), overall={"recall": 0.60})
    assert matching_averages(result, supports)["recall"] == ["macro", "weighted"]
    assert matching_averages(result, supports, "truncated")["recall"] == []
    result.overall["recall"] = 0.59
    assert matching_averages(result, supports, "truncated")["recall"] == ["macro", "weighted"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=9, max_size=9), st.sampled_from(READINGS))
@example([19, 57, 42, 56, 21, 56, 12, 28, 3], "truncated")  # where HiGHS's presolve errs
@example([19, 57, 42, 56, 21, 55, 21, 28, 7], "truncated")
def test_a_true_table_is_never_called_impossible(cells, reading):
    matrix = np.array(cells).reshape(3, 3)
    result, supports = printed_table(matrix, reading=reading)
    bounds = solve(result, supports, reading)
    for i, name in enumerate(result.classes):
        low, high = bounds[name]["hits"]
        assert low <= matrix[i, i] <= high
        low, high = bounds[name]["predicted"]
        assert low <= matrix[:, i].sum() <= high


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=9, max_size=9), st.sampled_from(READINGS))
def test_a_class_that_a_table_leaves_out_may_have_any_scores(cells, reading):
    matrix = np.array(cells).reshape(3, 3)
    result, supports = printed_table(matrix, reading=reading)
    result.classes.pop("c")
    bounds = solve(result, supports, reading)
    assert bounds.keys() == {"a", "b"}
    assert all(bounds[n]["hits"][0] <= matrix[i, i] <= bounds[n]["hits"][1]
               for i, n in enumerate("ab"))  # fmt: skip


def test_what_a_table_leaves_out_must_still_be_possible():
    """Of a and b 70 of 100 are right; with all 60 of c that makes at most 130 of 160."""
    result, supports = printed_table(
        np.array([[40, 5, 5], [4, 30, 16], [3, 7, 50]]), accuracy=0.8125
    )
    result.classes.pop("c")
    assert solve(result, supports)
    result, supports = printed_table(np.array([[40, 5, 5], [4, 30, 16], [3, 7, 50]]), accuracy=0.82)
    result.classes.pop("c")
    assert not solve(result, supports)


def test_bounds_of_large_test_sets_are_exact():
    """Of two million images of a class, recall 0.50 leaves 990,000 to 1,010,000 right answers."""
    result, supports = printed_table(np.array([[1_000_000, 1_000_000], [1_000_000, 1_000_000]]))
    hits = solve(result, supports)["a"]["hits"]
    assert hits == (990_000, 1_010_000)


def test_cells_that_agree_one_by_one_may_not_agree_together():
    matrix = np.array([[40, 5, 5], [4, 30, 6], [3, 7, 50]])
    assert solve(*printed_table(matrix))
    assert not solve(*printed_table(matrix, accuracy=0.9))


@pytest.mark.parametrize(("score", "by"), [("precision", 0.1), ("f1", 0.05)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_cell_that_is_off_excludes_all_numbers(score, by, sign):
    result, supports = printed_table(np.array([[40, 5, 5], [4, 30, 6], [3, 7, 50]]))
    result.classes["b"][score] += sign * by
    assert not solve(result, supports)


def test_a_recall_of_no_whole_number_excludes_all_others():
    """One of three images right, of two answers: precision 0.50, F1 0.40, and recall 0.33."""
    result, supports = printed_table(np.array([[1, 2], [1, 2]]))
    assert result.classes["a"] == {"precision": 0.5, "recall": 0.33, "f1": 0.4}
    assert solve(result, supports)
    result.classes["a"]["recall"] = 0.5
    assert not solve(result, supports)


def test_no_answers_have_no_precision():
    """All 70 images are taken for b, of which 30 are: nothing is taken for a."""
    result, supports = printed_table(np.array([[10, 30], [10, 20]]))
    result.classes["a"] = dict.fromkeys(("precision", "recall", "f1"), 0.0)
    result.classes["b"] = {"precision": 0.43, "recall": 1.0, "f1": 0.6}
    assert solve(result, supports)
    result.classes["a"]["precision"] = 0.59
    assert not solve(result, supports)


def test_what_the_solver_leaves_open_is_no_verdict(monkeypatch):
    trouble = SimpleNamespace(status=4, x=None, message="numerical difficulties")
    monkeypatch.setattr(feasibility, "milp", lambda *_, **__: trouble)
    with pytest.raises(TableError, match=r"not decided .*numerical difficulties"):
        solve(*printed_table(np.array([[40, 5], [4, 30]])))


def test_what_takes_too_long_is_no_verdict(monkeypatch):
    monkeypatch.setattr(feasibility, "MAX_SECONDS", -1.0)
    with pytest.raises(TableError, match="not decided within"):
        solve(*printed_table(np.array([[40, 5], [4, 30]])))


def test_span():
    assert span(3, 3) == "3" and span(1000, 2000) == "1,000 to 2,000"
