"""The book as one PDF, printed by Chromium.

Run as `python -m ferbook.paper.pdf <folder of jupyter-book's singlehtml> <target.pdf>`. Page
breaks are in the print rules of `book/_static/custom.css`. It is printed twice: the first time
shows on which page each chapter begins.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pypdf import PdfReader, PdfWriter

from ferbook.core.errors import FerbookError
from ferbook.core.files import read_text
from ferbook.paper import citation, one_page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ROOT_PAGE = Path("book/executed/00_overview.html")  # the root of _toc.yml
_SECONDS = 300
_MATH_MILLISECONDS = 60_000  # of the page's own clock, for MathJax
_MAX_BYTES = 100_000_000  # of the one page


class PrintError(FerbookError, RuntimeError):
    """The PDF could not be made; the message says what to do."""


def find_browser() -> str | None:
    """The program's path, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def print_book(folder: Path, target: Path, cff: dict[str, Any]) -> None:
    """Print the book that jupyter-book built as one page in `folder` to `target`.

    Title, authors and version are those of `cff`, a citation file. Raises PrintError when no
    browser is installed or it wrote nothing, BrokenLinkError for a link that leads nowhere.
    """
    page, root = read_text(folder / ROOT_PAGE, _MAX_BYTES), ROOT_PAGE.with_suffix("").as_posix()
    html = one_page.prepare(page, root, citation.edition(cff))
    _print(html, folder, target)
    _print(one_page.number(html, pages(target, one_page.contents(html))), folder, target)
    _describe(target, cff)
    if local := [address for address in addresses(target) if address.startswith("file:")]:
        raise PrintError(f"{target}: links to this machine, the first to {local[0]}")


def pages(printed: Path, anchors: Iterable[str]) -> dict[str, int]:
    """The page, counted from 1, of each anchor that a link in a PDF leads to."""
    reader = PdfReader(printed)
    known = {name.removeprefix("/"): place for name, place in reader.named_destinations.items()}
    return {
        name: reader.get_destination_page_number(known[name]) + 1
        for name in anchors
        if name in known
    }


def addresses(printed: Path) -> Iterator[str]:
    """What the links of a PDF lead to outside of it."""
    for page in PdfReader(printed).pages:
        for link in page.annotations or ():
            action = link.get_object().get("/A", {})
            if "/URI" in action:
                yield str(action["/URI"])


def _print(html: str, folder: Path, target: Path) -> None:
    browser = find_browser()
    if browser is None:
        raise PrintError(
            "no Chromium to print with. Install it (Debian: apt install chromium; others: Chromium "
            f"or Chrome, as one of {', '.join(BROWSERS)} on the path) and run make pdf again."
        )
    # Sphinx writes the page into a folder, with addresses that hold at the top.
    page = folder / "print.html"
    page.write_text(html, encoding="utf-8")
    command = [
        browser, "--headless", "--no-pdf-header-footer", "--disable-gpu",
        "--generate-pdf-document-outline",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),  # the sandbox refuses to run as root
        f"--virtual-time-budget={_MATH_MILLISECONDS}",
        f"--print-to-pdf={target.resolve()}", page.resolve().as_uri(),
    ]  # fmt: skip
    target.unlink(missing_ok=True)
    shown = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
    if not target.is_file():
        raise PrintError(f"{browser} wrote no {target}:\n{shown.stderr[-1000:]}")


def _describe(printed: Path, cff: dict[str, Any]) -> None:
    """Title and authors into the PDF's metadata; readers open it with its bookmarks."""
    writer = PdfWriter(clone_from=printed)
    writer.add_metadata({"/Title": cff["title"], "/Author": "; ".join(citation.names(cff))})
    writer.page_mode = "/UseOutlines"
    writer.write(printed)


def main(arguments: list[str] | None = None) -> None:
    """The command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m ferbook.paper.pdf")
    parser.add_argument("folder", type=Path)
    parser.add_argument("target", type=Path)
    given = parser.parse_args(arguments)
    try:
        print_book(given.folder, given.target, citation.read(Path("CITATION.cff")))
    except FerbookError as error:
        parser.exit(1, f"error: {error}\n")


if __name__ == "__main__":
    main()
