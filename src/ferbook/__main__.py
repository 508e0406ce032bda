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
    rich_markup_mode="markdown",  # or paragraphs keep the source's line breaks
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
    deterministic: Annotated[
        bool, typer.Option(help="The same bits each time, on a GPU too; slower.")
    ] = False,
    augment_in_model: Annotated[bool, typer.Option(help="Warp images on the GPU.")] = False,
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
            places = {"study": study.name, "results_dir": results, "runs_dir": runs}
            how = {"deterministic": deterministic, "augment_in_model": augment_in_model}
            train_one(recipe, faces, **places, **how)


@app.command()
def compare(
    data: Annotated[str, typer.Argument(help="archive.zip, its folder or fer2013.csv.")],
    only: Annotated[str, typer.Option(help="One of them; all when empty.")] = "",
    results: Annotated[Path, typer.Option(help="The result store.")] = Path("results"),
) -> None:
    """Put before the same test images: packaged models of others, classical baselines, ten crops.

    The last are crops of each image before our released model.
    """
    from ferbook import baselines, crops, peers

    with _errors():
        rooms = {name: peers for name in peers.PACKAGES}
        rooms |= {name: baselines for name in baselines.FEATURES} | {crops.NAME: crops}
        known = list(rooms)
        if only and only not in known:
            raise ValueError(f"--only: no {only}. There are {', '.join(known)}.")
        from ferbook.data import load
        from ferbook.splits import split

        parts = split(load(data))
        for name in [only] if only else known:
            typer.echo(rooms[name].evaluate(name, parts, results))


@app.command()
def runs(
    results: Annotated[Path, typer.Option(help="The result store.")] = Path("results"),
) -> None:
    """List the runs of the store with accuracy and cost."""
    from ferbook import store, study_tables

    with _errors():
        leaked = frozenset(store.load_dataset(results)["leaked_files"])
        table = study_tables.ledger_table(store.load_all(results), leaked)
    _print(table.formatted(), "Runs")


@app.command()
def verify(
    project: Annotated[Path, typer.Option(help="A checkout.")] = Path("."),
    renew_manifest: Annotated[
        bool, typer.Option(help="Write results/MANIFEST.sha256 anew, and check nothing.")
    ] = False,
) -> None:
    """Recompute every score, table, grade and number of the book from results/, and compare.

    Ends with status 1 and a line for each thing that disagrees. Needs neither TensorFlow nor the
    data set.
    """
    from ferbook import manifest

    with _errors():
        if renew_manifest:
            typer.echo(manifest.renew(project / "results"))
            return
        from ferbook.verify import verify as verify_all

        found = verify_all(project)
    for finding in found.findings:
        typer.echo(finding)
    for skipped in found.skipped:
        typer.echo(f"not recomputed, needs the images: {skipped}", err=True)
    compared = ", ".join(f"{n:,} {what}" for what, n in found.compared.items())
    typer.echo(f"{len(found.findings):,} findings; compared {compared}.", err=True)
    raise typer.Exit(1 if found.findings else 0)


data_app = typer.Typer(help="The data set.", no_args_is_help=True)
app.add_typer(data_app, name="data")


@data_app.command()
def check(
    source: Annotated[str, typer.Argument(help="archive.zip, its folder, fer2013.csv, kaggle.")],
) -> None:
    """Say whether a source is FER-2013: its files, counts, pixels and copies.

    Ends with status 1, naming the difference, when it is not.
    """
    import warnings

    from ferbook.data import OFFICIAL_FINGERPRINT, count_table, fingerprint, load
    from ferbook.splits import leaked_mask

    with _errors(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other pixels: said below
        faces = load(source)
        found = fingerprint(faces)
    _print(count_table(faces).reset_index(), f"{source}: {len(faces):,} images")
    typer.echo(f"SHA-256 of pixels and labels: {found}")
    typer.echo(f"Test images with a byte-identical training image: {leaked_mask(faces).sum():,}")
    if faces.name == "synthetic":
        typer.echo("Drawn by a program: not FER-2013.")
    elif found == OFFICIAL_FINGERPRINT:
        typer.echo("This is FER-2013 as Kaggle distributes it, pixel by pixel.")
    else:
        typer.echo("FER-2013 by its counts, but not with the pixels of Kaggle's archive.")


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="A run's folder in the result store.")],
    source: Annotated[str, typer.Option("--data", help="archive.zip, its folder or a csv.")],
    weights: Annotated[Path | None, typer.Option(help="Default: runs/STUDY/RUN/best.npz.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Default: exports/RUN.")] = None,
    results: Annotated[Path, typer.Option(help="Measurements go here.")] = Path("results"),
    release: Annotated[bool, typer.Option(help="Make it the model of ferbook predict.")] = False,
) -> None:
    """Write a run as Keras, ONNX and LiteRT files and measure each on all test images."""
    from ferbook import store

    with _errors():
        trained = store.load_run(run)
        # Late, so that a mistyped name is told before TensorFlow starts.
        from ferbook.data import load
        from ferbook.deploy import deploy

        written = deploy(trained, weights, load(source), folder, results, release=release)
    typer.echo(written)


@app.command("any-size")
def any_size(
    target: Annotated[Path, typer.Argument(help="The ONNX file to write.")],
    model: Annotated[Path | None, typer.Option(help="An exported ONNX file.")] = None,
) -> None:
    """Write a model that takes grey faces of any size: the resizing of predict in its graph."""
    from ferbook import any_size
    from ferbook.predict import RELEASED

    with _errors():
        any_size.write(model or RELEASED / "model-int8.onnx", target)
    typer.echo(target)


@app.command()
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
    from ferbook import report

    with _errors():
        report.check_targets(json_file, csv_file)
        found = report.gather(sources, model, annotate, every)
        report.write(found, json_file, csv_file)
    if found.faces and not (json_file or csv_file):
        n = len(found.faces)
        _print(report.summary(found), f"{n:,} {'face' if n == 1 else 'faces'}")
    for source in found.empty:
        typer.echo(f"no face: {source} (only upright frontal faces are found)", err=True)
    for problem in found.problems:
        typer.echo(f"error: {problem}", err=True)
    raise typer.Exit(1 if found.problems else 0)


@app.command()
def bench(
    only: Annotated[str, typer.Option(help="One piece; those that the store lacks if empty.")] = "",
    budget: Annotated[str, typer.Option(help="full, about ten minutes, or smoke.")] = "full",
    fresh: Annotated[bool, typer.Option(help="Measure what the store has, too.")] = False,
    torch: Annotated[str, typer.Option(help="A Python that has PyTorch and timm.")] = "",
    results: Annotated[Path, typer.Option(help="Measurements go here.")] = Path("results"),
) -> None:
    """Measure input, training step, start-up, audit and memory; see the chapter Performance."""
    from ferbook import bench_tables
    from ferbook.bench import measured

    with _errors():
        found = measured(results, budget, only=only, fresh=fresh, torch=torch)
    tables = {
        "input": bench_tables.input_table,
        "step": bench_tables.step_table,
        "memory": bench_tables.memory_table,
    }
    for piece, table in tables.items():
        if piece in found:
            _print(table(found).formatted(), table(found).caption)


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

    table = Table(title=title)
    for column in frame.columns:
        table.add_column(str(column), overflow="fold")  # a cut name names no file
    for row in frame.itertuples(index=False):
        table.add_row(*map(str, row))
    console = Console()
    # Piped output is not cut at 80 columns.
    Console(width=None if console.is_terminal else 220).print(table)


if __name__ == "__main__":
    app()
