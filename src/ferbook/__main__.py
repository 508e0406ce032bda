"""The command line. Each command imports what it needs, so that --help answers at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(
    help="An executable paper on FER-2013: check its claims, audit a table, train its runs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def claims(
    results: Annotated[Path, typer.Option(help="The result store.")] = Path("results"),
    ledger: Annotated[Path, typer.Option(help="The claims.")] = Path("book/claims.yml"),
    original: Annotated[Path, typer.Option(help="The original's numbers.")] = Path(
        "book/original.yml"
    ),
) -> None:
    """Grade every claim of the original by what the result store holds."""
    from ferbook import tables
    from ferbook.claims import gather, grade, read_claims

    with _errors():
        evidence = gather(results, original)
        graded = [(claim, grade(claim, evidence)) for claim in read_claims(ledger)]
    _print(tables.claims_frame(graded), "Claims")
    _print(tables.grade_table([verdict for _, verdict in graded]).frame.reset_index(), "Grades")


@app.command()
def audit(
    table: Annotated[Path, typer.Argument(help="A YAML table of published scores.")],
) -> None:
    """Check a published table by arithmetic: test set, whole numbers, agreement of its cells.

    The form of the file is described in ferbook.arithmetic; book/original.yml and
    book/second.yml are examples. Ends with status 2 when some result is possible on no test set.
    """
    from ferbook import tables
    from ferbook.arithmetic import audit_table

    with _errors():
        findings = audit_table(table)
    _print(tables.audit_table(findings).frame.reset_index(), str(table))
    homeless = tables.homeless_results(findings)
    if homeless:
        typer.echo(f"On no test set possible: {'; '.join(homeless)}")
        raise typer.Exit(2)


@app.command()
def train(
    config: Annotated[Path, typer.Argument(help="A recipe or a grid: a file of configs/.")],
    data: Annotated[str, typer.Option(help="archive.zip, its folder or fer2013.csv.")] = "",
    run: Annotated[str, typer.Option(help="One run of a grid; all when empty.")] = "",
    results: Annotated[Path, typer.Option(help="The result store.")] = Path("results"),
    runs: Annotated[Path, typer.Option(help="Checkpoints of unfinished runs.")] = Path("runs"),
) -> None:
    """Train the runs of a configuration that are not in the store yet; a killed one goes on."""
    from ferbook.study import read_study

    with _errors():
        study = read_study(config)
        if run and run not in study.recipes:
            raise ValueError(f"--run: no {run} in {config}. It has {', '.join(study.recipes)}.")
        recipes = [study.recipes[run]] if run else list(study.recipes.values())
        # Late, so that a mistyped name is told before TensorFlow starts.
        from ferbook.data import load
        from ferbook.train import train as train_one

        faces = load(data or study.data)
        for recipe in recipes:
            typer.echo(f"{study.name}/{recipe.run_name}")
            train_one(recipe, faces, study=study.name, results_dir=results, runs_dir=runs)


@app.command()
def compare(
    data: Annotated[str, typer.Argument(help="archive.zip, its folder or fer2013.csv.")],
    only: Annotated[str, typer.Option(help="One peer or baseline; all when empty.")] = "",
    results: Annotated[Path, typer.Option(help="The result store.")] = Path("results"),
) -> None:
    """Put packaged models of others and classical baselines before the same test images."""
    from ferbook import baselines, peers

    with _errors():
        known = [*peers.PACKAGES, *baselines.FEATURES]
        if only and only not in known:
            raise ValueError(f"--only: no {only}. There are {', '.join(known)}.")
        from ferbook.data import load
        from ferbook.splits import split

        faces = load(data)
        for name in [only] if only else known:
            is_peer = name in peers.PACKAGES
            args = (name, split(faces).test if is_peer else faces, results)
            typer.echo((peers if is_peer else baselines).evaluate(*args))


class _errors:
    """A wrong file ends in one line and status 1, not in a traceback."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, (ValueError, OSError)):
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(1) from None


def _print(frame: pd.DataFrame, title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*map(str, frame.columns), title=title)
    for row in frame.itertuples(index=False):
        table.add_row(*map(str, row))
    console = Console()
    # Piped output is not cut at 80 columns.
    Console(width=None if console.is_terminal else 220).print(table)


if __name__ == "__main__":
    app()
