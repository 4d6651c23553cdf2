"""Seals bind what was posted, once, whoever seals at the same moment."""

from __future__ import annotations

import threading
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from engine.definitions.app import AppSettings
from engine.ledger import Entry, keys_of, ledgers
from engine.ledger.chain import digest
from runtime.facade import closings
from runtime.jobs.contract import JobContext
from runtime.sealing import SEAL, seal, sealing_handler
from runtime.storage import ledgers as storage
from runtime.storage import seals
from runtime.storage.database import Database, read, write
from tests.contracts.storage_contract import AT, DAY
from tests.houses import CATALOG, WORKSPACE, do, furnished, make_home

DECLARED = ledgers(AppSettings())


def receive(database: Database, product: int) -> None:
    """Post a receipt of one unit."""
    entry = Entry(
        ledger="stock", product=product, warehouse=1, quantity=Decimal(1), value=Decimal(3), move="purchase_in",
        form="receipt", document=1, biz_date=DAY,
    )  # fmt: skip
    with write(database) as connection:
        balances = dict(storage.lock_balances(connection, keys_of(DECLARED["stock"], entry)))
        balances = {key: balance.plus(entry) for key, balance in balances.items()}
        _, kept = storage.append_entries(connection, [entry], AT, 7, balances, DECLARED)
        storage.save_balances(connection, kept)


def test_a_seal_binds_the_chains_that_grew(empty: Database) -> None:
    assert seal(empty, AT) is None
    receive(empty, 1)
    receive(empty, 2)
    first = seal(empty, AT)
    receive(empty, 2)
    second = seal(empty, AT)
    assert first is not None and second is not None
    with read(empty) as connection:
        made, heads = seals.every(connection), list(seals.heads(connection))
    assert made == (first, second)
    assert (first.chains, second.chains, first.previous, second.previous) == (2, 1, "", first.digest)
    bound = [head for number, head in heads if number == second.id]
    assert [(key, entries) for key, entries, _ in bound] == [("stock|place|p2|w1", 2)]
    assert second.digest == digest(first.digest, bound)
    assert seal(empty, AT) == second


def test_two_workers_make_one_seal(empty: Database) -> None:
    receive(empty, 1)
    start, made = threading.Barrier(4), []

    def work() -> None:
        start.wait()
        made.append(seal(empty, AT))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with read(empty) as connection:
        assert [one.digest for one in seals.every(connection)] == [made[0].digest]
    assert len({one.digest for one in made}) == 1


def test_seals_cannot_be_changed(empty: Database) -> None:
    receive(empty, 1)
    seal(empty, AT)
    for table in ("sys_seal", "sys_seal_head"):
        with pytest.raises(Exception, match="append-only"), write(empty) as connection:
            connection.exec_driver_sql(f"DELETE FROM {table}")


def test_the_job_seals_every_workspace(empty: Database) -> None:
    class Place:
        key = "acme"
        database = empty

    receive(empty, 1)
    at = datetime(2026, 3, 1, 9, 7)
    steps: list[tuple[int, int]] = []
    context = JobContext(
        job_id="1", kind=SEAL, open_workspace=lambda key: Place(), progress=lambda *each: steps.append(each)
    )
    sealing_handler(lambda: ("acme",), lambda: at)(context, {})
    sealing_handler(lambda: ("acme",), lambda: replace_day(at))(context, {})
    with read(empty) as connection:
        assert [one.sealed_at for one in seals.every(connection)] == [at]
    assert steps == [(0, 1), (0, 1)]


def test_closing_a_month_seals(house_url: str | None, tmp_path: Path) -> None:
    home = make_home(tmp_path, CATALOG / "general", house_url)
    door = furnished(home)
    line = {"product": "A032", "qty": 10, "cost_price": 2}
    do(door, "other_receipt", "approve", {"warehouse": "W1", "lines": [line]})
    home.clock.wait(days=30)
    closings.close(door, "2026-01")
    with read(home.house.workspace(WORKSPACE).database) as connection:
        assert [(one.sealed_at, one.chains) for one in seals.every(connection)] == [(home.clock.now, 1)]
    home.house.close()


def replace_day(at: datetime) -> datetime:
    """The same moment a day later."""
    return at.replace(day=at.day + 1)
