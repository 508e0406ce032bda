"""From pictures to answers: predict, and a model file for faces of any size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ferbook.cli.output import errors, plain, print_rows, printing

if TYPE_CHECKING:
    from ferbook.inference.moving import Track
    from ferbook.inference.report import Report

NAMED = 5  # of what was skipped, on the terminal; a report names all


def predict(
    sources: Annotated[
        list[str], typer.Argument(help="Pictures, folders, videos, camera:0, - for a pipe.")
    ],
    model: Annotated[
        Path | None, typer.Option(help="An exported ONNX file. Default: the released model.")
    ] = None,
    json_file: Annotated[
        Path | None,
        typer.Option("--json", help="Write all there is to say here, - to print it; no table."),
    ] = None,
    csv_file: Annotated[
        Path | None,
        typer.Option("--csv", help="Write a row per face here, - to print it; no table."),
    ] = None,
    annotate: Annotated[Path | None, typer.Option(help="Folder for marked copies.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Let --annotate overwrite existing files.")
    ] = False,
    show: Annotated[
        bool, typer.Option("--show", help="Show videos and cameras in a window.")
    ] = False,
    every: Annotated[int, typer.Option(help="Analyze every n-th frame of a video.")] = 10,
    smooth: Annotated[
        float, typer.Option(help="Smooth a video: half-life in seconds, up to 3,600.")
    ] = 0.0,
    faces: Annotated[int | None, typer.Option(help="Keep only the n largest faces.")] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Each picture is one face; do not search.")
    ] = False,
    min_face: Annotated[
        int, typer.Option(help="Smallest face to find, in pixels, from 20 on.")
    ] = 20,
) -> None:
    """Classify the expressions of faces in pictures, videos or a camera's view.

    A picture of at most 64 px a side is taken for a face; in others faces are looked for. Answers
    are an expression's look, not a feeling: see the chapter Ethics. Ctrl-C ends the work; what was
    found until then is written. Ends with status 1 when a source could not be read to its end.
    """
    with errors():
        from ferbook.inference import report as reports
        from ferbook.inference.detector import Search

        search, files = Search(whole, min_face, most=faces), (json_file, csv_file)
        reports.check_targets(*files)
        found = _gather(show, sources, model=model, annotate=annotate, every=every,
                        search=search, smooth=smooth, replace=replace, reports=files)  # fmt: skip
        try:
            reports.write(found, *files)
        except Exception:  # hours of work are not to be lost
            _print(found)
            raise
        if not any(files):
            _print(found)
    _tell(found, min_face)
    for file in filter(None, files):
        if str(file) != "-":
            typer.echo(plain(f"{file}: {_count(found)}"), err=True)
    raise typer.Exit(1 if found.problems else 0)


def _count(found: Report) -> str:
    n = len(found.faces)
    return f"{n:,} {'face' if n == 1 else 'faces'}"


def _print(found: Report) -> None:
    from ferbook.inference import report as reports

    if rows := reports.summary(found):
        with printing():
            print_rows(("source", "face", "it looks", "or"), rows, _count(found))


def _gather(show: bool, sources: list[str], **options: Any) -> Report:
    """`gathering.gather`, ended by Ctrl-C or by closing the window."""
    from ferbook.inference.collecting import collect
    from ferbook.inference.gathering import gather
    from ferbook.inference.moving import stopped_by_key

    # Before the key is heard: a pipe is read here, and Ctrl-C is to end that at once.
    collected = collect(sources, leave_out=options["annotate"])
    with stopped_by_key() as asked:
        if not show:
            with _progress() as track:
                return gather(collected, **options, track=track, stop=asked)
        from ferbook.inference.window import Window

        window = Window("ferbook predict")
        try:
            return gather(collected, **options, show=window.show,
                          stop=lambda: asked() or window.closed)  # fmt: skip
        finally:
            window.close()


def _tell(found: Report, min_face: int) -> None:
    """What holds no face, was not looked at, or failed."""
    for source in found.empty:
        line = f"no face: {source} (searched for faces of {min_face} px or more; "
        typer.echo(plain(f"{line}if it is one face, --whole)"), err=True)
    for line in found.skipped[:NAMED]:
        typer.echo(plain(f"not looked at: {line}"), err=True)
    if len(found.skipped) > NAMED:
        typer.echo(
            f"not looked at: {len(found.skipped) - NAMED:,} more; --json names all", err=True
        )
    for problem in found.problems:
        typer.echo(plain(f"error: {problem}"), err=True)


@contextmanager
def _progress() -> Iterator[Track]:
    """Bars on a terminal; the names beside them are text, never markup."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    text = TextColumn("{task.description}", markup=False)
    columns, console = (text, BarColumn(), TimeRemainingColumn()), Console(stderr=True)
    quiet = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:

        def track(items: Iterable, total: int | None, description: str) -> Iterable:
            return progress.track(items, total, description=plain(description))

        yield track


def any_size(
    target: Annotated[Path, typer.Argument(help="The ONNX file to write.")],
    model: Annotated[Path | None, typer.Option(help="An exported ONNX file.")] = None,
) -> None:
    """Write a model for gray faces of any size, with the resizing of predict inside."""
    with errors():
        from ferbook.inference import onnx_resize
        from ferbook.inference.classifier import RELEASED

        onnx_resize.write(model or RELEASED / "model-int8.onnx", target)
    typer.echo(target)
