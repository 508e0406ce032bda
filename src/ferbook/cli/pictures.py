"""From pictures to answers: predict, and a model file for faces of any size."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ferbook.cli.output import errors, print_table


def predict(
    sources: Annotated[list[str], typer.Argument(help="Pictures, folders, videos, camera:0.")],
    model: Annotated[Path | None, typer.Option(help="An exported ONNX file.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write answers here.")] = None,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write answers here.")] = None,
    annotate: Annotated[Path | None, typer.Option(help="Folder for marked pictures.")] = None,
    every: Annotated[int, typer.Option(min=1, help="Of a video, every so many frames.")] = 10,
) -> None:
    """Say what the faces in pictures, videos or before a camera express.

    A picture of at most 64 px a side is taken for a face; in others faces are looked for. Answers
    are an expression's look, not a feeling: see the chapter Ethics. Ends with status 1 when a
    source could not be read.
    """
    from ferbook.inference import predict as reports

    with errors():
        reports.check_targets(json_file, csv_file)
        found = reports.gather(sources, model, annotate, every)
        reports.write(found, json_file, csv_file)
    if found.faces and not (json_file or csv_file):
        n = len(found.faces)
        print_table(reports.summary(found), f"{n:,} {'face' if n == 1 else 'faces'}")
    for source in found.empty:
        typer.echo(f"no face: {source} (only upright frontal faces are found)", err=True)
    for problem in found.problems:
        typer.echo(f"error: {problem}", err=True)
    raise typer.Exit(1 if found.problems else 0)


def any_size(
    target: Annotated[Path, typer.Argument(help="The ONNX file to write.")],
    model: Annotated[Path | None, typer.Option(help="An exported ONNX file.")] = None,
) -> None:
    """Write a model that takes grey faces of any size: the resizing of predict in its graph."""
    from ferbook.inference import onnx_resize
    from ferbook.inference.classifier import RELEASED

    with errors():
        onnx_resize.write(model or RELEASED / "model-int8.onnx", target)
    typer.echo(target)
