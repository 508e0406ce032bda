"""FER+: ten more opinions on almost every image of FER-2013.

`ferplus.csv.gz` joins two things: the votes of microsoft/FERPlus (Barsoum et al. 2016; MIT
license, copyright Microsoft Corporation), one line per row of the contest's `fer2013.csv`, and a
crosswalk from the file names of Kaggle's archive to these rows, which was found by matching
pixels. Its columns are `file`, `fer2013_row` (from 0) and the ten of VOTES. 35,710 of the 35,887
images are in it. Of the rows of the other 177, FER+ leaves 173 without the name of an image, since
all ten taggers saw no face there; four could not be matched.
"""

from __future__ import annotations

import functools
import hashlib
import io
from importlib import resources

import numpy as np
import pandas as pd
from jaxtyping import Float, UInt8

from ferbook.core.classes import CLASSES
from ferbook.core.errors import FerbookError

VOTES = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt",
    "unknown", "NF",
)  # fmt: skip
"""What a tagger could say of an image; NF means that it shows no face."""

UNNAMED = 173
"""Images of FER-2013 that FER+'s fer2013new.csv does not name: NF by all ten taggers."""

EXPRESSIONS = VOTES[:8]
_NAMES = dict(
    zip(CLASSES, ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"),
        strict=True)
)  # fmt: skip


SHA256 = "28cb7cee7c9628b1a322c0cfba8f98e95ca9a9d6f8e93dcaf40f8e7d74216567"


class VotesError(FerbookError, ValueError):
    """The file of votes is not the one that ferbook was released with."""


@functools.cache
def crosswalk() -> pd.DataFrame:
    """`fer2013_row` and the ten counts of votes, by `file` (path in Kaggle's archive)."""
    content = resources.files(__package__).joinpath("ferplus.csv.gz").read_bytes()
    return _read(content)


def _read(content: bytes) -> pd.DataFrame:
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise VotesError("ferplus.csv.gz: altered (SHA-256). Install ferbook again.")
    return pd.read_csv(io.BytesIO(content), compression="gzip", index_col="file")


def votes(files: np.ndarray) -> UInt8[np.ndarray, "n 10"]:
    """Counts of votes for `files` (n,), in the order of VOTES; zeros for an image not in FER+."""
    found = crosswalk().reindex(files)[list(VOTES)]
    return found.fillna(0).to_numpy(np.uint8)


def expression_shares(files: np.ndarray) -> Float[np.ndarray, "n 8"]:
    """Each image's votes for the eight expressions as shares; zeros where there are none."""
    counts = votes(files)[:, : len(EXPRESSIONS)].astype(np.float64)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def pluralities(files: np.ndarray) -> np.ndarray:
    """What most taggers said of each image: index into VOTES, -1 for a tie or no votes."""
    counts = votes(files)
    best = counts.max(axis=1, keepdims=True)
    clear = (counts == best).sum(axis=1) == 1
    return np.where(clear & (best[:, 0] > 0), counts.argmax(axis=1), -1)


def as_class(indices: np.ndarray) -> np.ndarray:
    """Indices into VOTES as indices into CLASSES; -1 for contempt, unknown, NF and -1."""
    table = np.full(len(VOTES) + 1, -1)  # the last entry serves -1
    for label, name in enumerate(CLASSES):
        table[VOTES.index(_NAMES[name])] = label
    return table[indices]


def certainty(files: np.ndarray) -> np.ndarray:
    """Votes of the plurality, 0 to 10."""
    return votes(files).max(axis=1)
