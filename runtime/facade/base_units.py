"""The base units quantities of products are told in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runtime.facade.cells import Names
from runtime.facade.door import Door
from runtime.facade.stock_rights import dimension
from runtime.stages.steps import Unit
from runtime.storage import documents


def units_of(door: Door, unit: Unit, products: Iterable[int]) -> Mapping[int, str]:
    """Name of the base unit by product; a product without one is absent, as are all in an app that keeps no units."""
    form = door.bundle.forms[dimension(door, "product")]
    if form.definition.units is None:
        return {}
    base = form.definition.units.base
    units = str(getattr(form.fields[base].options, "to", ""))
    rows = documents.load_rows(unit.connection, unit.tables, form.key, products, {base})
    counted = {product: one for product, row in rows.items() if isinstance(one := row.values.get(base), int)}
    names = Names(door.language)
    for one in counted.values():
        names.want_id(units, one)
    names.load(unit)
    return {product: names.name(units, one) for product, one in counted.items()}
