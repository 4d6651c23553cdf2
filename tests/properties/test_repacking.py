"""Goods that become other goods (拆零、改包装): their layers keep age and value, counted in the new measure."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.costing import method
from engine.definitions.app import AppSettings
from engine.ledger import Entry, Start, ledgers
from engine.ledger.course import run
from engine.pools import PoolState

FIRST = date(2026, 1, 1)
BOX, BAG = 1, 2
DECLARED = ledgers(AppSettings.model_validate({"cost_method": "fifo"}))
POOLS = {f"stock|cost|p{product}": PoolState() for product in (BOX, BAG)}

tiny = st.integers(min_value=1, max_value=300).map(lambda count: Decimal(count).scaleb(-6))
usual = st.integers(min_value=1, max_value=40).map(Decimal)
cents = st.integers(min_value=0, max_value=5000).map(lambda count: Decimal(count).scaleb(-2))
receipts = st.lists(st.tuples(st.one_of(usual, tiny), cents), min_size=1, max_size=5)


def entry(identity: int, product: int, quantity: Decimal, basis: str, day: int = 0, **given: object) -> Entry:
    return Entry(
        ledger="stock", product=product, warehouse=1, quantity=quantity, value=Decimal(0), move="any", form="any",
        document=1, action="approve", batch=1, biz_date=FIRST + timedelta(days=day), basis=basis, id=identity,
        snapshot="any",
    )._replace(**given)  # fmt: skip


@given(receipts, st.one_of(usual, tiny), st.data())
def test_nothing_is_left_of_what_became_other_goods(
    came: list[tuple[Decimal, Decimal]], became: Decimal, data: st.DataObject
) -> None:
    rows = [
        entry(number, BOX, quantity, "given", number, stated=value)
        for number, (quantity, value) in enumerate(came, start=1)
    ]
    whole = sum((quantity for quantity, _ in came), Decimal(0))
    worth = sum((value for _, value in came), Decimal(0))
    some = data.draw(
        st.integers(min_value=1, max_value=int(became * 10**6)).map(lambda count: Decimal(count).scaleb(-6))
    )
    rows += [
        entry(11, BOX, -whole, "method", 11),
        entry(12, BAG, became, "pair", 11, origin=11),
        entry(13, BAG, -some, "method", 12),
    ]
    fifo = method("fifo")
    ran = run(Start(pools=POOLS), rows, fifo, DECLARED, 2)
    opened = ran.settled[12].opened
    assert sum((one.quantity for one in opened), Decimal(0)) == became
    assert sum((one.value for one in opened), Decimal(0)) == worth == ran.settled[12].value
    assert all(one.quantity > 0 for one in opened)
    assert [one.root for one in opened] == sorted(one.root for one in opened)
    left = ran.pools[f"stock|cost|p{BAG}"].state()
    assert sum((one.quantity for one in left.layers), Decimal(0)) == left.quantity == became - some
    assert sum((one.value for one in left.layers), Decimal(0)) == left.value
    last = run(Start(pools=POOLS), [*rows, entry(14, BAG, some - became, "method", 13)], fifo, DECLARED, 2)
    assert some == became or last.pools[f"stock|cost|p{BAG}"].state().value == 0
