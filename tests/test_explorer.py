"""The page "Error explorer": what it lists is what NumPy finds in the result store."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image

from ferbook.core.classes import CLASSES
from ferbook.core.structured import read_json
from ferbook.data import ferplus
from ferbook.inference.classifier import RELEASED
from ferbook.paper import explorer
from ferbook.results import store

COUNT = "document.querySelector('.filter-bar [role=status]').textContent"


@pytest.fixture(scope="module")
def test():
    card = read_json(RELEASED / "card.json")
    return store.load_run(ROOT / "results" / card["run"]).test


def test_data_are_those_of_the_store(tmp_path, test):
    explorer.write(tmp_path / "a.js", ROOT / "results")
    script = (tmp_path / "a.js").read_text()
    data = json.loads(script.removeprefix("const ferbookAnswers = ").rstrip(";\n"))
    columns = data["columns"]
    names = [
        f"test/{CLASSES[k]}/{f}.jpg" for k, f in zip(columns["label"], columns["file"], strict=True)
    ]
    assert names == test.files.tolist() and not data["synthetic"]
    assert columns["answer"] == test.probabilities.argmax(axis=1).tolist()
    shares = np.reshape(columns["shares"], (-1, 7)) / 1000
    assert np.abs(shares - test.probabilities).max() <= 0.00051
    dataset = store.load_dataset(ROOT / "results")
    assert sum(columns["copy"]) == len(dataset["leaked_files"])
    opinions = np.array(data["opinions"])[columns["second"]]
    found = ferplus.pluralities(test.files)
    for name, vote in (("happy", "happiness"), ("no face", "NF"), ("contempt", "contempt")):
        assert (opinions == name).sum() == (found == ferplus.VOTES.index(vote)).sum() > 0
    assert (opinions == "none").sum() == (found < 0).sum()
    assert len(script) < 500_000


def test_an_empty_store_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no finished run"):
        explorer.write(tmp_path / "a.js", tmp_path)


def test_a_synthetic_run_says_so(tmp_path):
    """Its files are not in FER+, so nobody's opinion of them is known."""
    from test_store import DATASET, LEAKED
    from test_store import write as write_run

    write_run(tmp_path)
    store.write_dataset(tmp_path, DATASET | {"leaked_files": sorted(LEAKED)})
    explorer.write(tmp_path / "a.js", tmp_path)
    data = json.loads((tmp_path / "a.js").read_text().split(" = ")[1].rstrip(";\n"))
    assert data["synthetic"] and data["run"] == "s/t-tiny-48-s42"
    assert {data["opinions"][k] for k in data["columns"]["second"]} == {"none"}
    assert sum(data["columns"]["copy"]) == 1


@pytest.fixture
def page(tab):
    """The page as a reader finds it: with errors alone."""
    page, address = tab
    page.open(f"{address}/book/explorer.html")
    page.wait("document.querySelector('.filter-bar')")
    return page


def choose(page, label, value):
    control = f"document.querySelector('[aria-label^={json.dumps(label)}]')"
    page.run(f"{control}.value = {json.dumps(value)}; {control}.dispatchEvent(new Event('input'))")


def address(page):
    """The filters in the address."""
    return page.run("Object.fromEntries(new URLSearchParams(location.search))")


def count(page):
    return int(page.run(COUNT).split(" of ")[0].replace(",", ""))


def test_filters_count_as_numpy_does(page, test):
    answers = test.probabilities.argmax(axis=1)
    assert count(page) == (answers != test.labels).sum()
    choose(page, "Label of FER-2013", "fear")
    fear = test.labels == CLASSES.index("fear")
    assert count(page) == (fear & (answers != test.labels)).sum()
    choose(page, "Set", "PrivateTest")
    private = np.char.find(test.files, "PrivateTest") >= 0
    expected = private & fear & (answers != test.labels)
    assert count(page) == expected.sum()
    choose(page, "Confidence from", "90")
    sure = np.rint(1000 * test.probabilities.max(axis=1).astype(float)) >= 900
    expected &= sure
    assert count(page) == expected.sum()
    listed = page.run("[...document.querySelectorAll('[data-part=rows] th')].map(e => e.innerText)")
    assert sorted(listed) == sorted(Path(file).stem for file in test.files[expected])
    assert address(page) == {"label": "fear", "set": "PrivateTest", "low": "90"}
    choose(page, "Confidence from", "0")
    for label in ("Right or wrong", "Label of FER-2013", "Set"):
        choose(page, label, "")
    assert count(page) == len(test)


def test_a_cell_of_the_counts_chooses_its_images(page, test):
    answers = test.probabilities.argmax(axis=1)
    label, answer = CLASSES.index("sad"), CLASSES.index("neutral")
    expected = ((test.labels == label) & (answers == answer)).sum()
    cell = f"document.querySelectorAll('[data-part=counts] button')[{7 * label + answer}]"
    assert int(page.run(f"{cell}.textContent")) == expected
    page.run(f"{cell}.focus(); {cell}.click()")
    assert count(page) == expected
    assert page.run(f"document.activeElement === {cell}")  # to press it again
    page.run(f"{cell}.click()")
    assert count(page) == (answers != test.labels).sum()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_pictures_come_from_the_readers_own_archive(page, test, tmp_path, method):
    drawn = io.BytesIO()
    Image.new("L", (48, 48), 77).save(drawn, "JPEG")
    with zipfile.ZipFile(tmp_path / "archive.zip", "w", method) as zipped:
        zipped.writestr("a comment.txt", "first")
        zipped.writestr(f"fer2013/{test.files[0]}", drawn.getvalue())
    choose(page, "Right or wrong", "")
    choose(page, "Search file names", f" {Path(test.files[0]).name} ")
    page.choose("[data-part=archive]", tmp_path / "archive.zip")
    page.wait("document.querySelector('[data-part=rows] img')?.naturalWidth === 48")
    status = "document.querySelector('[data-part=archive-status]').textContent"
    assert page.run(status).startswith("1 of the test images")


def test_what_is_no_archive_is_said(page, tmp_path):
    (tmp_path / "notes.zip").write_text("x" * 50)
    page.choose("[data-part=archive]", tmp_path / "notes.zip")
    said = "document.querySelector('[data-part=archive-status]').textContent"
    page.wait(f"{said}.includes('not a zip')")
    with zipfile.ZipFile(tmp_path / "whole.zip", "w") as archive:
        archive.writestr("test/sad/a.jpg", "x" * 1000)
    (tmp_path / "cut.zip").write_bytes((tmp_path / "whole.zip").read_bytes()[900:])
    page.choose("[data-part=archive]", tmp_path / "cut.zip")
    page.wait(f"{said} === 'Not a complete zip file.'")


def test_an_address_restores_its_filters(page, test):
    answers = test.probabilities.argmax(axis=1)
    sad = test.labels == CLASSES.index("sad")
    page.run("location.search = '?label=sad&verdict=&low=nothing&set=nonsense&__proto__=1'")
    page.wait("location.search.startsWith('?label=sad') && document.querySelector('.filter-bar')")
    assert count(page) == sad.sum()
    assert address(page) == {"label": "sad", "verdict": ""}  # what means nothing is dropped
    assert page.run("({}).value === undefined")
    choose(page, "Right or wrong", "wrong")
    assert address(page) == {"label": "sad"}
    assert count(page) == (sad & (answers != test.labels)).sum()


def test_files_are_ordered_and_searched_by_the_name_that_is_shown(page, test):
    choose(page, "Right or wrong", "")
    choose(page, "Order", "by file name")
    first = page.run("document.querySelector('[data-part=rows] th').textContent")
    assert first == min(Path(file).stem for file in test.files)
    choose(page, "Search file names", "sad")  # a folder's name
    assert count(page) == 0


def test_every_filter_says_what_it_is(page):
    words = page.run("""[...document.querySelectorAll('.filter-bar :is(input, select)')]
        .map((each) => [each.ariaLabel, each.closest('label').firstChild.textContent])""")
    assert len(words) > 5 and all(name == shown for name, shown in words)


def test_no_column_is_cut_off_at_1400_px(page):
    page.send("Emulation.setDeviceMetricsOverride", width=1400, height=900, deviceScaleFactor=1,
              mobile=False)  # fmt: skip
    for box in (".explorer-list", ".counts"):
        element = f"document.querySelector('#explorer {box}')"
        assert page.run(f"{element}.scrollWidth <= {element}.clientWidth")
    page.send("Emulation.clearDeviceMetricsOverride")


def test_a_bar_has_the_stored_probabilities(page, test):
    """Of the surest error, which the page shows first."""
    wrong = np.flatnonzero(test.probabilities.argmax(axis=1) != test.labels)
    thousandths = np.rint(1000 * test.probabilities[wrong].astype(float))
    surest = thousandths[np.argmax(thousandths.max(axis=1))] / 10
    bar = "document.querySelector('[data-part=rows] .shares')"
    words = [f"{name} {share:.1f}%" for name, share in zip(CLASSES, surest, strict=True)]
    assert page.run(f"{bar}.ariaLabel") == ", ".join(words)
    widths = page.run(f"[...{bar}.children].map((e) => parseFloat(e.style.width))")
    assert widths == pytest.approx(surest) and sum(widths) == pytest.approx(100, abs=0.4)


def test_the_most_frequent_error_is_shaded_most(page, test):
    answers = test.probabilities.argmax(axis=1)
    counts = np.bincount(7 * test.labels[answers != test.labels] + answers[answers != test.labels],
                         minlength=49)  # fmt: skip
    shades = page.run("[...document.querySelectorAll('[data-part=counts] button')]"
                      ".map((e) => parseFloat(e.style.getPropertyValue('--shade')))")  # fmt: skip
    assert np.allclose(shades, 45 * counts / counts.max(), atol=0.06)
