"""The units quantities of products are told in: the base unit, and several together (多单位显示, 3箱1瓶)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from engine.expressions.number_functions import UNITS
from engine.expressions.types import Row
from engine.labels import Label, Language
from engine.texts import shown
from engine.units import ProductUnits, Unit, mixed_parts, mixed_text
from runtime.facade.cells import Names
from runtime.facade.door import Door
from runtime.facade.stock_rights import dimension
from runtime.stages import steps
from runtime.storage import documents


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Units of some products; a product without a base unit is absent, as are all in an app that keeps no units.

    ``seconds``: name of the second unit, of catch weight goods.
    """

    by_product: Mapping[int, ProductUnits]
    language: Language
    seconds: Mapping[int, str] = field(default_factory=dict)

    def name(self, product: int) -> str:
        """Name of its base unit; empty when there is none."""
        units = self.by_product.get(product)
        return units.base.name.text(self.language) if units is not None else ""

    def told(self, product: int, quantity: Decimal) -> str:
        """``quantity`` base units with their units, however few; the bare figure for a product without a unit."""
        units = self.by_product.get(product)
        return mixed_text(units, quantity, self.language) if units is not None else shown(quantity)

    def second(self, product: int, aux: Decimal) -> str:
        """The second quantity with its unit (3 条); empty for goods that have none."""
        name = self.seconds.get(product, "")
        return f"{shown(aux)} {name}".strip() if name or aux else ""

    def mixed(self, product: int, quantity: Decimal) -> str:
        """``quantity`` base units in the units of the product, the largest first; empty where only the base unit would
        be used, for that is how the quantity reads already."""
        units = self.by_product.get(product)
        if units is None or not units.others:
            return ""
        if all(unit.id == units.base.id for _, unit in mixed_parts(units, quantity)):
            return ""
        return mixed_text(units, quantity, self.language)


def counted(door: Door, unit: steps.Unit, products: Iterable[int]) -> Counted:
    """The units of ``products``: a query for the products, one for their tables, one for the units, and one for the
    decimals of those that are told together with others."""
    asked = asked_of(door)
    if not asked:
        return Counted(by_product={}, language=door.language)
    rows = documents.load_rows(unit.connection, unit.tables, dimension(door, "product"), products, asked)
    return counted_of(door, unit, rows)


def asked_of(door: Door) -> frozenset[str]:
    """What `counted_of` needs of a product; nothing in an app that keeps no units."""
    kept = door.bundle.forms[dimension(door, "product")].definition.units
    return frozenset() if kept is None else frozenset((kept.base, UNITS, *([kept.aux] if kept.aux else [])))


def counted_of(door: Door, unit: steps.Unit, rows: Mapping[int, Row]) -> Counted:
    """`counted` of products whose rows were read along with something else."""
    form = door.bundle.forms[dimension(door, "product")]
    kept = form.definition.units
    if kept is None:
        return Counted(by_product={}, language=door.language)
    target = str(getattr(form.fields[kept.base].options, "to", ""))
    ratios: dict[int, Mapping[int, Decimal]] = {}
    for product, row in rows.items():
        if isinstance(row.values.get(kept.base), int):
            ratios[product] = row.values[UNITS]  # type: ignore[assignment]
    ids = {one for each in ratios.values() for one in each}
    seconds = {one: row.values[kept.aux] for one, row in rows.items() if row.values[kept.aux]} if kept.aux else {}
    names = Names(door.language)
    names.want_ids(target, ids.union(seconds.values()))  # type: ignore[arg-type]
    names.load(unit)
    together = {one for each in ratios.values() if len(each) > 1 for one in each}
    places = _places(unit, target, kept.decimals, together)
    units = {
        one: Unit(id=one, name=Label(text, text), places=places.get(one, 0))
        for one in ids
        for text in (names.name(target, one),)
    }
    return Counted(
        by_product={
            product: _units(rows[product].values[kept.base], each, units)  # type: ignore[arg-type]
            for product, each in ratios.items()
        },
        language=door.language,
        seconds={product: names.name(target, one) for product, one in seconds.items()},  # type: ignore[arg-type]
    )


def units_of(door: Door, unit: steps.Unit, products: Iterable[int]) -> Mapping[int, str]:
    """Name of the base unit by product; a product without one is absent, as are all in an app that keeps no units."""
    found = counted(door, unit, products)
    return {product: found.name(product) for product in found.by_product}


def _units(base: int, ratios: Mapping[int, Decimal], units: Mapping[int, Unit]) -> ProductUnits:
    others = {one: Fraction(ratio) for one, ratio in ratios.items() if one != base and ratio > 0}
    return ProductUnits(base=units[base], others=tuple(units[one] for one in others), ratios=others)


def _places(unit: steps.Unit, form: str, field: str | None, ids: Set[int]) -> Mapping[int, int]:
    if field is None or not ids:
        return {}
    rows = documents.load_rows(unit.connection, unit.tables, form, ids, {field})
    return {one: int(value) for one, row in rows.items() if isinstance(value := row.values[field], int | Decimal)}
