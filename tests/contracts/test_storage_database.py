"""How a workspace database is opened, what a transaction is, and that the product tables are what they claim."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import DBAPIError

from engine.problems import Refused
from runtime.storage import counters, history, idempotency, ids
from runtime.storage.database import Database, in_transaction, open_database, read, write
from runtime.storage.migrate import VERSION_TABLE, is_current, migrate
from runtime.storage.product_tables import ALL_TABLES as PRODUCT
from runtime.storage.table_parts import APPEND_ONLY
from tests.contracts.storage_contract import AT


def test_sqlite_is_opened_with_the_settings_that_make_it_safe_and_fast(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'a.db'}", busy_timeout_ms=4321)
    with read(database) as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "temp_store")
        }
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 1,
        "foreign_keys": 1,
        "busy_timeout": 4321,
        "temp_store": 2,
    }
    database.close()


def test_only_writing_units_take_the_write_lock_at_once(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    begun: list[str] = []

    with read(database) as connection:
        connection.connection.dbapi_connection.set_trace_callback(begun.append)
    with read(database) as connection:
        connection.exec_driver_sql("SELECT 1")
    with write(database) as connection:
        connection.exec_driver_sql("SELECT 2")
    assert begun == ["ROLLBACK", "BEGIN", "SELECT 1", "ROLLBACK", "BEGIN IMMEDIATE", "SELECT 2", "COMMIT"]
    database.close()


def test_postgres_reads_committed_data_and_never_waits_for_ever(fresh_postgres_url):
    database = open_database(fresh_postgres_url)
    with read(database) as connection:
        shown = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in ("transaction_isolation", "lock_timeout", "statement_timeout", "timezone")
        }
    assert shown == {
        "transaction_isolation": "read committed",
        "lock_timeout": "10s",
        "statement_timeout": "2min",
        "timezone": "UTC",
    }
    database.close()


def test_migrating_leaves_no_difference_and_can_be_repeated(empty: Database):
    migrate(empty)
    with write(empty) as connection:
        assert is_current(connection)
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True, "version_table": VERSION_TABLE}
        )
        assert compare_metadata(context, PRODUCT) == []


def test_ddl_is_rolled_back(empty: Database):
    with pytest.raises(RuntimeError), write(empty) as connection:
        connection.exec_driver_sql("CREATE TABLE t_gone (id INTEGER)")
        connection.exec_driver_sql("ALTER TABLE sys_setting ADD COLUMN more TEXT")
        raise RuntimeError
    with read(empty) as connection:
        inspector = sa.inspect(connection)
        assert "t_gone" not in inspector.get_table_names()
        assert "more" not in {column["name"] for column in inspector.get_columns("sys_setting")}


def test_a_reading_unit_changes_nothing(empty: Database):
    with read(empty) as connection:
        counters.next_values(connection, "order", "2026", 5)
    with write(empty) as connection:
        assert counters.next_values(connection, "order", "2026") == 1


def test_a_conflict_is_retried_with_the_whole_unit(empty: Database):
    attempts: list[int] = []

    def work(connection: sa.Connection) -> int:
        attempts.append(1)
        first = counters.next_values(connection, "order", "2026")
        if len(attempts) < 3:
            raise _busy(empty)
        return first

    assert in_transaction(empty, work) == 1
    assert len(attempts) == 3


def test_a_conflict_that_stays_is_told(empty: Database):
    def work(_connection: sa.Connection) -> None:
        raise _busy(empty)

    with pytest.raises(Refused) as refused:
        in_transaction(empty, work, attempts=2)
    assert refused.value.kind == "busy"
    assert [problem.code for problem in refused.value.problems] == ["storage.busy"]


def test_a_writer_that_stays_in_the_way_is_told_and_then_forgotten(tmp_path):
    url = f"sqlite:///{tmp_path / 'a.db'}"
    other, mine = open_database(url), open_database(url, busy_timeout_ms=100)
    migrate(other)
    with write(other) as connection:
        counters.next_values(connection, "order", "2026")
        with pytest.raises(Refused, match=r"storage\.busy"):
            in_transaction(mine, lambda own: counters.next_values(own, "order", "2026"), attempts=2)
        with read(mine) as own:  # who only looks does not wait
            assert own.exec_driver_sql("SELECT count(*) FROM sys_counter").scalar_one() == 0
    assert in_transaction(mine, lambda own: counters.next_values(own, "order", "2026")) == 2
    other.close()
    mine.close()


def test_other_errors_are_not_retried(empty: Database):
    attempts: list[int] = []

    def work(connection: sa.Connection) -> None:
        attempts.append(1)
        connection.exec_driver_sql("SELECT * FROM nowhere")

    with pytest.raises(DBAPIError):
        in_transaction(empty, work)
    assert len(attempts) == 1


def test_concurrent_counters_give_every_number_once_and_leave_no_gap(empty: Database):
    taken: list[int] = []
    lock = threading.Lock()

    def take() -> None:
        for turn in range(8):

            def work(connection: sa.Connection, fails: bool = turn == 3) -> int:
                first = counters.next_values(connection, "order", "20260120", 2)
                if fails:
                    raise KeyError  # rolled back: its numbers go to the next
                return first

            try:
                first = in_transaction(empty, work, attempts=30)
            except KeyError:
                continue
            with lock:
                taken.extend((first, first + 1))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(1, 4 * 7 * 2 + 1))


def test_counters_start_anew_in_every_period(empty: Database):
    with write(empty) as connection:
        assert counters.next_values(connection, "order", "202601", 3) == 1
        assert counters.next_values(connection, "order", "202601") == 4
        assert counters.next_values(connection, "order", "202602") == 1
        assert counters.next_values(connection, "receipt", "202601") == 1


def test_ids_rise_and_never_repeat(empty: Database):
    with write(empty) as connection:
        first = list(ids.allocate(connection, 3))
        assert ids.allocate(connection, 0) == ()
    with write(empty) as connection:
        second = list(ids.allocate(connection, 2))
    assert len(first) == 3 and first == sorted(first) and second == sorted(second) and first[-1] < second[0]


@pytest.mark.parametrize("change", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}"])
def test_append_only_tables_refuse_changes(empty: Database, change: str):
    columns = {name: next(column.name for column in PRODUCT.tables[name].columns) for name in APPEND_ONLY}
    row = history.HistoryRow(form="f", document=1, version=1, at=AT, user=1, user_name="u", action="create")
    for name in APPEND_ONLY:
        with pytest.raises(DBAPIError, match="append-only"), write(empty) as connection:
            _one_row(connection, name, row)
            connection.exec_driver_sql(change.format(name, columns[name]))


def test_an_idempotency_key_belongs_to_its_user_and_a_race_is_a_conflict(empty: Database):
    with write(empty) as connection:
        idempotency.save(connection, "k", 1, "abc", {"document": 5}, AT)
    with read(empty) as connection:
        found = idempotency.find(connection, "k", 1)
        assert found is not None and (found.fingerprint, found.outcome["document"]) == ("abc", 5)
        assert idempotency.find(connection, "k", 2) is None
    outcomes: list[object] = []

    def work(connection: sa.Connection) -> None:
        # The first attempt behaves like a request that looked before the other one committed.
        known = idempotency.find(connection, "k", 1) if outcomes else None
        outcomes.append(known)
        if known is None:
            idempotency.save(connection, "k", 1, "abc", {"document": 6}, AT)

    if empty.is_sqlite:
        return  # one writer at a time: the race cannot happen
    in_transaction(empty, work)
    assert outcomes[0] is None and outcomes[1].outcome["document"] == 5


def test_what_is_remembered_can_be_forgotten(empty: Database):
    with write(empty) as connection:
        idempotency.save(connection, "old", 1, "a", {}, AT - timedelta(days=40))
        idempotency.save(connection, "new", 1, "a", {}, AT)
        assert idempotency.forget(connection, AT - timedelta(days=30)) == 1
        assert idempotency.find(connection, "new", 1) is not None


def _busy(database: Database) -> DBAPIError:
    """What the driver says when another writer is in the way."""
    if database.is_sqlite:
        import sqlite3

        original: Exception = sqlite3.OperationalError("database is locked")
        original.sqlite_errorcode = sqlite3.SQLITE_BUSY  # type: ignore[attr-defined]
    else:
        import psycopg

        original = psycopg.errors.DeadlockDetected("deadlock detected")
    return DBAPIError("statement", {}, original)


def _one_row(connection: sa.Connection, name: str, row: history.HistoryRow) -> None:
    """A row in the append-only table, whatever its columns."""
    values: dict[str, object] = {}
    for column in PRODUCT.tables[name].columns:
        if column.nullable:
            continue
        kind = type(column.type).__name__
        values[column.name] = {"DateTime": row.at, "Date": row.at.date(), "Text": "x", "JsonText": {}}.get(kind, 1)
    connection.execute(PRODUCT.tables[name].insert(), values)
