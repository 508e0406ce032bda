"""ferbook: the functions behind an executable paper on FER-2013.

Six of them are meant for use from outside, `help(ferbook.predict)` and so on describes each:

    predict           the expressions of the faces in pictures, by the released model
    released_network  that model as a Keras network, to be trained on
    load              FER-2013 in any of its forms, or synthetic faces, as arrays
    load_run          a run of the result store: its recipe, history and predictions
    audit_table       a published table of scores under arithmetic
    verify            does the book show what the result store says?

>>> import ferbook
>>> faces = ferbook.load("synthetic")
>>> faces.images.shape[1:], faces.images.dtype, faces.name
((48, 48), dtype('uint8'), 'synthetic')
>>> run = ferbook.load_run("results/ours/ours-efficientnet_lite2-96-s42")
>>> run.test.probabilities.shape, len(run.test.files)
((7178, 7), 7178)
>>> findings = ferbook.audit_table("book/original.yml")
>>> {finding.possible for finding in findings} <= {True, False, None}
True

`FerbookError` is what each of them raises for input that it cannot use (`InputError` is that of
pictures), beside the system's own errors; `CLASSES` are the seven expressions in their order.

Importing this package does nothing: no folders, no logging, no NumPy, no TensorFlow.
"""

from __future__ import annotations

from typing import Any

_HOMES = {
    "predict": "ferbook.inference.pictures",
    "released_network": "ferbook.export.network",
    "load": "ferbook.data.sources",
    "load_run": "ferbook.results.store",
    "audit_table": "ferbook.claims.table_audit",
    "verify": "ferbook.paper.verification",
    "CLASSES": "ferbook.core.classes",
    "FerbookError": "ferbook.core.errors",
    "InputError": "ferbook.inference.face",
}
__all__ = [
    "CLASSES", "FerbookError", "InputError", "audit_table", "load", "load_run", "predict",
    "released_network", "verify",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """A public function, imported when it is first asked for; `__version__`."""
    if name == "__version__":
        from importlib.metadata import version

        return version("ferbook")
    if name not in _HOMES:
        raise AttributeError(f"module 'ferbook' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
