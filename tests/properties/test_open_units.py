"""Whatever is open of a line is proposed exactly, at the price of its unit; what somebody means otherwise stays."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from engine.definitions.compiled import CompiledField
from engine.expressions.number_functions import UNITS
from engine.expressions.types import Row
from engine.forms.open_units import without_rest
from runtime.bundles import bundle_in
from tests.houses import CATALOG

GOODS, BAG, CASE = 1, 2, 3
PLACES = Decimal("0.0001")


@cache
def fields(form: str) -> Mapping[str, CompiledField]:
    return bundle_in(CATALOG / "general").forms[form].tables["lines"].fields


def proposed(form: str, ratio: int, remaining: Decimal, quantity: Decimal, price: Decimal) -> Mapping[str, object]:
    product = Row(id=GOODS, values={UNITS: {BAG: Decimal(1), CASE: Decimal(ratio)}})
    mapped = {"product": GOODS, "unit": CASE, "qty": quantity, "price": price}
    return without_rest(fields(form), mapped, Row(id=1, values={"product": product}), remaining)


@given(st.integers(2, 144), st.integers(1, 100_000), st.integers(0, 10_000))
def test_nothing_stays_open(ratio: int, bags: int, cents: int) -> None:
    remaining, price = Decimal(bags), Decimal(cents * ratio) / 100
    quantity = (remaining / ratio).quantize(PLACES, ROUND_FLOOR)
    found = proposed("purchase_receipt", ratio, remaining, quantity, price)
    if quantity * ratio == remaining:
        assert (found["unit"], found["qty"], found["price"]) == (CASE, quantity, price)
    else:
        assert (found["unit"], found["qty"], found["price"]) == (BAG, remaining, Decimal(cents) / 100)


def test_what_is_meant_otherwise_stays() -> None:
    exact, half, price = Decimal("9.9166"), Decimal(5), Decimal(120)
    assert proposed("purchase_receipt", 12, Decimal(119), exact, price)["unit"] == BAG
    # Not all that is open is meant; the base unit cannot tell it either; a price does not say for which unit it is.
    assert proposed("purchase_receipt", 12, Decimal(119), half, price)["qty"] == half
    assert proposed("purchase_receipt", 12, Decimal("118.999999"), exact, price)["qty"] == exact
    assert proposed("purchase_invoice", 12, Decimal(119), exact, price)["qty"] == exact
