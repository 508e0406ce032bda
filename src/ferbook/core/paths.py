"""Where the checkout is."""

from __future__ import annotations

from pathlib import Path


def project_root() -> Path:
    """The nearest folder at or above the working directory that holds `_toc.yml`.

    Notebooks start in `notebooks/` under JupyterLab and at the root under papermill; both then
    mean the same files. Raises FileNotFoundError outside a checkout.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "_toc.yml").is_file():
            return folder
    raise FileNotFoundError(
        f"no _toc.yml at or above {here}: run this inside a checkout, or give papermill "
        "--cwd path/to/ferbook."
    )
