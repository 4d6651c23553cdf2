"""Closing days and months on both databases: what stands against it, what is refused after, who may open again."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from engine.problems import Refused
from runtime.facade import closings
from tests.houses import CATALOG, Home, codes, do, furnished, make_home


@pytest.fixture
def home(tmp_path: Path, house_url: str | None) -> Home:
    return make_home(tmp_path, CATALOG / "general", house_url)


def test_a_month_closes_once_everything_in_it_is_done(home: Home) -> None:
    door = furnished(home)
    line = {"product": "A032", "qty": 10, "cost_price": 2}
    draft = do(door, "other_receipt", "save", {"warehouse": "W1", "lines": [line]})
    home.clock.wait(days=30)
    view = closings.check(door, "2026-01")
    assert (view.kind, view.through, view.ready) == ("month", date(2026, 1, 31), False)
    unfinished = next(one for one in view.checks if one.key == "unfinished")
    assert (unfinished.level, unfinished.count) == ("error", 1)
    assert unfinished.links[0][:2] == ("other_receipt", draft.document)
    with pytest.raises(Refused) as refused:
        closings.close(door, "2026-01")
    assert codes(refused.value) == ["closing.unfinished"]
    do(door, "other_receipt", "approve", document=draft.document)
    closings.close(door, "2026-01")
    rows = closings.overview(door).rows
    assert [(row.kind, row.through, row.may_reopen) for row in rows] == [("month", date(2026, 1, 31), True)]
    assert closings.overview(door).next_month == "2026-02"
    with pytest.raises(Refused) as refused:
        do(door, "other_receipt", "unapprove", document=draft.document)
    assert codes(refused.value) == ["ledger.closed"]
    closings.reopen(door, rows[0].id, "审计")
    do(door, "other_receipt", "unapprove", document=draft.document)
    with pytest.raises(Refused) as refused:
        closings.reopen(door, rows[0].id, "再来")
    assert codes(refused.value) == ["closing.missing"]


def test_months_are_opened_again_from_the_latest(home: Home) -> None:
    door = furnished(home)
    home.clock.wait(days=60)
    first = closings.close(door, "2026-01")
    second = closings.close(door, "2026-02")
    with pytest.raises(Refused) as refused:
        closings.reopen(door, first, "审计")
    assert codes(refused.value) == ["closing.latest_first"]
    closings.reopen(door, second, "审计")
    closings.reopen(door, first, "审计")


def test_periods_that_cannot_be_closed(home: Home) -> None:
    door = furnished(home)
    for through, code in (
        ("2026-01", "closing.in_future"), ("2025-12-30", "closing.not_a_month"), ("31.12.2025", "closing.bad_period"),
        ("2025-13", "closing.bad_period"), ("", "closing.bad_period"),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            closings.close(door, through)
        assert codes(refused.value) == [code]


def test_a_storekeeper_closes_the_days_of_their_own_warehouse(home: Home) -> None:
    keeper = home.door("keeper")
    door = furnished(home)
    theirs = do(door, "warehouse", "save", {"code": "W3", "name": "孙的仓", "keeper": "keeper"}).document
    assert [text for _, text, _ in closings.overview(keeper).warehouses] == ["孙的仓"]
    closings.close(keeper, "2026-01-05", theirs)
    for through, warehouse, code in (
        ("2026-01-05", theirs - 1, "closing.warehouse_denied"), ("2025-12", 0, "closing.denied"),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            closings.close(keeper, through, warehouse)
        assert codes(refused.value) == [code]
    with pytest.raises(Refused) as refused:
        closings.reopen(keeper, closings.overview(keeper).rows[0].id, "忘了")
    assert codes(refused.value) == ["closing.reopen_denied"]
    with pytest.raises(Refused) as refused:
        closings.overview(home.door("sales"))
    assert codes(refused.value) == ["closing.denied"]
