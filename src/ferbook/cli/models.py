"""Models as files: export a run's, or write the released one to be trained on."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ferbook.cli.output import errors, look_for, make, refuse_file, start_tensorflow

if TYPE_CHECKING:
    from ferbook.results.run import Run


def export(
    run: Annotated[Path, typer.Argument(help="A run's folder in the result store.")],
    source: Annotated[str, typer.Option("--data", help="archive.zip, its folder or fer2013.csv.")],
    weights: Annotated[
        Path | None, typer.Option(help="Its weights. Default: runs/STUDY/RUN/best.npz.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where the files go. Default: exports/RUN.")
    ] = None,
    results: Annotated[Path, typer.Option(help="Measurements go here.")] = Path("results"),
    runs: Annotated[Path, typer.Option(help="Where training kept the weights.")] = Path("runs"),
    release: Annotated[
        bool, typer.Option("--release", help="Make it the model of ferbook predict.")
    ] = False,
    subset: Annotated[
        bool, typer.Option("--subset", help="Accept data that are only a part of FER-2013.")
    ] = False,
) -> None:
    """Write a run as Keras, ONNX and LiteRT files and measure each on all test images.

    Not for a run that pools by attention. labels.txt has the classes in the order of the answers.
    """
    with errors():
        if not run.exists() and (results / run).is_dir():  # as ferbook runs names it
            run = results / run
        look_for(run)
        if not (run / "run.json").is_file():
            from ferbook.core.files import FileError

            raise FileError(
                f"{run}: no run (no run.json in it). ferbook runs lists those there are."
            )
        weights = _weights(run, weights, runs)
        from ferbook.data.sources import find, load

        find(source)
        from ferbook.results import store

        trained = store.load_run(run)
        if release:
            _check_releasable(trained)
        # Late, so that a mistyped name is told before TensorFlow starts.
        start_tensorflow()
        from ferbook.comparison.peers import answerers
        from ferbook.export.deploy import deploy

        faces = load(source, subset=subset)
        others = answerers() if faces.name == "fer2013" else {}
        places = {"weights": weights, "folder": folder, "results_dir": results}
        with contextlib.redirect_stdout(sys.stderr):  # the converters tell what they do
            written = deploy(trained, faces, others=others, release=release, **places)
    typer.echo(written)


def _check_releasable(trained: Run) -> None:
    from ferbook.core.recipe import RecipeError

    if not trained.is_fer2013 or not trained.recipe.backbone.startswith("efficientnet_lite"):
        raise RecipeError(
            f"--release: expected an EfficientNet-Lite trained on FER-2013. Received: "
            f"{trained.recipe.backbone}, trained on {trained.info['dataset']['name']}."
        )


def network(
    folder: Annotated[Path, typer.Argument(help="For model.keras and its card, README.md.")],
) -> None:
    """Write the released model as a Keras file that needs no ferbook, to be trained on."""
    with errors():
        make(folder.parent)
        refuse_file(folder)
        from ferbook.core.writing import refuse_filled

        refuse_filled(folder)
        start_tensorflow()
        from ferbook.export import released

        released.write(folder)
    typer.echo(folder)


def _weights(run: Path, weights: Path | None, runs: Path) -> Path:
    """The weights of `run`, where `--weights` or training put them."""
    place = weights or runs / run.absolute().parent.name / run.absolute().name / "best.npz"
    if not place.is_file():
        from ferbook.core.files import FileError

        raise FileError(
            f"{place}: no weights there. A clone holds answers of runs, not weights: train "
            "it (ferbook train) or give --weights. The released model comes with the package, as "
            "ONNX files: ferbook predict uses it, ferbook any-size writes it."
        )
    return place
