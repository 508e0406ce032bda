"""The book that Sphinx wrote as one page, made ready for paper: links that hold, page numbers."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Mapping
from urllib.parse import unquote

from bs4 import BeautifulSoup, Tag

from ferbook.core.errors import FerbookError

# Chapters that are of no use without a screen.
SCREEN_ONLY = ("try_it", "explorer", "run_and_edit", "status", "changelog", "sources")
_DOCUMENT = "document-"  # Sphinx puts an anchor of this name before each document
_CONTENTS = 'nav[aria-label="Page"] a[href^="#"]'
_ELSEWHERE = re.compile(r"(https?|mailto):")


class BrokenLinkError(FerbookError, ValueError):
    """A link that leads nowhere in the printed book; the message names it."""


def prepare(html: str, root: str, edition: str = "") -> str:
    """Every link leads to an anchor of this page or to the web; no other file is linked.

    Authors, `edition` and abstract stand between the title and the contents. `root` is the
    document that holds all others, such as "book/executed/00_overview". What is offered as a
    download, or is in a chapter of SCREEN_ONLY, keeps its words and loses its link; the contents
    say which chapters are not printed.
    Raises BrokenLinkError for a link into the book whose target is not there.
    """
    soup = BeautifulSoup(html, "html.parser")
    for permalink in soup.select("a.headerlink"):
        permalink.decompose()
    for caption in soup.select("nav [role=heading]"):
        del caption["role"]  # bookmarks are made of headings
    _open(soup, edition)
    everywhere = _anchors(soup)
    for document in SCREEN_ONLY:
        _take_out(soup, f"{_DOCUMENT}book/{document}")
    printed = _anchors(soup)
    for link in soup.find_all("a", href=True):
        target = _target(link["href"], root, everywhere)
        if target is not None and (target == "#" or target[0] != "#" or target[1:] in printed):
            link["href"] = target
            continue
        del link["href"]
        if "nav-link" in link.get("class", ()):
            link.append(_beside(soup, "on screen only"))
    return str(soup)


def _anchors(soup: BeautifulSoup) -> set[str]:
    return {tag["id"] for tag in soup.find_all(id=True)}


def _take_out(soup: BeautifulSoup, document: str) -> None:
    """Sphinx puts the sections of the document behind its anchor."""
    if start := soup.find(id=document):
        start.find_next_sibling("section").decompose()
        start.decompose()


def _beside(soup: BeautifulSoup, words: str) -> Tag:
    """What stands at the end of a line of the contents."""
    shown = soup.new_tag("span", attrs={"class": "page-number"})
    shown.string = words
    return shown


def contents(html: str) -> list[str]:
    """The anchors that the table of contents leads to, in its order."""
    return [_anchor(link) for link in BeautifulSoup(html, "html.parser").select(_CONTENTS)]


def number(html: str, pages: Mapping[str, int]) -> str:
    """With the page (from 1) of each anchor in `pages` behind its line of the contents."""
    soup = BeautifulSoup(html, "html.parser")
    for link in soup.select(_CONTENTS):
        if (page := pages.get(_anchor(link))) is not None:
            link.append(_beside(soup, str(page)))
    return str(soup)


def _open(soup: BeautifulSoup, edition: str) -> None:
    """Move the paragraphs below the title of the root document below the title of the book.

    jupyter-book writes the title, the contents, and then the root document with its title.
    """
    titles = soup.find_all("h1")
    again = [title for title in titles[1:] if title.get_text() == titles[0].get_text()]
    for title in again[:1]:
        moved = itertools.takewhile(lambda tag: tag.name == "p", title.find_next_siblings())
        paragraphs = list(moved)
        if edition and paragraphs:
            paragraphs[0].extend([soup.new_tag("br"), edition])
        for paragraph in reversed(paragraphs):
            titles[0].insert_after(paragraph)


def _anchor(link: Tag) -> str:
    return unquote(link["href"].removeprefix("#"))


def _target(address: str, root: str, anchors: set[str]) -> str | None:
    """Where a link leads on the one page; None for what a sheet of paper does not offer."""
    if _ELSEWHERE.match(address):
        return address
    path, _, anchor = address.partition("#")
    if anchor in anchors:
        return f"#{anchor}"
    if anchor in ("", f"{_DOCUMENT}{root}") and path in ("", posixpath.basename(root) + ".html"):
        return "#"
    document, kind = posixpath.splitext(posixpath.normpath(posixpath.join(root, "..", path)))
    if not anchor and f"{_DOCUMENT}{document}" in anchors:
        return f"#{_DOCUMENT}{document}"
    if not anchor and kind != ".html":
        return None
    raise BrokenLinkError(f"{address}: no such place in the printed book.")
