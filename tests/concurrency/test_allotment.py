"""Goods that come while orders are placed, and go while they are allotted: on both databases, all at once.

Whatever the order of commits, nothing is reserved that is not there, and nothing lies free while somebody waits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from engine.ledger import BalanceKey
from engine.problems import Refused
from runtime.facade.door import Door
from runtime.storage.database import read
from runtime.storage.locks import read_balances
from runtime.verification import verify
from tests.houses import CATALOG, WORKSPACE, Home, codes, do, furnished, make_home

CLIENTS = 8


@pytest.fixture
def home(tmp_path: Path, house_url: str | None) -> Home:
    return make_home(tmp_path, CATALOG / "general", house_url)


def at_once(work: Callable[[int], object]) -> list[object]:
    barrier, results = threading.Barrier(CLIENTS), [None] * CLIENTS

    def run(number: int) -> None:
        barrier.wait()
        try:
            results[number] = work(number)  # type: ignore[call-overload]
        except Refused as refused:
            results[number] = refused  # type: ignore[call-overload]

    threads = [threading.Thread(target=run, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return list(results)


def order(door: Door, quantity: int, day: int, kind: str = "normal") -> int:
    lines = [{"product": "A032", "qty": quantity, "price": 1}]
    values = {"customer": "K1", "warehouse": "W1", "order_type": kind, "promise_date": f"2026-02-{day:02}"}
    return do(door, "sales_order", "approve", {**values, "lines": lines}, confirmed=True).document


def receive(door: Door, quantity: int) -> int:
    lines = [{"product": "A032", "qty": quantity, "cost_price": 1}]
    return do(door, "other_receipt", "approve", {"warehouse": "W1", "lines": lines}).document


def figures(door: Door) -> dict[str, Decimal]:
    ledgers = ("stock", "reservation", "demand")
    with door.reading() as unit:
        products = unit.connection.exec_driver_sql("SELECT DISTINCT product FROM sys_balance WHERE ledger = 'demand'")
        product = products.scalar_one()
        place = unit.connection.exec_driver_sql("SELECT min(warehouse) FROM sys_balance WHERE ledger = 'demand'")
        warehouse = place.scalar_one()
    with read(door.workspace.database) as connection:
        keys = {name: BalanceKey(name, "place", product=product, warehouse=warehouse) for name in ledgers}
        found = read_balances(connection, keys.values())
    return {name: found[key].quantity for name, key in keys.items()}


def clean(home: Home) -> None:
    assert verify(home.house, WORKSPACE).differences == ()


def test_orders_and_receipts_meet(home: Home) -> None:
    door = furnished(home)
    results = at_once(
        lambda number: (
            receive(door, 10) if number % 2 else order(door, 10, number + 10, "rush" if number == 6 else "normal")
        )
    )
    assert [codes(one) for one in results if isinstance(one, Refused)] == []
    assert figures(door) == {"stock": 40, "reservation": 40, "demand": 40}
    clean(home)


def test_receipts_are_taken_back_while_orders_close_and_come(home: Home) -> None:
    door = furnished(home)
    receipts = [receive(door, 10) for _ in range(4)]
    orders = [order(door, 15, 10 + number) for number in range(4)]
    assert figures(door) == {"stock": 40, "reservation": 40, "demand": 60}
    more = receive(door, 20)

    def act(number: int) -> object:
        if number in (0, 1):
            return do(door, "other_receipt", "unapprove", document=receipts[number])
        if number == 2:
            return do(door, "other_receipt", "unapprove", document=more)
        if number in (3, 4):
            return do(door, "sales_order", "close", document=orders[number - 3], reason="race")
        return order(door, 4, number + 20)

    results = at_once(act)
    refused = [codes(one) for one in results if isinstance(one, Refused)]
    # What an order reserved on its approval is not taken from it: taking back a receipt it lives on may be refused.
    assert all(one == ["ledger.insufficient"] for one in refused)
    found = figures(door)
    assert found["reservation"] <= found["stock"]
    assert found["reservation"] == min(found["stock"], found["demand"])
    clean(home)
