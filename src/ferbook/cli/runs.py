"""Runs: train them, list them, compare them with others, export them."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ferbook.cli.output import (
    errors,
    look_for,
    look_for_store,
    make,
    print_table,
    refuse_file,
    start_tensorflow,
)

if TYPE_CHECKING:
    from ferbook.core.recipe import Recipe
    from ferbook.results.study import Study


_SHOWN = ("validation", "test", "hours")  # on a terminal


def train(
    config: Annotated[Path, typer.Argument(help="A recipe or a grid: a file of configs/.")],
    data: Annotated[
        str,
        typer.Option(
            help="archive.zip, its folder or fer2013.csv. Default: what CONFIG says, in configs/ "
            "kaggle, which downloads it."
        ),
    ] = "",
    run: Annotated[str, typer.Option(help="One run of a grid; by default, all.")] = "",
    results: Annotated[Path, typer.Option(help="The result store.")] = Path("results"),
    runs: Annotated[Path, typer.Option(help="Checkpoints of unfinished runs.")] = Path("runs"),
    deterministic: Annotated[
        bool, typer.Option("--deterministic", help="The same bits each time, on a GPU too; slower.")
    ] = False,
    augment_in_model: Annotated[
        bool, typer.Option("--augment-in-model", help="Warp images on the GPU.")
    ] = False,
    final: Annotated[
        bool, typer.Option("--final", help="Evaluate on the test images as well.")
    ] = False,
    subset: Annotated[
        bool, typer.Option("--subset", help="Accept data that are only a part of FER-2013.")
    ] = False,
    allow_cpu: Annotated[
        bool, typer.Option("--allow-cpu", help="Train on a processor what asks for a GPU.")
    ] = False,
    weights: Annotated[
        Path | None,
        typer.Option(help="A file of Keras's ImageNet weights, where there is no network."),
    ] = None,
) -> None:
    """Train the runs of a configuration that are not in the store yet; a killed one is resumed.

    Without --final a run is a trial: it is evaluated on validation images alone. With it, a
    finished trial is evaluated on the test images and not trained again.
    """
    with errors():
        study, recipes = _planned(config, run)
        look_for(*([weights] if weights else []))
        from ferbook.data.sources import find, load

        find(data or study.data)
        start_tensorflow()  # late, so that a mistyped name is told before
        from ferbook.results.store import refuse_other_images
        from ferbook.training import keras_weights
        from ferbook.training.device import check
        from ferbook.training.train import train as train_one

        refuse_file(results)
        refuse_file(runs)
        typer.echo(check(study.device, recipes[0], allow_cpu=allow_cpu))
        if weights:
            typer.echo(keras_weights.bring_for(recipes, weights))
        faces = load(data or study.data, subset=subset or study.subset)
        refuse_other_images(results, faces.name)
        make(results, runs)
        for recipe in recipes:
            known = (results / study.name / recipe.run_name / "run.json").exists()
            there = " (in the store already; not trained again)" if known else ""
            typer.echo(f"{study.name}/{recipe.run_name}{there}")
            places = {"study": study.name, "results_dir": results, "runs_dir": runs}
            how = {"deterministic": deterministic, "augment_in_model": augment_in_model}
            typer.echo(_outcome(train_one(recipe, faces, **places, **how, final=final)))


def _outcome(folder: Path) -> str:
    """Where a run is, and its accuracies."""
    from ferbook.results import metrics, store

    run = store.load_run(folder)
    line = f"{folder}: {run.val_clean_accuracy:.2%} of validation images without copies"
    return f"{line}, {metrics.accuracy(run.test):.2%} of test images" if run.is_final else line


def _planned(config: Path, run: str) -> tuple[Study, list[Recipe]]:
    """The study of a configuration, and its recipes or the one that `run` names."""
    look_for(config)
    from ferbook.results.study import StudyError, read_study

    study = read_study(config)
    if run and run not in study.recipes:
        near = [name for name in study.recipes if name.startswith(f"{run}-")][:5]
        near = near or difflib.get_close_matches(run, study.recipes, 5)
        named = ", ".join(name for name in study.recipes if name in near)
        raise StudyError(
            f"--run: no {run} in {config}, which has {len(study.recipes)}"
            f"{f'. The nearest: {named}' if near else f', such as {next(iter(study.recipes))}'}."
        )
    return study, [study.recipes[run]] if run else list(study.recipes.values())


def device(
    config: Annotated[Path, typer.Argument(help="A recipe or a grid: a file of configs/.")],
    allow_cpu: Annotated[
        bool, typer.Option("--allow-cpu", help="Accept a processor in place of a GPU.")
    ] = False,
    memory: Annotated[
        bool, typer.Option("--memory", help="Estimate the memory; needs no GPU.")
    ] = False,
) -> None:
    """Show what a configuration would be trained on: GPU or processor, precision, XLA, CUDA.

    With --memory, what fits into cards of 6 to 24 GB, estimated from the model.

    Ends with status 1 and the reason when it asks for a GPU and TensorFlow sees none.
    """
    with errors():
        look_for(config)
        from ferbook.results.study import read_study

        study = read_study(config)
        start_tensorflow()
        from ferbook.training.device import check

        recipe = study.base
        if memory:
            from ferbook.training.memory import advice

            for line in advice(recipe):
                typer.echo(line)
            return
        typer.echo(check(study.device, recipe, allow_cpu=allow_cpu))


def runs(
    results: Annotated[Path, typer.Option(help="The result store.")] = Path("results"),
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Write all columns here, - to print it; no table.")
    ] = None,
) -> None:
    """List the runs of the store, each by its folder, with accuracy and cost; trials come last."""
    with errors():
        look_for_store(results)
        from ferbook.core.writing import check_place, write_atomically

        printed = str(csv_file) == "-"
        if csv_file and not printed:
            check_place(csv_file, ".csv")
        from ferbook.paper import all_runs

        table = all_runs.of_store(results, named=lambda run: f"{run.study}/{run.name}")
        if printed:
            typer.echo(table.frame.to_csv(), nl=False)
        elif csv_file:
            write_atomically(csv_file, table.frame.to_csv().encode())
    if csv_file:
        return
    print_table(table.formatted()[["run", *_SHOWN]], "Runs")


def compare(
    data: Annotated[str, typer.Argument(help="archive.zip, its folder or fer2013.csv.")],
    only: Annotated[str, typer.Option(help="One of them, such as hog; by default, all.")] = "",
    results: Annotated[Path, typer.Option(help="The result store.")] = Path("results"),
) -> None:
    """Evaluate packaged models, classical features and ten crops on the same test images.

    The last are crops of each image, classified by our released model. Answers are written to
    --results, in place of those that are there.
    """
    with errors():
        from ferbook.data.sources import find, load

        find(data)
        from ferbook import comparison

        names = comparison.chosen(only)
        comparison.look(names, results)
        from ferbook.data.splits import split
        from ferbook.results.store import refuse_other_images

        faces = load(data)
        refuse_other_images(results, faces.name)
        parts = split(faces)
        for name in names:
            typer.echo(comparison.evaluate(name, parts, results))
