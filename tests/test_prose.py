"""No number in the book's prose is typed by hand: it is glued, cited, or a plain constant."""

import re

import jupytext
import pytest
from conftest import ROOT

PAGES = sorted((ROOT / "book").glob("*.md")) + sorted((ROOT / "notebooks").glob("*.py"))
# Names and plain constants that hold digits, each with its reason.
ALLOWED = [
    r"FER.2013", r"contest of 2013", r"in 2013",  # the data set
    r"EfficientNet(?:-Lite|-?B)\d", r"VGG16", r"F1", r"B0\.\.B7",  # names
    r"\b(?:int8|float(?:16|32))\b",  # number formats
    r"Python 3\.11", r"Jupyter Book 1", r"SHA-256",  # of tools
    r"48 by\s+48 (?:pixels|bytes)", r"48\s+pixels",  # the size of every image of the data set
    r"\"Shear 0\.1\"",  # the original's words
    r"95 % interval",  # the level of every interval
    r"phase [12]", r"Figures? \d(?: and \d)?",  # numbering
    r"Article 5\(1\)\(f\)",  # of a law
    r"^\d\. ?",  # a list
]  # fmt: skip


def naked_numbers(text):
    """Words with a digit in prose, after taking out what need not be typed by hand."""
    text = re.sub(r"(?s)\A# ---.*?# ---\n", "", text)
    # Boxes hold prose, other fences code.
    text = re.sub(r"(?s)```\{(?:admonition|tip|note|warning)\}(.*?)```", r"\1", text)
    text = re.sub(r"(?s)```.*?```", " ", text)
    text = re.sub(r"(?s)\$\$?.*?\$\$?", " ", text)
    text = re.sub(r"\{glue:text\}`[^`]*`", " ", text)
    text = re.sub(r"\]\([^)]*\)", "] ", text)
    # A sentence with a citation gives its source.
    sentences = re.split(r"(?<=[.:;!?])\s+(?=[A-Z*\-`|])|\n\s*\n", text)
    text = "\n".join(s for s in sentences if not re.search(r"\{cite:[pt]\}", s))
    text = re.sub(r"`[^`]*`", " ", text)  # code and the targets of roles
    for pattern in ALLOWED:
        text = re.sub(pattern, " ", text, flags=re.MULTILINE)
    return re.findall(r"\S*\d\S*", text)


def prose_of(path):
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    cells = jupytext.read(path).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("path", PAGES, ids=[path.name for path in PAGES])
def test_no_number_is_typed_into_prose(path):
    assert naked_numbers(prose_of(path)) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Our run reaches 59.32 % there.", ["59.32"]),
        ("It saw 25,120 images.", ["25,120"]),
        ("{glue:text}`executed/03_results.ipynb::reference_correct:,` are right.", []),
        ("Others reach 73.28 % {cite:p}`khaireddin2021`. We do not.", []),
        ("Others reach 73.28 % {cite:p}`khaireddin2021`. We reach 70 %.", ["70"]),
        ("FER-2013 has pictures of 48 by 48 pixels and $K = 7$.", []),
        ("```{admonition} Abstract\nWe reach 71 %.\n```", ["71"]),
        ("| row | 12 |", ["12"]),
    ],
)
def test_the_guard_sees_what_it_should(text, found):
    assert naked_numbers(text) == found
