"""What grows: a document put into the past, tracing a lot, the month's in and out, and writers side by side.

Measured inside the process, without HTTP. The floor of the back-dated document works out the moving average of the same
entries in plain integers and inserts as many rows in one statement: what has to be done whoever does it.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from statistics import median

import sqlalchemy as sa

from bench.company import Company, door_of, open_house
from bench.fill import FIRST_DAY, fill_issues, fill_lots
from engine.ledger.entry import NAMES
from runtime.facade import documents, trace
from runtime.facade.documents import Command, patch_from_json
from runtime.facade.door import Door
from runtime.house import House
from runtime.storage.database import Connection, read, write

WRITERS = (1, 4, 16)
REPEATS = 5
MONTH = "SELECT product, warehouse, move, sum(quantity), sum(value) FROM sys_balance WHERE grain = 'month' AND month = "


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """One figure: seconds (or documents per second), and of the floor where there is one."""

    what: str
    measured: float
    unit: str
    target: str = ""
    floor: float | None = None


def grown(house: House, company: Company, products: tuple[int, ...], later: int, traced: int) -> list[Scale]:
    """Every case of one database.

    Args:
        later: entries behind the back-dated document. traced: entries with lots.
    """
    door = door_of(house, company.workspace)
    behind, lotted = products[-1], products[-2]
    fill_issues(house, company, behind, FIRST_DAY, later)
    seconds = _took(lambda: _back_dated(door, company, behind))
    with read(door.workspace.database) as connection:
        derived = connection.execute(
            sa.text("SELECT count(*) FROM sys_entry WHERE product = :product AND basis = 'derived'"),
            {"product": behind},
        ).scalar_one()
    floor = _took(lambda: _floor(door, behind, derived))
    found = [
        Scale(
            what=f"Back-dated receipt behind {later:,} entries of its product, {derived:,} of them corrected",
            measured=seconds, unit="s", target="≤ 2 s", floor=floor,
        )
    ]  # fmt: skip
    lot = fill_lots(house, company, lotted, traced)
    took = median(_took(lambda: trace.trace(door, lotted, lot)) for _ in range(REPEATS))
    found.append(
        Scale(what=f"Trace of a lot among {traced:,} entries with lots", measured=took, unit="s", target="≤ 1 s")
    )
    return found


def monthly(house: House, company: Company, entries: int) -> Scale:
    """收发存 of a month over every product and warehouse, from the balances."""
    door = door_of(house, company.workspace)
    month = FIRST_DAY.year * 100 + FIRST_DAY.month

    def report() -> None:
        with read(door.workspace.database) as connection:
            connection.execute(sa.text(f"{MONTH}:month GROUP BY product, warehouse, move"), {"month": month}).all()

    took = median(_took(report) for _ in range(REPEATS))
    return Scale(what=f"Figures of a month's 收发存, {entries:,} entries", measured=took, unit="s", target="≤ 1 s")


def side_by_side(house: House, company: Company, products: tuple[int, ...], total: int) -> list[Scale]:
    """Receipts of one line per second by 1, 4 and 16 processes, no two of which touch the same product."""
    found = []
    house.close()
    for writers in WRITERS:
        context = multiprocessing.get_context("fork")
        gate, answers = context.Barrier(writers), context.SimpleQueue()
        share = total // writers

        def run(place: int, share: int = share, gate: object = gate, answers: object = answers) -> None:
            own = open_house(house.settings)
            door = door_of(own, company.workspace)
            _receipt(door, company, products[place], None)
            gate.wait()  # type: ignore[attr-defined]
            began = time.monotonic()
            for _ in range(share):
                _receipt(door, company, products[place], None)
            answers.put((began, time.monotonic()))  # type: ignore[attr-defined]
            own.close()

        running = [context.Process(target=run, args=(place,)) for place in range(writers)]
        for one in running:
            one.start()
        times = [answers.get() for _ in running]
        for one in running:
            one.join()
        seconds = max(ended for _, ended in times) - min(began for began, _ in times)
        found.append(
            Scale(
                what=f"Receipts by {writers} writers on unrelated products",
                measured=share * writers / seconds,
                unit="/s",
            )
        )
    return found


def _took(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _back_dated(door: Door, company: Company, product: int) -> None:
    _receipt(door, company, product, date(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day + 1))


def _receipt(door: Door, company: Company, product: int, day: date | None) -> None:
    data: dict[str, object] = {
        "warehouse": company.warehouses[0],
        "lines": [{"product": product, "qty": 1_000, "cost_price": "7.5"}],
    }
    if day is not None:
        data["biz_date"] = str(day)
    patch = patch_from_json(door.bundle.forms["other_receipt"], data)
    documents.submit(door, Command(form="other_receipt", action="approve", patch=patch, origin="api", confirmed=True))


def _floor(door: Door, product: int, derived: int) -> None:
    """Read the entries, settle them in integers, insert rows like the corrections; rolled back."""
    names = ", ".join(f'"{name}"' for name in NAMES)
    query = f"SELECT {names} FROM sys_entry WHERE product = :product AND basis <> 'derived' ORDER BY biz_date, id"
    try:
        with write(door.workspace.database) as connection:
            rows = connection.execute(sa.text(query), {"product": product}).mappings().all()
            quantity, value, head = 0, 0, ""
            new = []
            top = _top(connection)
            for row in rows:
                change = row["quantity"]
                worth = row["value"] if change > 0 else change * value // quantity
                quantity, value = quantity + change, value + worth
                if change < 0 and len(new) < derived:
                    head = hashlib.sha256(f"{head}{row['id']}{worth}".encode()).hexdigest()
                    new.append(
                        {**row, "id": top + len(new), "quantity": 0, "value": worth, "basis": "derived", "hash": head}
                    )
            marks = ", ".join(f":{name}" for name in NAMES)
            connection.execute(sa.text(f"INSERT INTO sys_entry ({names}) VALUES ({marks})"), new)
            raise _Enough
    except _Enough:
        return


class _Enough(Exception):
    """The floor's work is undone."""


def _top(connection: Connection) -> int:
    return int(connection.execute(sa.text("SELECT max(id) + 1000000 FROM sys_entry")).scalar_one())
