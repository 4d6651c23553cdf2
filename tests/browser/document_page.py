"""What a test does on a document page, in a person's words."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


def ready(page: Page) -> Page:
    """Wait until the page's scripts have taken over."""
    page.wait_for_selector("#document[data-ready=yes]")
    return page


def cell(page: Page, row: int, key: str, table: str = "lines") -> Locator:
    """The cell of a line, counted from 1."""
    return page.locator(f"[data-table={table}] tbody tr:nth-child({row}) td[data-col={key}]")


def text(page: Page, row: int, key: str) -> Locator:
    """What a cell shows."""
    return cell(page, row, key).locator(".cell-text")


def current(page: Page) -> tuple[int, str]:
    """Line and column of the current cell."""
    return tuple(  # type: ignore[return-value]
        page.evaluate(
            "() => { const td = document.activeElement.closest('td');"
            " return [td.parentElement.sectionRowIndex + 1, td.dataset.col]; }"
        )
    )


def paste(page: Page, block: str) -> None:
    """Paste text from elsewhere into what has the focus."""
    page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            document.activeElement.dispatchEvent(
                new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        block,
    )


def copied(page: Page) -> str:
    """What copying puts on the clipboard."""
    return str(
        page.evaluate(
            """() => {
            const data = new DataTransfer();
            document.activeElement.dispatchEvent(
                new ClipboardEvent("copy", { clipboardData: data, bubbles: true, cancelable: true }));
            return data.getData("text/plain");
        }"""
        )
    )


def press(page: Page, *keys: str) -> None:
    """Press keys one after another."""
    for key in keys:
        page.keyboard.press(key)


def choose(page: Page, typed: str, key: str = "Enter") -> None:
    """Type into a look-up and take what it finds first."""
    page.keyboard.type(typed)
    expect(page.locator("#doc-lookup .lookup-hit").first).to_be_visible()
    page.keyboard.press(key)


def status(page: Page, wanted: str) -> None:
    """Wait for the state of the document."""
    expect(page.locator(f"[data-status={wanted}]")).to_be_visible()
