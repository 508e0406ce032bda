"""What the commands share: errors in one line, tables on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ferbook.core.errors import FerbookError

if TYPE_CHECKING:
    import pandas as pd


class errors:
    """What the user can mend ends in one line and status 1; a bug shows its traceback."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, (FerbookError, OSError)):
            typer.echo(f"error: {plain(error)}", err=True)
            raise typer.Exit(1) from None


def plain(text: object) -> str:
    """Text for a terminal: whatever would steer it, or turn the writing round, is spelt out."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in str(text))


def print_table(frame: pd.DataFrame, title: str) -> None:
    """`frame` as a table; its cells are text, never markup."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(plain(title)))
    for column in frame.columns:
        table.add_column(Text(plain(column)), overflow="fold")  # a cut name names no file
    for row in frame.itertuples(index=False):
        table.add_row(*(Text(plain(cell)) for cell in row))
    console = Console()
    # Piped output is not cut at 80 columns.
    Console(width=None if console.is_terminal else 220).print(table)
