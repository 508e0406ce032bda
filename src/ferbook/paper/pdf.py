"""The book as one PDF, printed by Chromium.

Run as `python -m ferbook.paper.pdf <folder of jupyter-book's singlehtml> <target.pdf>`. Page
numbers and breaks are in the print rules of `book/_static/custom.css`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from pathlib import Path

from ferbook.core.errors import FerbookError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ROOT_PAGE = Path("book/executed/00_overview.html")  # the root of _toc.yml
_SECONDS = 300
_MATH_MILLISECONDS = 60_000  # of the page's own clock, for MathJax


class PrintError(FerbookError, RuntimeError):
    """The PDF could not be made; the message says what to do."""


def find_browser() -> str | None:
    """The program's path, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def print_book(folder: Path, target: Path) -> None:
    """Print the book that jupyter-book built as one page in `folder` to `target`.

    Raises PrintError when no browser is installed or it wrote nothing.
    """
    browser = find_browser()
    if browser is None:
        raise PrintError(
            "no Chromium to print with. Install it (Debian: apt install chromium; others: Chromium "
            f"or Chrome, as one of {', '.join(BROWSERS)} on the path) and run make pdf again."
        )
    # Sphinx writes the page into a folder, with addresses that hold at the top.
    page = shutil.copy(folder / ROOT_PAGE, folder / "print.html")
    command = [
        browser, "--headless", "--no-pdf-header-footer", "--disable-gpu",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),  # the sandbox refuses to run as root
        f"--virtual-time-budget={_MATH_MILLISECONDS}",
        f"--print-to-pdf={target.resolve()}", Path(page).resolve().as_uri(),
    ]  # fmt: skip
    target.unlink(missing_ok=True)
    shown = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
    if not target.is_file():
        raise PrintError(f"{browser} wrote no {target}:\n{shown.stderr[-1000:]}")


def main(arguments: list[str] | None = None) -> None:
    """The command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m ferbook.paper.pdf")
    parser.add_argument("folder", type=Path)
    parser.add_argument("target", type=Path)
    given = parser.parse_args(arguments)
    try:
        print_book(given.folder, given.target)
    except PrintError as error:
        parser.exit(1, f"error: {error}\n")


if __name__ == "__main__":
    main()
