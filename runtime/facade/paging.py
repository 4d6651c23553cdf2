"""What is shown page by page: every row of it, for files, with one page in memory; or a part of what is at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

PAGE = 500
MOST_ROWS = 50_000

RowT = TypeVar("RowT")
RowT_co = TypeVar("RowT_co", covariant=True)
CursorT_co = TypeVar("CursorT_co", covariant=True)


class Page(Protocol[RowT_co, CursorT_co]):
    """Some rows, and where the next page begins; None after the last."""

    @property
    def rows(self) -> Sequence[RowT_co]: ...

    @property
    def next(self) -> CursorT_co | None: ...


def every_row(
    first: Page[RowT_co, CursorT_co], following: Callable[[CursorT_co], Page[RowT_co, CursorT_co]]
) -> Iterator[RowT_co]:
    """The rows of ``first`` and of all pages after it; ``following`` fetches the page at a cursor."""
    view = first
    while True:
        yield from view.rows
        if view.next is None:
            return
        view = following(view.next)


def part_of(rows: Sequence[RowT], after: int, limit: int | None) -> tuple[tuple[RowT, ...], int | None]:
    """``limit`` rows behind the first ``after``, all of them where it is None; and where the next page begins."""
    end = len(rows) if limit is None else after + limit
    return tuple(rows[after:end]), end if end < len(rows) else None
