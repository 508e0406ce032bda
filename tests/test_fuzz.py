"""A few hundred hostile files before every reader; `make fuzz` tries many more."""

import dataclasses
import json
import subprocess
import sys

import pytest
import yaml
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from ferbook.claims import grading, ledger, published, table_audit
from ferbook.claims.evidence import gather
from ferbook.core import files, structured
from ferbook.inference import classifier, face
from ferbook.results import measurements
from ferbook.results.study import read_study
from ferbook.training import lite_weights
from trials import fuzz

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


def document(*keys):
    """Documents of made-up values, most of them under keys that a reader looks for."""
    return st.dictionaries(st.sampled_from(keys) | st.text(max_size=5), VALUES, max_size=6)


def test_mutated_files_end_in_a_documented_error_or_a_right_result(tmp_path):
    command = [sys.executable, "-m", "trials.fuzz", "--scale", "0.02", "--seed", "1"]
    shown = subprocess.run(
        [*command, "--into", str(tmp_path)], capture_output=True, text=True, cwd=ROOT
    )
    assert shown.returncode == 0, shown.stdout[-3000:] + shown.stderr[-3000:]
    loaders = measurements.load_facts(tmp_path, "reliability")["fuzz"]["loaders"]
    assert set(loaders) == set(fuzz.LOADERS) and sum(r["cases"] for r in loaders.values()) >= 300
    assert all(r["cases"] == r["refused"] + r["right"] for r in loaders.values())


def test_the_harness_sees_what_it_should(tmp_path, monkeypatch):
    """Hangs, crashes, wrong results, foreign errors, stray files and hunger are counted."""
    code = """
import os, sys, time, pathlib
sys.path.insert(0, sys.argv[1])
from trials import fuzz
fuzz.SECONDS = 1
def hang(path): time.sleep(60)
def crash(path): os.abort()
def wrong(path): fuzz.check(False, "nonsense")
def foreign(path): {}["x"]
def outside(path): pathlib.Path(sys.argv[2]).write_text("x")
def hog(path): bytearray(10 * 2**30)
for read in (hang, crash, wrong, foreign, outside, hog):
    fuzz.LOADERS["t"] = fuzz.Loader(lambda: [b"abc"], "t", read, ValueError, 1)
    place = pathlib.Path(sys.argv[3]) / read.__name__
    place.mkdir()
    counts, odd, _ = fuzz.fuzz("t", 2, 0, place)
    print(read.__name__, dict(counts), odd[0])
"""
    arguments = [str(ROOT / "tests"), str(tmp_path / "evil"), str(tmp_path)]
    shown = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    lines = shown.stdout.splitlines()
    assert [line.split(" {")[0] for line in lines] == "hang crash wrong foreign outside hog".split()
    words = ("'hang': 2", "'crash': 2", "Wrong: nonsense", "KeyError", "wrote ", "MemoryError")
    for line, word in zip(lines, words, strict=True):
        assert word in line and "'right'" not in line


@settings(derandomize=True, deadline=None, max_examples=60)
@given(document("data", "study", "seeds", "changes", "steps", "backbone", "image_size", "name"))
def test_made_up_configurations(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "c.yml"
    path.write_text(yaml.safe_dump(content))
    try:
        assert read_study(path).recipes
    except ValueError as error:
        assert str(path) in str(error)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(document("accuracy", "table_2", "overall", "text_recalls", "printed_to", "test_sets"))
def test_made_up_tables(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "t.yml"
    path.write_text(yaml.safe_dump(content))
    try:
        assert isinstance(table_audit.audit_table(path), list)
    except ValueError as error:
        assert str(error)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.lists(
        document(
            "id", "group", "section", "statement", "quote", "printed", "unit", "check", "page"
        ),
        max_size=3,
    )
)
def test_made_up_ledgers(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "l.yml"
    path.write_text(yaml.safe_dump({"claims": content}))
    with pytest.raises((ledger.ClaimError, files.FileError), match=r"l\.yml"):
        ledger.read_claims(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: &a [x]\nb: [*a, *a]", "aliases .* are not read"),
        ("[" * 5000, "not a YAML file"),
        ("a: !!timestamp x", "not a YAML file"),
        ("a: 2001-99-99", "not a YAML file"),
        ("a: !!python/object/apply:os.getcwd []", "not a YAML file"),
        ("- 1", "expected a mapping. Received: list"),
        ("#" * (files.MAX_TEXT_BYTES + 1), "10,000,001 bytes"),
    ],
)
def test_yaml_that_does_harm_is_refused(tmp_path, content, message):
    (tmp_path / "a.yml").write_text(content)
    with pytest.raises(ValueError, match=message):
        structured.read_yaml(tmp_path / "a.yml")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"accuracy": ""}, "not a table of results"),
        (
            {"accuracy": 0.5, "printed_to": {"accuracy": 0}},
            "printed_to: accuracy: expected a unit below 1",
        ),
        (
            {"accuracy": 0.5, "test_sets": {"all": {"happy": 10**12}}},
            "expected 1 to 10,000,000 images per class",
        ),
        ({"results": [{"accuracy": 0.5}] * 101}, "expected at most 100 results"),
        ({"table_2": {str(i): {} for i in range(33)}}, "expected at most 32 classes"),
    ],
)
def test_tables_that_would_take_for_ever_are_refused(tmp_path, table, message):
    (tmp_path / "t.yml").write_text(json.dumps(table))
    with pytest.raises(published.TableError, match=message):
        table_audit.audit_table(tmp_path / "t.yml")


def test_a_claim_that_asks_for_what_is_not_there_is_named():
    evidence = gather(ROOT / "results", ROOT / "book/original.yml")
    claim = ledger.read_claims(ROOT / "book/claims.yml")[0]
    for check in ({"path": "no.such"}, {"wish": 1}):
        asked = dataclasses.replace(claim, check={"kind": "dataset", **check})
        with pytest.raises(ledger.ClaimError, match=r"images: .* cannot be carried out"):
            grading.grade(asked, evidence)


def test_a_pickle_cannot_ask_for_memory():
    """CPython alone would make room for four thousand million memo entries."""
    hostile = b"\x80\x02Nr\xff\xff\xff\xff."
    with pytest.raises(
        lite_weights.WeightsError, match=r"names memo 4,294,967,295 in its operation 2"
    ):
        lite_weights.read_state_dict(hostile)


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"files": {}}', '{"files": {"model-int8.onnx": 1}}']
)
def test_a_damaged_card_is_refused(tmp_path, monkeypatch, content):
    monkeypatch.setattr(classifier, "RELEASED", tmp_path)
    (tmp_path / "card.json").write_text(content)
    (tmp_path / "model-int8.onnx").write_bytes(b"x")
    with pytest.raises(face.InputError, match=r"card\.json: not readable .* Install ferbook again"):
        classifier.Classifier(tmp_path / "model-int8.onnx")


def test_a_fuzzed_job_is_recorded(tmp_path):
    measurements.write_facts(tmp_path, "reliability", "fuzz", {"loaders": {}})
    found = json.loads((tmp_path / "reliability/fuzz.json").read_text())
    assert found["loaders"] == {} and "git_commit" in found
