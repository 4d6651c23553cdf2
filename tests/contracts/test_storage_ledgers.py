"""Entries are kept for good, balances follow them, and folding finds whatever does not add up."""

from __future__ import annotations

import threading
from dataclasses import replace
from decimal import Decimal

import pytest

from engine.ledger import Balance, BalanceKey, Entry, keys_of, ledgers
from runtime.storage import ledgers as storage
from runtime.storage.database import Database, in_transaction, read, write
from runtime.storage.ledger_tables import balance
from tests.contracts.storage_contract import AT, DAY

DECLARED = ledgers("company")


def receipt(product: int, warehouse: int, quantity: str, value: str, **more: object) -> Entry:
    """A stock entry of document 1."""
    return Entry(
        ledger="stock", product=product, warehouse=warehouse, quantity=Decimal(quantity), value=Decimal(value),
        move="purchase_in", form="stock_in", document=1, line=product, biz_date=DAY, snapshot="s1", **more,
    )  # fmt: skip


def post(connection, entries: list[Entry]) -> None:
    """Append entries and carry the balances along."""
    wanted = {key for entry in entries for key in keys_of(DECLARED[entry.ledger], entry)}
    balances = dict(storage.lock_balances(connection, wanted))
    for entry in entries:
        for key in keys_of(DECLARED[entry.ledger], entry):
            balances[key] = balances[key].plus(entry.quantity, entry.value)
    storage.append_entries(connection, entries, AT, 7)
    storage.save_balances(connection, balances)


def test_entries_come_back_in_posting_order(empty: Database):
    order = {"ref_form": "order", "ref_document": 4, "ref_line": 41}
    entries = [receipt(1, 1, "2.5", "10.01"), receipt(2, 1, "-1", "-0.0001", **order)]
    with write(empty) as connection:
        first, second = storage.append_entries(connection, entries, AT, 7)
        mirror = replace(entries[0], quantity=Decimal("-2.5"), value=Decimal("-10.01"), mirror_of=first, batch=2)
        storage.append_entries(connection, [mirror], AT, 8)
    with read(empty) as connection:
        found = storage.entries_of(connection, "stock_in", 1)
        by_line = storage.entries_of_lines(connection, "stock_in", [2], "stock")
        assert storage.entries_of_lines(connection, "stock_in", [2], "supply") == ()
        assert storage.has_entries(connection)
    stored = [
        replace(entry, id=number, posted_at=AT, user=7) for entry, number in zip(entries, (first, second), strict=True)
    ]
    assert list(found[:2]) == stored
    assert (found[2].mirror_of, found[2].user, found[2].batch) == (first, 8, 2)
    assert by_line == (stored[1],)


def test_an_entry_is_mirrored_once(empty: Database):
    with write(empty) as connection:
        (first,) = storage.append_entries(connection, [receipt(1, 1, "1", "1")], AT, 7)
        storage.append_entries(connection, [receipt(1, 1, "-1", "-1", mirror_of=first)], AT, 7)
    with pytest.raises(Exception, match=r"(?i)unique"), write(empty) as connection:
        storage.append_entries(connection, [receipt(1, 1, "-1", "-1", mirror_of=first)], AT, 7)


def test_balances_are_locked_read_and_saved(empty: Database):
    keys = [BalanceKey("stock", "place", product=n, warehouse=n % 3) for n in range(1, 1201)]
    with write(empty) as connection:
        assert set(storage.lock_balances(connection, keys).values()) == {Balance()}
        storage.save_balances(connection, {key: Balance(Decimal(key.product), Decimal("0.5")) for key in keys})
    with write(empty) as connection:
        found = storage.lock_balances(
            connection, [*keys, keys[0], BalanceKey("supply", "line", ref_form="o", ref_line=4)]
        )
        storage.save_balances(connection, {keys[0]: Balance(Decimal(99), Decimal(1))})
    with read(empty) as connection:
        after = storage.read_balances(connection, keys[:2])
    assert len(found) == 1201
    assert all(found[key] == Balance(Decimal(key.product), Decimal("0.5")) for key in keys)
    assert after == {keys[0]: Balance(Decimal(99), Decimal(1)), keys[1]: Balance(Decimal(2), Decimal("0.5"))}


def test_nobody_posts_past_a_lock(empty: Database):
    """Eight keepers take one of five units, several keys each in different order: exactly five succeed."""
    with write(empty) as connection:
        post(connection, [receipt(1, 1, "5", "50"), receipt(2, 1, "5", "50")])
    outcomes: list[bool] = []

    def take(turn: int) -> None:
        pair = [receipt(1, 1, "-1", "-10"), receipt(2, 1, "-1", "-10")]
        pair = pair if turn % 2 else pair[::-1]

        def work(connection) -> bool:
            keys = [key for entry in pair for key in keys_of(DECLARED["stock"], entry)]
            held = storage.lock_balances(connection, keys)
            if any(each.quantity < 1 for each in held.values()):
                return False
            post(connection, pair)
            return True

        outcomes.append(in_transaction(empty, work, attempts=30))

    threads = [threading.Thread(target=take, args=(turn,)) for turn in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * 3 + [True] * 5
    with read(empty) as connection:
        assert storage.fold(connection, DECLARED) == ()
        left = storage.read_balances(connection, [BalanceKey("stock", "place", 1, 1)])
    assert set(left.values()) == {Balance(Decimal(0), Decimal(0))}


def test_two_first_postings_of_a_key_both_count(empty: Database):
    def work(product: int) -> None:
        in_transaction(
            empty,
            lambda connection: post(connection, [receipt(product, 1, "1", "2"), receipt(9, 1, "1", "2")]),
            attempts=30,
        )

    threads = [threading.Thread(target=work, args=(number,)) for number in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with read(empty) as connection:
        assert storage.fold(connection, DECLARED) == ()
        shared = storage.read_balances(connection, [BalanceKey("stock", "place", 9, 1)])
    assert set(shared.values()) == {Balance(Decimal(4), Decimal(8))}


def test_folding_finds_a_tampered_balance_and_rebuilding_mends_it(empty: Database):
    with write(empty) as connection:
        post(connection, [receipt(1, 1, "5", "50"), receipt(1, 2, "3", "30"), receipt(2, 1, "0.000001", "0.0001")])
        assert storage.fold(connection, DECLARED) == ()
        connection.execute(
            balance.update()
            .where(balance.c.grain == "place", balance.c.product == 1, balance.c.warehouse == 2)
            .values(quantity=Decimal("3.000001"))
        )
        connection.execute(balance.delete().where(balance.c.grain == "pool", balance.c.product == 2))
        storage.save_balances(connection, {BalanceKey("stock", "place", 77, 1): Balance(Decimal(1), Decimal(0))})
        found = storage.fold(connection, DECLARED)
        assert [(each.key.grain, each.key.product, each.folded, each.kept) for each in found] == [
            ("place", 1, Balance(Decimal(3), Decimal(30)), Balance(Decimal("3.000001"), Decimal(30))),
            ("place", 77, Balance(), Balance(Decimal(1), Decimal(0))),
            ("pool", 2, Balance(Decimal("0.000001"), Decimal("0.0001")), Balance()),
        ]
        storage.rebuild(connection, found)
        assert storage.fold(connection, DECLARED) == ()


def test_entries_are_paged_newest_first(empty: Database):
    with write(empty) as connection:
        storage.append_entries(connection, [receipt(1 + n % 2, 1, "1", "1") for n in range(10)], AT, 7)
    with read(empty) as connection:
        first = storage.entries_page(connection, "stock", product=1, limit=3)
        second = storage.entries_page(connection, "stock", product=1, limit=3, after=first[-1].id)
        assert storage.entries_page(connection, "stock", warehouse=2) == ()
    seen = [entry.id for entry in (*first, *second)]
    assert len(seen) == 5 and seen == sorted(seen, reverse=True)
