"""Entries are kept for good, balances follow them, and folding finds whatever does not add up."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.definitions.app import AppSettings
from engine.ledger import Balance, BalanceKey, Entry, key_at, keys_of, ledgers
from engine.ledger.chain import link
from runtime.storage import courses
from runtime.storage import ledgers as storage
from runtime.storage.database import Database, in_transaction, read, write
from runtime.storage.ledger_tables import balance
from tests.contracts.storage_contract import AT, DAY

DECLARED = ledgers(AppSettings())


def receipt(product: int, warehouse: int, quantity: str, value: str, **more: object) -> Entry:
    """A stock entry of document 1."""
    return Entry(
        ledger="stock", product=product, warehouse=warehouse, quantity=Decimal(quantity), value=Decimal(value),
        move="purchase_in", form="stock_in", document=1, line=product, biz_date=DAY, snapshot="s1", **more,
    )  # fmt: skip


def post(connection, entries: Sequence[Entry], user: int = 7) -> tuple[Entry, ...]:
    """Append entries and carry the balances along."""
    wanted = {key for entry in entries for key in keys_of(DECLARED[entry.ledger], entry)}
    balances = dict(storage.lock_balances(connection, wanted))
    for entry in entries:
        for key in keys_of(DECLARED[entry.ledger], entry):
            balances[key] = balances[key].plus(entry)
    kept, balances = storage.append_entries(connection, entries, AT, user, balances, DECLARED)
    storage.save_balances(connection, balances)
    return kept


def test_entries_come_back_in_posting_order(empty: Database):
    order = {"ref_form": "order", "ref_document": 4, "ref_line": 41}
    entries = [receipt(1, 1, "2.5", "10.01"), receipt(2, 1, "-1", "-0.0001", **order)]
    with write(empty) as connection:
        stored = post(connection, entries)
        first = stored[0].id
        mirror = entries[0]._replace(quantity=Decimal("-2.5"), value=Decimal("-10.01"), mirror_of=first, batch=2)
        post(connection, [mirror], 8)
    with read(empty) as connection:
        found = storage.entries_of(connection, "stock_in", 1)
        by_line = storage.entries_of_lines(connection, "stock_in", [2], "stock")
        assert storage.entries_of_lines(connection, "stock_in", [2], "supply") == ()
        assert storage.has_entries(connection)
    plain = [entry._replace(id=None, posted_at=None, user=0, hash="") for entry in stored]
    assert plain == entries
    assert found[:2] == stored
    assert (found[2].mirror_of, found[2].user, found[2].batch) == (first, 8, 2)
    assert by_line == (stored[1],)


def test_what_depends_on_entries_is_found_by_the_index_of_origins(empty: Database):
    with write(empty) as connection:
        (first,) = post(connection, [receipt(1, 1, "5", "50")])
        (share,) = post(connection, [receipt(1, 1, "0", "3", origin=first.id, basis="share")])
        post(connection, [receipt(1, 1, "0", "1", origin=first.id)._replace(ledger="variance", warehouse=0)])
        said: list[str] = []
        if empty.is_sqlite:  # the other database has figures to plan by
            connection.connection.driver_connection.set_trace_callback(said.append)
        found = courses.depending_on(connection, [first.id or 0, share.id or 0], ("stock", "wip"))
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}").all() for sql in said[:1]]
    assert list(found) == [share]
    assert ["ix_sys_entry_origin" in plan[0][3] for plan in plans] == [True] * empty.is_sqlite


def test_entries_are_linked_in_the_chain_of_their_place(empty: Database):
    entries = [receipt(1, 1, "1", "2"), receipt(1, 2, "1", "2"), receipt(1, 1, "3", "4")]
    with write(empty) as connection:
        post(connection, entries[:2])
        post(connection, entries[2:])
    with read(empty) as connection:
        first, elsewhere, second = storage.entries_of(connection, "stock_in", 1)
        places = {key_at(DECLARED["stock"], "place", one): one for one in (first, elsewhere, second)}
        heads = storage.read_balances(connection, places)
    assert first.hash == link("", first) and elsewhere.hash == link("", elsewhere)
    assert second.hash == link(first.hash, second)
    assert {key: one.hash for key, one in places.items()} == {key: held.head for key, held in heads.items()}


def test_keys_are_those_of_the_app_and_the_entry_they_are_asked_for():
    entry = receipt(1, 1, "1", "1")
    later, owned = entry._replace(biz_date=DAY + timedelta(days=31)), entry._replace(owner=4)
    scopes = [ledgers(AppSettings(cost_scope=scope))["stock"] for scope in ("company", "warehouse")]
    for _ in range(2):  # what is remembered of one is not told of another
        assert [key_at(one, "cost", entry).warehouse for one in scopes] == [0, 1]
        assert [[key.grain for key in keys_of(one, entry)] for one in scopes] == [["place", "cost", "month"]] * 2
        assert key_at(scopes[0], "month", later).month != key_at(scopes[0], "month", entry).month == entry.month
        assert [key.grain for key in keys_of(scopes[0], owned)] == ["place", "month", "detail", "unusable"]


def test_an_entry_is_mirrored_once(empty: Database):
    with write(empty) as connection:
        (first,) = post(connection, [receipt(1, 1, "1", "1")])
        post(connection, [receipt(1, 1, "-1", "-1", mirror_of=first.id)])
    with pytest.raises(Exception, match=r"(?i)unique"), write(empty) as connection:
        post(connection, [receipt(1, 1, "-1", "-1", mirror_of=first.id)])


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
    assert [(one.quantity, one.value, one.entries) for one in left.values()] == [(Decimal(0), Decimal(0), 6)]


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
    assert [(one.quantity, one.value, one.entries) for one in shared.values()] == [(Decimal(4), Decimal(8), 4)]


def test_folding_finds_a_tampered_balance_and_rebuilding_mends_it(empty: Database):
    entries = [receipt(1, 1, "5", "50"), receipt(1, 2, "3", "30"), receipt(2, 1, "0.000001", "0.0001")]
    later = entries[2]._replace(biz_date=DAY + timedelta(days=1))
    with write(empty) as connection:
        post(connection, [*entries, later])
        assert storage.fold(connection, DECLARED) == ()
        place = (balance.c.grain == "place", balance.c.product == 1, balance.c.warehouse == 2)
        connection.execute(balance.update().where(*place).values(quantity=Decimal("3.000001")))
        connection.execute(balance.delete().where(balance.c.grain == "cost", balance.c.product == 2))
        connection.execute(
            balance.update().where(balance.c.grain == "place", balance.c.product == 2).values(last_day=DAY)
        )
        invented = BalanceKey("stock", "place", product=77, warehouse=1)
        storage.save_balances(connection, {invented: Balance(Decimal(1), Decimal(0))})
        found = storage.fold(connection, DECLARED)
        assert [(each.key.grain, each.key.product, _figures(each.folded), _figures(each.kept)) for each in found] == [
            ("cost", 2, ("0.000002", "0.0002", later.biz_date, 2), ("0", "0", None, 0)),
            ("place", 1, ("3", "30", DAY, 1), ("3.000001", "30", DAY, 1)),
            ("place", 2, ("0.000002", "0.0002", later.biz_date, 2), ("0.000002", "0.0002", DAY, 2)),
            ("place", 77, ("0", "0", None, 0), ("1", "0", None, 0)),
        ]
        storage.rebuild(connection, found)
        assert storage.fold(connection, DECLARED) == ()


def test_second_quantities_add_up_like_the_others(empty: Database):
    """At every grain, and by lot; goods without one keep none."""
    entries = [
        receipt(1, 1, "52.4", "30", lot="A", aux=Decimal(5)), receipt(1, 1, "20.1", "9", lot="B", aux=Decimal(2)),
        receipt(1, 1, "-10", "-6", lot="A", aux=Decimal("-1.5")), receipt(2, 1, "7", "1"),
    ]  # fmt: skip
    with write(empty) as connection:
        post(connection, entries)
        assert storage.fold(connection, DECLARED) == ()
        keys = [BalanceKey("stock", "place", 1, 1), BalanceKey("stock", "detail", 1, 1, lot="A")]
        keys.append(BalanceKey("stock", "place", 2, 1))
        kept = storage.lock_balances(connection, keys)
        assert [(kept[key].quantity, kept[key].aux) for key in keys] == [
            (Decimal("62.5"), Decimal("5.5")), (Decimal("42.4"), Decimal("3.5")), (Decimal(7), Decimal(0)),
        ]  # fmt: skip
        connection.execute(balance.update().where(balance.c.key == keys[0].text).values(aux=Decimal(5)))
        found = storage.fold(connection, DECLARED)
        assert [(one.text, one.kept.aux, one.folded.aux) for one in found] == [(keys[0].text, 5, Decimal("5.5"))]
        storage.rebuild(connection, found)
        assert storage.fold(connection, DECLARED) == ()


def _figures(one: Balance) -> tuple[object, ...]:
    return f"{one.quantity.normalize():f}", f"{one.value.normalize():f}", one.last_day, one.entries


def test_entries_are_paged_newest_first(empty: Database):
    with write(empty) as connection:
        post(connection, [receipt(1 + n % 2, 1, "1", "1") for n in range(10)])
    with read(empty) as connection:
        first = storage.entries_page(connection, "stock", product=1, limit=3)
        second = storage.entries_page(connection, "stock", product=1, limit=3, after=first[-1].id)
        assert storage.entries_page(connection, "stock", warehouse=2) == ()
    seen = [entry.id for entry in (*first, *second)]
    assert len(seen) == 5 and seen == sorted(seen, reverse=True)
