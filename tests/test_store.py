"""The result store: what goes in comes out, and nothing half-written is ever seen."""

import dataclasses
import errno
import json
import math
import os
import shutil

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from ferbook.core import files, provenance, structured, writing
from ferbook.core.classes import CLASSES
from ferbook.core.predictions import Predictions
from ferbook.core.recipe import Recipe
from ferbook.results import arrays, image_measures, measurements, store
from ferbook.results.history import HISTORY_COLUMNS
from ferbook.results.metrics import score_sets

RECIPE = Recipe(name="t", backbone="tiny", weights="none", image_size=48)
LEAKED = frozenset({"test/angry/PublicTest_0.jpg"})
TWINS = frozenset({"train/angry/Training_0.jpg"})
FACTS = {
    "dataset": {"name": "synthetic", "fingerprint": "0"}, "seconds": 1.0, "images_seen": 3,
    "parameters": {"total": 1, "trainable": 1}, "hardware": {"cpu": "A", "cores": 2},
}  # fmt: skip


DATASET = {"name": "synthetic", "leaked_files": [], "duplicate_groups": []}


def made_up(folder, usage, n=14):
    random = np.random.default_rng(n)
    labels = (np.arange(n) % 7).astype(np.uint8)
    files = np.array([f"{folder}/{CLASSES[y]}/{usage}_{i}.jpg" for i, y in enumerate(labels)])
    return Predictions(files, labels, random.dirichlet(np.ones(7), n))


def history():
    rows = {name: [0.5, 0.25] for name in HISTORY_COLUMNS}
    return pd.DataFrame(rows | {"phase": "warmup", "epoch": [0, 1]})


def write(results, *, final=True):
    folder = store.run_folder(results, "s", RECIPE)
    val, test = made_up("train", "Training"), made_up("test", "PublicTest")
    twins = {"leaked_files": LEAKED, "val_twins": TWINS}
    store.write_run(folder, RECIPE, history(), val, test if final else None, FACTS, **twins)
    return folder


def test_round_trip(tmp_path):
    folder = write(tmp_path)
    assert folder == tmp_path / "s" / "t-tiny-48-s42"
    (run,) = store.load_study(tmp_path, "s")
    assert run.recipe == RECIPE and run.is_synthetic and len(run.history) == 2
    test = made_up("test", "PublicTest")
    assert run.test.files.tolist() == test.files.tolist()
    np.testing.assert_array_equal(run.test.labels, test.labels)
    np.testing.assert_allclose(run.test.probabilities, test.probabilities, atol=5e-4)
    assert run.test.probabilities.dtype == np.float16
    # Scores are those of the stored arrays, so that anyone can recompute them exactly.
    assert run.info["metrics"] == score_sets(run.val, run.test, LEAKED, TWINS)
    assert run.info["metrics"]["leaked"]["total"] == 1
    assert run.info["metrics"]["val_clean"]["total"] == 13
    assert run.info["recipe"] == dataclasses.asdict(RECIPE) and run.is_final


def test_a_trial_holds_no_test_images(tmp_path):
    folder = write(tmp_path, final=False)
    run = store.load_run(folder)
    assert not run.is_final and len(run.test) == 0 and len(run.val) == 14
    assert set(run.info["metrics"]) == {"val", "val_clean"}
    with np.load(folder / "predictions.npz") as arrays:
        assert not any(name.startswith("test") for name in arrays)
    assert store.load_all(tmp_path) == []
    with pytest.raises(FileNotFoundError, match="no finished run"):
        store.load_study(tmp_path, "s")
    assert [r.name for r in store.load_all(tmp_path, trials=True)] == [run.name]


def test_a_run_is_read_by_its_folder_or_its_file(tmp_path):
    folder = write(tmp_path)
    assert store.load_run(folder / "run.json").name == store.load_run(folder).name == folder.name


def test_what_was_not_measured_is_told_with_what_measures_it(tmp_path):
    measurements.write_facts(tmp_path, "bench", "input", {"rounds": 1})
    found = measurements.load_facts(tmp_path, "bench")
    assert found["input"]["rounds"] == 1 and "step" not in found
    with pytest.raises(files.StoreError, match=r"bench: no measurements of step\. .*: make bench"):
        found["step"]


def test_a_run_of_an_older_form_is_read(tmp_path):
    """Before the recipe was kept whole, four fields stood beside it."""
    folder = write(tmp_path)
    info = json.loads((folder / "run.json").read_text())
    for name in ("backbone", "weights", "image_size", "seed", "grouped_split"):
        del info["recipe"][name]
    del info["final"]
    (folder / "run.json").write_text(json.dumps(info))
    run = store.load_run(folder)
    assert run.recipe == RECIPE and run.is_final


def test_run_json_is_written_last(tmp_path, monkeypatch):
    written = []
    replace = writing.os.replace
    monkeypatch.setattr(writing.os, "replace", lambda a, b: (written.append(b.name), replace(a, b)))
    write(tmp_path)
    assert written == ["predictions.npz", "history.csv", "run.json"]


def test_unfinished_run_is_not_seen(tmp_path, monkeypatch):
    def stop(path, value):
        raise OSError("killed here")

    monkeypatch.setattr(store, "write_json", stop)
    with pytest.raises(OSError, match="killed here"):
        write(tmp_path)
    with pytest.raises(FileNotFoundError, match="no finished run"):
        store.load_study(tmp_path, "s")


def test_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    writing.write_json(path, {"a": 1})

    def full(number):
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(writing.os, "fsync", full)
    with pytest.raises(OSError, match=r"no space left: .*a\.json"):
        writing.write_json(path, {"a": 2})
    assert structured.read_json(path) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def replace_arrays(folder, **changes):
    with np.load(folder / "predictions.npz") as arrays:
        content = dict(arrays)
    np.savez(folder / "predictions.npz", **(content | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"test_label": np.zeros(3, np.uint8)},
        {"test_label": np.full(14, 7, np.uint8)},
        {"test_prob": np.full((14, 7), 0.5, np.float16)},
        {"test_prob": np.ones((14, 6), np.float16) / 6},
        {"val_file": np.array(["same"] * 14)},
        {"val_file": np.array([print] * 14, dtype=object)},  # would need pickle
        {"val_file": np.array("one")},
        {
            f"test_{part}": np.zeros(shape, kind)
            for part, shape, kind in (
                ("file", 0, "U9"),
                ("label", 0, np.uint8),
                ("prob", (0, 7), np.float16),
            )
        },
        {"val_file": np.arange(14)},
        {"val_label": np.full(14, -1)},
        {"val_label": np.full(14, 0.5)},
        {"val_prob": np.array([[2, -1, 0, 0, 0, 0, 0]] * 14, np.float16)},
        {"val_prob": np.full((14, 7), np.nan, np.float16)},
    ],
)
def test_damaged_predictions_are_refused(tmp_path, changes):
    folder = write(tmp_path)
    replace_arrays(folder, **changes)
    with pytest.raises(files.StoreError, match=r"predictions\.npz"):
        store.load_run(folder)


def test_averaged_answers_are_never_taken_for_plain_ones(tmp_path):
    folder = write(tmp_path)
    with np.load(folder / "predictions.npz") as arrays:
        content = dict(arrays)
    content["test_prob_tta"] = content.pop("test_prob")
    np.savez(folder / "predictions.npz", **content)
    with pytest.raises(files.StoreError, match="test_prob"):
        store.load_run(folder)


def test_any_altered_byte_loads_or_is_refused(tmp_path):
    folder, random = write(tmp_path), np.random.default_rng(0)
    whole = (folder / "predictions.npz").read_bytes()
    refused = 0
    for _ in range(300):
        altered = bytearray(whole)
        altered[random.integers(len(whole))] = random.integers(256)
        (folder / "predictions.npz").write_bytes(altered)
        try:
            store.load_run(folder)  # a byte may stay the same, or be one that nobody reads
        except files.StoreError:
            refused += 1
    assert refused > 150


def test_an_array_alone_is_no_predictions_file(tmp_path):
    folder = write(tmp_path)
    with open(folder / "predictions.npz", "wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(files.StoreError, match="not a predictions file"):
        store.load_run(folder)


@pytest.mark.parametrize(
    "info", [{}, {"recipe": []}, {"recipe": {"bogus": 1}}, {"recipe": {}, "seed": "x"}]
)
def test_run_json_without_a_recipe_is_refused(tmp_path, info):
    folder = write(tmp_path)
    whole = {"backbone": "tiny", "weights": "none", "image_size": 48, "seed": 42}
    (folder / "run.json").write_text(json.dumps(whole | info if info else {}))
    with pytest.raises(files.StoreError, match=r"run\.json holds no recipe"):
        store.load_run(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seconds": None}, "seconds: expected float. Received: None"),
        ({"dataset": {"name": "fer2013"}}, "dataset: no fingerprint"),
        ({"final": {}}, "final: expected bool"),
        ({"parameters": 5}, "parameters: expected a mapping. Received: 5"),
        ({"hardware": {"cpu": "A", "cores": "2"}}, "hardware: cores: expected int. Received: 2"),
        ({"cpu_seconds": "x"}, "cpu_seconds: expected float. Received: x"),
        ({"device": [1]}, "device: expected a mapping"),
        ({"device": {"kind": "gpu", "names": ["A"]}}, "device: no count"),
    ],
)
def test_run_json_without_what_readers_rely_on_is_refused(tmp_path, change, message):
    folder = write(tmp_path)
    info = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(info | change))
    with pytest.raises(files.StoreError, match=message):
        store.load_run(folder)


def test_without_an_image_that_has_no_twin_there_is_no_clean_accuracy(tmp_path):
    folder = write(tmp_path)
    info = json.loads((folder / "run.json").read_text())
    info["metrics"].pop("val_clean", None)
    (folder / "run.json").write_text(json.dumps(info))
    assert math.isnan(store.load_run(folder).val_clean_accuracy)


def test_arrays_that_unpack_without_end_are_refused(tmp_path):
    folder = write(tmp_path)
    bomb = np.zeros(arrays.MAX_ARRAY_BYTES, np.uint8)
    np.savez_compressed(folder / "predictions.npz", val_label=bomb)
    assert (folder / "predictions.npz").stat().st_size < 200_000
    with pytest.raises(
        files.StoreError, match="unpacks to 100,000,128 bytes, more than 100,000,000"
    ):
        store.load_run(folder)


def test_other_files_of_the_store_are_checked(tmp_path, monkeypatch):
    answers = made_up("test", "PublicTest")
    store.write_answers(tmp_path / "peers/x", {"parameters": [1]}, answers)
    with pytest.raises(files.StoreError, match=r"parameters: expected one of .* Received: \[1\]"):
        store.load_answers(tmp_path, "peers")
    store.write_dataset(tmp_path, {"name": "synthetic", "leaked_files": [1]})
    with pytest.raises(files.StoreError, match="leaked_files: expected a list of"):
        store.load_dataset(tmp_path)
    (tmp_path / "test_images.csv.gz").write_bytes(b"\x1f\x8bno")
    with pytest.raises(files.StoreError, match="not a readable table of images"):
        image_measures.load_images(tmp_path)
    names = pd.Index(["a"] * 5000, name="file")
    measures = pd.DataFrame({"brightness": 0.5, "sharpness": 0.5}, names)
    image_measures.write_images(tmp_path, measures)
    assert len(image_measures.load_images(tmp_path)) == 5000
    monkeypatch.setattr(image_measures, "MAX_TEXT_BYTES", 5000)
    with pytest.raises(files.StoreError, match="unpacks to more than 5,000 bytes"):
        image_measures.load_images(tmp_path)


def test_what_could_not_be_read_again_is_not_written(tmp_path, monkeypatch):
    diverged = history().assign(loss=[0.5, np.nan])
    monkeypatch.setitem(globals(), "history", lambda: diverged)
    with pytest.raises(files.StoreError, match="holds a negative or infinite number, or none"):
        write(tmp_path)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("change", [{"epoch": [7, 7]}, {"epoch": [1, 2]}, {"phase": "anything"}])
def test_history_counts_the_epochs_of_each_phase(tmp_path, change):
    folder = write(tmp_path)
    history().assign(**change).to_csv(folder / "history.csv", index=False)
    with pytest.raises(files.StoreError, match="expected the epochs of warmup and of finetune"):
        store.load_run(folder)


@pytest.mark.parametrize("rows", ["", "\nwarmup,x,x,x,x,x,x,x"])
def test_history_without_numbers_is_refused(tmp_path, rows):
    folder = write(tmp_path)
    (folder / "history.csv").write_text(",".join(HISTORY_COLUMNS) + rows)
    with pytest.raises(files.StoreError, match="expected rows of numbers"):
        store.load_run(folder)


@pytest.mark.parametrize("content", [b"", b"\xc7\xff\x00"])
def test_unreadable_history_is_refused(tmp_path, content):
    folder = write(tmp_path)
    (folder / "history.csv").write_bytes(content)
    with pytest.raises(files.StoreError, match=r"history\.csv: not a readable csv"):
        store.load_run(folder)


def test_other_damage_is_refused(tmp_path):
    folder = write(tmp_path)
    info = (folder / "run.json").read_text()
    (folder / "run.json").write_text(info[:-50])
    with pytest.raises(files.StoreError, match="not JSON"):
        store.load_run(folder)
    (folder / "run.json").write_text(json.dumps(json.loads(info) | {"seed": 1}))
    with pytest.raises(files.StoreError, match="seed: 1 beside the recipe"):
        store.load_run(folder)
    (folder / "run.json").write_text(info)
    (folder / "predictions.npz").write_bytes(b"PK")
    with pytest.raises(files.StoreError, match="not a predictions file"):
        store.load_run(folder)
    write(tmp_path)
    (folder / "history.csv").write_text("a,b\n1,2\n")
    with pytest.raises(files.StoreError, match="expected the columns"):
        store.load_run(folder)


def test_provenance():
    facts = provenance.provenance()
    assert facts["packages"]["numpy"] == np.__version__ and facts["hardware"]["cores"] > 0
    assert {"git_commit", "dirty", "packages", "hardware"} <= set(facts)
    assert {"python", *provenance.PACKAGES} == set(facts["packages"])
    assert facts["git_commit"] is None or len(facts["git_commit"]) == 40
    nowhere = provenance.provenance("/")
    assert nowhere["git_commit"] is None and nowhere["dirty"] is None


def test_dataset_and_parameters_round_trip(tmp_path):
    store.write_dataset(tmp_path / "new", DATASET)
    store.write_parameters(tmp_path / "new", {"tiny": {"total": 1}})
    assert store.load_dataset(tmp_path / "new")["name"] == "synthetic"
    assert store.load_parameters(tmp_path / "new") == {"tiny": {"total": 1}}


@pytest.mark.parametrize("name", ["run.json", "history.csv", "predictions.npz"])
@pytest.mark.parametrize("kind", ["fifo", "device", "sparse"])
def test_what_is_no_plain_file_is_refused_at_once(tmp_path, name, kind):
    path = write(tmp_path) / name
    path.unlink()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.touch()
        os.truncate(path, 10**12)
    with pytest.raises(files.StoreError, match=r"expected a regular file|Expected at most"):
        store.load_run(path.parent)


def test_the_runs_of_a_study_come_by_input_size_not_by_its_digits(tmp_path):
    source = ROOT / "results/reference/paper-efficientnet_lite2-96-s42"
    for size in (128, 96):
        folder = tmp_path / "reference" / source.name.replace("-96-", f"-{size}-")
        shutil.copytree(source, folder)
        info = json.loads((folder / "run.json").read_text())
        info["image_size"] = size
        info["recipe"] |= {"image_size": size} if "image_size" in info["recipe"] else {}
        (folder / "run.json").write_text(json.dumps(info))
    found = store.load_study(tmp_path, "reference")
    assert [run.recipe.image_size for run in found] == [96, 128]
