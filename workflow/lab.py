"""Configuration of JupyterLab for `make lab`: a saved notebook is what Git compares.

Outputs stay on the screen and out of the file, and so does the version of the reader's Python.
"""


def without_outputs(model, **_):
    """Clear what a kernel left in the notebook that is about to be saved."""
    if model["type"] != "notebook" or not model.get("content"):
        return
    model["content"]["metadata"].pop("language_info", None)
    for cell in model["content"]["cells"]:
        for name in ("execution", "trusted", "collapsed", "scrolled"):
            cell["metadata"].pop(name, None)
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}


c = get_config()  # noqa: F821
c.ContentsManager.pre_save_hook = without_outputs
