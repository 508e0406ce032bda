"""The book on paper."""

import pytest
from conftest import ROOT

from ferbook.core.files import read_yaml
from ferbook.paper import pdf


@pytest.fixture
def folder(tmp_path):
    """What jupyter-book's singlehtml leaves, in small."""
    page = tmp_path / "single" / pdf.ROOT_PAGE
    page.parent.mkdir(parents=True)
    page.write_text("<h1>A book</h1>")
    return tmp_path / "single"


def test_prints_a_pdf(folder, tmp_path):
    if pdf.find_browser() is None:
        pytest.skip("no Chromium")
    pdf.print_book(folder, tmp_path / "book.pdf")
    content = (tmp_path / "book.pdf").read_bytes()
    assert content.startswith(b"%PDF-") and b"/Type /Page" in content


def test_without_a_browser_it_says_what_to_install(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit):
        pdf.main([str(folder), str(tmp_path / "book.pdf")])
    assert "apt install chromium" in capsys.readouterr().err
    assert not (tmp_path / "book.pdf").exists()


def test_a_browser_that_writes_nothing_is_named(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(pdf, "find_browser", lambda: "/bin/true")
    with pytest.raises(pdf.PrintError, match="/bin/true wrote no"):
        pdf.print_book(folder, tmp_path / "book.pdf")


def test_the_page_that_is_printed_is_the_root_of_the_book():
    root = read_yaml(ROOT / "_toc.yml")["root"]
    assert pdf.ROOT_PAGE.with_suffix("").as_posix() == root
