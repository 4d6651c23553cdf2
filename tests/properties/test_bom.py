"""Any bills: explosion equals plain recursion, every circle is found, and no cent is lost in any division."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import permutations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.bom import (
    Bom,
    Byproduct,
    Component,
    Elements,
    Wish,
    cycles,
    explode,
    low_level_codes,
    materials,
    roll_up,
    settle,
    variance,
    where_used,
)
from engine.bom.elements import ExactElements
from engine.shares import half_up, spread, upwards

DAY = date(2026, 1, 5)
PRODUCTS = 8
money = st.decimals(min_value=-(10**10), max_value=10**10, places=2)
weights = st.decimals(min_value=0, max_value=10**6, places=6)
quantities = st.decimals(min_value=Decimal("0.0001"), max_value=1000, places=4)
losses = st.decimals(min_value=0, max_value=Decimal("99"), places=2)


@st.composite
def bills(draw: st.DrawFn) -> list[Bom]:
    """Bills without a circle: a product is made only of products with a higher number."""
    made = []
    for product in draw(st.sets(st.integers(1, PRODUCTS - 1))):
        parts = draw(st.lists(st.integers(product + 1, PRODUCTS), min_size=1, max_size=4))
        made.append(
            Bom(
                product=product,
                output=draw(quantities),
                good=draw(st.decimals(min_value=1, max_value=100, places=2)),
                loss_mode=draw(st.sampled_from(("yield", "markup"))),
                components=tuple(
                    Component(product=part, quantity=draw(quantities), loss=draw(losses)) for part in parts
                ),
                byproducts=draw(
                    st.sampled_from(
                        ((), (Byproduct(product=99, quantity=Decimal(1), basis="share", share=Decimal(15)),))
                    )
                ),
                phantom=draw(st.booleans()),
            )
        )
    return made


# Dense enough to hold several circles through one product; 7 has no bill.
graphs = st.fixed_dictionaries({}, optional={product: st.sets(st.integers(1, 7)).map(tuple) for product in range(1, 7)})


def needs(boms: dict[int, Bom], product: int, quantity: Fraction, only_phantoms: bool) -> list[tuple[int, Fraction]]:
    """Plain recursion, line by line, written from domain rule C7: every product met and what is needed of it there."""
    met = []
    bom = boms[product]
    for line in bom.components:
        loss = Fraction(line.loss) / 100
        taken = (
            Fraction(line.quantity) * (1 + loss) if bom.loss_mode == "markup" else Fraction(line.quantity) / (1 - loss)
        )
        wanted = taken * quantity / (Fraction(bom.output) * Fraction(bom.good) / 100)
        met.append((line.product, wanted))
        if line.product in boms and (boms[line.product].phantom or not only_phantoms):
            met += needs(boms, line.product, wanted, only_phantoms)
    return met


def summed(met: list[tuple[int, Fraction]]) -> dict[int, Fraction]:
    sums: dict[int, Fraction] = {}
    for product, wanted in met:
        sums[product] = sums.get(product, Fraction(0)) + wanted
    return sums


@given(bills(), quantities, st.booleans())
def test_explosion_equals_recursion(made: list[Bom], quantity: Decimal, up: bool) -> None:
    boms = {bom.product: bom for bom in made}
    for product in boms:
        expected = summed(needs(boms, product, Fraction(quantity), only_phantoms=False))
        found = explode(made, product, quantity, DAY, Wish(round_up=up))
        assert {one.product: one.quantity for one in found[1:]} == {
            one: (upwards if up else half_up)(wanted, 6) for one, wanted in expected.items()
        }
        assert [one.level for one in found] == sorted(one.level for one in found)
        levels = {one.product: one.level for one in found}
        for one in found:
            assert one.made == (one.product in boms)
            for line in boms[one.product].components if one.made else ():
                assert levels[line.product] > one.level


@given(bills(), quantities)
def test_a_material_list_goes_through_phantoms_only(made: list[Bom], quantity: Decimal) -> None:
    boms = {bom.product: bom for bom in made}
    for product in boms:
        met = needs(boms, product, Fraction(quantity), only_phantoms=True)
        expected = summed([(one, wanted) for one, wanted in met if not (one in boms and boms[one].phantom)])
        found = materials(made, product, quantity, DAY)
        assert {one.product: one.quantity for one in found} == {k: half_up(v, 6) for k, v in expected.items()}
        assert all(one.net <= one.quantity for one in found)


@given(bills())
def test_where_used_is_the_explosion_read_backwards(made: list[Bom]) -> None:
    boms = {bom.product: bom for bom in made}
    for part in range(1, PRODUCTS + 1):
        found = {one.product: one for one in where_used(made, part, DAY)}
        for product in boms:
            expected = summed(needs(boms, product, Fraction(1), only_phantoms=False)).get(part)
            assert (product in found) == (expected is not None)
            if expected is not None:
                assert found[product].quantity == half_up(expected, 6)
                assert (found[product].level >= 1) and (found[product].direct <= found[product].quantity)


@given(bills(), st.lists(st.decimals(min_value=0, max_value=1000, places=2), min_size=PRODUCTS, max_size=PRODUCTS))
def test_a_rolled_up_cost_is_the_cost_of_all_that_is_bought(made: list[Bom], prices: list[Decimal]) -> None:
    boms = {bom.product: bom for bom in made}
    bought = {number: Elements(material=price) for number, price in enumerate(prices, start=1)}

    def cost(product: int) -> Fraction:
        if product not in boms:
            return Fraction(prices[product - 1])
        kept = Fraction(85, 100) if boms[product].byproducts else Fraction(1)
        bom = boms[product]
        direct = summed(needs({product: bom}, product, Fraction(1), only_phantoms=False))
        return kept * sum((wanted * cost(part) for part, wanted in direct.items()), Fraction(0))

    for one in roll_up(made, boms, DAY, bought):
        expected = half_up(cost(one.product), 6)
        assert one.restored.total == one.own.total == expected
        for name, unit in one.byproducts.items():
            assert name == 99
            runs = boms[one.product].runs(Fraction(1))
            assert unit == half_up(cost(one.product) / Fraction(85, 100) * Fraction(15, 100) / runs, 6)


def simple_cycles(graph: dict[int, tuple[int, ...]]) -> set[tuple[int, ...]]:
    """Every circle, by trying every order of every choice of products that begins with its least."""
    found = set()
    for size in range(1, len(graph) + 1):
        for order in permutations(graph, size):
            steps = zip(order, (*order[1:], order[0]), strict=True)
            if order[0] == min(order) and all(after in graph[before] for before, after in steps):
                found.add(order)
    return found


@settings(max_examples=200, deadline=None)
@given(graphs)
@example({1: (3, 2), 2: (3,), 3: (2, 1), 4: ()})
def test_every_circle_is_found_once(graph: dict[int, tuple[int, ...]]) -> None:
    expected = simple_cycles(graph)
    found = cycles(graph)
    assert len(found) == min(len(expected), 50)
    assert len(set(found)) == len(found) and set(found) <= expected
    if not expected:
        codes = low_level_codes(graph)
        assert all(codes[part] > codes[product] for product, parts in graph.items() for part in parts)


@given(money, st.lists(weights, min_size=1, max_size=40))
def test_no_cent_is_lost_and_no_part_changes_sign(total: Decimal, basis: list[Decimal]) -> None:
    parts = spread(total, basis, 2)
    assert sum(parts) == total
    assert all(part * total >= 0 for part in parts)
    whole = sum(basis)
    for part, weight in zip(parts, basis, strict=True):
        exact = Fraction(total) * Fraction(weight) / Fraction(whole) if whole else Fraction(total) / len(basis)
        assert abs(Fraction(part) - exact) <= Fraction(1, 100)
        assert weight or not whole or part == 0


@given(st.fractions(-(10**12), 10**12), st.integers(0, 9))
def test_rounding_is_to_the_nearest_and_upwards_never_too_little(value: Fraction, places: int) -> None:
    unit = Fraction(1, 10**places)
    near, up = Fraction(half_up(value, places)), Fraction(upwards(value, places))
    assert near.denominator <= unit.denominator and abs(near - value) <= unit / 2
    assert abs(near - value) < unit / 2 or abs(near) > abs(value)
    assert 0 <= up - value < unit


@given(st.lists(st.fractions(-(10**12), 10**12), min_size=5, max_size=5))
def test_rounded_elements_add_up(parts: list[Fraction]) -> None:
    names = ("material", "labour", "overhead", "outsource", "byproduct")
    exact = ExactElements(**dict(zip(names, parts, strict=True)))
    assert exact.rounded(2).total == half_up(exact.total, 2)


@given(st.decimals(min_value=0, max_value=10**8, places=2), *([st.integers(0, 1000)] * 3))
def test_a_work_order_settles_to_the_cent(total: Decimal, good: int, normal: int, abnormal: int) -> None:
    settled = settle(total, Decimal(good), Decimal(normal), Decimal(abnormal), 2)
    assert settled.stock + settled.loss == total
    assert settled.stock >= 0 and settled.loss >= 0
    assert good == 0 or abnormal or settled.loss == 0


@given(quantities, quantities, quantities, quantities)
def test_a_variance_is_the_whole_difference(used: Decimal, paid: Decimal, planned: Decimal, price: Decimal) -> None:
    found = variance(used, paid, planned, price, 2)
    assert found.total == half_up(Fraction(used) * Fraction(paid) - Fraction(planned) * Fraction(price), 2)
