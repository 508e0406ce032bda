"""Every page of the book under axe-core: light and dark, on a desktop and on a phone."""

import json
import re

import pytest
from conftest import ROOT

from ferbook.core.structured import read_yaml
from ferbook.paper import site, try_it

TOC = read_yaml(ROOT / "_toc.yml")
PAGES = [TOC["root"], *(c["file"] for part in TOC["parts"] for c in part["chapters"])]
WIDTHS = {"desktop": 1400, "phone": 390}
NARROW = 320  # px; the least of WCAG 2.2, 1.4.10
AXE = """axe.run({ resultTypes: ["violations"] }).then((found) => JSON.stringify(found.violations
  .filter((each) => ["serious", "critical"].includes(each.impact))
  .map((each) => [each.id, each.nodes[0].html])))"""


# A button that is still fading from one theme to the other has colors of neither.
STILL = """document.head.appendChild(document.createElement("style")).textContent =
  "* { transition: none !important; animation: none !important }" """


@pytest.fixture(scope="module")
def axe(tab):
    try:
        return (try_it.runtime(ROOT) / try_it.AXE).read_text()
    except (try_it.MissingRuntime, PermissionError):
        pytest.skip("axe-core is not there; make book fetches it with npm")


@pytest.mark.parametrize("name", PAGES)
def test_no_serious_violation(tab, axe, name):
    page, address = tab
    try:
        for width in WIDTHS.values():
            page.send("Emulation.setDeviceMetricsOverride", width=width, height=900,
                      deviceScaleFactor=1, mobile=width < 500)  # fmt: skip
            page.open(f"{address}/{name}.html")
            page.run(f"{axe}; {STILL}; 0")
            for theme in ("light", "dark"):
                page.run(f"document.documentElement.dataset.theme = '{theme}'")
                assert json.loads(page.run(AXE)) == [], f"{name}, {width} px, {theme}"
    finally:
        page.send("Emulation.clearDeviceMetricsOverride")


@pytest.mark.parametrize("name", PAGES)
def test_no_page_is_wider_than_a_phone(tab, name):
    page, address = tab
    try:
        for width in (WIDTHS["phone"], NARROW):
            page.send("Emulation.setDeviceMetricsOverride", width=width, height=900,
                      deviceScaleFactor=1, mobile=True)  # fmt: skip
            page.open(f"{address}/{name}.html")
            sizes = (page.run(f"document.documentElement.{k}Width") for k in ("scroll", "client"))
            assert next(sizes) <= next(sizes)
    finally:
        page.send("Emulation.clearDeviceMetricsOverride")


def test_pages_are_described_by_what_they_say_first(built_book):
    front = (built_book[0] / "book/executed/00_overview.html").read_text()
    assert '<meta name="description" content="Does the published recipe reproduce?' in front
    # Numbers in it are those of the text.
    leak = (built_book[0] / "book/executed/09_leak.html").read_text()
    assert re.search(r'name="description" content="568 of 7,178 test images', leak)


def test_no_page_links_to_a_file_or_loads_thebe(built_book):
    for path in (built_book[0] / "book").rglob("*.html"):
        text = path.read_text()
        assert not re.search(r'(?:href|src)="file:', text), path.name
        assert "THEBE_JS_URL" not in text and "unpkg.com" not in text, path.name
        assert "fontawesome.js" not in text, path.name


def test_the_script_of_all_icons_is_left_out_and_a_minus_is_a_minus():
    page = '<head><script defer src="../_static/scripts/fontawesome.js?digest=5"></script></head>'
    assert site.without_icons(page) == "<head></head>"
    body = '<span class="pasted-text">-9.46</span>, <span class="pasted-text">x-1</span>, -2'
    assert site.with_minus(body) == body.replace("-9", "\u22129")


def test_each_script_is_used_once_and_none_of_thebe():
    assert site.used(["a.js", "b.js", "a.js", "sphinx-thebe.js"]) == ["a.js", "b.js"]
