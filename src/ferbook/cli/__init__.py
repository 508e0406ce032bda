"""The command line. Each command imports what it needs, so that --help answers at once."""

from __future__ import annotations

import typer

from ferbook.cli import checks, dataset, output, pictures, runs

app = typer.Typer(
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
