"""A Sphinx extension: what jupyter-book puts on every page and this book does not use is left out.

Thebe would run cells on a server of its own; its script names an outside host, and jupyter-book
adds it twice, which is an error in JavaScript.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ferbook.paper.table import MINUS

_UNUSED = "thebe"
_LIST = '<div role="list" class="citation-list">'


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    # After the theme's own handlers, which add files too.
    app.connect("html-page-context", _leave_out, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _leave_out(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    for kind in ("script_files", "css_files"):
        context[kind] = used(context[kind])
    # docutils calls it a list whose items it then does not mark as such.
    body = context.get("body", "").replace(_LIST, _LIST.replace(' role="list"', ""))
    context["body"] = with_minus(body)


def with_minus(body: str) -> str:
    """HTML in which numbers of the running text have a minus sign instead of a hyphen."""
    return re.sub(r'(<span class="pasted-text">)-(?=\d)', rf"\1{MINUS}", body)


def used(files: Iterable[Any]) -> list[Any]:
    """Each of Sphinx's scripts or style sheets once, without Thebe's."""
    kept = {}
    for file in files:
        words = f"{getattr(file, 'filename', file)} {_body(file)}"
        if _UNUSED not in words.lower():
            kept.setdefault(words, file)
    return list(kept.values())


def _body(file: Any) -> str:
    return str(getattr(file, "attributes", {}).get("body", ""))
