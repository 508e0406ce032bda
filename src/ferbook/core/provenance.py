"""What a result was made with: commit, packages, hardware."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

PACKAGES = ("ferbook", "keras", "numpy", "pandas", "pillow", "scikit-learn", "scipy", "tensorflow")
# What runs and notebooks write is not what they are made from.
_WRITTEN = (":!results", ":!book/executed")


def provenance(repository: str | Path | None = None) -> dict[str, Any]:
    """Commit, package versions and hardware of this moment, for run.json.

    The commit is that of `repository`, by default of the checkout that this package is in, if any.
    """
    repository = _own_checkout() if repository is None else repository
    changes = git(repository, "status", "--porcelain", "--", ".", *_WRITTEN)
    return {
        "git_commit": git(repository, "rev-parse", "HEAD"),
        "dirty": None if changes is None else changes != "",
        "packages": {name: _version(name) for name in ("python", *PACKAGES)},
        "hardware": hardware(),
    }


def _own_checkout() -> Path | None:
    """Not the repository of somebody who has installed this package in a folder of it."""
    folder = Path(__file__).resolve().parents[3]
    top = git(folder, "rev-parse", "--show-toplevel")
    return folder if top is not None and Path(top) == folder else None


def git(repository: str | Path | None, *arguments: str) -> str | None:
    """Output of a git command; None outside a repository or where git is missing."""
    if repository is None:
        return None
    try:
        command = ["git", "-C", str(repository), *arguments]
        shown = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
        return shown.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _version(name: str) -> str | None:
    if name == "python":
        return platform.python_version()
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def hardware() -> dict[str, Any]:
    """This machine: `cpu`, `cores`, `usable_cores` and `system`."""
    cpu = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        models = [
            line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")
        ]
        cpu = models[0].split(":", 1)[1].strip() if models else cpu
    # TensorFlow divides sums among the cores that it may use: other numbers, other last digits.
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "usable_cores": usable,
        "system": platform.system(),
    }
