"""Entries of the first kernel come over: their values stand, the chains are linked, and everything adds up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from engine.costing import method
from engine.definitions.app import AppSettings
from engine.ledger import BalanceKey, Entry, Start, added_up, keys_of, ledgers, live, pool_of
from engine.ledger.chain import link
from engine.ledger.course import differences, run
from engine.pools import PoolState
from runtime.storage import ledgers as storage
from runtime.storage import proofs
from runtime.storage.database import Database, open_database, read, write
from runtime.storage.migrate import FOLDER, migrate
from tests.stories.apps import ROOT

AT = datetime(2026, 1, 9, 8, 30)
APP = "settings: {cost_method: moving_average, cost_scope: SCOPE, money_decimals: 2}\n"
COLUMNS = (
    "id", "ledger", "product", "warehouse", "partner", "ref_form", "ref_document", "ref_line", "quantity", "value",
    "move", "form", "document", "line", "action", "batch", "biz_date", "mirror_of",
)  # fmt: skip
# What the first kernel wrote, quantities and amounts whole. Product 1: an order, its receipt, a sale, a receipt dated
# back behind it, a transfer. Product 2: all sold at the average of two receipts, of which one is then taken back, so
# that a remainder went to 成本差异.
ROWS: tuple[tuple[Any, ...], ...] = (
    (1, "supply", 1, 1, 0, "order", 5, 51, 10, 0, "order", "order", 5, 51, "approve", 1, 1, None),
    (2, "supply", 1, 1, 0, "order", 5, 51, -10, 0, "receipt", "receipt", 6, 61, "approve", 1, 2, None),
    (3, "stock", 1, 1, 0, "", 0, 0, 10, 100, "purchase_in", "receipt", 6, 61, "approve", 1, 2, None),
    (4, "payable", 0, 0, 9, "", 0, 0, 0, 113, "purchase_in", "receipt", 6, 0, "approve", 1, 2, None),
    (5, "stock", 1, 1, 0, "", 0, 0, -10, -100, "sale_out", "delivery", 7, 71, "approve", 1, 4, None),
    (6, "stock", 1, 1, 0, "", 0, 0, 4, 44, "purchase_in", "receipt", 8, 81, "approve", 1, 3, None),
    (7, "stock", 1, 1, 0, "", 0, 0, -2, -22, "transfer_out", "transfer", 9, 91, "approve", 1, 5, None),
    (8, "stock", 1, 2, 0, "", 0, 0, 2, 22, "transfer_in", "transfer", 9, 91, "approve", 1, 5, None),
    (9, "stock", 2, 1, 0, "", 0, 0, 10, 100, "purchase_in", "receipt", 10, 101, "approve", 1, 2, None),
    (10, "stock", 2, 1, 0, "", 0, 0, 10, 200, "purchase_in", "receipt", 11, 111, "approve", 1, 2, None),
    (11, "stock", 2, 1, 0, "", 0, 0, -10, -150, "sale_out", "delivery", 12, 121, "approve", 1, 3, None),
    (12, "stock", 2, 1, 0, "", 0, 0, -10, -200, "purchase_in_cancel", "receipt", 11, 111, "unapprove", 2, 2, 10),
    (13, "stock", 2, 1, 0, "", 0, 0, 0, 50, "residue", "receipt", 11, 111, "unapprove", 2, 2, None),
    (14, "variance", 2, 0, 0, "", 0, 0, 0, -50, "residue", "receipt", 11, 111, "unapprove", 2, 2, None),
)


def config(connection: sa.Connection) -> Config:
    """Alembic over an open transaction."""
    made = Config()
    made.set_main_option("script_location", str(FOLDER))
    made.attributes["connection"] = connection
    return made


@pytest.fixture(params=["company", "warehouse"])
def scope(request: pytest.FixtureRequest) -> str:
    """Whether all warehouses share one cost."""
    return str(request.param)


@pytest.fixture
def old(database_url: str, scope: str) -> Iterator[Database]:
    """A workspace of the first kernel with entries."""
    database = open_database(database_url)
    with write(database) as connection:
        command.upgrade(config(connection), "0001")
        tables = sa.MetaData()
        tables.reflect(connection)
        t = tables.tables
        published = {"app": "old", "published_at": AT, "publisher": "", "version": "1.0.0", "number": 1}
        files = '{"app.yaml":"' + APP.replace("SCOPE", scope).replace("\n", "\\n") + '"}'
        connection.execute(t["sys_snapshot"].insert(), {**published, "hash": "s1", "files": files})
        connection.execute(t["sys_current"].insert(), {"app": "old", "hash": "s1", "since": AT})
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]
        for row in rows:
            row |= {"quantity": row["quantity"] * 10**6, "value": row["value"] * 10**4, "posted_at": AT, "user": 7}
            row |= {"biz_date": date(2026, 1, row["biz_date"]), "snapshot": "s1"}
        connection.execute(t["sys_entry"].insert(), rows)
        if database.is_sqlite:
            connection.execute(t["sys_counter"].insert(), {"name": "id", "period": "", "value": len(ROWS)})
        else:
            connection.exec_driver_sql(f"SELECT setval('sys_id_seq', {len(ROWS)})")
    yield database
    database.close()


def test_old_entries_come_over(old: Database, scope: str) -> None:
    migrate(old)
    declared = ledgers(AppSettings(cost_scope=scope))
    with read(old) as connection:
        entries = storage.entries_from(connection.execute(storage.SELECT.order_by(sa.text("id"))))
        assert storage.fold(connection, declared) == ()
        kept = proofs.chain_heads(connection)
        assert proofs.guarded_after(connection) == len(ROWS)
        assert list(proofs.unequal_mirrors(connection)) == []
        assert list(proofs.left_on_reversed(connection)) == []
    heads: dict[str, tuple[int, str]] = {}
    for one in entries:
        ledger = declared[one.ledger]
        key = next(key for key in keys_of(ledger, one) if key.grain == ledger.chain).text
        number, head = heads.get(key, (0, ""))
        assert one.hash == link(head, one)
        heads[key] = (number + 1, one.hash)
    assert heads == kept
    assert [(one.quantity, one.value) for one in entries[: len(ROWS)]] == [(row[8], row[9]) for row in ROWS]


def test_costs_worked_out_anew_are_those_kept(old: Database, scope: str) -> None:
    """Product 2 holds nothing any more: what its sale took too much is a variance of that sale."""
    migrate(old)
    declared = ledgers(AppSettings(cost_scope=scope))
    with read(old) as connection:
        rows = live(proofs.course_of(connection, [1, 2], []))
        values = proofs.derived_sums(connection, variance=False)
        variances = proofs.derived_sums(connection, variance=True)
    start = Start(pools={pool_of(declared, one): PoolState() for one in rows}, rows=rows)
    ran = run(start, (), method("moving_average"), declared, 2)
    derived = {
        one.id or 0: (values.get(one.id or 0, Decimal(0)), variances.get(one.id or 0, Decimal(0))) for one in rows
    }
    assert differences(rows, ran, derived) == []
    assert {key: value for key, value in values.items() if value} == {11: Decimal(50)}
    assert {key: value for key, value in variances.items() if value} == {11: Decimal(-50)}


@pytest.fixture(params=[False, True], ids=["company", "lots of warehouses"])
def by_lot(request: pytest.FixtureRequest) -> bool:
    """Whether every lot of every warehouse has a cost of its own."""
    return bool(request.param)


def test_second_quantities_are_folded_into_the_balances(database_url: str, by_lot: bool) -> None:
    """Entries of goods kept by weight and by piece, posted before balances held the pieces."""
    scope = "warehouse" if by_lot else "company"
    declared = ledgers(AppSettings(cost_scope=scope, cost_by_lot=by_lot))
    place = {"ledger": "stock", "product": 1, "move": "in", "form": "receipt", "document": 3}
    posted = [
        Entry(
            **place, warehouse=warehouse, lot=lot, status=status, owner=owner, quantity=Decimal(quantity),
            aux=Decimal(aux), biz_date=date(2026, month, 3),
        )
        for warehouse, lot, status, owner, quantity, aux, month in (
            (1, "A", "", 0, "52.4", "5", 1), (1, "B", "", 0, "20.1", "2", 1), (2, "A", "frozen", 0, "9.5", "1", 1),
            (1, "A", "", 0, "-10", "-1", 2), (1, "A", "", 8, "30", "3", 2), (1, "", "", 0, "4", "0", 2),
        )
    ]  # fmt: skip
    database = open_database(database_url)
    with write(database) as connection:
        command.upgrade(config(connection), "head")
        keys = {key for entry in posted for key in keys_of(declared["stock"], entry)}
        balances = added_up(storage.lock_balances(connection, keys), posted, declared)
        _, balances = storage.append_entries(connection, posted, AT, 7, balances, declared)
        storage.save_balances(connection, balances)
    with write(database) as connection:
        # As the revision before left it.
        connection.exec_driver_sql("ALTER TABLE sys_balance DROP COLUMN aux")
        connection.exec_driver_sql("UPDATE sys_revision SET version_num = '0003'")
    migrate(database)
    with read(database) as connection:
        assert storage.fold(connection, declared) == ()
        kept = storage.read_balances(connection, [BalanceKey("stock", "place", product=1, warehouse=1)])
        assert [(one.quantity, one.aux) for one in kept.values()] == [(Decimal("96.5"), Decimal(9))]
    database.close()


def test_entries_are_guarded_again(old: Database) -> None:
    migrate(old)
    for statement in ("UPDATE sys_entry SET value = 0", "DELETE FROM sys_entry"):
        with pytest.raises(Exception, match="append-only"), write(old) as connection:
            connection.exec_driver_sql(statement)


def test_the_migration_knows_nothing_that_may_change() -> None:
    text = (Path(ROOT) / "runtime/migrations/ledger_kernel_data.py").read_text("utf-8")
    assert [line for line in text.splitlines() if line.startswith(("from engine", "from runtime"))] == []
