"""Prices for a unit: what is stated for one unit of goods, told for another (domain rule D2, price per unit).

A price somebody wrote is never touched. Converted are prices copied from a record, where they are for the base unit, or
from a source line, where they are for its unit; and stored ones when another unit is chosen for their line.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from engine.definitions.compiled import CompiledField
from engine.document import Value
from engine.expressions.number_functions import UNITS
from engine.expressions.types import Row
from engine.fieldtypes.price import PriceOptions
from engine.values import divided, rounded


def converted(field: CompiledField, price: Value, have: Decimal | None, want: Decimal | None) -> Value:
    """``price`` of a unit of ``have`` base units, for one of ``want``; unchanged when either is not known."""
    if not isinstance(price, Decimal) or not have or not want or have == want:
        return price
    return rounded(divided(price * want, have), PriceOptions.of(field.options).decimals)


def priced_by_unit(
    link: CompiledField,
    prices: Mapping[str, str],
    fields: Mapping[str, CompiledField],
    values: dict[str, Value],
    before: Mapping[str, Value] | None,
    record: Row,
    copied: Collection[str],
    given: Collection[str],
) -> None:
    """Convert the prices ``link`` fills in one row to the unit of the row, in place.

    Args:
        prices: those among what it fills, and the fields that hold the unit each is for.
        before: the row as stored; None for a new one. record: what the link leads to, with the ratios of its units.
        copied: fields that were just filled from it. given: fields somebody wrote.
    """
    ratios: Mapping[Any, Decimal] = record.values.get(UNITS, {})  # type: ignore[assignment]
    for key, unit in prices.items():
        field = fields[key]
        if key in copied:
            values[key] = converted(field, values[key], Decimal(1), ratios.get(values.get(unit)))
        elif before is not None and before.get(link.key) == values.get(link.key) and key not in given:
            have, want = ratios.get(before.get(unit)), ratios.get(values.get(unit))
            values[key] = converted(field, before.get(key), have, want)
