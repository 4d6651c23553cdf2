"""Which rows of a sheet are records, and which are decoration: blanks, repeated headings, totals, signatures, notes.

Streaming: every row below the heading comes out once, in order, either as a record or as dropped with the reason, so
that nothing vanishes unseen. Vertically merged texts are filled down; an amount merged over several lines is not,
because it would be counted twice. Values are not cleaned here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from engine.problems import Problem, Severity
from engine.sheets.aliases import contained, meanings
from engine.sheets.cells import Cell, Merged, NumberedRow, Row, cell_at, is_blank, text_of
from engine.sheets.figures import figure, looks_like_number
from engine.sheets.headers import key_of, plain
from engine.sheets.recognise import HeaderMatch


class Reason(StrEnum):
    """Why a row is no record."""

    BLANK = "blank"
    HEADER = "repeated_header"
    SUBTOTAL = "subtotal"
    TOTAL = "total"
    IN_WORDS = "amount_in_words"
    SIGNATURE = "signature"
    NOTE = "note"
    AFTER_TABLE = "after_table"


@dataclass(frozen=True, slots=True)
class Record:
    """A row to import. ``number`` counts from 1 in the sheet; ``cells`` are the sheet's columns, merged ones filled."""

    number: int
    cells: Row


@dataclass(frozen=True, slots=True)
class Dropped:
    """A row that is not imported, and why."""

    number: int
    reason: Reason
    cells: Row


SortedRow: TypeAlias = Record | Dropped

_SUBTOTAL = re.compile(r"^(本页)?小计$|^本页合计$|^页计$|^累计$|^本(页|日|月)累计$|^subtotal$|^平均(值|价)?$|^average$")
_TOTAL = re.compile(r"^(总|共)?合计$|^总计$|^共计$|^合计(金额|数量)?$|^(grand)?total$|^sum$|^totals$")
_TOTAL_TAIL = re.compile(r"(小计|合计|总计|subtotal|total)$")
_IN_WORDS = re.compile(r"大写|^[零〇壹贰叁肆伍陆柒捌玖拾佰仟万亿元圆角分整正]{4,}$")
_SIGNATURE = re.compile(
    r"^(制单|制表|填表|审核|复核|审批|批准|经手|经办|保管|仓管|库管|签字|签名|签收|打印|主管|会计|出纳|领料|领用|送货|收货|"
    r"验收|盘点|监盘|记账|采购|业务|部门负责|单位负责)(人|员|时间|日期|主管|签字|签名|经理)*\s*:"
    r"|^(prepared|approved|checked|received|issued|printed)( by| on)?\s*:",
    re.IGNORECASE,
)
_NOTE = re.compile(r"^(注|备注|说明|注意|提示|温馨提示|填表说明|note|notes|remark)\s*(\d|:|、)", re.IGNORECASE)
_COUNTED_ONCE = frozenset({"qty", "amount", "total", "tax_amount", "opening_qty", "book_qty", "count_qty", "diff_qty"})
_SUSPECT = re.compile(r"[计壹贰叁肆伍陆柒捌玖:：]|大写|平均|total|sum|average", re.IGNORECASE)
_HOPELESS = 20
_ALMOST = Decimal("0.0000001")


def sort_rows(
    rows: Iterable[NumberedRow], match: HeaderMatch, merged: Sequence[Merged] = (), sums: RunningSums | None = None
) -> Iterator[SortedRow]:
    """Tell records from decoration.

    Args:
        rows: the rows below the heading, in order. Rows at or above it are passed over.
        match: the heading. merged: the merged blocks of the sheet.
        sums: of the heading's columns, for a caller who wants to know them; every record is added.
    """
    indexes = tuple(column.index for column in match.columns)
    fill = _FillDown(match, merged)
    sums = RunningSums(indexes) if sums is None else sums
    headings = _Headings(match)
    typical: Counter[int] = Counter()
    records = 0
    ended = apart = False
    for number, raw in rows:
        if number <= match.header_rows[-1]:
            continue
        width = len(raw)
        # What `is_blank` says, without a call for every cell of the sheet.
        filled = [
            i
            for i in indexes
            if i < width and (cell := raw[i]) is not None and not (isinstance(cell, str) and not cell.strip())
        ]
        if not filled:
            apart = True
            yield Dropped(number, Reason.NOTE if any(not is_blank(c) for c in raw) else Reason.BLANK, raw)
            continue
        reason = _decoration(raw, filled, match, headings, merged_across=fill.across(number))
        if reason is None and records >= 2 and _unlabelled_total(raw, filled, sums, apart=apart):
            reason = Reason.TOTAL
        if reason is None and ended:
            usual = typical.most_common(1)[0][0] if typical else len(indexes)
            if len(filled) * 2 < usual or len(filled) < 2 <= usual:
                reason = Reason.AFTER_TABLE
        if reason is not None:
            ended = ended or reason in (Reason.TOTAL, Reason.SIGNATURE)
            ended = ended and reason is not Reason.HEADER
            yield Dropped(number, reason, raw)
            continue
        ended = apart = False
        cells = fill.apply(number, raw)
        records += 1
        typical[len(filled)] += 1
        sums.add(cells)
        yield Record(number, cells)


def _decoration(
    row: Row, filled: Sequence[int], match: HeaderMatch, headings: _Headings, *, merged_across: bool
) -> Reason | None:
    if headings.repeated(row, filled):
        return Reason.HEADER
    strings = [cell for i in filled if isinstance(cell := row[i], str)]
    if len(filled) > 1 and not _SUSPECT.search("\n".join(strings)):
        return None
    texts = [plain(cell) for cell in strings]
    bare = [text.rstrip(":").replace(" ", "").lower() for text in texts]
    if any(_SUBTOTAL.match(text) for text in bare):
        return Reason.SUBTOTAL
    if any(_TOTAL.match(text) for text in bare):
        return Reason.TOTAL
    words = [text for text in bare if not looks_like_number(text)]
    if any(_TOTAL_TAIL.search(text) and len(text) <= 14 for text in words) and len(words) <= 2 < len(match.columns):
        return Reason.SUBTOTAL
    if len(words) <= 2 and any(_IN_WORDS.search(text) for text in bare):
        return Reason.IN_WORDS
    signed = sum(bool(_SIGNATURE.match(text)) for text in texts)
    if signed and (len(filled) * 2 <= len(match.columns) + 1 or signed * 2 >= len(filled)):
        return Reason.SIGNATURE
    if len(filled) == 1 < len(match.columns) and texts and (_NOTE.match(texts[0]) or merged_across):
        return Reason.NOTE
    return None


class _Headings:
    """The heading rows, known again where a sheet repeats them."""

    __slots__ = ("_any_ascii", "_match")

    def __init__(self, match: HeaderMatch) -> None:
        self._match = match
        self._any_ascii = any(key.isascii() for keys in match.row_keys for key in keys)

    def repeated(self, row: Row, filled: Sequence[int]) -> bool:
        """The row says what a heading row says, or nearly."""
        if len(filled) < 2 and len(self._match.columns) > 1:
            return False
        text = text_of(row[filled[0]])[:60]
        if text.isascii() and not self._any_ascii:  # the key of a code or a number is ASCII too; making it is dear
            return False
        first = key_of(text)
        for keys in self._match.row_keys:
            if first not in keys:
                continue
            same = sum(key_of(text_of(row[i])) == keys[i] != "" for i in filled if i < len(keys))
            if same * 5 >= len(filled) * 4 and same * 2 > sum(key != "" for key in keys):
                return True
        return False


def _unlabelled_total(row: Row, filled: Sequence[int], sums: RunningSums, *, apart: bool) -> bool:
    """Nothing but numbers, the first column empty: each the sum of its column so far, or set ``apart`` by a blank."""
    if filled[0] == sums.first:
        return False
    something = False
    for index in filled:
        number = figure(row[index])
        if number is None or not (apart or close(number, sums.of(index))):
            return False
        something = something or bool(number)
    return something


def close(one: Decimal, other: Decimal) -> bool:
    """Equal but for the digits a spreadsheet's own arithmetic gets wrong (1 in 10 million)."""
    return abs(one - other) <= max(abs(one), abs(other)) * _ALMOST


class RunningSums:
    """Sums per column while rows stream past. Texts that are no numbers count nothing, and a column that begins with
    many of them is not looked at any more."""

    __slots__ = ("_misses", "_sums", "first")

    def __init__(self, indexes: Iterable[int]) -> None:
        self._sums: dict[int, Decimal] = dict.fromkeys(indexes, Decimal(0))
        self.first = min(self._sums, default=0)
        self._misses: dict[int, int] = dict.fromkeys(self._sums, 0)

    def add(self, row: Row) -> None:
        """Count one row."""
        width = len(row)
        for index in tuple(self._misses):
            if index >= width or (cell := row[index]) is None:
                continue
            number = figure(cell)
            if number is not None:
                self._sums[index] += number
            elif not self._sums[index]:
                self._misses[index] += 1
                if self._misses[index] > _HOPELESS:
                    del self._misses[index]

    def of(self, index: int) -> Decimal:
        """The sum of a column so far."""
        return self._sums[index]


def totals_row(dropped: Iterable[Dropped], match: HeaderMatch) -> Mapping[int, Decimal]:
    """What the sheet itself says its columns add up to: column index → figure of the last grand total row.

    Empty when the sheet has none, or only subtotals.
    """
    last = [row for row in dropped if row.reason is Reason.TOTAL][-1:]
    found: dict[int, Decimal] = {}
    for row in last:
        for column in match.columns:
            number = figure(cell_at(row.cells, column.index))
            if number is not None:
                found[column.index] = number
    return MappingProxyType(found)


def compare_totals(totals: Mapping[int, Decimal], sums: RunningSums, match: HeaderMatch) -> tuple[Problem, ...]:
    """A warning for each column whose rows do not add up to the sheet's own total."""
    return tuple(
        Problem(
            code="sheet.total_differs",
            where=column.letter,
            params=MappingProxyType(
                {"column": column.header, "sheet": totals[column.index], "sum": sums.of(column.index)}
            ),
            severity=Severity.WARNING,
        )
        for column in match.columns
        if column.index in totals and not close(totals[column.index], sums.of(column.index))
    )


class _FillDown:
    """Values of merged blocks that go on below their first row."""

    __slots__ = ("_active", "_anchors", "_columns", "_wide")

    def __init__(self, match: HeaderMatch, merged: Sequence[Merged]) -> None:
        self._columns = {c.index: _adds_up(c.header) for c in match.columns}
        below = [m for m in merged if m.first_row > match.header_rows[-1]]
        self._wide = frozenset(m.first_row for m in below if m.last_column - m.first_column >= 2)
        self._anchors: dict[int, list[tuple[int, int]]] = {}
        for m in below:
            if m.last_row > m.first_row:
                for index in range(m.first_column, min(m.last_column, m.first_column + 200) + 1):
                    if index in self._columns:
                        self._anchors.setdefault(m.first_row, []).append((index, m.last_row))
        self._active: dict[int, tuple[int, Cell]] = {}

    def across(self, number: int) -> bool:
        """Some block of three or more columns begins in the row."""
        return number in self._wide

    def apply(self, number: int, row: Row) -> Row:
        """The row with the values of blocks that began above; remembers the blocks that begin here."""
        for index, last in self._anchors.pop(number, ()):
            value = cell_at(row, index)
            if not is_blank(value) and not (self._columns[index] and figure(value) is not None):
                self._active[index] = (last, value)
        if not self._active:
            return row
        cells = list(row)
        for index, (last, value) in tuple(self._active.items()):
            if number > last:
                del self._active[index]
            elif is_blank(cell_at(row, index)):
                cells.extend([None] * (index + 1 - len(cells)))
                cells[index] = value
        return tuple(cells)


def _adds_up(header: str) -> bool:
    key = key_of(header)
    return bool(_COUNTED_ONCE.intersection(meanings(key) or contained(key)[1]))
