"""Any stock: what is proposed is there, keeps the rule, is all that may be taken, and is never judged a departure."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from engine.picking import (
    STATUS_LABELS,
    TAKEABLE,
    Choice,
    Lot,
    Proposal,
    ShelfLife,
    Stock,
    StockKey,
    Wish,
    expiry_of,
    judge,
    propose,
    remaining_share,
)

TODAY = date(2026, 1, 20)
days = st.none() | st.integers(-60, 60).map(lambda n: TODAY + timedelta(days=n))
lots = st.builds(Lot, number=st.just(""), made=days, expires=days, received=days)
quantities = st.decimals(min_value=0, max_value=50, places=2)
wishes = st.builds(
    Wish,
    quantity=st.decimals(min_value=0, max_value=200, places=2),
    day=st.just(TODAY),
    strategy=st.sampled_from(("fefo", "fifo", "manual")),
    life=st.none() | st.builds(ShelfLife, length=st.integers(1, 90), minus_one_day=st.booleans()),
    minimum_share=st.none() | st.sampled_from((Fraction(1, 2), Fraction(2, 3))),
    one_lot=st.booleans(),
)


@st.composite
def stocks(draw: st.DrawFn) -> list[Stock]:
    """Up to twelve rows of up to five lots (the fifth is none) in bins of two warehouses, or serial numbers."""
    dates = draw(st.lists(lots, min_size=4, max_size=4))
    known = [replace(lot, number=number) for lot, number in zip(dates, "BADC", strict=True)]
    serials = draw(st.booleans())
    rows: dict[StockKey, Stock] = {}
    for number in range(draw(st.integers(0, 12))):
        lot = draw(st.sampled_from([*known, None])) if not serials else None
        key = StockKey(
            warehouse=draw(st.integers(1, 2)),
            bin=draw(st.integers(1, 3)),
            lot=lot.number if lot else "",
            serial=f"S{number}" if serials else "",
            status=draw(st.sampled_from(("", "", "near_expiry", *STATUS_LABELS))),
        )
        free = Decimal(1) if serials else draw(quantities)
        rows[key] = Stock(key=key, free=free, lot=lot, pick_seq=draw(st.integers(0, 3)))
    return list(rows.values())


def allowed(row: Stock, wish: Wish) -> bool:
    """Domain rule D4 in one sentence, apart from the code under test."""
    expires = expiry_of(row.lot, wish.life)
    share = remaining_share(row.lot, wish.life, wish.day)
    demanded = wish.minimum_share is not None and (expires is not None or wish.life is not None)
    return (
        row.key.status in TAKEABLE
        and (expires is None or expires >= wish.day)
        and (not demanded or (share is not None and share >= (wish.minimum_share or 0)))
    )


@given(stocks(), wishes)
def test_a_proposal_takes_what_is_there_and_all_that_may_be_taken(rows: list[Stock], wish: Wish) -> None:
    proposal = propose(rows, wish)
    assert all(Decimal(0) < pick.quantity <= pick.stock.free and allowed(pick.stock, wish) for pick in proposal.picks)
    assert len({pick.stock.key for pick in proposal.picks}) == len(proposal.picks)
    taken = sum((pick.quantity for pick in proposal.picks), Decimal(0))
    assert taken + proposal.shortfall == wish.quantity
    there = sum((row.free for row in rows if row.free > 0 and allowed(row, wish)), Decimal(0))
    whole = any(row.key.serial for row in rows)
    assert taken == min(wish.quantity // 1 if whole else wish.quantity, there)


@given(stocks(), wishes)
def test_nothing_earlier_is_left_behind(rows: list[Stock], wish: Wish) -> None:
    proposal = propose(rows, wish)
    used = {pick.stock.key: pick.quantity for pick in proposal.picks}
    small = {each.stock.key for each in proposal.passed if each.reason == "too_small"}
    for pick in proposal.picks:
        for row in rows:
            if row.key in small or not allowed(row, wish) or used.get(row.key, Decimal(0)) >= row.free:
                continue
            assert _due(row, wish) >= _due(pick.stock, wish)


def _due(row: Stock, wish: Wish) -> date:
    if wish.strategy == "fefo":
        return expiry_of(row.lot, wish.life) or date.max
    return (row.lot.received if row.lot and wish.strategy == "fifo" else None) or date.max


@given(stocks(), wishes)
def test_one_lot_is_kept_where_one_suffices(rows: list[Stock], wish: Wish) -> None:
    proposal = propose(rows, wish)
    totals: dict[str, Decimal] = {}
    for row in rows:
        if row.free > 0 and allowed(row, wish):
            totals[row.key.lot] = totals.get(row.key.lot, Decimal(0)) + row.free
    if wish.one_lot and any(total >= wish.quantity for total in totals.values()):
        assert len({pick.stock.key.lot for pick in proposal.picks}) <= 1
        assert proposal.shortfall < 1


@given(stocks(), wishes, st.data())
def test_the_proposal_and_part_of_it_are_no_departure(rows: list[Stock], wish: Wish, data: st.DataObject) -> None:
    proposal = propose(rows, wish)
    verdict = judge(choices(proposal), proposal)
    assert (verdict.problems, verdict.departures) == ((), ())
    dropped = data.draw(st.integers(0, len(proposal.picks)))
    in_rule_order = sorted(choices(proposal), key=lambda one: [row.key for row in proposal.order].index(one.key))
    verdict = judge(in_rule_order[:dropped], proposal)
    assert (verdict.problems, verdict.departures) == ((), ())


@given(stocks(), wishes)
def test_the_order_of_rows_does_not_matter(rows: list[Stock], wish: Wish) -> None:
    assert propose(rows, wish).picks == propose(rows[::-1], wish).picks


def choices(proposal: Proposal) -> list[Choice]:
    return [Choice(key=pick.stock.key, quantity=pick.quantity) for pick in proposal.picks]
