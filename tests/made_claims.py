"""Claims, runs and evidence made by hand, for the tests of each kind of check."""

import dataclasses

import numpy as np
import pandas as pd
from conftest import ROOT

from ferbook.claims.evidence import Evidence
from ferbook.claims.field import Method
from ferbook.claims.grading import grade
from ferbook.claims.ledger import Claim, Tolerance
from ferbook.claims.published import read_table
from ferbook.core.classes import CLASSES
from ferbook.core.predictions import Predictions
from ferbook.core.recipe import Recipe
from ferbook.results.run import Answers, Run

COUNTS = {name: 100 for name in CLASSES} | {"disgust": 10, "happy": 5}
AGREEMENT = dict.fromkeys(CLASSES, 0.7) | {"fear": 0.2, "sad": 0.5}
DATASET = {
    "images": 615, "counts": {"Training": COUNTS}, "usages": {"Training": 80},
    "leaked_files": ["a", "b"], "ferplus": {"agreement": 0.6, "by_class": AGREEMENT},
}  # fmt: skip
PARAMETERS = {
    "efficientnet_b2": {"total": 1_000, "trainable": 900},
    "efficientnet_b2_260": {"total": 1_000, "trainable": 900, "multiply_adds": 50},
    "vgg16": {"total": 1_300, "trainable": 1_300, "multiply_adds": 40},
    "vgg16_imagenet": {"total": 20_000, "trainable": 20_000, "multiply_adds": 700},
}
ORIGINAL = {
    "parameters_claimed": 2000,
    "recipe": {"dropout": 0.5},
    "table_3": [{"model": "VGG16", "parameters": 20_000, "accuracy": "67.23%", "source": "J. 2024",
                 "split": "validation"}],
}  # fmt: skip
FIELD = [
    Method("Net-A", "a", "70.80%", "PrivateTest", views="in its code"),
    Method("Net-B", "b", "60.00%", "PrivateTest"),
    Method("Net-C", "c", "72.00%", "PrivateTest", on_test=True),
    Method("Other", "o", "99.00%", "PrivateTest"),
]
TABLE = read_table(ROOT / "book" / "original.yml")[0][0]
STAND_IN = {"backbone": "efficientnet_lite0", "image_size": 48}
PLACE = "(EfficientNet-Lite0 at 48 px, seed 42)."  # in words


def curves(accuracy, val_accuracy, loss=None, val_loss=None, rates=None, warmup=1):
    """A history whose first `warmup` epochs are those of phase 1."""
    epochs = len(accuracy)
    return pd.DataFrame({
        "phase": ["warmup"] * warmup + ["finetune"] * (epochs - warmup),
        "accuracy": accuracy, "val_accuracy": val_accuracy,
        "loss": loss or [1.0] * epochs, "val_loss": val_loss or [1.0] * epochs,
        "learning_rate": rates or [1e-3] * epochs,
    })  # fmt: skip


def a_run(wrong=0, *, answers=None, sure=1.0, study="s", history=None, **recipe):
    """A run on ten images a class that confuses the first `wrong` of each with the next class."""
    labels = np.repeat(np.arange(7), 10).astype(np.uint8)
    if answers is None:
        answers = np.where(np.tile(np.arange(10), 7) < wrong, (labels + 1) % 7, labels)
    files = np.array([f"test/{CLASSES[y]}/PublicTest_{i}.jpg" for i, y in enumerate(labels)])
    probabilities = np.full((70, 7), (1 - sure) / 6)
    probabilities[np.arange(70), answers] = sure
    test = Predictions(files, labels, probabilities)
    recipe = Recipe(**recipe)
    info = dataclasses.asdict(recipe)
    places = {k: info.pop(k) for k in ("backbone", "weights", "image_size", "seed")}
    info = {"recipe": info, **places, "dataset": {"name": "fer2013"}}
    return Run(study, recipe.run_name, info, history, test, test)


def baseline(wrong, name="hog"):
    return {name: Answers(name, {}, a_run(wrong).test)}


def evidence(*runs, published=TABLE, **changes):
    facts = {"dataset": DATASET, "parameters": PARAMETERS, "original": ORIGINAL,
             "field": FIELD} | changes  # fmt: skip
    return Evidence(list(runs), published=published, **facts)


def judge(kind, found=None, *, printed=None, to=None, unit="", limit=None, quote="", **check):
    """The grade, what was found and why, of a claim with this check."""
    tolerance = None if limit is None else Tolerance(limit, "ours")
    made = Claim(
        "c", "g", "s", quote, "", {"kind": kind, **check}, "here", printed, to, unit, tolerance
    )
    return grade(made, found or evidence())
