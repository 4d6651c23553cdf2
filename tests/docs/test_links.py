"""Every relative link and picture in the project's pages leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted(
    page
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/*/README.md"), *ROOT.glob("*/README.md"))
    if ".venv" not in page.parts
)
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    targets = [target for target in LINK.findall(page.read_text("utf-8")) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_page_is_reached_from_the_readme() -> None:
    """What nobody links to, nobody finds. Plugins are found by their folder."""
    found, following = set[Path](), [ROOT / "README.md"]
    while following:
        page = following.pop()
        if page.suffix == ".md" and page not in found and page.exists():
            found.add(page)
            following += [(page.parent / target).resolve() for target in LINK.findall(page.read_text("utf-8"))]
    assert [str(page.relative_to(ROOT)) for page in ROOT.glob("docs/*.md") if page not in found] == []


def test_pages_were_found() -> None:
    assert len(PAGES) > 10
