"""The license of every locked package, from its own metadata: `make licences`.

    python -m trials.licences requirements.lock results/reliability/licences.csv

A package of the lock that this platform does not install is listed as "not installed here".
"""

import csv
import importlib.metadata
import io
import re
import sys
from pathlib import Path

from ferbook.core.writing import write_atomically

KINDS = ("permissive", "weak copyleft", "copyleft", "not stated", "not installed here")
_COPYLEFT = r"(?<!L)(?<!LESSER )(?:A?GPL|GENERAL PUBLIC)"
_WEAK = r"LGPL|LESSER GENERAL|MPL|MOZILLA|EPL|ECLIPSE"
_KNOWN = r"MIT|BSD|APACHE|ISC|PYTHON|PSF|ZLIB|UNLICENSE|PUBLIC DOMAIN|CC0|0BSD|HPND|CNRI|MATPLOTLIB"


def normal(name):
    """A package's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence(distribution):
    """What a package says of itself: expression, classifiers, a line, or its license file."""
    metadata = distribution.metadata
    if metadata.get("License-Expression"):
        return metadata["License-Expression"]
    classifiers = [c.split(" :: ")[-1] for c in metadata.get_all("Classifier") or []
                   if c.startswith("License ::") and c != "License :: OSI Approved"]  # fmt: skip
    text = (metadata.get("License") or "").strip().split("\n")[0][:80]
    stated = "; ".join(classifiers) or ("" if text.upper() == "UNKNOWN" else text)
    return stated or _from_file(distribution)


def _from_file(distribution):
    files = [f for f in distribution.files or [] if f.name.upper().startswith(("LICEN", "COPYING"))]
    head = files[0].read_text()[:400] if files else ""
    found = re.search(r"(?:MIT|Apache|BSD[ \w-]*|GNU [\w ]+|Mozilla Public) License", head)
    if found:
        return f"{found[0]} (its licence file)"
    return (
        "MIT (its licence file)" if "Permission is hereby granted, free of charge" in head else ""
    )


def kind(text):
    """What a license asks for; of a choice (OR) the least."""
    kinds = [_kind(part) for part in re.split(r"\bOR\b", text.upper())]
    return min(kinds, key=KINDS.index)


def _kind(text):
    weak = re.search(_WEAK, text)
    if re.search(_COPYLEFT, text) and not (weak and "LESSER" in text):
        return "copyleft"
    if weak:
        return "weak copyleft"
    return "permissive" if re.search(_KNOWN, text) else "not stated"


def rows(lock):
    """One row per package of a lock file."""
    for name, version in re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;]+)", lock.read_text(), re.M):
        row = {"package": normal(name), "version": version}
        try:
            found = licence(importlib.metadata.distribution(name))
            yield {**row, "licence": found, "kind": kind(found)}
        except importlib.metadata.PackageNotFoundError:
            yield {**row, "licence": "", "kind": "not installed here"}


def main(lock, target):
    text = io.StringIO()
    table = csv.DictWriter(text, ["package", "version", "licence", "kind"], lineterminator="\n")
    table.writeheader()
    table.writerows(rows(Path(lock)))
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    write_atomically(Path(target), text.getvalue().encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
