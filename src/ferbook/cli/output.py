"""What the commands share: errors in one line, tables on a terminal."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ferbook.core.errors import FerbookError

if TYPE_CHECKING:
    import pandas as pd


_SILENT = "3"  # of TF_CPP_MIN_LOG_LEVEL, which the commands set unless it is set
_TENSORFLOW = "TensorFlow: pip install '.[train]' in a checkout, or [gpu]."
# Module -> what to install for it.
_EXTRAS = {
    "keras": _TENSORFLOW,
    "tensorflow": _TENSORFLOW,
    "cv2": "OpenCV: pip install . in a checkout.",
    "onnx": "onnx: pip install '.[export]' in a checkout.",
    "onnxruntime": "ONNX Runtime: pip install . in a checkout.",
    "skimage": "scikit-image: pip install '.[compare]' in a checkout.",
}


_HARMLESS = "\N{NO-BREAK SPACE}"


class errors:
    """What the user can mend ends in one line and status 1; a bug shows its traceback."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, ModuleNotFoundError) and error.name in _EXTRAS:
            typer.echo(f"error: needs {_EXTRAS[error.name]}", err=True)
            raise typer.Exit(1) from None
        if isinstance(error, BrokenPipeError):  # as of `| head`, which Typer ends in silence
            return
        if isinstance(error, (FerbookError, OSError)):
            typer.echo(f"error: {plain(_in_words(error))}", err=True)
            raise typer.Exit(1) from None


@contextlib.contextmanager
def printing() -> Iterator[None]:
    """What is printed in the block is out after it. Raises OSError, as for a full disk, if not."""
    if sys.stdout is None:  # closed by the caller
        raise OSError(errno.EBADF, os.strerror(errno.EBADF), "standard output")
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError:
        print_no_more()
        raise


@contextlib.contextmanager
def steps(doing: str) -> Iterator[Callable[[str], None]]:
    """What is done now, in a line of a terminal that is gone afterward; nothing elsewhere."""
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status(doing) as line:
        yield lambda what: line.update(Text(f"{doing} {plain(what)} …"))


def print_no_more() -> None:
    """What could not be printed is given up, or Python would try once more when it ends."""
    sys.stdout = open(os.devnull, "w")


def start_tensorflow() -> None:
    """Import TensorFlow without what its core prints of GPUs that it does not find.

    Unless TF_CPP_MIN_LOG_LEVEL asks for that. Python's own errors are raised as ever.
    """
    import ferbook.training  # noqa: F401  settings that TensorFlow reads when it starts

    if os.environ["TF_CPP_MIN_LOG_LEVEL"] != _SILENT:
        return
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        import tensorflow

        tensorflow.config.list_physical_devices()
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def look_for(*paths: Path) -> None:
    """Before anything slow is imported: raises FileNotFoundError for a path that is not there."""
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


def look_for_store(results: Path) -> None:
    """Raises FileError for a folder that is no result store, FileNotFoundError for none."""
    look_for(results)
    if not any(results.glob("*/*/run.json")):
        from ferbook.core.files import FileError

        raise FileError(f"{results}: no result store (no <study>/<run>/run.json in it).")


def make(*folders: Path) -> None:
    """Before anything slow is begun: raises OSError for a folder that cannot be written to."""
    for folder in folders:
        refuse_file(folder)
        folder.mkdir(parents=True, exist_ok=True)


def refuse_file(path: Path) -> None:
    """Raises NotADirectoryError for what is there and is no folder."""
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))


def _in_words(error: FerbookError | OSError) -> str:
    """An error of the system with its file first, and where the commands expect to be."""
    if not (isinstance(error, OSError) and error.filename and error.strerror):
        return str(error)
    line = f"{error.filename}: {error.strerror}."
    ours = Path(error.filename).parts[:1] in (("book",), ("configs",), ("results",))
    if ours and isinstance(error, FileNotFoundError) and not _in_checkout():
        line += " Paths are taken from the folder you are in, which is no checkout of ferbook."
    return line


def _in_checkout() -> bool:
    from ferbook.core.paths import project_root

    try:
        return bool(project_root())
    except FileNotFoundError:
        return False


def quiet_tensorflow() -> None:
    """Ask TensorFlow for silence, here and in processes that this one starts, unless it is set."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", _SILENT)


def any_terminal() -> None:
    """Characters that a terminal's code page lacks are shown as escapes, not as a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def warn(message: Warning | str, *_: object) -> None:
    """A warning in one line, without the place in the code that Python names."""
    typer.echo(f"warning: {plain(message)}", err=True)


def plain(text: object) -> str:
    """Text for a terminal: whatever would steer it, or turn the writing round, is spelled out."""
    return "".join(c if c.isprintable() or c in _HARMLESS else repr(c)[1:-1] for c in str(text))


def print_table(frame: pd.DataFrame, title: str) -> None:
    """`frame` as a table."""
    print_rows(frame.columns, frame.itertuples(index=False), title)


def print_rows(columns: Sequence, rows: Iterable[Sequence], title: str) -> None:
    """A table on the terminal; its cells are text, never markup."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(plain(title)))
    for column in columns:
        table.add_column(Text(plain(column)), overflow="fold")  # a cut name names no file
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    console = Console()
    # A row of piped output stays on one line.
    Console(width=None if console.is_terminal else 10_000).print(table)
