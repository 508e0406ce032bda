"""What a library takes: the source at the commit, results, executed notebooks, metadata, one zip.

Run as `python -m ferbook.paper.archive _build` (make archive). The same commit gives the same
bytes. Figures in executed notebooks that are made from images of FER-2013 are left out.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from PIL import Image, ImageDraw, ImageOps

from ferbook.core.errors import FerbookError
from ferbook.core.writing import write_atomically
from ferbook.paper import citation, freshness, metadata, ro_crate, sources
from ferbook.paper.executed import read_all
from ferbook.paper.staging import packed
from ferbook.results import manifest

_LEFT_OUT = "Made from images of FER-2013, which are not part of this archive."
_SHOWN = (480, 40)  # pixels, width and height


class ArchiveError(FerbookError, RuntimeError):
    """No commit that could be archived."""


def make(project: Path, target: Path) -> dict[str, str]:
    """Write the zip of `project`'s commit into `target`; what a deposit form asks for is returned.

    `archive` is its path, `sha256` that of its bytes, `directory` the SWHID of what is in its one
    folder, `source` and `revision` those of the commit's files and of the commit.
    Raises ArchiveError outside a git repository.
    """
    commit, tree, date = _git(project, "log", "-1", "--format=%H %T %cI").decode().split()
    with tempfile.TemporaryDirectory() as scratch:
        cff = citation.read(project / "CITATION.cff")
        folder = Path(scratch, f"ferbook-{cff['version']}")
        _extract(project, folder)
        _leave_out_images(folder / "book" / "executed")
        _describe(folder, f"swh:1:dir:{tree}", date)
        content, directory = packed(Path(scratch)), swhid(folder)
    target.mkdir(parents=True, exist_ok=True)
    path = target / f"{folder.name}.zip"
    write_atomically(path, content)
    return {"archive": str(path), "sha256": hashlib.sha256(content).hexdigest(),
            "directory": directory, "source": f"swh:1:dir:{tree}",
            "revision": f"swh:1:rev:{commit}"}  # fmt: skip


def swhid(folder: Path) -> str:
    """The identifier that Software Heritage gives to the content of a folder."""
    from swh.model.from_disk import Directory  # late: not among what readers install

    return str(Directory.from_disk(path=str(folder).encode(), max_content_length=None).swhid())


def _git(project: Path, *arguments: str) -> bytes:
    command = ["git", "-C", str(project), *arguments]
    try:
        return subprocess.run(command, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise ArchiveError(f"{project}: no commit to archive ({error}).") from error


def _extract(project: Path, folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(_git(project, "archive", "HEAD"))) as tar:
        # Not an argument: Python 3.11.0 to 3.11.3 know none.
        tar.extraction_filter = getattr(tarfile, "tar_filter", None)
        tar.extractall(folder)


def _describe(folder: Path, tree: str, date: str) -> None:
    cff = citation.read(folder / "CITATION.cff")
    date = str(cff.get("date-released") or date[:10])
    texts = {
        "codemeta.json": _text(metadata.codemeta(cff, tree, date)),
        "croissant.json": _text(metadata.croissant(cff, folder, date)),
        "codecheck.yml": yaml.safe_dump(metadata.codecheck(cff), sort_keys=False),
        ro_crate.NAME: _text(ro_crate.describe(cff, folder, tree, date)),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def _text(described: Mapping[str, Any]) -> str:
    return json.dumps(described, indent=1, ensure_ascii=False) + "\n"


def _leave_out_images(executed: Path) -> None:
    """Replace pictures, and renew the digests, so that `ferbook verify` holds in the archive."""
    for name, notebook in read_all(executed).items():
        for output in _pictures(notebook):
            output["data"]["image/png"] = _notice()
            output["metadata"] = {"image/png": dict(zip(("width", "height"), _SHOWN, strict=True))}
        notebook["metadata"]["ferbook"]["outputs"] = freshness.digest_of_outputs(notebook)
        (executed / f"{name}.ipynb").write_text(_text(notebook), encoding="utf-8")
    manifest.renew(executed)


def _pictures(notebook: dict) -> Iterator[dict]:
    """Each output with a picture whose source is the data set itself."""
    for source in sources.find(notebook):
        for output in notebook["cells"][source.cell - 1]["outputs"]:
            if sources.DATA_SET in source.reads and "image/png" in output.get("data", {}):
                yield output


def _notice() -> str:
    """A PNG that says what is missing, in base64."""
    picture, content = Image.new("L", _SHOWN, 255), io.BytesIO()
    ImageDraw.Draw(picture).text((10, 12), _LEFT_OUT, fill=0)
    ImageOps.scale(picture, 2).save(content, "PNG")  # as figures have two pixels for one
    return base64.b64encode(content.getvalue()).decode()


def main(arguments: list[str] | None = None) -> None:
    """The command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m ferbook.paper.archive", description=__doc__)
    parser.add_argument("target", type=Path, help="the folder for the zip")
    try:
        made = make(Path("."), parser.parse_args(arguments).target)
    except (FerbookError, OSError) as error:
        parser.exit(1, f"error: {error}\n")
    lines = "".join(f"{what:<9} {value}\n" for what, value in made.items())
    Path(made["archive"]).with_suffix(".txt").write_text(lines, encoding="utf-8")
    print(lines, end="")


if __name__ == "__main__":
    main()
