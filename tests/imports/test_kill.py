"""A busy import is killed without warning, twenty times; taken up again it ends complete, with nothing lost or doubled.

The importing process is a fork: it opens the workspace by itself and dies by SIGKILL at a random moment. Half of the
kills hit an import of master data, half one whose documents post to the stock ledger.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from engine.built_in import built_in_kinds
from engine.kinds import Kinds
from runtime.facade import accounts, imports, lists, stock
from runtime.house_jobs import inline_house
from runtime.messages.catalogue import Catalogue, load_catalogue
from runtime.settings import Settings
from runtime.verification import verify
from tests.houses import CATALOG, WORKSPACE, furnished, make_home, published_apps
from tests.imports.sheets import csv, product

KILLS = 10
PRODUCTS = 5_000
LINES = 1_500
PER_DOCUMENT = 3
LATEST_S = 0.3
GIVE_UP_S = 60.0


@pytest.fixture
def settings(tmp_path: Path, house_url: str | None) -> Settings:
    return Settings(data_dir=tmp_path, database_url=house_url, test_mode=True)


def test_twenty_kills_lose_and_double_nothing(settings: Settings) -> None:
    home = make_home(settings.data_dir, CATALOG / "general", settings.database_url)
    door = furnished(home)
    batches = [
        imports.upload(door, "product", "products.csv", [csv(product(number) for number in range(PRODUCTS))]),
        imports.upload(door, "opening_stock", "opening.csv", [_opening()]),
    ]
    imports.configure(door, batches[1], action="approve")
    home.house.close()
    kinds, catalogue = built_in_kinds(), load_catalogue()
    kills = 0
    for batch in batches:
        chance = random.Random(batch)
        for _ in range(KILLS):
            kills += _killed(
                lambda batch=batch: _import(settings, kinds, catalogue, batch), chance.uniform(0.05, LATEST_S)
            )
        assert _finished(lambda batch=batch: _import(settings, kinds, catalogue, batch))
    assert kills >= KILLS, "the imports ended before they could be killed"

    house, _ = inline_house(settings, kinds, catalogue)
    try:
        after = accounts.user_door(house, WORKSPACE, "everybody")
        products, opening = (imports.progress(after, batch) for batch in batches)
        assert (products.state, products.created, products.failed) == ("done", PRODUCTS, 0)
        assert lists.count(after, "product", None, PRODUCTS * 2) == PRODUCTS + 2
        assert (opening.state, opening.created, opening.failed) == ("done", LINES // PER_DOCUMENT, 0)
        rows = stock.levels(after, limit=LINES * 2).rows
        assert len(rows) == LINES
        assert sum(row.figures["on_hand"] for row in rows) == Decimal(LINES * 7)
        assert verify(house, WORKSPACE).differences == ()
    finally:
        house.close()


def _opening() -> bytes:
    heads = ("单据编号", "仓库", "商品编码", "单位", "期初数量", "成本单价")
    rows = ((f"D{line // PER_DOCUMENT:04}", "W1", f"P{line:06}", "件", "7", "3.5") for line in range(LINES))
    return csv(rows, heads)


def _import(settings: Settings, kinds: Kinds, catalogue: Catalogue, batch: int) -> None:
    house, _ = inline_house(settings, kinds, catalogue)
    house.apps = published_apps(CATALOG / "general")  # else most kills would hit the reading of definitions
    door = accounts.user_door(house, WORKSPACE, "everybody")
    if imports.progress(door, batch).state != "done":  # a fast machine may be through before the last of the kills
        imports.perform(door, batch)


def _killed(work: Callable[[], None], after_s: float) -> bool:
    """Run ``work`` in a child and kill it; whether it was still at it then."""
    child = _fork(work)
    time.sleep(after_s)
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def _finished(work: Callable[[], None]) -> bool:
    """Run ``work`` in a child to its end; whether it ended well."""
    child = _fork(work)
    until = time.monotonic() + GIVE_UP_S
    while time.monotonic() < until:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _fork(work: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)  # a fork of a test process must not run its exit handlers
