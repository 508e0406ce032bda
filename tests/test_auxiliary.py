"""What learns beside the classifier, and what a run takes from an earlier one."""

import dataclasses

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from ferbook.core.recipe import Recipe, RecipeError  # noqa: E402
from ferbook.inference.centerface.landmarks import find_landmarks  # noqa: E402
from ferbook.results import store  # noqa: E402
from ferbook.training import (  # noqa: E402  # noqa: E402
    augment,
    auxiliary,
    checkpoint,
    input_pipeline,
    models,
    optimization,
    pruning,
    train,
)

RECIPE = Recipe(
    name="a", backbone="tiny", weights="none", image_size=48, warmup_epochs=1, finetune_epochs=2,
    finetune_learning_rate=1e-3,
)  # fmt: skip
TAUGHT_TOGETHER = dataclasses.replace(
    RECIPE,
    name="both",
    schedule="cosine",
    co_teaching_share=0.25,
    ferplus_loss_weight=1.0,
    landmark_loss_weight=5.0,
)
NAN = np.full(2 * auxiliary.LANDMARKS, np.nan, np.float32)


def network(recipe=RECIPE):
    return models.build_model(recipe)


def test_votes_head_shares_all_but_its_last_layer():
    model = network()
    assert auxiliary.with_auxiliaries(model, Recipe()) is model
    both = auxiliary.with_auxiliaries(model, Recipe(ferplus_loss_weight=0.5))
    images = np.full((2, 48, 48, 1), 90.0, np.float32)
    answers = both(images).numpy()
    assert answers.shape == (2, 15) and len(both.weights) == len(model.weights) + 2
    np.testing.assert_array_equal(answers[:, :7], model(images).numpy())
    np.testing.assert_allclose(answers[:, 7:].sum(1), 1, rtol=1e-6)


def test_answers_stay_in_single_precision():
    auxiliary.keras.config.set_dtype_policy("mixed_float16")
    try:
        both = auxiliary.with_auxiliaries(network(), TAUGHT_TOGETHER)
    finally:
        auxiliary.keras.config.set_dtype_policy("float32")
    assert {layer.output.dtype for layer in both.layers if "heads" in layer.name} == {"float32"}
    assert both.output.dtype == "float32"


def test_networks_that_teach_each_other_share_nothing():
    model = network()
    both = auxiliary.with_auxiliaries(model, TAUGHT_TOGETHER)
    answers = both(np.full((2, 48, 48, 1), 90.0, np.float32)).numpy()
    assert answers.shape == (2, 2 * (7 + 8 + 10))
    np.testing.assert_array_equal(answers[:, :7], model(np.full((2, 48, 48, 1), 90.0)).numpy())
    assert np.abs(answers[:, :7] - answers[:, 25:32]).max() > 1e-6
    models.freeze_backbone(both)
    assert len(both.trainable_weights) == 2 * 3 * 2  # three heads of each
    models.unfreeze(both, RECIPE)
    assert len(both.trainable_weights) == 2 * (3 + 3 * 2)


def test_each_network_leaves_out_what_the_other_finds_hard():
    one, two = np.array([1.0, 2, 3, 4]), np.array([40.0, 30, 20, 10])
    halves = tf.constant(one, tf.float32), tf.constant(two, tf.float32)
    left_out = auxiliary.co_teaching_loss(*halves, 0.25, tf.constant(1.0)).numpy()
    # The first leaves out the first image, the second the last one; three of four are the mean.
    np.testing.assert_allclose(left_out, np.array([40, 2 + 30, 3 + 20, 4]) * 4 / 3)
    at_first = auxiliary.co_teaching_loss(*halves, 0.25, tf.constant(0.0)).numpy()
    np.testing.assert_allclose(at_first, one + two)


def test_the_label_is_smoothed_over_all_classes():
    """By hand: a class of seven has 0.06 / 7 of the target, the label 0.94 more."""
    label, p = np.eye(7, dtype=np.float32)[[2]], np.array([[0.05, 0.1, 0.4, 0.2, 0.1, 0.1, 0.05]])
    losses = auxiliary.loss(tf.constant(label), tf.constant(p, tf.float32), RECIPE)
    assert RECIPE.label_smoothing == 0.06
    by_hand = -np.sum((0.94 * label + 0.06 / 7) * np.log(p), axis=1)
    np.testing.assert_allclose(losses, by_hand, rtol=1e-5)


def test_landmarks_that_are_not_known_add_nothing():
    recipe = dataclasses.replace(RECIPE, landmark_loss_weight=2.0, label_smoothing=0)
    wanted, answers = np.zeros((2, 17), np.float32), np.zeros((2, 17), np.float32)
    wanted[:, 0], answers[:, 0] = 1, 1
    wanted[:, 7:], answers[:, 7:] = 0.1, 0.4
    wanted[1, 7:] = NAN
    with tf.GradientTape() as tape:
        answers = tf.Variable(answers)
        losses = auxiliary.loss(tf.constant(wanted), answers, recipe)
    np.testing.assert_allclose(losses, [2 * 0.3, 0], atol=1e-6)
    steps = tape.gradient(losses, answers).numpy()[:, 7:]
    np.testing.assert_allclose(steps, [[2 / 10] * 10, [0] * 10], atol=1e-6)


def test_landmarks_move_as_the_image_does():
    """A bright pixel at each landmark is found again, at twice the size, where they moved."""
    recipe = dataclasses.replace(Recipe(), zoom_fraction=0.1)
    points = np.array([[12, 17], [33, 18], [23, 28], [17, 35], [31, 34]], np.float32)
    images = np.zeros((20, 48, 48), np.uint8)
    for image, (x, y) in zip(images, np.tile(points, (4, 1)).astype(int), strict=True):
        image[y - 1 : y + 2, x - 1 : x + 2] = 255
    maps = augment.draw_maps(images, recipe, tf.constant([3, 4]), 96)
    shown = augment.resample(images, maps, 96).numpy()[..., 0]
    moved = auxiliary.moved(tf.constant(np.tile(points, (20, 1, 1))), maps, 96).numpy()
    moved = (moved.reshape(20, 5, 2) + 0.5) * 96 - 0.5
    mirrored = np.linalg.det(maps.numpy()) < 0
    assert 0 < mirrored.sum() < 20
    places = np.arange(96)
    for i in range(20):
        at = [1, 0, 2, 4, 3][i % 5] if mirrored[i] else i % 5
        total = shown[i].sum()
        middle = shown[i].sum(0) @ places / total, shown[i].sum(1) @ places / total
        np.testing.assert_allclose(moved[i, at], middle, atol=0.3)


def test_landmarks_of_a_face_are_where_it_has_them(fer2013):
    found = find_landmarks(fer2013.images[::100])
    known = found[~np.isnan(found[:, 0, 0])]
    assert len(known) > 0.8 * len(found)
    left, right, nose, *mouth = known.mean(axis=0)
    assert left[0] < nose[0] < right[0] and mouth[0][0] < nose[0] < mouth[1][0]
    assert max(left[1], right[1]) < nose[1] < min(mouth[0][1], mouth[1][1])
    assert np.isnan(find_landmarks(np.full((1, 48, 48), 90, np.uint8))).all()


def test_an_image_of_two_faces_has_no_landmarks():
    with pytest.raises(RecipeError, match="needs mixup_alpha 0"):
        Recipe(landmark_loss_weight=1.0, mixup_alpha=0.2)


def test_pruning_takes_the_smallest():
    kernels = [np.array([[1.0, -2.0]]), np.array([[3.0, -4.0]])]
    np.testing.assert_array_equal(pruning.pruned(kernels, 0.5), [[[0, 0]], [[3, -4]]])
    assert pruning.pruned(kernels, 0) is kernels
    with pytest.raises(ValueError, match="Received: 1"):
        pruning.pruned(kernels, 1.0)


def test_pruned_weights_stay_at_zero_in_training(faces):
    model = network()
    pruning.prune(model, 0.6)
    models.unfreeze(model, RECIPE)
    optimization.compile_model(model, RECIPE, "finetune", 3)
    before = [kernel.numpy() for kernel in pruning.kernels(model)]
    data = input_pipeline.training_dataset(faces, RECIPE, range(1, 2))
    model.fit(data, steps_per_epoch=3, verbose=0, shuffle=False)
    after = [kernel.numpy() for kernel in pruning.kernels(model)]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(new == 0, old == 0)
    zeros = np.concatenate([kernel.ravel() for kernel in after]) == 0
    assert zeros.mean() == pytest.approx(0.6, abs=1e-3)
    assert max(np.abs(new - old).max() for old, new in zip(before, after, strict=True)) > 1e-4


def test_a_run_starts_from_another_of_its_study(tmp_path, faces):
    places = {"study": "s", "results_dir": tmp_path / "results", "runs_dir": tmp_path / "runs"}
    # Steps too small to change a weight: the run answers as the one that it started from.
    still = dataclasses.replace(
        RECIPE, name="b", warmup_epochs=0, finetune_learning_rate=1e-30, start_from="a"
    )
    with pytest.raises(RecipeError, match="a-tiny-48-s42, from which this run learns, is not"):
        train.train(still, faces, verbose=0, **places)
    train.train(RECIPE, faces, verbose=0, **places)
    first, second = (
        store.load_run(train.train(recipe, faces, verbose=0, **places))
        for recipe in (RECIPE, still)
    )
    np.testing.assert_allclose(second.test.probabilities, first.test.probabilities, atol=1e-6)
    other = dataclasses.replace(still, name="c", ferplus_loss_weight=1.0)
    with pytest.raises(checkpoint.CheckpointError, match="no weights of"):
        train.train(other, faces, verbose=0, **places)
