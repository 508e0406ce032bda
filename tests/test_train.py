"""Training: a killed run ends as the run that was left alone."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from ferbook import splits, store, train  # noqa: E402
from ferbook.schema import Recipe  # noqa: E402
from ferbook.synthetic import draw_faces  # noqa: E402

RECIPE = Recipe(
    name="t", backbone="tiny", weights="none", image_size=48, warmup_epochs=2, finetune_epochs=4,
    finetune_learning_rate=1e-3, plateau_patience=1,
)  # fmt: skip
SCRIPT = """
import sys
from test_train import RECIPE, faces_to_train
from ferbook import train
train.train(RECIPE, faces_to_train(), study="s", results_dir=sys.argv[1] + "/results",
            runs_dir=sys.argv[1] + "/runs", verbose=0)
"""


def faces_to_train():
    return draw_faces(300, 100)[0]


def start(folder):
    environment = os.environ | {"PYTHONPATH": os.path.dirname(__file__)}
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(folder)], env=environment)


def wait_for(path, process, seconds=120):
    """Until `path` is there; fails when the process ends before or time is up."""
    stop = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None and time.monotonic() < stop, f"{path} never came"
        time.sleep(0.005)


def test_killed_run_resumes_to_the_same_end(tmp_path):
    quiet, killed = tmp_path / "quiet", tmp_path / "killed"
    assert start(quiet).wait(300) == 0
    process = start(killed)
    wait_for(killed / "runs/s/t-tiny-48-s42/state.npz", process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (killed / "results/s/t-tiny-48-s42/run.json").exists()
    assert start(killed).wait(300) == 0
    one, two = (store.load_study(folder / "results", "s")[0] for folder in (quiet, killed))
    columns = [c for c in store.HISTORY_COLUMNS if c != "seconds"]
    assert one.history[columns].equals(two.history[columns])
    assert len(one.history) == 6
    np.testing.assert_array_equal(one.test.probabilities, two.test.probabilities)
    assert one.info["metrics"] == two.info["metrics"]
    assert not list((killed / "runs").rglob("*.npz"))  # nothing left behind


def test_finished_run_is_not_trained_again(tmp_path, faces, monkeypatch):
    recipe = Recipe(name="once", backbone="tiny", weights="none", image_size=48, warmup_epochs=1,
                    finetune_epochs=0)  # fmt: skip
    places = {"study": "s", "results_dir": tmp_path / "results", "runs_dir": tmp_path / "runs"}
    folder = train.train(recipe, faces, verbose=0, **places)
    run = store.load_run(folder)
    assert run.is_synthetic and run.label.endswith("(synthetic)") and run.recipe == recipe
    assert run.info["images_seen"] == 175 and run.info["parameters"]["total"] == 24375
    monkeypatch.setattr(train.models, "build_model", lambda _: pytest.fail("trained again"))
    assert train.train(recipe, faces, verbose=0, **places) == folder
    with pytest.raises(ValueError, match="another recipe"):
        train.train(Recipe(**vars(recipe) | {"dropout": 0.1}), faces, **places)
    with pytest.raises(ValueError, match="another data set"):
        train.train(recipe, faces.select(faces.labels < 6), **places)


def test_checkpoint_of_another_recipe_is_in_the_way(tmp_path, faces):
    recipe = Recipe(name="x", backbone="tiny", weights="none", image_size=48)
    checkpoint = train.Checkpoint(tmp_path, recipe, {"name": "synthetic"})
    train._write_state(tmp_path / "state.npz", {"model": []}, checkpoint._about)
    train.Checkpoint(tmp_path, recipe, {"name": "synthetic"})
    with pytest.raises(ValueError, match="Delete the folder to start anew"):
        train.Checkpoint(tmp_path, recipe, {"name": "fer2013"})
    (tmp_path / "state.npz").write_bytes(b"half a file")
    with pytest.raises(ValueError, match="not a readable checkpoint"):
        train.Checkpoint(tmp_path, recipe, {"name": "synthetic"})


def batches(part, recipe, epochs):
    return [
        tuple(x.numpy() for x in batch) for batch in train.training_dataset(part, recipe, epochs)
    ]


def test_dataset_depends_on_seed_and_epoch_only(faces):
    part = splits.split(faces).train
    recipe = Recipe(backbone="tiny", weights="none", image_size=48)
    both, second = batches(part, recipe, range(0, 2)), batches(part, recipe, range(1, 2))
    steps = len(both) // 2
    for whole, resumed in zip(both[steps:], second, strict=True):
        for a, b in zip(whole, resumed, strict=True):
            np.testing.assert_array_equal(a, b)
    assert np.abs(both[0][0] - both[steps][0]).max() > 1
    labels = np.concatenate([one_hot.argmax(1) for _, one_hot, _ in both[:steps]])
    assert sorted(labels) == sorted(part.labels)  # every image once an epoch
    weights = splits.class_weights(part.labels, 4.0)
    np.testing.assert_allclose(both[0][2], weights[both[0][1].argmax(1)], rtol=1e-6)


def test_evaluation_sees_the_images_as_they_are(faces):
    recipe = Recipe(backbone="tiny", weights="none", image_size=48)
    images, one_hot = next(iter(train.evaluation_dataset(faces, recipe)))
    np.testing.assert_allclose(images[..., 0], faces.images[: len(images)], atol=1e-3)
    np.testing.assert_array_equal(one_hot.numpy().argmax(1), faces.labels[: len(images)])
