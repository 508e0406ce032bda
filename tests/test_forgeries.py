"""Executed notebooks, forged in one place and stamped anew: each forgery is found and not run."""

import base64
import copy
import io
import json
import shutil

import forged
import numpy as np
import pytest
from conftest import ROOT
from PIL import Image

from ferbook.paper import verification
from ferbook.paper.verification import notebooks, outputs
from ferbook.paper.verification.finding import Verified

NAMES = ("06_claims", "07_performance")  # without a figure, and with one


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """A checkout with two executed notebooks."""
    folder = tmp_path_factory.mktemp("honest")
    for name in ("results", "configs", "notebooks", "src"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "_toc.yml", folder)
    shutil.copytree(ROOT / "book", folder / "book", ignore=shutil.ignore_patterns("executed"))
    (folder / "book/executed").mkdir()
    for name in NAMES:
        forged.write(name, folder)
    return folder


def findings(monkeypatch, project, name):
    monkeypatch.chdir(project)
    monkeypatch.setattr(notebooks.chapters, "NOTEBOOKS", (name,))
    found = Verified()
    notebooks.check(found)
    return found.findings


@pytest.mark.parametrize("name", NAMES)
def test_an_honest_notebook_passes(honest, monkeypatch, name):
    assert findings(monkeypatch, honest, name) == []


def cell_with(notebook, text):
    return next(cell for cell in notebook["cells"] if text in "".join(cell["source"]))


def injected(notebook):
    return next(c for c in notebook["cells"] if "injected-parameters" in c["metadata"]["tags"])


def foreign_line(notebook):
    injected(notebook)["source"].append('open("evil", "w")\n')


def foreign_value(notebook):
    injected(notebook)["source"][1] = 'results_dir = open("evil", "w")\n'


def other_store(notebook):
    injected(notebook)["source"][1] = 'results_dir = "elsewhere"\n'
    notebook["metadata"]["papermill"]["parameters"] = {"results_dir": "elsewhere"}


def comment(notebook):
    injected(notebook)["source"][1] = 'results_dir = "results"  # 72 %\n'


def second_injected(notebook):
    cells = notebook["cells"]
    cells.insert(4, copy.deepcopy(injected(notebook)))


def markdown_as_parameters(notebook):
    cells = notebook["cells"]
    cells.insert(2, {"cell_type": "markdown", "id": "x", "source": ["We reach 75 %."],
                     "metadata": {**injected(notebook)["metadata"]}})  # fmt: skip


def code_changed(notebook):
    cell_with(notebook, "import os")["source"] = ["import os; open('evil', 'w')"]


def glue_of(notebook):
    return cell_with(notebook, "glue(key, value")["outputs"]


def other_value(notebook):
    (output,) = glue_of(notebook)[0]["data"].items()
    glue_of(notebook)[0]["data"][output[0]] = "999"


def other_mime(notebook):
    glue_of(notebook)[0]["data"][f"{outputs.PREFIX}text/html"] = "<b>999</b>"


def other_prefix(notebook):
    output = glue_of(notebook)[0]
    output["metadata"]["scrapbook"]["mime_prefix"] = "x/"
    output["data"] = {"x/text/plain": "999", **output["data"]}


def glued_twice(notebook):
    glue_of(notebook).append(forged.glued("claims_total", 999))


def glued_elsewhere(notebook):
    cell_with(notebook, "import os")["outputs"].append(forged.glued("claims_total", 999))


def stream(notebook):
    said = {"output_type": "stream", "name": "stdout", "text": ["We reach 75 %."]}
    cell_with(notebook, "import os")["outputs"].append(said)


def display(notebook):
    shown = {"output_type": "display_data", "metadata": {}, "data": {"text/markdown": "75 %"}}
    cell_with(notebook, "tables.")["outputs"].append(shown)


def script(notebook):
    data = cell_with(notebook, "tables.")["outputs"][0]["data"]
    data["text/html"] += "<script>alert(1)</script>"


def javascript(notebook):
    data = cell_with(notebook, "tables.")["outputs"][0]["data"]
    data["application/javascript"] = "alert(1)"


def output_metadata(notebook):
    cell_with(notebook, "tables.")["outputs"][0]["metadata"] = {"text/markdown": {"x": 1}}


def tag(notebook):
    cell_with(notebook, "tables.")["metadata"]["tags"] = ["remove-output"]


def caption(notebook):
    cell_with(notebook, "tables.")["metadata"]["mystnb"] = {"figure": {"caption": "75 %"}}


def attachment(notebook):
    notebook["cells"][0]["attachments"] = {"a.png": {"image/png": ""}}


def notebook_metadata(notebook):
    notebook["metadata"]["mystnb"] = {"execution_mode": "force"}


def failed(notebook):
    notebook["cells"][0]["metadata"]["papermill"]["exception"] = True


def synthetic_stamp(notebook):
    notebook["metadata"]["ferbook"]["results"] = "_build/quick/results"


FORGERIES = [
    foreign_line, foreign_value, other_store, comment, second_injected, markdown_as_parameters,
    code_changed, other_value, other_mime, other_prefix, glued_twice, glued_elsewhere, stream,
    display, script, javascript, output_metadata, tag, caption, attachment, notebook_metadata,
    failed, synthetic_stamp,
]  # fmt: skip


def forge(honest, tmp_path, name, change, *, stamped=True):
    """A copy of the checkout in which one notebook was changed, and stamped anew."""
    project = tmp_path / "forged"
    shutil.copytree(honest, project, symlinks=True)
    path = project / "book/executed" / f"{name}.ipynb"
    notebook = json.loads(path.read_text())
    change(notebook)
    path.write_text(json.dumps(notebook))
    if stamped and change is not synthetic_stamp:
        forged.restamp(path, project)
    return project


@pytest.mark.parametrize("change", FORGERIES, ids=lambda change: change.__name__)
def test_each_forgery_is_found_and_none_is_carried_out(honest, tmp_path, monkeypatch, change):
    project = forge(honest, tmp_path, "06_claims", change)
    found = findings(monkeypatch, project, "06_claims")
    assert found and all("06_claims" in line for line in found)
    assert not (project / "evil").exists()


def picture_of(notebook):
    outputs_ = [o for cell in notebook["cells"] for o in cell.get("outputs", [])]
    return next(o["data"] for o in outputs_ if "image/png" in o["data"])


def encoded(pixels):
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return base64.b64encode(content.getvalue()).decode()


@pytest.mark.parametrize("how", ["moved point", "other picture", "no picture", "svg"])
def test_an_exchanged_picture_is_found(honest, tmp_path, monkeypatch, how):
    def change(notebook):
        data = picture_of(notebook)
        pixels = outputs._pixels(data["image/png"]).copy()
        if how == "moved point":
            pixels[100:104, 200:204] = (255, 0, 0, 255)
        elif how == "other picture":
            pixels = np.zeros((9, 9, 4), np.uint8)
        data["image/png"] = "AAAA" if how == "no picture" else encoded(pixels)
        if how == "svg":
            data["image/svg+xml"] = "<svg/>"

    project = forge(honest, tmp_path, "07_performance", change)
    (found,) = findings(monkeypatch, project, "07_performance")
    words = {"moved point": "16 pixels of its figure are not those drawn anew",
             "other picture": "a picture of (9, 9, 4), drawn anew", "no picture": "not a PNG",
             "svg": "expected one PNG"}  # fmt: skip
    assert words[how] in found


def test_an_edit_after_the_stamp_is_found(honest, tmp_path, monkeypatch):
    project = forge(honest, tmp_path, "06_claims", other_value, stamped=False)
    found = findings(monkeypatch, project, "06_claims")
    assert any("changed since it was executed: outputs" in line for line in found)


def test_the_text_of_another_checkout_is_never_carried_out(honest, tmp_path, monkeypatch):
    """Source and executed notebook agree with each other, and not with the ferbook that runs."""
    project = forge(honest, tmp_path, "06_claims", code_changed)
    (project / "notebooks").unlink()
    shutil.copytree(ROOT / "notebooks", project / "notebooks")
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


def test_findings_quote_little(honest, tmp_path, monkeypatch):
    def long_value(notebook):
        glue_of(notebook)[0]["data"][f"{outputs.PREFIX}text/plain"] = "9" * 4000

    project = forge(honest, tmp_path, "06_claims", long_value)
    assert all(len(line) < 700 for line in findings(monkeypatch, project, "06_claims"))
    assert verification.FOLDERS[0] == "results"
