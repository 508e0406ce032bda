"""One at a time: a lock that ends with its holder, however that ends.

    python -m ferbook.core.lock <lock file> <command...>    # which holds the lock while it runs

A lock file alone is not enough: one that `kill -9` leaves behind would have to be removed by hand.
The system frees this one. It is advisory and holds on one machine, or on a shared file system
that knows `flock`.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ferbook.core.errors import FerbookError


class BusyError(FerbookError, OSError):
    """Another process is at work on the same thing."""


@contextlib.contextmanager
def alone(path: Path, what: str) -> Iterator[IO[str]]:
    """Hold the lock at `path`, or raise BusyError at once, naming `what` and who holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+", encoding="utf-8") as file:
        if not _lock(file):
            file.seek(0)
            raise BusyError(
                f"{what}: process {file.read().strip() or '?'} is at work on it. "
                "Wait for its end, or end it."
            )
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield file


def _lock(file: IO[str]) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows: nothing is locked
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def main(arguments: list[str]) -> None:
    """The command line: see the module's docstring."""
    try:
        with alone(Path(arguments[0]), "this checkout") as file:
            os.set_inheritable(file.fileno(), True)
            os.execvp(arguments[1], arguments[1:])
    except BusyError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: {arguments[1]}: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
