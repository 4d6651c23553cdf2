"""Conflicts and errors in the middle of a submission: the whole of it runs again, and its effects happen once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPICursor

from engine.problems import Refused
from runtime.facade.door import Door
from runtime.faults import NO_FAULTS, STEPS, Action, Faults, Step, faults_of
from runtime.settings import Settings
from runtime.storage import driver
from runtime.storage.database import conflict
from runtime.verification import verify
from tests.faults.house_with_goods import counts, issue, refusal, stocked, tasks
from tests.houses import WORKSPACE, Home

INSIDE: tuple[Step, ...] = tuple(step for step in STEPS[: STEPS.index("committed")])
CONFLICTS: tuple[Action, ...] = ("conflict", "deadlock", "busy")
STATEMENTS = int(os.environ.get("PYTEST_STOCKLOOM_STATEMENTS", "120"))
EVERY_TIME = 0


@pytest.fixture
def home(tmp_path: Path, house_url: str | None) -> Home:
    return stocked(tmp_path, house_url, len(INSIDE) * len(CONFLICTS) + STATEMENTS + 1)


def test_conflicts_and_errors_leave_all_or_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    door = home.everybody()
    number = 0
    for step in INSIDE:
        for action in CONFLICTS:
            before = counts(home.house)
            _with(home, Faults(step, action, EVERY_TIME))
            refused = refusal(door, number)
            assert refused is not None and refused.kind == "busy", (step, action)
            _with(home, Faults(step, "error"))
            with pytest.raises(RuntimeError, match="fault"):
                issue(door, number)
            assert counts(home.house) == before, (step, action)
            _with(home, Faults(step, action))
            assert not issue(door, number).repeated
            assert {name: now - before[name] for name, now in counts(home.house).items()} == dict.fromkeys(before, 1)
            number += 1
    _with(home, NO_FAULTS)
    number = _at_every_statement(home, door, number, monkeypatch)
    home.jobs.drain()
    assert tasks(home.house) == number
    assert verify(home.house, WORKSPACE).differences == ()


def _with(home: Home, faults: Faults) -> None:
    home.house.faults = faults


def _at_every_statement(home: Home, door: Door, number: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """A conflict at the first statement, at the second …, until a submission has no more of them."""
    kind = "busy" if door.workspace.database.is_sqlite else "conflict"
    left = [0]

    def count_down() -> None:
        left[0] -= 1
        if left[0] == 0:
            raise conflict(kind)

    plain = driver._cursor

    def counting(connection: sa.Connection) -> DBAPICursor:
        count_down()
        return plain(connection)

    monkeypatch.setattr(driver, "_cursor", counting)
    sa.event.listen(door.workspace.database.engine, "before_cursor_execute", lambda *_: count_down())
    for statement in range(1, STATEMENTS + 1):
        before = counts(home.house)
        left[0] = statement
        outcome = issue(door, number)
        reached, left[0] = left[0] <= 0, 0
        assert not outcome.repeated
        assert {name: now - before[name] for name, now in counts(home.house).items()} == dict.fromkeys(before, 1)
        number += 1
        if not reached:
            break
    else:
        pytest.fail(f"a submission has more than {STATEMENTS} statements")
    return number


@pytest.mark.parametrize(
    ("settings", "meant"),
    [
        (Settings(), ("", "error", 1)),
        (Settings(test_mode=True, fault="written:kill"), ("written", "kill", 1)),
        (Settings(test_mode=True, fault="appended:busy:*"), ("appended", "busy", 0)),
        (Settings(test_mode=True, fault="judged:stall:3"), ("judged", "stall", 3)),
        (Settings(fault="written:kill"), None),
        (Settings(test_mode=True, fault="written"), None),
        (Settings(test_mode=True, fault="nowhere:kill"), None),
        (Settings(test_mode=True, fault="written:explode"), None),
        (Settings(test_mode=True, fault="written:kill:often"), None),
    ],
)
def test_faults_are_made_in_test_mode_only(settings: Settings, meant: tuple[str, str, int] | None) -> None:
    if meant is not None:
        faults = faults_of(settings)
        assert (faults.step, faults.action, faults.turn) == meant
        return
    with pytest.raises(Refused) as refused:
        faults_of(settings)
    assert [one.code for one in refused.value.problems] == ["setting.fault"]
