"""The command line. Each command imports what it needs, so that --help answers at once."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ferbook.cli import checks, dataset, models, output, pictures, runs


class _Commands(TyperGroup):
    """Commands whose options take a path such as ~/out, which shells leave as it is after a =.

    What cannot be printed, as on a full disk, is told in one line.
    """

    def main(self, *args: Any, **more: Any) -> Any:
        told = False
        try:
            try:
                return super().main(*args, **more)
            except SystemExit as end:
                told = bool(end.code)
                with output.printing():
                    pass
                raise
        except BrokenPipeError:
            raise
        except OSError as error:
            output.print_no_more()
            if not told:
                typer.echo(f"error: output: {error.strerror}.", err=True)
            sys.exit(1)

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, list(map(_expanded, args)))


def _expanded(argument: str) -> str:
    option, sign, value = argument.partition("=")
    return option + sign + os.path.expanduser(value) if option.startswith("--") else argument


app = typer.Typer(
    cls=_Commands,
    help="An executable paper on FER-2013: classify faces, check its claims, train its runs.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",  # or paragraphs keep the source's line breaks
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        import ferbook

        typer.echo(f"ferbook {ferbook.__version__}")
        raise typer.Exit


@app.callback()
def _start(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Show the version.")
    ] = False,
) -> None:
    output.any_terminal()
    warnings.showwarning = output.warn
    output.quiet_tensorflow()


_PANELS = {
    "The released model": (pictures.predict, pictures.any_size, models.network),
    "The paper": (checks.claims, checks.audit, checks.verify, runs.runs),
    "Training": (runs.train, runs.device, models.export, runs.compare),
}
for panel, commands in _PANELS.items():
    for command in commands:
        name = command.__name__.replace("_", "-")
        app.command(name, rich_help_panel=panel)(command)
app.add_typer(dataset.app, name="data", rich_help_panel="Training")
