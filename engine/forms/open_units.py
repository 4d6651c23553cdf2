"""The unit in which what is open can be taken without leaving a rest (domain rule: no dust).

Of ten cases one bag was delivered: 119 bags are open, and no number of cases with four decimals is 119 bags. Rounded
down they would leave 0.0008 of a bag open for ever. Such a line is proposed in the base unit, which says it exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.definitions.compiled import CompiledField
from engine.expressions.number_functions import UNITS
from engine.expressions.types import Row
from engine.fieldtypes.price import PriceOptions, unit_of
from engine.fieldtypes.quantity import QuantityOptions
from engine.forms.unit_prices import converted
from engine.values import rounded


def quantity_units(fields: Mapping[str, CompiledField]) -> dict[str, str]:
    """Quantities of a row that are told in a unit of the same row, with the field of that unit."""
    return {
        key: field.options.unit
        for key, field in fields.items()
        if isinstance(field.options, QuantityOptions) and field.options.unit in fields
    }


def without_rest(
    fields: Mapping[str, CompiledField], values: Mapping[str, object], line: Row, remaining: Decimal
) -> Mapping[str, object]:
    """``values`` of a proposed line, in the base unit where their own unit cannot tell ``remaining``.

    Left as they are: a quantity that is not meant as all that remains, one the base unit cannot tell either, and lines
    with a price that does not say which unit it is for.

    Args:
        values: as mapped, linked records as ids. line: the source line. remaining: base units.
    """
    mapped = {key: unit for key, unit in quantity_units(fields).items() if key in values}
    if len(mapped) != 1:
        return values
    ((key, unit),) = mapped.items()
    ratios = _ratios(line, values)
    ratio, quantity = ratios.get(values.get(unit)), values[key]
    decimals = QuantityOptions.of(fields[key].options).decimals
    if not ratio or not isinstance(quantity, Decimal) or rounded(remaining, decimals) != remaining:
        return values
    rest = remaining - quantity * ratio
    if not rest or rest.copy_abs() >= ratio.scaleb(-decimals):
        return values
    prices = [name for name in values if name in fields and isinstance(fields[name].options, PriceOptions)]
    if any(unit_of(fields[name].options) != unit for name in prices):
        return values
    exact = {name: converted(fields[name], values[name], ratio, Decimal(1)) for name in prices}  # type: ignore[arg-type]
    return {**values, **exact, unit: next(iter(ratios)), key: remaining}


def _ratios(line: Row, values: Mapping[str, object]) -> Mapping[Any, Decimal]:
    """Unit → ratio, the base unit first, of the one record of ``line`` that is counted in units and goes on with it."""
    taken = [one for one in values.values() if isinstance(one, int)]
    found = [
        one.values[UNITS]
        for one in line.values.values()
        if isinstance(one, Row) and UNITS in one.values and one.id in taken
    ]
    return found[0] if len(found) == 1 else {}  # type: ignore[return-value]
