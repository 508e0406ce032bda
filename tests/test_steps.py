"""What a pipeline says of itself: steps n of m, seconds, and the log of a failure."""

import io
import logging
import re
from types import SimpleNamespace

import pytest
from conftest import ROOT

from ferbook.paper import steps

RULES = sorted((ROOT / "workflow/rules").glob("*.smk"))


@pytest.fixture
def told():
    """A function that tells an event as Snakemake does, and all that was printed."""
    stream = io.StringIO()
    handler = steps.Steps({"paper"}, stream)

    def tell(event, text="", **facts):
        record = logging.LogRecord(steps.SNAKEMAKE, logging.INFO, "", 0, text, (), None)
        record.__dict__ |= facts | {"event": event and SimpleNamespace(name=event)}
        handler.handle(record)
        return stream.getvalue().splitlines()

    return tell


def start(tell, job, rule, log=(), wildcards=()):
    return tell("JOB_INFO", jobid=job, rule_name=rule, log=log, wildcards=dict(wildcards))


def test_steps_are_counted_named_and_timed(told, monkeypatch):
    seconds = iter([10.0, 20.0, 31.6, 63.2])
    monkeypatch.setattr(steps.time, "monotonic", lambda: next(seconds))
    told("RUN_INFO", stats={"01_data": 1, "book": 1, "paper": 1, "total": 3})
    start(told, 7, "01_data", ["_build/quick/log/01_data.log"])
    start(told, 3, "book", wildcards={"profile": "quick"})
    told("JOB_FINISHED", job_id=3)
    told("JOB_FINISHED", job_id=7)
    start(told, 0, "paper")
    assert told("JOB_FINISHED", job_id=0) == [
        "[1 of 2] 01_data … (log: _build/quick/log/01_data.log)",
        "[2 of 2] book quick …",
        "[2 of 2] book quick: 12 s",
        "[1 of 2] 01_data: 53 s",
    ]


def test_a_failure_names_its_log_and_shows_its_end(told, tmp_path):
    log = tmp_path / "01_data.log"
    log.write_text("first\n" * 9 + "\nFileNotFoundError: no data\n\n")
    told("RUN_INFO", stats={"01_data": 1})
    start(told, 1, "01_data", [str(log)])
    shown = told("JOB_ERROR", jobid=1, rule_name="01_data", log=[str(log)])
    assert shown[1:3] == ["error: [1 of 1] 01_data failed after 0 s", f"the end of {log}:"]
    assert shown[-1] == "    FileNotFoundError: no data" and len(shown) == 7


def test_what_else_snakemake_says_is_left_to_its_log(told):
    assert told(None, "Select jobs to execute...") == []
    assert told("PROGRESS", done=1, total=2) == []
    assert told(None, "Nothing to be done (all requested files are present).") == [
        "nothing to do: everything is newer than what it is made from"
    ]


@pytest.mark.parametrize(
    ("level", "event", "text", "stays"),
    [
        (logging.INFO, None, "Building DAG of jobs...", False),
        (logging.ERROR, None, "WorkflowError:\nPROFILE: there is no configs/x.yml.", True),
        (logging.ERROR, None, "RuleException:\nCalledProcessError in file x", False),
        (logging.ERROR, "JOB_ERROR", "Error in rule book", False),
    ],
)
def test_snakemake_itself_prints_what_is_wrong(level, event, text, stays):
    record = logging.LogRecord(steps.SNAKEMAKE, level, "", 0, text, (), None)
    record.event = event and SimpleNamespace(name=event)
    assert steps._is_told(record) is stays


def test_every_shell_command_writes_to_the_log_of_its_rule():
    text = "".join(path.read_text() for path in RULES)
    commands = re.findall(r"shell:\n\s+(.+)", text)
    assert len(commands) >= 6 and text.count("log:\n") == len(commands)
    assert all(command == '"exec &> {log}; "' for command in commands)
