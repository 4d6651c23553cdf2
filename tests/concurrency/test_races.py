"""Several people at once on both databases: nothing is sold twice, nothing is lost, and nobody sees a lock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from engine.problems import Refused
from runtime.facade import documents, stock
from runtime.facade.door import Door
from runtime.storage.database import read
from runtime.verification import verify
from tests.checker import assert_checker_agrees
from tests.houses import CATALOG, WORKSPACE, Home, codes, do, furnished, make_home

CLIENTS = 8


@pytest.fixture
def home(tmp_path: Path, house_url: str | None) -> Home:
    return make_home(tmp_path, CATALOG / "general", house_url)


def at_once(work: Callable[[int], object], clients: int = CLIENTS) -> list[object]:
    """Run ``work`` in that many threads that start together; a refusal is a result."""
    barrier = threading.Barrier(clients)
    results: list[object] = [None] * clients

    def run(number: int) -> None:
        barrier.wait()
        try:
            results[number] = work(number)
        except Refused as refused:
            results[number] = refused

    threads = [threading.Thread(target=run, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def on_hand(door: Door) -> str:
    rows = stock.levels(door, nonzero=False).rows
    return (
        stock.figure(sum((row.figures["on_hand"] for row in rows), start=rows[0].figures["on_hand"] * 0))
        if rows
        else "0"
    )


def clean(home: Home, door: Door) -> None:
    assert verify(home.house, WORKSPACE).differences == ()
    assert_checker_agrees(home.house, WORKSPACE)
    with read(door.workspace.database) as connection:
        negative = connection.execute(
            text("SELECT count(*) FROM sys_balance WHERE ledger = 'stock' AND grain = 'place' AND quantity < 0")
        ).scalar_one()
    assert negative == 0


def test_the_last_units_are_sold_once(home: Home) -> None:
    door = furnished(home)
    do(
        door,
        "other_receipt",
        "approve",
        {"warehouse": "W1", "lines": [{"product": "A032", "qty": 24, "cost_price": 1}]},
    )
    sold = at_once(
        lambda number: do(door, "other_issue", "approve", {"warehouse": "W1", "lines": [{"product": "A032", "qty": 5}]})
    )
    refused = [one for one in sold if isinstance(one, Refused)]
    assert len(sold) - len(refused) == 4
    assert {code for one in refused for code in codes(one)} == {"ledger.insufficient"}
    assert on_hand(door) == "4"
    clean(home, door)


def test_an_order_is_not_received_twice(home: Home) -> None:
    door = furnished(home)
    order = do(
        door,
        "purchase_order",
        "approve",
        {
            "supplier": "S1",
            "warehouse": "W1",
            "arrive_date": "2026-01-20",
            "lines": [{"product": "A032", "qty": 100, "price": 10, "tax_rate": 13}],
        },
    )
    drafts = documents.push_patch(door, "purchase_order", order.document, "purchase_receipt")
    results = at_once(
        lambda number: documents.submit(
            door, documents.Command(form="purchase_receipt", action="approve", patch=drafts)
        )
    )
    refused = [one for one in results if isinstance(one, Refused)]
    assert len(results) - len(refused) == 1
    assert {code for one in refused for code in codes(one)} == {"document.over_source"}
    assert on_hand(door) == "100"
    clean(home, door)


def test_one_key_makes_one_document(home: Home) -> None:
    door = furnished(home)
    data = {"warehouse": "W1", "lines": [{"product": "A032", "qty": 3, "cost_price": 1}]}
    results = at_once(lambda number: do(door, "other_receipt", "approve", data, idempotency_key="k-1"))
    made = {getattr(one, "document", None) for one in results}
    assert len(made) == 1 and None not in made, results
    assert on_hand(door) == "3"
    clean(home, door)


def test_transfers_in_opposite_directions_do_not_block_each_other(home: Home) -> None:
    door = furnished(home)
    for warehouse in ("W1", "W2"):
        do(
            door,
            "other_receipt",
            "approve",
            {
                "warehouse": warehouse,
                "lines": [{"product": code, "qty": 50, "cost_price": 2} for code in ("A032", "A033")],
            },
        )

    def work(number: int) -> object:
        there, back = ("W1", "W2") if number % 2 else ("W2", "W1")
        products = ("A032", "A033") if number % 3 else ("A033", "A032")
        return do(
            door,
            "transfer",
            "approve",
            {
                "from_warehouse": there,
                "to_warehouse": back,
                "lines": [{"product": code, "qty": 2} for code in products],
            },
        )

    assert [one for one in at_once(work) if isinstance(one, Refused)] == []
    assert on_hand(door) == "200"
    clean(home, door)


def test_unapprove_against_approve_leaves_a_whole(home: Home) -> None:
    door = furnished(home)
    receipt = do(
        door,
        "other_receipt",
        "approve",
        {"warehouse": "W1", "lines": [{"product": "A032", "qty": 10, "cost_price": 1}]},
    )

    def work(number: int) -> object:
        if number == 0:
            return do(door, "other_receipt", "unapprove", document=receipt.document)
        return do(door, "other_issue", "approve", {"warehouse": "W1", "lines": [{"product": "A032", "qty": 10}]})

    results = at_once(work)
    assert len([one for one in results if not isinstance(one, Refused)]) == 1
    assert on_hand(door) == "0"
    clean(home, door)
