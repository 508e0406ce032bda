"""A Sphinx extension: a description for search engines is added to each page, and what
jupyter-book puts there and this book does not use is left out.

Thebe would run cells on a server of its own; its script names an outside host, and jupyter-book
adds it twice, which is an error in JavaScript. The theme's script of all icons has 1.5 MB; its
style sheet draws the same icons from a font that pages load anyway.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from docutils import nodes

from ferbook.paper.table import MINUS

_UNUSED = "thebe"
_LIST = '<div role="list" class="citation-list">'


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    # After the theme's own handlers, which add files too.
    app.connect("html-page-context", _change, priority=900)
    app.connect("build-finished", _without_icons)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _change(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    for kind in ("script_files", "css_files"):
        context[kind] = used(context[kind])
    # docutils calls it a list whose items it then does not mark as such.
    body = context.get("body", "").replace(_LIST, _LIST.replace(' role="list"', ""))
    context["body"] = with_minus(body)
    context["metatags"] = context.get("metatags", "") + description(doctree)


def description(doctree: nodes.document | None) -> str:
    """The first bold words of a page, which say what is in it, as HTML for search engines."""
    first = next(iter(doctree.findall(nodes.strong)), None) if doctree else None
    if first is None:
        return ""
    return f'<meta name="description" content="{html.escape(first.astext())}">'


def _without_icons(app: Any, error: Exception | None) -> None:
    if error or app.builder.format != "html":
        return
    pages = Path(app.outdir)
    for page in pages.rglob("*.html"):
        page.write_text(without_icons(page.read_text(encoding="utf-8")), encoding="utf-8")
    for file in pages.glob("_static/scripts/fontawesome.js*"):
        file.unlink()


def without_icons(page: str) -> str:
    """HTML without the theme's script of icons, which is in none of Sphinx's lists."""
    return re.sub(r"<script[^>]*/fontawesome\.js[^>]*></script>", "", page)


def with_minus(body: str) -> str:
    """HTML in which numbers of the running text have a minus sign instead of a hyphen."""
    return re.sub(r'(<span class="pasted-text">)-(?=\d)', rf"\1{MINUS}", body)


def used(files: Iterable[Any]) -> list[Any]:
    """Each of Sphinx's scripts or style sheets once, without Thebe's."""
    kept = {}
    for file in files:
        body = getattr(file, "attributes", {}).get("body", "")
        words = f"{getattr(file, 'filename', file)} {body}"
        if _UNUSED not in words.lower():
            kept.setdefault(words, file)
    return list(kept.values())
