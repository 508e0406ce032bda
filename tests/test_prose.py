"""No number in the book's prose is typed by hand: it is glued, cited, or a plain constant."""

import re
import time
from pathlib import Path

import pytest
from conftest import ROOT

from ferbook.core.structured import read_json, read_yaml
from ferbook.paper.verification.prose import naked_numbers, prose_of

PAGES = sorted((ROOT / "book").glob("*.md")) + sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", PAGES, ids=[path.name for path in PAGES])
def test_no_number_is_typed_into_prose(path):
    assert naked_numbers(prose_of(path)) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Our run reaches 59.32 % there.", ["59.32"]),
        ("It saw 25,120 images.", ["25,120"]),
        ("{glue:text}`executed/03_results.ipynb::reference_correct:,` are right.", []),
        ("Others reach 73.28 % {cite:p}`khaireddin2021`. We do not.", ["73.28"]),
        ("We reach seventy-two percent.", ["seventy-two percent"]),
        ("It gains Two Points.", ["Two Points"]),
        ("We reach `72 %` or ``71``.", ["72 %", "71"]),
        ("We reach $72\\%$.", ["$72\\%$."]),
        ("We reach <b>more</b>.", ["<b>", "</b>"]),
        ("```\naccuracy: 72 %\n```", ["72 %"]),
        ("```{raw} html\n<p width='3'>More</p>\n```", []),
        ("```{raw} html\n<p>72 %</p>\n```", ["72"]),
        ("`results/ours/ours-efficientnet_lite2-96-s42` and {doc}`executed/08_reliability`", []),
        ("FER-2013 has pictures of 48 by 48 pixels and $K = 7$.", []),
        ("```{admonition} Abstract\nWe reach 71 %.\n```", ["71"]),
        ("| row | 12 |", ["12"]),
    ],
)
def test_the_guard_sees_what_it_should(text, found):
    assert naked_numbers(text) == found


@pytest.mark.parametrize("text", ["```a\n" * 30_000, f"`{'1' * 80_000}a`", "1" * 80_000])
def test_no_text_takes_long(text):
    started = time.process_time()
    naked_numbers(text)
    assert time.process_time() - started < 5


def test_what_the_pipeline_reads_and_writes_is_there():
    text = (ROOT / "book/reproducibility.md").read_text()
    paths = re.findall(
        r"`([\w.]+/[\w./]*)`", text.partition("{container} pipeline")[2].partition(":::")[0]
    )
    assert len(paths) == 5 and all((ROOT / path).exists() for path in paths)


def source_of(page):
    """The Markdown of a page of `_toc.yml`, of a notebook its text half."""
    path = ROOT / page
    if path.parent.name == "executed":
        text = (ROOT / "notebooks" / f"{path.name}.py").read_text()
        return text[text.index("# %% [markdown]") :].replace("\n# ", "\n").replace("\n#\n", "\n\n")
    return path.with_suffix(".md").read_text()


def test_pages_open_with_what_they_say_and_chapters_close_with_what_was_found():
    parts = read_yaml(ROOT / "_toc.yml")["parts"]
    pages = {part["caption"]: [each["file"] for each in part["chapters"]] for part in parts}
    every = [page for group in pages.values() for page in group]
    for page in every:
        assert re.search(r"^# .+\n\n\*\*", source_of(page), re.MULTILINE), page
    notebooks = [page for page in every if "/executed/" in page]
    # The introduction closes with how to read the book: what was found is in its abstract.
    for page in {*pages["The paper"], *notebooks} - {"book/introduction"}:
        assert "{admonition} What we found" in source_of(page), page


BRITISH = re.compile(
    r"(?i)\b(?:\w*colour\w*|\w*grey\w*|licences?|\w*labell(?:ed|ing)|\w*neighbour\w*|behaviour\w*"
    r"|\w*centr(?:e|es|ed)|learnt|spelt|towards|afterwards|for ever"
    r"|\w*(?:cogn|normal|minim|maxim|optim|general|memor|regular|quant)is(?:e[ds]?|ing|ation|ers?))\b"
)
# Of code; and quotes.
NAMES = r"`[^`\n]*`|(?m:^ *quote:.*$)|\w*licences?[_.)\[]|\blicences =|_licences?"
TEXTS = [*PAGES, *(ROOT / name for name in ("README.md", "CHANGELOG.md", "book/claims.yml"))]


@pytest.mark.parametrize("path", TEXTS, ids=[path.name for path in TEXTS])
def test_prose_is_spelled_as_in_the_united_states(path):
    text = path.read_text() if path.suffix != ".ipynb" else str(read_json(path)["cells"])
    assert BRITISH.findall(re.sub(NAMES, "", text)) == []


# A stored key and file, and two texts within the released model.
STORED = r"(?i)\w*licen[cs]es?\w*|name=\"grey\"|, grey, one face that"
CODE = ("src/**/*.py", "tests/*.py", "benchmarks/*.py", "trials/*.py", "workflow/**/*.*",
        "configs/*", "book/_static/**/*.js", "book/_static/*.css")  # fmt: skip


@pytest.mark.parametrize("pattern", CODE)
def test_code_is_spelled_as_in_the_united_states(pattern):
    files = [path for path in ROOT.glob(pattern) if path.suffix != ".pyc" and path.is_file()]
    assert files
    for path in set(files) - {Path(__file__)}:
        assert BRITISH.findall(re.sub(STORED, "", path.read_text())) == [], path.name
