"""The page of sources: cell, code and stored files of each figure and table, by hand."""

import hashlib

import pytest

from ferbook.paper import sources
from ferbook.paper.sources import Source


def code_cell(source, *, figure=None, table=None):
    outputs = []
    if table:
        text = f":::{{table}} A caption.\n:name: {table}\n\n| a |\n| --- |\n:::\n"
        outputs = [{"output_type": "execute_result", "data": {"text/markdown": text}}]
    names = {"mystnb": {"figure": {"name": figure, "caption": "Bars."}}} if figure else {}
    return {"cell_type": "code", "source": source, "outputs": outputs, "metadata": names}


@pytest.fixture
def notebook():
    cells = [
        {"cell_type": "markdown", "source": "# Title", "metadata": {}},
        code_cell('results_dir = "elsewhere"\nstudy = "ours"'),
        code_cell('results_dir = "results"'),  # as papermill injects it
        code_cell("run = store.load_study(results_dir, study)[0]\n"
                  "dataset = store.load_dataset(results_dir)\n"
                  "faces = load(data)"),
        code_cell("figures.bars(run)", figure="fig-bars"),
        code_cell("tables.counts(run, dataset)", table="tab-counts"),
        code_cell("tables.all(store.load_all(results_dir), dataset, faces)", table="tab-all"),
        code_cell("%matplotlib inline"),
        code_cell('audit(read_yaml("book/original.yml"))', table="tab-audit"),
    ]  # fmt: skip
    return {"cells": cells}


def test_names_lead_back_to_what_was_read(notebook):
    assert list(sources.find(notebook)) == [
        Source("fig-bars", 5, "figures.bars(run)", ("results/ours",)),
        Source("tab-counts", 6, "tables.counts(run, dataset)",
               ("results/dataset.json", "results/ours")),
        Source("tab-all", 7, "tables.all(store.load_all(results_dir), dataset, faces)",
               ("", "results")),
        Source("tab-audit", 9, "audit(read_yaml('book/original.yml'))", ("book/original.yml",)),
    ]  # fmt: skip


def test_what_is_added_to_a_name_is_added_to_its_sources(notebook):
    notebook["cells"] += [
        code_cell('facts = measurements.load_facts(results_dir, "bench")'),
        code_cell('facts |= measurements.load_facts(results_dir, "deployment")'),
        code_cell("tables.both(facts)", table="tab-both"),
    ]
    assert list(sources.find(notebook))[-1].reads == ("results/bench", "results/deployment")


def test_captions_link_to_their_source(notebook):
    sources.link(notebook)
    figure = notebook["cells"][4]["metadata"]["mystnb"]["figure"]["caption"]
    assert figure == "Bars. {ref}`Source <source-fig-bars>`"
    table = notebook["cells"][5]["outputs"][0]["data"]["text/markdown"]
    assert table.startswith(":::{table} A caption. {ref}`Source <source-tab-counts>`\n:name: tab-")


def test_the_page_names_files_with_their_hashes(notebook, tmp_path):
    ours = tmp_path / "results/ours"
    ours.mkdir(parents=True)
    for path, text in (("ours/a", "1"), ("ours/b", "2"), ("dataset.json", "{}")):
        (tmp_path / "results" / path).write_text(text)
    hashes = [hashlib.sha256(text.encode()).hexdigest() for text in ("1", "2")]
    folder = hashlib.sha256("".join(hashes).encode()).hexdigest()[:16]
    file = hashlib.sha256(b"{}").hexdigest()[:16]
    (tmp_path / "book").mkdir()
    (tmp_path / "book/original.yml").write_text("a: 1\n")
    page = sources.page({"03_results": notebook}, tmp_path)
    assert "(source-fig-bars)=\n{numref}`fig-bars`: cell 5 of {download}`03_results.ipynb" in page
    assert f"- `results/ours`, 2 files, SHA-256 `{folder}`" in page
    assert f"- `results/dataset.json`, SHA-256 `{file}`" in page
    assert "- the images of FER-2013" in page
