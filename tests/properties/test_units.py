"""Units of any ratios: conversion is exact to one rounding, and no sequence of movements leaves dust."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from engine.labels import Label
from engine.units import ProductUnits, Unit, base_quantity, dust, in_unit, mixed_parts, whole_units
from engine.units.convert import rounded_fraction

HALF_A_MILLIONTH = Fraction(1, 2 * 10**6)
ratios = st.builds(Fraction, st.integers(1, 2000), st.integers(1, 144))
quantities = st.decimals(min_value=-100000, max_value=100000, places=6)


@st.composite
def products(draw: st.DrawFn) -> ProductUnits:
    """A product with up to three further units, counted in whole ones or in up to three decimals."""
    others = draw(st.lists(ratios, max_size=3))
    places = draw(st.lists(st.integers(0, 3), min_size=4, max_size=4))
    units = [Unit(id=number, name=Label(f"u{number}"), places=places[number]) for number in range(len(others) + 1)]
    return ProductUnits(base=units[0], others=tuple(units[1:]), ratios=dict(enumerate(others, 1)))


@given(products(), st.integers(-10000, 10000))
def test_there_and_back_is_the_same_quantity(units: ProductUnits, count: int) -> None:
    for unit in units:
        entered = rounded_fraction(count * unit.step, unit.places)
        base = base_quantity(units, entered, unit)
        assert abs(Fraction(base) - Fraction(entered) * units.ratio(unit)) <= HALF_A_MILLIONTH
        # Where a step is itself below the last decimal that is kept, two entries may share one base quantity.
        if unit.step * units.ratio(unit) > 2 * HALF_A_MILLIONTH:
            assert in_unit(units, base, unit) == entered


@given(products(), quantities)
def test_rounding_up_suffices_and_rounding_down_is_there(units: ProductUnits, base: Decimal) -> None:
    for unit in units:
        size = abs(Fraction(base))
        up, down = (abs(Fraction(whole_units(units, base, unit, mode))) for mode in ("up", "down"))
        assert down * units.ratio(unit) <= size <= up * units.ratio(unit)
        assert up - down in (0, unit.step)


@given(products(), quantities)
def test_mixed_parts_add_up(units: ProductUnits, base: Decimal) -> None:
    parts = mixed_parts(units, base)
    total = sum((Fraction(count) * units.ratio(unit) for count, unit in parts), Fraction(0))
    rest = Fraction(base) - total
    assert abs(rest) <= HALF_A_MILLIONTH or dust(units, rounded_fraction(rest, 6))
    assert {count > 0 for count, _ in parts if count} <= {base > 0}
    assert [unit for _, unit in parts] == sorted((unit for _, unit in parts), key=units.ratio, reverse=True)


@given(st.integers(2, 60), st.lists(st.integers(1, 60), min_size=1, max_size=60), st.data())
def test_no_order_of_issues_leaves_dust(pieces: int, portions: list[int], data: st.DataObject) -> None:
    """Boxes of any number of pieces come as pieces and go as boxes or pieces; when all went, zero stays."""
    box, piece = Unit(id=1, name=Label("盒")), Unit(id=2, name=Label("片"))
    units = ProductUnits(base=box, others=(piece,), ratios={2: Fraction(1, pieces)})
    on_hand = sum((base_quantity(units, Decimal(each), piece) for each in portions), Decimal(0))
    left = sum(portions)
    while left:
        if left >= pieces and data.draw(st.booleans()):
            unit, count = box, data.draw(st.integers(1, left // pieces))
        else:
            unit, count = piece, data.draw(st.integers(1, left))
        left -= count * (pieces if unit is box else 1)
        on_hand -= base_quantity(units, Decimal(count), unit, on_hand)
    assert on_hand == 0
