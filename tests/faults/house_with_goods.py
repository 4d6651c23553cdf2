"""A general house with many products in stock, each of which may be issued once; issuing one makes one task."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from engine.problems import Refused
from runtime.facade.documents import Outcome
from runtime.facade.door import Door
from runtime.house import House
from runtime.jobs.inline import InlineJobs
from runtime.jobs.sweep import sweep
from runtime.storage.database import read
from tests.houses import CATALOG, WORKSPACE, Home, do, furnished, make_home

STOCK, SAFETY, ISSUED = 10, 5, 8


def stocked(folder: Path, url: str | None, products: int) -> Home:
    """Products ``P0000`` …, ten of each on hand; below five the safety rule asks a buyer to order."""
    home = make_home(folder, CATALOG / "general", url)
    door = furnished(home)
    codes = [f"P{number:04}" for number in range(products)]
    for code in codes:
        goods = {"code": code, "name": code, "category": "C1", "base_unit": "件", "safety_stock": str(SAFETY)}
        do(door, "product", "save", goods)
    lines = [{"product": code, "qty": STOCK, "cost_price": "1.37"} for code in codes]
    do(door, "other_receipt", "approve", {"warehouse": "W1", "lines": lines})
    home.jobs.drain()
    return home


def issue(door: Door, number: int) -> Outcome:
    """Take eight of the ten; the request carries a key, as one that is sent again after a lost answer."""
    lines = [{"product": f"P{number:04}", "qty": ISSUED}]
    return do(door, "other_issue", "approve", {"warehouse": "W1", "lines": lines}, idempotency_key=f"issue-{number}")


def recover(house: House, jobs: InlineJobs) -> None:
    """What a worker does at its start: hand over what was left behind, and perform it."""
    sweep(jobs, house.workspace(WORKSPACE), house.now())
    jobs.drain()


def counts(house: House) -> dict[str, int]:
    """How much there is of everything one issue makes."""
    queries = {
        "documents": "SELECT count(*) FROM t_other_issue",
        "lines": "SELECT count(*) FROM t_other_issue__lines",
        "entries": "SELECT count(*) FROM sys_entry WHERE form = 'other_issue'",
        "history": "SELECT count(*) FROM sys_history WHERE form = 'other_issue'",
        "outbox": "SELECT count(*) FROM sys_outbox WHERE kind = 'create_task'",
        "keys": "SELECT count(*) FROM sys_idempotency",
    }
    with read(house.workspace(WORKSPACE).database) as connection:
        return {name: int(connection.execute(sa.text(query)).scalar_one()) for name, query in queries.items()}


def tasks(house: House) -> int:
    """To-dos that issues have made."""
    with read(house.workspace(WORKSPACE).database) as connection:
        return int(connection.execute(sa.text("SELECT count(*) FROM sys_task WHERE kind = 'todo'")).scalar_one())


def refusal(door: Door, number: int) -> Refused | None:
    """The refusal of an issue, None when it was not refused."""
    try:
        issue(door, number)
    except Refused as refused:
        return refused
    return None
