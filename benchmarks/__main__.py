"""`python -m benchmarks`: measure input, training step, start-up, audit, memory and detection.

With nothing else at work on the machine, the full budget takes about ten minutes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks import runner


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--only", choices=runner.PIECES, help="one piece, measured anew")
    parser.add_argument("--budget", choices=runner.BUDGETS, default="full")
    parser.add_argument("--fresh", action="store_true", help="measure what the store has, too")
    parser.add_argument("--torch", default="", help="a Python that has PyTorch and timm")
    parser.add_argument("--peers", default="", help="a Python that has the packages fer and facex")
    parser.add_argument("--data", default="synthetic", help="FER-2013, for the piece detection")
    parser.add_argument("--results", type=Path, default=Path("results"))
    given = parser.parse_args(arguments)
    names = [given.only] if given.only else runner.missing(given.results, fresh=given.fresh)
    if "detection" in names and given.budget == "full" and given.data in ("", "synthetic"):
        parser.error("DATA: detection is measured on FER-2013. Give make bench DATA=archive.zip.")
    for name in names:
        print(runner.measure(name, given.budget, given.results, torch=given.torch,
                             peers=given.peers, data=given.data))  # fmt: skip


if __name__ == "__main__":
    main()
