"""Published tables under arithmetic: what each check says, and under which reading."""

import numpy as np
import pytest
from conftest import ROOT, printed_table

from ferbook.claims import table_audit
from ferbook.claims.published import FOLDER_TEST, TableError, read_table
from ferbook.claims.table_audit import ACCURACY, ALL_AGREE, CLASSES_AGREE, HARMONIC, RECALLS

SECOND = ROOT / "book" / "second.yml"


def found(result, supports, reading="rounded"):
    findings = table_audit.audit_result(result, {"t": supports})
    return {f.check: f for f in findings if f.reading == reading}


def test_the_original_is_possible_on_the_folder_if_rounded_and_nowhere_else():
    (result,), sets = read_table(ROOT / "book" / "original.yml")
    fits = table_audit.readings_that_fit(table_audit.audit_result(result, sets))
    assert fits == {
        (result.name, FOLDER_TEST): ["rounded"],
        (result.name, "PublicTest"): [],
        (result.name, "PrivateTest"): [],
    }


def test_each_check_is_made_under_both_readings():
    result, supports = printed_table(np.array([[2, 1], [1, 2]]))  # 2 of 3: 0.67, 0.6667
    rounded, truncated = found(result, supports), found(result, supports, "truncated")
    assert rounded.keys() == truncated.keys() == {ACCURACY, RECALLS, CLASSES_AGREE, ALL_AGREE}
    assert all(f.possible for f in rounded.values())
    assert rounded[ACCURACY].detail == "4 of 6 right"
    assert rounded[RECALLS].detail == "a 2, b 2"
    assert rounded[ALL_AGREE].detail == "predicted: a 3, b 3"
    assert not any(f.possible for f in truncated.values())
    assert truncated[ACCURACY].detail == "nearest is 4 of 6, 0.66667"
    assert truncated[RECALLS].detail == "impossible for a, b"
    assert truncated[CLASSES_AGREE].detail == "contradictory for a, b"
    cut, _ = printed_table(np.array([[2, 1], [1, 2]]), reading="truncated")
    assert all(f.possible for f in found(cut, supports, "truncated").values())


def test_a_wrong_f1_is_found():
    result, supports = printed_table(np.array([[40, 5], [4, 30]]))
    result.classes["a"]["f1"] += 0.05
    findings = found(result, supports)
    assert findings[CLASSES_AGREE].detail == "contradictory for a"
    assert not findings[ALL_AGREE].possible


def test_a_wrong_accuracy_shows_only_with_all_cells():
    matrix = np.array([[40, 5, 5], [4, 30, 6], [3, 7, 50]])
    findings = found(*printed_table(matrix, accuracy=0.9))
    assert findings[CLASSES_AGREE].possible and not findings[ALL_AGREE].possible


def test_the_second_table_was_printed_in_two_ways_or_measured_elsewhere():
    """32.97, 62.03 and 54.20 % are 2,367, 4,453 and 3,891 of 7,178 if truncated.

    54.50, 32.10 and 56.80 % are 3,912, 2,304 and 4,077 if rounded.
    """
    findings = table_audit.audit_table(SECOND)
    fits = table_audit.readings_that_fit(findings)
    on_folder = {name: readings for (name, place), readings in fits.items() if place == FOLDER_TEST}
    masking, cnns = "Residual masking network", "FER CNNs"
    assert [name for name, readings in on_folder.items() if readings == ["truncated"]] == [
        f"{masking}, scenario 1", f"{masking}, scenario 2", f"{cnns}, scenario 2",
    ]  # fmt: skip
    assert [name for name, readings in on_folder.items() if readings == ["rounded"]] == [
        f"{masking}, scenario 3", f"{cnns}, scenario 1", f"{cnns}, scenario 4",
    ]  # fmt: skip
    assert all(on_folder.values()) and len(on_folder) == 10
    notes = [f for f in findings if f.possible is None]
    assert len(notes) == 9 and "2PR / (P + R)" in notes[0].detail
    assert {f.check for f in notes} == {HARMONIC}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: nothing\n", "expected an accuracy"),
        ("accuracy: 68.78\n", "accuracy: expected fractions from 0 to 1, .*looks like percent"),
        ("accuracy: 0.68785\n", "0.68785 has more digits than printed_to says, 0.0001"),
        ("overall: {recall: 0.505}\n", "overall: recall: 0.505 has more digits"),
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
    result, _ = printed_table(np.array([[40, 5], [4, 30]]))
    with pytest.raises(TableError, match="no number of images for a, b; its classes are"):
        table_audit.audit_result(result)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("accuracy: 0.5\nprinted_to: 2", r"printed_to: expected \{accuracy: 0\.01\} or the like"),
        ("accuracy: 0.5\ntest_set: {a: {x: 3}}", r"'test_set'. Did you mean test_sets\?"),
        ("accuracy: 0.5\nprinted_to: {acc: 0.1}", "unknown key 'acc'"),
        ("results: [{acuracy: 0.5}]", "Did you mean accuracy"),
        ("text_recalls: {hapy: 0.5}", "unknown key 'hapy'. Did you mean happy"),
        ("overall: {precison: 0.5}", "unknown key 'precison'. Did you mean precision"),
        ("results: [{accuracy: 0.5, printed_to: {accuracy: 1.0e-3}}]", "unknown key 'printed_to'"),
        ("results: [{accuracy: 0.5}]\naccuracy: 0.6", "unknown key 'accuracy'"),
        ("results: [{name: a, accuracy: 0.5}, {name: a, accuracy: 0.5}]", "a name of its own"),
        ("accuracy: 0.5\nprinted_to: {accuracy: 1e-4}", "a unit below 1, received '1e-4'"),
        ("accuracy: '0.5'", "fractions from 0 to 1, received '0.5'"),
    ],
)
def test_nothing_of_a_table_is_passed_over(tmp_path, text, message):
    (tmp_path / "t.yml").write_text(text)
    with pytest.raises(TableError, match=message):
        read_table(tmp_path / "t.yml")


def test_recalls_alone_are_checked_and_an_accuracy_of_zero_is_one(tmp_path):
    """0.999 of 111 images of disgust is no whole number; all or 110 of them are 1 and 0.991."""
    (tmp_path / "t.yml").write_text("accuracy: 0.0\ntext_recalls: {disgust: 0.999}")
    (result,), sets = read_table(tmp_path / "t.yml")
    findings = found(result, sets[FOLDER_TEST])
    assert findings.keys() == {ACCURACY, RECALLS} and findings[ACCURACY].possible
    assert findings[RECALLS].detail == "impossible for disgust"
