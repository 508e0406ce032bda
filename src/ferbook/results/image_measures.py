"""What was measured on each test image, as `test_images.csv.gz` keeps it."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path

import pandas as pd

from ferbook.core.files import MAX_TEXT_BYTES, StoreError, open_regular
from ferbook.core.writing import write_atomically


def write_images(results_dir: str | Path, measures: pd.DataFrame) -> None:
    """Write what was measured on each test image, as `audit.describe_images` gives it."""
    content = gzip.compress(measures.to_csv().encode(), mtime=0)
    write_atomically(Path(results_dir) / "test_images.csv.gz", content)


def load_images(results_dir: str | Path) -> pd.DataFrame:
    """`brightness` and `sharpness` of each test image, by file.

    Raises StoreError when the table is damaged.
    """
    path = Path(results_dir) / "test_images.csv.gz"
    try:
        with open_regular(path, MAX_TEXT_BYTES) as packed, gzip.open(packed) as file:
            content = file.read(MAX_TEXT_BYTES + 1)
        if len(content) > MAX_TEXT_BYTES:
            raise ValueError(f"unpacks to more than {MAX_TEXT_BYTES:,} bytes")
        table = pd.read_csv(io.BytesIO(content), index_col="file")
        return table[["brightness", "sharpness"]].astype(float)
    except FileNotFoundError:
        raise
    except (OSError, EOFError, zlib.error, ValueError, KeyError) as error:
        raise StoreError(f"{path}: not a readable table of images ({error!s:.200}).") from error
