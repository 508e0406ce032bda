"""Recipes: what they accept, what they say; rooms: what they import."""

import subprocess
import sys

import pytest
import yaml
from conftest import ROOT

from ferbook.core.paths import project_root
from ferbook.core.recipe import Recipe
from ferbook.core.structured import read_yaml


def test_defaults_are_the_papers_recipe():
    recipe = Recipe()
    assert recipe.run_name == "paper-efficientnet_b2-260-s42"
    assert (recipe.warmup_epochs, recipe.finetune_epochs, recipe.finetune_learning_rate) == (
        3,
        7,
        3e-5,
    )
    assert (recipe.rotation_degrees, recipe.shift_fraction, recipe.zoom_fraction) == (
        25,
        0.15,
        0.25,
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"backbone": "resnet"}, "backbone: expected one of .* Received: 'resnet'"),
        ({"weights": "coco"}, "weights: expected one of imagenet, none"),
        ({"image_size": 96.0}, r"image_size: expected int. Received: 96.0 \(float\)"),
        ({"image_size": 0}, "image_size: expected more than 0"),
        ({"seed": True}, "seed: expected int"),
        ({"seed": 2**32}, "seed: expected less than 4294967296"),
        ({"stem_stride": 0}, "stem_stride: expected more than 0"),
        ({"dropout": 1.0}, "dropout: expected less than 1"),
        ({"label_smoothing": -0.1}, "label_smoothing: expected 0 or more"),
        ({"weight_decay": float("nan")}, "weight_decay: expected 0 or more and finite"),
        ({"pooling": "max"}, "pooling: expected one of average, attention"),
        ({"name": "../evil"}, "name: expected letters"),
        ({"small_epochs": 2}, "small_epochs: .* needs schedule cosine. Received: schedule plateau"),
        ({"start_from": "base longer"}, "start_from: expected one name .* Received: 'base longer'"),
        ({"warmup_epochs": 0, "finetune_epochs": 0}, "at least one epoch"),
    ],
)
def test_recipe_errors_name_field_and_value(values, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**values)


def test_recipe_from_parameters_ignores_what_it_does_not_know():
    assert Recipe.from_mapping({"image_size": 64, "results_dir": "x", "dropout": 0}) == Recipe(
        image_size=64, dropout=0.0
    )


@pytest.mark.parametrize("content", ["- 1", "a: [", "\xff"])
def test_read_yaml_refuses(tmp_path, content):
    path = tmp_path / "x.yml"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ValueError, match=r"x\.yml"):
        read_yaml(path)


def test_what_is_wrong_with_a_yaml_file_is_told_in_one_line(tmp_path):
    path = tmp_path / "x.yml"
    path.write_text("name: a\nseeds: [1,\n")
    with pytest.raises(ValueError, match=r"x\.yml: not a YAML file: line 3: [^\n]+$"):
        read_yaml(path)


def test_project_root(monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT / "notebooks")
    assert project_root() == ROOT
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="inside a checkout"):
        project_root()


def test_light_rooms_leave_tensorflow_out():
    """Every module outside training, export and comparison."""
    code = """
import importlib, pkgutil, sys, ferbook
for found in pkgutil.walk_packages(ferbook.__path__, "ferbook."):
    if not found.name.startswith(("ferbook.training", "ferbook.export", "ferbook.__main__")):
        importlib.import_module(found.name)
print([m for m in ("tensorflow", "keras", "torch") if m in sys.modules])
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_conda_environment_takes_the_same_lock_file():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["dependencies"][-1] == {"pip": ["-r requirements.lock"]}
