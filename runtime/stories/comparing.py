"""When a figure in a story equals a figure of the product: decimals as numbers, links by what people call them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from engine.definitions.compiled import CompiledField
from runtime.facade.cells import target_of
from runtime.facade.views import CellView
from runtime.stages.resolve import ids_of
from runtime.stages.steps import Unit

NOTHING = (None, "", "null", "~")


def same(expected: object, got: object) -> bool:
    """Whether what is written means what was found: ``600`` is ``600.00``, ``true`` is True, an empty text nothing."""
    if got is None or got in ("", [], ()):
        return expected in NOTHING or expected in ([], ())
    if isinstance(got, bool):
        return str(expected).lower() == str(got).lower()
    if isinstance(got, list | tuple):
        wanted = list(expected) if isinstance(expected, list | tuple) else [expected]
        return len(wanted) == len(got) and all(same(one, other) for one, other in zip(wanted, got, strict=True))
    wanted_number, number = as_number(expected), as_number(got)
    if wanted_number is not None and number is not None:
        return wanted_number == number
    return str(expected) == str(got)


def same_cell(unit: Unit, field: CompiledField | None, expected: object, cell: CellView) -> bool:
    """As `same` for a cell of a document; a link also equals its natural key, its name or its number."""
    if same(expected, cell.value) or (cell.text and str(expected) == cell.text):
        return True
    target = target_of(field) if field is not None else ""
    if not target or not isinstance(cell.value, int) or not isinstance(expected, str):
        return False
    return ids_of(unit, target, {expected}).get(expected) == cell.value


def as_number(value: object) -> Decimal | None:
    """The number a text or figure is, or None."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def as_text(value: object) -> str:
    """A figure in a failure line: decimals without trailing zeros, nothing as a dash."""
    if value is None or value == "":
        return "-"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, list | tuple):
        return listed(as_text(each) for each in value)
    return str(value)


def listed(texts: Iterable[str]) -> str:
    """Several texts in one line."""
    return ", ".join(texts) or "-"
