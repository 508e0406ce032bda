"""What figures draw: their series, values and labels by hand, and colors that everyone sees."""

import itertools
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex, to_rgb
from seaborn.utils import relative_luminance
from test_tables import FILES, LABELS, ORIGINAL, run

from ferbook.core.classes import CLASSES
from ferbook.core.predictions import Predictions
from ferbook.core.recipe import Recipe
from ferbook.paper import plots
from ferbook.paper.chapters.ablations import changes
from ferbook.paper.chapters.ablations import figures as ablations
from ferbook.paper.chapters.ablations import tables as ablations_tables
from ferbook.paper.chapters.results import figures as results
from ferbook.paper.chapters.training import figures as training
from ferbook.results import names, seeds
from ferbook.results.metrics import accuracy_interval, score
from ferbook.results.study import Study

OURS = "our recipe with FER+"

# How linear RGB is seen, complete deficiency. Source: Machado, Oliveira and
# Fernandes, IEEE TVCG 15 (2009) 1291-1298.
VISION = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
GROUNDS = ("#ffffff", "#14181e")  # of the theme's pages, light and dark


def linear(color):
    rgb = np.array(to_rgb(color))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one, two):
    """The ratio of WCAG 2: 21 for black on white."""
    low, high = sorted(linear(color) @ [0.2126, 0.7152, 0.0722] for color in (one, two))
    return (high + 0.05) / (low + 0.05)


def lab(rgb):
    """CIE Lab, white point D65, of a linear RGB color."""
    matrix = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    x, y, z = np.cbrt(matrix @ np.clip(rgb, 0.01, 1) / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_contrast_of_known_pairs():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert lab(np.ones(3)) == pytest.approx([100, 0, 0], abs=0.1)


@pytest.mark.parametrize("ground", GROUNDS)
def test_colors_of_actors_stand_out_from_the_page(ground):
    """WCAG asks 3 to 1 of parts of graphics."""
    assert all(contrast(color, ground) >= 3 for color in plots.COLORS.values())


@pytest.mark.parametrize("vision", VISION)
def test_colors_of_actors_are_told_apart(vision):
    seen = [lab(np.array(VISION[vision]) @ linear(color)) for color in plots.COLORS.values()]
    distances = [np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)]
    assert len(distances) == 15 and min(distances) >= 15


def test_two_series_of_one_actor_differ_in_their_marker():
    first, other, second = plots.styles([OURS, "others", OURS])
    assert first["color"] == second["color"] != other["color"]
    assert first["marker"] == other["marker"] != second["marker"]


def colored(artists):
    return [to_hex(artist.get_facecolor()) for artist in artists]


def test_recalls_are_bars_with_intervals():
    """Angry: images 0 and 7 of 14, the first answered wrongly. The original's 0.65 of 2 is 1.3."""
    figure = results.recalls([run("ours", [0], folder="ours")], ORIGINAL)
    (axes,) = figure.axes
    original, ours = axes.containers[1], axes.containers[3]
    assert axes.get_legend_handles_labels()[1] == [names.ORIGINAL, f"{OURS}, tiny, 48 px"]
    assert original[0].get_height() == 0.65
    assert [bar.get_height() for bar in ours] == [0.5] + [1] * 6
    assert set(colored(ours)) == {plots.COLORS[OURS]}
    ends = original.errorbar.lines[2][0].get_segments()[0][:, 1]
    assert ends == pytest.approx(accuracy_interval(1, 2))


def test_learning_curves_have_the_color_of_the_actor():
    made = run("ours", [0], folder="ours")
    made.history["accuracy"], made.history["phase"] = [0.25, 0.75], ["warmup", "finetune"]
    (axes,) = results.learning_curves(made, "accuracy").axes
    training, validation, end = axes.lines
    assert list(training.get_ydata()) == [25, 75] and axes.get_ylabel() == "accuracy, %"
    assert list(validation.get_ydata()) == pytest.approx([50, 1300 / 14])
    assert training.get_color() == validation.get_color() == plots.COLORS[OURS]
    assert training.get_linestyle() != validation.get_linestyle()
    assert list(end.get_xdata()) == [1.5, 1.5]


def test_pareto_names_every_finished_model_in_its_color():
    runs = [run("ours", [], folder="ours"), run("paper", [0], folder="reference")]
    for each, parameters in zip(runs, (1e6, 2e6), strict=True):
        each.info["parameters"] = {"total": parameters}
    frame = ablations_tables.models_frame(runs, {}, ORIGINAL, {"efficientnet_b2": {"total": 3e6}})
    assert frame.iloc[-1][["name", "parameters"]].tolist() == [names.ORIGINAL, 3e6]
    (axes,) = ablations.pareto(frame).axes
    labels = [f"{OURS}, tiny, 48 px", "original\u2019s recipe, tiny, 48 px", names.ORIGINAL]
    assert sorted(text.get_text() for text in axes.texts) == sorted(labels)
    line, ours, paper, _ = axes.lines
    assert (ours.get_xdata()[0], ours.get_ydata()[0]) == (1e6, 100)
    assert paper.get_ydata()[0] == pytest.approx(1300 / 14)
    assert [ours.get_color(), paper.get_color()] == [
        plots.COLORS[OURS], plots.COLORS["original\u2019s recipe"]]  # fmt: skip
    assert list(line.get_ydata()) == [100]


def test_names_of_points_cover_nothing():
    """Three points in a heap, one apart: no name lies over a point or over another name."""
    figure, axes = plt.subplots(figsize=(8, 4))
    x, y = [1, 1.02, 1.04, 2], [1, 1.05, 0.95, 2]
    axes.plot(x, y, "o")
    plots.name_points(axes, x, y, ["one name", "another name", "a third", "far"])
    boxes = [text.get_window_extent() for text in axes.texts if text.get_text()]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    points = axes.transData.transform(np.column_stack([x, y]))
    assert not any(box.contains(*point) for box in boxes for point in points)
    plt.close(figure)


def test_a_name_keeps_off_a_line():
    """Below and to the right of the point, where it would stand else, runs a level line."""
    figure, axes = plt.subplots(figsize=(8, 4))
    axes.plot([1, 3], [2, 2], "o")
    axes.plot([1, 3], [1.9, 1.9])
    plots.name_points(axes, [1], [2], ["a name"])
    level = axes.transData.transform((1, 1.9))[1]
    box = axes.texts[0].get_window_extent()
    assert not box.y0 < level < box.y1
    plt.close(figure)


def test_a_name_without_room_stands_farther_off_and_is_joined_to_its_point():
    figure, axes = plt.subplots(figsize=(8, 4))
    x, y = np.linspace(1, 1.01, 12), np.linspace(1, 1.01, 12)
    axes.plot([0, *x, 2], [0, *y, 2], "o")
    plots.name_points(axes, x, y, [f"a long name, number {i}" for i in range(12)], size=8)
    boxes = [text.get_window_extent() for text in axes.texts if text.get_text()]
    assert len(boxes) == 12
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    lines = [text.arrow_patch for text in axes.texts if not text.get_text()]
    assert lines and None not in lines
    plt.close(figure)


def test_names_at_the_right_stand_in_the_order_of_their_points_and_apart():
    """Two points in a heap are named one text apart, half of it above and half below the heap."""
    figure, axes = plt.subplots(figsize=(8, 4))
    axes.set(xlim=(0, 1), ylim=(0, 10))
    plots.name_at_right(axes, [0.1, 0.2, 0.3], [5, 9, 5], ["low", "top", "high"], ["red"] * 3)
    heights = {text.get_text(): text.xyann[1] for text in axes.texts}
    assert heights["top"] == 9 and heights["low"] < heights["high"]
    assert heights["low"] + heights["high"] == pytest.approx(10)
    boxes = [text.get_window_extent() for text in axes.texts]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    assert [text.xy for text in axes.texts] == [(0.1, 5), (0.2, 9), (0.3, 5)]
    plt.close(figure)


def test_numbers_of_a_heatmap_can_be_read_on_their_cells():
    values = np.linspace(0, 1, 49).reshape(7, 7)
    figure, axes = plots.heatmap(values, CLASSES, ".2f", (5, 5))
    cells = axes.collections[0].get_facecolors()
    for text, cell in zip(axes.texts, cells, strict=True):
        ink = {"white": 1.05, "black": 0.05}[text.get_color()]
        ground = relative_luminance(cell) + 0.05
        assert max(ink, ground) / min(ink, ground) >= 4.5
    plt.close(figure)


def test_a_point_on_another_is_a_ring_around_it():
    """Of three models of one size, the second lies on the first, the third apart."""
    frame = pd.DataFrame({
        "name": ["over", "under", "apart"], "actor": [OURS, names.OTHERS, names.OTHERS],
        "accuracy": [0.7, 0.701, 0.6], "parameters": [1e6] * 3,
    })  # fmt: skip
    (axes,) = ablations.pareto(frame).axes
    assert [text.get_text() for text in axes.texts] == ["under", "over (ring)", "apart"]
    _, under, over, apart = axes.lines
    assert under.get_markerfacecolor() == apart.get_markerfacecolor() == plots.COLORS[names.OTHERS]
    assert over.get_markerfacecolor() == "none" and over.get_markersize() > under.get_markersize()
    assert over.get_markeredgecolor() == plots.COLORS[OURS]


@pytest.mark.parametrize(("value", "shown"), [(0.5, "0.5"), (20, "20"), (5000, "5k"), (2e6, "2M")])
def test_ticks_of_a_logarithmic_axis_are_short(value, shown):
    figure, axes = plt.subplots()
    axes.set(xscale="log")
    plots.readable_logarithms(axes.xaxis)
    assert axes.xaxis.get_major_formatter()(value) == shown
    plt.close(figure)


def test_class_counts_are_bars_without_an_actors_color():
    assert not set(plots.NEUTRALS) & set(plots.COLORS.values())
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]}, index=["x", "y"])
    (axes,) = plots.class_bars(frame, "images", plots.NEUTRALS).axes
    assert [[bar.get_height() for bar in group] for group in axes.containers] == [[1, 2], [3, 4]]
    assert len(LABELS) == 14 and axes.get_ylabel() == "images"


def test_a_failure_is_annotated_with_its_probability_and_what_most_taggers_saw():
    files = np.array(["test/angry/PrivateTest_10131363.jpg", "made-up.jpg"])  # 4 of 10: anger
    probabilities = np.full((2, 7), 0.01)
    probabilities[:, CLASSES.index("sad")] = (0.7, 0.94)
    test = Predictions(files, np.full(2, CLASSES.index("angry"), np.uint8), probabilities)
    faces = SimpleNamespace(files=files, images=np.zeros((2, 48, 48), np.uint8))
    figure = training.failures(faces, SimpleNamespace(test=test), [("angry", "sad")], count=3)
    notes = [axes.get_xlabel() for axes in figure.axes]
    assert notes == ["94%\nundecided", "70%\nanger", ""]


RUNS = [
    run("base", [0, 5]), run("distinct", [0, 5, 6, 7]), run("one", [5]),
    run("base", [0, 5, 6], seed=2), run("distinct", [0, 5], seed=2),
]  # fmt: skip
PLAN = Study("s", "kaggle", {"base": Recipe()}, {"one": {}, "distinct": {}, "never": {}}, {})
LEAKED = frozenset(FILES[:4].tolist())


def test_changes_are_differences_from_the_mean_of_the_recipe_itself():
    """14 images, 10 of them without a copy; image 0 is a copy. The recipe: 12 and 11 right."""
    points = changes.points(PLAN, RUNS, LEAKED)
    frame = changes.differences(points).set_index(["change", "seed"])
    assert list(frame.columns) == list(changes.PARTS)
    assert changes.differences(points[points["change"] != changes.ITSELF]).empty
    assert list(frame.index) == [
        ("without copies in training", 1), ("one", 1), ("without copies in training", 2),
    ]  # fmt: skip
    assert frame["test"].tolist() == pytest.approx([-150 / 14, 150 / 14, 50 / 14])
    assert frame["clean"].tolist() == pytest.approx([-15, 5, 5])
    assert changes.change_numbers(PLAN, RUNS, LEAKED) == pytest.approx({
        "s_one_test": 150 / 14, "s_one_clean": 5, "s_distinct_test": -50 / 14,
        "s_distinct_clean": -5, "s_never_test": np.nan, "s_never_clean": np.nan,
        "s_one_leaked": 25, "s_distinct_leaked": 0, "s_never_leaked": np.nan,
    }, nan_ok=True)  # fmt: skip


def test_changes_have_an_interval_and_holms_p():
    """Each group deviates by the root of 8, as does a mean's difference: t is 2 and 0, 3 degrees"""
    groups = {changes.ITSELF: [-2.0, 2.0], "a": [2.0, 6.0], "b": [-2.0, 2.0], "c": [5.0, 9.0]}
    found = changes._tested(groups, "abc", 3)
    half = 3.1824 * 8**0.5
    assert found["a"][0] == changes._range(4, half) and found["b"][0] == changes._range(0, half)
    single = seeds.compared(groups, changes.ITSELF)
    assert [found[name][1] for name in "abc"] == pytest.approx(
        [2 * single["a"].p, 1, 3 * single["c"].p]
    )
    more = changes._tested(groups | {"d": [9.0]}, "abcd", 4)  # one has one seed
    assert [more[name][1] for name in "abcd"] == pytest.approx(
        [3 * single["a"].p, 1, 4 * single["c"].p, np.nan], nan_ok=True
    )
    assert more["a"][0] == found["a"][0]
    assert more["d"][0] == changes._range(9, 3.1824 * (8 + 4) ** 0.5)
    for values in ([3.0], [3.0, 3.0]):
        assert changes._tested({"a": values, changes.ITSELF: values}, "a", 1) == {}
    assert changes._tested({"a": [1.0, 2.0]}, "a", 1) == {}


def test_the_table_of_changes_has_the_recipe_itself_and_what_was_run():
    table = changes.changes_table(PLAN, RUNS, LEAKED)
    frame = table.frame
    assert list(frame.index) == ["the recipe itself", "one", "without copies in training"]
    assert frame["seeds"].tolist() == [2, 1, 2] and table.label == "tab-s"
    assert frame["accuracy"].tolist() == pytest.approx([11.5 / 14, 13 / 14, 11 / 14])
    assert frame["difference, points"].tolist() == pytest.approx(
        [np.nan, 150 / 14, -50 / 14], nan_ok=True
    )
    clean = frame["difference without near copies, points"].tolist()
    assert clean == pytest.approx([np.nan, 5, -5], nan_ok=True)
    f1s = [score(each.test)["macro"]["f1"] for each in RUNS if each.recipe.name == "base"]
    assert frame["macro F1"].iloc[0] == pytest.approx(sum(f1s) / 2)
    shown = table.formatted().iloc[1]
    assert shown["difference, points"] == "+10.71" and shown["seeds"] == "1"
    assert shown["difference without near copies, points"] == "+5.00"
    nothing = changes.changes_table(PLAN, [], LEAKED).formatted()
    assert nothing.iloc[0].tolist() == ["the recipe itself", "0", "-", "-", "-", "-", "-", "-"]


def test_changes_that_differ_are_told_from_those_within_the_spread_of_seeds():
    """One change loses 4 of 14 images with each seed, one loses 1 and none."""
    runs = [
        run("base", []), run("base", [], seed=2), run("one", [0, 1, 2, 3]),
        run("one", [0, 1, 2, 3], seed=2), run("distinct", [0]), run("distinct", [], seed=2),
    ]  # fmt: skip
    # In fourteenths the pooled variance is 0.5 / 3: t is about 10 and 1 with 3 degrees.
    found = changes.change_words(PLAN, runs, LEAKED)
    like, never = "without copies in training", "never"
    assert found == {
        "s_better": "none", "s_worse": "one", "s_like_seeds": like,
        "s_unlearned": "none", "s_undecided": "none", "s_not_run": never,
    }  # fmt: skip
    nothing = changes.change_words(PLAN, [], LEAKED)
    assert nothing == {
        "s_better": "none", "s_worse": "none", "s_like_seeds": "none", "s_unlearned": "none",
        "s_undecided": "none", "s_not_run": f"one; {like}; {never}",
    }  # fmt: skip


def test_the_seeds_of_a_change_are_told_one_by_one():
    some = [run("one", [0], seed=3), run("one", [], seed=1), run("one", [0, 1], seed=2)]
    found = changes.each_seed_words(
        PLAN, [*some, run("base", []), run("distinct", []), run("base", [], seed=2)]
    )
    assert found == {
        "s_one_each": "100.0%, 85.7% and 92.9%", "s_base_each": "100.0% and 100.0%",
        "s_distinct_each": "100.0%", "s_never_each": "not run",
    }  # fmt: skip


def test_a_change_by_which_the_network_did_not_learn_is_outside_the_noise_of_seeds(monkeypatch):
    """8 and 14 of 14 images wrong, against bases of none; the other change loses 1 and none."""
    monkeypatch.setattr(ablations, "EDGE", 50)
    some = [run("base", []), run("base", [], seed=2), run("distinct", [0]),
            run("distinct", [], seed=2)]  # fmt: skip
    runs = [*some, run("one", list(range(8))), run("one", list(range(14)), seed=2)]
    frame = changes.changes_table(PLAN, runs, LEAKED).frame
    alone = changes.changes_table(PLAN, some, LEAKED).frame
    like = "without copies in training"
    assert frame.loc[like].equals(alone.loc[like])
    assert frame.loc["one", "difference, points"] == pytest.approx(-1100 / 14)
    assert frame.loc["one", ["95% interval", "p"]].isna().all()
    words = changes.change_words(PLAN, runs, LEAKED)
    assert words["s_unlearned"] == "one" and words["s_not_run"] == "never"
    (axes,) = ablations.forest(PLAN, runs, LEAKED).axes
    assert {"did not learn: 21.4% correct", "not run"} <= {t.get_text() for t in axes.texts}
    (bound,) = [band.get_paths()[0].vertices[:, 0].max() for band in axes.collections]
    noise = 100 / 14 * (0.5 / 2) ** 0.5  # of the base, the same twice, and of the other change
    assert bound == pytest.approx(4.3027 * noise, abs=1e-3)


def test_half_the_images_are_learned():
    half = [run("base", []), run("one", list(range(7)))]
    assert changes.unlearned(changes.scores(PLAN, half)).empty
    less = [run("base", []), run("one", list(range(8)))]
    assert list(changes.unlearned(changes.scores(PLAN, less)).index) == ["one"]


def a_gain():
    """Two seeds of the base, with 5 and 6 of 14 images wrong, and of a change, with none."""
    wrong = {"base": (5, 6), "one": (0, 0)}
    return [
        run(name, list(range(count)), seed=seed)
        for name, counts in wrong.items() for seed, count in enumerate(counts, 1)
    ]  # fmt: skip


def test_a_gain_of_less_than_a_point_is_a_gain(monkeypatch):
    runs = a_gain()
    hundredth = changes.points(PLAN, runs, LEAKED)
    hundredth[[*changes.PARTS]] /= 100
    monkeypatch.setattr(changes, "points", lambda *_: hundredth)
    assert changes.change_words(PLAN, runs, LEAKED)["s_better"] == "one"


def test_a_p_of_exactly_the_border_distinguishes_nothing(monkeypatch):
    runs = a_gain()
    p = changes.changes_table(PLAN, runs, LEAKED).frame.loc["one", "p"]
    for border, found in ((p, ("none", "one")), (np.nextafter(p, 1), ("one", "none"))):
        monkeypatch.setattr(changes, "ALPHA", border)
        words = changes.change_words(PLAN, runs, LEAKED)
        assert (words["s_better"], words["s_like_seeds"]) == found


def test_a_change_that_varies_by_far_more_than_the_others_has_a_deviation_of_its_own():
    """Four changes lose one image more with one seed than with the other; one loses 12 and none."""
    names = ("one", "two", "three", "four", "wild")
    plan = Study("s", "kaggle", {"base": Recipe()}, {name: {} for name in names}, {})
    runs = [run("base", []), run("base", [], seed=2)]
    lost = dict(zip(names, [(1, 0), (0, 1), (2, 1), (1, 2), (12, 0)], strict=True))
    for name, counts in lost.items():
        runs += [run(name, list(range(n)), seed=seed) for seed, n in enumerate(counts, 1)]
    frame = changes.changes_table(plan, runs, LEAKED).frame
    alone = changes.changes_table(plan, runs[:-2], LEAKED).frame["95% interval"]
    assert frame["95% interval"].drop("wild").equals(alone)
    points = {name: [-100 * n / 14 for n in counts] for name, counts in lost.items()}
    wild = seeds.compared({"base": [0, 0], **points}, "base")["wild"]
    assert frame.loc["wild", "95% interval"] == changes._range(-600 / 14, wild.error)
    assert changes._range(1, 2.5) == "-1.50\u00a0to\u00a0+3.50"
    assert wild.error > 12.7 * 600 / 14  # Student's with 1 degree of freedom
    words = changes.change_words(plan, runs, LEAKED)
    assert (words["s_undecided"], words["s_like_seeds"]) == ("wild", "one; two; three; four")


def test_forest_has_a_dot_a_seed_in_the_interval_of_no_difference(monkeypatch):
    """In fourteenths of a hundred: the base 12 and 11, the change 10 and 12, so 0.5 + 2 over 2."""
    monkeypatch.setattr(ablations, "EDGE", 50)
    (axes,) = ablations.forest(PLAN, RUNS, LEAKED).axes
    assert [text.get_text() for text in axes.get_yticklabels()] == [
        "one", "without copies in training", "never",
    ]  # fmt: skip
    zero, dots, mean, clean, *second = axes.lines
    assert list(zero.get_xdata()) == [0, 0]
    assert list(dots.get_xdata()) == pytest.approx([150 / 14])
    assert mean.get_xdata()[0] == pytest.approx(150 / 14)
    assert clean.get_xdata()[0] == pytest.approx(5)
    places = [line.get_xdata()[0] for line in second]
    assert places == pytest.approx([-150 / 14, 50 / 14, -50 / 14, -5])
    noise = 100 / 14 * ((0.5 + 2) / 2) ** 0.5
    ends = [band.get_paths()[0].vertices[:, 0].max() for band in axes.collections]
    assert ends == pytest.approx([4.3027 * noise * 1.5**0.5, 4.3027 * noise], abs=1e-3)
    assert [text.get_text() for text in axes.texts] == [
        "+10.71", "+5.00", "\u22123.57", "\u22125.00", "not run", "all", "without near copies",
    ]  # fmt: skip


def test_what_lies_far_out_is_an_arrowhead_at_the_edge(monkeypatch):
    """Of the dots of the test above, those at 10.7 and -10.7 points."""
    monkeypatch.setattr(ablations, "EDGE", 10)
    (axes,) = ablations.forest(PLAN, RUNS, LEAKED).axes
    marks = [(line.get_marker(), line.get_xdata()[0]) for line in axes.lines[1:]]
    assert [mark for mark in marks if mark[0] in "<>"] == [(">", 10), (">", 10), ("<", -10)]
    assert max(abs(place) for _, place in marks) == 10
    ends = [band.get_paths()[0].vertices[:, 0].max() for band in axes.collections]
    assert max(ends) == 10


def test_forest_of_a_study_that_was_not_run_says_so_in_one_line():
    """Runs of the base alone have nothing to be compared with."""
    for runs in ([], [each for each in RUNS if each.recipe.name == "base"]):
        figure = ablations.forest(PLAN, runs, LEAKED)
        assert figure.get_figheight() < 1  # inches
        (axes,) = figure.axes  # Jupyter shows no figure without
        assert [text.get_text() for text in axes.texts] == ["Not run: all 3 changes."]
