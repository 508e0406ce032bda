"""Training: a killed run ends as the run that was left alone."""

import argparse
import dataclasses
import functools
import itertools
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT

tf = pytest.importorskip("tensorflow")

from ferbook.core.recipe import Recipe, RecipeError  # noqa: E402
from ferbook.core.structured import read_yaml  # noqa: E402
from ferbook.data import ferplus, splits  # noqa: E402
from ferbook.data.synthetic import draw_faces  # noqa: E402
from ferbook.results import history, store, study  # noqa: E402
from ferbook.training import (  # noqa: E402
    callbacks,
    checkpoint,
    input_pipeline,
    models,
    optimization,
    train,
)

RECIPE = Recipe(
    name="t", backbone="tiny", weights="none", image_size=48, warmup_epochs=2, finetune_epochs=4,
    finetune_learning_rate=1e-3, plateau_patience=1,
)  # fmt: skip
# At this rate the loss on validation images rises, so that the plateau lowers it.
STEEP = dataclasses.replace(RECIPE, name="steep", finetune_learning_rate=0.1)
# Everything that the paper's recipe leaves out, with phase 2 on two image sizes.
OURS = dataclasses.replace(
    RECIPE, name="o", schedule="cosine", train_batch_norm=True, small_epochs=2,
    small_image_size=32, erasing_probability=0.5, mixup_alpha=0.4, cutmix_alpha=1.0,
    ferplus_loss_weight=0.5, ema_momentum=0.9, deduplicate_train=True, sam_radius=0.05,
)  # fmt: skip
# Two networks, each with heads for the votes and for landmarks.
TAUGHT_TOGETHER = dataclasses.replace(
    RECIPE, name="both", schedule="cosine", co_teaching_share=0.25, ferplus_loss_weight=1.0,
    landmark_loss_weight=5.0,
)  # fmt: skip
SCRIPT = """
import sys
from pathlib import Path
import test_train
recipe, folder = getattr(test_train, sys.argv[2]), Path(sys.argv[1])
if "killed" in sys.argv:
    test_train.end_after_an_epoch()
test_train.train_in(folder, recipe, deterministic="deterministic" in sys.argv)
"""
# The smoke profile, shortened.
QUICK = dataclasses.replace(
    Recipe.from_mapping(read_yaml(ROOT / "configs/quick.yml")), finetune_epochs=2
)


@functools.cache
def faces_to_train():
    return draw_faces(300, 100)[0]


def train_in(folder, recipe, **how):
    places = {"study": "s", "results_dir": folder / "results", "runs_dir": folder / "runs"}
    train.train(recipe, faces_to_train(), verbose=0, **places, **how)


def start(folder, recipe, *more):
    places = os.environ["PYTHONPATH"], os.path.dirname(__file__)  # conftest's, and this folder
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(places)}
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), recipe, *more], env=environment
    )


def end_after_an_epoch():
    """Kills this process as soon as an epoch is in its checkpoint."""
    save = checkpoint.Checkpoint.save

    def save_and_end(self, *arguments, **more):
        save(self, *arguments, **more)
        os.kill(os.getpid(), signal.SIGKILL)

    checkpoint.Checkpoint.save = save_and_end


@pytest.fixture(scope="module")
def left_alone(tmp_path_factory):
    """The folder of a recipe's run that nothing disturbed, trained once."""

    @functools.cache
    def folder_of(recipe):
        folder = tmp_path_factory.mktemp(recipe.name)
        train_in(folder, recipe)
        return folder

    return folder_of


def check_same_end(quiet, killed, recipe):
    """Both runs of `recipe`, in these folders, are the same; returns the first."""
    one, two = (store.load_study(folder / "results", "s")[0] for folder in (quiet, killed))
    name = f"results/s/{recipe.run_name}/predictions.npz"
    assert (quiet / name).read_bytes() == (killed / name).read_bytes()
    columns = [c for c in history.HISTORY_COLUMNS if c != "seconds"]
    assert one.history[columns].equals(two.history[columns])
    # What is kept is what validation saw, averaged weights included; in float16, answers may tie.
    first, second = np.sort(one.val.probabilities, axis=1)[:, -2:].T
    kept, ties = one.info["metrics"]["val"]["accuracy"], (first == second).mean()
    assert one.history["val_accuracy"].max() == pytest.approx(kept, abs=ties + 1e-6)
    np.testing.assert_array_equal(one.test.probabilities, two.test.probabilities)
    np.testing.assert_array_equal(one.test.augmented, two.test.augmented)
    assert one.info["metrics"] == two.info["metrics"] and one.info["cpu_seconds"] > 0
    left = [path.name for path in (killed / "runs").rglob("*.npz")]
    assert left == ["best.npz"]  # for exports
    return one


@pytest.mark.parametrize(
    ("recipe", "kills"), [(STEEP, [1, 3]), (OURS, [2, 4]), (TAUGHT_TOGETHER, [2])]
)
def test_killed_run_resumes_to_the_same_end(tmp_path, left_alone, killed_after, recipe, kills):
    """Killed after so many epochs: 2 end the first phase, and 4 the smaller images."""
    for before, epochs in itertools.pairwise([0, *kills]):
        with killed_after(epochs - before):
            train_in(tmp_path, recipe)
    assert not (tmp_path / f"results/s/{recipe.run_name}/run.json").exists()
    train_in(tmp_path, recipe)
    run = check_same_end(left_alone(recipe), tmp_path, recipe)
    assert len(run.history) == 6
    if recipe == STEEP:  # else the schedule's state would not matter
        assert run.history["learning_rate"][2:].nunique() > 1


SHORT = dataclasses.replace(
    RECIPE, name="short", warmup_epochs=0, finetune_epochs=2, schedule="cosine", batch_size=64
)
LITE = {"backbone": "efficientnet_lite0", "finetune_epochs": 1, "train_batch_norm": True}
PLATEAU = {"schedule": "plateau", "finetune_epochs": 4, "finetune_learning_rate": 0.1}
TWO = {"co_teaching_share": 0.25, "finetune_epochs": 4}


@pytest.mark.parametrize(
    ("both", "change"),
    [
        ({}, {"ferplus_loss_weight": 1.0}),
        ({}, {"landmark_loss_weight": 1.0}),
        ({}, {"class_weight_clip": 1.0}),
        ({}, {"label_smoothing": 0.2}),
        ({}, {"mixup_alpha": 0.4}),
        ({}, {"cutmix_alpha": 1.0}),
        ({}, {"erasing_probability": 1.0}),
        ({}, {"horizontal_flip": False}),
        ({}, {"dropout": 0.0}),
        ({}, {"sam_radius": 0.5}),
        ({}, {"pruned_share": 0.5}),
        ({}, {"deduplicate_train": True}),
        ({}, {"distinct_counts": True}),
        ({}, {"train_images": 100}),
        ({}, {"accumulate": 2}),
        ({}, {"ema_momentum": 0.9}),
        ({}, {"train_batch_norm": True}),
        ({}, {"lr_warmup_fraction": 0.5}),
        ({}, {"pooling": "attention"}),
        ({"weight_decay": 5.0}, {"finetune_optimizer": "adam"}),
        (PLATEAU, {"plateau_factor": 0.9}),
        (TWO, {"co_teaching_share": 0.5}),
        (LITE, {"drop_path_rate": 0.5}),
        (LITE, {"stem_stride": 1}),
    ],
    ids=lambda value: "-".join(value),
)
def test_every_part_of_a_recipe_is_part_of_its_training(
    tmp_path, monkeypatch, left_alone, both, change
):
    """With the same seed, a recipe and the same with one part changed have other losses."""
    votes = np.eye(len(ferplus.EXPRESSIONS), dtype=np.float32)[:1]
    monkeypatch.setattr(ferplus, "expression_shares", lambda files: votes.repeat(len(files), 0))
    points = np.full((1, 5, 2), 20, np.float32)
    monkeypatch.setattr(train, "find_landmarks", lambda images: points.repeat(len(images), 0))
    base = dataclasses.replace(SHORT, **both)
    changed = dataclasses.replace(base, name="changed", **change)
    train_in(tmp_path, changed)
    losses = [
        store.load_run(folder / "results/s" / recipe.run_name).history[["loss", "val_loss"]]
        for folder, recipe in ((left_alone(base), base), (tmp_path, changed))
    ]
    assert not np.allclose(*losses, rtol=1e-6)


def test_the_answers_of_all_teachers_are_learned(tmp_path):
    for recipe in (SHORT, dataclasses.replace(SHORT, name="other", dropout=0.0)):
        train_in(tmp_path, recipe)
    losses = []
    for teachers in ("short", "short other"):
        name = teachers.replace(" ", "_") + "_taught"
        recipe = dataclasses.replace(SHORT, name=name, teachers=teachers)
        train_in(tmp_path, recipe)
        losses.append(store.load_run(tmp_path / "results/s" / recipe.run_name).history["loss"])
    assert not np.allclose(*losses, rtol=1e-6)


def test_who_must_not_know_the_copies_learns_from_none_who_does(tmp_path):
    train_in(tmp_path, SHORT)
    for way in ("teachers", "start_from"):
        pure = dataclasses.replace(SHORT, name="pure", deduplicate_train=True, **{way: "short"})
        with pytest.raises(RecipeError, match=r"deduplicate_train: short-.* learned with False"):
            train_in(tmp_path, pure)


def test_stoppers_lower_the_rate_and_end_a_phase(tmp_path, left_alone, killed_after):
    """Steps too small to change a weight: validation stands still from the first epoch on."""
    rate = 1e-30
    still = dataclasses.replace(
        RECIPE, name="still", warmup_epochs=0, finetune_learning_rate=rate,
        early_stopping_patience=2,
    )  # fmt: skip
    for epochs in (2, 1):  # the last of them stops the phase
        with killed_after(epochs):
            train_in(tmp_path, still)
    train_in(tmp_path, still)
    run = check_same_end(left_alone(still), tmp_path, still)
    np.testing.assert_allclose(run.history["learning_rate"], [rate, rate, 0.3 * rate], rtol=1e-6)


def test_the_same_seed_gives_the_same_bytes_in_new_processes(tmp_path):
    """One left alone, with the ops that are deterministic on a GPU too, and one that is killed.

    This process may have started TensorFlow with other settings.
    """
    quiet, killed = tmp_path / "quiet", tmp_path / "killed"
    processes = [start(quiet, "QUICK", "deterministic"), start(killed, "QUICK", "killed")]
    assert [process.wait(300) for process in processes] == [0, -signal.SIGKILL]
    assert (killed / f"runs/s/{QUICK.run_name}/state.npz").exists()
    assert not (killed / f"results/s/{QUICK.run_name}/run.json").exists()
    assert start(killed, "QUICK").wait(300) == 0
    assert len(check_same_end(quiet, killed, QUICK).history) == 3
    runs = [store.load_study(side / "results", "s")[0] for side in (quiet, killed)]
    assert [run.info["deterministic"] for run in runs] == [True, False]


@pytest.mark.parametrize("name", ["../x", "", "bench"])
def test_a_study_stays_in_the_store(tmp_path, faces, name):
    with pytest.raises(study.StudyError, match="study: "):
        train.train(RECIPE, faces, study=name, results_dir=tmp_path / "a", runs_dir=tmp_path / "b")
    assert not any(tmp_path.iterdir())


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
    with pytest.raises(
        ValueError, match=r"another recipe .* with dropout=0\.5\. Give yours, with dropout=0\.1, "
    ):
        train.train(Recipe(**vars(recipe) | {"dropout": 0.1}), faces, **places)
    with pytest.raises(ValueError, match=r"with data set synthetic .* yours, with data set "):
        train.train(recipe, faces.select(faces.labels < 6), **places)


def test_checkpoint_of_another_recipe_is_in_the_way(tmp_path, faces):
    recipe = Recipe(name="x", backbone="tiny", weights="none", image_size=48)
    kept = checkpoint.Checkpoint(tmp_path, recipe, {"name": "synthetic"})
    checkpoint._write_state(tmp_path / "state.npz", {"model": []}, kept._about)
    checkpoint.Checkpoint(tmp_path, recipe, {"name": "synthetic"})
    with pytest.raises(ValueError, match="data set synthetic, and not data set fer2013"):
        checkpoint.Checkpoint(tmp_path, recipe, {"name": "fer2013"})
    (tmp_path / "state.npz").write_bytes(b"half a file")
    with pytest.raises(ValueError, match=r"not a readable checkpoint .* Delete .* to start anew"):
        checkpoint.Checkpoint(tmp_path, recipe, {"name": "synthetic"})


def test_weights_are_those_of_the_run_that_asks_for_them(tmp_path):
    """One folder of checkpoints serves two result stores; neither takes the other's weights."""
    faces, recipe = (
        faces_to_train(),
        dataclasses.replace(RECIPE, warmup_epochs=0, finetune_epochs=1),
    )
    places = {"study": "s", "runs_dir": tmp_path / "runs", "verbose": 0}
    train.train(recipe, faces, final=False, results_dir=tmp_path / "a", **places)
    other = dataclasses.replace(recipe, finetune_learning_rate=0.3)
    with pytest.raises(checkpoint.CheckpointError, match=r"finetune_learning_rate=0\.001, and not"):
        train.train(other, faces, results_dir=tmp_path / "b", **places)
    best = tmp_path / "runs/s" / recipe.run_name / "best.npz"
    groups, about = checkpoint._read_state(best)
    about["identity"]["recipe"]["finetune_learning_rate"] = 0.3
    checkpoint._write_state(best, groups, about)
    with pytest.raises(checkpoint.CheckpointError, match=r"finetune_learning_rate=0\.3, and not"):
        train.train(recipe, faces, results_dir=tmp_path / "a", **places)
    checkpoint._write_state(best, groups, {})  # as before it said whose it is
    train.train(recipe, faces, results_dir=tmp_path / "a", **places)


def test_of_a_finished_run_only_its_own_state_is_deleted(tmp_path, killed_after, monkeypatch):
    # Else it would hold for the tests that follow in this process.
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: None)
    faces, recipe = (
        faces_to_train(),
        dataclasses.replace(RECIPE, warmup_epochs=0, finetune_epochs=2),
    )
    places = {"study": "s", "runs_dir": tmp_path / "runs", "verbose": 0}
    train.train(recipe, faces, results_dir=tmp_path / "a", **places)
    with killed_after(1):
        train.train(recipe, faces, results_dir=tmp_path / "b", deterministic=True, **places)
    state = tmp_path / "runs/s" / recipe.run_name / "state.npz"
    train.train(recipe, faces, results_dir=tmp_path / "a", **places)
    assert state.exists()
    here = checkpoint.provenance()
    monkeypatch.setattr(checkpoint, "provenance", lambda: here | {"git_commit": "a later one"})
    folder = train.train(recipe, faces, results_dir=tmp_path / "b", **places)
    assert not state.exists()
    info = store.load_run(folder).info  # not all of it was deterministic, nor of one commit
    assert info["deterministic"] is False and info["device"]["kind"] == "cpu"
    assert info["git_commit"] == here["git_commit"]
    assert info["resumed_with"] == [{"git_commit": "a later one"}]


def test_what_would_train_nothing_is_told(tmp_path, faces):
    recipe = dataclasses.replace(RECIPE, accumulate=1000, ferplus_loss_weight=1.0, ema_momentum=0.0,
                                 sam_radius=0.0, co_teaching_share=0.0)  # fmt: skip
    places = {"study": "s", "results_dir": tmp_path / "r", "runs_dir": tmp_path / "runs"}
    with (
        pytest.warns(UserWarning, match="no training image has votes in FER"),
        pytest.raises(RecipeError, match=r"accumulate: expected at most \d+, the batches of"),
    ):
        train.train(recipe, faces, verbose=0, **places)


def test_a_training_that_diverges_says_so_and_leaves_the_store_as_it_was(tmp_path):
    recipe = dataclasses.replace(RECIPE, warmup_epochs=0, finetune_learning_rate=1e30)
    with pytest.raises(callbacks.DivergedError, match=r"finetune, epoch 1: loss .* diverged"):
        train_in(tmp_path, recipe)
    assert store.load_all(tmp_path / "results") == []


def test_an_epoch_of_one_step_is_trained(tmp_path, faces):
    recipe = dataclasses.replace(RECIPE, warmup_epochs=0, finetune_epochs=2, train_images=20)
    places = {"results_dir": tmp_path, "runs_dir": tmp_path}
    assert len(store.load_run(train.train(recipe, faces, study="s", **places)).history) == 2
    few = dataclasses.replace(recipe, name="few", train_images=5)
    with pytest.raises(splits.DataError, match="train_images: 5 of 175 images"):
        train.train(few, faces, study="s", **places)


def test_a_trial_sees_no_test_image_and_can_be_made_final(tmp_path, monkeypatch):
    faces, recipe = faces_to_train(), dataclasses.replace(RECIPE, finetune_epochs=1)
    places = {"study": "s", "results_dir": tmp_path / "results", "runs_dir": tmp_path / "runs"}
    seen = []
    predict = input_pipeline.predict
    watched = lambda model, part, *more: seen.extend(part.files) or predict(model, part, *more)  # noqa: E731
    monkeypatch.setattr(input_pipeline, "predict", watched)
    folder = train.train(recipe, faces, final=False, verbose=0, **places)
    trial = store.load_run(folder)
    assert not trial.is_final and not any(file.startswith("test/") for file in seen)
    train.train(recipe, faces, verbose=0, **places)
    final = store.load_run(folder)
    assert final.is_final and len(final.test) == 100
    np.testing.assert_array_equal(final.val.probabilities, trial.val.probabilities)
    assert final.history.equals(trial.history)
    assert final.info["finished"] == trial.info["finished"]
    whole = train.train(recipe, faces, verbose=0, **places | {"results_dir": tmp_path / "once"})
    np.testing.assert_array_equal(
        final.test.probabilities, store.load_run(whole).test.probabilities
    )


def test_a_recipe_has_the_first_weights_of_its_seed_its_split_and_a_warm_up_of_the_head(tmp_path):
    """After phase 1 alone, the backbone is the one that the seed gives."""
    faces = dataclasses.replace(faces_to_train(), images=faces_to_train().images.copy())
    faces.images[1::50] = faces.images[::50]  # copies, which a grouped split keeps together
    recipe = dataclasses.replace(RECIPE, seed=43, grouped_split=True, finetune_epochs=0)
    places = {"study": "s", "results_dir": tmp_path / "results", "runs_dir": tmp_path / "runs"}
    run = store.load_run(train.train(recipe, faces, verbose=0, **places))
    network = checkpoint.load_network(run, tmp_path / "runs/s" / run.name / "best.npz")
    train.set_up(recipe)
    first = models.build_model(recipe)
    backbones = [model.get_layer("backbone").get_weights() for model in (network, first)]
    for trained, drawn_first in zip(*backbones, strict=True):
        np.testing.assert_array_equal(trained, drawn_first)
    heads = [model.layers[-1].get_weights()[0] for model in (network, first)]
    assert np.abs(heads[0] - heads[1]).max() > 1e-3
    assert list(run.val.files) == list(splits.split(faces, seed=43, grouped=True).val.files)
    for other in ({"seed": 43}, {"grouped": True}):
        assert list(run.val.files) != list(splits.split(faces, **other).val.files)


def drawn(part, recipe, epochs):
    return [
        tuple(x.numpy() for x in batch)
        for batch in input_pipeline.training_dataset(part, recipe, epochs)
    ]


def test_dataset_depends_on_seed_and_epoch_only(faces):
    part = splits.split(faces).train
    recipe = Recipe(backbone="tiny", weights="none", image_size=48)
    both, second = drawn(part, recipe, range(0, 2)), drawn(part, recipe, range(1, 2))
    steps = len(both) // 2
    for whole, resumed in zip(both[steps:], second, strict=True):
        for a, b in zip(whole, resumed, strict=True):
            np.testing.assert_array_equal(a, b)
    assert np.abs(both[0][0] - both[steps][0]).max() > 1
    labels = np.concatenate([one_hot.argmax(1) for _, one_hot, _ in both[:steps]])
    assert sorted(labels) == sorted(part.labels)  # every image once an epoch
    weights = splits.class_weights(part.labels, 4.0)
    np.testing.assert_allclose(both[0][2], weights[both[0][1].argmax(1)], rtol=1e-6)


def test_each_seed_epoch_and_batch_has_its_own_order_and_augmentation(faces):
    part = splits.split(faces).train
    recipe = Recipe(backbone="tiny", weights="none", image_size=48)
    alike = dataclasses.replace(part, images=np.repeat(part.images[:1], len(part), axis=0))
    other = dataclasses.replace(recipe, seed=43)
    # Of labels, only the order can differ; of one image again and again, only its augmentation.
    labels = [
        np.concatenate([one_hot for _, one_hot, _ in drawn(part, *of)]).argmax(axis=1).tolist()
        for of in ((recipe, range(0, 1)), (recipe, range(1, 2)), (other, range(0, 1)))
    ]
    assert len({tuple(order) for order in [*labels, part.labels.tolist()]}) == 4
    images = [
        image.tobytes()
        for of in ((recipe, range(0, 2)), (other, range(0, 1)))
        for batch in drawn(alike, *of)
        for image in batch[0]
    ]
    assert len(set(images)) == len(images) == 3 * len(part)


def test_evaluation_sees_the_images_as_they_are(faces):
    recipe = Recipe(backbone="tiny", weights="none", image_size=48)
    images, one_hot = next(iter(input_pipeline.evaluation_dataset(faces, recipe)))
    np.testing.assert_allclose(images[..., 0], faces.images[: len(images)], atol=1e-3)
    np.testing.assert_array_equal(one_hot.numpy().argmax(1), faces.labels[: len(images)])


def test_targets_hold_the_shares_of_ferplus(faces):
    assert input_pipeline.targets(faces, RECIPE).shape == (len(faces), 7)
    file = ferplus.crosswalk().index[0]
    part = dataclasses.replace(faces.select(np.arange(2)), files=np.array([file, "not in FER+"]))
    wanted = input_pipeline.targets(part, OURS)
    np.testing.assert_array_equal(wanted[:, :7].argmax(1), part.labels)
    np.testing.assert_allclose(wanted[:, 7:].sum(1), [1, 0], rtol=1e-6)


def test_small_images_come_first(faces):
    part = splits.split(faces).train
    assert input_pipeline.by_size(OURS, range(0, 2)) == [(48, range(0, 2))]
    sizes = input_pipeline.by_size(OURS, range(3, 6))
    assert sizes == [(32, range(3, 4)), (48, range(4, 6))]
    for side, epochs in sizes:
        data = input_pipeline.training_dataset(part, OURS, epochs)
        # Known before any batch is drawn, so that the step is compiled for this size.
        assert data.element_spec[0].shape.as_list() == [None, side, side, 1]
        assert next(iter(data))[0].shape[1] == side
    with pytest.raises(ValueError, match="one phase"):
        input_pipeline.training_dataset(part, OURS, range(1, 4))


def test_cosine_rises_then_falls_to_zero():
    rate = optimization.optimizer("finetune", OURS, 100)._learning_rate
    values = [float(rate(step)) for step in (0, 20, 40, 220, 400)]
    np.testing.assert_allclose(values, [0, 5e-4, 1e-3, 5e-4, 0], atol=1e-8)


def test_adam_and_the_decay_of_the_original_take_the_same_steps():
    """At the original's rate and at that of the grid of its changes, not at a higher decay."""
    grid = study.read_study(ROOT / "configs" / "paper_changes.yml").base
    decaying = dataclasses.replace(grid, weight_decay=0.02)
    for recipe, same in [(Recipe(), True), (grid, True), (decaying, False)]:
        adam, adamw = (
            _after_steps(dataclasses.replace(recipe, finetune_optimizer=name))
            for name in ("adam", "adamw")
        )
        assert np.array_equal(adam, adamw) == same


def _after_steps(recipe):
    """Weights of many sizes after twenty steps along gradients drawn by code."""
    rng = np.random.default_rng(3)
    weights = train.keras.Variable(
        rng.normal(0, 10.0 ** rng.integers(-6, 3, 10_000)).astype(np.float32)
    )
    steps = optimization.optimizer("finetune", recipe, 1)
    for _ in range(20):
        steps.apply([tf.constant(rng.normal(0, 1e-3, 10_000), tf.float32)], [weights])
    return weights.numpy()


def test_sharpness_aware_step_takes_the_gradient_where_the_loss_is_high():
    """By hand, for squares: w becomes w - rate * gradient at w + radius * g / |g|."""
    keras, x, y = train.keras, np.array([[1.0, 2.0]], "float32"), np.array([[3.0]], "float32")
    inputs = keras.Input((2,))
    outputs = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(inputs)
    model = optimization.SharpnessAware(keras.Model(inputs, outputs), radius=0.5)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    w = np.ones(2) + 0.01  # off the minimum
    model.set_weights([w[:, None]])
    model.fit(x, y, sample_weight=np.ones(1), verbose=0)

    def gradient(w):
        return 2 * (x[0] @ w - y[0, 0]) * x[0]

    up = w + 0.5 * gradient(w) / np.linalg.norm(gradient(w))
    np.testing.assert_allclose(model.get_weights()[0][:, 0], w - 0.1 * gradient(up), rtol=1e-5)


def test_a_sharpness_aware_step_without_finite_gradients_goes_nowhere(monkeypatch):
    """As where the scale of the loss is too high for float16."""
    keras = train.keras
    inputs = keras.Input((2,))
    outputs = keras.layers.Dense(1)(keras.layers.BatchNormalization()(inputs))
    model = optimization.SharpnessAware(keras.Model(inputs, outputs), radius=0.5)
    model.compile(keras.optimizers.SGD(0.0), "mse")
    learned, seen = model._gradients, []

    def overflown(*data):
        loss, answers, gradients = learned(*data)
        seen.append([w.numpy().copy() for w in model.trainable_variables])
        return loss, answers, [gradient * np.inf for gradient in gradients]

    monkeypatch.setattr(model, "_gradients", overflown)
    x = train.tf.constant([[1.0, 2.0], [2.0, 1.0]])
    model.train_step((x, train.tf.constant([[3.0], [1.0]]), train.tf.ones(2)))
    for before, after in zip(*seen, strict=True):
        np.testing.assert_array_equal(before, after)
    assert all(np.isfinite(w).all() for w in (v.numpy() for v in model.non_trainable_variables))


def test_sharpness_aware_steps_need_one_device(tmp_path, faces, monkeypatch):
    two = argparse.Namespace(num_replicas_in_sync=2)
    monkeypatch.setattr(optimization, "strategy", lambda: two)
    with pytest.raises(ValueError, match="sam_radius: on one device only"):
        train.train(OURS, faces, study="s", results_dir=tmp_path, runs_dir=tmp_path)


def test_teachers_answers_join_the_labels(faces):
    taught = np.full((len(faces), 7), 1 / 7, np.float32)
    recipe = dataclasses.replace(RECIPE, distillation_share=0.7)
    wanted = input_pipeline.targets(faces, recipe, taught)
    right = wanted[np.arange(len(faces)), faces.labels]
    np.testing.assert_allclose(right, 0.3 + 0.7 / 7, rtol=1e-6)
    np.testing.assert_allclose(wanted.sum(1), 1, rtol=1e-6)


def test_a_run_learns_from_teachers_of_its_study(tmp_path, faces):
    places = {"study": "s", "results_dir": tmp_path / "results", "runs_dir": tmp_path / "runs"}
    short = dataclasses.replace(RECIPE, warmup_epochs=0, finetune_epochs=1)
    taught = dataclasses.replace(short, name="taught", teachers="a b", distillation_share=1)
    assert taught.teacher_runs == ["a-tiny-48-s42", "b-tiny-48-s42"]
    assert dataclasses.replace(taught, teachers="a b@96").teacher_runs[1] == "b-tiny-96-s42"
    for name in taught.teachers.split():
        with pytest.raises(ValueError, match=rf"{name}-tiny-48-s42, from which .* is not trained"):
            train.train(taught, faces, **places)
        train.train(dataclasses.replace(short, name=name), faces, verbose=0, **places)
    found = []
    for share in (0, 1):  # of no weight, they change nothing
        recipe = dataclasses.replace(taught, name=f"taught{share}", distillation_share=share)
        found.append(store.load_run(train.train(recipe, faces, verbose=0, **places)))
    alone = store.load_run(tmp_path / "results/s/a-tiny-48-s42")
    np.testing.assert_array_equal(found[0].test.probabilities, alone.test.probabilities)
    assert np.abs(found[1].test.probabilities - alone.test.probabilities).max() > 1e-3
    with pytest.raises(ValueError, match="a-tiny-48-s42 learned from"):
        train.train(taught, dataclasses.replace(faces, name="other"), **places)


def test_a_step_is_traced_once(faces, monkeypatch):
    traced, original = [], train.keras.Model.train_step
    monkeypatch.setattr(
        train.keras.Model, "train_step", lambda self, data: traced.append(1) or original(self, data)
    )
    model = train.models.build_model(RECIPE)
    optimization.compile_model(model, RECIPE, "finetune", 2)
    model.optimizer.build(model.trainable_variables)  # as the checkpoint does
    data = input_pipeline.training_dataset(splits.split(faces).train, RECIPE, range(1))
    model.fit(data, steps_per_epoch=2, shuffle=False, verbose=0)
    assert traced == [1]


def test_augmentation_in_the_model_is_the_same_run(tmp_path, faces):
    recipe = dataclasses.replace(RECIPE, warmup_epochs=1, finetune_epochs=2)
    runs = []
    for inside in (False, True):
        folder = tmp_path / str(inside)
        places = {"study": "s", "results_dir": folder, "runs_dir": folder / "runs"}
        train.train(recipe, faces, verbose=0, augment_in_model=inside, **places)
        runs += store.load_study(folder, "s")
    one, two = runs
    columns = [c for c in history.HISTORY_COLUMNS if c != "seconds"]
    assert one.history[columns].equals(two.history[columns])
    np.testing.assert_array_equal(one.test.probabilities, two.test.probabilities)


def test_augmentation_in_the_model_resamples_and_no_more(tmp_path, faces):
    places = {"study": "s", "results_dir": tmp_path, "runs_dir": tmp_path}
    with pytest.raises(ValueError, match="needs erasing_probability 0"):
        train.train(OURS, faces, augment_in_model=True, **places)


def test_mirrors_are_averaged(faces):
    recipe = dataclasses.replace(RECIPE, warmup_epochs=1, finetune_epochs=0)
    model = train.models.build_model(recipe)
    there = input_pipeline.predict(model, faces, recipe)
    mirrored = dataclasses.replace(faces, images=faces.images[:, :, ::-1])
    back = input_pipeline.predict(model, mirrored, recipe)
    np.testing.assert_allclose(there.augmented, back.augmented, atol=1e-6)
    mean = (there.probabilities + back.probabilities) / 2
    np.testing.assert_allclose(there.augmented, mean, atol=1e-6)


@pytest.fixture
def eagerly():
    """Steps one by one: the graph of a large network takes longer to trace than to run once."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of TensorFlow about NumPy's arrays
@pytest.mark.parametrize(
    ("profile", "backbone"), [("gpu", "tiny"), ("gpu_ours", "efficientnet_b2")]
)
def test_gpu_profiles_take_a_few_steps(tmp_path, faces, eagerly, profile, backbone):
    """The recipes that were not run, one with their network: a few small images, random weights."""
    recipe = Recipe.from_mapping(read_yaml(ROOT / "configs" / f"{profile}.yml"))
    assert recipe.backbone == "efficientnet_b2"
    tiny = {
        "backbone": backbone,
        "weights": "none",
        "image_size": 48,
        "small_image_size": 32,
        "train_images": 32,
    }
    tiny["warmup_epochs"] = min(1, recipe.warmup_epochs)
    tiny["small_epochs"] = min(1, recipe.small_epochs)
    recipe = dataclasses.replace(recipe, finetune_epochs=1 + tiny["small_epochs"], **tiny)
    folder = train.train(
        recipe, faces, study="s", results_dir=tmp_path, runs_dir=tmp_path, verbose=0
    )
    run = store.load_run(folder)
    assert run.info["backbone"] == backbone and len(run.history) == 2
    assert run.info["images_seen"] == 2 * 32 and np.isfinite(run.history["loss"]).all()
