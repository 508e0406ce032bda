"""Inputs made to cost much, before the command line: a few of `make bounds`."""

import sys

import pytest
from conftest import ROOT

from trials import bounds


@pytest.mark.parametrize(
    "name", ["a line of 900 MB", "a video of 16,000 x 16,000 pixels", "a FIFO as model"]
)
def test_costly_inputs_are_rejected_within_their_bounds(tmp_path, monkeypatch, name):
    monkeypatch.chdir(ROOT)
    assert bounds.kept(row := bounds.run(bounds.BOUNDS[name], tmp_path)), row


def test_the_harness_sees_time_memory_and_tracebacks(tmp_path, monkeypatch):
    """A command that takes 300 MB, one that never returns, one that fails with a traceback."""
    monkeypatch.setattr(bounds, "GIVE_UP", 2)
    for code, in_words in (
        ("x = b'x' * 300 * 10**6; sys.exit(1)", True),
        ("import time; time.sleep(9)", False),
        ("1 / 0", False),
    ):
        monkeypatch.setattr(bounds, "COMMAND", [sys.executable, "-c", f"import sys; {code}"])
        row = bounds.run(bounds.Bound("data FILE", bounds.sparse(1)), tmp_path)
        assert row["in_words"] is in_words and (row["megabytes"] > 300) is in_words, row
