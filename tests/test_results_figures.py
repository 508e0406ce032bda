"""The figures of the chapter Results, drawn from answers that are counted by hand."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from test_tables import FILES, run

from ferbook.claims.field import Method, Repetition
from ferbook.core.classes import CLASSES
from ferbook.paper import plots
from ferbook.paper.chapters.results import figures, prose, slices
from ferbook.results.metrics import accuracy_interval


def test_the_difference_of_confusions_is_in_points():
    """Images 0 and 7 are angry; the second run takes image 0 for disgust, the next class."""
    figure = figures.confusion_difference(run("base", []), run("one", [0]))
    (axes,) = figure.axes
    cells = [text.get_text() for text in axes.texts]
    assert (
        cells[:3] == ["\u221250.0", "+50.0", "+0.0"]
        and set(cells[3:]) == {"+0.0"}
        and len(cells) == 49
    )
    assert [label.get_text() for label in axes.get_yticklabels()] == list(CLASSES)
    assert axes.get_title() == "one, tiny, 48 px\nminus the recipe itself, tiny, 48 px"
    assert axes.collections[0].get_clim() == (-50, 50)


def test_the_field_has_a_panel_for_each_set_of_test_images():
    """Of 14 test images, 7 are PrivateTest; a wrong one costs a seventh or a fourteenth."""
    methods = [
        Method("A", "a", "70%", "PrivateTest", on_test=True,
               repeated=(Repetition("60%", "again", (1,)), Repetition("65%", "again", (2,)))),
        Method("B", "b", "80%", "PrivateTest"), Method("C", "c", "50%", "not stated"),
    ]  # fmt: skip
    ours = run("ours", [0], folder="ours")
    private, every, unstated = figures.field(methods, [ours], {"accuracy": 0.6878}).axes
    assert [axes.get_title(loc="left") for axes in (private, every, unstated)] == [
        "PrivateTest", "all test images", "not stated"
    ]  # fmt: skip
    named = [label.get_text() for label in every.get_yticklabels()]
    assert named == ["our recipe with FER+,\ntiny, 48 px", "original, as reported"]
    assert [line.get_xdata()[0] for line in every.lines] == pytest.approx([100 * 13 / 14, 68.78])
    span = next(line for line in private.lines if len(line.get_xdata()) == 2)
    assert list(span.get_xdata()) == [60, 65]
    hollow = [line.get_xdata()[0] for line in private.lines if line.get_mfc() == "white"]
    assert hollow == [70] and [line.get_xdata()[0] for line in unstated.lines] == [50]


def test_accuracy_against_input_size_has_a_dot_a_run_and_the_original():
    """Of 14 images, none and two wrong at 48 px, one at 96."""
    runs = [run("paper", []), run("paper", [0, 1], seed=2), run("paper", [0], image_size=96)]
    dots, line, diamond = figures.sizes(runs, {"accuracy": 0.6878}).axes[0].lines
    right = [100, 1200 / 14, 1300 / 14]
    assert list(dots.get_xdata()) == [48, 48, 96] and dots.get_ydata() == pytest.approx(right)
    assert list(line.get_xdata()) == [48, 96] and line.get_ydata() == pytest.approx([right[2]] * 2)
    assert list(diamond.get_xdata()) == [260] and list(diamond.get_ydata()) == [68.78]
    assert prose.size_numbers(runs) == pytest.approx({
        "sizes_smallest_px": 48, "sizes_smallest_accuracy": right[2], "sizes_smallest_seeds": 2,
        "sizes_largest_px": 96, "sizes_largest_accuracy": right[2], "sizes_largest_seeds": 1,
        # By Student with one degree of freedom: two seeds that are 100/7 points apart, and one.
        "sizes_gain": 0, "sizes_gain_error": 12.7062 * 100 / 7 * (1.5 / 2) ** 0.5,
    })  # fmt: skip


def test_the_subject_stands_beside_the_best_on_validation():
    worst, middle, best = run("a", [0, 1]), run("b", [0]), run("c", [])
    assert figures.subject_and_best([worst, best, middle]) == [worst, best]
    assert figures.subject_and_best([best, worst]) == [best]


def test_calibration_has_a_panel_a_run_and_its_error():
    """All answers have confidence 0.94; of the first run's 14, two are wrong: 12 / 14."""
    ours = run("ours", [0, 5], folder="ours")
    ours.__dict__["temperature"] = 1.0
    other = run("paper", [], folder="reference")
    other.__dict__["temperature"] = 1.0
    one, two = figures.reliability([ours, other]).axes
    perfect, trained, fitted = one.lines
    assert list(perfect.get_ydata()) == [0, 100]
    assert trained.get_xdata() == pytest.approx([94])
    assert trained.get_ydata() == pytest.approx([1200 / 14])
    assert [trained.get_linestyle(), fitted.get_linestyle()] == ["--", "-"]
    assert trained.get_color() == plots.COLORS["our recipe with FER+"]
    assert two.lines[1].get_color() == plots.COLORS["original\u2019s recipe"]
    error = 0.94 - 12 / 14
    assert one.texts[0].get_text() == "\n".join([f"T = 1.00: error {error:.1%}"] * 2)
    assert [one.get_title(), two.get_title()] == [ours.label, other.label]


def test_slices_are_dots_with_intervals():
    """Fourteen images by brightness: images 0 to 3 are the lowest quarter, one of them wrong."""
    images = pd.DataFrame({"brightness": range(14), "sharpness": range(14)}, index=FILES)
    runs = [run("ours", [0], folder="ours"), run("paper", [0, 1, 2], folder="reference")]
    (axes,) = slices.slices(runs, images).axes
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert labels[0] == "brightness, lowest quarter (4)" and len(labels) == 8
    assert sum(int(label[-2]) for label in labels[:4]) == 14
    ours, paper = axes.containers
    assert ours.lines[0].get_xdata()[0] == 75 and paper.lines[0].get_xdata()[0] == 25
    ends = ours.lines[2][0].get_segments()[0][:, 0]
    assert ends == pytest.approx([100 * end for end in accuracy_interval(3, 4)])
    assert paper.lines[0].get_color() == plots.COLORS["original\u2019s recipe"]
    shown = axes.get_legend_handles_labels()[1]
    assert shown == [each.label for each in runs]
    assert np.ptp([line.lines[0].get_ydata()[0] for line in (ours, paper)]) < 1


def test_slices_need_no_run_in_full():
    part = run("base", [0])
    part = dataclasses.replace(part, test=part.test.select(np.arange(14) < 8))
    images = pd.DataFrame({"brightness": range(14), "sharpness": range(14)}, index=FILES)
    (axes,) = slices.slices([part], images).axes
    assert axes.get_yticklabels()[0].get_text() == "brightness, lowest quarter (2)"
