"""Which lines and branches of each package the test suite reaches: `make coverage`.

    python -m trials.coverage COVERAGE.json --into results

COVERAGE.json is what `coverage json` writes of a run with branches. What a test starts as a process
of its own is not counted.
"""

import argparse
import json
from collections import Counter
from pathlib import Path, PurePosixPath

from ferbook.results import measurements

COUNTED = {
    "statements": "num_statements", "statements_reached": "covered_lines",
    "branches": "num_branches", "branches_reached": "covered_branches",
}  # fmt: skip


def packages(report):
    """Counts of each package of `src/ferbook`, its modules added up; "." is what lies beside."""
    counts = {}
    for name, file in sorted(report["files"].items()):
        parts = PurePosixPath(name).parts
        inside = parts[parts.index("ferbook") + 1 :]
        row = counts.setdefault(inside[0] if len(inside) > 1 else ".", Counter())
        row.update({new: file["summary"][old] for new, old in COUNTED.items()})
    return {name: dict(row) for name, row in counts.items()}


def main(arguments=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("report", type=Path)
    parser.add_argument("--into", type=Path, required=True, help="a result store")
    given = parser.parse_args(arguments)
    facts = {"by_package": packages(json.loads(given.report.read_text()))}
    measurements.write_facts(given.into, "reliability", "coverage", facts)


if __name__ == "__main__":
    main()
