"""Words for runs: by recipe and study, never by folder."""

import pytest
from test_tables import run

from ferbook.core.recipe import Recipe
from ferbook.results import names
from ferbook.results.run import Answers

OURS = "our recipe with FER+"
VARIANT = f"variant of {OURS}"

LITE = {"backbone": "efficientnet_lite2", "image_size": 96}
GRID = {"backbone": "efficientnet_lite0", "image_size": 48}


@pytest.mark.parametrize(
    ("study", "recipe", "name", "actor"),
    [
        ("gpu", {"name": "paper"}, "original\u2019s recipe, EfficientNetB2, 260 px",
         "original\u2019s recipe"),
        ("reference", {"name": "paper", **LITE}, "original\u2019s recipe, Lite2, 96 px",
         "original\u2019s recipe"),
        ("ours", {"name": "ours", **LITE}, OURS, OURS),
        ("gpu", {"name": "ours"}, "our recipe with FER+, EfficientNetB2, 260 px", OURS),
        ("ours", {"name": "ours_no_ferplus", **LITE}, "our recipe without FER+",
         "our recipe without FER+"),
        ("smoke", {"name": "quick", "backbone": "tiny"}, "smoke run", OURS),
        ("ours_changes", {"name": "base", **GRID}, f"{VARIANT}, EfficientNet-Lite0 at 48 px", OURS),
        ("paper_changes", {"name": "no_smoothing", **GRID},
         "variant of the original\u2019s recipe, EfficientNet-Lite0 at 48 px: "
         "without label smoothing",
         "original\u2019s recipe"),
        ("short_ours_changes", {"name": "mixup", **GRID},
         f"{VARIANT}, short grid, EfficientNet-Lite0 at 48 px: mixup", OURS),
        ("remedies", {"name": "pruned_80_longer", **GRID},
         f"{VARIANT}, remedies grid, EfficientNet-Lite0 at 48 px: "
         "80% of the weights pruned, trained longer", OURS),
        ("remedies", {"name": "pruned_80", **GRID},
         f"{VARIANT}, remedies grid, EfficientNet-Lite0 at 48 px: 80% of the weights pruned",
         OURS),
        ("ours", {"name": "ours_scratch", "backbone": "vgg_medium", "image_size": 48},
         "our second recipe, medium VGG, 48 px", "our second recipe"),
        ("ours", {"name": "ours_dense", "backbone": "vgg_medium", "image_size": 48},
         "our third recipe, medium VGG, 48 px", "our second recipe"),
        ("scratch_rates",
         {"name": "vgg_small_3e3", "backbone": "vgg_small", "weights": "none", "image_size": 48},
         "variant of our recipe without FER+, rates grid, small VGG at 48 px, random weights: "
         "learning rate 3e-3",
         "our recipe without FER+"),
        ("another", {"name": "no_such_thing"}, "without such thing, EfficientNetB2, 260 px",
         OURS),
    ],
)  # fmt: skip
def test_runs_have_words_and_an_actor(study, recipe, name, actor):
    recipe = Recipe(**recipe)
    assert names.display_name(study, recipe) == name
    assert names.actor(study, recipe) == actor


def test_a_run_and_a_model_show_their_words():
    assert run("ours", [], folder="ours").label == "our recipe with FER+, tiny, 48 px"
    assert Answers("lbp_hog_gabor", {}, None).label == "LBP, HOG and Gabor"
    assert Answers("some_model", {}, None).label == "some model"


def test_changes_have_words():
    assert names.change_name("adam") == "Adam in place of AdamW"
    assert names.change_name("no_dropout") == "without dropout"
    assert names.change_name("rate_3e5") == "learning rate 3e-5"
