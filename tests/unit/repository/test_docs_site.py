"""Documentation site: complete navigation, rendering of pages, and rejection of broken links."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

from scripts.docs_site import (
    DocsError,
    build_site,
    check_navigation,
    list_pages,
    read_configuration,
    rewrite_links,
    walk_navigation,
)
from tests.unit.harness import REPOSITORY

URL = "https://github.com/YOUR-ORGANISATION/eks-rocketmq"
# `make oldest` runs these tests without the tools of the documentation.
GENERATOR = pytest.mark.skipif(importlib.util.find_spec("zensical") is None, reason="zensical is not installed")
GUIDES = sorted((REPOSITORY / "docs" / "how-to").glob("*.md"))
SECTIONS = [
    *("When to do it", "Before you start", "Steps", "What you see"),
    *("How long it takes", "How to undo it", "What can go wrong"),
]
CONFIG = """
[project]
site_name = "site"
repo_url = "{url}"
docs_dir = "build/docs"
site_dir = "build/site"
nav = [{nav}]
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Repository with two pages, in which all links are valid."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text(
        "# Home\n\n[first](docs/first.md#details), [program](program.py), [docs](docs)\n"
    )
    (tmp_path / "docs" / "first.md").write_text("# First\n\n## Details\n\n[home](../README.md)\n")
    (tmp_path / "program.py").write_text("")
    configure(tmp_path, "README.md", "docs/first.md")
    return tmp_path


def configure(repository: Path, *entries: str) -> None:
    nav = ", ".join(json.dumps(entry) for entry in entries)
    (repository / "zensical.toml").write_text(CONFIG.format(url=URL, nav=nav))


def links(text: str) -> list[str]:
    return re.findall(r"\]\(([^)#\s]+)", text)


def test_the_navigation_contains_every_page_and_only_pages() -> None:
    check_navigation(REPOSITORY)


def test_the_index_pages_list_every_page() -> None:
    for index, folder in (("docs/README.md", "docs"), ("docs/adr/README.md", "docs/adr")):
        path = REPOSITORY / index
        named = {(path.parent / link).resolve() for link in links(path.read_text())}
        expected = {page for page in (REPOSITORY / folder).glob("**/*.md") if page != path}
        if folder == "docs":
            expected = {page for page in expected if page.parent.name != "adr" or page.name == "README.md"}
        assert expected - named == set()


@pytest.mark.parametrize("page", list(walk_navigation(read_configuration(REPOSITORY)["nav"])))
def test_links_of_a_page_point_to_existing_files(page: str) -> None:
    rewrite_links((REPOSITORY / page).read_text(), page, REPOSITORY, URL)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_a_guide_has_the_required_sections(guide: Path) -> None:
    assert re.findall(r"^## (.+)$", guide.read_text(), re.MULTILINE) == SECTIONS


@pytest.mark.parametrize("page", list_pages(REPOSITORY))
def test_lists_and_blocks_render_on_the_site_and_on_the_code_host(page: str) -> None:
    """The generator requires a blank line before a list, and four spaces before a block in a list item."""
    before, fenced = "", False
    for number, line in enumerate((REPOSITORY / page).read_text().splitlines(), 1):
        if fence := re.match(r"( *)```", line):
            assert fenced or len(fence[1]) % 4 == 0, f"{page}:{number}: indent the block by four spaces"
            fenced = not fenced
        elif not fenced and re.match(r"(?:[-*]|\d+\.) ", line):
            continues = re.match(r"(?:[-*]|\d+\.) |#| ", before)
            assert not before or continues, f"{page}:{number}: put a blank line before the list"
        before = line


def test_links_to_other_files_point_to_the_repository(repository: Path) -> None:
    text = rewrite_links((repository / "README.md").read_text(), "README.md", repository, URL)
    assert f"[program]({URL}/blob/main/program.py)" in text
    assert f"[docs]({URL}/tree/main/docs)" in text
    assert "[first](docs/first.md#details)" in text


def test_repository_urls_of_pages_become_links_within_the_site(repository: Path) -> None:
    text = f"[first]({URL}/blob/main/docs/first.md#details) [other](https://example.com/docs/first.md)"
    assert rewrite_links(text, "docs/second.md", repository, URL) == (
        "[first](first.md#details) [other](https://example.com/docs/first.md)"
    )


def test_links_in_code_blocks_are_unchanged(repository: Path) -> None:
    text = "```\n[x](nowhere.md)\n```\n"
    assert rewrite_links(text, "README.md", repository, URL) == text


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (["README.md"], "docs/first.md: it is not in `nav`. Add it there."),
        (["README.md", "docs/first.md", "docs/second.md"], "docs/second.md: `nav` names it, and it does not exist."),
        (["README.md", "docs/first.md", "README.md"], "README.md: `nav` names it twice."),
    ],
    ids=["page not listed", "page missing", "page listed twice"],
)
def test_an_invalid_navigation_is_rejected(repository: Path, entries: list[str], message: str) -> None:
    configure(repository, *entries)
    with pytest.raises(DocsError, match=re.escape(message)):
        build_site(repository)


def test_a_link_to_a_missing_file_is_rejected(repository: Path) -> None:
    (repository / "docs" / "first.md").write_text("# First\n\n[gone](gone.md)\n")
    with pytest.raises(DocsError, match=r"docs/first\.md: the link 'gone\.md' leads to no file"):
        build_site(repository)


@GENERATOR
def test_a_link_to_a_missing_heading_is_rejected(repository: Path) -> None:
    (repository / "docs" / "first.md").write_text("# First\n\n## Renamed\n")
    with pytest.raises(DocsError, match=r"anchor does not exist"):
        build_site(repository)


@GENERATOR
def test_the_site_of_this_repository_builds() -> None:
    site = build_site(REPOSITORY)
    for page in map(Path, list_pages(REPOSITORY)):
        folder = page.parent if page.name == "README.md" else page.with_suffix("")
        assert (site / folder / "index.html").is_file()
    assert "Grow a volume" in (site / "search.json").read_text()
    assert 'class="mermaid"' in (site / "docs/concepts/durability-and-failover/index.html").read_text()
