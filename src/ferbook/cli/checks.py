"""Checks of what is written: claims, audit, verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ferbook.cli.output import errors, look_for, look_for_store, plain, print_table, steps


def claims(
    results: Annotated[Path, typer.Option(help="The result store.")] = Path("results"),
    ledger: Annotated[Path, typer.Option(help="The claims.")] = Path("book/claims.yml"),
    original: Annotated[Path, typer.Option(help="The original's numbers.")] = Path(
        "book/original.yml"
    ),
) -> None:
    """Grade every claim of the original by what the result store holds."""
    with errors():
        look_for_store(results)
        look_for(ledger, original)
        from ferbook.claims.grading import grade_all
        from ferbook.paper.chapters.claims import tables

        graded = grade_all(results, ledger, original)
    print_table(tables.claims_frame(graded), "Claims")
    print_table(tables.grade_table(graded).formatted(), "Grades")


def audit(
    table: Annotated[Path, typer.Argument(help="A YAML table of published scores.")],
) -> None:
    """Check a published table by arithmetic: test set, whole numbers, agreement of its cells.

    The form of the file is described in ferbook.claims.published; book/original.yml and
    book/second.yml are examples. Ends with status 2 when a result is impossible on every test set.
    """
    with errors():
        look_for(table)
        from ferbook.claims import published
        from ferbook.claims.table_audit import audit_result
        from ferbook.paper.chapters.results import audit_tables

        results, sets = published.read_table(table)
        findings = [finding for result in results for finding in audit_result(result, sets)]
        if not findings:
            raise published.TableError(
                f"{table}: no number in it can be checked. Add an accuracy or a table_2."
            )
        coarser = published.coarser(results)
    for kind, unit in coarser.items():
        typer.echo(
            f"note: {kind} is taken as printed to {unit / 10:g}, which no number here needs; "
            f"if not, give printed_to: {{{kind}: {unit:g}}}",
            err=True,
        )
    print_table(audit_tables.audit_table(findings).formatted(), str(table))
    homeless = audit_tables.homeless_results(findings)
    if homeless:
        typer.echo(plain(f"On no test set possible: {'; '.join(homeless)}"))
        raise typer.Exit(2)


def verify(
    project: Annotated[Path, typer.Option(help="A checkout.")] = Path("."),
    data: Annotated[
        str, typer.Option(help="archive.zip, its folder or fer2013.csv, to recompute more.")
    ] = "",
    renew_manifest: Annotated[
        bool,
        typer.Option("--renew-manifest", help="Write every MANIFEST.sha256, and check nothing."),
    ] = False,
) -> None:
    """Recompute every score, table, figure, grade and number of the book, and compare.

    Ends with status 1 and a line for each thing that disagrees. Needs neither TensorFlow nor the
    data set, and runs no code from an executed notebook.
    """
    with errors():
        if renew_manifest:
            look_for(project / "_toc.yml")
        if data:
            from ferbook.data.sources import find

            find(data)
        from ferbook.paper import verification
        from ferbook.results import manifest

        if renew_manifest:
            for folder in verification.FOLDERS:
                typer.echo(manifest.renew(project / folder))
            return
        with steps("Checking") as tell:
            found = verification.verify(project, data=data, tell=tell)
    for finding in found.findings:
        typer.echo(plain(finding))
    for skipped in found.skipped:
        typer.echo(f"not recomputed, needs the images: {plain(skipped)}", err=True)
    compared = ", ".join(f"{n:,} {what}" for what, n in found.compared.items())
    typer.echo(f"{len(found.findings):,} findings; compared {compared}.", err=True)
    raise typer.Exit(1 if found.findings else 0)
