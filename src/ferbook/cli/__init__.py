"""The command line. Each command imports what it needs, so that --help answers at once."""

from __future__ import annotations

import os

import typer
from typer.core import TyperGroup

from ferbook.cli import checks, dataset, output, pictures, runs


class _AtHome(TyperGroup):
    """Commands whose options take a path such as ~/out, which shells leave as it is after a =."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, list(map(_expanded, args)))


def _expanded(argument: str) -> str:
    option, sign, value = argument.rpartition("=")
    return option + sign + os.path.expanduser(value) if option.startswith("--") else argument


app = typer.Typer(
    cls=_AtHome,
    help="An executable paper on FER-2013: check its claims, audit a table, train its runs.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",  # or paragraphs keep the source's line breaks
    pretty_exceptions_enable=False,
)


@app.callback()
def _start() -> None:
    output.any_terminal()


for command in (checks.claims, checks.audit, checks.verify, runs.train, runs.device, runs.runs,
                runs.compare, runs.export, pictures.predict):  # fmt: skip
    app.command()(command)
app.command("any-size")(pictures.any_size)
app.command("network")(runs.network)
app.add_typer(dataset.app, name="data")
