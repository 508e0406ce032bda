"""`ferbook data`: the data set."""

from __future__ import annotations

import shlex
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ferbook.cli.output import errors, look_for, plain, print_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ferbook.data.faces import Faces
    from ferbook.data.sources import Loaded

NAMED = 5  # of the files that are missing or foreign

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _data() -> None:
    """Check a copy of FER-2013, or convert pictures of your own to its form."""


@app.command()
def check(
    source: Annotated[str, typer.Argument(help="archive.zip, its folder, fer2013.csv, kaggle.")],
    subset: Annotated[
        bool, typer.Option("--subset", help="It is meant to be a part of the data.")
    ] = False,
) -> None:
    """Say whether a source is FER-2013: its files, counts, pixels and duplicates.

    Ends with status 1, naming the difference, when it is not; not so for the synthetic faces.
    """
    with errors(), warnings.catch_warnings():
        from ferbook.data.faces import DataError, count_table
        from ferbook.data.sources import check_counts, examine

        warnings.simplefilter("ignore")  # of other counts and pixels: said below
        try:
            loaded = examine(source)
        except DataError as error:
            raise DataError(f"{error}{_what_to_do(source)}") from None
        faces = loaded.faces
        print_table(count_table(faces).reset_index(), f"{source}: {len(faces):,} images")
        typer.echo(f"SHA-256 of pixels and labels: {faces.fingerprint}")
        typer.echo(f"Test images with a pixel-identical training image: {faces.leaked.sum():,}")
        for line in _identity(loaded):
            typer.echo(plain(line))
        if faces.name != "synthetic":
            check_counts(faces, source, subset=subset)


def _what_to_do(source: str) -> str:
    if not (source and Path(source).is_dir() and any(map(Path.is_dir, Path(source).iterdir()))):
        return ""
    return (
        " If these are pictures of your own in folders by class, make a data set of them: "
        f"ferbook data convert {shlex.quote(source)} my_faces"
    )


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(help="Pictures in folders by class.")],
    target: Annotated[Path, typer.Argument(help="The folder to write.")],
    test_share: Annotated[
        float, typer.Option(help="Fraction to test on, where SOURCE has no train/ and test/.")
    ] = 0.2,
    seed: Annotated[int, typer.Option(help="Of the draw of test images.")] = 42,
    rename: Annotated[
        list[str] | None,
        typer.Option(help="FOLDER=CLASS; FOLDER= leaves it out. May be repeated."),
    ] = None,
    crop: Annotated[
        bool, typer.Option("--crop", help="Take the largest face of each picture.")
    ] = False,
) -> None:
    """Turn pictures of any size or color into a data set like FER-2013: 48 px, gray, seven classes.

    SOURCE holds angry/, disgust/, fear/, happy/, neutral/, sad/ and surprise/, or train/ and test/
    with these in them. Pictures below val/ are tested on where there is no test/, and else trained
    on.
    """
    with errors():
        look_for(source)
        from ferbook.inference import own_data

        renamed = dict(_renaming(each) for each in rename or ())
        how = {"test_share": test_share, "seed": seed, "crop": crop}
        found = own_data.convert(source, target, renamed=renamed, **how)
    for line in found.left_out[:NAMED]:
        typer.echo(plain(f"left out: {line}"), err=True)
    if len(found.left_out) > NAMED:
        typer.echo(f"left out: {len(found.left_out) - NAMED:,} more", err=True)
    next_step = f"ferbook data check {shlex.quote(str(target))} --subset"
    typer.echo(plain(f"{target}: {found.written:,} images. Next: {next_step}"))


def _renaming(text: str) -> tuple[str, str]:
    from ferbook.data.faces import DataError

    folder, sign, label = text.partition("=")
    if not (folder and sign):
        raise DataError(f"--rename: expected FOLDER=CLASS. Received: {text}.")
    return folder, label


def _identity(loaded: Loaded) -> Iterator[str]:
    """What the source is, as far as digests prove it."""
    from ferbook.data.faces import OFFICIAL_FINGERPRINT

    faces = loaded.faces
    if faces.name == "synthetic":
        yield "Drawn by a program: not FER-2013."
    elif faces.fingerprint == OFFICIAL_FINGERPRINT:
        yield "This is FER-2013 as Kaggle distributes it, pixel by pixel."
    elif loaded.known:
        yield f"This is the contest's {loaded.known}, byte for byte (MD5 as torchvision states it)."
    else:
        yield from _members(faces)


def _members(faces: Faces) -> Iterator[str]:
    from ferbook.data import official

    found = official.membership(faces)
    if faces.name == "other":
        yield (
            f"By their pixels, {found.there:,} of these {len(faces):,} images are proven to be of "
            "FER-2013. Others may be, too: the contest's csv, and images encoded anew, have other "
            "pixels than the archive's JPEGs. Keep runs in a result store of their own, --results."
        )
        return
    yield (
        f"By their pixels, {found.there:,} of the 35,887 images of Kaggle's archive are there, "
        f"{len(found.missing):,} missing{_named(found.missing)}; "
        f"{len(found.foreign):,} foreign{_named(found.foreign)}."
    )
    if official.digests().keys().isdisjoint(faces.files.tolist()):
        yield (
            "No image has a proven name, so none has votes of FER+: the pixels are others than the "
            "archive's JPEGs hold (lossless, or encoded anew), and no file of the contest is known "
            "by this MD5."
        )


def _named(files: Sequence[str]) -> str:
    if not files:
        return ""
    more = ", …" if len(files) > NAMED else ""
    return f" ({', '.join(files[:NAMED])}{more})"
