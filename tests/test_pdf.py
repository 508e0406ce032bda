"""The book on paper: links, bookmarks, page numbers."""

import pytest
from bs4 import BeautifulSoup
from conftest import ROOT
from pypdf import PdfReader

from ferbook.core.structured import read_yaml
from ferbook.paper import citation, one_page, pdf

CFF = {"title": "A book", "version": "1", "authors": [{"name": "The Society"},
       {"family-names": "Curie", "given-names": "Marie"}]}  # fmt: skip
# What jupyter-book's singlehtml leaves, in small.
PAGE = """<title>Page</title><style>span[id] { display: block; break-before: page }</style>
<nav aria-label="Page"><p role="heading" aria-level="2">Part</p>
<a href="#document-book/one">One</a> <a href="#document-book/executed/01_two">Two</a></nav>
<h1>A book</h1>
<span id="document-book/one"></span><section id="one"><h2>One<a class="headerlink" href="#one">#</a>
</h2><a href="book/executed/00_overview.html#cite-doe">Doe</a> <a href="01_two.html">two</a>
<a href="https://example.org/">web</a> <a href="_downloads/1/two.ipynb">two.ipynb</a>
<a href="#document-book/executed/00_overview">top</a></section>
<span id="document-book/executed/01_two"></span><section id="two"><h2>Two</h2>
<p id="cite-doe">Doe. <a href="../one.html">one</a></p></section>
"""
ROOT_DOCUMENT = "book/executed/00_overview"


@pytest.fixture
def folder(tmp_path):
    page = tmp_path / "single" / pdf.ROOT_PAGE
    page.parent.mkdir(parents=True)
    page.write_text(PAGE)
    return tmp_path / "single"


@pytest.fixture
def printed(folder, tmp_path):
    if pdf.find_browser() is None:
        pytest.skip("no Chromium")
    pdf.print_book(folder, tmp_path / "book.pdf", CFF)
    return tmp_path / "book.pdf"


def test_no_link_leads_to_the_machine_that_printed_it(printed):
    assert list(pdf.addresses(printed)) == ["https://example.org/"]
    assert b"file:" not in printed.read_bytes()


def test_links_lead_to_their_pages(printed):
    names = ["document-book/one", "document-book/executed/01_two", "cite-doe", "nowhere"]
    assert pdf.pages(printed, names) == {names[0]: 2, names[1]: 3, names[2]: 3}


def test_contents_name_the_pages(printed):
    words = PdfReader(printed).pages[0].extract_text().split()
    assert words == ["Part", "One2", "Two3", "A", "book"]


def test_bookmarks_title_and_authors(printed):
    reader = PdfReader(printed)
    top, inner = reader.outline
    assert (top.title, [each.title for each in inner]) == ("A book", ["One", "Two"])
    assert reader.metadata.title == "A book"
    assert reader.metadata.author == "The Society; Marie Curie"
    assert reader.page_mode == "/UseOutlines"


def test_authors_and_abstract_stand_between_title_and_contents():
    page = """<h1>A book</h1><nav>Contents</nav><section><h1>A book<a class="headerlink">#</a></h1>
    <p>We</p><p>We find.</p><div>a figure</div><p>More.</p></section>"""
    shown = BeautifulSoup(one_page.prepare(page, ROOT_DOCUMENT), "html.parser")
    words = list(shown.stripped_strings)
    assert words == ["A book", "We", "We find.", "Contents", "A book", "a figure", "More."]
    shown = BeautifulSoup(one_page.prepare(page, ROOT_DOCUMENT, "Version 1"), "html.parser")
    assert list(shown.stripped_strings)[:4] == ["A book", "We", "Version 1", "We find."]


def test_what_needs_a_screen_is_not_printed():
    page = """<nav aria-label="Page"><a class="nav-link" href="#document-book/try_it">Try it</a>
    <a class="nav-link" href="#document-book/one">One</a></nav><div>
    <span id="document-book/try_it"></span><section id="try-it"><h2 id="x">Try it</h2></section>
    <span id="document-book/one"></span><section id="one"><a href="../try_it.html">tried</a>
    <a href="../try_it.html#x">there</a></section></div>"""
    shown = BeautifulSoup(one_page.prepare(page, ROOT_DOCUMENT), "html.parser")
    words = ["Try it", "on screen only", "One", "tried", "there"]
    assert list(shown.stripped_strings) == words
    assert [a["href"] for a in shown.find_all("a", href=True)] == ["#document-book/one"]
    assert {f"book/{name}.md" for name in one_page.SCREEN_ONLY} <= set(chapters())


def chapters():
    toc = read_yaml(ROOT / "_toc.yml")
    return [f"{chapter['file']}.md" for part in toc["parts"] for chapter in part["chapters"]]


def test_a_link_into_the_book_that_leads_nowhere_is_named():
    with pytest.raises(one_page.BrokenLinkError, match=r"01_two\.html#gone: no such place"):
        one_page.prepare('<a href="01_two.html#gone">x</a>', ROOT_DOCUMENT)


def test_a_link_to_this_machine_is_refused(folder, tmp_path, monkeypatch):
    if pdf.find_browser() is None:
        pytest.skip("no Chromium")
    monkeypatch.setattr(one_page, "prepare", lambda html, *_: html)
    with pytest.raises(pdf.PrintError, match="links to this machine"):
        pdf.print_book(folder, tmp_path / "book.pdf", CFF)


def test_without_a_browser_it_says_what_to_install(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit):
        pdf.main([str(folder), str(tmp_path / "book.pdf")])
    assert "apt install chromium" in capsys.readouterr().err
    assert not (tmp_path / "book.pdf").exists()


def test_a_browser_that_writes_nothing_is_named(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(pdf, "find_browser", lambda: "/bin/true")
    with pytest.raises(pdf.PrintError, match="/bin/true wrote no"):
        pdf.print_book(folder, tmp_path / "book.pdf", CFF)


def test_the_page_that_is_printed_is_the_root_of_the_book():
    root = read_yaml(ROOT / "_toc.yml")["root"]
    assert pdf.ROOT_PAGE.with_suffix("").as_posix() == root == ROOT_DOCUMENT


def test_authors_by_name():
    assert citation.names(CFF) == ["The Society", "Marie Curie"]
