"""Files nobody refers to go at night, and sessions that ended; what may be asked for again stays. On both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.facade import accounts, files
from runtime.facade.door import Door
from runtime.facade.tidying import EVERY_NIGHT, SPARED, TIDY, tidy_files
from runtime.house_jobs import _parts, no_more_handlers
from runtime.jobs.contract import JobState
from runtime.jobs.retention import RETENTION
from runtime.storage import product_tables
from runtime.storage.files import path_of
from tests.houses import PASSWORD, WORKSPACE, do
from tests.runtime.flow_house import COMPANY, Firm, company, firm
from tests.runtime.test_flow_acts import CHANGE

SUPPLIER = (COMPANY / "forms" / "supplier.yaml").read_text(encoding="utf-8")
WITH_LICENCE = SUPPLIER.replace(
    "  limit:", "  licence: {id: licence, type: attachment, label: {zh: 证照, en: Licence}}\n  limit:", 1
)


@pytest.fixture
def made(tmp_path: Path, house_url: str | None) -> Firm:
    house = firm(tmp_path, house_url)
    house.publish(company(CHANGE, changes={"forms/supplier.yaml": WITH_LICENCE}))
    return house


def upload(door: Door) -> str:
    return files.upload(door, "证照.pdf", "application/pdf", [b"%PDF"]).id


def left(made: Firm, *ids: str) -> list[bool]:
    """Which of the files still have their bytes; verify says that rows and bytes agree."""
    made.sound()
    folder = made.home.house.workspace(WORKSPACE).files_dir
    assert made.count(product_tables.file) == sum(1 for one in folder.glob("??/*"))
    return [path_of(folder, one).exists() for one in ids]


def tonight(made: Firm) -> None:
    made.home.jobs.drain()
    made.home.jobs.enqueue(TIDY, {})
    assert [one.state for one in made.home.jobs.drain()] == [JobState.DONE]


def test_only_what_nothing_names_goes_and_only_after_a_week(made: Firm) -> None:
    clerk = made.door("clerk")
    named, proposed, lost = upload(clerk), upload(clerk), upload(clerk)
    record = do(clerk, "supplier", "save", {"code": "S1", "name": "甲", "licence": [named]}).document
    do(clerk, "supplier", "save", {"licence": [proposed]}, document=record)
    assert made.values(record, "supplier")["licence"] == (named,), "the change waits for agreement"
    tonight(made)
    assert left(made, named, proposed, lost) == [True, True, True]
    made.home.clock.wait(days=SPARED.days)
    young = upload(clerk)
    made.home.clock.wait(minutes=1)
    tonight(made)
    assert left(made, named, proposed, lost, young) == [True, True, False, True]
    do(made.door("boss"), "supplier", "approve", document=record)
    tonight(made)
    assert left(made, named, proposed) == [False, True], "the record names the other one now"


def test_what_a_dropped_field_names_comes_back_with_it(made: Firm) -> None:
    clerk = made.door("clerk")
    named = upload(clerk)
    record = do(clerk, "supplier", "save", {"code": "S1", "name": "甲", "licence": [named]}).document
    made.publish(company())
    made.home.clock.wait(days=30)
    tonight(made)
    made.publish(company(changes={"forms/supplier.yaml": WITH_LICENCE}))
    assert made.values(record, "supplier")["licence"] == (named,)
    assert left(made, named) == [True]


def test_one_night_does_only_so_much_and_the_oldest_first(made: Firm) -> None:
    clerk = made.door("clerk")
    lost = []
    for _ in range(3):
        lost.append(upload(clerk))
        made.home.clock.wait(minutes=1)
    made.home.clock.wait(days=30)
    assert tidy_files(clerk, made.home.clock(), most=2) == 2
    assert left(made, *lost) == [False, False, True]
    assert tidy_files(clerk, made.home.clock(), most=2) == 1
    assert tidy_files(clerk, made.home.clock(), most=2) == 0


def test_sessions_that_ended_are_forgotten_at_night(made: Firm) -> None:
    made.door("clerk")
    accounts.sign_in(made.home.house, WORKSPACE, "clerk", PASSWORD)
    made.home.clock.wait(days=400)
    used = accounts.sign_in(made.home.house, WORKSPACE, "clerk", PASSWORD)
    made.home.jobs.enqueue(RETENTION, {})
    made.home.jobs.drain()
    assert made.count(product_tables.session) == 1
    assert accounts.session_door(made.home.house, WORKSPACE, used.token) is not None


def test_every_worker_has_it_on_its_calendar(made: Firm) -> None:
    parts = _parts(made.home.house, no_more_handlers)
    assert parts.schedules[TIDY] == EVERY_NIGHT and TIDY in parts.handlers
