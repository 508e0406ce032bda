"""Configurations: one recipe or a grid around it."""

import pytest
import yaml
from conftest import ROOT
from test_tables import run
from typer.testing import CliRunner

from ferbook.cli import app
from ferbook.core.recipe import Recipe
from ferbook.results import store, study
from ferbook.results.study import StudyError, read_study

TINY = {
    "data": "synthetic", "study": "t", "backbone": "tiny", "weights": "none", "image_size": 48,
    "warmup_epochs": 0, "finetune_epochs": 1, "train_images": 64,
}  # fmt: skip


def written(tmp_path, **values):
    path = tmp_path / "grid.yml"
    path.write_text(yaml.safe_dump(TINY | values))
    return path


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yml")), ids=lambda p: p.stem)
def test_every_configuration_is_a_study(path):
    study = read_study(path)
    assert study.recipes and study.data in ("kaggle", "synthetic")


def test_one_recipe(tmp_path):
    assert read_study(written(tmp_path)).recipes == {"paper-tiny-48-s42": Recipe.from_mapping(TINY)}


def test_changes_alter_the_base_and_steps_the_step_before(tmp_path):
    grid = {
        "changes": {"adam": {"finetune_optimizer": "adam"}},
        "steps": {"one": {"dropout": 0.1}, "two": {"pooling": "attention"}},
        "seeds": [1, 2],
    }
    study = read_study(written(tmp_path, **grid))
    assert [name.split("-")[0] for name in study.recipes] == ["base", "adam", "one", "two"] * 2
    adam, two = study.recipes["adam-tiny-48-s2"], study.recipes["two-tiny-48-s2"]
    assert (adam.finetune_optimizer, adam.dropout) == ("adam", 0.5)
    assert (two.finetune_optimizer, two.dropout, two.pooling) == ("adamw", 0.1, "attention")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"learning_rat": 1}, "Received: learning_rat"),
        ({"image_sise": 1}, "Received: image_sise. The nearest: image_size"),
        ({"changes": {"x": {"data": "synthetic"}}}, "x: expected fields of Recipe. Received: data"),
        ({"changes": {"base": {}}}, "two runs are called base-tiny-48-s42"),
        ({"changes": ["adam"]}, "changes: expected some entries"),
        ({"changes": None}, "changes: expected some entries"),
        ({"changes": {"x": {"name": "y"}}}, "x: a change has the name of its entry"),
        ({"seeds": []}, "seeds: expected a list"),
        ({"seed": 7, "seeds": [42]}, "expected seed or seeds. Received: both"),
        ({"data": [1, 2]}, "data: expected a text"),
        ({"subset": 3}, "subset: expected true or false"),
        (
            {"changes": {"x": 3}},
            "x: expected fields of Recipe, such as {dropout: 0.0}. Received: 3",
        ),
        (
            {"weight_decay": "1e-4"},
            r"Received: '1e-4' \(str\)\. In YAML, such .* a point and a sign: 1\.0e-4\.",
        ),
        ({"class_weight_clip": "1.0e2"}, r"a point and a sign: 1\.0e\+2\."),
        ({"batch_size": 10**20}, "batch_size: expected less than 2147483648"),
        ({"backbone": "vgg_small", "image_size": 8}, "image_size: expected at least 16, for vgg_s"),
        ({"stem_stride": 7}, "stem_stride: only the backbones efficientnet"),
        ({"backbone": "efficientnet_b0", "drop_path_rate": 0.0}, "only the .* efficientnet_lite"),
        (
            {"small_epochs": 1, "schedule": "cosine", "small_image_size": 500},
            "small_image_size: .* at most image_size, 48",
        ),
        ({"train_images": -1}, "train_images: expected 0 or more"),
        ({"deduplicate_train": True, "distinct_counts": True}, "distinct_counts: is the control"),
        ({"seeds": ["a"]}, "seed: expected int"),
        ({"changes": {"x": {"teachers": "x"}}}, "come before x-tiny-48-s42. Received: x-tiny"),
        ({"teachers": "x@big"}, "teachers: expected NAME@PIXELS. Received: x@big"),
        ({"changes": {"x": {"start_from": "y"}}}, "come before x-tiny-48-s42. Received: y-tiny"),
    ],
)
def test_errors_name_file_and_key(tmp_path, values, message):
    with pytest.raises(ValueError, match=message) as raised:
        read_study(written(tmp_path, **values))
    assert "grid.yml" in str(raised.value)


def test_a_single_recipe_may_learn_from_runs_of_other_files(tmp_path):
    (recipe,) = read_study(written(tmp_path, teachers="other other@96")).recipes.values()
    assert recipe.teacher_runs == ["other-tiny-48-s42", "other-tiny-96-s42"]


@pytest.mark.parametrize("key", ["data", "study"])
def test_a_configuration_without_data_or_study_says_which(tmp_path, key):
    path = tmp_path / "c.yml"
    path.write_text(yaml.safe_dump({name: TINY[name] for name in TINY if name != key}))
    with pytest.raises(StudyError, match=f"expected data and study. Missing: {key}"):
        read_study(path)


def test_a_run_whose_start_is_missing_says_what_to_train(tmp_path):
    path = written(tmp_path, changes={"more": {"start_from": "base"}})
    places = ["--results", str(tmp_path / "results"), "--runs", str(tmp_path / "runs")]
    shown = CliRunner().invoke(app, ["train", str(path), "--run", "more-tiny-48-s42", *places])
    assert shown.exit_code == 1 and shown.output.count("error: ") == 1
    assert "base-tiny-48-s42, from which this run learns, is not trained" in shown.output
    assert "Train it first: --run base-tiny-48-s42" in shown.output


@pytest.mark.parametrize("option", ["--results", "--runs"])
def test_a_file_in_place_of_a_folder_is_told_before_the_training(tmp_path, option):
    path = written(tmp_path)
    places = {"--results": tmp_path / "results", "--runs": tmp_path / "runs"} | {option: path}
    words = [str(word) for pair in places.items() for word in pair]
    shown = CliRunner().invoke(app, ["train", str(path), *words])
    assert shown.exit_code == 1 and f"error: {path}: Not a directory." in shown.output
    assert "device:" not in shown.output


def test_train_command_runs_what_is_missing(tmp_path):
    path = written(tmp_path, changes={"adam": {"finetune_optimizer": "adam"}})
    places = ["--results", str(tmp_path / "results"), "--runs", str(tmp_path / "runs")]
    shown = CliRunner().invoke(app, ["train", str(path), "--run", "adam-tiny-48-s42", *places])
    assert shown.exit_code == 0, shown.output
    assert "of validation images without copies" in shown.output
    assert "of test images" not in shown.output
    (trial,) = store.load_all(tmp_path / "results", trials=True)
    assert trial.name == "adam-tiny-48-s42" and store.load_all(tmp_path / "results") == []
    again = ["train", str(path), "--run", "adam-tiny-48-s42", *places, "--final"]
    assert "of test images" in CliRunner().invoke(app, again).output
    shown = CliRunner().invoke(app, ["runs", "--results", str(tmp_path / "results")])
    assert shown.exit_code == 0 and "t/adam-tiny-48-s42" in shown.output
    assert [run.name for run in store.load_study(tmp_path / "results", "t")] == [trial.name]
    shown = CliRunner().invoke(app, ["train", str(path), "--run", "sgd", *places])
    assert shown.exit_code == 1
    assert f"no sgd in {path}, which has 2, such as base-tiny-48-s42." in shown.output


def test_of_the_seeds_of_a_complete_recipe_the_first_stands_for_it():
    runs = store.load_all(ROOT / "results")
    (reference, *_) = found = study.finals(runs)
    assert reference.recipe.seed == 42 and reference.study == "reference"
    assert len({(run.study, run.recipe.name, run.recipe.image_size) for run in found}) == len(found)
    assert [run.recipe.seed for run in study.seeds_of(reference, runs)] == [42, 43, 44]
    sizes = [run.recipe.image_size for run in study.sizes_of(reference, runs)]
    assert sizes[:3] == [96] * 3 and sizes == sorted(sizes)


def test_the_smaller_input_comes_first_among_complete_runs():
    made = [run("paper", [], folder="reference", image_size=side) for side in (128, 96)]
    assert study.finals([*made, run("ours", [], folder="ours")])[:2] == made[::-1]
    other = run("paper", [], folder="reference", dropout=0.1)
    assert study.sizes_of(made[0], [*made, other]) == made[::-1]


def test_the_largest_input_is_the_subject_and_of_its_seeds_the_first():
    small, late, early = (
        run("paper", [], image_size=side, seed=seed)
        for side, seed in ((96, 42), (128, 44), (128, 43))
    )
    assert study.largest_input([small, late, early]) is early


def test_the_originals_recipe_is_the_subject_where_there_is_one():
    ours, paper = run("ours", []), run("paper", [0])
    assert study.of_original([ours, paper]) is paper
    assert study.of_original([ours]) is ours


def test_the_queue_names_configurations_that_exist():
    lines = (ROOT / "configs/queue.txt").read_text().splitlines()
    entries = [line.split() for line in lines if not line.startswith("#")]
    assert entries and all(kind in ("trial", "final") for kind, _ in entries)
    for _, name in entries:
        assert study.read_study(ROOT / "configs" / f"{name}.yml").recipes


@pytest.mark.parametrize(
    "name", ["../../x", "/tmp/x", "", ".", "a/b", "étude", "a b", "-x", 7, None, "x" * 9 + "/"]
)
def test_a_study_is_named_like_a_folder_of_its_own(tmp_path, name):
    path = tmp_path / "c.yml"
    path.write_text(yaml.safe_dump({"data": "synthetic", "study": name}))
    with pytest.raises(StudyError, match="study: expected ASCII letters, digits and underscores"):
        read_study(path)


@pytest.mark.parametrize("name", ["peers", "bench", "deployment", "reliability"])
def test_a_study_is_not_named_like_a_folder_of_measurements(tmp_path, name):
    path = tmp_path / "c.yml"
    path.write_text(yaml.safe_dump({"data": "synthetic", "study": name}))
    with pytest.raises(StudyError, match="is a folder of measurements, not of runs"):
        read_study(path)


def test_a_study_has_no_end_of_runs(tmp_path):
    path = tmp_path / "c.yml"
    path.write_text(yaml.safe_dump({"data": "x", "study": "s", "seeds": list(range(1001))}))
    with pytest.raises(StudyError, match="more than 1,000 runs"):
        read_study(path)
