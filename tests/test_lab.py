"""`make lab`: Jupyter's own parts, a real kernel, and JupyterLab in a browser."""

import json
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import closing, contextmanager
from pathlib import Path

import jupytext
import nbformat
import pytest
from conftest import ROOT
from jupyter_client.kernelspec import get_kernel_spec
from jupyter_client.manager import start_new_kernel
from traitlets.config import PyFileConfigLoader

NAME = "notebooks/03_results"


@pytest.fixture
def contents(tmp_path):
    """What the server reads and saves a notebook with, set up as `make lab` sets it up."""
    assert "--config=workflow/lab.py" in (ROOT / "Makefile").read_text()
    (tmp_path / "notebooks").mkdir()
    for suffix in (".py", ".ipynb"):
        shutil.copy2(ROOT / f"{NAME}{suffix}", tmp_path / f"{NAME}{suffix}")
    config = PyFileConfigLoader("lab.py", path=str(ROOT / "workflow")).load_config()
    return jupytext.TextFileContentsManager(root_dir=str(tmp_path), config=config)


def test_an_edited_notebook_is_saved_as_a_pair_without_outputs(contents, tmp_path):
    model = contents.get(f"{NAME}.ipynb")
    cells, metadata = model["content"]["cells"], model["content"]["metadata"]
    cell = next(cell for cell in cells if "parameters" in cell["metadata"].get("tags", []))
    cell["source"] = cell["source"].replace("the result store; paths", "my store; paths")
    cell["outputs"] = [nbformat.v4.new_output("stream", text="69.28 %\n")]
    cell["execution_count"] = 3
    cell["metadata"]["execution"] = {"iopub.execute_input": "2026-01-01T00:00:00Z"}
    metadata["kernelspec"]["display_name"] = get_kernel_spec("python3").display_name
    metadata["language_info"] = {"name": "python", "version": "3.12.1"}
    contents.save({"type": "notebook", "format": "json", "content": model["content"]},
                  f"{NAME}.ipynb")  # fmt: skip

    for suffix in (".py", ".ipynb"):
        was, now = ((folder / f"{NAME}{suffix}").read_text() for folder in (ROOT, tmp_path))
        assert now == was.replace("the result store; paths", "my store; paths") != was


def test_an_edit_of_the_text_half_is_what_opens(contents, tmp_path):
    half = tmp_path / f"{NAME}.py"
    half.write_text(half.read_text().replace("# # Results", "# # Results, edited"))
    assert "# Results, edited" in str(contents.get(f"{NAME}.ipynb")["content"]["cells"][0])


def test_a_running_kernel_sees_an_edit_of_a_module(tmp_path, monkeypatch):
    """With the set-up lines of the notebooks, and no restart."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    module = tmp_path / "edited.py"
    module.write_text("def answer():\n    return 'before'\n")
    setup = (
        "from pathlib import Path\n"
        "from ferbook.core.parameters import settle\n"
        f"settle(globals(), {Path(NAME).name!r}, project=Path({str(ROOT)!r}))\n"
        "import edited"
    )
    printed = []
    manager, client = start_new_kernel(cwd=str(tmp_path))
    try:
        for text in (setup, "print(edited.answer())"):
            client.execute_interactive(text, timeout=60, output_hook=lambda _: None)
        module.write_text("def answer():\n    return 'after the edit'\n")
        client.execute_interactive(
            "print(edited.answer())", timeout=60,
            output_hook=lambda message: printed.append(message["content"].get("text", "")),
        )  # fmt: skip
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert "after the edit\n" in printed


@contextmanager
def lab(folder):
    """JupyterLab on `folder` with the settings of `make lab`; yields its address."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyter", "lab", "--allow-root", "--no-browser", f"--port={port}",
         f"--config={ROOT}/workflow/lab.py", "--ServerApp.token=", "--notebook-dir=.",
         "--LabApp.expose_app_in_browser=True", "--LabApp.news_url="],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def answers(address):
    try:
        return urllib.request.urlopen(f"{address}/api").status == 200
    except urllib.error.URLError:
        return False


SHOWN = "[...jupyterapp.shell.widgets('main')].find(widget => widget.context)"


def test_in_a_browser_a_notebook_runs_and_its_edit_alone_is_saved(chromium, tmp_path):
    name = "notebooks/06_claims"
    (tmp_path / "notebooks").mkdir()
    for path in (f"{name}.py", f"{name}.ipynb", "_toc.yml"):
        shutil.copy2(ROOT / path, tmp_path / path)
    for folder in ("book", "results"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    with lab(tmp_path) as address, chromium.browser(tmp_path / "profile") as page:
        page.socket.settimeout(120)
        chromium.until(lambda: answers(address), 60)
        page.send("Page.navigate", url=f"{address}/lab/tree/{name}.ipynb?reset")
        page.wait(
            f"window.jupyterapp && {SHOWN}?.sessionContext.kernelDisplayStatus === 'idle'", 120
        )
        page.run(f"jupyterapp.shell.activateById({SHOWN}.id)")
        page.run("jupyterapp.commands.execute('notebook:run-all-cells').then(() => true)")
        cells = page.run(f"JSON.stringify({SHOWN}.content.model.toJSON().cells)")
        page.run(f"{SHOWN}.content.model.cells.get(0).sharedModel.setSource('# Edited')")
        page.run(f"{SHOWN}.context.save().then(() => true)")
    code = [cell for cell in json.loads(cells) if cell["cell_type"] == "code"]
    kinds = [output["output_type"] for cell in code for output in cell["outputs"]]
    assert all(cell["execution_count"] for cell in code)
    assert len(kinds) > len(code) and "error" not in kinds
    for suffix in (".py", ".ipynb"):
        was, now = (root.joinpath(f"{name}{suffix}").read_text() for root in (ROOT, tmp_path))
        before, after = (jupytext.reads(text, suffix).cells for text in (was, now))
        assert after[0].source == "# Edited" != before[0].source
        assert [cell.source for cell in after[1:]] == [cell.source for cell in before[1:]]
        assert not any(cell.get("outputs") for cell in after)
