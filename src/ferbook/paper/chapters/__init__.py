"""The chapters that are notebooks, in the order of the book, and what each is made from.

`_toc.yml`'s test, the workflow, freshness, staging and verification all read this one list. The
tables, figures and numbers of a chapter are in the package of its name and serve no other chapter.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Chapter:
    """A notebook of `notebooks/` and what it reads besides its modules.

    In `inputs`, `{results}` is a result store; a folder stands for all files in it. `takes` names
    what the notebook is told by the profile: "data", "subset", "config", "study" or "deployed".
    """

    name: str
    inputs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    after: tuple[str, ...] = ("02_training",)


_STUDIES = (
    "paper_changes", "ours_changes", "remedies", "leak", "paper_rates", "scratch_rates",
    "ten_epoch_paper_changes",
)  # fmt: skip
_GRIDS = tuple(f"configs/{name}.yml" for name in _STUDIES)

_LEDGER = tuple(f"book/{name}.yml" for name in ("original", "claims", "sentences", "field"))
"""What the grades of the claims rest on, beside the store."""

CHAPTERS = (
    Chapter("00_overview", (*_LEDGER, "{results}")),
    Chapter("01_data", takes=("data", "subset"), after=()),
    Chapter(
        "02_training",
        (
            "book/original.yml",
            *(f"configs/{name}.yml" for name in ("ours", "ours_longer", "ours_scratch")),
        ),
        ("config", "data"),
        after=("01_data",),
    ),
    Chapter(
        "03_results",
        ("book/original.yml", "book/second.yml", "book/field.yml", "{results}"),
        ("study",),
    ),
    Chapter(
        "04_ablations",
        ("book/original.yml", *_GRIDS, "{results}"),
    ),
    Chapter(
        "05_deployment",
        ("src/ferbook/inference/released", "{results}"),
        ("data", "subset", "deployed"),
    ),
    Chapter(
        "06_claims",
        (*_LEDGER, "book/original_references.yml", "{results}"),
    ),
    Chapter("07_performance", ("{results}/bench", "{results}/dataset.json")),
    Chapter("08_reliability", ("results/reliability", "{results}/dataset.json")),
    Chapter(
        "09_leak",
        ("configs/leak.yml", "book/near_pairs.yml", "{results}"),
        takes=("data", "subset"),
    ),
)
NOTEBOOKS = tuple(chapter.name for chapter in CHAPTERS)


def chapter(name: str) -> Chapter:
    """The chapter of the notebook `name`. Raises KeyError when there is none."""
    return {each.name: each for each in CHAPTERS}[name]
