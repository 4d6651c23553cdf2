"""Jobs that gave up are seen in 异常 with their reason, run again or removed; on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.effects import Audience, Notify, effect_json
from engine.labels import Label
from engine.problems import Refused
from runtime.facade import dead_ends
from runtime.facade.dead_ends import DeadEnds
from runtime.facade.door import Door
from runtime.jobs.relay import delivery_id, relay
from runtime.storage import outbox, product_tables
from runtime.storage.database import in_transaction, read
from runtime.storage.outbox import OutboxRow
from runtime.workspaces import create_workspace
from tests.houses import WORKSPACE, codes
from tests.runtime.flow_house import Firm, firm


@pytest.fixture
def house(tmp_path: Path, house_url: str | None) -> Firm:
    return firm(tmp_path, house_url)


@pytest.fixture
def admin(house: Firm) -> Door:
    return house.door("admin")


def seen(door: Door) -> DeadEnds:
    """What the page shows; the home page counts the same."""
    found = dead_ends.dead_ends(door)
    assert dead_ends.waiting(door) == found.counts
    return found


def given_up(house: Firm, kind: str, **payload: object) -> str:
    """A job of a kind nobody knows, or whose subject is gone, that has run and failed."""
    job_id = house.home.jobs.enqueue(kind, payload)
    house.home.jobs.drain()
    return job_id


def test_a_job_without_an_outbox_row_is_seen_and_run_again(house: Firm, admin: Door) -> None:
    assert seen(admin).counts.all == 0
    job_id = given_up(house, "import.run", workspace=WORKSPACE, user=99_999, **{"import": 1})
    [job] = seen(admin).jobs
    assert (job.id, job.kind, job.at) == (job_id, "导入", house.home.clock())
    assert len(job.reasons) == 1 and job.reasons[0], "in a sentence"
    dead_ends.try_job_again(admin, job_id)
    assert seen(admin).counts.all == 0, "it waits for its turn"
    house.home.jobs.drain()
    assert [one.id for one in seen(admin).jobs] == [job_id], "the cause is still there"
    dead_ends.drop_job(admin, job_id)
    assert seen(admin).counts.all == 0
    with read(house.home.house.workspace(WORKSPACE).database) as connection:
        log = product_tables.audit
        noted = connection.execute(sa.select(log.c.event).order_by(log.c.id)).scalars().all()
    assert noted[-2:] == ["job_tried_again", "job_dropped"]


def test_a_kind_nobody_knows_any_more_is_seen(house: Firm, admin: Door) -> None:
    given_up(house, "from_the_future", workspace=WORKSPACE)
    [job] = seen(admin).jobs
    assert job.kind == "from_the_future" and "from_the_future" in job.reasons[0]


def test_an_effect_is_told_once_and_a_killed_delivery_is_told_as_a_job(house: Firm, admin: Door) -> None:
    place = house.home.house.workspace(WORKSPACE)
    effect = Notify(to=Audience(roles=("clerk",)), title=Label("丢", "Lost"))

    def work(connection: sa.Connection) -> list[int]:
        row = OutboxRow(kind="call_nobody", payload=effect_json(effect), created_at=house.home.clock())
        return [*outbox.add(connection, (row, row))]

    first, second = in_transaction(place.database, work)
    relay(house.home.jobs, place, (first, second), house.home.clock())
    house.home.jobs.drain()
    found = seen(admin)
    assert ({one.id for one in found.effects}, found.jobs) == ({first, second}, ()), "their rows say it"
    # a worker that was killed has parked its job without a word to the row
    in_transaction(
        place.database,
        lambda connection: connection.execute(
            product_tables.outbox.update()
            .where(product_tables.outbox.c.id == second)
            .values(done_at=None, error=None, handed_at=house.home.clock())
        ),
    )
    found = seen(admin)
    assert [one.id for one in found.effects] == [first]
    assert [one.id for one in found.jobs] == [delivery_id(WORKSPACE, second)]
    in_transaction(place.database, lambda connection: outbox.mark_done(connection, second, house.home.clock()))
    assert seen(admin).jobs == (), "it has been performed meanwhile"


def test_jobs_of_others_are_not_told(house: Firm, admin: Door) -> None:
    house.home.jobs.worker({})
    other = given_up(house, "timer", workspace="other", timer=1)
    mine = given_up(house, "timer", workspace=WORKSPACE, timer=1)
    chore = given_up(house, "seal")
    assert {one.id for one in seen(admin).jobs} == {mine, chore}
    house.home.house.keep(create_workspace(house.home.house.settings, "other"))
    assert [one.id for one in seen(admin).jobs] == [mine], "a chore of all may tell of another company"
    for job in (other, chore, "none", "\0", ""):
        for settle in (dead_ends.try_job_again, dead_ends.drop_job):
            with pytest.raises(Refused) as refused:
                settle(admin, job)
            assert (refused.value.kind, codes(refused.value)) == ("missing", ["rule.not_dead"])


def test_only_administrators_settle_jobs(house: Firm) -> None:
    mine = given_up(house, "nobody", workspace=WORKSPACE)
    for settle in (dead_ends.try_job_again, dead_ends.drop_job):
        with pytest.raises(Refused) as refused:
            settle(house.door("clerk"), mine)
        assert refused.value.kind == "forbidden"
    assert dead_ends.waiting(house.door("clerk")).all == 0
