"""The notebooks: both halves agree, parameters are known, cells stay thin."""

import ast
import dataclasses
from types import SimpleNamespace

import jupytext
import nbformat
import pytest
from conftest import ROOT
from papermill.inspection import inspect_notebook

from ferbook.core import parameters
from ferbook.core.classes import CLASSES
from ferbook.core.recipe import Recipe
from ferbook.core.structured import read_yaml
from ferbook.paper import chapters
from ferbook.paper.executed import statements
from ferbook.results import store

PATHS = sorted((ROOT / "notebooks").glob("*.py"))
NAMES = [path.stem for path in PATHS]


def code_cells(path):
    return [cell for cell in jupytext.read(path).cells if cell.cell_type == "code"]


def test_each_is_a_chapter():
    assert tuple(NAMES) == chapters.NOTEBOOKS


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_both_halves_agree_and_hold_no_output(path):
    text, notebook = jupytext.read(path), nbformat.read(path.with_suffix(".ipynb"), as_version=4)
    halves = [
        [(c.cell_type, c.source, c.metadata) for c in half.cells] for half in (text, notebook)
    ]
    assert halves[0] == halves[1]
    assert not any(cell.get("outputs") for cell in notebook.cells)


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_parameters_are_literals_with_help(path):
    cells = [cell for cell in code_cells(path) if "parameters" in cell.metadata.get("tags", [])]
    assert len(cells) == 1
    for line, statement in zip(
        cells[0].source.splitlines(), ast.parse(cells[0].source).body, strict=True
    ):
        ast.literal_eval(statement.value)
        assert "  # " in line, f"no comment: {line}"
    shown = inspect_notebook(str(path.with_suffix(".ipynb")))
    assert shown and all(parameter["help"] for parameter in shown.values())


def recipe_under(profile):
    """The recipe that 02_training carries out under a profile: its defaults, then the YAML."""
    shown = inspect_notebook(str(ROOT / "notebooks/02_training.ipynb"))
    defaults = {name: ast.literal_eval(p["default"]) for name, p in shown.items()}
    return Recipe.from_mapping(defaults | read_yaml(ROOT / "configs" / f"{profile}.yml"))


def test_gpu_profile_is_the_paper_as_written():
    assert recipe_under("gpu") == Recipe()


def test_laptop_profile_is_the_committed_run():
    changed = {"backbone": "efficientnet_lite2", "image_size": 96}
    assert recipe_under("laptop") == dataclasses.replace(Recipe(), **changed)
    run = store.load_study(ROOT / "results", "reference")[0]
    assert run.recipe == recipe_under("laptop") and not run.info["dirty"]


def test_our_profile_is_the_committed_run_that_beats_the_original():
    run = store.load_study(ROOT / "results", "ours")[0]
    assert run.recipe == recipe_under("laptop_ours") and not run.info["dirty"]
    assert run.info["parameters"]["total"] <= 4_900_000 and run.info["seconds"] <= 3 * 3600
    best = run.history["val_accuracy"].max()
    assert (run.val.probabilities.argmax(axis=1) == run.val.labels).mean() == pytest.approx(best)
    labels = [CLASSES.index(file.split("/")[1]) for file in run.test.files]
    assert len(set(run.test.files)) == 7178
    assert (run.test.probabilities.argmax(axis=1) == labels).sum() >= 4937


def test_training_offers_every_field_of_a_recipe():
    shown = set(inspect_notebook(str(ROOT / "notebooks/02_training.ipynb")))
    fields = {field.name for field in dataclasses.fields(Recipe)}
    assert fields < shown
    for path in (ROOT / "configs").glob("*.yml"):
        values = read_yaml(path)
        if not values.keys() & {"changes", "steps", "seeds"}:  # a grid is for `ferbook train`
            assert set(values) <= shown, f"{path.name}: a key that papermill would ignore"


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_cells_are_thin(path):
    for cell in code_cells(path):
        tree = ast.Module(statements(cell), [])
        heavy = (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef, ast.While)
        assert not [node for node in ast.walk(tree) if isinstance(node, heavy)]
        assert "plt." not in cell.source and "!pip" not in cell.source and '"/' not in cell.source


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_cells_are_plain_python(path):
    """None has a line of IPython's; what loads edited modules anew is `parameters.settle`."""
    lines = "\n".join(cell.source for cell in code_cells(path)).splitlines()
    assert not [line for line in lines if line.startswith(("%", "!"))]


def test_an_edit_of_a_module_is_seen_by_the_next_cell():
    magics = []
    shell = SimpleNamespace(run_line_magic=lambda *words: magics.append(words))
    parameters.settle({"get_ipython": lambda: shell}, "03_results", project=ROOT)
    assert magics == [("load_ext", "autoreload"), ("autoreload", "2")]

    def missing(*_):
        raise ModuleNotFoundError("imp")

    shell.run_line_magic = missing
    parameters.settle({"get_ipython": lambda: shell}, "03_results", project=ROOT)


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_it_opens_with_its_finding_and_says_what_it_takes(path):
    texts = [cell.source for cell in jupytext.read(path).cells if cell.cell_type == "markdown"]
    assert texts[0].startswith("# ") and "\n\n**" in texts[0]
    assert "*Input:*" in "".join(texts) and "*Run time:*" in "".join(texts)
