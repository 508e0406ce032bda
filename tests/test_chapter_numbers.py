"""Tables, figures and numbers of chapters that show measurements: worked out by hand."""

import contextlib
import math
import re
import shutil
from dataclasses import replace

import matplotlib
import numpy as np
import pytest
from conftest import ROOT

from ferbook.core.classes import CLASSES
from ferbook.core.predictions import Predictions
from ferbook.core.recipe import Recipe
from ferbook.core.structured import read_json
from ferbook.data.faces import Faces
from ferbook.paper import key_numbers
from ferbook.paper.chapters.data import figures as data_figures
from ferbook.paper.chapters.data import prose as data_prose
from ferbook.paper.chapters.data import tables as data_tables
from ferbook.paper.chapters.deployment import figures as deployment_figures
from ferbook.paper.chapters.deployment import prose as deployment_prose
from ferbook.paper.chapters.deployment import tables as deployment_tables
from ferbook.paper.chapters.leak import figures as leak_figures
from ferbook.paper.chapters.performance import detection
from ferbook.paper.chapters.performance import figures as performance_figures
from ferbook.paper.chapters.performance import tables as performance_tables
from ferbook.paper.chapters.training import figures as training_figures
from ferbook.paper.chapters.training import tables as training_tables
from ferbook.paper.plots import COLORS
from ferbook.paper.verification import remake
from ferbook.results.run import Answers

WHERE = {"budget": "full", "hardware": {"cpu": "A", "cores": 2}}
EXPORT = {
    "bytes": 2_500_000, "correct": 3, "total": 4, "accuracy": 0.75, "accuracy_low": 0.30064,
    "accuracy_high": 0.95441, "same_answer": 0.9, "ms_single": 4.0, "ms_batch": 2.0,
}  # fmt: skip
EXPORTED = {
    "run": "ours/a", "hardware": {"cpu": "A", "cores": 2},
    "exports": {"onnx-float32": EXPORT,
                "onnx-int8": EXPORT | {"bytes": 500_000, "accuracy": 0.5, "same_answer": 0.8}},
    "peers": {"fer": {"ms_single": 8.0, "ms_batch": 6.0}, "gone": {}},
    "robustness": [{"total": 7, "correct": 5}],
    "pruning": [{"share": 0.3, "correct": 3, "total": 4}],
}  # fmt: skip


def test_exports_stand_before_packaged_models():
    """One of two test images right, and a peer without answers in the store left out."""
    answers = Predictions(np.array(["a", "b"]), np.array([0, 1], np.uint8), np.eye(7)[[0, 0]])
    peers = {"fer": Answers("fer", {"package": "fer 22.5", "megabytes": 0.5}, answers)}
    table = deployment_tables.exports_table(EXPORTED, peers, "our recipe with FER+")
    assert table.label == "tab-exports" and "run “our recipe with FER+”" in table.caption
    assert table.frame.iloc[0].tolist() == [2.5, 0.75, "30.06\u00a0to\u00a095.44%", 0.9, 4.0, 2.0]
    assert table.frame.iloc[1, :2].tolist() == [0.5, 0.5]
    shown = table.formatted().iloc[2].tolist()
    assert shown == [
        "fer (fer 22.5)",
        "0.5",
        "50.00%",
        "9.45\u00a0to\u00a090.55%",
        "-",
        "8.0",
        "6.0",
    ]


def test_cost_draws_size_against_latency_in_the_actors_color():
    """Slowest first, so that its name is put to the right."""
    answers = Predictions(np.array(["a", "b"]), np.array([0, 1], np.uint8), np.eye(7)[[0, 0]])
    peers = {"fer": Answers("fer", {"package": "p", "megabytes": 0.25}, answers)}
    (axes,) = deployment_figures.cost(deployment_tables.cost_frame(EXPORTED, peers)).axes
    points = [(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines]
    assert points == [(8, 0.25), (4, 2.5), (4, 0.5)]
    assert [line.get_color() for line in axes.lines] == [
        COLORS["others"], COLORS["our recipe with FER+"], COLORS["our recipe with FER+"]
    ]  # fmt: skip
    words = [text.get_text() for text in axes.texts]
    assert words == ["fer (p)\n50.0%", "ONNX, float32\n75.0%", "ONNX, int8\n50.0%"]


def test_pruning():
    """Wilson's interval of 3 in 4 is 30.06 to 95.44 %."""
    frame = deployment_tables.pruning_table(EXPORTED).frame
    assert frame.loc["30%"].tolist() == [4, 0.75, "30.06\u00a0to\u00a095.44%"]


def test_deployment_numbers():
    exports = EXPORTED["exports"] | {"litert-int8": EXPORT | {"accuracy": 0.625}}
    exports["onnx-int8"] = exports["onnx-int8"] | {"ms_single": 5.0}
    assert deployment_prose.deployment_numbers(EXPORTED | {"exports": exports}) == {
        "deployment_hardware": "A, 2 cores", "deployment_ms_single": 4.0,
        "deployment_int8_ms_single": 5.0,
        "deployment_frames": 250.0,  # 1000 / 4 a second
        "deployment_int8_points": -25.0, "deployment_int8_litert_points": -12.5,
        "deployment_float32": 75.0, "deployment_int8_onnx": 50.0, "deployment_int8_litert": 62.5,
        "deployment_int8_same": 80.0,
        "deployment_int8_megabytes": 0.5, "deployment_robustness_images": 7,
    }  # fmt: skip


def test_input_is_compared_round_by_round():
    """8/4 and 9/3 against the folder, 8/2 and 9/9 against arrays: medians 2.5 and 2.5."""
    rounds = {"generator, folder": [4, 3], "generator, arrays": [2, 9], "ours, arrays": [8, 9]}
    frame = performance_tables.input_table({"input": {"sizes": {"96 px": rounds}, **WHERE}}).frame
    assert frame.iloc[2].tolist() == [
        "ours, arrays", 8.5, "2.50 (2.00\u00a0to\u00a03.00)", "2.50 (1.00\u00a0to\u00a04.00)"
    ]  # fmt: skip


def test_operations_are_shares_of_those_that_are_listed():
    step = {"operations": {"MatMul": 30.0, "Mul": 10.0}, **WHERE}
    frame = performance_tables.operation_table({"step": step}).frame
    assert frame.loc["Mul"].tolist() == [10.0, 0.25]


def test_seconds():
    measured = {
        "startup": {"rounds": {"ferbook --help": [0.3, 0.1, 0.2]}},
        "first_step": {"backbone": "tiny", "rounds": {"traced once": [2.0]}, **WHERE},
        "audit": {"growth": [{"n": 1000, "seconds": [1.0, 3.0]}], "images": 35887,
                  "rounds": {"near copies": [5.0], "03_results": [123.4]}},
    }  # fmt: skip
    frame = performance_tables.seconds_table(measured).frame
    assert frame.loc["ferbook --help"].tolist() == ["0.200", "0.100", "0.300", 3]
    assert frame.loc["tiny, first step traced once", "seconds"] == "2.00"
    assert frame.loc["near duplicates among 1,000 random hashes", "seconds"] == "2.00"
    assert frame.loc["execution of 03_results", "seconds"] == "123"
    assert "near duplicates among 35,887 images" in frame.index and len(frame) == 5


def test_memory_is_in_mebibytes():
    """2 MiB and 4 MiB of peak; 1,024 images of 2,048 bytes are 2 MiB."""
    found = {"rounds": {"1024": [2**21, 2**22]}, "image_bytes": 2048, **WHERE}
    frame = performance_tables.memory_table({"memory": found}).frame
    assert frame.loc["1,024"].tolist() == [3.0, 2.0]


def test_detection_counts_faces_and_alarms():
    """3 of 4 faces; of 10 found, 6 against 4 are right: 20 points."""
    scene = {"faces": 4, "scenes": 2,
             "CenterFace": {"found": 3, "seen": 4, "false": 0, "false_on_face": 0},
             "Haar": {"found": 1, "seen": 3, "false": 5, "false_on_face": 2}}  # fmt: skip
    empty = {"faces": 0, "scenes": 9} | {
        k: {"found": 0, "seen": 0, "false": 1, "false_on_face": 0} for k in ("CenterFace", "Haar")
    }
    turned = {"faces": 12, "found": 10, "right_turned_back": 6, "right_left_turned": 4}
    kinds = ("upright", "turned by 30 degrees", "turned by 45 degrees", "dark")
    found = {
        "conditions": dict.fromkeys(kinds, scene) | {"no face": empty}, "found_overlap": 0.4,
        "seconds": {"9 x 9": {"CenterFace": [0.01, 0.03, 0.02], "Haar": [1.0]}}, "data": "made",
        "turned_back": {"0": turned, "30": turned, "45": turned}, **WHERE,
        "first_answer_seconds": [0.5, 0.9, 0.7],
    }  # fmt: skip
    frame = detection.detection_table(found).frame
    shares = ["75 (30\u00a0to\u00a095)", "25 (5\u00a0to\u00a070)"]
    assert frame.loc["upright"].tolist() == ["4 in 2", *shares, 100, 75, "0 (0)", "5 (2)"]
    shown = detection.detection_table(found).formatted().iloc[-1].tolist()
    assert shown == ["no face", "0 in 9", *"----", "1 (0)", "1 (0)"]
    assert detection.time_table(found).frame.loc["9 \u00d7 9"].tolist() == [20.0, 1000.0]
    assert detection.turn_table(found).frame.loc["30 degrees"].tolist() == [
        12, 10, "60 (31\u00a0to\u00a083)", "40 (17\u00a0to\u00a069)"
    ]  # fmt: skip
    for data, of, whose in (
        ("made", "test images of made", "those of made"),
        ("fer2013", "test images of FER-2013", "those of FER-2013"),
        ("synthetic", "faces drawn by a program", "drawn by a program"),
    ):
        caption = detection.detection_table(found | {"data": data}).caption
        assert f"Synthetic scenes: {of} pasted onto" in caption
        assert f"The faces are {whose}." in caption
    numbers = detection.detection_numbers(found)
    assert numbers["bench_faces_centerface_upright"] == "75%"
    assert numbers["bench_faces_haar_seen"] == "75%"
    assert numbers["bench_faces_haar_beside"] == 4 * (5 - 2) + 1
    assert numbers["bench_faces_centerface_beside"] == 1
    assert numbers["bench_faces_haar_more"] == "25%" and numbers["bench_faces_gain_less"] == "+20.0"
    assert numbers["bench_faces_right_upright"] == "60 (31\u00a0to\u00a083)"
    assert numbers["bench_faces_first_answer"] == "0.7" and numbers["bench_faces_empty"] == 9


def test_growth_draws_both_laws_through_the_last_point():
    """From 10 to 100: n log n grows twentyfold, n squared a hundredfold."""
    figure = performance_figures.growth(
        [{"n": 10, "seconds": [1.0, 3.0]}, {"n": 100, "seconds": [40.0]}]
    )
    lines = {line.get_label(): line.get_ydata() for line in figure.axes[0].lines}
    assert lines["measured"].tolist() == [2.0, 40.0]
    assert lines["n log n"] == pytest.approx([2.0, 40.0])
    assert lines["n squared"] == pytest.approx([0.4, 40.0])


def test_class_weights():
    """Fourteen images: of a class with one, 14 / (7 * 1) = 2; of one with two, 1."""
    frame = data_tables.weight_table([1, 2, 2, 2, 2, 2, 3], [1.5] * 7, 1.5).frame
    assert frame.iloc[0].tolist() == [1, 2.0, 1.5] and frame.iloc[1, 1] == 1.0
    assert list(frame.index) == list(CLASSES)


def test_certainty_is_by_taggers():
    dataset = {"ferplus": {"by_votes": {"9": [20, 0.5], "10": [10, 0.9]}}}
    frame = data_tables.certainty_table(dataset).frame
    assert frame.loc[10].tolist() == [10, 0.9] and list(frame.index) == [9, 10]


def test_largest_and_smallest_class_over_all_parts():
    """Of i + 1 and of 3 images in each class, the first has 4 and the last 10."""
    counts = {"Training": dict(zip(CLASSES, range(1, 8), strict=True)),
              "PublicTest": dict.fromkeys(CLASSES, 3)}  # fmt: skip
    assert data_prose.class_numbers({"counts": counts}) == {
        "data_largest_class": "surprise", "data_smallest_class": "angry", "data_largest_ratio": 2.5
    }  # fmt: skip


def test_class_counts_are_bars_by_part():
    tests = {"PublicTest": 1, "PrivateTest": 2}
    counts = {usage: dict.fromkeys(CLASSES, n) for usage, n in tests.items()}
    counts = {"Training": dict(zip(CLASSES, range(7), strict=True)), **counts}
    axes = data_figures.class_counts({"counts": counts}).axes[0]
    bars = {c.get_label(): [bar.get_height() for bar in c] for c in axes.containers}
    assert bars == {"Training": [*range(7)], "PublicTest": [1] * 7, "PrivateTest": [2] * 7}
    assert [label.get_text() for label in axes.get_xticklabels()] == list(CLASSES)


def test_confusion_with_ferplus_is_by_row_and_agrees_on_the_diagonal():
    """Of four angry images, three are seen as neutral, the first of VOTES, and one as anger."""
    rows = {name: [0] * 10 for name in CLASSES} | {"angry": [3, 0, 0, 0, 1, *[0] * 5]}
    axes = data_figures.ferplus_confusion({"ferplus": {"confusion": rows}}).axes[0]
    drawn = np.asarray(axes.collections[0].get_array()).reshape(7, 10)
    assert drawn[0].tolist() == [0.25, 0, 0, 0, 0.75, *[0] * 5] and drawn[1:].sum() == 0
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        "anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise",
        "contempt", "unknown", "no face",
    ]  # fmt: skip


def test_twins_stand_below_the_test_images_that_they_leak():
    """Two test images: one has a copy in training, the other a brighter one with another label."""
    random = np.random.default_rng(0)
    coarse = random.integers(20, 200, (3, 6, 6)).astype(np.uint8)
    one, two, other = coarse.repeat(8, axis=1).repeat(8, axis=2)
    files = ["test/fear/PublicTest_0.jpg", "test/sad/PublicTest_1.jpg", "train/sad/Training_2.jpg",
             "train/happy/Training_3.jpg", "train/fear/Training_4.jpg"]  # fmt: skip
    labels = np.array([CLASSES.index(file.split("/")[1]) for file in files], np.uint8)
    faces = Faces(np.stack([one, two, other, two + 10, one]), labels, np.array(files), "fer2013")
    figure = leak_figures.twins(faces)
    shown = [axes.images[0].get_array() for axes in figure.axes]
    assert [picture[0, 0] for picture in shown] == [one[0, 0]] * 2 + [two[0, 0], two[0, 0] + 10]
    assert [axes.get_xlabel() for axes in figure.axes] == ["fear", "fear", "sad", "happy"]


def test_planted_twins_are_not_shown(faces):
    figure = leak_figures.twins(faces)
    (axes,) = figure.axes
    assert "synthetic faces were planted" in axes.texts[0].get_text()


def test_the_network_says_what_each_phase_trains():
    """Two recipes: what differs has two columns, the rest one; 9 - 2 parameters are trained."""
    other = Recipe(backbone="efficientnet_lite2", image_size=96)
    counts = {"efficientnet_b2": {"total": 9, "trainable": 7},
              "efficientnet_lite2": {"total": 6, "trainable": 5}}  # fmt: skip
    (axes,) = training_figures.network([Recipe(), other], counts).axes
    rows = {row: [] for row in range(-1, 7)}
    for text in sorted(axes.texts, key=lambda text: text.get_position()[0]):
        if text.get_text():
            rows[math.floor(text.get_position()[1])].append(text.get_text())
    assert list(rows.values()) == [
        ["original", "here", "phase 1\n3 epochs\nAdam, 1e-3", "phase 2\n7 epochs\nAdamW, 3e-5"],
        ["gray image", "48 \u00d7 48", "48 \u00d7 48"],
        ["resized, three channels", "260 \u00d7 260", "96 \u00d7 96"],
        [
            "backbone,\nImageNet weights",
            "EfficientNetB2",
            "EfficientNet-Lite2",
            "frozen",
            "trained",
        ],
        ["global average pooling"],
        ["dropout 0.5"],
        ["dense layer, softmax", "7 classes", "7 classes", "trained", "trained"],
        ["parameters that phase 2\ntrains, of all", "7\nof 9", "5\nof 6"],
    ]
    (axes,) = training_figures.network([replace(other, train_batch_norm=True)], counts).axes
    shown = [text.get_text() for text in axes.texts]
    assert "all of 6\nbut statistics" in shown  # which no gradient reaches


def test_parameters_of_networks():
    counts = {"tiny": {"total": 9, "trainable": 7, "multiply_adds": 5}}
    named = training_tables.parameter_table({"efficientnet_b2_260": counts["tiny"]}).frame
    assert list(named.index) == ["EfficientNetB2 at 260 px"]
    frame = training_tables.parameter_table(counts).frame
    assert frame.loc["tiny"].to_dict() == {"parameters": 9, "trainable": 7, "multiply-adds": 5}
    assert key_numbers.parameter_numbers({"efficientnet_b2": counts["tiny"], **counts}) == {
        "paper_model_parameters": 9, "paper_model_trainable": 7,
    }  # fmt: skip


def test_what_the_original_claims():
    """68.78 % of 10 images are 7 right answers; Wilson's interval of 7 in 10."""
    scores = {name: {"f1": f1} for name, f1 in zip(CLASSES, [0.1] * 6 + [0.8], strict=True)}
    original = {
        "accuracy": 0.6878, "parameters_claimed": 9_200_000,
        "table_2": scores | {"overall": {"f1": 0.5}}, "text_recalls": {"happy": 0.881},
    }  # fmt: skip
    found = key_numbers.original_numbers(
        original, {"splits": {"test": 10}, "usages": {"PrivateTest": 5}}
    )
    assert found["original_correct"] == 7 and found["original_accuracy"] == 68.78
    assert found["original_accuracy_low"] == pytest.approx(39.68, abs=0.01)
    assert found["original_accuracy_high"] == pytest.approx(89.22, abs=0.01)
    error = 196 * (2 * 0.6878 * 0.3122 / 10) ** 0.5
    assert found["original_difference_error"] == pytest.approx(error)
    assert found["original_difference_error_private"] == pytest.approx(error * 2**0.5)
    assert found["original_macro_f1"] == pytest.approx(0.2)  # 1.4 / 7
    assert key_numbers.claimed_parameters(original) == {"original_parameters_millions": 9.2}


def test_numbers_of_the_data_set():
    dataset = {
        "images": 20, "splits": {"train": 8, "val": 2, "test": 10}, "leaked_files": ["a", "b"],
        "usages": {"Training": 10, "PublicTest": 5, "PrivateTest": 5}, "constant_files": ["c"],
        "duplicates": {"groups": 1, "images": 3, "surplus": 2, "conflicting_groups": 0},
        "near_duplicates": {"pairs": 4, "mirrored": 1, "same_label": 0.75, "leaked_files": ["d"]},
        "ferplus": {"known": 9, "untied": 8, "agreement": 0.5, "no_face_files": [],
                    "by_class": {"fear": 0.25}},
    }  # fmt: skip
    found = key_numbers.dataset_numbers(dataset)
    assert (found["data_n_leaked"], found["data_n_clean"], found["data_n_pristine"]) == (2, 8, 7)
    assert found["data_leaked_percent"] == 20.0 and found["data_near_same_label_percent"] == 75.0
    assert found["data_n_official_train"] == 10 and found["data_constant_images"] == 1
    assert found["data_ferplus_agreement_fear"] == 25.0 and found["data_surplus_copies"] == 2


def test_means_and_percentages_of_nothing():
    assert key_numbers.mean([1.0, 2.0]) == 1.5 and np.isnan(key_numbers.mean([]))
    assert key_numbers.percent(0.25) == 25.0 and np.isnan(key_numbers.percent(None))


def test_a_count_table_has_totals():
    counts = {"Training": dict.fromkeys(CLASSES, 2), "PublicTest": dict.fromkeys(CLASSES, 1)}
    frame = data_tables.count_table({"name": "fer2013", "counts": counts}).frame
    assert frame.loc["all"].tolist() == [14, 7, 21] and frame.loc["fear", "all"] == 3


@pytest.mark.parametrize("name", ["00_overview", "03_results", "04_ablations", "06_claims"])
def test_a_store_of_one_run_has_every_number_that_the_book_names(tmp_path, name):
    """As in a smoke run, where a missing one would end the rendering."""
    run = "ours-efficientnet_lite2-96-s42"
    shutil.copytree(ROOT / "results/ours" / run, tmp_path / "smoke" / run)
    for file in ("dataset.json", "parameters.json", "test_images.csv.gz"):
        shutil.copy(ROOT / "results" / file, tmp_path)
    source = read_json(ROOT / f"notebooks/{name}.ipynb")
    values = {"results_dir": str(tmp_path)} | ({"study": "smoke"} if name == "03_results" else {})
    with contextlib.chdir(ROOT), matplotlib.rc_context():
        made = [key for cell in remake.cells(source, values) for key, _ in cell.glued]
    own = "".join("".join(c["source"]) for c in source["cells"] if c["cell_type"] == "markdown")
    named = set(re.findall(r"\{glue:text\}`(\w+)(?:`|:[^:])", own))
    for page in [*ROOT.glob("book/*.md"), *ROOT.glob("notebooks/*.py")]:
        text = page.read_text(encoding="utf-8")
        named |= set(re.findall(rf"{name}\.ipynb::(\w+)", text))
    assert len(named) > 5 and named <= set(made), named - set(made)
