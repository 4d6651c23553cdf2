"""The same key on several rows: exact repetitions are folded into one, contradictions are listed with the fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.problems import Problem, problem
from engine.sheets.cells import Cell, is_blank, text_of


@dataclass(frozen=True, slots=True)
class Repeated:
    """Row ``number`` says exactly what row ``first`` said; it need not be imported again."""

    number: int
    first: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """Row ``number`` has the key of row ``first`` but differs from it in ``fields``."""

    key: tuple[str, ...]
    first: int
    number: int
    fields: tuple[str, ...]

    def problem(self) -> Problem:
        """The sentence for it, addressed to the row."""
        return problem(
            "sheet.duplicate_key", str(self.number), key=" / ".join(self.key), first=self.first, row=self.number
        )


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Everything found, in the order of the sheet."""

    repeated: tuple[Repeated, ...]
    conflicts: tuple[Conflict, ...]


def find_duplicates(rows: Iterable[tuple[int, Mapping[str, Cell]]], key: Sequence[str]) -> Duplicates:
    """Compare rows by key.

    Args:
        rows: row number and cleaned values by field.
        key: the fields that identify a record; compared as text without case. Rows whose key is empty are left alone.
    """
    first: dict[tuple[str, ...], tuple[int, Mapping[str, Cell]]] = {}
    repeated: list[Repeated] = []
    conflicts: list[Conflict] = []
    for number, values in rows:
        if all(is_blank(values.get(name)) for name in key):
            continue
        shown = tuple(text_of(values.get(name)).strip() for name in key)
        earlier = first.setdefault(tuple(part.casefold() for part in shown), (number, values))
        if earlier[0] == number:
            continue
        differing = tuple(
            name
            for name in dict.fromkeys((*earlier[1], *values))
            if name not in key and earlier[1].get(name) != values.get(name)
        )
        if differing:
            conflicts.append(Conflict(shown, earlier[0], number, differing))
        else:
            repeated.append(Repeated(number, earlier[0]))
    return Duplicates(tuple(repeated), tuple(conflicts))
