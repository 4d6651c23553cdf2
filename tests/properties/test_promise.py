"""Any orders and supplies: nothing is given twice, priority is kept, and a day that is promised can be kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.promise import (
    Backorder,
    LineKey,
    Supply,
    allocate,
    answer,
    available_to_promise,
    forecast,
    priority,
    releasable,
    unfounded,
)

TODAY = date(2026, 1, 5)
NOW = datetime(2026, 1, 5)
days = st.integers(-5, 30).map(lambda n: TODAY + timedelta(days=n))
amounts = st.decimals(min_value=Decimal("0.01"), max_value=100, places=2)


@st.composite
def orders(draw: st.DrawFn, rush: bool = True) -> list[Backorder]:
    return [
        Backorder(
            key=LineKey("order", number),
            quantity=draw(amounts),
            rush=rush and draw(st.booleans()),
            promised=draw(st.none() | days),
            ordered=NOW + timedelta(hours=draw(st.integers(0, 5))),
            whole=draw(st.booleans()),
        )
        for number in range(draw(st.integers(0, 7)))
    ]


@st.composite
def supplies(draw: st.DrawFn) -> list[Supply]:
    return [
        Supply(key=LineKey("supply", number), quantity=draw(amounts), due=draw(days))
        for number in range(draw(st.integers(0, 6)))
    ]


@given(orders(), st.decimals(min_value=-10, max_value=300, places=2))
def test_goods_are_given_once_and_by_priority(waiting: list[Backorder], free: Decimal) -> None:
    given_ = {one.key: one for one in allocate(waiting, free)}
    left = free - sum((one.quantity for one in given_.values()), Decimal(0))
    assert left >= min(free, Decimal(0))
    cut = [order for order in waiting if order.key in given_ and not given_[order.key].complete]
    assert len(cut) <= 1
    for order in waiting:
        got = given_[order.key].quantity if order.key in given_ else Decimal(0)
        assert got <= order.quantity
        assert (order.key in given_ and given_[order.key].complete) == (got == order.quantity)
        if order.whole:
            assert got in (0, order.quantity)
        elif got < order.quantity:
            # Whoever is short and would take a part leaves nothing over, and nobody behind gets anything.
            assert left <= 0
            assert not any(priority(other) > priority(order) for other in waiting if other.key in given_)


@given(orders(), supplies(), st.decimals(min_value=-50, max_value=50, places=2))
def test_a_forecast_loses_nothing_and_meets_who_is_first(
    waiting: list[Backorder], coming: list[Supply], free: Decimal
) -> None:
    found = forecast(waiting, coming, free)
    for order in waiting:
        got = sum((one.quantity for one in found.arrivals if one.demand == order.key), Decimal(0))
        assert got + found.uncovered.get(order.key, Decimal(0)) == order.quantity
        assert not order.whole or got in (0, order.quantity)
    for supply in coming:
        assert sum((one.quantity for one in found.arrivals if one.supply == supply.key), Decimal(0)) <= supply.quantity
    if coming and not any(order.whole for order in waiting):
        # Laid end to end, what is wanted by priority and what comes by date meet where the two lengths overlap.
        arriving = [(None, max(free, Decimal(0))), *((one.key, one.quantity) for one in sorted(coming, key=_by_day))]
        assert {(one.demand, one.supply): one.quantity for one in found.arrivals} == _overlaps(
            [(order.key, order.quantity) for order in sorted(waiting, key=priority)], arriving, max(-free, Decimal(0))
        )


def _by_day(supply: Supply) -> tuple[date, LineKey]:
    return supply.due, supply.key


def _overlaps(
    wanted: list[tuple[LineKey, Decimal]], arriving: list[tuple[LineKey | None, Decimal]], lacking: Decimal
) -> dict[tuple[LineKey, LineKey | None], Decimal]:
    met: dict[tuple[LineKey, LineKey | None], Decimal] = {}
    start = lacking
    for demand, quantity in wanted:
        end, begin = start + quantity, Decimal(0)
        for supply, length in arriving:
            both = min(end, begin + length) - max(start, begin)
            if both > 0:
                met[demand, supply] = both
            begin += length
        start = end
    return met


@given(orders(), amounts)
def test_a_rush_order_takes_no_more_than_it_lacks_and_never_from_rush(reserved: list[Backorder], need: Decimal) -> None:
    by_key = {order.key: order for order in reserved}
    offered = releasable(reserved, need)
    normal = sum((order.quantity for order in reserved if not order.rush), Decimal(0))
    assert sum((one.quantity for one in offered), Decimal(0)) == min(need, normal)
    assert not any(by_key[one.key].rush for one in offered)
    ranks = [priority(by_key[one.key]) for one in offered]
    assert ranks == sorted(ranks, reverse=True)


@given(orders(), orders(), supplies(), st.decimals(min_value=-200, max_value=0, places=2))
def test_reservations_without_goods_are_the_last_and_are_filled_first(
    reserved: list[Backorder], waiting: list[Backorder], coming: list[Supply], free: Decimal
) -> None:
    held = {order.key: order for order in reserved}
    lost = unfounded(reserved, free)
    total = sum((order.quantity for order in reserved), Decimal(0))
    assert sum((one.quantity for one in lost), Decimal(0)) == min(-free, total)
    kept = [order for order in reserved if order.key not in {one.key for one in lost}]
    assert all(priority(one) < priority(other) for one in kept for other in lost)
    assert sum(one.quantity < held[one.key].quantity for one in lost) <= 1
    mine = [replace(order, key=LineKey("waiting", order.key.line)) for order in waiting]
    found = forecast(mine, coming, free, lost)
    got = {one.key: Decimal(0) for one in (*lost, *mine)}
    for one in found.arrivals:
        got[one.demand] += one.quantity
    assert all(got[one.key] + found.uncovered.get(one.key, Decimal(0)) == one.quantity for one in (*lost, *mine))
    if any(got[one.key] for one in mine):
        assert all(got[one.key] == one.quantity for one in lost)
    hole = -free - sum((one.quantity for one in lost), Decimal(0))
    arrived = sum((one.quantity for one in coming), Decimal(0))
    assert sum(got.values(), Decimal(0)) <= max(arrived - hole, Decimal(0))


@given(
    st.decimals(min_value=-20, max_value=100, places=2),
    st.lists(st.tuples(days, amounts), max_size=6),
    st.lists(st.tuples(days, amounts), max_size=6),
    amounts,
)
def test_a_promised_day_can_be_kept(
    free: Decimal, coming: list[tuple[date, Decimal]], going: list[tuple[date, Decimal]], quantity: Decimal
) -> None:
    """Taking the order in as a demand of the promised day makes no day worse than it would have been at zero."""
    before = available_to_promise(free, coming, going, TODAY)
    day = before.earliest(quantity)
    if day is None:
        assert before.steps[-1].expected < quantity
        return
    after = available_to_promise(free, coming, [*going, (day, quantity)], TODAY)
    assert all(step.expected >= 0 for step in after.steps if step.day >= day)
    earlier = [step for step in before.steps if step.day < day]
    assert all(step.promisable < quantity for step in earlier)
    assert [step.promisable for step in before.steps] == sorted(step.promisable for step in before.steps)


@given(
    st.decimals(min_value=-20, max_value=100, places=2),
    st.lists(st.tuples(days, amounts), max_size=4),
    st.lists(st.tuples(st.integers(2, 4), st.decimals(min_value=-5, max_value=50, places=2)), max_size=3),
    st.none() | st.integers(0, 20),
    amounts,
    st.booleans(),
)
def test_an_answer_adds_up(
    free: Decimal,
    coming: list[tuple[date, Decimal]],
    others: list[tuple[int, Decimal]],
    lead: int | None,
    quantity: Decimal,
    whole: bool,
) -> None:
    found = answer(quantity, available_to_promise(free, coming, (), TODAY), TODAY, others, lead, whole)
    outside = sum((part for _, part in found.elsewhere), Decimal(0))
    assert 0 <= found.now <= max(free, Decimal(0))
    assert (found.now + outside == quantity) == (found.kind == "now")
    assert (found.day == TODAY) if found.kind == "now" else (found.day is None or found.kind != "refuse")
    assert found.day is not None or found.kind in ("partial", "refuse")
    if found.kind == "refuse" or whole:
        assert found.kind == "now" or found.now == 0
