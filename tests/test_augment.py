"""The one resampling against Keras's ImageDataGenerator and against itself."""

import math

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from keras.src.legacy.preprocessing.image import ImageDataGenerator  # noqa: E402

from ferbook.core.recipe import Recipe  # noqa: E402
from ferbook.training import augment  # noqa: E402


def smooth_image(side, seed=0):
    """A picture without edges, on which two interpolations differ little from one."""
    rows, columns = np.mgrid[0:side, 0:side] / side
    waves = np.random.default_rng(seed).uniform(1, 3, 4)
    picture = np.sin(waves[0] * 3 * rows + waves[1]) + np.cos(waves[2] * 3 * columns + waves[3])
    return (127 + 60 * picture).astype(np.uint8)


def parameters(**values):
    names = ("rotation", "shift_x", "shift_y", "shear", "zoom_x", "zoom_y", "flip")
    neutral = dict.fromkeys(names, 0.0) | {"zoom_x": 1.0, "zoom_y": 1.0}
    return {k: tf.constant([v], tf.float32) for k, v in (neutral | values).items()}


CASES = [
    {"rotation": math.radians(25)},
    {"shift_x": 0.15},
    {"shift_y": -0.1},
    {"shear": math.radians(10)},
    {"zoom_x": 0.75, "zoom_y": 1.25},
    {"flip": 1.0},
    {"rotation": -0.3, "shift_x": 0.1, "shift_y": 0.07, "shear": 0.05, "zoom_x": 1.2,
     "zoom_y": 0.8, "flip": 1.0},
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: "+".join(case))
@pytest.mark.parametrize("side", [48, 96])
def test_same_geometry_as_keras(case, side):
    image = smooth_image(48)
    resized = augment.resize(image[None], side)[0].numpy()
    theirs = ImageDataGenerator(fill_mode="nearest").apply_transform(
        resized,
        {
            "theta": math.degrees(case.get("rotation", 0)),
            "tx": case.get("shift_x", 0) * side,
            "ty": case.get("shift_y", 0) * side,
            "shear": math.degrees(case.get("shear", 0)),
            "zx": case.get("zoom_x", 1),
            "zy": case.get("zoom_y", 1),
            "flip_horizontal": bool(case.get("flip", 0)),
        },
    )
    matrices = augment.transform_matrices(parameters(**case), side)
    whole = augment.resize_matrix(48, side) @ matrices
    ours = augment.resample(image[None], whole, side)[0].numpy()
    # Gray levels of 255. At 48 px there is one interpolation on both sides; at 96 px Keras has
    # a second one, which differs most where the edge pixels are repeated.
    assert np.abs(ours - theirs).max() < (0.1 if side == 48 else 2.5)
    assert np.abs(ours - theirs).mean() < (0.01 if side == 48 else 0.3)


def test_a_wrong_sign_would_be_seen():
    image = smooth_image(48)
    turned = [
        augment.resample(image[None], augment.transform_matrices(parameters(rotation=a), 48), 48)
        for a in (0.4, -0.4)
    ]
    assert np.abs(turned[0] - turned[1]).mean() > 5


@pytest.mark.parametrize("side", [48, 61, 96])
def test_resampling_equals_tensorflows_own_in_every_bit(side):
    images = np.random.default_rng(0).integers(0, 256, (40, 48, 48), np.uint8)
    drawn = augment.draw_parameters(Recipe(), 40, tf.constant([3, 1]))
    maps = augment.resize_matrix(48, side) @ augment.transform_matrices(drawn, side)
    theirs = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(images, tf.float32)[..., None],
        transforms=tf.reshape(maps, (-1, 9))[:, :8],
        output_shape=[side, side],
        fill_mode="NEAREST",
        interpolation="BILINEAR",
        fill_value=0.0,
    )
    np.testing.assert_array_equal(augment.resample(images, maps, side), theirs)


def test_resize_to_the_same_size_changes_nothing():
    image = smooth_image(48)
    np.testing.assert_allclose(augment.resize(image[None], 48)[0, ..., 0], image, atol=1e-3)


def test_resize_agrees_with_tensorflow():
    image = smooth_image(48)[None]
    expected = tf.image.resize(image[..., None], (100, 100), "bilinear")
    np.testing.assert_allclose(augment.resize(image, 100), expected, atol=1e-2)


def test_drawn_parameters_fill_the_papers_ranges():
    drawn = augment.draw_parameters(Recipe(), 20000, tf.constant([42, 0]))
    for name, low, high in (
        ("rotation", -math.radians(25), math.radians(25)),
        ("shift_x", -0.15, 0.15),
        ("shift_y", -0.15, 0.15),
        ("shear", -math.radians(0.1), math.radians(0.1)),
        ("zoom_x", 0.75, 1.25),
        ("zoom_y", 0.75, 1.25),
    ):
        values, width = drawn[name].numpy(), high - low
        assert low <= values.min() < low + 0.01 * width
        assert high - 0.01 * width < values.max() <= high
        assert values.std() == pytest.approx(width / math.sqrt(12), rel=0.02)  # uniform
    assert drawn["flip"].numpy().mean() == pytest.approx(0.5, abs=0.02)
    assert set(np.unique(drawn["flip"])) == {0.0, 1.0}
    assert np.corrcoef(drawn["zoom_x"], drawn["zoom_y"])[0, 1] == pytest.approx(0, abs=0.03)


def test_no_flip_when_switched_off():
    assert (
        not augment.draw_parameters(Recipe(horizontal_flip=False), 50, [1, 2])["flip"].numpy().any()
    )


def test_same_in_a_dataset_as_by_hand():
    images = np.stack([smooth_image(48, seed) for seed in range(4)])
    recipe, seed = Recipe(image_size=60), tf.constant([7, 3])
    by_hand = augment.augment(images, recipe, seed)
    dataset = tf.data.Dataset.from_tensors(images).map(lambda x: augment.augment(x, recipe, seed))
    np.testing.assert_array_equal(next(iter(dataset)), by_hand)
    assert np.abs(by_hand - augment.augment(images, recipe, tf.constant([7, 4]))).max() > 1


def test_erase_puts_one_rectangle_on_chosen_images():
    images = tf.zeros((200, 48, 48, 1))
    seed = tf.constant([1, 2])
    gray = augment.erase(images, 0.5, seed).numpy()[..., 0] == 127
    hit = gray.any(axis=(1, 2))
    assert 70 < hit.sum() < 130
    for mask in gray[hit]:
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        assert mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
        assert len(rows) <= 0.4 * 48 + 1 and len(columns) <= 0.4 * 48 + 1
    assert not (augment.erase(images, 0.0, seed).numpy() == 127).any()


def test_mix_blends_images_targets_and_weights_alike():
    images = tf.reshape(tf.constant([0.0, 10.0, 100.0]), (3, 1, 1, 1))
    targets, weights = tf.eye(3), tf.constant([0.0, 10.0, 100.0])
    x, y, w = augment.mix(images, targets, weights, 0.4, tf.constant([1, 2]))
    share = y.numpy()[0, 0]
    assert 0.5 <= share < 1
    np.testing.assert_allclose(y, share * np.eye(3) + (1 - share) * np.eye(3)[::-1], rtol=1e-6)
    np.testing.assert_allclose(w, [100 * (1 - share), 10, 100 * share], rtol=1e-5)
    np.testing.assert_allclose(x.numpy().ravel(), w, rtol=1e-5)


def test_cut_and_mix_pastes_one_rectangle_and_mixes_targets_by_its_area():
    images = tf.constant([10.0, 100.0])[:, None, None, None] * tf.ones((2, 48, 48, 1))
    targets, weights = tf.eye(2), tf.constant([1.0, 3.0])
    shares = []
    for step in range(30):
        x, y, w = augment.cut_and_mix(images, targets, weights, 1.0, tf.constant([1, step]))
        pasted = x.numpy()[0, ..., 0] == 100
        rows, columns = np.flatnonzero(pasted.any(1)), np.flatnonzero(pasted.any(0))
        assert pasted.sum() == len(rows) * len(columns)
        assert (x.numpy()[1, ..., 0] == np.where(pasted, 10, 100)).all()
        np.testing.assert_allclose(y[0], [1 - pasted.mean(), pasted.mean()], atol=1e-6)
        np.testing.assert_allclose(w[0], 1 + 2 * pasted.mean(), atol=1e-5)
        shares.append(pasted.mean())
    assert 0.1 < np.mean(shares) < 0.6 and np.std(shares) > 0.1
