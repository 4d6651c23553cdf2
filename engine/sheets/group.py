"""Documents out of flat rows: rows with the same document number become one document with lines.

A row without a number belongs to the document above it. What the rows of one document say about its head must agree;
where they do not, the first row counts and every other one is a problem. No row is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.problems import Problem, problem
from engine.sheets.cells import Cell, Row, cell_at, is_blank, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One document.

    Attributes:
        head: its own values. lines: row number and values per line, in the order of the sheet.
        problems: addressed ``row.field``.
    """

    first_row: int
    head: Mapping[str, Cell]
    lines: tuple[tuple[int, Mapping[str, Cell]], ...]
    problems: tuple[Problem, ...] = ()


class _Open:
    __slots__ = ("first_row", "head", "lines", "problems", "said")

    def __init__(self, first_row: int) -> None:
        self.first_row = first_row
        self.head: dict[str, Cell] = {}
        self.said: dict[str, int] = {}
        self.lines: list[tuple[int, Mapping[str, Cell]]] = []
        self.problems: list[Problem] = []

    def take(self, number: int, values: Mapping[str, Cell], head_fields: Sequence[str]) -> None:
        for name in head_fields:
            value = values.get(name)
            if is_blank(value):
                continue
            if name not in self.said:
                self.head[name], self.said[name] = value, number
            elif self.head[name] != value:
                self.problems.append(
                    problem(
                        "sheet.head_differs",
                        f"{number}.{name}",
                        row=number,
                        first=self.said[name],
                        value=text_of(value),
                        expected=text_of(self.head[name]),
                    )
                )
        line = {name: value for name, value in values.items() if name not in head_fields}
        if any(not is_blank(value) for value in line.values()):
            self.lines.append((number, line))

    def close(self) -> Group:
        return Group(first_row=self.first_row, head=self.head, lines=tuple(self.lines), problems=tuple(self.problems))


def group_documents(
    rows: Iterable[tuple[int, Mapping[str, Cell]]],
    head_fields: Sequence[str],
    by: Sequence[str] = (),
    *,
    contiguous: bool = False,
) -> Iterator[Group]:
    """Put rows together.

    Args:
        rows: row number and cleaned values by field.
        head_fields: the fields of the document itself; all others are line fields.
        by: the fields that name a document, usually its number. Without them rows whose whole head is equal and that
            follow each other are one document.
        contiguous: a document's rows stand together, so it is handed out as soon as the next one begins and memory
            stays small; otherwise rows are collected to the end and a number may come back later.
    """
    names = tuple(by) or tuple(head_fields)
    together = contiguous or not by
    open_groups: dict[tuple[str, ...], _Open] = {}
    last: tuple[str, ...] | None = None
    for number, values in rows:
        key = tuple(text_of(values.get(name)).strip() for name in names)
        if last is not None and not any(key):
            key = last
        if together and last is not None and key != last:
            yield open_groups.pop(last).close()
        if key not in open_groups:
            open_groups[key] = _Open(number)
        open_groups[key].take(number, values, head_fields)
        last = key
    for group in open_groups.values():
        yield group.close()


def head_columns(rows: Iterable[Row], key: int, columns: Sequence[int]) -> tuple[int, ...]:
    """Columns that belong to the document: within one document number they never change, slips in 1 of 50 aside.

    Args:
        rows: records. key: column of the document number. columns: the columns to judge.

    Returns:
        the key column and the constant ones; empty when no number occurs twice, because then nothing can be told.
    """
    seen: dict[str, Row] = {}
    repeated: set[str] = set()
    varying: dict[int, set[str]] = {index: set() for index in columns}
    for row in rows:
        number = text_of(cell_at(row, key)).strip()
        if not number:
            continue
        first = seen.setdefault(number, row)
        if first is row:
            continue
        repeated.add(number)
        for index in columns:
            if cell_at(first, index) != cell_at(row, index):
                varying[index].add(number)
    if not repeated:
        return ()
    return tuple(index for index in columns if index == key or len(varying[index]) * 50 <= len(repeated))
