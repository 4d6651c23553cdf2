"""结账: what is closed, the checklist of what comes next, closing and reopening, for whoever holds the right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from engine.permissions import closing_rights
from engine.problems import Refused, problem
from runtime import closing
from runtime.closing import COMPANY, DAY, MONTH, Check, CloseKind, Period, month_end
from runtime.facade.cells import Names
from runtime.facade.door import Door
from runtime.facade.stock_rights import allowed
from runtime.stages.steps import Unit
from runtime.storage import audit, closings, documents
from runtime.storage.database import Connection, in_transaction
from runtime.submit import unit_of

T = TypeVar("T")
SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckView:
    """A line of the checklist: ``level`` is ok, warning or error; ``links`` are (form, id, text), form empty where
    there is nothing to open."""

    key: str
    label: str
    level: str
    count: int
    links: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodView:
    """The days that would be closed, with the checklist; ``ready`` when nothing stands against it."""

    kind: str
    warehouse: int
    warehouse_text: str
    through: date
    checks: tuple[CheckView, ...]
    ready: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingView:
    """A closing. ``may_reopen``: it is the latest of its kind and the person may open it again."""

    id: int
    kind: str
    warehouse: int
    warehouse_text: str
    through: date
    closed_at: datetime
    closed_by: str
    warnings: int
    reopened_at: datetime | None
    reopened_by: str
    reason: str
    may_reopen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingsView:
    """The page: closings, newest first, the rights held, the month that comes next, and the warehouses one may close
    with the day each is closed through."""

    rows: tuple[ClosingView, ...]
    rights: frozenset[str]
    next_month: str
    warehouses: tuple[tuple[int, str, date | None], ...]


def overview(door: Door) -> ClosingsView:
    """What is closed and what may be done.

    Raises:
        Refused: ``forbidden`` for whoever holds no right to close.
    """
    rights = _rights(door)
    with door.reading() as unit:
        places = _warehouses(door, unit)
        found = [
            one for one in closings.closings_of(unit.connection, SHOWN) if not one.warehouse or one.warehouse in places
        ]
        names = _names(door, unit, [one.warehouse for one in found])
        people = Names(door.language)
        for one in found:
            people.want_id("member", one.closed_by)
            people.want_id("member", one.reopened_by)
        people.load(unit)
        latest: dict[tuple[str, int], int] = {}
        for one in found:
            if one.reopened_at is None:
                latest.setdefault((one.kind, one.warehouse), one.id)
        closed = closings.forbidden(unit.connection).closed
        month = closings.latest_closing(unit.connection, MONTH, COMPANY)
        today = unit.around.clock.today
    following = month.through + timedelta(days=1) if month else (today.replace(day=1) - timedelta(days=1))
    return ClosingsView(
        rows=tuple(
            ClosingView(
                id=one.id,
                kind=one.kind,
                warehouse=one.warehouse,
                warehouse_text=names.get(one.warehouse, ""),
                through=one.through,
                closed_at=one.closed_at,
                closed_by=people.name("member", one.closed_by),
                warnings=sum(1 for check in one.report.get("checks", ()) if check["level"] == "warning"),
                reopened_at=one.reopened_at,
                reopened_by=people.name("member", one.reopened_by) if one.reopened_by else "",
                reason=one.reason,
                may_reopen=f"reopen_{one.kind}" in rights and latest.get((one.kind, one.warehouse)) == one.id,
            )
            for one in found
        ),
        rights=rights,
        next_month=f"{following:%Y-%m}",
        warehouses=tuple((key, text, closed.get(key)) for key, text in places.items()),
    )


def check(door: Door, through: str, warehouse: int = COMPANY) -> PeriodView:
    """The checklist for closing a month (``2026-01``) or the days of a warehouse (``2026-01-31``).

    Raises:
        Refused: ``invalid`` for what is no month or day, ``forbidden`` without the right.
    """
    period = _period(through, warehouse)
    with door.reading() as unit:
        _may_close(door, unit, period)
        checks = closing.checklist(unit, period)
        names = _names(door, unit, [warehouse])
    return PeriodView(
        kind=period.kind,
        warehouse=period.warehouse,
        warehouse_text=names.get(period.warehouse, ""),
        through=period.through,
        checks=tuple(_check_view(door, one) for one in checks),
        ready=all(one.level != "error" for one in checks),
    )


def close(door: Door, through: str, warehouse: int = COMPANY) -> int:
    """Close a month or the days of a warehouse; the id of the closing.

    Raises:
        Refused: ``conflict`` with everything that stands against it, documents named.
    """
    period = _period(through, warehouse)

    def work(unit: Unit) -> int:
        _may_close(door, unit, period)
        return closing.close(unit, period)

    return _written(door, "closing.close", {"through": through, "warehouse": warehouse}, work)


def reopen(door: Door, identity: int, reason: str) -> None:
    """Open the days of the latest closing of its kind and place again (反结账).

    Raises:
        Refused: ``forbidden`` without the right (months: administrators only), ``conflict`` when it is not the latest.
    """
    rights = _rights(door)

    def work(unit: Unit) -> int:
        found = closing.reopen(unit, identity, reason)
        if f"reopen_{found.kind}" not in rights:
            raise Refused([problem("closing.reopen_denied")], "forbidden")
        if found.warehouse and found.warehouse not in _warehouses(door, unit):
            raise Refused([problem("closing.warehouse_denied")], "forbidden")
        return found.id

    _written(door, "closing.reopen", {"closing": identity, "reason": reason}, work)


def _written(door: Door, event: str, detail: dict[str, object], work: Callable[[Unit], T]) -> T:
    context = door.house.context(door.workspace, door.published, door.actor)

    def run(connection: Connection) -> T:
        unit = unit_of(context, connection)
        done = work(unit)
        audit.note(connection, unit.now, door.actor.user, event, detail)
        return done

    return in_transaction(door.workspace.database, run)


def _period(through: str, warehouse: int) -> Period:
    parts = through.strip().split("-")
    try:
        if len(parts) == 2 and not warehouse:
            return Period(kind="month", warehouse=COMPANY, through=month_end(int(parts[0]), int(parts[1])))
        kind: CloseKind = "day" if warehouse else "month"
        return Period(kind=kind, warehouse=warehouse, through=date.fromisoformat(through.strip()))
    except (ValueError, OverflowError):
        raise Refused([problem("closing.bad_period", "through", text=through[:40])]) from None


def _rights(door: Door) -> frozenset[str]:
    rights = closing_rights(door.bundle, door.actor)
    if not rights:
        raise Refused([problem("closing.denied")], "forbidden")
    return rights


def _may_close(door: Door, unit: Unit, period: Period) -> None:
    if period.kind not in _rights(door):
        raise Refused([problem("closing.denied")], "forbidden")
    if period.kind == DAY and period.warehouse not in _warehouses(door, unit):
        raise Refused([problem("closing.warehouse_denied", "warehouse")], "forbidden")


def _warehouses(door: Door, unit: Unit) -> dict[int, str]:
    """The warehouses whose stock the person sees, by id."""
    form = door.bundle.app.dimensions.warehouse
    if form is None:
        return {}
    found = documents.record_ids(unit.connection, unit.tables, form, allowed(door, unit, form))
    return dict(documents.display_names(unit.connection, unit.tables, form, found, door.language))


def _names(door: Door, unit: Unit, warehouses: list[int]) -> dict[int, str]:
    form, wanted = door.bundle.app.dimensions.warehouse, [one for one in warehouses if one]
    if form is None or not wanted:
        return {}
    return dict(documents.display_names(unit.connection, unit.tables, form, wanted, door.language))


def _check_view(door: Door, one: Check) -> CheckView:
    known = [each.form for each in one.named if each.form in door.bundle.forms]
    openable = {form for form in known if door.may(door.bundle.forms[form], "read")}
    return CheckView(
        key=one.key,
        label=door.house.catalogue.ui(f"closing.check_{one.key}", door.language),
        level=one.level,
        count=one.count,
        links=tuple((each.form if each.form in openable else "", each.id, each.text) for each in one.named),
    )
