"""Where the table of a sheet begins: title and instruction rows are skipped, the heading row (or two) is found.

A row is judged by what its cells are (short texts, all different), by the dictionary of headings, and by what stands
below it (numbers and dates under words). Invariant: the answer names rows and columns of the sheet as it is; nothing is
moved or changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engine.sheets.aliases import contained, meanings
from engine.sheets.cells import Cell, Merged, Row, Sheet, cell_at, column_letter, is_blank, text_of
from engine.sheets.figures import day, looks_like_number
from engine.sheets.headers import heading, key_of

SCAN_ROWS = 30
_LOOK_BELOW = 12
_LONGEST_LABEL = 40


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: its index in the sheet (from 0) and its heading as written, two rows joined."""

    index: int
    header: str

    @property
    def letter(self) -> str:
        """Its spreadsheet name, ``A`` …"""
        return column_letter(self.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderMatch:
    """The heading that was found.

    Attributes:
        header_rows: one or two row numbers from 1. first_data_row: first filled row below, else the next row.
        confidence: 0–100, for telling sheets apart and for asking when it is low.
        columns: the headed columns from left to right. row_keys: comparing keys of each heading row by column, to
            recognise the heading when it is repeated on every printed page.
    """

    header_rows: tuple[int, ...]
    first_data_row: int
    confidence: int
    columns: tuple[Column, ...]
    row_keys: tuple[tuple[str, ...], ...]


class _Labels(NamedTuple):
    rows: tuple[int, ...]
    texts: dict[int, str]


def find_header(sheet: Sheet, known: Sequence[str] = ()) -> HeaderMatch | None:
    """The best heading within the first 30 rows, or ``None`` when nothing looks like a table.

    Args:
        sheet: its first rows; 50 are plenty.
        known: labels of the form that is imported into; a heading equal to one of them counts double.
    """
    labels = frozenset(key_of(name) for name in known)
    width = max((_filled(row) for row in sheet.rows), default=0)
    best: tuple[int, int, _Labels] | None = None
    for at in range(min(SCAN_ROWS, len(sheet.rows))):
        for candidate in _candidates(sheet, at):
            score = _score(sheet.rows, candidate, width, labels)
            if score is not None and (best is None or score > best[0]):
                best = (score, at, candidate)
    if best is None:
        return None
    score, _, chosen = best
    return _match(sheet.rows, chosen, max(1, min(100, score)))


def choose_sheet(sheets: Sequence[Sheet], known: Sequence[str] = ()) -> tuple[int, HeaderMatch] | None:
    """Index of the sheet with the best table and its heading; hidden sheets only when no visible one has a table."""
    found = [(i, m) for i, m in ((i, find_header(s, known)) for i, s in enumerate(sheets)) if m is not None]
    if not found:
        return None
    return max(found, key=lambda pair: (not sheets[pair[0]].hidden, pair[1].confidence, len(pair[1].columns), -pair[0]))


def is_label(cell: Cell) -> bool:
    """Could be a heading: short text that is no number, no day, no sentence and no ``name: value`` pair."""
    if not isinstance(cell, str):
        return False
    text = heading(cell).text
    if not text or len(text) > _LONGEST_LABEL or "{{" in text or "。" in text or text.endswith((":", "：")):
        return False
    return not looks_like_number(text) and day(text) is None


def _filled(row: Row) -> int:
    return sum(not is_blank(cell) for cell in row)


def _candidates(sheet: Sheet, at: int) -> list[_Labels]:
    row = sheet.rows[at]
    single = {i: text_of(cell) for i, cell in enumerate(row) if not is_blank(cell)}
    found = [_Labels((at + 1,), single)] if single else []
    joined = _two_rows(sheet, at)
    return [*found, _Labels((at + 1, at + 2), joined)] if joined else found


def _two_rows(sheet: Sheet, at: int) -> dict[int, str] | None:
    """Headings of two rows joined (期初 over 数量 → 期初数量), or ``None`` when the pair is no double heading."""
    if at + 1 >= len(sheet.rows):
        return None
    top, low = sheet.rows[at], sheet.rows[at + 1]
    low_filled = [i for i, cell in enumerate(low) if not is_blank(cell)]
    if _filled(top) < 2 or len(low_filled) < 2 or not all(is_label(low[i]) for i in low_filled):
        return None
    if any(not is_blank(cell) and not is_label(cell) for cell in top):
        return None
    across, down = _spans(sheet.merged, at + 1)
    result: dict[int, str] = {}
    grouped = 0
    carried = ""
    for i in range(max(len(top), len(low))):
        over, under = cell_at(top, i), cell_at(low, i)
        if not is_blank(over):
            carried = text_of(over)
        elif is_blank(under):
            carried = ""
        if is_blank(under):
            if not is_blank(over):
                result[i] = text_of(over)
            continue
        if i in down:
            return None
        if is_blank(over) and (not across or i in across):
            grouped += bool(carried)
            result[i] = carried + text_of(under)
        elif is_blank(over):
            result[i] = text_of(under)
        else:
            result[i] = text_of(over) + text_of(under)
    if not grouped or len({key_of(t) for t in result.values()}) < len(result):
        return None
    keys = [key_of(text_of(low[i])) for i in low_filled]
    certain = across or len(set(keys)) < len(keys) or sum(bool(meanings(k)) for k in keys) >= 2
    return result if certain and (across or any(is_blank(cell_at(low, i)) for i in result)) else None


def _spans(merged: Sequence[Merged], row: int) -> tuple[frozenset[int], frozenset[int]]:
    """Columns covered by blocks that begin in ``row`` and go to the right; columns of those that go down."""
    here = [m for m in merged if m.first_row == row]
    wide = [m for m in here if m.last_row == row and 0 < m.last_column - m.first_column < 200]
    tall = [m for m in here if m.last_row > row and m.last_column - m.first_column < 200]
    return (
        frozenset(i for m in wide for i in range(m.first_column, m.last_column + 1)),
        frozenset(i for m in tall for i in range(m.first_column, m.last_column + 1)),
    )


def _score(rows: Sequence[Row], candidate: _Labels, width: int, labels: frozenset[str]) -> int | None:
    """How much this looks like a heading; ``None`` when it cannot be one."""
    texts = candidate.texts
    if len(texts) < 2 and width > 1:
        return None
    original = [cell_at(rows[n - 1], i) for n in candidate.rows for i in texts]
    proper = [is_label(cell) for cell in original if not is_blank(cell)]
    if sum(proper) * 5 < len(proper) * 4:
        return None
    keys = [key_of(text) for text in texts.values()]
    if len(set(keys)) * 5 < len(keys) * 4:
        return None
    exact = sum(bool(meanings(key)) for key in keys)
    partly = sum(not meanings(key) and bool(contained(key)[1]) for key in keys)
    own = sum(key in labels for key in keys)
    below = [row for row in rows[candidate.rows[-1] : candidate.rows[-1] + _LOOK_BELOW] if _filled(row)]
    contrast = sum(_numeric_below(below, i) for i in texts)
    inside = sum(not is_blank(cell_at(row, i)) for row in below for i in texts)
    alignment = inside * 20 // max(1, sum(_filled(row) for row in below)) if below else 10
    fill = min(30, len(texts) * 30 // max(1, width))
    if not (exact + own or contrast or fill >= 24):
        return None
    rank = min(30, 6 * exact + 3 * partly) + min(20, 10 * own) + min(15, 5 * contrast)
    return rank + fill + alignment - candidate.rows[0] // 3


def _numeric_below(below: Sequence[Row], index: int) -> bool:
    cells = [cell for cell in (cell_at(row, index) for row in below) if not is_blank(cell)]
    return bool(cells) and sum(not is_label(cell) for cell in cells) * 5 >= len(cells) * 3


def _match(rows: Sequence[Row], chosen: _Labels, confidence: int) -> HeaderMatch:
    after = chosen.rows[-1]
    first = next((n for n in range(after + 1, len(rows) + 1) if _filled(rows[n - 1])), after + 1)
    width = max(chosen.texts) + 1
    return HeaderMatch(
        header_rows=chosen.rows,
        first_data_row=first,
        confidence=confidence,
        columns=tuple(Column(i, chosen.texts[i]) for i in sorted(chosen.texts)),
        row_keys=tuple(tuple(key_of(text_of(cell_at(rows[n - 1], i))) for i in range(width)) for n in chosen.rows),
    )
