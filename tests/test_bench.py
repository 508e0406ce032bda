"""The benchmark on a tiny budget: every piece measures, ratios are right, start-up stays light."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import ROOT
from typer.testing import CliRunner

from ferbook import bench, bench_tables, numbers, store
from ferbook.__main__ import app


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Every piece, as a smoke run."""
    pytest.importorskip("tensorflow")
    folder = tmp_path_factory.mktemp("results")
    found = bench.measured(folder, "smoke", torch="no-such-python")
    assert found == store.load_facts(folder, "bench")
    return found


def test_every_piece_measures_and_says_where(measured):
    assert set(measured) == {"input", "step", "first_step", "startup", "audit", "memory"}
    for piece in measured.values():
        assert piece["budget"] == "smoke" and piece["hardware"]["cores"] and piece["packages"]
        assert piece["unit"]
    for rounds in (measured["step"]["rounds"], *measured["input"]["sizes"].values()):
        assert all(len(values) == 2 and min(values) > 0 for values in rounds.values())


def test_the_input_outruns_the_generator_and_the_step(measured):
    """By far less than on an idle machine; the chapter has what was measured there."""
    for rounds in measured["input"]["sizes"].values():
        fast, slow = (np.median(rounds[name]) for name in ("ours, arrays", "generator, folder"))
        assert fast > 4 * slow


def test_without_pytorch_the_rest_is_measured_and_says_so(measured):
    assert "no-such-python" in measured["step"]["torch"]["not_run"]
    assert "PyTorch" not in measured["step"]["rounds"]
    assert "PyTorch: not run" in repr(bench_tables.step_table(measured))
    assert numbers.bench_numbers(measured)["bench_torch"] == "not run"


def test_memory_holds_no_float_copy(measured):
    """Three copies as bytes are held; one as floats would add four bytes a pixel to them."""
    assert np.isfinite(bench_tables.copies_held(measured["memory"]))
    call = "from ferbook import bench; print(bench.peak('smoke', {}))"
    few, many = (int(bench._python("-c", call.format(n))) for n in (2000, 20_000))
    assert (many - few) / (18_000 * 48 * 48) < 5


def test_tables_name_the_hardware_and_a_smoke_run(measured):
    for table in ("input", "step", "operation", "seconds", "memory"):
        shown = getattr(bench_tables, f"{table}_table")(measured)
        assert "cores. A smoke run" in shown.caption and len(shown.formatted())


def test_what_the_store_has_is_not_measured_again(measured, tmp_path):
    for piece, facts in measured.items():
        store.write_facts(tmp_path, "bench", piece, facts)
    assert bench.measured(tmp_path, "full") == json.loads(json.dumps(measured))
    with pytest.raises(ValueError, match="only: expected one of input, step"):
        bench.measured(tmp_path, "smoke", only="speed")
    shown = CliRunner().invoke(app, ["bench", "--budget", "long", "--results", str(tmp_path)])
    assert shown.exit_code == 1 and "expected one of full, smoke. Received: 'long'" in shown.output


def test_ratio_is_formed_within_rounds():
    found = bench_tables.ratio([2.0, 30.0, 8.0], [1.0, 10.0, 2.0])
    assert found == (3.0, 2.0, 4.0) and str(found) == "3.00 (2.00 to 4.00)"


def test_share_of_peak_by_hand():
    step = {"multiply_adds": 10, "batch_size": 2, "product_multiply_adds": 120,
            "rounds": {"matrix product": [1.0], "constant batch": [2.0]}}  # fmt: skip
    # 60 in two seconds against 120 in one.
    assert bench_tables.share_of_peak(step).median == pytest.approx(0.25)


def test_random_faces_are_fer2013_in_size_and_parts():
    whole = bench.random_faces(35_887)
    assert len(whole) == 35_887 and whole.images.dtype == np.uint8
    assert set(bench.random_faces(100).usages) == {"Training", "PublicTest", "PrivateTest"}


LIGHT = """
import sys, typer.testing
import ferbook
from ferbook.__main__ import app
shown = typer.testing.CliRunner().invoke(app, ["--help"])
heavy = {"tensorflow", "keras", "pandas", "sklearn"}
print(shown.exit_code, *(heavy & set(sys.modules)))
"""


def test_help_needs_no_heavy_package():
    shown = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True)
    assert shown.stdout.split() == ["0"], shown.stdout + shown.stderr


@pytest.mark.parametrize(
    ("arguments", "seconds"), [(["-c", "import ferbook"], 0.5), (["-m", "ferbook", "--help"], 1.0)]
)
def test_start_is_quick(arguments, seconds):
    """The best of several, with four times the bound of an idle machine."""

    def start():
        started = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True, cwd=ROOT)
        return time.perf_counter() - started

    assert min(start() for _ in range(5)) < 4 * seconds
