"""The run that kills a writer at random moments, in small; and that it would say so if something were amiss."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from bench.company import PRODUCT
from bench.kills import Tally, founded, judge, killed
from runtime.settings import Settings
from runtime.storage.database import write
from runtime.workspaces import open_workspace

KILLS = 4


@pytest.fixture
def url(database_kind: str, request: pytest.FixtureRequest) -> str | None:
    """Address of an empty server database; None for files, as on SQLite."""
    return str(request.getfixturevalue("fresh_postgres_url")) if database_kind == "postgres" else None


def test_nothing_is_lost_doubled_or_half_done(tmp_path: Path, url: str | None) -> None:
    tally = killed(Settings(data_dir=tmp_path, database_url=url, test_mode=True), KILLS)
    assert (tally.kills, tally.wrong) == (KILLS, [])
    assert tally.requests > 0 and tally.entries >= 3 * tally.requests


def test_what_is_amiss_is_said(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, test_mode=True)
    company, bundle = founded(settings)
    log = tmp_path / "answers"
    log.touch()

    def judged() -> list[str]:
        tally = Tally()
        judge(settings, bundle, company, log, tally)
        return [one.partition(":")[0] for one in tally.wrong]

    def damage(statement: str) -> None:
        place = open_workspace(settings, PRODUCT)
        with write(place.database) as connection:
            connection.execute(sa.text(statement))
        place.database.close()

    assert judged() == [], "one request, carried out"
    damage("DELETE FROM sys_message")
    damage("DELETE FROM t_purchase_receipt__lines WHERE line_no = 2")
    damage("UPDATE sys_balance SET quantity = quantity + 1 WHERE quantity > 0")
    log.write_text("0 999999 0\n")
    expected = {"lost", "nobody asked for", "without all its lines", "not told exactly once", "verify", "checker"}
    assert expected <= set(judged())
