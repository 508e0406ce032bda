"""Numbers in the prose of the chapter Reliability."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def reliability_numbers(
    jobs: Mapping[str, Mapping[str, Any]], licences: Sequence[str]
) -> dict[str, int | float | str]:
    """`reliability_*`: cases tried, faults survived, mutants noticed, advisories in words.

    `jobs` are the files of results/reliability by name, `licences` the kinds of all packages.
    """
    loaders = list(jobs["fuzz"].get("loaders", {}).values())
    stages = [row for row in jobs["faults"].get("stages", {}).values() if "kills" in row]
    modules = list(jobs["mutants"].get("modules", {}).values())
    bounds = list(jobs["bounds"].get("inputs", {}).values())
    forged = jobs["forgeries"].get("forgeries", [])
    packages = jobs["advisories"].get("dependencies", [])
    return {
        "reliability_readers": len(loaders),
        "reliability_files": sum(row["cases"] for row in loaders),
        "reliability_files_other": sum(row["other"] for row in loaders),
        "reliability_bounds": len(bounds),
        "reliability_bounds_seconds": max((row["seconds"] for row in bounds), default=0),
        "reliability_bounds_megabytes": max((row["megabytes"] for row in bounds), default=0),
        "reliability_bounds_seconds_allowed": jobs["bounds"].get("seconds_allowed", 0),
        "reliability_bounds_megabytes_allowed": jobs["bounds"].get("megabytes_allowed", 0),
        "reliability_kills": sum(row["kills"] for row in stages),
        "reliability_trials": sum(row["trials"] for row in stages),
        "reliability_trials_same": sum(row["survived"] for row in stages),
        "reliability_forgeries": len(forged),
        "reliability_forgeries_found": sum(row["found"] for row in forged),
        "reliability_modules": len(modules),
        "reliability_mutants": sum(row["mutants"] for row in modules),
        "reliability_mutants_noticed": sum(row["killed"] for row in modules),
        "reliability_packages": len(licences),
        "reliability_copyleft": licences.count("copyleft"),
        "reliability_advisories": _advisories(packages),
    }


def _advisories(packages: Iterable[Mapping[str, Any]]) -> str:
    """What looking up known vulnerabilities found; how `pip-audit` reports each package."""
    looked_up = [package for package in packages if "skip_reason" not in package]
    if not looked_up:
        return "this was not run, since the package index used here serves no advisories."
    known = sum(bool(package.get("vulns")) for package in looked_up)
    return f"of {len(looked_up)} that could be looked up, {known} had one."
