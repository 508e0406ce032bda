"""Executed notebooks, forged in one place and stamped anew: each forgery is found and not run."""

import json
import shutil

import numpy as np
import pytest

from ferbook.paper import chapters, verification
from ferbook.paper.verification import notebooks, outputs, remake
from ferbook.paper.verification.verified import Verified
from trials import forgeries
from trials.forgeries import NOTEBOOK, NOTEBOOKS, PICTURE, code_changed, in_notebook, other_value


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """A checkout with two executed notebooks."""
    return forgeries.with_notebooks(forgeries.checkout(tmp_path_factory.mktemp("honest")))


@pytest.fixture(scope="module", autouse=True)
def _made_once():
    """The cells of a chapter are made anew once: the store of these checkouts is the same."""
    cells, made = remake.cells, {}

    def kept(source, values, data=""):
        key = json.dumps([source["cells"], values, data])
        if key not in made:
            made[key] = list(cells(source, values, data))
        return made[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remake, "cells", kept)
        yield


def findings(monkeypatch, project, name):
    monkeypatch.chdir(project)
    monkeypatch.setattr(chapters, "NOTEBOOKS", (name,))
    found = Verified()
    notebooks.check(found, "", lambda what: None)
    return found.findings


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_an_honest_notebook_passes(honest, monkeypatch, name):
    assert findings(monkeypatch, honest, name) == []


def copied(honest, tmp_path):
    return shutil.copytree(honest, tmp_path / "forged")


@pytest.mark.parametrize(("what", "change", "message"), NOTEBOOK, ids=[row[0] for row in NOTEBOOK])
def test_each_forgery_is_found_and_none_is_carried_out(
    honest, tmp_path, monkeypatch, what, change, message
):
    project = copied(honest, tmp_path)
    in_notebook("06_claims", change)(project)
    found = findings(monkeypatch, project, "06_claims")
    assert any(message in line for line in found) and all("06_claims" in line for line in found)
    assert not (project / "evil").exists()


@pytest.mark.parametrize(("what", "change", "message"), PICTURE, ids=[row[0] for row in PICTURE])
def test_an_exchanged_picture_is_found(honest, tmp_path, monkeypatch, what, change, message):
    project = copied(honest, tmp_path)
    in_notebook("07_performance", change)(project)
    (found,) = findings(monkeypatch, project, "07_performance")
    assert message in found


def test_every_forgery_of_the_table_has_a_name_of_its_own():
    names = [(kind, forgery.what) for kind, forgery in forgeries.all_forgeries()]
    assert len(set(names)) == len(names) > 40
    assert [f for _, f in forgeries.all_forgeries() if f.message is None] == [forgeries.NOT_FOUND]


def test_an_edit_after_the_stamp_is_found(honest, tmp_path, monkeypatch):
    project = copied(honest, tmp_path)
    forgeries.rewrite(project / "book/executed/06_claims.ipynb", other_value)
    found = findings(monkeypatch, project, "06_claims")
    assert any("changed since it was executed: outputs" in line for line in found)


def test_the_text_of_another_checkout_is_never_carried_out(honest, tmp_path, monkeypatch):
    """Source and executed notebook agree with each other, and not with the ferbook that runs."""
    project = copied(honest, tmp_path)
    in_notebook("06_claims", code_changed)(project)
    for half in (".py", ".ipynb"):
        path = project / "notebooks" / f"06_claims{half}"
        path.write_text(path.read_text().replace("import os", "import os; open('evil', 'w')"))
    (found,) = findings(monkeypatch, project, "06_claims")
    assert "not that of the ferbook that verifies" in found
    assert not (project / "evil").exists()


def test_what_cannot_be_made_anew_is_a_plain_table_or_a_figure():
    row = ":::{table} C.\n:name: tab-c\n\n| a |\n| --- |\n| 1 \\<b\\> |\n:::\n"
    data = {"text/plain": "", "text/markdown": row, "text/html": '<table class="dataframe">'}
    assert outputs._unmade(data) == "tab-c"
    for kind, text in (("html", "<script>x</script>"), ("html", "<p onclick='x'>"),
                       ("markdown", row.replace("1", "<b>")), ("markdown", "# Title"),
                       ("markdown", row.replace("1", "{eval-rst}`x`"))):  # fmt: skip
        with pytest.raises(outputs.OutputError):
            outputs._unmade({**data, f"text/{kind}": text})


def test_a_figure_says_that_it_is_shown_half_as_wide_as_its_pixels():
    data = {"image/png": forgeries.encoded(np.zeros((8, 31, 4), np.uint8)), "text/plain": ""}
    assert outputs._shown_size(data) == {"image/png": {"width": 15, "height": 4}}
    assert outputs._shown_size({"text/plain": ""}) == {}


def test_findings_quote_little(honest, tmp_path, monkeypatch):
    def long_value(notebook):
        data = forgeries.cell_with(notebook, "glue(key, value")["outputs"][0]["data"]
        data[f"{outputs.PREFIX}text/plain"] = "9" * 4000

    project = copied(honest, tmp_path)
    in_notebook("06_claims", long_value)(project)
    assert all(len(line) < 700 for line in findings(monkeypatch, project, "06_claims"))
    assert verification.FOLDERS[0] == "results"
