"""Parameters of notebooks: a mistake stops before the first image is read."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from ferbook.core.parameters import ParameterError, defaults, settle
from ferbook.core.structured import read_json, read_yaml
from ferbook.paper.chapters import NOTEBOOKS


def told(*lines, **space):
    """The variables of a notebook after papermill injected `lines`."""
    return {"In": ["", "dropout = 0.5", "# Parameters\n" + "\n".join(lines) + "\n"], **space}


def test_defaults_are_those_of_the_tagged_cell():
    known = defaults(ROOT / "notebooks/02_training.py")
    assert known["backbone"] == "tiny" and known["warmup_learning_rate"] == 1e-3
    assert "recipe" not in known and known["config"] == ""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("drop_out = 0.4", r"papermill: no parameter is called drop_out. The nearest: dropout\."),
        ("batchsize = 8", "The nearest: batch_size"),
        ("batch_size = 8.5", r"batch_size: expected int, like 32. Received: 8.5 \(float\)"),
        ("batch_size = True", r"batch_size: expected int.*\(bool\)"),
        (
            'dropout = "4e-1"',
            r"'4e-1' \(str\)\. In YAML, such a number has a point and a sign: 4\.0e-1\.",
        ),
        ("changes = {}", "no parameter is called changes. It belongs to a grid of runs: ferbook"),
        ('dropout = "0.4"', r"dropout: expected float, like 0.5. Received: '0.4' \(str\)"),
        ("horizontal_flip = 1", "horizontal_flip: expected bool"),
        ("dropout = float('nan')", "dropout: expected a number"),
        ("dropout = ", "parameters: invalid syntax in 'dropout = "),
        ("seed += 1", "parameters: expected lines like .* Received: 'seed [+]= 1'"),
        ("print(seed)", "parameters: expected lines like .* Received: 'print"),
    ],
)
def test_what_makes_no_sense_is_told(line, message):
    with pytest.raises(ParameterError, match=message):
        settle(told("seed = 1", line), "02_training", project=ROOT)


def test_what_makes_sense_changes_nothing():
    space = told("dropout = 0", 'name = "mine"')
    before = dict(space)
    settle(space, "02_training", project=ROOT)
    settle({}, "01_data", project=ROOT)  # without papermill
    assert space == before


def test_a_configuration_fills_in_and_what_is_given_beside_it_wins():
    config = str(ROOT / "configs/laptop_ours.yml")
    values = read_yaml(config)
    # 32 is the default of the notebook, and still an override of the 64 in the file.
    space = told(f"config = {config!r}", "batch_size = 32", config=config, batch_size=32, seed=7)
    settle(space, "02_training", project=ROOT)
    assert space["batch_size"] == 32 != values["batch_size"] and space["seed"] == 7
    assert {n: space[n] for n in values if n != "batch_size"} == {
        n: v for n, v in values.items() if n != "batch_size"
    }


def test_mistakes_in_a_configuration_name_the_file(tmp_path):
    path = tmp_path / "mine.yml"
    path.write_text("data: synthetic\nstudy: mine\nlabel_smoothin: 0.1\n")
    with pytest.raises(ParameterError, match=r"mine\.yml: .*label_smoothin.*label_smoothing"):
        settle({"config": str(path)}, "02_training", project=ROOT)
    with pytest.raises(FileNotFoundError):
        settle({"config": str(tmp_path / "nowhere.yml")}, "02_training", project=ROOT)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_notebook_checks_its_parameters_before_it_reads_anything(name):
    text = (ROOT / "notebooks" / f"{name}.py").read_text()
    call = f'settle(globals(), "{name}")\n'
    assert call in text
    before = text.partition(call)[0]
    assert not re.search(r"load\(|store\.\w", before)


def test_papermill_stops_at_a_mistyped_parameter(tmp_path):
    command = [str(Path(sys.executable).with_name("papermill")), "--no-progress-bar",
               "notebooks/01_data.ipynb", str(tmp_path / "out.ipynb"), "-p", "result_dir",
               str(tmp_path / "store")]  # fmt: skip
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert shown.returncode != 0
    assert "no parameter is called result_dir. The nearest: results_dir." in shown.stderr
    assert not (tmp_path / "store").exists()


def test_from_any_folder_with_a_store_of_one_s_own(tmp_path):
    """As the page "Run and edit" has it: --cwd, an absolute store, any folder for the output."""
    (tmp_path / "store").symlink_to(ROOT / "results")
    (tmp_path / "out put").mkdir()
    command = [str(Path(sys.executable).with_name("papermill")), "--no-progress-bar",
               str(ROOT / "notebooks/08_reliability.ipynb"), "out put/8.ipynb", "-r",
               "results_dir", str(tmp_path / "store")]  # fmt: skip
    shown = subprocess.run(
        [*command, "--cwd", str(ROOT)], cwd=tmp_path, capture_output=True, text=True
    )
    assert shown.returncode == 0, shown.stderr[-2000:]
    cells = read_json(tmp_path / "out put/8.ipynb")["cells"]
    assert all(cell["metadata"]["papermill"]["status"] == "completed" for cell in cells)
    assert sum(len(cell.get("outputs", [])) for cell in cells) > 10
