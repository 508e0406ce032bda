"""`ferbook data`: the data set."""

from __future__ import annotations

import warnings
from typing import Annotated

import typer

from ferbook.cli.output import errors, print_table

app = typer.Typer(help="The data set.", no_args_is_help=True)


@app.callback()
def _data() -> None:
    """The data set."""


@app.command()
def check(
    source: Annotated[str, typer.Argument(help="archive.zip, its folder, fer2013.csv, kaggle.")],
    subset: Annotated[bool, typer.Option(help="It is meant to be a part of the data.")] = False,
) -> None:
    """Say whether a source is FER-2013: its files, counts, pixels and duplicates.

    Ends with status 1, naming the difference, when it is not.
    """
    from ferbook.data.faces import OFFICIAL_FINGERPRINT, count_table
    from ferbook.data.sources import load

    with errors(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other pixels: said below
        faces = load(source, subset=subset)
    print_table(count_table(faces).reset_index(), f"{source}: {len(faces):,} images")
    typer.echo(f"SHA-256 of pixels and labels: {faces.fingerprint}")
    typer.echo(f"Test images with a byte-identical training image: {faces.leaked.sum():,}")
    if faces.name == "synthetic":
        typer.echo("Drawn by a program: not FER-2013.")
    elif faces.fingerprint == OFFICIAL_FINGERPRINT:
        typer.echo("This is FER-2013 as Kaggle distributes it, pixel by pixel.")
    else:
        typer.echo("FER-2013 by its counts, but not with the pixels of Kaggle's archive.")
