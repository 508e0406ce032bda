"""What the workflow is doing, on a terminal: steps n of m, their seconds, and where their logs are.

Snakemake's own lines stay in its log below `.snakemake/log`; what a step prints is in its own.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any, TextIO

SNAKEMAKE = "snakemake.logging"  # the name of its logger
_TAIL = 4  # lines of a failed step's log


def show(targets: Collection[str]) -> None:
    """Replace what Snakemake prints by Steps; its warnings and errors stay.

    `targets` are rules that stand for others and do nothing themselves.
    """
    logger = logging.getLogger(SNAKEMAKE)
    for handler in logger.handlers:
        if not isinstance(handler, logging.FileHandler):
            handler.addFilter(_is_told)
    logger.addHandler(Steps(targets))


def _is_told(record: logging.LogRecord) -> bool:
    """Whether Snakemake says it itself: all that is wrong, but for a failed step."""
    failed = _event(record) == "JOB_ERROR" or "\nCalledProcessError in file" in record.getMessage()
    return record.levelno >= logging.WARNING and not failed


def _event(record: logging.LogRecord) -> str:
    return getattr(getattr(record, "event", None), "name", "")


class Steps(logging.Handler):
    """Turns the events of Snakemake's logger into a line for each start and end of a step."""

    def __init__(self, targets: Collection[str], stream: TextIO | None = None) -> None:
        super().__init__()
        self.targets, self.stream = frozenset(targets), stream or sys.stderr
        self.total = 0
        self.started: dict[int, tuple[str, float]] = {}  # by job: what it is called, and when

    def emit(self, record: logging.LogRecord) -> None:
        """Print what a record means to whoever waits, if anything."""
        event, told = _event(record), record.__dict__
        if event == "RUN_INFO":
            counts = told["stats"].items()
            self.total = sum(n for rule, n in counts if rule not in {"total", *self.targets})
        elif event == "JOB_INFO" and told["rule_name"] not in self.targets:
            self._start(told)
        elif event == "JOB_FINISHED" and told["job_id"] in self.started:
            self._print(f"{self._called(told['job_id'])}: {self._seconds(told['job_id'])}")
        elif event == "JOB_ERROR":
            self._fail(told)
        elif record.getMessage().startswith("Nothing to be done"):
            self._print("nothing to do: everything is newer than what it is made from")

    def _start(self, told: dict[str, Any]) -> None:
        name = " ".join([told["rule_name"], *map(str, dict(told["wildcards"] or {}).values())])
        self.started[told["jobid"]] = (name, time.monotonic())
        logs = f" (log: {', '.join(map(str, told['log']))})" if told["log"] else ""
        self._print(f"{self._called(told['jobid'])} …{logs}")

    def _called(self, job: int) -> str:
        place = list(self.started).index(job) + 1
        return f"[{place} of {max(self.total, place)}] {self.started[job][0]}"

    def _seconds(self, job: int) -> str:
        return f"{time.monotonic() - self.started[job][1]:,.0f} s"

    def _fail(self, told: dict[str, Any]) -> None:
        job = told["jobid"]
        if job not in self.started:
            self.started[job] = (told["rule_name"], time.monotonic())
        self._print(f"error: {self._called(job)} failed after {self._seconds(job)}")
        for log in map(str, told["log"]):
            self._print(f"the end of {log}:")
            for line in _last_lines(Path(log)):
                self._print(f"    {line}")

    def _print(self, line: str) -> None:
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        line = line.encode(encoding, errors="replace").decode(encoding)
        print(line, file=self.stream, flush=True)


def _last_lines(log: Path) -> list[str]:
    """The last lines of a log that are not empty; none if there is no log."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()][-_TAIL:]
