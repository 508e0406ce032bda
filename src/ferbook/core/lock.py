"""One at a time: a lock that ends with its holder and all that it started, however that ends.

    python -m ferbook.core.lock <lock file> <command...>    # which holds the lock while it runs

A lock file alone is not enough: one that `kill -9` leaves behind would have to be removed by hand.
The system frees this one. It is advisory and holds on one machine, or on a shared file system
that knows `flock`.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import lock_descriptor

from ferbook.core.errors import FerbookError

PIPELINE = Path(".pipeline.lock")  # beside the Makefile: `make clean` leaves it alone
_PATIENCE_SECONDS = 5  # between a request to end and the end


class BusyError(FerbookError, OSError):
    """Another process is at work on the same thing."""


@contextlib.contextmanager
def alone(path: Path, what: str) -> Iterator[int]:
    """Hold the lock at `path`, or raise BusyError at once, naming `what` and who holds it."""
    descriptor = hold(path, what)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def hold(path: Path, what: str) -> int:
    """Take the lock at `path` for the rest of this process, and of those that inherit it.

    Returns its descriptor, for `pass_fds`. Raises BusyError as `alone`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    if not lock_descriptor(descriptor, blocking=False):
        try:
            raise BusyError(f"{what}: {_said(_holder(descriptor))}")
        finally:
            os.close(descriptor)
    os.truncate(descriptor, 0)
    os.write(descriptor, f" {os.getpid()} {_own_group()}\n".encode())
    return descriptor


def _holder(descriptor: int) -> list[str]:
    """Process and group of who holds the lock, as far as they can be read."""
    for start in (0, 1):  # Windows locks byte 0 against reading; a blank stands there
        with contextlib.suppress(OSError):
            os.lseek(descriptor, start, os.SEEK_SET)
            return os.read(descriptor, 100).decode(errors="replace").split()
    return []


def _own_group() -> int:
    """The process group, if this process leads it; 0 if others would end with it."""
    leads = hasattr(os, "getpgrp") and os.getpgrp() == os.getpid()
    return os.getpgrp() if leads else 0


def _said(holder: list[str]) -> str:
    process, group = (*holder, "0")[:2] if holder else ("?", "0")
    said = f"process {process}, or what it started, is at work on it. Wait for its end"
    if not holder or os.name != "posix":
        return f"{said}."
    return f"{said}, or end it: kill {process if group == '0' else f'-- -{group}'}"


def lead() -> None:
    """Make this process the first of a group of its own, which ends as a whole when it ends.

    Jobs and what they start stay in the group; a warden outside of it sees this process killed,
    by whatever signal, and ends the rest. Does nothing where there are no process groups.
    """
    if not hasattr(os, "fork"):
        return
    _found_group()
    ended, alive = os.pipe()  # the pipe closes with this process
    atexit.register(os.write, alive, b".")  # an orderly end leaves nobody behind
    group, own = os.getpgrp(), os.getpid()
    if group == own and os.fork() == 0:
        with contextlib.suppress(BaseException):
            os.close(alive)
            _guard(ended, group)
        os._exit(0)
    os.close(ended)


def _found_group() -> None:
    """A new group, in the foreground if the old one was, so that Ctrl-C still reaches it."""
    if os.getpgrp() == os.getpid():
        return
    before, terminal = os.getpgrp(), None
    with contextlib.suppress(OSError):
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    foreground = terminal is not None and os.tcgetpgrp(terminal) == before
    os.setpgid(0, 0)
    if foreground:
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.tcsetpgrp(terminal, os.getpgrp())
    if terminal is not None:
        os.close(terminal)


def _guard(ended: int, group: int) -> None:
    """Wait for the end of the group's first process, then end the others."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    _close_all_but(ended)
    if os.read(ended, 1):
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
        time.sleep(_PATIENCE_SECONDS)
        os.killpg(group, signal.SIGKILL)


def _close_all_but(descriptor: int) -> None:
    """The warden holds nothing open: no lock, and no pipe that somebody waits to see closed."""
    os.closerange(3, descriptor)
    os.closerange(descriptor + 1, 4096)


def main(arguments: list[str]) -> None:
    """The command line: see the module's docstring."""
    try:
        descriptor = hold(Path(arguments[0]), "this checkout")
        os.set_inheritable(descriptor, True)
        os.execvp(arguments[1], arguments[1:])
    except BusyError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: {arguments[1]}: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
