"""The lines of Python in the page "Reproducibility": in this Python, and in the browser's."""

import re
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT

from ferbook.core.structured import read_json
from ferbook.paper import recompute

PAGE = (ROOT / "book/reproducibility.md").read_text()
(CODE,) = re.findall(r":class: run-python\n\n(.*?)```", PAGE, re.DOTALL)
STATUS = "document.querySelector('#run-python [data-part=status]').textContent"
OUTPUT = "document.querySelector('#run-python [data-part=output]').textContent"
RUN = "document.querySelector('#run-python [data-part=run]')"


def expected(run):
    """What NumPy finds in the file."""
    with np.load(ROOT / "results" / run / "predictions.npz") as arrays:
        right = arrays["test_prob"].argmax(axis=1) == arrays["test_label"]
    return [right.sum(), right.size, right.mean()]


def printed(text):
    correct, total, accuracy = text.split()
    return [int(correct), int(total), float(accuracy)]


@pytest.mark.parametrize("run", recompute.RUNS)
def test_the_lines_find_what_numpy_finds(run):
    code = CODE.replace(recompute.RUNS[0], run)
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert printed(shown.stdout) == expected(run)


@pytest.fixture(scope="module")
def page(tab, built_book):
    page, address = tab
    about = read_json(built_book[0] / "_static/python/about.json")
    if "missing" in about:
        pytest.skip(about["missing"])
    page.open(f"{address}/book/reproducibility.html")
    page.wait(f"{STATUS}.startsWith('Loads ')")
    return page


def test_the_browsers_python_prints_the_same(page):
    page.run(f"{RUN}.click()")
    page.wait(f"{STATUS}.startsWith('Python 3')", 120)
    assert printed(page.run(OUTPUT)) == expected(recompute.RUNS[0])


def test_edited_lines_run_and_errors_are_said(page):
    code = "document.querySelector('.run-python pre')"
    assert page.run(f"{code}.isContentEditable")
    page.run(f"{code}.textContent = {code}.textContent.replace('{recompute.RUNS[0]}', "
             f"'{recompute.RUNS[1]}')")  # fmt: skip
    page.run(f"{RUN}.click()")
    page.wait(f"{STATUS}.startsWith('Python 3')", 120)
    assert printed(page.run(OUTPUT)) == expected(recompute.RUNS[1])
    page.run(f"{code}.textContent = 'print(undefined)'; {RUN}.click()")
    page.wait(f"{STATUS}.includes('NameError')", 120)


def test_lines_typed_by_hand_run_and_all_that_is_printed_is_shown(page):
    code = "document.querySelector('.run-python pre')"
    typed = "import sys\nprint('to stderr', file=sys.stderr)\nprint(2 + 2, end='')"
    page.run(f"{code}.textContent = ''; {code}.focus(); "
             f"document.execCommand('insertText', false, {typed.splitlines()[0]!r})")  # fmt: skip
    for line in typed.splitlines()[1:]:
        for kind in ("keyDown", "keyUp"):
            page.send("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text="\r",
                      windowsVirtualKeyCode=13)  # fmt: skip
        page.send("Input.insertText", text=line)
    page.run(f"{RUN}.click()")
    page.wait(f"{STATUS}.startsWith('Python 3')", 120)
    assert page.run(OUTPUT) == "to stderr\n4"


def test_lines_without_end_are_stopped(page):
    code = "document.querySelector('.run-python pre')"
    page.run(f"{code}.textContent = 'print(1, flush=True)\\nwhile True: pass'; {RUN}.click()")
    page.wait(f"{OUTPUT} === '1\\n'", 120)
    assert page.run(f"{RUN}.textContent") == "Stop"
    page.run(f"{RUN}.click()")
    page.wait(f"{STATUS} === 'Python was stopped.'")
    page.run(f"{code}.textContent = 'print(2)'; {RUN}.click()")
    page.wait(f"{STATUS}.startsWith('Python 3')", 120)
    assert page.run(OUTPUT) == "2\n" and page.run(f"{RUN}.textContent") == "Run"


def test_python_comes_from_the_book_alone(page):
    found = page.run("performance.getEntriesByType('resource').map((e) => new URL(e.name).origin)")
    assert set(found) == {page.run("location.origin")}


def test_without_npm_the_page_says_what_is_missing(without_npm):
    recompute.add(without_npm / "page", project=without_npm)
    assert "Install Node.js" in read_json(without_npm / "page/about.json")["missing"]
