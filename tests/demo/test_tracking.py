"""The lots, bins and serial numbers of the demo company: what goes out is what came in, in the order of expiry."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from runtime.demo.tracking import BINNED, BINS, LIVES, SERIALS, Tracking

TODAY = date(2026, 11, 22)
OPENED = TODAY - timedelta(days=38)
TUBE, WHEELS, PLAIN = "TT-M928", SERIALS[0], "VE-C304-S"


def tracking() -> Tracking:
    return Tracking(TODAY, OPENED)


def test_first_goods_are_split_into_an_old_a_near_and_a_fresh_lot() -> None:
    parts = tracking().opening(TUBE, "L07", Decimal(100))
    assert [quantity for quantity, _ in parts] == [20, 30, 50]
    ends = [date.fromisoformat(values["mfg_date"]) + timedelta(days=LIVES[TUBE]) for _, values in parts]
    assert ends[0] < TODAY < ends[1] < ends[2]
    assert all(date.fromisoformat(values["mfg_date"]) < OPENED for _, values in parts)


def test_picks_follow_expiry_and_leave_what_is_past_its_date() -> None:
    tracked = tracking()
    lots = [values["lot_no"] for _, values in tracked.opening(TUBE, "L07", Decimal(100))]
    early = list(tracked.outgoing(TUBE, "L07", Decimal(15), OPENED))
    assert [(quantity, values["lot_no"]) for quantity, values in early] == [(15, lots[0])]
    late = list(tracked.outgoing(TUBE, "L07", Decimal(60), TODAY))
    assert [(quantity, values["lot_no"]) for quantity, values in late] == [(30, lots[1]), (30, lots[2])]
    assert sum(quantity for quantity, _ in tracked.outgoing(TUBE, "L07", Decimal(60), TODAY)) == 20


def test_every_bicycle_has_its_own_number_and_leaves_once() -> None:
    tracked = tracking()
    ((_, first),) = tracked.opening(WHEELS, "L07", Decimal(3))
    second = tracked.incoming(WHEELS, "L07", Decimal(2), TODAY)
    numbers = (first["serials"] + " " + second["serials"]).split()
    assert len(set(numbers)) == 5
    gone = [
        each
        for _ in range(5)
        for _, values in tracked.outgoing(WHEELS, "L07", Decimal(1), TODAY)
        for each in values["serials"].split()
    ]
    assert gone == numbers
    assert not list(tracked.outgoing(WHEELS, "L07", Decimal(1), TODAY))


def test_the_binned_warehouse_always_names_a_bin_and_others_never() -> None:
    tracked = tracking()
    assert tracked.incoming(PLAIN, BINNED, Decimal(1), TODAY)["bin"] in BINS
    assert next(tracked.outgoing(PLAIN, BINNED, Decimal(1), TODAY, "from_bin"))[1]["from_bin"] in BINS
    assert tracked.incoming(PLAIN, "L07", Decimal(1), TODAY) == {}


def test_a_lot_keeps_its_dates_when_it_moves() -> None:
    tracked = tracking()
    tracked.opening(TUBE, "L50", Decimal(10))
    for quantity, values in list(tracked.outgoing(TUBE, "L50", Decimal(10), OPENED)):
        assert tracked.moved(TUBE, "L07", quantity, values, "L50") == {}
    assert sum(quantity for quantity, _ in tracked.outgoing(TUBE, "L07", Decimal(10), OPENED)) == 10
    assert not list(tracked.outgoing(TUBE, "L07", Decimal(10), TODAY))


def test_a_company_of_many_years_keeps_lots_without_dates() -> None:
    long = Tracking(TODAY, TODAY - timedelta(days=900))
    parts = long.opening(TUBE, "L07", Decimal(10))
    assert [set(values) for _, values in parts] == [{"lot_no"}]
    assert sum(quantity for quantity, _ in long.outgoing(TUBE, "L07", Decimal(10), TODAY)) == 10
