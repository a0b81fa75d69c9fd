"""Every link within the repository leads somewhere, to the anchor as well."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "benchmarks" / "README.md",
    ROOT / "tests" / "fuzz" / "README.md",
]
HOME = "https://github.com/tap-marketo-bulk/tap-marketo-bulk"
AT_HOME = re.compile(
    rf"(?:{HOME}/(?:blob|tree)|https://raw\.githubusercontent\.com/tap-marketo-bulk/tap-marketo-bulk)"
    r"/main/(?P<path>.*)"
)
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")
CODE = re.compile(r"^( *)```.*?^\1```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def links(text: str) -> list[str]:
    """Return where a page leads, what stands in code left out."""
    return [first or second for first, second in LINK.findall(CODE.sub("", text))]


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    found: set[str] = set()
    prose = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for title in re.findall(r"^#+ (.+)$", prose, re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).strip().replace(" ", "-")
        repeated = (f"{anchor}-{number}" for number in itertools.count(1))
        found.add(
            next(name for name in (anchor, *itertools.islice(repeated, 99)) if name not in found)
        )
    return found


def missing(page: Path, link: str) -> bool:
    """Whether a link leads to nothing in this repository; others are not followed."""
    at_home = AT_HOME.fullmatch(link)
    if link.startswith(("http://", "https://", "mailto:")) and not at_home:
        return False
    target = at_home["path"] if at_home else link
    path, _, anchor = target.partition("#")
    base = ROOT if at_home else page.parent
    file = base / unquote(path) if path else page
    if not file.exists():
        return True
    return bool(anchor) and anchor not in anchors(file)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """Files, pictures and headings of this repository, by relative and by absolute links."""
    assert [link for link in links(page.read_text("utf-8")) if missing(page, link)] == []


def test_the_readme_reads_well_on_a_package_index() -> None:
    """There no link can be relative, but for those within the page."""
    found = links((ROOT / "README.md").read_text("utf-8"))
    assert [link for link in found if not link.startswith(("https://", "#"))] == []
    assert len(found) > 20


def test_addresses_of_the_project_lead_somewhere() -> None:
    """What a package index shows beside the README."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    section = text.partition("[project.urls]")[2].partition("\n[")[0]
    urls = dict(re.findall(r"^(\w+) = \"(.+)\"$", section, re.MULTILINE))
    assert {"Changelog", "Documentation", "Issues", "Repository"} <= set(urls)
    assert urls["Repository"] == HOME
    assert all(url.startswith(HOME) for url in urls.values())
    assert [url for url in urls.values() if missing(ROOT / "README.md", url)] == []


def test_every_page_can_be_found() -> None:
    """Each page of docs/ is linked from the README or from another page."""
    linked = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in PAGES
        for link in links(page.read_text("utf-8"))
        if not link.startswith("https://")
    }
    paths = [AT_HOME.fullmatch(link) for link in links((ROOT / "README.md").read_text("utf-8"))]
    linked |= {(ROOT / found["path"]).resolve() for found in paths if found}
    pages = {page.resolve() for page in (ROOT / "docs").glob("*.md")}
    assert {page.name for page in pages - linked} == set()


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("docs/settings.md", False),
        ("docs/nowhere.md", True),
        ("#limits", False),
        ("#nowhere", True),
        (f"{HOME}/blob/main/docs/settings.md", False),
        (f"{HOME}/blob/main/docs/nowhere.md", True),
        ("docs/operating.md#alerts", False),
        ("https://example.com/nowhere", False),
    ],
)
def test_links_that_lead_nowhere_are_found(link: str, expected: bool) -> None:  # noqa: FBT001
    """The check can fail."""
    assert missing(ROOT / "README.md", link) is expected
