"""Working hours as data: every case of tests/cases/calendars."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.calendars.calendar import (
    Calendar,
    after_working_hours,
    next_working_moment,
    working_time_between,
)
from engine.definitions.calendar import CalendarDef
from engine.definitions.compile_calendar import compile_calendar

ROOT = Path(__file__).parents[2]
FILES = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in (ROOT / "tests/cases/calendars").glob("*.yaml")}


def each(section: str) -> Any:
    found = [
        pytest.param(name, case, id=f"{name}: {case['name']}")
        for name, content in FILES.items()
        for case in content[section]
    ]
    return pytest.mark.parametrize(("name", "case"), found)


def calendar(name: str) -> Calendar:
    written = yaml.safe_load((ROOT / FILES[name]["calendar"]).read_text("utf-8"))
    return compile_calendar(CalendarDef.model_validate(written))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@each("after")
def test_hours_are_added(name: str, case: dict[str, Any]) -> None:
    assert after_working_hours(moment(case["from"]), case["hours"], calendar(name)) == moment(case["gives"])


@each("next")
def test_work_goes_on(name: str, case: dict[str, Any]) -> None:
    assert next_working_moment(moment(case["from"]), calendar(name)) == moment(case["gives"])


@each("between")
def test_time_is_counted(name: str, case: dict[str, Any]) -> None:
    found = working_time_between(moment(case["from"]), moment(case["until"]), calendar(name))
    assert found == timedelta(minutes=case["minutes"])


@pytest.mark.parametrize("name", FILES)
def test_days_are_worked_or_free(name: str) -> None:
    made = calendar(name)
    assert [day for day in FILES[name]["days"]["free"] if made.spans(day)] == []
    assert [day for day in FILES[name]["days"]["worked"] if not made.spans(day)] == []


def test_a_calendar_without_working_time_says_so() -> None:
    with pytest.raises(ValueError, match="no working time"):
        after_working_hours(datetime(2026, 1, 5), 1, Calendar(key="none", week=((),) * 7))
