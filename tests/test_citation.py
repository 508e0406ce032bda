"""CITATION.cff to BibTeX, APA and launch buttons."""

import shutil

import pytest
from conftest import ROOT

from ferbook.core.structured import read_yaml
from ferbook.paper import citation, staging

CFF = {
    "title": "A book",
    "version": "1.2",
    "date-released": "2026-11-24",
    "repository-code": "https://example.org/a/book/",
    "authors": [
        {"family-names": "Curie", "given-names": "Marie Anna"},
        {"name": "The Society"},
    ],
}


def test_bibtex():
    assert citation.bibtex(CFF) == (
        "@software{ferbook,\n"
        "  author  = {Curie, Marie Anna and {The Society}},\n"
        "  title   = {{A book}},\n"
        "  version = {1.2},\n"
        "  year    = {2026},\n"
        "  url     = {https://example.org/a/book}\n}\n"
    )


def test_apa():
    assert citation.apa(CFF) == (
        "Curie, M. A., & The Society. (2026). A book (Version 1.2) [Computer software]. "
        "https://example.org/a/book\n"
    )


def test_our_own_file_is_complete_and_agrees_with_the_package():
    cff = citation.read(ROOT / "CITATION.cff")
    assert f'version = "{cff["version"]}"' in (ROOT / "pyproject.toml").read_text()
    assert cff["title"] in citation.apa(cff) and cff["title"] in citation.bibtex(cff)


def test_what_is_missing_is_named(tmp_path):
    (tmp_path / "CITATION.cff").write_text("title: A book\n")
    with pytest.raises(ValueError, match="no authors, version"):
        citation.read(tmp_path / "CITATION.cff")


@pytest.mark.parametrize("address", ["", "https://github.com/someone/ferbook"])
def test_launch_buttons_follow_the_repository(tmp_path, address):
    """Without an address the published book links nowhere."""
    project = tmp_path / "project"
    project.mkdir()
    for name in ("book", "results", "_toc.yml", "_config.yml", "CHANGELOG.md"):
        (project / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "CITATION.cff", project)
    with (project / "CITATION.cff").open("a") as file:
        file.write(f"repository-code: {address}\n" if address else "")
    staging.stage(ROOT / "book/executed", tmp_path / "staged", project=project)
    config = read_yaml(tmp_path / "staged/_config.yml")
    assert config.get("repository", {}).get("url", "") == address
    assert ("launch_buttons" in config) == bool(address)
    said = (tmp_path / "staged/book/made/launch.txt").read_text()
    assert (f"git clone --depth 1 {address}" in said) if address else said == ""
