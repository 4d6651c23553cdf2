"""Prices a push-down copies, told for the unit the line is written in."""

from __future__ import annotations

from collections.abc import Mapping

from engine.definitions.compiled import CompiledField
from engine.document import Value
from engine.expressions import Checked, EvaluationFailed, evaluate
from engine.expressions.number_functions import UNITS
from engine.expressions.types import Row
from engine.fieldtypes.price import unit_of
from engine.forms.unit_prices import converted
from runtime.stages.steps import Unit
from runtime.storage import documents


def price_by_unit(
    unit: Unit,
    fields: Mapping[str, CompiledField],
    mapping: Mapping[str, Checked],
    scope: Mapping[str, object],
    values: dict[str, Value],
    given: frozenset[str],
    where: str,
) -> None:
    """Convert what ``mapping`` copied into the prices of a line, in place: the source line states them for its unit,
    and somebody wrote another one."""
    for key, field in fields.items():
        by = unit_of(field.options)
        if not by or key not in mapping or by not in mapping or f"{where}{key}" in given or f"{where}{by}" not in given:
            continue
        try:
            source_unit = evaluate(mapping[by], scope, unit.around.clock)
        except EvaluationFailed:
            continue
        have = source_unit.id if isinstance(source_unit, Row) else source_unit
        link = next((each for each in fields.values() if key in each.fills), None)
        product = values.get(link.key) if link is not None else None
        if link is None or not isinstance(product, int) or have == values.get(by):
            continue
        target = link.linked
        row = documents.load_rows(unit.connection, unit.tables, target, [product], {UNITS}).get(product)
        ratios = row.values[UNITS] if row is not None else {}
        values[key] = converted(field, values.get(key), ratios.get(have), ratios.get(values.get(by)))  # type: ignore[attr-defined]
