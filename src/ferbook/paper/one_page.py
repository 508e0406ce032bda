"""The book that Sphinx wrote as one page, made ready for paper: links that hold, page numbers."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Mapping
from urllib.parse import unquote

from bs4 import BeautifulSoup, Tag

from ferbook.core.errors import FerbookError

_DOCUMENT = "document-"  # Sphinx puts an anchor of this name before each document
_CONTENTS = 'nav[aria-label="Page"] a[href^="#"]'
_ELSEWHERE = re.compile(r"(https?|mailto):")


class BrokenLinkError(FerbookError, ValueError):
    """A link that leads nowhere in the printed book; the message names it."""


def prepare(html: str, root: str) -> str:
    """Every link leads to an anchor of this page or to the web; no other file is linked.

    Authors and abstract stand between the title and the contents. `root` is the document that
    holds all others, such as "book/executed/00_overview". What is offered as a download keeps its
    words and loses its link.
    Raises BrokenLinkError for a link into the book whose target is not there.
    """
    soup = BeautifulSoup(html, "html.parser")
    for permalink in soup.select("a.headerlink"):
        permalink.decompose()
    for caption in soup.select("nav [role=heading]"):
        del caption["role"]  # bookmarks are made of headings
    _open(soup)
    anchors = {tag["id"] for tag in soup.find_all(id=True)}
    for link in soup.find_all("a", href=True):
        target = _target(link["href"], root, anchors)
        if target is None:
            del link["href"]
        else:
            link["href"] = target
    return str(soup)


def contents(html: str) -> list[str]:
    """The anchors that the table of contents leads to, in its order."""
    return [_anchor(link) for link in BeautifulSoup(html, "html.parser").select(_CONTENTS)]


def number(html: str, pages: Mapping[str, int]) -> str:
    """With the page (from 1) of each anchor in `pages` behind its line of the contents."""
    soup = BeautifulSoup(html, "html.parser")
    for link in soup.select(_CONTENTS):
        if (page := pages.get(_anchor(link))) is not None:
            shown = soup.new_tag("span", attrs={"class": "page-number"})
            shown.string = str(page)
            link.append(shown)
    return str(soup)


def _open(soup: BeautifulSoup) -> None:
    """Move the paragraphs below the title of the root document below the title of the book.

    jupyter-book writes the title, the contents, and then the root document with its title.
    """
    titles = soup.find_all("h1")
    again = [title for title in titles[1:] if title.get_text() == titles[0].get_text()]
    for title in again[:1]:
        moved = itertools.takewhile(lambda tag: tag.name == "p", title.find_next_siblings())
        for paragraph in reversed(list(moved)):
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
