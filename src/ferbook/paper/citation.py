"""CITATION.cff as BibTeX and in APA's form, and the repository that launch buttons open."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from ferbook.core.files import FileError
from ferbook.core.provenance import git
from ferbook.core.structured import read_yaml


def read(path: Path) -> dict[str, Any]:
    """A citation file. Raises FileError when title, authors or version are missing."""
    cff = read_yaml(path)
    missing = [key for key in ("title", "authors", "version") if not cff.get(key)]
    if missing:
        raise FileError(f"{path}: no {', '.join(missing)}. See citation-file-format.github.io.")
    return cff


def bibtex(cff: dict[str, Any]) -> str:
    """As an entry of a bibliography; biblatex knows @software, older styles take it for @misc."""
    fields = {
        # A name without parts stands in braces, lest BibTeX split it.
        "author": " and ".join(_name(a, ", ") if _is_person(a) else f"{{{a['name']}}}"
                               for a in cff["authors"]),
        "title": f"{{{cff['title']}}}",
        "version": str(cff["version"]),
        **({"year": str(year)} if (year := _year(cff)) else {}),
        **({"url": url} if (url := repository(cff)) else {}),
        **({"doi": str(cff["doi"])} if cff.get("doi") else {}),
    }  # fmt: skip
    lines = ",\n".join(f"  {key:<7} = {{{value}}}" for key, value in fields.items())
    return f"@software{{ferbook,\n{lines}\n}}\n"


def apa(cff: dict[str, Any]) -> str:
    """As a line of a reference list, after APA's seventh edition."""
    names = [_short(a) if _is_person(a) else a["name"] for a in cff["authors"]]
    authors = names[0] if len(names) == 1 else f"{', '.join(names[:-1])}, & {names[-1]}"
    place = f" https://doi.org/{cff['doi']}" if cff.get("doi") else f" {repository(cff)}"
    kind = "Computer software"
    head = f"{authors.rstrip('.')}. ({_year(cff) or 'n.d.'})."
    return f"{head} {cff['title']} (Version {cff['version']}) [{kind}].{place}".rstrip() + "\n"


def names(cff: dict[str, Any]) -> list[str]:
    """The authors, given names first."""
    return [
        " ".join(a[k] for k in ("given-names", "family-names") if a.get(k))
        if _is_person(a) else a["name"]
        for a in cff["authors"]
    ]  # fmt: skip


def repository(cff: dict[str, Any]) -> str:
    """The address in `repository-code`, or nothing: then the book has no launch buttons."""
    return str(cff.get("repository-code") or "").rstrip("/")


def edition(cff: dict[str, Any]) -> str:
    """Version, commit and address, in a line for the title page."""
    commit = git(".", "log", "-1", "--format=%h of %cs")
    address = repository(cff) or "the project has no public address yet"
    known = [f"Version {cff['version']}", f"commit {commit}" if commit else "", address]
    return ", ".join(filter(None, known))


# What Colab's own kernel is made of.
_HELD = (
    "google-auth|ipykernel|ipython|jupyter|matplotlib|numpy|pandas|pillow|protobuf|requests|"
    "scikit-learn|scipy|tornado"
)


def launching(cff: dict[str, Any]) -> str:
    """What a page says of Binder and Colab, in MyST; nothing without a repository."""
    address = repository(cff)
    if not address:
        return ""
    return f"""## Run it elsewhere

The rocket above each notebook opens it on Binder or on Colab. There, run this in a first cell; it
keeps the versions that Colab itself needs:

```
!git clone --depth 1 {address} ferbook
%cd ferbook
!pip list --format=freeze | grep -iE '^({_HELD})' > held.txt
!pip install --quiet -c held.txt . myst-nb
```

The overview, Results, Ablations, Claims, Performance and Reliability need nothing else. Data and
The leak need the data set and more memory than Binder gives; GPU training and Deployment need
TensorFlow as well. Neither service was tried with this book: these lines ran with Colab's
versions elsewhere.
"""


def _year(cff: dict[str, Any]) -> int | None:
    date = cff.get("date-released")
    if isinstance(date, str):
        date = datetime.date.fromisoformat(date)
    return date.year if date else None


def _is_person(author: dict[str, str]) -> bool:
    return "family-names" in author


def _name(author: dict[str, str], between: str) -> str:
    return between.join(author[k] for k in ("family-names", "given-names") if author.get(k))


def _short(author: dict[str, str]) -> str:
    initials = " ".join(f"{name[0]}." for name in author.get("given-names", "").split())
    return f"{author['family-names']}, {initials}".rstrip(", ")
