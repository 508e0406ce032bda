"""`ferbook.released_network`, which can be looked at and listed without TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ferbook.core.errors import FerbookError

if TYPE_CHECKING:
    import keras


class ExtraError(FerbookError, ImportError):
    """A package that comes with an extra of ferbook is missing; the message says which extra."""


def released_network(*, dropout: float = 0.3) -> keras.Model:
    """The network that `ferbook.predict` uses, in single precision, with all weights trainable.

    Input: gray faces (n, 48, 48) or (n, 48, 48, 1) from 0 to 255, of any type. Output: float32
    (n, 7), calibrated probabilities in the order of `ferbook.core.classes.CLASSES`. Raises
    ExtraError without the extras `train` and `export`, and ExportError when the model file is of
    another architecture.
    """
    try:
        from ferbook.export import released

        return released.build(dropout)
    except ModuleNotFoundError as error:
        raise ExtraError(
            f"released_network needs {error.name}: pip install '.[train,export]' in a checkout."
        ) from error
