"""Numbers in prose: glued, or plain constants; and the few that README and configs/ repeat.

A measured number stands in `results/` and nowhere else. Pages read it through `glue`; README.md
and the heads of `configs/*.yml` cannot, so their figures are compared with the store.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from pathlib import Path

from ferbook.core.files import read_text
from ferbook.core.structured import read_json, read_yaml
from ferbook.paper.verification.verified import Verified
from ferbook.results import metrics, names, store
from ferbook.results.run import Run
from ferbook.results.study import FINALS, finals, read_study

# Names and plain constants that hold digits, each with its reason.
ALLOWED = [
    r"FER.2013", r"contest (?:of|in) 2013", r"in 2013",  # the data set
    r"EfficientNet(?:-Lite|-?B)\d", r"VGG16", r"F1", r"B0\.\.B7",  # names
    r"\b(?:int8|float(?:16|32))\b",  # number formats
    r"Python 3\.11", r"Jupyter Book 1", r"Keras 3", r"SHA-256",  # of tools
    r"48 by\s+48 (?:pixels|bytes)", r"48\s+pixels",  # the size of every image of the data set
    r"\"Shear 0\.1\"",  # the original's words
    r"\$K = 7\$",  # classes
    r"95% interval",  # the level of every interval
    r"phase [12]", r"Figures? \d(?: and \d)?",  # numbering
    r"Article 5\(1\)\(f\)",  # of a law
    r"^\d\. ?",  # a list
]  # fmt: skip
_WORD = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty"
    r"|forty|fifty|sixty|seventy|eighty|ninety|hundred|half)"
)
_IN_WORDS = re.compile(rf"(?i)\b{_WORD}(?:[\s-]+(?:point|and|{_WORD}))*\s+(?:per\s?cent|%|points)")
_SHARE = r"(?<![\d.,])\d[\d.,]*\s*\\?(?:%|percent|per\s?cent|points)"
_CODE = r"(?<![}\w])(`+)([^`]+?)\1"
_ONLY_NUMBERS = r"(?=\D*\d)[\d.,%\s+-]+"
_OPENING = re.compile(r" *(```+|:::+)(.*)")
_TAG = r"</?[a-zA-Z!][^<>]*>"


def check(found: Verified) -> None:
    """Every page, notebook, README and the heads of the configurations."""
    for path in [*sorted(Path("book").glob("*.md")), *sorted(Path("notebooks").glob("*.ipynb"))]:
        naked = naked_numbers(prose_of(path))
        found.findings += [f"{path}: typed by hand: {number:.80}" for number in naked]
        found.compared["pages"] += 1
    complete = [run for run in store.load_all("results") if run.study in FINALS]
    known = set(_known(complete))
    for path in [Path("README.md"), *sorted(Path("configs").glob("*.yml"))]:
        if path.is_file():
            found.findings += [f"{path}: {figure} is no number of the store"
                               for figure in _figures(path) if figure not in known]  # fmt: skip
    if Path("README.md").is_file():
        found.findings += _rows(finals(complete))


def prose_of(path: Path) -> str:
    """The prose of a page, or of a notebook's Markdown cells."""
    if path.suffix == ".md":
        return read_text(path)
    cells = read_json(path)["cells"]
    return "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


def naked_numbers(text: str) -> list[str]:
    """What a hand typed: words with a digit, shares in words or code; HTML outside its blocks."""
    text = re.sub(r"\{glue:text\}`[^`]*`", " ", text)
    parts = list(_blocks(text))
    found = [share for head, body in parts if head is not None and not head.startswith("{")
             for share in re.findall(_SHARE, body)]  # fmt: skip
    text = "".join(body if head is None else _prose_of_block(head, body) for head, body in parts)
    spans = [body for _, body in re.findall(_CODE, text)]
    found += [s for s in spans if re.search(_SHARE, s) or re.fullmatch(_ONLY_NUMBERS, s)]
    text = re.sub(r"\{[\w:-]+\}`[^`]*`", " ", text)  # other roles: targets
    text = re.sub(_CODE, " ", text)
    found += re.findall(_TAG, text)
    found += [match[0] for match in _IN_WORDS.finditer(text)]
    text = re.sub(r"\]\([^)]*\)", "] ", text)
    for pattern in ALLOWED:
        text = re.sub(pattern, " ", text, flags=re.MULTILINE)
    return found + re.findall(r"\S*\d\S*", text)


def _blocks(text: str) -> Iterator[tuple[str | None, str]]:
    """(head, body) of each block between two fences; (None, text) of each line outside of them."""
    lines = text.splitlines(keepends=True)
    fences: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        fences.setdefault(line.strip(), []).append(number)
    number = 0
    while number < len(lines):
        opening = _OPENING.match(lines[number])
        closing = fences.get(opening[1], []) if opening else []
        after = bisect.bisect_right(closing, number)
        if after == len(closing):
            yield None, lines[number]
            number += 1
        else:
            yield opening[2], "".join(lines[number + 1 : closing[after]])
            number = closing[after] + 1


def _prose_of_block(head: str, body: str) -> str:
    """What a reader reads of a block: boxes and raw HTML hold prose, other blocks code."""
    if head.startswith("{raw}"):
        body = re.sub(r"(?s)<(script|style)\b.*?</\1>", " ", body)
        shown = re.findall(r"(?:alt|title|aria-label|placeholder|value)=\"([^\"]*)\"", body)
        return " ".join(re.findall(_SHARE, " ".join([re.sub(_TAG, " ", body), *shown])))
    return body if head.startswith(("{admonition", "{tip", "{note", "{warning")) else " "


def _figures(path: Path) -> list[str]:
    """Shares, counts and minutes in a README, or in the comments at the head of a YAML file."""
    text = read_text(path)
    if path.suffix == ".yml":
        text = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    text = re.sub(r"(?ms)^```.*?^```", " ", text)
    text = " ".join(text.split()).replace(" %", "%")
    return re.findall(r"\d+(?:\.\d+)?%|\d{1,3}(?:,\d{3})+|\d+ minutes", text)


def _known(runs: list[Run]) -> Iterator[str]:
    """What those figures may be: scores of the full runs, counts, the original's."""
    dataset = store.load_dataset("results")
    yield f"{100 * read_yaml('book/original.yml')['accuracy']:.2f}%"
    for run in runs:
        scores = run.info["metrics"].values()
        yield from (f"{100 * part['accuracy']:.2f}%" for part in scores)
        yield from (f"{part['total']:,}" for part in scores)
        yield f"{run.info['seconds'] / 60:.0f} minutes"
        if run.test.augmented is not None:
            yield f"{100 * metrics.accuracy(run.test.with_augmentation()):.2f}%"
    for answers in store.load_answers("results", "test_time_augmentation").values():
        yield f"{100 * metrics.accuracy(answers.test):.2f}%"
    yield from (f"{count:,}" for count in dataset["splits"].values())
    for path in Path("configs").glob("*.yml"):
        yield from (f"{r.train_images:,}" for r in read_study(path).recipes.values())


def _rows(runs: list[Run]) -> Iterator[str]:
    """The rows of README's table: each figure in the row of its run."""
    text = read_text("README.md").replace("*", "")
    recipes = {
        ("reference", "paper"): "its recipe, our run",
        ("ours", "ours"): "our recipe with FER+ labels",
        ("ours", "ours_longer"): "our recipe with FER+ labels, longer",
        ("ours", "ours_larger"): "our recipe with FER+ labels, longer and larger",
        ("ours", "ours_no_ferplus"): "our recipe, no other labels",
        ("ours", "ours_longer_no_ferplus"): "our recipe, no other labels, longer",
        ("ours", "ours_scratch"): "our second recipe",
    }
    for run in runs:
        name, recipe = recipes.get((run.study, run.recipe.name)), run.recipe
        if name is None:
            continue
        network = f"{names.network_name(recipe.backbone)}, {recipe.image_size} px"
        begin = f"| {name} | {network}, seed {recipe.seed} |"
        rows = [line for line in text.splitlines() if line.startswith(begin)]
        scores = run.info["metrics"]
        cells = [f"{100 * scores[name]['accuracy']:.2f}%" for name in ("test", "private", "clean")]
        commit = run.info["git_commit"][:7] + "+" * bool(run.info.get("dirty"))
        wanted = " | ".join([*cells, f"`{commit}`"])
        if not (len(rows) == 1 and wanted in rows[0]):
            yield f"README.md: the row of {run.study}/{run.name} is not {wanted}"
