"""Sixteen writers on crossing keys on both databases, by moving average and by FIFO: nothing lost, doubled or negative.

Nobody is shown a lock: every refusal is one of the business. What happened is printed (``pytest -s``), and written to
the folder ``PYTEST_STOCKLOOM_RESULTS`` names.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pytest
import sqlalchemy as sa

from runtime.facade.door import Door
from runtime.house import House
from runtime.messages.catalogue import Catalogue
from runtime.settings import Settings
from runtime.storage import closings
from runtime.storage.database import Connection, in_transaction, read
from runtime.storage.ledger_tables import closing
from runtime.verification import verify
from tests.checker import assert_checker_agrees
from tests.concurrency.crowd import WRITERS, Crowd, Tally
from tests.houses import CATALOG, WORKSPACE, Home, do, furnished, make_home, published_apps

ROUNDS = int(os.environ.get("PYTEST_STOCKLOOM_ROUNDS", "2"))
COSTING = {
    "moving_average": "cost_method: moving_average",
    "fifo by warehouse": "cost_method: fifo\n  cost_scope: warehouse",
}
UNITS = 10
UNAPPROVED_TOO_LATE = {
    "ledger.insufficient",
    "ledger.later_negative",
    "document.stale",
    "document.wrong_status",
    "document.not_possible",
}
TODAY = date(2026, 1, 5)


@cache
def costed(costing: str) -> Path:
    """The general template that values stock in this way; made once, so that it is compiled once for both databases."""
    app = Path(tempfile.mkdtemp(prefix="stockloom-storm-")) / "general"
    shutil.copytree(CATALOG / "general", app)
    text = (app / "app.yaml").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.strip().startswith(("cost_method:", "cost_scope:"))]
    (app / "app.yaml").write_text("\n".join(lines).replace("settings:", f"settings:\n  {COSTING[costing]}", 1))
    return app


@pytest.fixture(params=COSTING)
def crowd(
    request: pytest.FixtureRequest, tmp_path: Path, house_url: str | None, catalogue: Catalogue
) -> Iterator[tuple[Crowd, Home, str]]:
    app = costed(request.param)
    home = make_home(tmp_path / "data", app, house_url)
    furnished(home)
    settings = Settings(data_dir=tmp_path / "data", database_url=house_url, test_mode=True)

    def keep(house: House) -> None:
        house.apps = published_apps(app)

    yield Crowd(settings=settings, catalogue=catalogue, clock=home.clock, keep=keep), home, request.param
    home.house.close()


def test_sixteen_writers(crowd: tuple[Crowd, Home, str], database_kind: str) -> None:
    storm, home, costing = crowd
    told: dict[str, object] = {"database": database_kind, "costing": costing, "writers": WRITERS, "rounds": ROUNDS}
    for name, scene in SCENES.items():
        before = _deadlocks(home)
        tally = scene(storm, home)
        told[name] = {
            "done": len(tally.made), "refused": dict(tally.refused), "slowest_s": round(tally.slowest, 2),
            "seconds": round(tally.seconds, 2), "deadlocks_repeated": _deadlocks(home) - before,
        }  # fmt: skip
        print(f"{database_kind}, {costing}, {name}: {told[name]}")
        assert "storage.busy" not in tally.refused, name
        _clean(home, name)
    folder = os.environ.get("PYTEST_STOCKLOOM_RESULTS")
    if folder:
        path = Path(folder) / f"storms_{database_kind}_{costing.split()[0]}.json"
        path.write_text(json.dumps(told, indent=1), "utf-8")


def last_units(storm: Crowd, home: Home) -> Tally:
    """Ten units, 32 clients' requests: ten are sold, 22 refused, in every round."""
    whole = Tally()
    for turn in range(ROUNDS):
        _stock(home, [f"L{turn}"], UNITS)
        sold = _storm(storm, home, lambda door, _, code=f"L{turn}": _issue(door, code, "W1"), 2)
        assert (len(sold.made), sold.refused) == (UNITS, {"ledger.insufficient": 2 * WRITERS - UNITS})
        assert _on_hand(home, f"L{turn}") == {"W1": 0}
        _add(whole, sold)
    return whole


def one_key(storm: Crowd, home: Home) -> Tally:
    """The same request under the same key from everybody, fifty times and more: one document, one answer."""
    _stock(home, ["KEY"], 100)
    lines = [{"product": "KEY", "qty": 3}]
    sent = _storm(
        storm,
        home,
        lambda door, _: (
            do(door, "other_issue", "approve", {"warehouse": "W1", "lines": lines}, idempotency_key="k").number
        ),
        4,
    )
    assert (len(sent.made), len(set(sent.made)), sent.refused) == (4 * WRITERS, 1, {})
    assert _on_hand(home, "KEY") == {"W1": 97}
    return sent


def opposite_transfers(storm: Crowd, home: Home) -> Tally:
    """Goods of three products carried to and fro, lines in every order: all of it succeeds, nothing is lost."""
    codes = ["T0", "T1", "T2"]
    for warehouse in ("W1", "W2"):
        _stock(home, codes, 500, warehouse, cost="1.1" if warehouse == "W1" else "2.3")

    def carry(door: Door, number: int) -> object:
        there, back = ("W1", "W2") if number % 2 else ("W2", "W1")
        order = codes[number % 3 :] + codes[: number % 3]
        lines = [{"product": code, "qty": 1 + number % 3} for code in (order if number % 5 else order[::-1])]
        return do(door, "transfer", "approve", {"from_warehouse": there, "to_warehouse": back, "lines": lines}).document

    carried = _storm(storm, home, carry, 2 * ROUNDS)
    assert (len(carried.made), carried.refused) == (2 * ROUNDS * WRITERS, {})
    assert [sum(_on_hand(home, code).values()) for code in codes] == [1000, 1000, 1000]
    return carried


def back_dated(storm: Crowd, home: Home) -> Tally:
    """Receipts and transfers put into the past while others issue today, across pools: values stay whole."""
    home.clock.now = home.clock.now.replace(day=5)
    _stock(home, ["B0", "B1"], 400, "W1", cost="3.17", day=TODAY - timedelta(days=4))
    _stock(home, ["B0", "B1"], 400, "W2", cost="2.83", day=TODAY - timedelta(days=4))

    def work(door: Door, number: int) -> object:
        code, other = ("B0", "B1") if number % 2 else ("B1", "B0")
        past = str(TODAY - timedelta(days=1 + number % 3))
        if number % 4 == 0:
            lines = [{"product": code, "qty": 5, "cost_price": "4.01"}, {"product": other, "qty": 2, "cost_price": "1"}]
            return do(door, "other_receipt", "approve", {"warehouse": "W1", "biz_date": past, "lines": lines}).document
        if number % 4 == 1:
            there, back = ("W1", "W2") if number % 8 == 1 else ("W2", "W1")
            data = {"from_warehouse": there, "to_warehouse": back, "biz_date": past}
            return do(
                door,
                "transfer",
                "approve",
                {**data, "lines": [{"product": code, "qty": 3}, {"product": other, "qty": 1}]},
            ).document
        lines = [{"product": code, "qty": 1}, {"product": other, "qty": 2}]
        return do(door, "other_issue", "approve", {"warehouse": "W1" if number % 3 else "W2", "lines": lines}).document

    done = _storm(storm, home, work, 2 * ROUNDS)
    assert (len(done.made), done.refused) == (2 * ROUNDS * WRITERS, {})
    return done


def allotting(storm: Crowd, home: Home) -> Tally:
    """Orders for goods that are not there, and goods that come in and are given to whoever waits, in crossing order."""
    codes = ["A0", "A1", "A2"]
    _stock(home, codes, 2)

    def work(door: Door, number: int) -> object:
        order = codes[number % 3 :] + codes[: number % 3]
        if number % 2:
            wanted = [{"product": code, "qty": 3, "price": 9} for code in order[: 1 + number % 3]]
            data = {"customer": "K1", "warehouse": "W1", "promise_date": "2026-01-20", "lines": wanted}
            return do(door, "sales_order", "approve", data).document
        brought = [{"product": code, "qty": 2, "cost_price": "1.5"} for code in order[::-1]]
        return do(door, "other_receipt", "approve", {"warehouse": "W1", "lines": brought}).document

    done = _storm(storm, home, work, ROUNDS)
    assert (len(done.made), done.refused) == (ROUNDS * WRITERS, {})
    query = (
        "SELECT p.f_code, sum(CASE WHEN b.ledger = 'stock' THEN b.quantity END), sum(CASE WHEN b.ledger = 'demand'"
        " THEN b.quantity END), sum(CASE WHEN b.ledger = 'reservation' THEN b.quantity END) FROM sys_balance b"
        " JOIN t_product p ON p.id = b.product WHERE b.grain = 'place' AND p.f_code LIKE 'A_' GROUP BY p.f_code"
    )
    with read(home.house.workspace(WORKSPACE).database) as connection:
        for code, stock, demand, reserved in connection.execute(sa.text(query)):
            assert reserved == min(stock, demand), (code, stock, demand, reserved)
    return done


def unapproving(storm: Crowd, home: Home) -> Tally:
    """Receipts are unapproved while their goods are issued: each is either issued or unapproved, never both."""
    whole = Tally()
    for turn in range(ROUNDS):
        code = f"U{turn}"
        receipt = _stock(home, [code], UNITS)[0]

        def work(door: Door, number: int, receipt: int = receipt, code: str = code) -> object:
            if number % 2:
                return "back", do(door, "other_receipt", "unapprove", document=receipt).document
            return "out", _issue(door, code, "W1", UNITS)

        done = _storm(storm, home, work, 1)
        assert len(done.made) == 1, done.made
        assert set(done.refused) <= UNAPPROVED_TOO_LATE, done.refused
        assert _on_hand(home, code) == {"W1": 0}
        _add(whole, done)
    return whole


def closing_days(storm: Crowd, home: Home) -> Tally:
    """A day is closed while documents are dated in it: what the closing counted is what there is afterwards."""
    _stock(home, ["C0"], 1000, "W2", day=TODAY - timedelta(days=3))
    day = TODAY - timedelta(days=2)
    with read(home.house.workspace(WORKSPACE).database) as connection:
        place = int(connection.execute(sa.text("SELECT id FROM t_warehouse WHERE f_code = 'W2'")).scalar_one())

    def close(connection: Connection) -> int:
        closings.hold_alone(connection)
        counted = _dated(connection, place, day)
        row = {"kind": "day", "warehouse": place, "through": day, "closed_at": home.clock(), "closed_by": 1}
        connection.execute(closing.insert(), {**row, "report": {}, "reason": ""})
        return counted

    def work(door: Door, number: int) -> object:
        if number == 2 * WRITERS + WRITERS // 2:
            return "closed", in_transaction(door.workspace.database, close)
        return "posted", _issue(door, "C0", "W2", 1, day)

    done = _storm(storm, home, work, 4)
    counted = next(answer[1] for answer in done.made if answer[0] == "closed")  # type: ignore[index]
    posted = len(done.made) - 1
    with read(home.house.workspace(WORKSPACE).database) as connection:
        assert _dated(connection, place, day) == counted
    assert set(done.refused) == {"ledger.closed"} and posted + done.refused["ledger.closed"] == 4 * WRITERS - 1
    assert _on_hand(home, "C0") == {"W2": 1000 - posted}
    return done


SCENES = {
    "last units": last_units,
    "one key": one_key,
    "opposite transfers": opposite_transfers,
    "back-dated": back_dated,
    "orders against receipts": allotting,
    "unapprove against issue": unapproving,
    "close against post": closing_days,
}


def _storm(storm: Crowd, home: Home, work: object, turns: int) -> Tally:
    home.house.close()
    return storm.at_once(work, turns)  # type: ignore[arg-type]


def _add(whole: Tally, part: Tally) -> None:
    whole.made += part.made
    whole.refused += part.refused
    whole.slowest = max(whole.slowest, part.slowest)
    whole.seconds += part.seconds


def _stock(
    home: Home, codes: list[str], quantity: int, warehouse: str = "W1", cost: str = "1.37", day: date = TODAY
) -> list[int]:
    door = home.everybody()
    with read(door.workspace.database) as connection:
        known = set(connection.execute(sa.text("SELECT f_code FROM t_product")).scalars())
    for code in codes:
        if code not in known:
            do(door, "product", "save", {"code": code, "name": code, "category": "C1", "base_unit": "件"})
    lines = [{"product": code, "qty": quantity, "cost_price": cost} for code in codes]
    data = {"warehouse": warehouse, "biz_date": str(day), "lines": lines}
    return [do(door, "other_receipt", "approve", data).document]


def _issue(door: Door, code: str, warehouse: str, quantity: int = 1, day: date = TODAY) -> int:
    data = {"warehouse": warehouse, "biz_date": str(day), "lines": [{"product": code, "qty": quantity}]}
    return do(door, "other_issue", "approve", data).document


def _on_hand(home: Home, code: str) -> dict[str, int]:
    query = (
        "SELECT w.f_code, b.quantity FROM sys_balance b JOIN t_product p ON p.id = b.product"
        " JOIN t_warehouse w ON w.id = b.warehouse"
        " WHERE b.ledger = 'stock' AND b.grain = 'place' AND p.f_code = :code"
    )
    with read(home.house.workspace(WORKSPACE).database) as connection:
        rows = connection.execute(sa.text(query), {"code": code}).all()
    return {warehouse: quantity // 10**6 for warehouse, quantity in rows}


def _dated(connection: Connection, warehouse: int, day: date) -> int:
    query = "SELECT count(*) FROM sys_entry WHERE warehouse = :warehouse AND biz_date <= :day"
    return int(connection.execute(sa.text(query), {"warehouse": warehouse, "day": str(day)}).scalar_one())


def _deadlocks(home: Home) -> int:
    """Deadlocks PostgreSQL has broken; each was repeated, and nobody was told."""
    database = home.house.workspace(WORKSPACE).database
    if database.is_sqlite:
        return 0
    query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    with read(database) as connection:
        return int(connection.execute(sa.text(query)).scalar_one())


def _clean(home: Home, name: str) -> None:
    """Balances are what the entries add up to, nothing is below zero, no pool keeps value without goods;
    the independent checker says the same."""
    report = verify(home.house, WORKSPACE)
    assert report.differences == (), name
    with read(home.house.workspace(WORKSPACE).database) as connection:
        wrong = connection.execute(
            sa.text(
                "SELECT key, quantity, value FROM sys_balance WHERE ledger = 'stock' AND (quantity < 0 OR"
                " (grain = 'cost' AND quantity = 0 AND value <> 0))"
                " AND grain IN ('place', 'cost')"
            )
        ).all()
    assert wrong == [], name
    assert_checker_agrees(home.house, WORKSPACE)
