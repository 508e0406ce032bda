"""Forms of FER-2013 that are not read, and which file to take instead.

Read would be guessed: other numbers or names of classes could swap labels, and other divisions
give results that nobody can compare.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from ferbook.core.classes import CLASSES

TAKE = (
    "Take archive.zip of msambare/fer2013, or the contest's fer2013.tar.gz or icml_face_data.csv."
)
_IMAGE = r"\.(?i:jpe?g|png|bmp)"
_NAMES = [
    (
        r"(.*/)?(images/)?(train|validation)/[a-z]+/\d+" + _IMAGE,
        "This is face-expression-recognition-dataset, another division of the images: it does not "
        "say which of them were PublicTest and PrivateTest.",
    ),
    (
        rf"(.*/)?(Training|PublicTest|PrivateTest|train|test|val|validation)/\d/.*{_IMAGE}",
        "Folders are numbered: the contest's 4 is sad, the archive's fifth class is neutral, and "
        "the files do not say which order was meant.",
    ),
    (
        rf"(.*/)?(train|test)/[^/]+/[^/]+{_IMAGE}",
        "The file names do not say whether an image was of Training, PublicTest or PrivateTest, "
        "as Training_3908.jpg does.",
    ),
    (
        r"(.*/)?(train|test)\.csv",
        "The contest's train.csv has no test images, and its test.csv no labels.",
    ),
    (
        r".*" + _IMAGE,
        "Other folders or names do not say which part of FER-2013 an image is of, and which class.",
    ),
    (r".*\.parquet", "Parquet files are not read."),
    (r".*\.(npy|npz|h5|hdf5|pkl|pickle|mat)", "Arrays without the contest's columns are not read."),
]
_SPELLINGS = {
    "anger": "angry", "disgusted": "disgust", "fearful": "fear", "scared": "fear",
    "happiness": "happy", "happily": "happy", "sadness": "sad", "surprised": "surprise",
}  # fmt: skip


def of_name(name: str) -> str:
    """Why a file of this name is not read; "" when nothing is known of it."""
    if name.lower().endswith(".zip"):
        return "It lies in what you gave: give the zip itself, or take it out of there."
    return next((f"{why} {TAKE}" for form, why in _NAMES if re.fullmatch(form, name)), "")


def of_class(label: str) -> str:
    """Which class a folder's name may mean, "" if none; nothing is renamed by guess."""
    likely = _SPELLINGS.get(label.lower(), label.lower())
    return f"If it means {likely}, rename it." if likely in CLASSES else ""


def of_columns(columns: Collection[str]) -> str:
    """Why a table with these columns is not read."""
    found = set(columns)
    if found == {"pixels"}:
        return f"This looks like the contest's test.csv, which has no labels. {TAKE}"
    if found == {"emotion", "pixels"}:
        return f"This looks like the contest's train.csv, which has no test images. {TAKE}"
    if "Image name" in found:
        return f"These are FER+'s votes, which ferbook has; they come without pixels. {TAKE}"
    if any(re.fullmatch(r"pixel_?\d+", name) for name in found):
        return f"Expected one column of {48 * 48:,} numbers with blanks between. {TAKE}"
    return ""
