"""Tables of the chapter Reliability: stress tests and licenses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ferbook.paper.table import Markup, Table, code, together

COVERED = ["statements", "statements_reached", "branches", "branches_reached"]


def fuzz_table(fuzz: Mapping[str, Any]) -> Table:
    """Each reader: hostile files tried, and how they ended."""
    columns = ["cases", "refused", "right", "other", "peak_megabytes"]
    names = ["files", "rejected", "read correctly", "anything else", "peak MB"]
    frame = pd.DataFrame.from_dict(fuzz.get("loaders", {}), "index", columns=columns)
    frame = frame.set_axis(names, axis=1).rename_axis("reader")
    caption = (
        "Hostile files given to each reader: rejected with a clear message, read correctly, or "
        "neither. The peak is of the whole process."
    )
    return Table(frame, caption, "tab-fuzz", dict.fromkeys(names, ",.0f"))


def bounds_table(bounds: Mapping[str, Any]) -> Table:
    """Each input made to cost much: its command, seconds, peak memory and how it ended."""
    rows = {
        name: (code(f"ferbook {row['command']}"), row["seconds"], row["megabytes"], _end(row))
        for name, row in bounds.get("inputs", {}).items()
    }
    columns = ["command", "seconds", "peak MB", "ended"]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("input")
    caption = "Inputs made to cost time and memory, given to the command line one at a time."
    return Table(frame, caption, "tab-bounds", {"seconds": ".1f", "peak MB": ",.0f"})


def _end(row: Mapping[str, Any]) -> str:
    return "rejected with a message" if row["in_words"] else "otherwise"


def faults_table(faults: Mapping[str, Any]) -> Table:
    """Each stage: kills that hit, trials, and how many of these ended as if left alone."""
    rows = {
        name: (row["kills"], row["trials"], row["survived"], row["seconds_undisturbed"])
        for name, row in faults.get("stages", {}).items()
        if "kills" in row
    }
    columns = ["kills", "trials", "same outcome", "seconds, undisturbed"]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("stage")
    caption = (
        "Stages of a tiny pipeline, to be killed by SIGKILL at one or two random moments in each "
        "trial and started again; kills counts those that came before the end."
    )
    formats = dict.fromkeys(columns[:3], ",d") | {columns[3]: ".1f"}
    return Table(frame, caption, "tab-faults", formats)


def forgeries_table(forgeries: Mapping[str, Any]) -> Table:
    """Changes to a checkout whose manifests and stamps were then renewed, by where they are."""
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for row in forgeries.get("forgeries", []):
        kinds.setdefault(row["kind"], []).append(row)
    rows = {
        kind: ("; ".join(row["forgery"] for row in some), len(some), sum(r["found"] for r in some))
        for kind, some in kinds.items()
    }
    frame = pd.DataFrame.from_dict(rows, "index", columns=["forged", "forgeries", "found"])
    frame = frame.rename_axis("in")
    caption = (
        "Forgeries of a checkout, each alone, with manifests and stamps renewed by the forger, and "
        "how many of them ferbook verify finds."
    )
    return Table(frame, caption, "tab-forgeries")


def mutants_table(mutants: Mapping[str, Any]) -> Table:
    """Each module: wrong versions of it, and how many its tests noticed."""
    rows = {
        name: (row["mutants"], row["killed"], len(row["equivalent"]), len(row["survived"]))
        for name, row in mutants.get("modules", {}).items()
    }
    columns = ["errors", "detected", "equivalent", "survived"]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("module")
    caption = (
        "Small errors planted in modules, one at a time, and how many of them the tests of the "
        "module detect."
    )
    return Table(frame, caption, "tab-mutants", dict.fromkeys(columns, ",d"))


def survivors_table(mutants: Mapping[str, Any]) -> Table:
    """The mutants that no test noticed, with the reason where there is one."""
    places: dict[tuple[str, str | None], list[str | Markup]] = {}
    for name, row in mutants.get("modules", {}).items():
        for what, reason in [*row["equivalent"].items(), *((s, None) for s in row["survived"])]:
            line, error = what.split(": ", 1)
            found = places.setdefault((error, reason), [])
            found += ["; " if found else "", code(name), f", {line}"]
    rows = [(code(error), together(*found), reason) for (error, reason), found in places.items()]
    frame = pd.DataFrame(rows, columns=["error", "place", "why it is left"])
    caption = "Errors that no test detects, and why they were left."
    if frame["why it is left"].isna().any():
        caption = "Errors that no test detected. A dash: a test is missing."
    return Table(frame.set_index("error"), caption, "tab-survivors")


def coverage_table(coverage: Mapping[str, Any]) -> Table:
    """Each package, and all: statements and branches, and the share that the test suite reaches."""
    counts = pd.DataFrame.from_dict(coverage.get("by_package", {}), "index", columns=COVERED)
    counts = counts.rename(index={".": "ferbook"})  # beside its packages
    if len(counts):
        counts.loc["all"] = counts.sum()
    frame = pd.DataFrame(index=counts.index.rename("package"))
    for name in COVERED[::2]:
        frame[name] = counts[name]
        frame[f"{name} reached"] = counts[f"{name}_reached"] / counts[name]
    caption = "What the test suite reaches; processes that a test starts are not counted."
    formats = dict.fromkeys(COVERED[::2], ",d") | dict.fromkeys(frame.columns[1::2], ".1%")
    return Table(frame, caption, "tab-coverage", formats)


def licence_table(licences: pd.DataFrame) -> Table:
    """Locked packages by what their license asks for; the fewer are named."""
    groups = licences.groupby("kind", sort=False)["package"]
    rows = {
        kind: (len(names), "" if kind == "permissive" else ", ".join(names))
        for kind, names in groups
    }
    frame = pd.DataFrame.from_dict(rows, "index", columns=["packages", "which"])
    caption = "Licenses of the locked packages, from their own metadata."
    return Table(frame.rename_axis("license"), caption, "tab-licences", {"packages": ",d"})
